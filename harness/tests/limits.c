// SPDX-License-Identifier: GPL-2.0
/*
 * Resource limits, each call up to the page: what a limit just allows succeeds, and with
 * one page less there is -ENOMEM and nothing has changed. And how stacks grow.
 *
 *	|dddd|    |wwww|    |rrrr|    |ssss|	from page 8
 *	8    12   16   20   24   28   32   36
 *
 * d grows down, w private and writable, r read-only, s shared.
 */
#include "harness/oracle/vmas.h"
#include "harness/tests/process.h"

#define GAP		((int)(stack_guard_gap >> PAGE_SHIFT))

static int map(int page, int nr, vm_flags_t flags)
{
	return tree_mmap(NULL, AT(page), nr * PAGE_SIZE, flags, AT(page) >> PAGE_SHIFT);
}

static void no_limits(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(shim_rlimit); i++)
		shim_rlimit[i] = ULONG_MAX;
}

static void begin(void)
{
	no_limits();
	process_begin();
}

static void end(void)
{
	no_limits();
	process_end();
}

static void begin_mapped(void)
{
	begin();
	EXPECT_EQ(map(16, 4, RDWR | VM_ACCOUNT), 0);
	EXPECT_EQ(map(24, 4, VM_READ | VM_MAYREAD | VM_MAYWRITE), 0);
	EXPECT_EQ(map(32, 4, RDWR | VM_SHARED | VM_MAYSHARE), 0);
	EXPECT_EQ(map(8, 4, RDWR | VM_GROWSDOWN), 0);
}

static long do_mmap(void)
{
	return map(48, 4, RDWR | VM_ACCOUNT);
}

static long do_mmap_readonly(void)
{
	return map(48, 4, VM_READ | VM_MAYREAD);
}

static long do_mmap_over(void)
{
	return map(14, 8, RDWR);
}

static long do_brk(void)
{
	return tree_brk(AT(48), 4 * PAGE_SIZE);
}

static long remap(int page, int from, int to, unsigned long flags)
{
	unsigned long ret;

	shim_unmapped_area = AT(48);
	ret = tree_sys_mremap(AT(page), from * PAGE_SIZE, to * PAGE_SIZE, flags, AT(48));
	return IS_ERR_VALUE(ret) ? (long)ret : 0;
}

static long do_grow(void)
{
	return remap(16, 4, 6, 0);
}

static long do_grow_elsewhere(void)
{
	return remap(24, 2, 5, MREMAP_MAYMOVE);
}

static long do_move_and_grow(void)
{
	return remap(16, 4, 7, MREMAP_MAYMOVE | MREMAP_FIXED);
}

static long do_leave_behind(void)
{
	return remap(16, 4, 4, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
}

static long do_duplicate(void)
{
	return remap(32, 0, 4, MREMAP_MAYMOVE);
}

static long do_make_writable(void)
{
	return tree_mprotect(AT(24), 4 * PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static long do_expand(void)
{
	return tree_expand_stack(AT(6) + 8);
}

static const struct {
	const char *what;
	long (*call)(void);
	int pages, data, stack;		/* more than there were; as the limit has it */
} calls[] = {
	{ "mmap()", do_mmap, 4, 4, 0 },
	{ "mmap(), read-only", do_mmap_readonly, 4, 0, 0 },
	{ "mmap() over others", do_mmap_over, 4, 4, 0 },
	{ "brk()", do_brk, 4, 4, 0 },
	{ "mremap(), in place", do_grow, 2, 2, 0 },
	{ "mremap(), elsewhere", do_grow_elsewhere, 3, 0, 0 },
	{ "mremap(), moved", do_move_and_grow, 3, 3, 0 },
	{ "MREMAP_DONTUNMAP", do_leave_behind, 4, 4, 0 },
	{ "mremap(), old length 0", do_duplicate, 4, 0, 0 },
	{ "mprotect()", do_make_writable, 0, 4, 0 },
	{ "a stack", do_expand, 2, 0, 6 },
};

static void up_to(const char *what, long (*call)(void), int which, unsigned long pages)
{
	static struct vmas before;
	long ret, total, committed;

	begin_mapped();
	pages += which == RLIMIT_AS ? current->mm->total_vm :
		 which == RLIMIT_DATA ? current->mm->data_vm : 0;
	for (int less = 1; less >= 0; less--) {
		vmas_look(&before, current->mm);
		total = current->mm->total_vm;
		committed = shim_committed;
		shim_rlimit[which] = (pages - less) * PAGE_SIZE;
		ret = call();
		if (ret != (less ? -ENOMEM : 0))
			test_fail(__FILE__, __LINE__, "%s: %ld with a limit %d of %d pages too small",
				  what, ret, which, less);
		if (less && (!vmas_same(&before, current->mm) || shim_committed != committed ||
			     (long)current->mm->total_vm != total))
			test_fail(__FILE__, __LINE__, "%s has changed something", what);
	}
	end();
}

TEST(each_call)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].pages)
			up_to(calls[i].what, calls[i].call, RLIMIT_AS, calls[i].pages);
		if (calls[i].data)
			up_to(calls[i].what, calls[i].call, RLIMIT_DATA, calls[i].data);
		if (calls[i].stack)
			up_to(calls[i].what, calls[i].call, RLIMIT_STACK, calls[i].stack);
		/* What it does not count is no matter. */
		begin_mapped();
		if (!calls[i].pages)
			shim_rlimit[RLIMIT_AS] = 0;
		if (!calls[i].data)
			shim_rlimit[RLIMIT_DATA] = 0;
		if (!calls[i].stack)
			shim_rlimit[RLIMIT_STACK] = 0;
		EXPECT_EQ(calls[i].call(), 0l);
		end();
	}
}

/* As many VMAs as there may be: no more, and what makes none goes on. */
TEST(map_count)
{
	const int was = sysctl_max_map_count;
	static struct vmas before;

	begin_mapped();
	sysctl_max_map_count = current->mm->map_count;
	vmas_look(&before, current->mm);
	EXPECT_EQ(tree_munmap(AT(17), PAGE_SIZE), -ENOMEM);
	EXPECT_EQ(tree_mprotect(AT(17), PAGE_SIZE, PROT_READ), -ENOMEM);
	EXPECT_EQ(tree_madvise(AT(17), PAGE_SIZE, MADV_DONTFORK), -EAGAIN);
	EXPECT_EQ(tree_sys_mlock2(AT(17), PAGE_SIZE, 0), (long)-ENOMEM);
	EXPECT_EQ(remap(16, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED), (long)-ENOMEM);
	EXPECT(vmas_same(&before, current->mm));
	EXPECT_EQ(tree_mprotect(AT(16), 4 * PAGE_SIZE, PROT_READ), 0);
	EXPECT_EQ(tree_munmap(AT(24), PAGE_SIZE), 0);
	EXPECT_EQ(tree_munmap(AT(16), 4 * PAGE_SIZE), 0);
	sysctl_max_map_count = was;
	end();
}

/* The VMA reaches down, its pages are where they were, and all of it is counted. */
TEST(stack)
{
	struct vm_area_struct *vma;
	unsigned long index;
	u64 content = 1;

	begin();
	EXPECT_EQ(map(GAP + 40, 4, RDWR | VM_GROWSDOWN | VM_ACCOUNT | VM_LOCKED), 0);
	EXPECT(shim_access(AT(GAP + 41), true, &content) == ACCESS_DONE);
	vma = shim_vma_at(AT(GAP + 41));
	index = shim_anon_index(vma, AT(GAP + 41));
	EXPECT_EQ(tree_expand_stack(AT(GAP + 37) + 100), 0);
	EXPECT_EQ(vma->vm_start, AT(GAP + 37));
	EXPECT(!RB_EMPTY_ROOT(&vma->anon_vma->rb_root.rb_root));
	EXPECT_EQ(shim_anon_index(vma, AT(GAP + 41)), index);
	EXPECT_EQ(vma->vm_pgoff, AT(GAP + 37) >> PAGE_SHIFT);
	EXPECT(shim_access(AT(GAP + 37), true, &content) == ACCESS_DONE);
	EXPECT_EQ((int)current->mm->total_vm, 7);
	EXPECT_EQ((int)current->mm->stack_vm, 7);
	EXPECT_EQ((int)current->mm->data_vm, 0);
	EXPECT_EQ((int)current->mm->locked_vm, 7);
	EXPECT_EQ(shim_committed, 7l);
	EXPECT_EQ(current->mm->map_count, 1);
	/* Locked memory has a limit of its own. */
	shim_memlock = 8 * PAGE_SIZE;
	EXPECT_EQ(tree_expand_stack(AT(GAP + 35)), -ENOMEM);
	EXPECT_EQ(tree_expand_stack(AT(GAP + 36)), 0);
	EXPECT_EQ((int)current->mm->locked_vm, 8);
	end();
}

/* What may be executed and not written is counted by itself. */
TEST(executable)
{
	const vm_flags_t flags = VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	struct mm_struct *child;

	begin();
	EXPECT_EQ(map(16, 8, flags), 0);
	EXPECT_EQ((int)current->mm->exec_vm, 8);
	EXPECT_EQ(tree_munmap(AT(18), 2 * PAGE_SIZE), 0);
	EXPECT_EQ((int)current->mm->exec_vm, 6);
	EXPECT_EQ(tree_mprotect(AT(16), 2 * PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	EXPECT_EQ((int)current->mm->exec_vm, 4);
	EXPECT_EQ(remap(20, 4, 6, MREMAP_MAYMOVE), 0l);
	EXPECT_EQ((int)current->mm->exec_vm, 6);
	child = shim_mm_new(current->mm);
	EXPECT_EQ(tree_dup_mmap(child, current->mm), 0);
	EXPECT_EQ((int)child->exec_vm, 6);
	shim_mm_exit(child);
	EXPECT_EQ(map(20, 6, RDWR), 0);
	EXPECT_EQ((int)current->mm->exec_vm, 0);
	end();
}

/* Not down to what is below, unless nobody can go there or it is a stack as well. */
TEST(gap_below_a_stack)
{
	static const struct {
		vm_flags_t below;
		bool near;
	} kinds[] = {
		{ RDWR, false }, { VM_READ | VM_MAYREAD, false }, { VM_EXEC | VM_MAYEXEC, false },
		{ VM_MAYREAD | VM_MAYWRITE, true }, { RDWR | VM_GROWSDOWN, true },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		begin();
		EXPECT_EQ(map(8, 4, kinds[i].below), 0);
		EXPECT_EQ(map(GAP + 20, 4, RDWR | VM_GROWSDOWN), 0);
		EXPECT_EQ(tree_expand_stack(AT(GAP + 12)), 0);
		EXPECT_EQ(tree_expand_stack(AT(GAP + 11)), kinds[i].near ? 0 : -ENOMEM);
		EXPECT_EQ(tree_expand_stack(AT(12)), kinds[i].near ? 0 : -ENOMEM);
		end();
	}
	begin();
	EXPECT_EQ(map(8, 4, RDWR), 0);
	EXPECT_EQ(tree_expand_stack(AT(7)), -EFAULT);
	EXPECT_EQ(tree_mmap(NULL, 4 * PAGE_SIZE, PAGE_SIZE, RDWR | VM_GROWSDOWN, 4), 0);
	EXPECT_EQ(tree_expand_stack(PAGE_SIZE - 1), -EPERM);
	EXPECT_EQ(tree_expand_stack(PAGE_SIZE), 0);
	end();
}

TEST(stack_without_memory)
{
	static struct vmas before;
	long nth = 1;
	int ret;

	do {
		begin_mapped();
		vmas_look(&before, current->mm);
		alloc_fail_at(nth);
		ret = tree_expand_stack(AT(7));
		if (alloc_count() < nth)
			nth = 0;
		alloc_fail_at(0);
		EXPECT_EQ(ret, nth ? -ENOMEM : 0);
		EXPECT_EQ(vmas_same(&before, current->mm), ret != 0);
		end();
	} while (nth++);
}

/* What is locked is populated: by mlock(), and what it grows by. */
TEST(locked_is_populated)
{
	begin_mapped();
	shim_populate_len = 0;
	EXPECT_EQ(tree_sys_mremap(AT(16), 4 * PAGE_SIZE, 5 * PAGE_SIZE, MREMAP_MAYMOVE, 0),
		  (long)AT(16));
	EXPECT_EQ(shim_populate_len, 0ul);
	EXPECT_EQ(tree_sys_mlock2(AT(17), 2 * PAGE_SIZE, 0), 0);
	EXPECT_EQ(shim_populate_start, AT(17));
	EXPECT_EQ(shim_populate_len, 2 * PAGE_SIZE);
	EXPECT_EQ(tree_sys_mlock2(AT(16), 5 * PAGE_SIZE, 0), 0);
	EXPECT_EQ(tree_sys_mremap(AT(16), 5 * PAGE_SIZE, 7 * PAGE_SIZE, MREMAP_MAYMOVE, 0),
		  (long)AT(16));
	EXPECT_EQ(shim_populate_start, AT(21));
	EXPECT_EQ(shim_populate_len, 2 * PAGE_SIZE);
	/* What mlock() says of pages that cannot be had is POSIX's. */
	shim_populate_error = -EFAULT;
	EXPECT_EQ(tree_sys_mlock2(AT(17), PAGE_SIZE, 0), (long)-ENOMEM);
	shim_populate_error = -ENOMEM;
	EXPECT_EQ(tree_sys_mlock2(AT(17), PAGE_SIZE, 0), (long)-EAGAIN);
	shim_populate_error = 0;
	end();
}

/* A mapping of the kernel's own, such as the vDSO: soft-dirty as any, not locked, not to be expanded. */
TEST(special_mapping)
{
	static const struct vm_operations_struct ops;
	static struct vmas before;
	struct vm_area_struct *vma;
	long nth = 1;

	do {
		begin_mapped();
		current->mm->def_flags = VM_LOCKED;
		vmas_look(&before, current->mm);
		alloc_fail_at(nth);
		vma = tree_special_mapping(AT(48), 2 * PAGE_SIZE, &ops);
		alloc_fail_at(0);
		if (IS_ERR(vma)) {
			EXPECT_EQ(PTR_ERR(vma), (long)-ENOMEM);
			EXPECT(vmas_same(&before, current->mm));
			EXPECT_EQ((int)current->mm->total_vm, 16);
			end();
			continue;
		}
		nth = 0;
		EXPECT_EQ(vma->vm_start, AT(48));
		EXPECT_EQ(vma->vm_end, AT(50));
		EXPECT(vma->vm_flags & VM_READ);
		EXPECT(vma->vm_flags & VM_DONTEXPAND);
		if (IS_ENABLED(CONFIG_MEM_SOFT_DIRTY))
			EXPECT(vma->vm_flags & VM_SOFTDIRTY);
		EXPECT(!(vma->vm_flags & (VM_LOCKED | VM_WRITE)));
		EXPECT(vma->vm_ops == &ops);
		EXPECT(shim_vma_at(AT(49)) == vma);
		EXPECT_EQ((int)current->mm->total_vm, 18);
		/* Where something is, nothing is installed. */
		vma = tree_special_mapping(AT(49), PAGE_SIZE, &ops);
		EXPECT_EQ(PTR_ERR(vma), (long)-ENOMEM);
		EXPECT_EQ((int)current->mm->total_vm, 18);
		end();
	} while (nth++);
}
