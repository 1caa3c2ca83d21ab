// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_REMOVE lets go of the mm while the file system makes the hole: another thread may
 * unmap all of it then, and the file may be nobody else's.
 */
#include "harness/tests/process.h"

static void unmap_it(void)
{
	shim_meanwhile_punched = NULL;
	EXPECT_EQ(tree_munmap(AT(8), 4 * PAGE_SIZE), 0);
}

TEST(what_is_unmapped_meanwhile)
{
	struct file *file[2];
	u64 content = 7;

	process_begin();
	shim_nr_files = 0;
	for (int i = 0; i < 2; i++) {
		file[i] = shim_file_new(true);
		EXPECT_EQ(tree_mmap(file[i], AT(8 + 8 * i), 4 * PAGE_SIZE,
				    RDWR | VM_SHARED | VM_MAYSHARE, 2), 0);
		EXPECT(shim_access(AT(9 + 8 * i), true, &content) == ACCESS_DONE);
	}
	fput(file[0]);
	shim_meanwhile_punched = unmap_it;
	/* There is a hole between them, and the other is done all the same. */
	EXPECT_EQ(tree_madvise(AT(8), 12 * PAGE_SIZE, MADV_REMOVE), -ENOMEM);
	EXPECT_EQ(shim_nr_files, 1l);
	EXPECT(!file[1]->f_mapping->folio[3]);
	EXPECT(shim_access(AT(17), false, &content) == ACCESS_DONE);
	EXPECT_EQ(content, 0ull);
	EXPECT(!rwsem_is_locked(&current->mm->mmap_lock));
	fput(file[1]);
	process_end();
	EXPECT_EQ(shim_nr_files, 0l);
}
