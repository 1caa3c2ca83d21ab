// SPDX-License-Identifier: GPL-2.0
/*
 * Breakpoints of uprobes, which are put into whatever maps that page of a file for its
 * code: a private copy of the page that is there from mmap() on, stays where its VMA is
 * split, and goes along where it is moved. None is put where pages are about to be moved
 * to: it would be overwritten, and nobody would ever free it.
 */
#include "harness/tests/process.h"

#define CODE	(VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

static struct file *file;

static void begin(unsigned long probed)
{
	process_begin();
	file = shim_file_new(false);
	file->f_mapping->probed = probed;
}

static void end(void)
{
	fput(file);
	process_end();
}

static void map(int page, int nr, unsigned long pgoff, vm_flags_t flags)
{
	EXPECT_EQ(tree_mmap(file, AT(page), nr * PAGE_SIZE, flags, pgoff), 0);
}

static long copies(void)
{
	return current->mm->rss_stat[MM_ANONPAGES].count;
}

TEST(where_code_is_mapped)
{
	begin(2);
	map(8, 4, 0, CODE);
	EXPECT_EQ(copies(), 1l);
	map(16, 2, 0, CODE);
	map(24, 4, 0, CODE & ~(vm_flags_t)(VM_EXEC | VM_MAYEXEC));
	map(32, 4, 0, CODE | VM_SHARED | VM_MAYSHARE);
	map(40, 4, 0, CODE | VM_WRITE);
	EXPECT_EQ(copies(), 1l);
	EXPECT_EQ(tree_mprotect(AT(9), PAGE_SIZE, PROT_READ), 0);
	EXPECT_EQ(copies(), 1l);
	/* What has not that page yet comes to have it, by merging or by growing. */
	map(18, 2, 2, CODE);
	EXPECT_EQ(copies(), 2l);
	map(48, 2, 0, CODE);
	EXPECT_EQ(tree_sys_mremap(AT(48), 2 * PAGE_SIZE, 4 * PAGE_SIZE, 0, 0), (long)AT(48));
	EXPECT_EQ(copies(), 3l);
	end();
}

TEST(move_that_merges)
{
	u64 content;
	long lost;

	begin(0);
	map(8, 4, 0, CODE);
	map(24, 4, 4, CODE);
	EXPECT(shim_access(AT(26), false, &content) == ACCESS_DONE);
	file->f_mapping->probed = 6;
	EXPECT_EQ(tree_mremap(AT(24), 4 * PAGE_SIZE, AT(12)), 0);
	EXPECT(shim_vma_at(AT(8)) == shim_vma_at(AT(12)));
	lost = copies();
	if (test_known("uprobe-overwritten")) {
		shim_nr_folios -= lost;
		current->mm->rss_stat[MM_ANONPAGES].count -= lost;
	} else {
		EXPECT_EQ(lost, 0l);
	}
	end();
	if (lost)
		test_end_known("mremap() that merges overwrites a breakpoint");
}
