// SPDX-License-Identifier: GPL-2.0
/*
 * copy_page_range() and all below it, over page tables: each thing that a page
 * can be, in each kind of VMA, in each way that userfaultfd may follow.
 *
 *	parent  |.W.r.S..|#####G##|P.mm.d..|	cells, up to three PTE tables,
 *	         PTE table PTE table		over PMD, PUD and PGD borders
 *	child   |.r.r.s..|#####G##|c.mm.d..|	each checked, and what they count
 */
#include "harness/oracle/seeds.h"
#include "harness/oracle/space.h"
#include "harness/test.h"

static struct space s;

#define PRIVATE	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE)
#define SHARED	(PRIVATE | VM_SHARED | VM_MAYSHARE)

static bool failed(u64 seed)
{
	if (!test_failures())
		return false;
	test_say("seed %llu: SEED=%llu runs it alone", (unsigned long long)seed,
		 (unsigned long long)seed);
	return true;
}

/* A private page, written to, and the parent's alone: both lose the right. */
TEST(private_page)
{
	struct cell page = { .kind = PRESENT, .write = true, .dirty = true };
	struct folio *folio;

	space_init(&s, SPACE_START, 1, PRIVATE, true);
	folio = space_folio(&s, 0, true, true, 0);
	SetPageAnonExclusive(&folio->page);
	page.value = folio_pfn(folio);
	page.young = true;
	space_put(&s, 0, page);
	EXPECT_EQ(space_fork(&s, false, 0), 0);
}

/* The copy of a pinned page meets a memory error: fork fails, nothing leaks. */
TEST(pinned_page_poisoned)
{
	struct cell page = { .kind = PRESENT, .write = true, .dirty = true };
	struct folio *folio;

	space_init(&s, SPACE_START, 2, PRIVATE, true);
	folio = space_folio(&s, 0, true, true, 1);
	SetPageAnonExclusive(&folio->page);
	folio->poisoned = true;
	page.value = folio_pfn(folio);
	space_put(&s, 1, page);
	s.must_fail = true;
	EXPECT_EQ(space_fork(&s, false, 0), -ENOMEM);
}

/* A device has the page, and somebody its lock: fork fails, nothing leaks. */
TEST(device_page_locked)
{
	struct cell page = { .kind = DEVICE_EXCLUSIVE };
	struct folio *folio;

	space_init(&s, SPACE_START, 2, PRIVATE, true);
	folio = space_folio(&s, 0, true, true, 0);
	SetPageAnonExclusive(&folio->page);
	folio->locked = true;
	page.value = folio_pfn(folio);
	space_put(&s, 1, page);
	s.must_fail = true;
	EXPECT_EQ(space_fork(&s, false, 0), -ENOMEM);
}

/* A device has a page that is pinned as well: the parent gets all of it back. */
TEST(device_page_pinned)
{
	struct cell page = { .kind = DEVICE_EXCLUSIVE, .access = WRITE_ACCESS };
	struct folio *folio;

	space_init(&s, SPACE_START, 2, PRIVATE, true);
	folio = space_folio(&s, 0, true, true, 1);
	SetPageAnonExclusive(&folio->page);
	folio->dirty = true;
	page.soft_dirty = VM_SOFTDIRTY;
	page.value = folio_pfn(folio);
	space_put(&s, 1, page);
	EXPECT_EQ(space_fork(&s, false, 0), 0);
}

/* What maps a page that there is not: reported, copied, and nothing counted. */
TEST(bad_entries)
{
	struct cell page = { .kind = PRESENT, .special = true };

	space_init(&s, SPACE_START, 2, PRIVATE, true);
	page.value = FIRST_PFN + 5;
	space_put(&s, 0, page);
	page.value = FIRST_PFN + NR_PFNS;
	page.special = false;
	space_put(&s, 1, page);
	bad_ptes = 2;
	EXPECT_EQ(space_fork(&s, false, 0), 0);
}

/*
 * The pages of a large folio go in one batch, whatever differs between them
 * that does not count: a shared page's dirty bit is not the child's, and a VMA
 * that is soft-dirty needs no such bits.
 */
TEST(large_folio_at_once)
{
	static const vm_flags_t flags[] = { PRIVATE, SHARED | VM_UFFD_WP,
					    PRIVATE | VM_SOFTDIRTY };

	for (size_t n = 0; n < ARRAY_SIZE(flags); n++)
		for (unsigned long nr = 2; nr <= 16; nr += 14) {
			bool anon = !(flags[n] & VM_SHARED);
			struct folio *folio;

			space_init(&s, SPACE_START, nr, flags[n], anon);
			folio = space_folio(&s, 4, anon, true, 0);
			for (unsigned long i = 0; i < nr; i++) {
				struct cell page = { .kind = PRESENT };

				page.value = folio_pfn(folio) + i;
				page.uffd = flags[n] & VM_UFFD_WP;
				page.dirty = flags[n] & VM_SHARED && i & 1;
				page.soft_dirty = flags[n] & VM_SOFTDIRTY && i & 1;
				space_put(&s, i, page);
			}
			batches = 0;
			EXPECT_EQ(space_fork(&s, true, 0), 0);
			/* SPACE_START is 4 pages below the end of a table. */
			EXPECT_EQ(batches, nr > 4 ? 2l : 1l);
		}
}

#ifndef COPIES_SPARSELY
#define COPIES_SPARSELY	false
#endif

/*
 * A large folio that two VMAs share: the batch ends with the VMA, even if contiguous
 * entries do not.
 */
static void in_two_vmas(vm_flags_t flags, struct cell first)
{
	const unsigned long nr = 2 * CONT_PTES + 1;
	bool anon = !(flags & VM_SHARED);
	struct folio *folio;

	space_init(&s, 8 * PMD_SIZE, nr, flags, anon);
	folio = space_folio(&s, 4, anon, true, 0);
	for (unsigned long i = 0; i < 16; i++) {
		struct cell page = { .kind = PRESENT, .value = folio_pfn(folio) + i };

		if (i >= nr)
			space_put_beyond(&s, i, page);
		else
			space_put(&s, i, i || first.kind == NONE ? page : first);
	}
	EXPECT_EQ(space_fork(&s, false, 0), 0);
	if (COPIES_SPARSELY && !anon)
		EXPECT_EQ(s.child_tables, first.kind == NONE ? 0l : 1l);
}

TEST(large_folio_in_two_vmas)
{
	in_two_vmas(PRIVATE, (struct cell){ .kind = NONE });
#ifdef VM_MAYBE_GUARD
	in_two_vmas(SHARED | VM_MAYBE_GUARD, (struct cell){ .kind = NONE });
	in_two_vmas(SHARED | VM_MAYBE_GUARD,
		    (struct cell){ .kind = MARKER, .value = PTE_MARKER_GUARD });
#endif
}

/*
 * Somebody is faster with the tables: fork takes theirs, and its own is freed. The
 * PUD table comes first, then the PMD table and the PTE table.
 */
TEST(overtaken)
{
	for (long nth = 1; nth <= 3; nth++) {
		struct cell page = { .kind = PRESENT, .dirty = true };

		space_init(&s, 8 * PMD_SIZE, 2, PRIVATE, true);
		page.value = folio_pfn(space_folio(&s, 0, true, true, 0));
		space_put(&s, 1, page);
		s.overtaken = nth;
		EXPECT_EQ(space_fork(&s, false, 0), 0);
		EXPECT_EQ(s.child_pages, 1l);
		EXPECT_EQ(s.overtaken, 0l);
	}
}

/*
 * Latency: fork looks up after 32 units of work. An entry that is none is one,
 * an entry that is there 8, and when it looks up in vain it goes on at once.
 */
TEST(looks_up_often)
{
	unsigned long nr = PTRS_PER_PTE;
	struct cell page = { .kind = PRESENT, .dirty = true };

	space_init(&s, 8 * PMD_SIZE, nr, PRIVATE, true);
	page.value = folio_pfn(space_folio(&s, 0, true, true, 0));
	space_put(&s, nr - 1, page);
	resched_asked = 0;
	EXPECT_EQ(space_fork(&s, false, 0), 0);
	EXPECT(resched_asked >= (long)nr / 33);

	space_init(&s, 8 * PMD_SIZE, nr, PRIVATE, true);
	for (unsigned long i = 0; i < nr; i++) {
		page.value = folio_pfn(space_folio(&s, 0, true, true, 0));
		space_put(&s, i, page);
	}
	always_resched = true;
	resched_given = 0;
	EXPECT_EQ(space_fork(&s, false, 0), 0);
	EXPECT(resched_given >= (long)nr / 5);
}

#ifdef VM_MAYBE_GUARD
/*
 * What fork() pays for one page that it must not lose, in a shared mapping of
 * three full tables of what a fault brings back.
 *
 *	parent  |pppppppp|ppppgppp|pppppppp|
 *	child   |........|....g...|........|	one table
 */
static void one_among_many(vm_flags_t flags, bool event_fork, struct cell kept,
			   struct cell other)
{
	unsigned long nr = 3 * PTRS_PER_PTE;

	space_init(&s, 8 * PMD_SIZE, nr, SHARED | flags, false);
	for (unsigned long i = 0; i < nr; i++) {
		struct cell *c = i == nr / 2 ? &kept : &other;

		if (c->kind == PRESENT || c->kind == MIGRATION)
			c->value = folio_pfn(space_folio(&s, 0, false, true, 0));
		/* Where tables remember guards, these do, and must be read. */
		if (c->kind == MARKER)
			space_put(&s, i, kept);
		space_put(&s, i, *c);
	}
	resched_given = 0;
	EXPECT_EQ(space_fork(&s, event_fork, 0), 0);
	if (!COPIES_SPARSELY && s.child_tables == 3)
		test_skip("this tree copies all %ld pages, with %ld tables, for one",
			  s.child_pages, s.child_tables);
	EXPECT_EQ(s.child_tables, 1l);
	EXPECT_EQ(s.child_pages, kept.kind == PRESENT ? 1l : 0l);
	/* A table that is read for nothing is time, too. */
	EXPECT(resched_given >= 2);
}
#endif

TEST_IF(one_guard_among_many, "a fork that leaves to faults what they rebuild")
{
#ifdef VM_MAYBE_GUARD
	struct cell guard = { .kind = MARKER, .value = PTE_MARKER_GUARD };
	struct cell page = { .kind = PRESENT, .dirty = true, .young = true };
	struct cell none = { .kind = NONE };
	struct cell protected = { .kind = PRESENT, .uffd = true };

	one_among_many(VM_MAYBE_GUARD, false, guard, page);
	one_among_many(VM_MAYBE_GUARD, false, guard, none);
	/* What userfaultfd has of the parent is not the child's. */
	one_among_many(VM_MAYBE_GUARD | VM_UFFD_MINOR, false, guard, page);
	one_among_many(VM_MAYBE_GUARD | VM_UFFD_WP, false, guard, protected);
#else
	test_skip("no guard regions");
#endif
}

/* Tables in which there is nothing to copy are time as well, read or not. */
TEST_IF(looks_up_between_tables, "guard regions")
{
#ifdef VM_MAYBE_GUARD
	struct cell page = { .kind = PRESENT };

	space_init(&s, 8 * PMD_SIZE, 3 * PTRS_PER_PTE, SHARED | VM_MAYBE_GUARD, false);
	for (unsigned long i = 0; i < s.nr; i++) {
		page.value = folio_pfn(space_folio(&s, 0, false, true, 0));
		space_put(&s, i, page);
	}
	resched_given = 0;
	EXPECT_EQ(space_fork(&s, false, 0), 0);
	EXPECT(resched_given >= 3);
#else
	test_skip("no guard regions");
#endif
}

TEST(random_spaces)
{
	struct seeds r = seeds(8000);

	while (next(&r)) {
		bool event_fork = space_fill(&s, r.seed);

		space_fork(&s, event_fork, 0);
		if (failed(r.seed))
			return;
	}
}

/* Fork gives up its locks as often as it can, and goes on where it was. */
TEST(random_spaces_rescheduled)
{
	struct seeds r = seeds(2000);

	always_resched = true;
	while (next(&r)) {
		bool event_fork = space_fill(&s, r.seed);

		space_fork(&s, event_fork, 0);
		if (failed(r.seed))
			return;
	}
}

/* Each allocation fails in turn: -ENOMEM, nothing leaks, the parent lives on. */
TEST(random_spaces_without_memory)
{
	struct seeds r = seeds(400);

	while (next(&r)) {
		int ret = -ENOMEM;

		for (long nth = 1; ret; nth++) {
			bool event_fork = space_fill(&s, r.seed);

			ret = space_fork(&s, event_fork, nth);
			if (failed(r.seed))
				return;
		}
	}
}
