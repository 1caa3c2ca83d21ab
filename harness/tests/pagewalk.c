// SPDX-License-Identifier: GPL-2.0
/*
 * Page table walks, with callbacks that answer at random: go on, skip what is below, call
 * again, skip the VMA, stop. What they were called for is compared with what their answers
 * ask for, by a walk of our own.
 *
 *	    |------|          |-------------|	VMAs; the line is the border of two PUDs
 *	         t : t     t    t  .  t		page tables, some of them
 *	             :
 */
#include "harness/oracle/program.h"
#include "harness/oracle/seeds.h"
#include "harness/test.h"

#define BASE	(3 * PUD_SIZE)
#define MOST	20000

enum call { TEST_WALK, PRE_VMA, POST_VMA, PUD, PMD, PTE, HOLE };

/* A callback, and what it said: an enum page_walk_action, or what it returned. */
static struct event {
	enum call what;
	unsigned long start, end;
	int action, ret, depth;
} log[MOST];
static int nr, at;
static unsigned long long state;

static unsigned int below(unsigned int n)
{
	return random_below(&state, n);
}

static struct event *called(enum call what, unsigned long start, unsigned long end)
{
	static struct event none;

	if (nr == MOST)
		return &none;
	log[nr] = (struct event){ .what = what, .start = start, .end = end };
	return &log[nr++];
}

static int entry(enum call what, unsigned long start, unsigned long end, struct mm_walk *walk)
{
	struct event *e = called(what, start, end);
	unsigned int n = below(40);

	e->action = n < 6 ? ACTION_CONTINUE : n < 10 ? ACTION_AGAIN : ACTION_SUBTREE;
	e->ret = n == 39 && !below(4) ? (int)below(3) - 1 : 0;
	if (e->action)
		walk->action = e->action;
	return e->ret;
}

static int pud_entry(pud_t *pud, unsigned long start, unsigned long end, struct mm_walk *walk)
{
	EXPECT(!pud_none(*pud));
	return entry(PUD, start, end, walk);
}

static int pmd_entry(pmd_t *pmd, unsigned long start, unsigned long end, struct mm_walk *walk)
{
	EXPECT(!pmd_none(*pmd));
	return entry(PMD, start, end, walk);
}

static int pte_entry(pte_t *pte, unsigned long start, unsigned long end, struct mm_walk *walk)
{
	struct event *e = called(PTE, start, end);

	EXPECT(pte == table_at(walk->mm, start) + (start >> PAGE_SHIFT & (PTRS_PER_PTE - 1)));
	EXPECT(shim_holds(&table_of(pte)->ptl));
	e->ret = below(4000) ? 0 : -EBUSY;
	return e->ret;
}

static int pte_hole(unsigned long start, unsigned long end, int depth, struct mm_walk *walk)
{
	struct event *e = called(HOLE, start, end);

	(void)walk;
	e->depth = depth;
	e->ret = below(12) ? 0 : -ENOENT;
	return e->ret;
}

#ifdef TREE_HAS_check_ops_safe
static int install(unsigned long start, unsigned long end, pte_t *pte, struct mm_walk *walk)
{
	(void)start;
	(void)end;
	(void)pte;
	(void)walk;
	return -EBUSY;
}
#endif

static int test_walk(unsigned long start, unsigned long end, struct mm_walk *walk)
{
	struct event *e = called(TEST_WALK, start, end);

	EXPECT(walk->vma && walk->vma->vm_start <= start && end <= walk->vma->vm_end);
	e->ret = below(6) ? 0 : 1 - 2 * (int)below(2);
	return e->ret;
}

static int pre_vma(unsigned long start, unsigned long end, struct mm_walk *walk)
{
	struct event *e = called(PRE_VMA, start, end);

	(void)walk;
	e->ret = below(20) ? 0 : -EBUSY;
	return e->ret;
}

static void post_vma(struct mm_walk *walk)
{
	(void)walk;
	called(POST_VMA, 0, 0);
}

/* --- the same, worked out */

static struct mm_walk_ops ops;
static bool wrong;

/* The next that was called must be this. */
static const struct event *due(enum call what, unsigned long start, unsigned long end)
{
	static const struct event none = { .ret = -1 };
	const struct event *e = &log[at];

	if (wrong)
		return &none;
	if (at++ < nr && e->what == what && e->start == start && e->end == end)
		return e;
	wrong = true;
	test_fail(__FILE__, __LINE__, "callback %d is %d of %#lx-%#lx, expected %d of %#lx-%#lx",
		  at - 1, at > nr ? -1 : (int)e->what, e->start, e->end, what, start, end);
	return &none;
}

/* The level of the table that lacks an entry, or that there is no VMA. */
static int hole(unsigned long start, unsigned long end, int depth)
{
	const struct event *e;

	if (!ops.pte_hole)
		return 0;
	e = due(HOLE, start, end);
	if (!wrong)
		EXPECT_EQ(e->depth, depth);
	return e->ret;
}

static int ptes(unsigned long start, unsigned long end)
{
	int ret = 0;

	for (; start < end && !ret; start += PAGE_SIZE)
		ret = due(PTE, start, start + PAGE_SIZE)->ret;
	return ret;
}

/* Level 0 is the PGD; below 2, the PMD, are pages. */
static int level(int n, const unsigned long *table, unsigned long start, unsigned long end)
{
	static const unsigned long sizes[] = { PGDIR_SIZE, PUD_SIZE, PMD_SIZE };
	static const unsigned int entries[] = { PTRS_PER_PGD, PTRS_PER_PUD, PTRS_PER_PMD };
	static const int depths[] = { 0, 2, 3 };	/* 1 is the P4D's */
	bool pages = ops.pte_entry;
	bool asked = (n == 1 && ops.pud_entry) || (n == 2 && ops.pmd_entry);
	bool deeper = n == 2 ? pages : pages || ops.pmd_entry || (!n && ops.pud_entry);
	unsigned long next;
	int ret = 0;

	/* The PGD is a folded P4D, which nobody looks into who asks for nothing below. */
	if (!n && !deeper)
		return 0;
	for (; start < end && !ret; start = next) {
		unsigned long value = table[start / sizes[n] % entries[n]];
		int action = ACTION_SUBTREE;

		/* The end of the last table is 0. */
		next = min((start / sizes[n] + 1) * sizes[n] - 1, end - 1) + 1;
		if (!value) {
			ret = hole(start, next, depths[n]);
			continue;
		}
		while (asked && !ret) {
			const struct event *e = due(n == 1 ? PUD : PMD, start, next);

			action = e->action;
			ret = e->ret;
			if (action != ACTION_AGAIN)
				break;
		}
		if (ret || action == ACTION_CONTINUE || !deeper)
			continue;
		ret = n == 2 ? ptes(start, next) :
		      level(n + 1, (unsigned long *)(value & PAGE_MASK), start, next);
	}
	return ret;
}

static int in_vma(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	int ret = ops.pre_vma ? due(PRE_VMA, start, end)->ret : 0;

	if (ret)
		return ret;
	ret = level(0, (unsigned long *)mm->pgd, start, end);
	if (ops.post_vma)
		due(POST_VMA, 0, 0);
	return ret;
}

static int in_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long next;
	int ret = 0;

	for (; start < end && !ret; start = next) {
		VMA_ITERATOR(vmi, mm, start);
		struct vm_area_struct *vma = vma_next(&vmi);

		next = min(!vma ? end : vma->vm_start > start ? vma->vm_start : vma->vm_end, end);
		if (!vma || vma->vm_start > start) {
			ret = hole(start, next, -1);
			continue;
		}
		ret = ops.test_walk ? due(TEST_WALK, start, next)->ret : 0;
		if (!ret)
			ret = in_vma(mm, start, next);
		else if (ret > 0)
			ret = 0;
	}
	return ret;
}

static unsigned long somewhere(void)
{
	return BASE + ((long)below(14 * 512) - 7 * 512) * PAGE_SIZE;
}

static void map(int pages)
{
	unsigned long start = somewhere();

	EXPECT_EQ(tree_mmap(NULL, start, (1 + below(pages)) * PAGE_SIZE,
			    VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE,
			    start >> PAGE_SHIFT), 0);
}

static void walk(u64 seed)
{
	struct vm_area_struct *vma;
	unsigned long start, end;
	struct mm_struct *mm;
	u64 content = 1;
	int ret;

	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	current->mm = mm = shim_mm_new(NULL);
	for (int i = 1 + below(3); i--;)
		map(below(2) ? 3000 : 20);
	for (int i = below(8); i--;) {
		start = somewhere();
		if (shim_vma_at(start))
			shim_access(start, true, &content);
	}
	ops = (struct mm_walk_ops){
		.pud_entry = below(3) ? NULL : pud_entry,
		.pmd_entry = below(3) ? pmd_entry : NULL,
		.pte_entry = below(3) ? pte_entry : NULL,
		.pte_hole = below(3) ? pte_hole : NULL,
		.test_walk = below(3) ? NULL : test_walk,
		.pre_vma = below(3) ? NULL : pre_vma,
		.post_vma = below(3) ? NULL : post_vma,
		.walk_lock = PGWALK_RDLOCK,
	};
	start = somewhere();
	end = start + (1 + below(below(2) ? 8 : 3000)) * PAGE_SIZE;
	vma = below(3) ? NULL : shim_vma_at(start);
	nr = at = 0;
	wrong = false;
	mmap_read_lock(mm);
	if (vma) {
		end = min(end, vma->vm_end);
		ret = walk_page_range_vma(vma, start, end, &ops, NULL);
		EXPECT_EQ(ret, in_vma(mm, start, end));
	} else {
		ret = walk_page_range(mm, start, end, &ops, NULL);
		EXPECT_EQ(ret, in_range(mm, start, end));
	}
	mmap_read_unlock(mm);
	EXPECT(wrong || at == nr);
	shim_mm_exit(mm);
}

TEST(random_walks)
{
	struct seeds r = seeds(1500);

	while (!test_failures() && next(&r)) {
		walk(r.seed);
		if (test_failures())
			test_say("SEED=%llu runs it alone", r.seed);
	}
}

static int begins(unsigned long start, unsigned long end, struct mm_walk *walk)
{
	(void)walk;
	called(PRE_VMA, start, end);
	return 0;
}

/* What installs entries may not be asked for by everybody, and a whole VMA is a range. */
TEST(whole_vma)
{
	struct vm_area_struct *vma;

	current->mm = shim_mm_new(NULL);
	EXPECT_EQ(tree_mmap(NULL, BASE, 8 * PAGE_SIZE, VM_READ | VM_MAYREAD, BASE >> PAGE_SHIFT),
		  0);
	ops = (struct mm_walk_ops){ .pre_vma = begins, .walk_lock = PGWALK_RDLOCK };
	vma = shim_vma_at(BASE);
	nr = 0;
	mmap_read_lock(current->mm);
	EXPECT_EQ(walk_page_vma(vma, &ops, NULL), 0);
	EXPECT(nr == 1 && log[0].start == BASE && log[0].end == BASE + 8 * PAGE_SIZE);
#ifdef TREE_HAS_check_ops_safe
	ops.install_pte = install;
	EXPECT_EQ(walk_page_vma(vma, &ops, NULL), -EINVAL);
	EXPECT_EQ(walk_page_range_vma(vma, vma->vm_start, vma->vm_end, &ops, NULL), -EINVAL);
	EXPECT_EQ(walk_page_range(current->mm, vma->vm_start, vma->vm_end, &ops, NULL), -EINVAL);
#endif
	EXPECT_EQ(nr, 1);
	/* Nor what is not the VMA's, or nothing. */
	ops = (struct mm_walk_ops){ .pre_vma = begins, .walk_lock = PGWALK_RDLOCK };
	EXPECT_EQ(walk_page_range_vma(vma, BASE - PAGE_SIZE, BASE + PAGE_SIZE, &ops, NULL), -EINVAL);
	EXPECT_EQ(walk_page_range_vma(vma, BASE, BASE + 9 * PAGE_SIZE, &ops, NULL), -EINVAL);
	EXPECT_EQ(walk_page_range_vma(vma, BASE, BASE, &ops, NULL), -EINVAL);
	EXPECT_EQ(nr, 1);
	mmap_read_unlock(current->mm);
	shim_mm_exit(current->mm);
}

#ifdef TREE_HAS_walk_page_range_mm_unsafe
static int put_marker(unsigned long start, unsigned long end, pte_t *pte, struct mm_walk *walk)
{
	(void)walk;
	called(PTE, start, end);
	*pte = make_pte_marker(PTE_MARKER_POISONED);
	return 0;
}
#endif

/* Entries are installed where there is no page table yet, whether or not others are looked at. */
TEST_IF(only_installs, "page walks that install entries")
{
#ifdef TREE_HAS_walk_page_range_mm_unsafe
	unsigned long start = BASE - 4 * PAGE_SIZE, end = BASE + 4 * PAGE_SIZE;

	current->mm = shim_mm_new(NULL);
	EXPECT_EQ(tree_mmap(NULL, start, end - start, VM_READ | VM_MAYREAD, start >> PAGE_SHIFT), 0);
	ops = (struct mm_walk_ops){ .install_pte = put_marker, .walk_lock = PGWALK_RDLOCK };
	nr = 0;
	mmap_read_lock(current->mm);
	EXPECT_EQ(walk_page_range_mm_unsafe(current->mm, start, end, &ops, NULL), 0);
	mmap_read_unlock(current->mm);
	EXPECT_EQ(nr, 8);
	for (unsigned long addr = start; addr < end; addr += PAGE_SIZE) {
		const pte_t *table = table_at(current->mm, addr);

		EXPECT(table && table[addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1)].pte);
	}
	shim_mm_exit(current->mm);
#else
	test_skip("no entries are installed by walks in this tree, or under another name");
#endif
}

#if defined(TREE_HAS_walk_page_range_debug) && defined(CONFIG_64BIT)
#define WALKS_WITHOUT_VMAS
static int stop_at;

static int pgd_entry(pgd_t *pgd, unsigned long start, unsigned long end, struct mm_walk *walk)
{
	(void)pgd;
	(void)walk;
	called(PUD, start, end);
	return nr == stop_at ? -EBUSY : 0;
}

static int any_pte(pte_t *pte, unsigned long start, unsigned long end, struct mm_walk *walk)
{
	(void)pte;
	(void)walk;
	called(PTE, start, end);
	return nr == stop_at ? -EBUSY : 0;
}

/* The @nth callback stops the walk of two PGD entries; 0: none does. */
static int walk_all(unsigned long start, unsigned long end, int nth)
{
	int ret;

	nr = 0;
	stop_at = nth;
	mmap_write_lock(current->mm);
	mmap_write_lock(&init_mm);
	ret = walk_page_range_debug(current->mm, start, end, &ops, NULL, NULL);
	mmap_write_unlock(&init_mm);
	mmap_write_unlock(current->mm);
	return ret;
}
#endif

/* Page tables as they are, without VMAs; and entry by entry of the PGD. */
TEST_IF(without_vmas, "walk_page_range_debug() and 64 bits")
{
#ifdef WALKS_WITHOUT_VMAS
	unsigned long start = PGDIR_SIZE - 4 * PAGE_SIZE, end = PGDIR_SIZE + 4 * PAGE_SIZE;
	u64 content = 1;

	current->mm = shim_mm_new(NULL);
	EXPECT_EQ(tree_mmap(NULL, start, end - start, VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE,
			    start >> PAGE_SHIFT), 0);
	EXPECT(shim_access(start, true, &content) == ACCESS_DONE);
	EXPECT(shim_access(PGDIR_SIZE, true, &content) == ACCESS_DONE);
	ops = (struct mm_walk_ops){
		.pgd_entry = pgd_entry, .pte_entry = any_pte, .walk_lock = PGWALK_RDLOCK,
	};
	EXPECT_EQ(walk_all(start, end, 0), 0);
	EXPECT_EQ(nr, 2 + 8);
	EXPECT(log[0].what == PUD && log[0].start == start && log[0].end == PGDIR_SIZE);
	EXPECT(log[5].what == PUD && log[5].start == PGDIR_SIZE && log[5].end == end);
	for (int nth = 1; nth <= 10; nth++) {
		EXPECT_EQ(walk_all(start, end, nth), -EBUSY);
		EXPECT_EQ(nr, nth);
	}
	EXPECT_EQ(walk_all(end, start, 0), -EINVAL);
	shim_mm_exit(current->mm);
#else
	test_skip("no such walk in this tree");
#endif
}
