// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_REMOVE lets go of the mm while the file system makes the hole, and MADV_DONTNEED
 * while a userfaultfd is told of it: another thread may unmap all of it then.
 */
#include "harness/tests/process.h"

static void unmap_it(void)
{
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

static struct userfaultfd_ctx ctx;

static void begin_told(void)
{
	process_begin();
	tree_uffd_init(&ctx, current->mm, UFFD_FEATURE_EVENT_REMOVE);
	EXPECT_EQ(tree_mmap(NULL, AT(8), 4 * PAGE_SIZE, RDWR, AT(8) >> PAGE_SHIFT), 0);
	EXPECT_EQ(tree_mmap(NULL, AT(12), 4 * PAGE_SIZE, RDWR | VM_DONTDUMP,
			    AT(12) >> PAGE_SHIFT), 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(8), 4 * PAGE_SIZE, UFFDIO_REGISTER_MODE_MISSING), 0);
	for (int i = 8; i < 16; i++) {
		u64 content = i;

		EXPECT(shim_access(AT(i), true, &content) == ACCESS_DONE);
	}
}

static long pages(void)
{
	return current->mm->rss_stat[MM_ANONPAGES].count;
}

static void unmap_the_end(void)
{
	EXPECT_EQ(tree_munmap(AT(10), 2 * PAGE_SIZE), 0);
}

static void replace_the_end(void)
{
	u64 content = 9;

	EXPECT_EQ(tree_mmap(NULL, AT(10), 2 * PAGE_SIZE, RDWR | VM_LOCKED,
			    AT(10) >> PAGE_SHIFT), 0);
	EXPECT(shim_access(AT(10), true, &content) == ACCESS_DONE);
	EXPECT(shim_access(AT(11), true, &content) == ACCESS_DONE);
}

static void lock_it(void)
{
	EXPECT_EQ(tree_mlock(AT(8), 4 * PAGE_SIZE, true), 0);
}

static void split_it(void)
{
	EXPECT_EQ(tree_madvise(AT(9), PAGE_SIZE, MADV_DONTFORK), 0);
}

TEST(what_is_told_first)
{
	static const struct {
		void (*meanwhile)(void);
		int ret, left;
		int known_ret, known_left;	/* where it leaves the rest of what is shorter */
	} all[] = {
		{ NULL, 0, 0, 0, 0 },
		{ unmap_it, -ENOMEM, 4, -ENOMEM, 4 },
		{ unmap_the_end, -ENOMEM, 0, 0, 0 },
		{ lock_it, -EINVAL, 8, -EINVAL, 8 },
		{ split_it, 0, 0, 0, 3 },
		{ replace_the_end, -EINVAL, 6, 0, 2 },
	};
	int met = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		int ret;

		begin_told();
		shim_meanwhile_told = all[i].meanwhile;
		ret = tree_madvise(AT(8), 8 * PAGE_SIZE, MADV_DONTNEED);
		EXPECT(!shim_meanwhile_told);
		if (test_known("dontneed-rest") && ret == all[i].known_ret &&
		    pages() == all[i].known_left) {
			met += ret != all[i].ret || pages() != all[i].left;
		} else {
			EXPECT_EQ(ret, all[i].ret);
			EXPECT_EQ(pages(), all[i].left);
		}
		process_end();
		EXPECT_EQ(refcount_read(&ctx.refcount), 1u);
	}
	if (met)
		test_end_known("MADV_DONTNEED leaves the rest of what was split meanwhile, %d times",
			       met);
}
