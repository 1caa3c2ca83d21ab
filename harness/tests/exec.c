// SPDX-License-Identifier: GPL-2.0
/*
 * The stack that execve() has filled, and moves down to where it is to be: by less than its
 * size, by more, by whole page tables. Then memory runs out, and exit() finds all of it.
 */
#include "harness/oracle/program.h"
#include "harness/tests/process.h"

#define PAGES	6
#define STACK	(PROGRAM_START + 8 * PMD_SIZE - 3 * PAGE_SIZE)

static const unsigned long shifts[] = {
	PAGE_SIZE, 4 * PAGE_SIZE, 9 * PAGE_SIZE, PMD_SIZE, 2 * PMD_SIZE + 5 * PAGE_SIZE,
};

static struct vm_area_struct *begin(void)
{
	process_begin();
	EXPECT_EQ(tree_mmap(NULL, STACK, PAGES * PAGE_SIZE, RDWR | VM_GROWSDOWN | VM_ACCOUNT,
			    STACK >> PAGE_SHIFT), 0);
	/* Not the first of them. */
	for (int i = 1; i < PAGES; i++) {
		u64 content = i;

		EXPECT(shim_access(STACK + i * PAGE_SIZE, true, &content) == ACCESS_DONE);
	}
	return shim_vma_at(STACK);
}

static void check_moved(const struct vm_area_struct *vma, unsigned long shift)
{
	const unsigned long start = STACK - shift;

	EXPECT_EQ(vma->vm_start, start);
	EXPECT_EQ(vma->vm_end, start + PAGES * PAGE_SIZE);
	EXPECT_EQ(current->mm->map_count, 1);
	EXPECT_EQ(current->mm->rss_stat[MM_ANONPAGES].count, PAGES - 1l);
	for (int i = 1; i < PAGES; i++) {
		unsigned long addr = start + i * PAGE_SIZE;
		const struct page *page;
		const pte_t *table;
		u64 content = 0;

		EXPECT(shim_access(addr, false, &content) == ACCESS_DONE);
		EXPECT_EQ(content, (u64)i);
		table = table_at(current->mm, addr);
		page = pfn_to_page(pte_pfn(table[addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1)]));
		EXPECT_EQ(page->index, shim_anon_index(vma, addr));
	}
}

TEST(stack_moves)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(shifts); i++) {
		struct vm_area_struct *vma = begin();
		long tables;

		EXPECT_EQ(tree_relocate(vma, shifts[i]), 0);
		check_moved(vma, shifts[i]);
		/* Where it was there is nothing, and no page table of its own. */
		tables = shim_nr_tables;
		EXPECT_EQ(tree_munmap(STACK - shifts[i] + PAGES * PAGE_SIZE, shifts[i]), 0);
		EXPECT_EQ(shim_nr_tables, tables);
		process_end();
	}
}

TEST(something_in_between)
{
	struct vm_area_struct *vma = begin();

	EXPECT_EQ(tree_mmap(NULL, STACK - 4 * PAGE_SIZE, PAGE_SIZE, RDWR,
			    (STACK >> PAGE_SHIFT) - 4), 0);
	EXPECT_EQ(tree_relocate(vma, 5 * PAGE_SIZE), -EFAULT);
	EXPECT_EQ(vma->vm_start, STACK);
	EXPECT_EQ(tree_relocate(vma, 3 * PAGE_SIZE), 0);
	EXPECT_EQ(vma->vm_start, STACK - 3 * PAGE_SIZE);
	process_end();
}

TEST(without_memory)
{
	int met = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(shifts); i++) {
		int failed = 0;
		bool more = true;

		for (long nth = 1; more; nth++) {
			struct vm_area_struct *vma = begin();
			int ret;

			alloc_fail_at(nth);
			ret = tree_relocate(vma, shifts[i]);
			more = alloc_count() >= nth;
			alloc_fail_at(0);
			if (ret)
				EXPECT_EQ(ret, -ENOMEM);
			else
				check_moved(vma, shifts[i]);
			failed += !!ret;
			/* What was never charged is not to be given back. */
			if (vma_pages(vma) != PAGES && test_known("exec-stack-charge")) {
				shim_committed += vma_pages(vma) - PAGES;
				met++;
			}
			process_end();
		}
		EXPECT(failed);
	}
	if (met)
		test_end_known("a stack that cannot be moved gives back what it was not charged, %d times",
			       met);
}
