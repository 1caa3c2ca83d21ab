// SPDX-License-Identifier: GPL-2.0
/*
 * What MADV_PAGEOUT gives to reclaim: pages of the range that nobody else maps, and of
 * files of another user only the private copies, since who has the rest in memory is
 * none of the process's business.
 */
#include "harness/oracle/program.h"
#include "harness/tests/process.h"

static unsigned int given(int page, int nr)
{
	shim_reclaimed = 0;
	EXPECT_EQ(tree_madvise(AT(page), nr * PAGE_SIZE, MADV_PAGEOUT), 0);
	return shim_reclaimed;
}

static void touch(int page, int nr, bool write)
{
	for (int i = page; i < page + nr; i++) {
		u64 content = i;

		EXPECT(shim_access(AT(i), write, &content) == ACCESS_DONE);
	}
}

TEST(anonymous)
{
	struct mm_struct *parent, *child;

	process_begin();
	parent = current->mm;
	EXPECT_EQ(tree_mmap(NULL, AT(8), 8 * PAGE_SIZE, RDWR | VM_NORESERVE,
			    AT(8) >> PAGE_SHIFT), 0);
	touch(8, 6, true);
	EXPECT_EQ(given(9, 3), 3u);
	EXPECT_EQ(given(8, 8), 6u);
	child = shim_mm_new(parent);
	EXPECT_EQ(tree_dup_mmap(child, parent), 0);
	EXPECT_EQ(given(8, 8), 0u);
	touch(10, 1, true);
	EXPECT_EQ(given(8, 8), 1u);
	current->mm = child;
	shim_mm_exit(child);
	current->mm = parent;
	process_end();
}

TEST(pages_of_files)
{
	for (int another = 0; another < 2; another++)
		for (int shared = 0; shared < 2; shared++) {
			struct file *file = shim_file_new(false);

			process_begin();
			EXPECT_EQ(tree_mmap(file, AT(8), 8 * PAGE_SIZE, RDWR | VM_NORESERVE |
					    (shared ? VM_SHARED | VM_MAYSHARE : 0), 0), 0);
			touch(8, 4, false);
			touch(12, 3, true);
			shim_files_of_another = another;
			EXPECT_EQ(given(8, 8), !another ? 7u : shared ? 0u : 3u);
			EXPECT_EQ(given(11, 2), !another ? 2u : shared ? 0u : 1u);
			shim_files_of_another = false;
			fput(file);
			process_end();
		}
}

/*
 * Four pages of one folio, of which a part is split off, unless somebody has it locked, or
 * another process maps it.
 */
static struct folio *begin_large(void)
{
	process_begin();
	EXPECT_EQ(tree_mmap(NULL, AT(8), 8 * PAGE_SIZE, RDWR | VM_NORESERVE,
			    AT(8) >> PAGE_SHIFT), 0);
	shim_fault_order = 2;
	touch(8, 1, true);
	shim_fault_order = 0;
	EXPECT_EQ(shim_nr_folios, 1l);
	return page_folio(look(table_at(current->mm, AT(8)), 8).page);
}

TEST(part_of_a_folio)
{
	static const int advices[] = { MADV_PAGEOUT, MADV_COLD, MADV_FREE };

	for (unsigned int advice = 0; advice < ARRAY_SIZE(advices); advice++) {
		struct folio *folio = begin_large();
		struct mm_struct *parent = current->mm, *child;

		shim_reclaimed = 0;
		EXPECT_EQ(tree_madvise(AT(8), 8 * PAGE_SIZE, advices[advice]), 0);
		EXPECT_EQ(shim_nr_folios, 1l);
		EXPECT_EQ(shim_reclaimed, advice ? 0u : 4u);
		shim_reclaimed = 0;
		folio->locked = true;
		EXPECT_EQ(tree_madvise(AT(8), 2 * PAGE_SIZE, advices[advice]), 0);
		EXPECT_EQ(shim_nr_folios, 1l);
		EXPECT_EQ(shim_reclaimed, 0u);
		folio->locked = false;
		child = shim_mm_new(parent);
		EXPECT_EQ(tree_dup_mmap(child, parent), 0);
		EXPECT_EQ(tree_madvise(AT(8), 2 * PAGE_SIZE, advices[advice]), 0);
		EXPECT_EQ(tree_madvise(AT(8), 8 * PAGE_SIZE, advices[advice]), 0);
		EXPECT_EQ(shim_nr_folios, 1l);
		EXPECT_EQ(shim_reclaimed, 0u);
		current->mm = child;
		shim_mm_exit(child);
		current->mm = parent;
		EXPECT_EQ(tree_madvise(AT(8), 2 * PAGE_SIZE, advices[advice]), 0);
		EXPECT_EQ(shim_nr_folios, 4l);
		EXPECT_EQ(shim_reclaimed, advice ? 0u : 2u);
		process_end();
	}
}
