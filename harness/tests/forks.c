// SPDX-License-Identifier: GPL-2.0
/*
 * Rules of fork() that random programs do not check: whose an anon_vma is, what a
 * child that failed tells who finds it, what it does not inherit, what mremap()
 * leaves of a PTE.
 */
#include "harness/tests/process.h"

#define NR_MMS		4

static struct mm_struct *mms[NR_MMS];

static void map(int page, int nr, vm_flags_t flags)
{
	EXPECT_EQ(tree_mmap(NULL, AT(page), nr * PAGE_SIZE, flags, AT(page) >> PAGE_SHIFT), 0);
}

static void touch(int page)
{
	u64 content = page + 1;

	EXPECT(shim_access(AT(page), true, &content) == ACCESS_DONE);
}

static void begin(void)
{
	INIT_LIST_HEAD(&init_mm.mmlist);
	shim_nr_objects = shim_nr_folios = shim_committed = 0;
	memset(mms, 0, sizeof(mms));
	mms[0] = current->mm = shim_mm_new(NULL);
}

static void end(void)
{
	for (int i = 0; i < NR_MMS; i++) {
		if (!mms[i])
			continue;
		current->mm = mms[i];
		shim_mm_exit(mms[i]);
	}
	shim_rcu_end();
	EXPECT_EQ(shim_nr_objects, 0l);
	EXPECT_EQ(shim_nr_folios, 0l);
	EXPECT_EQ(shim_committed, 0l);
}

static void fork_to(int from, int to)
{
	current->mm = mms[from];
	mms[to] = shim_mm_new(mms[from]);
	EXPECT_EQ(tree_dup_mmap(mms[to], mms[from]), 0);
	shim_rcu_end();
	current->mm = mms[to];
}

/* An anon_vma is the one for new pages in VMAs of one process only. */
static void check_owners(void)
{
	for (int a = 0; a < NR_MMS; a++) {
		for (int b = 0; b < a; b++) {
			for (int i = 0; mms[a] && mms[b] && i < PROGRAM_PAGES; i++) {
				struct vm_area_struct *u, *v;

				current->mm = mms[a];
				u = shim_vma_at(AT(i));
				current->mm = mms[b];
				v = shim_vma_at(AT(i));
				if (u && v && u->anon_vma && u->anon_vma == v->anon_vma)
					test_fail(__FILE__, __LINE__,
						  "page %d: processes %d and %d have one anon_vma",
						  i, b, a);
			}
		}
	}
}

/* Parent, child and grandchild, each with pages of its own; the child goes first. */
TEST(whose_anon_vma)
{
	for (int gone = 0; gone < 3; gone++) {
		begin();
		map(8, 8, RDWR);
		touch(9);
		fork_to(0, 1);
		check_owners();
		touch(10);
		fork_to(1, 2);
		check_owners();
		touch(11);
		current->mm = mms[gone];
		shim_mm_exit(mms[gone]);
		mms[gone] = NULL;
		shim_rcu_end();
		fork_to(gone == 2 ? 1 : 2, 3);
		check_owners();
		end();
	}
}

/*
 * However many generations a process comes after, each of which ends when its child has
 * begun: an anon_vma that nobody has for new pages any more is taken again.
 */
TEST(many_generations)
{
	int chains = 0;

	begin();
	map(8, 8, RDWR);
	touch(9);
	for (int i = 0; i < 20; i++) {
		struct anon_vma_chain *avc;

		fork_to(0, 1);
		touch(10);
		shim_mm_exit(mms[0]);
		shim_rcu_end();
		current->mm = mms[0] = mms[1];
		mms[1] = NULL;
		chains = 0;
		list_for_each_entry(avc, &shim_vma_at(AT(10))->anon_vma_chain, same_vma)
			chains++;
	}
	EXPECT(chains <= 3);
	end();
}

/*
 * A VMA of a child has its parent's anon_vma as well. Moved away and back next to
 * what was mapped since, it does not merge with that: who walks the parent's anon_vma
 * would meet pages there that are none of its business.
 *
 *	|cccccccc|uuuuuuuu|	c of the parent, u unfaulted
 */
TEST(moved_next_to_unfaulted)
{
	begin();
	map(8, 8, RDWR);
	touch(9);
	fork_to(0, 1);
	EXPECT_EQ(tree_mremap(AT(8), 8 * PAGE_SIZE, AT(40)), 0);
	map(16, 8, RDWR);
	EXPECT_EQ(tree_mremap(AT(40), 8 * PAGE_SIZE, AT(8)), 0);
	EXPECT(shim_vma_at(AT(8)) != shim_vma_at(AT(16)));
	end();
}

/* Whoever finds the mm of a fork() that failed is told to keep away, unless it is whole. */
TEST(failed_fork_is_marked)
{
	long marked = 0;
	bool more = true;

	for (long nth = 1; more; nth++) {
		struct mm_struct *child;
		int ret;

		begin();
		map(8, 8, RDWR);
		map(20, 8, RDWR);
		touch(9);
		touch(21);
		child = shim_mm_new(mms[0]);
		child->flags = 0;
		alloc_fail_at(nth);
		ret = tree_dup_mmap(child, mms[0]);
		more = alloc_count() >= nth;
		alloc_fail_at(0);
		shim_rcu_end();
		if (ret && child->map_count) {
			EXPECT(mm_flags_test(MMF_UNSTABLE, child));
			EXPECT(mm_flags_test(MMF_OOM_SKIP, child) ||
			       (child->map_count == 2 && !mtree_empty(&child->mm_mt)));
			marked++;
		}
		shim_mm_exit(child);
		end();
	}
	EXPECT(marked > 2);
}

/* A child has nothing locked, whatever way its parent has. */
TEST_IF(child_locks_nothing, "VM_LOCKONFAULT")
{
#ifdef VM_LOCKONFAULT
	begin();
	map(8, 8, RDWR);
	EXPECT_EQ(tree_mlock(AT(8), 8 * PAGE_SIZE, true), 0);
	mmap_write_lock(current->mm);
	vma_start_write(find_vma(current->mm, AT(8)));
	vm_flags_set(find_vma(current->mm, AT(8)), VM_LOCKONFAULT);
	mmap_write_unlock(current->mm);
	fork_to(0, 1);
	EXPECT(!(shim_vma_at(AT(8))->vm_flags & (VM_LOCKED | VM_LOCKONFAULT)));
	EXPECT_EQ(mms[1]->locked_vm, 0ul);
	end();
#else
	test_skip("no locking on fault");
#endif
}

#ifdef CONFIG_MEM_SOFT_DIRTY
static pte_t *entry_of(unsigned long addr)
{
	static const int shift[] = { PGDIR_SHIFT, PUD_SHIFT, PMD_SHIFT };
	unsigned long *table = (unsigned long *)current->mm->pgd;

	for (int level = 0; level < 3 && table; level++)
		table = (unsigned long *)(table[addr >> shift[level] & 511] & PAGE_MASK);
	return table ? (pte_t *)table + (addr >> PAGE_SHIFT & 511) : NULL;
}
#endif

/* What mremap() moves is soft-dirty where it comes to lie, and flushed from the TLB. */
TEST_IF(moved_entries, "soft-dirty")
{
#ifdef CONFIG_MEM_SOFT_DIRTY
	int flushed;

	begin();
	map(8, 8, RDWR);
	touch(9);
	touch(10);
	EXPECT(shim_swap_out(AT(10)));
	entry_of(AT(9))->pte &= ~PTE_SOFT_DIRTY;
	entry_of(AT(10))->pte &= ~PTE_SWP_SOFT_DIRTY;
	flushed = shim_range_flushes;
	EXPECT_EQ(tree_mremap(AT(8), 8 * PAGE_SIZE, AT(40)), 0);
	EXPECT(entry_of(AT(41))->pte & PTE_SOFT_DIRTY);
	EXPECT(entry_of(AT(42))->pte & PTE_SWP_SOFT_DIRTY);
	EXPECT(shim_range_flushes > flushed);
	end();
#else
	test_skip("no soft-dirty bits");
#endif
}
