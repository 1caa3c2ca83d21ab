// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments that a call refuses, with what the manual pages say it returns: nothing has
 * changed then, and no lock is kept.
 *
 *	|wwww|    |ww|ll|ssss|ffff|dddd|rrrr|gggg|	from page 8
 *	8    12   16 18 20   24   28   32   36   40
 *
 * w private and writable, l the same and locked, s shared anonymous, f a file, d of a
 * driver (VM_PFNMAP, not to be expanded), r what may never be written, g grows down.
 */
#include "harness/oracle/vmas.h"
#include "harness/tests/process.h"

#define RDWR_X		(RDWR | VM_MAYEXEC)
#define P		PAGE_SIZE
#define HUGE		(~0UL - PAGE_SIZE + 1)	/* wraps; one more is rounded up to 0 */

static struct userfaultfd_ctx ctx, other;

static void map(struct file *file, int page, int nr, vm_flags_t flags)
{
	EXPECT_EQ(tree_mmap(file, AT(page), nr * P, flags, file ? 0 : AT(page) >> PAGE_SHIFT), 0);
}

static void begin(void)
{
	struct file *file = shim_file_new(false);

	shim_memlock = ULONG_MAX;
	process_begin();
	tree_uffd_init(&ctx, current->mm, 0);
	tree_uffd_init(&other, current->mm, 0);
	map(NULL, 8, 4, RDWR_X);
	map(NULL, 16, 2, RDWR_X);
	map(NULL, 18, 2, RDWR_X | VM_LOCKED);
	map(NULL, 20, 4, RDWR_X | VM_SHARED | VM_MAYSHARE);
	map(file, 24, 4, RDWR_X);
	map(file, 28, 4, RDWR_X | VM_PFNMAP | VM_DONTEXPAND | VM_IO);
	map(NULL, 32, 4, VM_READ | VM_MAYREAD);
	map(NULL, 36, 4, RDWR_X | VM_GROWSDOWN);
	fput(file);
}

static void end(void)
{
	shim_memlock = ULONG_MAX;
	current->personality = 0;
	process_end();
}

/* What the call returns, 0 or an error, and that it has changed nothing. */
#define UNCHANGED(errno, ...) do {						\
	struct vmas __before;							\
	unsigned long __total, __locked;					\
	long __ret, __committed;						\
										\
	vmas_look(&__before, current->mm);					\
	__total = current->mm->total_vm;					\
	__locked = current->mm->locked_vm;					\
	__committed = shim_committed;						\
	__ret = (__VA_ARGS__);							\
	if (__ret != -(errno))							\
		test_fail(__FILE__, __LINE__, "%s: %ld, expected %d", #__VA_ARGS__, __ret, \
			  -(errno));						\
	if (!vmas_same(&__before, current->mm) || current->mm->total_vm != __total ||	\
	    current->mm->locked_vm != __locked || shim_committed != __committed)	\
		test_fail(__FILE__, __LINE__, "%s has changed something", #__VA_ARGS__); \
	if (rwsem_is_locked(&current->mm->mmap_lock))				\
		test_fail(__FILE__, __LINE__, "%s keeps the mm's lock", #__VA_ARGS__); \
} while (0)

#define FIXED	(MREMAP_MAYMOVE | MREMAP_FIXED)
#define LEFT	(MREMAP_MAYMOVE | MREMAP_DONTUNMAP)

TEST(mremap)
{
	begin();
	shim_unmapped_area = AT(48);
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8) + 1, P, 2 * P, MREMAP_MAYMOVE, 0));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), P, 0, 0, 0));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), P, 2 * P, 8, 0));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), P, P, MREMAP_FIXED, AT(48)));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), P, P, MREMAP_DONTUNMAP, AT(48)));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), P, P, FIXED, AT(48) + 8));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), P, P, FIXED, TASK_SIZE));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), 2 * P, 2 * P, FIXED, TASK_SIZE - P));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), P, TASK_SIZE + P, FIXED, AT(48)));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), 2 * P, P, LEFT, AT(48)));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), P, 2 * P, LEFT, AT(48)));
	/* Onto itself, from both sides. */
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), 2 * P, 2 * P, FIXED, AT(8)));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), 2 * P, 2 * P, FIXED, AT(9)));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(9), 2 * P, 2 * P, FIXED, AT(8)));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(10), P, 3 * P, FIXED, AT(8)));
	/* A copy of what is private is not made. */
	UNCHANGED(EINVAL, tree_sys_mremap(AT(8), 0, P, MREMAP_MAYMOVE, 0));
	UNCHANGED(EFAULT, tree_sys_mremap(AT(12), P, P, 0, 0));
	UNCHANGED(EFAULT, tree_sys_mremap(AT(12), P, 2 * P, MREMAP_MAYMOVE, 0));
	UNCHANGED(EFAULT, tree_sys_mremap(AT(12), P, P, LEFT, AT(48)));
	/* Beyond the VMA. */
	UNCHANGED(EFAULT, tree_sys_mremap(AT(10), 4 * P, 5 * P, MREMAP_MAYMOVE, 0));
	UNCHANGED(EFAULT, tree_sys_mremap(AT(16), 4 * P, 5 * P, MREMAP_MAYMOVE, 0));
	UNCHANGED(EFAULT, tree_sys_mremap(AT(16), 4 * P, 5 * P, FIXED, AT(48)));
	UNCHANGED(EFAULT, tree_sys_mremap(AT(28), 4 * P, 5 * P, MREMAP_MAYMOVE, 0));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(28), 4 * P, 4 * P, LEFT, AT(48)));
	/* There is no room behind. */
	UNCHANGED(ENOMEM, tree_sys_mremap(AT(16), 2 * P, 3 * P, 0, 0));
	UNCHANGED(ENOMEM, tree_sys_mremap(AT(8), 2 * P, 3 * P, 0, 0));
	UNCHANGED(ENOMEM, tree_sys_mremap(AT(8), 4 * P, 9 * P, 0, 0));
	shim_unmapped_area = -ENOMEM;
	UNCHANGED(ENOMEM, tree_sys_mremap(AT(16), 2 * P, 3 * P, MREMAP_MAYMOVE, 0));
	/* What is there already is where it is. */
	EXPECT_EQ(tree_sys_mremap(AT(8), 2 * P, 2 * P, MREMAP_MAYMOVE, 0), (long)AT(8));
	EXPECT_EQ(tree_sys_mremap(AT(8), 2 * P, 2 * P, 0, 0), (long)AT(8));
	end();
}

/* Lengths are rounded up; an address without MREMAP_FIXED is a wish. */
TEST(mremap_rounds)
{
	begin();
	EXPECT_EQ(tree_sys_mremap(AT(8), 2 * P - 8, 2 * P - 16, FIXED, AT(48)), (long)AT(48));
	EXPECT(!shim_vma_at(AT(8)) && !shim_vma_at(AT(9)) && shim_vma_at(AT(10)));
	EXPECT(shim_vma_at(AT(48)) && shim_vma_at(AT(49)) && !shim_vma_at(AT(50)));
	EXPECT_EQ(tree_sys_mremap(AT(10), 2 * P, P + 1, 0, 0), (long)AT(10));
	EXPECT(shim_vma_at(AT(11)));
	EXPECT_EQ(tree_sys_mremap(AT(10), P + 1, P - 1, 0, 0), (long)AT(10));
	EXPECT(!shim_vma_at(AT(11)));
	shim_unmapped_area = AT(56);
	EXPECT_EQ(tree_sys_mremap(AT(48), 2 * P, 2 * P, LEFT, AT(24)), (long)AT(56));
	EXPECT(shim_vma_at(AT(48)) && shim_vma_at(AT(56)) && shim_vma_at(AT(24))->vm_file);
	/* Of what may be copied, there is another. */
	shim_unmapped_area = AT(60);
	EXPECT_EQ(tree_sys_mremap(AT(20), 0, 4 * P, MREMAP_MAYMOVE, 0), (long)AT(60));
	EXPECT(shim_vma_at(AT(20)) && shim_vma_at(AT(60)));
	EXPECT(shim_vma_at(AT(20))->vm_file == shim_vma_at(AT(60))->vm_file);
	end();
}

TEST(madvise)
{
	begin();
	UNCHANGED(EINVAL, tree_madvise(AT(8), P, 7777));
	UNCHANGED(EINVAL, tree_madvise(AT(8) + 1, P, MADV_DONTNEED));
	UNCHANGED(EINVAL, tree_madvise(AT(8), HUGE + 1, MADV_DONTNEED));
	UNCHANGED(EINVAL, tree_madvise(AT(8), HUGE, MADV_DONTNEED));
	UNCHANGED(0, tree_madvise(AT(8), 0, MADV_DONTFORK));
	UNCHANGED(0, tree_madvise(AT(12), 0, MADV_DONTFORK));
	UNCHANGED(ENOMEM, tree_madvise(AT(12), P, MADV_DONTFORK));
	UNCHANGED(ENOMEM, tree_madvise(AT(48), P, MADV_NORMAL));
	/* What is of no private memory, or of a driver's. */
	UNCHANGED(EINVAL, tree_madvise(AT(20), P, MADV_WIPEONFORK));
	UNCHANGED(EINVAL, tree_madvise(AT(24), P, MADV_WIPEONFORK));
	UNCHANGED(EINVAL, tree_madvise(AT(28), P, MADV_WIPEONFORK));
	UNCHANGED(EINVAL, tree_madvise(AT(20), P, MADV_FREE));
	UNCHANGED(EINVAL, tree_madvise(AT(24), P, MADV_FREE));
	UNCHANGED(EINVAL, tree_madvise(AT(28), P, MADV_DOFORK));
	UNCHANGED(EINVAL, tree_madvise(AT(28), P, MADV_DODUMP));
	UNCHANGED(EINVAL, tree_madvise(AT(28), P, MADV_DONTNEED));
	UNCHANGED(EINVAL, tree_madvise(AT(28), P, MADV_DONTNEED_LOCKED));
	UNCHANGED(EINVAL, tree_madvise(AT(28), P, MADV_COLD));
	UNCHANGED(EINVAL, tree_madvise(AT(28), P, MADV_PAGEOUT));
	/* What is locked. */
	UNCHANGED(EINVAL, tree_madvise(AT(18), P, MADV_DONTNEED));
	UNCHANGED(EINVAL, tree_madvise(AT(18), P, MADV_FREE));
	UNCHANGED(EINVAL, tree_madvise(AT(18), P, MADV_COLD));
	UNCHANGED(EINVAL, tree_madvise(AT(18), P, MADV_PAGEOUT));
	UNCHANGED(0, tree_madvise(AT(18), P, MADV_DONTNEED_LOCKED));
	if (MADV_GUARD_INSTALL) {
		UNCHANGED(0, tree_madvise(AT(8), P, MADV_GUARD_INSTALL));
		UNCHANGED(EINVAL, tree_madvise(AT(18), P, MADV_GUARD_INSTALL));
		UNCHANGED(0, tree_madvise(AT(18), P, MADV_GUARD_REMOVE));
		UNCHANGED(EINVAL, tree_madvise(AT(28), P, MADV_GUARD_INSTALL));
		UNCHANGED(EINVAL, tree_madvise(AT(28), P, MADV_GUARD_REMOVE));
		UNCHANGED(ENOMEM, tree_madvise(AT(12), P, MADV_GUARD_INSTALL));
		UNCHANGED(ENOMEM, tree_madvise(AT(12), P, MADV_GUARD_REMOVE));
	}
	end();
}

TEST_IF(names, "names")
{
	begin();
	if (tree_name(AT(8), P, "one") == -EINVAL) {
		end();
		test_skip("this tree has no names");
	}
	UNCHANGED(EINVAL, tree_name(AT(8) + 1, P, "two"));
	UNCHANGED(EINVAL, tree_name(AT(8), HUGE + 1, "two"));
	UNCHANGED(EINVAL, tree_name(AT(8), HUGE, "two"));
	UNCHANGED(0, tree_name(AT(8), 0, "two"));
	UNCHANGED(ENOMEM, tree_name(AT(12), P, "two"));
	UNCHANGED(EBADF, tree_name(AT(24), P, "two"));
	EXPECT_EQ(tree_name(AT(20), P, "two"), 0);
#ifdef TREE_HAS_set_anon_vma_name
	/* 79 bytes that can be printed, and none that a shell or a log takes amiss. */
	char name[81] = { 0 };
	static const char bad[] = "\\`$[]\x1f\x7f";

	memset(name, 'x', 80);
	UNCHANGED(EINVAL, tree_name(AT(8), P, name));
	name[79] = '\0';
	EXPECT_EQ(tree_name(AT(8), P, name), 0);
	for (const char *c = bad; *c; c++) {
		name[40] = *c;
		UNCHANGED(EINVAL, tree_name(AT(8), P, name));
	}
#endif
	/* Over a hole: both sides have it then. */
	EXPECT_EQ(tree_name(AT(8), 9 * P, "two"), -ENOMEM);
	EXPECT(shim_vma_at(AT(16))->anon_name && shim_vma_at(AT(8))->anon_name);
	end();
}

TEST(mprotect)
{
	begin();
	UNCHANGED(EINVAL, tree_mprotect(AT(8) + 1, P, PROT_READ));
	UNCHANGED(0, tree_mprotect(AT(12), 0, PROT_READ));
	UNCHANGED(ENOMEM, tree_mprotect(AT(8), HUGE, PROT_READ));
	UNCHANGED(ENOMEM, tree_mprotect(AT(12), P, PROT_READ));
	UNCHANGED(ENOMEM, tree_mprotect(AT(48), P, PROT_READ));
	UNCHANGED(EACCES, tree_mprotect(AT(32), P, PROT_READ | PROT_WRITE));
	UNCHANGED(EACCES, tree_mprotect(AT(32), P, PROT_EXEC));
	UNCHANGED(EINVAL, tree_mprotect(AT(36), P, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP));
	UNCHANGED(EINVAL, tree_mprotect(AT(9), P, PROT_READ | PROT_GROWSDOWN));
	UNCHANGED(EINVAL, tree_mprotect(AT(9), P, PROT_READ | PROT_GROWSUP));
	UNCHANGED(ENOMEM, tree_mprotect(AT(12), P, PROT_READ | PROT_GROWSDOWN));
	/* From where it begins. */
	EXPECT_EQ(tree_mprotect(AT(38), P, PROT_READ | PROT_GROWSDOWN), 0);
	EXPECT(!has(36, VM_WRITE));
	EXPECT(!has(38, VM_WRITE));
	EXPECT(has(39, VM_WRITE));
	/* Rounded up. */
	EXPECT_EQ(tree_mprotect(AT(8), P + 1, PROT_READ), 0);
	EXPECT(!has(9, VM_WRITE));
	EXPECT(has(10, VM_WRITE));
	/* Whoever reads may execute, where a program asks for that, and a mapping may. */
	current->personality = READ_IMPLIES_EXEC;
	EXPECT_EQ(tree_mprotect(AT(8), P, PROT_READ), 0);
	EXPECT(has(8, VM_EXEC));
	EXPECT_EQ(tree_mprotect(AT(9), P, PROT_WRITE), 0);
	EXPECT(!has(9, VM_EXEC));
	EXPECT_EQ(tree_mprotect(AT(28), 8 * P, PROT_READ), 0);
	EXPECT(has(28, VM_EXEC));
	EXPECT(!has(32, VM_EXEC));
	end();
}

TEST(mlock)
{
	begin();
	UNCHANGED(EINVAL, tree_sys_mlock2(AT(8), P, 2));
	UNCHANGED(ENOMEM, tree_sys_mlock2(AT(12), P, 0));
	UNCHANGED(EINVAL, tree_sys_mlock2(AT(8), HUGE, 0));
	UNCHANGED(0, tree_sys_mlock2(AT(8), 0, 0));
	UNCHANGED(0, tree_sys_mlock2(AT(12), 0, 0));
	UNCHANGED(EINVAL, tree_sys_mlockall(0));
	UNCHANGED(EINVAL, tree_sys_mlockall(8));
	UNCHANGED(EINVAL, tree_sys_mlockall(MCL_ONFAULT));
	/* What is mapped later is not populated now, and what fails populates nothing. */
	shim_populate_len = 0;
	EXPECT_EQ(tree_sys_mlockall(MCL_FUTURE), 0);
	EXPECT_EQ(shim_populate_len, 0ul);
	EXPECT_EQ(tree_sys_munlockall(), 0);
	EXPECT_EQ(tree_sys_mlock2(AT(18), 2 * P, 0), 0);
	shim_memlock = 3 * P;
	shim_populate_len = 0;
	UNCHANGED(ENOMEM, tree_sys_mlock2(AT(8), 2 * P, 0));
	UNCHANGED(ENOMEM, tree_sys_mlockall(MCL_CURRENT));
	EXPECT_EQ(shim_populate_len, 0ul);
	shim_memlock = ULONG_MAX;
	EXPECT_EQ(tree_sys_mlockall(MCL_CURRENT), 0);
	EXPECT_EQ(shim_populate_len, TASK_SIZE);
	EXPECT_EQ(tree_sys_munlockall(), 0);
	EXPECT_EQ(tree_sys_mlock2(AT(18), 2 * P, 0), 0);
	shim_memlock = 3 * P;
	/* What is locked already is not counted again, whatever else the range has. */
	EXPECT_EQ(tree_sys_mlock2(AT(17), 3 * P, 0), 0);
	UNCHANGED(0, tree_sys_mlock2(AT(17), 3 * P, 0));
	UNCHANGED(ENOMEM, tree_sys_mlock2(AT(16), 4 * P, 0));
	UNCHANGED(ENOMEM, tree_sys_mlock2(AT(16), 2 * P, 0));
	EXPECT_EQ(tree_munmap(AT(17), P), 0);
	EXPECT_EQ(tree_sys_mlock2(AT(20), P, 0), 0);
	UNCHANGED(ENOMEM, tree_sys_mlock2(AT(10), 2 * P, 0));
	shim_memlock = 0;
	UNCHANGED(EPERM, tree_sys_mlock2(AT(8), P, 0));
	UNCHANGED(EPERM, tree_sys_mlockall(MCL_FUTURE));
	shim_memlock = ULONG_MAX;
	/* The pages that the range touches. */
	EXPECT_EQ(tree_sys_mlock2(AT(9) + P / 2, P, 0), 0);
	EXPECT(!has(8, VM_LOCKED));
	EXPECT(has(9, VM_LOCKED));
	EXPECT(has(10, VM_LOCKED));
	EXPECT(!has(11, VM_LOCKED));
	end();
}

/* What a driver does not let be split is not; one that refuses a mapping keeps nothing. */
static int never_split(struct vm_area_struct *vma, unsigned long addr)
{
	(void)vma;
	(void)addr;
	return -EINVAL;
}

static unsigned long refused_at;

static int not_split_there(struct vm_area_struct *vma, unsigned long addr)
{
	(void)vma;
	return addr == refused_at ? -EINVAL : 0;
}

static int never_map(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	(void)vma;
	return -ENODEV;
}

#ifdef TREE_HAS_vm_area_desc
static int never_prepare(struct vm_area_desc *desc)
{
	(void)desc;
	return -ENODEV;
}

static struct file *instead;

static int prepare_other(struct vm_area_desc *desc)
{
	desc->vm_file = get_file(instead);
	return 0;
}
#endif

TEST(driver)
{
	static const struct vm_operations_struct ops = { .may_split = never_split };
	static const struct vm_operations_struct picky = { .may_split = not_split_there };
	static const struct file_operations refuses = { .mmap = never_map };
#ifdef TREE_HAS_vm_area_desc
	static const struct file_operations refuses_early = { .mmap_prepare = never_prepare };
#endif
	struct file *file = shim_file_new(false);

	begin();
	shim_vma_at(AT(28))->vm_ops = &ops;
	UNCHANGED(EINVAL, tree_munmap(AT(29), P));
	UNCHANGED(EINVAL, tree_munmap(AT(28), P));
	UNCHANGED(EINVAL, tree_munmap(AT(20), 9 * P));
	UNCHANGED(EINVAL, tree_mprotect(AT(29), P, PROT_READ));
	UNCHANGED(EINVAL, tree_madvise(AT(29), P, MADV_DONTFORK));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(28), 2 * P, 2 * P, FIXED, AT(48)));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(30), 2 * P, 2 * P, FIXED, AT(48)));
	/* Either end is asked about, and where the VMA ends nothing is split. */
	shim_vma_at(AT(28))->vm_ops = &picky;
	refused_at = AT(29);
	UNCHANGED(EINVAL, tree_sys_mremap(AT(29), P, P, FIXED, AT(48)));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(29), 3 * P, 3 * P, FIXED, AT(48)));
	refused_at = AT(30);
	UNCHANGED(EINVAL, tree_sys_mremap(AT(29), P, P, FIXED, AT(48)));
	refused_at = AT(32);
	EXPECT_EQ(tree_sys_mremap(AT(29), 3 * P, 3 * P, FIXED, AT(48)), (long)AT(48));
	EXPECT_EQ(tree_munmap(AT(28), P), 0);
	EXPECT_EQ(tree_munmap(AT(48), 3 * P), 0);
	file->f_op = &refuses;
	UNCHANGED(ENODEV, tree_mmap(file, AT(48), P, RDWR_X, 0));
	UNCHANGED(ENODEV, tree_mmap(file, AT(48), P, RDWR_X | VM_SHARED | VM_MAYSHARE, 0));
#ifdef TREE_HAS_vm_area_desc
	file->f_op = &refuses_early;
	UNCHANGED(ENODEV, tree_mmap(file, AT(48), P, RDWR_X | VM_ACCOUNT, 0));
	UNCHANGED(ENODEV, tree_mmap(file, AT(48), P, RDWR_X | VM_SHARED | VM_MAYSHARE, 0));
#endif
	EXPECT_EQ(file->f_count, 1);
	EXPECT_EQ(file->f_mapping->i_mmap_writable, 0);
	/* What it has mapped is not joined. */
	file->f_op = shim_vma_at(AT(24))->vm_file->f_op;
	EXPECT_EQ(tree_mmap(file, AT(48), P, RDWR_X | VM_PFNMAP | VM_DONTEXPAND | VM_IO, 0), 0);
	EXPECT_EQ(tree_mmap(file, AT(49), P, RDWR_X | VM_PFNMAP | VM_DONTEXPAND | VM_IO, 1), 0);
	EXPECT(shim_vma_at(AT(48)) != shim_vma_at(AT(49)));
	fput(file);
	end();
}

/* A memfd that is sealed against writing is read, or copied, and what was there stays. */
TEST(sealed_file)
{
	struct file *file = shim_file_new(true);

	begin();
	file->f_mapping->i_mmap_writable = -1;
	UNCHANGED(EPERM, tree_mmap(file, AT(48), 2 * P, RDWR_X | VM_SHARED | VM_MAYSHARE, 0));
	UNCHANGED(EPERM, tree_mmap(file, AT(8), 2 * P, RDWR_X | VM_SHARED | VM_MAYSHARE, 0));
	EXPECT_EQ(tree_mmap(file, AT(48), 2 * P, RDWR_X, 0), 0);
	EXPECT_EQ(tree_mmap(file, AT(52), 2 * P, VM_READ | VM_MAYREAD | VM_SHARED | VM_MAYSHARE,
			    0), 0);
	EXPECT_EQ(tree_munmap(AT(48), 8 * P), 0);
	EXPECT_EQ(file->f_mapping->i_mmap_writable, -1);
	file->f_mapping->i_mmap_writable = 0;
	fput(file);
	end();
}

/* What a driver maps stays in memory as it is, and is not counted as locked. */
TEST(locked_by_driver)
{
	struct file *file = shim_file_new(false);

	begin();
	EXPECT_EQ(current->mm->locked_vm, 2ul);
	EXPECT_EQ(tree_mmap(file, AT(48), 2 * P, RDWR_X | VM_LOCKED | VM_PFNMAP | VM_DONTEXPAND |
			    VM_IO, 0), 0);
	EXPECT(!has(48, VM_LOCKED));
	EXPECT_EQ(current->mm->locked_vm, 2ul);
	EXPECT_EQ(tree_mmap(file, AT(52), 2 * P, RDWR_X | VM_LOCKED, 0), 0);
	EXPECT(has(52, VM_LOCKED));
	EXPECT_EQ(current->mm->locked_vm, 4ul);
	fput(file);
	end();
}

/* A driver that maps another file than it was asked for, as some do. */
TEST_IF(other_file, "->mmap_prepare()")
{
#ifdef TREE_HAS_vm_area_desc
	static const struct file_operations replaces = { .mmap_prepare = prepare_other };
	bool more = true;

	for (long nth = 0; more; nth++) {
		struct file *file = shim_file_new(false);
		int ret;

		begin();
		file->f_op = &replaces;
		instead = shim_file_new(false);
		alloc_fail_at(nth);
		ret = tree_mmap(file, AT(48), 2 * P, RDWR_X, 0);
		more = !nth || alloc_count() >= nth;
		alloc_fail_at(0);
		EXPECT_EQ(ret, nth && more ? -ENOMEM : 0);
		EXPECT_EQ(file->f_count, 1);
		EXPECT_EQ(instead->f_count, ret ? 1 : 2);
		if (!ret)
			EXPECT(shim_vma_at(AT(48))->vm_file == instead);
		fput(instead);
		fput(file);
		end();
	}
#else
	test_skip("this tree asks no driver before it maps");
#endif
}

/* A driver that does not let its mapping be moved is asked when all of it has moved. */
static unsigned long moved_to;

static int never_moved(struct vm_area_struct *vma)
{
	moved_to = vma->vm_start;
	return -EINVAL;
}

static int may_be_moved(struct vm_area_struct *vma)
{
	moved_to = vma->vm_start;
	return 0;
}

TEST(driver_of_what_is_moved)
{
	static const struct vm_operations_struct refuses = { .mremap = never_moved };
	static const struct vm_operations_struct agrees = { .mremap = may_be_moved };
	u64 content = 5, found = 0;

	begin();
	shim_vma_at(AT(24))->vm_ops = &refuses;
	EXPECT(shim_access(AT(25), true, &content) == ACCESS_DONE);
	shim_unmapped_area = AT(48);
	UNCHANGED(EINVAL, tree_sys_mremap(AT(24), 4 * P, 4 * P, FIXED, AT(48)));
	EXPECT_EQ(moved_to, AT(48));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(25), P, P, FIXED, AT(48)));
	if (!test_known("mremap-failed-charge"))
		UNCHANGED(EINVAL, tree_sys_mremap(AT(24), 4 * P, 6 * P, MREMAP_MAYMOVE, 0));
	UNCHANGED(EINVAL, tree_sys_mremap(AT(24), 4 * P, 4 * P, LEFT, 0));
	EXPECT(shim_access(AT(25), false, &found) == ACCESS_DONE);
	EXPECT_EQ(found, content);
	moved_to = 0;
	EXPECT_EQ(tree_sys_mremap(AT(24), 4 * P, 3 * P, 0, 0), (long)AT(24));
	EXPECT_EQ(moved_to, 0ul);
	shim_vma_at(AT(24))->vm_ops = &agrees;
	EXPECT_EQ(tree_sys_mremap(AT(24), 3 * P, 3 * P, FIXED, AT(48)), (long)AT(48));
	EXPECT_EQ(moved_to, AT(48));
	EXPECT(shim_access(AT(49), false, &found) == ACCESS_DONE);
	EXPECT_EQ(found, content);
	end();
}

/* What refuses a protection is asked for each VMA: what came before it has it already. */
static int never_protected(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			   unsigned long flags)
{
	(void)vma;
	(void)flags;
	EXPECT_EQ(start, AT(21));
	EXPECT_EQ(end, AT(24));
	return -EACCES;
}

TEST(refused_protection)
{
	static const struct vm_operations_struct refuses = { .mprotect = never_protected };
	const struct vm_operations_struct *ops;

	begin();
	ops = shim_vma_at(AT(20))->vm_ops;
	shim_vma_at(AT(20))->vm_ops = &refuses;
	UNCHANGED(EACCES, tree_mprotect(AT(21), 5 * P, PROT_READ));
	shim_vma_at(AT(20))->vm_ops = ops;
	shim_secured = AT(20);
	UNCHANGED(EACCES, tree_mprotect(AT(20), 5 * P, PROT_READ));
	EXPECT_EQ(tree_mprotect(AT(16), 6 * P, PROT_READ), -EACCES);
	EXPECT(!has(16, VM_WRITE) && !has(19, VM_WRITE) && has(20, VM_WRITE));
	shim_secured = 0;
	end();
}

/* PR_SET_MDWE: what may be written is not executed, and never comes to be. */
TEST(write_or_execute)
{
	begin();
	EXPECT_EQ(tree_mprotect(AT(24), P, PROT_READ | PROT_EXEC), 0);
	mm_flags_set(MMF_HAS_MDWE, current->mm);
	UNCHANGED(EACCES, tree_mmap(NULL, AT(48), P, RDWR_X | VM_EXEC, AT(48) >> PAGE_SHIFT));
	UNCHANGED(EACCES, tree_mmap(NULL, AT(8), P, RDWR_X | VM_EXEC, AT(8) >> PAGE_SHIFT));
	UNCHANGED(EACCES, tree_mprotect(AT(8), P, PROT_READ | PROT_EXEC));
	UNCHANGED(EACCES, tree_mprotect(AT(8), P, PROT_READ | PROT_WRITE | PROT_EXEC));
	UNCHANGED(EACCES, tree_mprotect(AT(24), P, PROT_READ | PROT_WRITE | PROT_EXEC));
	UNCHANGED(0, tree_mprotect(AT(24), P, PROT_READ | PROT_EXEC));
	EXPECT_EQ(tree_mmap(NULL, AT(48), P, (RDWR_X & ~VM_WRITE) | VM_EXEC,
			    AT(48) >> PAGE_SHIFT), 0);
	EXPECT_EQ(tree_mprotect(AT(24), P, PROT_READ), 0);
	UNCHANGED(EACCES, tree_mprotect(AT(24), P, PROT_READ | PROT_EXEC));
	end();
}

/* A process that has exited, and a userfaultfd of it that somebody holds. */
TEST(userfaultfd_of_the_dead)
{
	begin();
	tree_exit_mmap(current->mm);
	atomic_set(&current->mm->mm_users, 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(8), P, UFFDIO_REGISTER_MODE_MISSING), -ENOMEM);
	EXPECT_EQ(tree_uffd_unregister(&ctx, AT(8), P), -ENOMEM);
	shim_mm_free(current->mm);
}

TEST(munmap)
{
	begin();
	UNCHANGED(EINVAL, tree_munmap(AT(8) + 1, P));
	UNCHANGED(EINVAL, tree_munmap(AT(8), 0));
	UNCHANGED(EINVAL, tree_munmap(TASK_SIZE, P));
	UNCHANGED(EINVAL, tree_munmap(AT(8), TASK_SIZE));
	UNCHANGED(0, tree_munmap(AT(12), 4 * P));
	UNCHANGED(0, tree_munmap(AT(48), P));
	/* Rounded up. */
	EXPECT_EQ(tree_munmap(AT(8), P + 1), 0);
	EXPECT(!shim_vma_at(AT(9)));
	EXPECT(shim_vma_at(AT(10)));
	end();
}

/* Where mremap() goes is asked for as mmap() asks: some archs keep what is shared apart. */
TEST(asks_for_room)
{
	begin();
	shim_unmapped_area = AT(48);
	EXPECT_EQ(tree_sys_mremap(AT(20), 2 * P, 5 * P, MREMAP_MAYMOVE, 0), (long)AT(48));
	EXPECT_EQ(shim_unmapped_flags, (unsigned long)MAP_SHARED);
	EXPECT_EQ(tree_sys_mremap(AT(22), P, P, FIXED, AT(56)), (long)AT(56));
	EXPECT_EQ(shim_unmapped_flags, (unsigned long)(MAP_SHARED | MAP_FIXED));
	shim_unmapped_area = AT(60);
	EXPECT_EQ(tree_sys_mremap(AT(8), 2 * P, 6 * P, MREMAP_MAYMOVE, 0), (long)AT(60));
	EXPECT_EQ(shim_unmapped_flags, 0ul);
	/* Nowhere, and the driver says why. */
	shim_unmapped_area = -EPERM;
	UNCHANGED(EPERM, tree_sys_mremap(AT(18), 2 * P, 6 * P, MREMAP_MAYMOVE, 0));
	end();
}

/* What may be dropped is wiped in a child, and not in a core dump, for good. */
TEST_IF(droppable, "VM_DROPPABLE")
{
	if (!VM_DROPPABLE)
		test_skip("nothing is droppable in this tree, or with 32 bits");
	begin();
	map(NULL, 44, 2, RDWR_X | VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP);
	UNCHANGED(EINVAL, tree_madvise(AT(44), P, MADV_KEEPONFORK));
	UNCHANGED(EINVAL, tree_madvise(AT(44), P, MADV_DODUMP));
	UNCHANGED(0, tree_madvise(AT(44), P, MADV_WIPEONFORK));
	end();
}

/* Of several VMAs, none of a driver that may place it elsewhere than it is asked to. */
TEST_IF(moves_several, "mremap() of several VMAs")
{
#ifdef TREE_HAS_remap_move
	for (int shmem = 0; shmem < 2; shmem++) {
		struct file *file = shim_file_new(shmem);
		const struct file_operations ops = {
			.mmap = file->f_op->mmap, .mmap_prepare = file->f_op->mmap_prepare,
			.get_unmapped_area = get_unmapped_area,
		};

		file->f_op = &ops;
		begin();
		map(file, 42, 2, RDWR_X);
		map(NULL, 44, 2, RDWR_X);
		if (!shmem)
			UNCHANGED(EFAULT, tree_sys_mremap(AT(42), 4 * P, 4 * P, FIXED, AT(48)));
		EXPECT_EQ(tree_sys_mremap(AT(42), 2 * P, 2 * P, FIXED, AT(52)), (long)AT(52));
		EXPECT_EQ(tree_sys_mremap(AT(44), 2 * P, 2 * P, FIXED, AT(50)), (long)AT(50));
		EXPECT_EQ(tree_sys_mremap(AT(50), 4 * P, 4 * P, FIXED, AT(56)),
			  shmem ? (long)AT(56) : (long)-EFAULT);
		end();
		fput(file);
	}
#else
	test_skip("this tree moves one VMA");
#endif
}

/* A fatal signal while they wait for the mm's lock. */
TEST(killed)
{
	begin();
	shim_killed = true;
	shim_unmapped_area = AT(48);
	UNCHANGED(EINTR, tree_mprotect(AT(8), P, PROT_READ));
	UNCHANGED(EINTR, tree_madvise(AT(8), P, MADV_DONTFORK));
	UNCHANGED(EINTR, tree_sys_mremap(AT(8), P, P, FIXED, AT(48)));
	UNCHANGED(EINTR, tree_sys_mlock2(AT(8), P, 0));
	UNCHANGED(EINTR, tree_sys_mlockall(MCL_CURRENT));
	UNCHANGED(EINTR, tree_sys_munlockall());
#ifdef CONFIG_64BIT
	UNCHANGED(EINTR, tree_sys_mseal(AT(8), P, 0));
#endif
#ifdef TREE_HAS_process_madvise_remote_valid
	{
		const struct iovec vec = { (void *)AT(8), P };

		UNCHANGED(EINTR, tree_sys_process_madvise(0, &vec, 1, MADV_DONTDUMP, 0));
	}
#endif
#ifdef TREE_HAS_set_anon_vma_name
	UNCHANGED(EINTR, tree_name(AT(8), P, "one"));
#endif
	shim_killed = false;
	end();
}

/* Of another process only what does no harm; and nothing is kept of either. */
TEST_IF(process_madvise, "process_madvise() of all advice")
{
#ifdef TREE_HAS_process_madvise_remote_valid
	const struct iovec vec = { (void *)AT(8), P };
	struct mm_struct *own;

	begin();
	UNCHANGED(EINVAL, tree_sys_process_madvise(0, &vec, 1, MADV_DONTDUMP, 1));
	UNCHANGED(EINVAL, tree_sys_process_madvise(0, &vec, 1, 12345, 0));
	UNCHANGED(EBADF, tree_sys_process_madvise(1, &vec, 1, MADV_DONTDUMP, 0));
	shim_remote_mm = ERR_PTR(-EPERM);
	UNCHANGED(EPERM, tree_sys_process_madvise(0, &vec, 1, MADV_DONTDUMP, 0));
	own = current->mm;
	shim_remote_mm = own;
	current->mm = shim_mm_new(NULL);
	EXPECT_EQ(tree_sys_process_madvise(0, &vec, 1, MADV_COLD, 0), (long)P);
	EXPECT_EQ(tree_sys_process_madvise(0, &vec, 1, MADV_PAGEOUT, 0), (long)P);
	EXPECT_EQ(tree_sys_process_madvise(0, &vec, 1, MADV_DONTNEED, 0), -EINVAL);
	EXPECT_EQ(tree_sys_process_madvise(0, &vec, 1, MADV_DONTDUMP, 0), -EINVAL);
	EXPECT_EQ(tree_sys_process_madvise(0, &vec, 1, MADV_GUARD_INSTALL, 0), -EINVAL);
	EXPECT_EQ(tree_sys_process_madvise(0, &vec, 1, MADV_GUARD_REMOVE, 0), -EINVAL);
	shim_mm_exit(current->mm);
	current->mm = own;
	shim_remote_mm = NULL;
	end();
#else
	test_skip("this tree allows only what does no harm, of any process");
#endif
}

#ifdef CONFIG_64BIT
TEST(mseal)
{
	begin();
	UNCHANGED(EINVAL, tree_sys_mseal(AT(8), P, 1));
	UNCHANGED(EINVAL, tree_sys_mseal(AT(8) + 1, P, 0));
	UNCHANGED(EINVAL, tree_sys_mseal(AT(8), HUGE + 1, 0));
	UNCHANGED(EINVAL, tree_sys_mseal(AT(8), HUGE, 0));
	UNCHANGED(0, tree_sys_mseal(AT(12), 0, 0));
	/* All of it, or nothing. */
	UNCHANGED(ENOMEM, tree_sys_mseal(AT(12), P, 0));
	UNCHANGED(ENOMEM, tree_sys_mseal(AT(8), 5 * P, 0));
	UNCHANGED(ENOMEM, tree_sys_mseal(AT(8), 12 * P, 0));
	end();
}
#endif

TEST(userfaultfd_register)
{
	const u64 missing = UFFDIO_REGISTER_MODE_MISSING;
	const u64 fills = 1ull << _UFFDIO_COPY, protects = 1ull << _UFFDIO_WRITEPROTECT;
	const u64 continues = 1ull << _UFFDIO_CONTINUE;

	begin();
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(8), P, 0));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(8), P, missing | 1ull << 40));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(8) + 1, P, missing));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(8), P + 1, missing));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(8), 0, missing));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, TASK_SIZE, P, missing));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(8), TASK_SIZE, missing));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(12), P, missing));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(24), P, missing));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(20), 5 * P, missing));
	UNCHANGED(EPERM, tree_uffd_register(&ctx, AT(32), P, missing));
	UNCHANGED(EINVAL, tree_uffd_register(&ctx, AT(8), P, UFFDIO_REGISTER_MODE_MINOR));
	UNCHANGED(EINVAL, tree_uffd_unregister(&ctx, AT(8) + 1, P));
	UNCHANGED(EINVAL, tree_uffd_unregister(&ctx, AT(8), P + 1));
	UNCHANGED(EINVAL, tree_uffd_unregister(&ctx, AT(8), 0));
	UNCHANGED(EINVAL, tree_uffd_unregister(&ctx, AT(12), P));
	EXPECT_EQ(tree_uffd_register(&ctx, AT(9), P, missing), 0);
	UNCHANGED(EBUSY, tree_uffd_register(&other, AT(9), P, missing));
	UNCHANGED(EBUSY, tree_uffd_register(&other, AT(8), 2 * P, missing));
	UNCHANGED(0, tree_uffd_register(&ctx, AT(9), P, missing));
	/* A mode is that and no other, and so is what it allows. */
	EXPECT_EQ(shim_uffd_ioctls & (fills | protects | continues), fills);
	EXPECT(has(9, VM_UFFD_MISSING));
	EXPECT(!has(9, VM_UFFD_WP | VM_UFFD_MINOR));
	EXPECT_EQ(tree_uffd_unregister(&ctx, AT(9), P), 0);
	if (IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_MINOR)) {
		EXPECT_EQ(tree_uffd_register(&ctx, AT(20), P, UFFDIO_REGISTER_MODE_MINOR), 0);
		EXPECT_EQ(shim_uffd_ioctls & (protects | continues), continues);
		EXPECT(!has(20, VM_UFFD_WP | VM_UFFD_MISSING));
		EXPECT_EQ(tree_uffd_unregister(&ctx, AT(20), P), 0);
	}
	if (IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP)) {
		EXPECT_EQ(tree_uffd_register(&ctx, AT(20), P, UFFDIO_REGISTER_MODE_WP), 0);
		EXPECT_EQ(shim_uffd_ioctls & (protects | continues), protects);
#ifdef _UFFDIO_RWPROTECT
		EXPECT(!(shim_uffd_ioctls & 1ull << _UFFDIO_RWPROTECT));
#endif
		EXPECT_EQ(tree_uffd_unregister(&ctx, AT(20), P), 0);
	}
	end();
}

/* Of what no userfaultfd has, or not for that. */
TEST(userfaultfd_fill)
{
	const u64 from[] = { 1, 2, 3, 4 };

	begin();
	UNCHANGED(ENOENT, tree_uffd_copy(&ctx, AT(8), from, P, false));
	UNCHANGED(ENOENT, tree_uffd_zeropage(&ctx, AT(8), P));
	UNCHANGED(ENOENT, tree_uffd_poison(&ctx, AT(8), P));
	UNCHANGED(ENOENT, tree_uffd_wp(&ctx, AT(8), P, true));
	UNCHANGED(ENOENT, tree_uffd_copy(&ctx, AT(12), from, P, false));
	EXPECT_EQ(tree_uffd_register(&ctx, AT(8), 2 * P, UFFDIO_REGISTER_MODE_MISSING), 0);
	EXPECT_EQ(tree_uffd_register(&other, AT(10), P, UFFDIO_REGISTER_MODE_MISSING), 0);
	UNCHANGED(ENOENT, tree_uffd_copy(&ctx, AT(9), from, 2 * P, false));
	UNCHANGED(ENOENT, tree_uffd_zeropage(&ctx, AT(9), 2 * P));
	UNCHANGED(ENOENT, tree_uffd_poison(&ctx, AT(9), 3 * P));
	UNCHANGED(EINVAL, tree_uffd_copy(&ctx, AT(8), from, P, true));
	UNCHANGED(EINVAL, tree_uffd_continue(&ctx, AT(8), P, false));
	UNCHANGED(ENOENT, tree_uffd_wp(&ctx, AT(8), P, true));
	atomic_inc(&ctx.mmap_changing);
	UNCHANGED(EAGAIN, tree_uffd_copy(&ctx, AT(8), from, P, false));
	UNCHANGED(EAGAIN, tree_uffd_zeropage(&ctx, AT(8), P));
	UNCHANGED(EAGAIN, tree_uffd_poison(&ctx, AT(8), P));
	atomic_dec(&ctx.mmap_changing);
	EXPECT_EQ(tree_uffd_copy(&ctx, AT(8), from, P, false), (long)P);
	UNCHANGED(EEXIST, tree_uffd_copy(&ctx, AT(8), from, P, false));
	UNCHANGED(EEXIST, tree_uffd_zeropage(&ctx, AT(8), P));
	UNCHANGED(EEXIST, tree_uffd_poison(&ctx, AT(8), P));
	UNCHANGED(ENOENT, tree_uffd_move(&ctx, AT(9), AT(12), P, false));
	UNCHANGED(ENOENT, tree_uffd_move(&ctx, AT(12), AT(8), P, false));
	map(NULL, 48, 1, RDWR_X | VM_IO);
	UNCHANGED(EINVAL, tree_uffd_move(&ctx, AT(9), AT(48), P, false));
	EXPECT_EQ(tree_uffd_unregister(&ctx, AT(8), 2 * P), 0);
	EXPECT_EQ(tree_uffd_unregister(&other, AT(10), P), 0);
	end();
}
