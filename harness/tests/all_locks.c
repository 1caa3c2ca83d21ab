// SPDX-License-Identifier: GPL-2.0
/*
 * mm_take_all_locks(), of an MMU notifier that registers: all VMAs, and all that the rmap
 * comes by, each lock once, until they are dropped. Files and anon_vmas that several VMAs
 * have, and that another process has.
 */
#include "harness/tests/process.h"

/* How many of an mm's locks are held for writing, and how many there are. */
static int held(struct mm_struct *mm, bool vma_too, int *all)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int nr = 0;

	*all = 0;
	for_each_vma(vmi, vma) {
		struct anon_vma_chain *avc;

		if (vma_too) {
			nr += vma->vm_lock_seq == mm->mm_lock_seq;
			(*all)++;
		}
		if (vma->vm_file) {
			nr += vma->vm_file->f_mapping->i_mmap_rwsem.dep_map.writers == 1;
			(*all)++;
		}
		list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) {
			nr += avc->anon_vma->root->rwsem.dep_map.writers == 1;
			(*all)++;
		}
	}
	return nr;
}

TEST(taken_and_dropped)
{
	struct file *file = shim_file_new(false);
	struct mm_struct *parent, *child;
	u64 content = 1;
	int nr, all;

	shim_nr_objects = 0;
	parent = current->mm = shim_mm_new(NULL);
	for (int page = 0; page < 16; page += 4)
		EXPECT_EQ(tree_mmap(file, AT(page), 2 * PAGE_SIZE, RDWR, page), 0);
	for (int page = 16; page < 24; page += 4)
		EXPECT_EQ(tree_mmap(NULL, AT(page), 2 * PAGE_SIZE, RDWR,
				    AT(page) >> PAGE_SHIFT), 0);
	EXPECT_EQ(tree_mmap(NULL, AT(32), 2 * PAGE_SIZE, RDWR | VM_SHARED | VM_MAYSHARE, 0), 0);
	fput(file);
	for (int page = 4; page < 24; page += 4)
		EXPECT(shim_access(AT(page), true, &content) == ACCESS_DONE);
	child = shim_mm_new(parent);
	EXPECT_EQ(tree_dup_mmap(child, parent), 0);
	current->mm = child;
	for (int page = 4; page < 24; page += 4)
		EXPECT(shim_access(AT(page), true, &content) == ACCESS_DONE);

	mmap_write_lock(child);
	EXPECT_EQ(mm_take_all_locks(child), 0);
	nr = held(child, true, &all);
	EXPECT_EQ(nr, all);
	EXPECT_EQ(all, 7 + 5 + 2 * 5);
	mm_drop_all_locks(child);
	EXPECT_EQ(held(child, false, &all), 0);
	mmap_write_unlock(child);
	EXPECT_EQ(shim_locks_held, 0);

	/* Nothing of it is left: whoever comes next finds what was there. */
	mmap_write_lock(parent);
	EXPECT_EQ(mm_take_all_locks(parent), 0);
	EXPECT_EQ(held(parent, true, &nr), nr);
	mm_drop_all_locks(parent);
	EXPECT_EQ(held(parent, false, &all), 0);
	mmap_write_unlock(parent);
	shim_mm_exit(child);
	current->mm = parent;
	shim_mm_exit(parent);
	shim_rcu_end();
	EXPECT_EQ(shim_nr_objects, 0l);
}
