// SPDX-License-Identifier: GPL-2.0
/*
 * What is merged into a VMA may have left sticky flags on it, and the VMA that
 * comes of it has them all: by each route that leads to a merge, in each
 * geometry, with each combination of flags on those that take part.
 *
 *	T a VMA that is already as the call makes it, o one that it changes
 *
 *	left		|TTTTTTTT|oooooooo|		 ========
 *	right		|oooooooo|TTTTTTTT|	 ========
 *	both		|TTTTTTTT|oooooooo|TTTTTTTT|	 ========
 *	left in part	|TTTTTTTT|oooooooo|		 ====
 *	right in part	|oooooooo|TTTTTTTT|	     ====
 */
#include "harness/ops/program.h"
#include "harness/oracle/program.h"
#include "harness/test.h"

#define PART	8
#define MAX	4		/* VMAs that take part */
#define AT(page)	(PROGRAM_START + (unsigned long)(page) * PAGE_SIZE)

enum memory { ANON, FAULTED, SHARED_FILE, NR_MEMORIES };
static const char * const kinds[] = { "anonymous", "faulted in", "shared file" };
static struct file *file;
static struct userfaultfd_ctx ctx;
static int found;

struct route {
	const char *name;
	void (*to)(int page, int nr);		/* make it a T */
	void (*from)(int page, int nr);		/* make it an o */
};

static void must(int ret)
{
	EXPECT_EQ(ret, 0);
}

#define PRIVATE	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

static void map(enum memory kind, int page, int nr, int pgoff)
{
	if (kind == SHARED_FILE)
		must(tree_mmap(file, AT(page), nr * PAGE_SIZE,
			       PRIVATE | VM_SHARED | VM_MAYSHARE, pgoff));
	else
		must(tree_mmap(NULL, AT(page), nr * PAGE_SIZE, PRIVATE, AT(page) >> PAGE_SHIFT));
}

static void touch(int page)
{
	u64 content = 1;

	must(shim_access(AT(page), true, &content) != ACCESS_DONE);
}

static void begin(void)
{
	current->mm = shim_mm_new(NULL);
	file = shim_file_new(true);
	tree_uffd_init(&ctx, current->mm, 0);
}

static void end(void)
{
	shim_mm_exit(current->mm);
	fput(file);
	shim_rcu_end();
	EXPECT_EQ(shim_nr_objects, 0l);
	EXPECT_EQ(shim_nr_folios, 0l);
}

/* Nothing is sticky yet but what @flags say, of VMAs that begin at @page. */
static void set_flags(const int *page, const vm_flags_t *flags, int nr)
{
	tree_clear_refs();
	mmap_write_lock(current->mm);
	for (int i = 0; i < nr; i++)
		vm_flags_set(find_vma(current->mm, AT(page[i])), flags[i]);
	mmap_write_unlock(current->mm);
}

/* All of @flags are on the VMA at a page, which is not cut in pieces. */
static void check(const char *route, const char *geometry, enum memory kind,
		  int first, int end_page, vm_flags_t flags)
{
	struct vm_area_struct *vma = shim_vma_at(AT(first));

	if (!vma || vma->vm_start != AT(first) || vma->vm_end != AT(end_page)) {
		test_fail(__FILE__, __LINE__, "%s, %s, %s: no VMA of pages %d to %d",
			  route, geometry, kinds[kind], first, end_page);
		return;
	}
	if ((vma->vm_flags & STICKY) == (flags & STICKY))
		return;
	found++;
	if (!(vma->vm_flags & STICKY & ~flags) && test_known("naming") &&
	    strstr(route, "naming"))
		return;
	test_fail(__FILE__, __LINE__, "%s, %s, %s: sticky flags %#llx, expected %#llx",
		  route, geometry, kinds[kind],
		  (unsigned long long)(vma->vm_flags & STICKY),
		  (unsigned long long)(flags & STICKY));
}

/* The next combination of flags on nr VMAs; false after the last. */
static bool combine(vm_flags_t *flags, int nr)
{
	for (int i = 0; i < nr; i++) {
		flags[i] = (flags[i] - STICKY) & STICKY;
		if (flags[i])
			return true;
	}
	return false;
}

static const struct geometry {
	const char *name;
	const char *vmas;		/* T or o, PART pages each */
	int at, nr;			/* what is changed */
	int cut;			/* where the two VMAs meet then, or 0 */
} geometries[] = {
	{ "left", "To", PART, PART, 0 },
	{ "right", "oT", 0, PART, 0 },
	{ "both", "ToT", PART, PART, 0 },
	{ "left in part", "To", PART, PART / 2, PART * 3 / 2 },
	{ "right in part", "oT", PART / 2, PART / 2, PART / 2 },
};

static void try(const struct route *route, const struct geometry *g, enum memory kind,
		const vm_flags_t *flags)
{
	static const int starts[MAX] = { 0, PART, 2 * PART, 3 * PART };
	int nr = strlen(g->vmas);
	vm_flags_t all = 0;

	begin();
	map(kind, 0, nr * PART, 0);
	if (kind == FAULTED)
		touch(1);
	for (int i = 0; i < nr; i++)
		(g->vmas[i] == 'T' ? route->to : route->from)(i * PART, PART);
	set_flags(starts, flags, nr);
	for (int i = 0; i < nr; i++)
		all |= flags[i];
	route->to(g->at, g->nr);
	if (!g->cut) {
		check(route->name, g->name, kind, 0, nr * PART, all);
	} else {
		bool left = g->vmas[0] == 'T';

		check(route->name, g->name, kind, 0, g->cut, left ? all : flags[0]);
		check(route->name, g->name, kind, g->cut, nr * PART,
		      left ? flags[1] : all);
	}
	end();
}

static void changes(const struct route *route)
{
	if (!STICKY)
		test_skip("no sticky flags");
	for (size_t n = 0; n < ARRAY_SIZE(geometries); n++)
		for (enum memory kind = 0; kind < NR_MEMORIES; kind++) {
			vm_flags_t flags[MAX] = { 0 };

			do
				try(route, &geometries[n], kind, flags);
			while (combine(flags, strlen(geometries[n].vmas)));
		}
}

static void writable(int page, int nr)
{
	must(tree_mprotect(AT(page), nr * PAGE_SIZE, PROT_READ | PROT_WRITE));
}

static void readable(int page, int nr)
{
	must(tree_mprotect(AT(page), nr * PAGE_SIZE, PROT_READ));
}

static void locked(int page, int nr)
{
	must(tree_mlock(AT(page), nr * PAGE_SIZE, true));
}

static void unlocked(int page, int nr)
{
	must(tree_mlock(AT(page), nr * PAGE_SIZE, false));
}

static void not_forked(int page, int nr)
{
	must(tree_madvise(AT(page), nr * PAGE_SIZE, MADV_DONTFORK));
}

static void forked(int page, int nr)
{
	must(tree_madvise(AT(page), nr * PAGE_SIZE, MADV_DOFORK));
}

static void named(int page, int nr)
{
	must(tree_name(AT(page), nr * PAGE_SIZE, "n"));
}

static void unnamed(int page, int nr)
{
	must(tree_name(AT(page), nr * PAGE_SIZE, NULL));
}

static void registered(int page, int nr)
{
	must(tree_uffd_register(&ctx, AT(page), nr * PAGE_SIZE,
				UFFDIO_REGISTER_MODE_MISSING));
}

static void unregistered(int page, int nr)
{
	must(tree_uffd_unregister(&ctx, AT(page), nr * PAGE_SIZE));
}

#define STICKY_FLAGS	"sticky flags"

TEST_IF(mprotect, STICKY_FLAGS)
{
	changes(&(struct route){ "mprotect to more", writable, readable });
	changes(&(struct route){ "mprotect to less", readable, writable });
}

TEST_IF(mlock, STICKY_FLAGS)
{
	changes(&(struct route){ "mlock", locked, unlocked });
	changes(&(struct route){ "munlock", unlocked, locked });
}

TEST_IF(madvise, STICKY_FLAGS)
{
	changes(&(struct route){ "madvise DONTFORK", not_forked, forked });
	changes(&(struct route){ "madvise DOFORK", forked, not_forked });
}

TEST_IF(naming, STICKY_FLAGS)
{
	found = 0;
	changes(&(struct route){ "naming", named, unnamed });
	changes(&(struct route){ "naming, the name taken away", unnamed, named });
	if (test_known("naming") && EXPECT(found))
		test_end_known("naming loses a sticky flag in %d merges of this table", found);
}

TEST_IF(userfaultfd, STICKY_FLAGS)
{
	changes(&(struct route){ "userfaultfd register", registered, unregistered });
	changes(&(struct route){ "userfaultfd unregister", unregistered, registered });
}

static void by_brk(enum memory kind)
{
	(void)kind;
	must(tree_brk(AT(PART), PART * PAGE_SIZE));
}

/*
 * A mapping that is new where it is, between two that are there:
 *
 *	|pppppppp|  here  |nnnnnnnn|	  |mmmmmmmm|	m: what is moved, if it is
 */
enum { FIRST = 1, LAST = 2 };

static void filled(const char *name, enum memory kind, int there, vm_flags_t new,
		   bool moved, void (*fill)(enum memory kind))
{
	vm_flags_t flags[3] = { 0 };

	do {
		vm_flags_t all = new;
		int starts[3], nr = 0;

		begin();
		/* What brk() makes has flags of its own. */
		if (there & FIRST && fill == by_brk)
			must(tree_brk(AT(0), PART * PAGE_SIZE));
		else if (there & FIRST)
			map(kind, 0, PART, 0);
		if (there & LAST)
			map(kind, 2 * PART, PART, 2 * PART);
		if (moved)
			map(kind, 5 * PART, PART, PART);
		if (there & FIRST)
			starts[nr++] = 0;
		if (there & LAST)
			starts[nr++] = 2 * PART;
		if (moved)
			starts[nr++] = 5 * PART;
		set_flags(starts, flags, nr);
		for (int i = 0; i < nr; i++)
			all |= flags[i];
		fill(kind);
		check(name, there == FIRST ? "left" : there == LAST ? "right" : "both",
		      kind, there & FIRST ? 0 : PART, (there & LAST ? 3 : 2) * PART, all);
		end();
	} while (combine(flags, !!(there & FIRST) + !!(there & LAST) + moved));
}

static void by_mmap(enum memory kind)
{
	map(kind, PART, PART, PART);
}

static void by_mremap(enum memory kind)
{
	(void)kind;
	must(tree_mremap(AT(5 * PART), PART * PAGE_SIZE, AT(PART)));
}

static void by_extending(enum memory kind)
{
	(void)kind;
	must(tree_extend(AT(0), PART * PAGE_SIZE));
}

/* What is new is soft-dirty. */
TEST_IF(mmap, STICKY_FLAGS)
{
	if (!STICKY)
		test_skip("no sticky flags");
	for (int there = FIRST; there <= (FIRST | LAST); there++) {
		filled("mmap", ANON, there, VM_SOFTDIRTY, false, by_mmap);
		filled("mmap", SHARED_FILE, there, VM_SOFTDIRTY, false, by_mmap);
	}
}

TEST_IF(brk, STICKY_FLAGS)
{
	if (!STICKY)
		test_skip("no sticky flags");
	filled("brk", ANON, FIRST, VM_SOFTDIRTY, false, by_brk);
}

TEST_IF(mremap, STICKY_FLAGS)
{
	if (!STICKY)
		test_skip("no sticky flags");
	for (int there = FIRST; there <= (FIRST | LAST); there++) {
		filled("mremap", ANON, there, 0, true, by_mremap);
		filled("mremap", SHARED_FILE, there, 0, true, by_mremap);
	}
}

TEST_IF(extending, STICKY_FLAGS)
{
	if (!STICKY)
		test_skip("no sticky flags");
	filled("extending", ANON, FIRST, 0, false, by_extending);
	filled("extending", ANON, FIRST | LAST, 0, false, by_extending);
	filled("extending", SHARED_FILE, FIRST | LAST, 0, false, by_extending);
}

/* How the memory at a page is found by the rmap: anon_vma, and offset. */
static void found_by_rmap(int page)
{
	struct vm_area_struct *vma = shim_vma_at(AT(page));
	const pte_t *table = table_at(current->mm, AT(page));
	const struct page *p;

	if (!EXPECT(table))
		return;
	p = pfn_to_page(table[AT(page) >> PAGE_SHIFT & (PTRS_PER_PTE - 1)].pte >> PFN_PTE_SHIFT);
	EXPECT(p->mapping == (char *)vma->anon_vma + PAGE_MAPPING_ANON);
	EXPECT_EQ(p->index, shim_anon_index(vma, AT(page)));
}

/* Neighbours that could be one VMA later have one anon_vma, whichever faults first. */
TEST(anon_vma_of_neighbours)
{
	for (int first = 0; first < 2; first++) {
		begin();
		map(ANON, 0, 2 * PART, 0);
		must(tree_mprotect(AT(PART), PART * PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC));
		touch(first ? PART : 0);
		touch(first ? 0 : PART);
		EXPECT(shim_vma_at(AT(0)) != shim_vma_at(AT(PART)));
		EXPECT(shim_vma_at(AT(0))->anon_vma == shim_vma_at(AT(PART))->anon_vma);
		must(tree_mprotect(AT(PART), PART * PAGE_SIZE, PROT_READ | PROT_WRITE));
		EXPECT(shim_vma_at(AT(0)) == shim_vma_at(AT(PART)));
		end();
		/* Not of one that is no mprotect() away from being the same. */
		begin();
		map(ANON, 0, 2 * PART, 0);
		must(tree_madvise(AT(PART), PART * PAGE_SIZE, MADV_DONTFORK));
		touch(first ? PART : 0);
		touch(first ? 0 : PART);
		EXPECT(shim_vma_at(AT(0))->anon_vma != shim_vma_at(AT(PART))->anon_vma);
		end();
		/* One of two neighbours is enough. */
		begin();
		map(ANON, 0, 3 * PART, 0);
		must(tree_madvise(AT(first ? 0 : 2 * PART), PART * PAGE_SIZE, MADV_DONTFORK));
		must(tree_mprotect(AT(PART), PART * PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC));
		touch(0);
		touch(2 * PART);
		touch(PART);
		EXPECT(shim_vma_at(AT(PART))->anon_vma ==
		       shim_vma_at(AT(first ? 2 * PART : 0))->anon_vma);
		end();
		/* One of them is enough, and that is the VMA's then. 6.12 asks that it is the first. */
#if !defined(TREE_HAS_vma_is_fork_child) && !defined(TREE_HAS_vma_had_uncowed_parents)
		if (first)
			continue;
#endif
		begin();
		map(ANON, 0, 2 * PART, 0);
		must(tree_mprotect(AT(PART), PART * PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC));
		touch(first ? PART : 0);
		must(tree_mprotect(AT(PART), PART * PAGE_SIZE, PROT_READ | PROT_WRITE));
		EXPECT(shim_vma_at(AT(0)) == shim_vma_at(AT(PART)) && shim_vma_at(AT(0))->anon_vma);
		end();
	}
}

/*
 * Private pages of a file that were moved keep the offset by which the rmap finds them: a
 * VMA that has them does not merge with what follows in the file but not by that offset,
 * whichever of the two comes to the other.
 */
TEST(moved_private_pages)
{
	for (int behind = 0; behind < 2; behind++)
		for (int first = 0; first < 2; first++) {
			int other = behind ? 0 : 2 * PART;

			begin();
			must(tree_mmap(file, AT(5 * PART), PART * PAGE_SIZE, PRIVATE, PART));
			touch(5 * PART + 1);
			if (first)
				must(tree_mremap(AT(5 * PART), PART * PAGE_SIZE, AT(PART)));
			must(tree_mmap(file, AT(other), PART * PAGE_SIZE, PRIVATE, other));
			if (!first)
				must(tree_mremap(AT(5 * PART), PART * PAGE_SIZE, AT(PART)));
			found_by_rmap(PART + 1);
			touch(other + 2);
			found_by_rmap(other + 2);
			end();
		}
}
