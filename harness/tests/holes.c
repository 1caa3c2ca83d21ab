// SPDX-License-Identifier: GPL-2.0
/*
 * What comes back, and what was done, where a part of the range is not mapped, or is
 * not to be changed.
 *
 *	|wwww|    |wwww|	from page 8: mapped, a hole, mapped
 *	8    12   16   20
 */
#include "harness/tests/process.h"

static struct userfaultfd_ctx ctx;

static void map(int page, int nr, vm_flags_t flags)
{
	EXPECT_EQ(tree_mmap(NULL, AT(page), nr * PAGE_SIZE, flags, AT(page) >> PAGE_SHIFT), 0);
}

static void begin(void)
{
	u64 content = 1;

	process_begin();
	tree_uffd_init(&ctx, current->mm, 0);
	map(8, 4, RDWR);
	map(16, 4, RDWR);
	EXPECT(shim_access(AT(9), true, &content) == ACCESS_DONE);
	EXPECT(shim_access(AT(17), true, &content) == ACCESS_DONE);
}

/* As far as the hole, and no further. */
TEST(mprotect)
{
	begin();
	EXPECT_EQ(tree_mprotect(AT(4), 8 * PAGE_SIZE, PROT_READ), -ENOMEM);
	EXPECT(has(8, VM_WRITE));
	EXPECT_EQ(tree_mprotect(AT(10), 4 * PAGE_SIZE, PROT_READ), -ENOMEM);
	EXPECT(has(8, VM_WRITE));
	EXPECT(!has(10, VM_WRITE));
	EXPECT_EQ(tree_mprotect(AT(8), 12 * PAGE_SIZE, PROT_READ), -ENOMEM);
	EXPECT(!has(8, VM_WRITE));
	EXPECT(has(16, VM_WRITE));
	EXPECT_EQ(tree_mprotect(AT(12), 2 * PAGE_SIZE, PROT_READ), -ENOMEM);
	process_end();
}

/* What may not be written ends it, after what could be. */
TEST(mprotect_refused)
{
	begin();
	map(12, 4, VM_READ | VM_MAYREAD);
	EXPECT_EQ(tree_mprotect(AT(8), 4 * PAGE_SIZE, PROT_READ), 0);
	EXPECT_EQ(tree_mprotect(AT(8), 12 * PAGE_SIZE, PROT_READ | PROT_WRITE), -EACCES);
	EXPECT(has(8, VM_WRITE));
	EXPECT(!has(12, VM_WRITE));
	process_end();
}

TEST(mlock)
{
	begin();
	EXPECT_EQ(tree_mlock(AT(4), 8 * PAGE_SIZE, true), -ENOMEM);
	EXPECT(!has(8, VM_LOCKED));
	EXPECT_EQ(tree_mlock(AT(10), 4 * PAGE_SIZE, true), -ENOMEM);
	EXPECT(!has(8, VM_LOCKED));
	EXPECT(has(10, VM_LOCKED));
	EXPECT_EQ(tree_mlock(AT(8), 12 * PAGE_SIZE, true), -ENOMEM);
	EXPECT(has(8, VM_LOCKED));
	EXPECT(!has(16, VM_LOCKED));
	EXPECT_EQ(current->mm->locked_vm, 4ul);
	process_end();
}

/* madvise() goes on behind the hole, and says so. */
TEST(madvise)
{
	u64 content;

	begin();
	EXPECT_EQ(tree_madvise(AT(8), 12 * PAGE_SIZE, MADV_DONTNEED), -ENOMEM);
	EXPECT(shim_access(AT(9), false, &content) == ACCESS_DONE);
	EXPECT_EQ(content, 0ull);
	EXPECT(shim_access(AT(17), false, &content) == ACCESS_DONE);
	EXPECT_EQ(content, 0ull);
	EXPECT_EQ(tree_madvise(AT(4), 8 * PAGE_SIZE, MADV_DONTFORK), -ENOMEM);
	EXPECT(has(8, VM_DONTCOPY));
	EXPECT_EQ(tree_madvise(AT(18), 8 * PAGE_SIZE, MADV_DONTFORK), -ENOMEM);
	EXPECT(has(18, VM_DONTCOPY));
	EXPECT(!has(17, VM_DONTCOPY));
	EXPECT_EQ(tree_madvise(AT(12), 2 * PAGE_SIZE, MADV_DONTNEED), -ENOMEM);
	process_end();
}

TEST(munmap)
{
	begin();
	EXPECT_EQ(tree_munmap(AT(4), 6 * PAGE_SIZE), 0);
	EXPECT(!shim_vma_at(AT(9)));
	EXPECT(shim_vma_at(AT(10)));
	EXPECT_EQ(tree_munmap(AT(10), 8 * PAGE_SIZE), 0);
	EXPECT(!shim_vma_at(AT(17)));
	EXPECT_EQ(tree_munmap(AT(10), 8 * PAGE_SIZE), 0);
	process_end();
}

/* mremap() ends where its VMA does, but for whole VMAs that newer trees move. */
TEST(mremap)
{
	begin();
	EXPECT_EQ(tree_sys_mremap(AT(8), 6 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE, 0),
		  (long)-EFAULT);
	EXPECT_EQ(tree_sys_mremap(AT(12), 4 * PAGE_SIZE, 4 * PAGE_SIZE,
				  MREMAP_MAYMOVE | MREMAP_FIXED, AT(40)), (long)-EFAULT);
	EXPECT_EQ(tree_sys_mremap(AT(8), 4 * PAGE_SIZE, 4 * PAGE_SIZE,
				  MREMAP_MAYMOVE | MREMAP_FIXED, AT(10)), (long)-EINVAL);
	EXPECT_EQ(tree_sys_mremap(AT(8), 4 * PAGE_SIZE, 0, MREMAP_MAYMOVE, 0), (long)-EINVAL);
	process_end();
}

/* Over a hole, and what is a VMA of neither. */
TEST(userfaultfd)
{
	begin();
	EXPECT_EQ(tree_uffd_register(&ctx, AT(12), 4 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_MISSING), -EINVAL);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(8), 12 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_MISSING), 0);
	EXPECT(has(8, VM_UFFD_MISSING));
	EXPECT(has(16, VM_UFFD_MISSING));
	EXPECT_EQ(tree_uffd_unregister(&ctx, AT(10), 8 * PAGE_SIZE), 0);
	EXPECT(has(8, VM_UFFD_MISSING));
	EXPECT(!has(10, VM_UFFD_MISSING));
	EXPECT(!has(16, VM_UFFD_MISSING));
	EXPECT(has(19, VM_UFFD_MISSING));
	process_end();
}

/*
 * A userfaultfd does not get what has no pages of its own, or may lose them, in any
 * mode; nor what lies beside it and was asked for together with it.
 */
static bool registers(vm_flags_t flag, u64 mode)
{
	int ret;

	begin();
	map(30, 4, RDWR | flag);
	map(34, 4, RDWR);
	ret = tree_uffd_register(&ctx, AT(30), 8 * PAGE_SIZE, mode);
	if (ret)
		EXPECT_EQ(ret, -EINVAL);
	EXPECT_EQ(!!shim_vma_at(AT(34))->vm_userfaultfd_ctx.ctx, !ret);
	process_end();
	return !ret;
}

static bool registers_in_any_mode(vm_flags_t flag)
{
	bool found = registers(flag, UFFDIO_REGISTER_MODE_MISSING);

	if (IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		found |= registers(flag, UFFDIO_REGISTER_MODE_WP);
	return found;
}

TEST(userfaultfd_of_special_memory)
{
	static const vm_flags_t special[] = {
		VM_PFNMAP,	/* frame numbers that a driver put there, no pages */
		VM_MIXEDMAP,	/* the same, some of them */
		VM_IO,		/* registers of a device: what is read may change it */
		VM_DONTEXPAND,	/* of a driver, which fills it */
	};
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		found |= registers_in_any_mode(special[i]);
	if (found && test_known("uffd-special"))
		test_end_known("special mappings can be registered with userfaultfd");
	EXPECT(!found);
}

/* A userfaultfd that wants to write where the process may not would do it in its place. */
TEST(userfaultfd_of_what_may_not_be_written)
{
	int ret;

	begin();
	map(30, 4, VM_READ | VM_MAYREAD | VM_SHARED);
	ret = tree_uffd_register(&ctx, AT(30), 4 * PAGE_SIZE, UFFDIO_REGISTER_MODE_MISSING);
	EXPECT_EQ(ret, -EPERM);
	EXPECT(!has(30, VM_UFFD_MISSING));
	process_end();
}

/* Nor does one get, or give up, what is another's. */
TEST(userfaultfd_of_another)
{
	static struct userfaultfd_ctx other;
	int ret;

	begin();
	tree_uffd_init(&other, current->mm, 0);
	EXPECT_EQ(tree_uffd_register(&other, AT(8), 4 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_MISSING), 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(8), 12 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_MISSING), -EBUSY);
	EXPECT(!has(16, VM_UFFD_MISSING));
	ret = tree_uffd_unregister(&ctx, AT(8), 12 * PAGE_SIZE);
	if (!ret && test_known("uffd-unregister-other")) {
		process_end();
		test_end_known("a userfaultfd unregisters what is another's");
	}
	EXPECT_EQ(ret, -EINVAL);
	EXPECT(shim_vma_at(AT(8))->vm_userfaultfd_ctx.ctx == &other);
	process_end();
}

TEST_IF(userfaultfd_of_droppable_memory, "VM_DROPPABLE")
{
#if defined(VM_DROPPABLE) && defined(CONFIG_64BIT)
	bool found = registers_in_any_mode(VM_DROPPABLE);

	if (found && test_known("uffd-droppable"))
		test_end_known("droppable memory can be registered with userfaultfd");
	EXPECT(!found);
#else
	test_skip("no droppable memory");
#endif
}

TEST_IF(mlock_of_droppable_memory, "VM_DROPPABLE")
{
#if defined(VM_DROPPABLE) && defined(CONFIG_64BIT)
	begin();
	map(30, 4, RDWR | VM_DROPPABLE);
	EXPECT_EQ(tree_mlock(AT(30), 4 * PAGE_SIZE, true), 0);
	EXPECT(!has(30, VM_LOCKED));
	EXPECT_EQ(current->mm->locked_vm, 0ul);
	process_end();
#else
	test_skip("no droppable memory");
#endif
}
