// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of more than 2^31 pages: whatever counts pages counts them in a long. Single
 * pages at both ends have memory; the rest is counted, no more.
 */
#include "harness/ops/program.h"
#include "harness/oracle/space.h"
#include "harness/test.h"

#define PAGES	((1UL << 31) + 3)
#define LEN	(PAGES << PAGE_SHIFT)
#define HALF	(LEN / 2 & PAGE_MASK)
#define HERE	(LEN * 2 & PAGE_MASK)
#define THERE	(LEN * 4 & PAGE_MASK)
#define RDWR	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE)

static struct userfaultfd_ctx ctx;
static const char *doing;
static int truncated;

static void same(const char *what, long found, long expected)
{
	if (found != expected && !((found - expected) & UINT_MAX) && test_known("mlock-overflow"))
		truncated++;
	else if (found != expected)
		test_fail(__FILE__, __LINE__, "%s, %s: %ld, expected %ld", doing, what, found,
			  expected);
}

/* What the VMAs add up to. */
static void check(const struct mm_struct *mm, const char *who)
{
	VMA_ITERATOR(vmi, (struct mm_struct *)mm, 0);
	long total = 0, locked = 0, data = 0;
	struct vm_area_struct *vma;

	mmap_read_lock((struct mm_struct *)mm);
	for_each_vma(vmi, vma) {
		long pages = (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;

		total += pages;
		locked += vma->vm_flags & VM_LOCKED ? pages : 0;
		data += (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE ? pages : 0;
	}
	mmap_read_unlock((struct mm_struct *)mm);
	same(who, mm->total_vm, total);
	same("locked", mm->locked_vm, locked);
	same("data", mm->data_vm, data);
}

static long accounted(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	long pages = 0;

	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		if (vma->vm_flags & VM_ACCOUNT)
			pages += (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
	mmap_read_unlock(mm);
	return pages;
}

static long do_nothing(void)
{
	return 0;
}

static long do_mlock(void)
{
	return tree_sys_mlock2(HERE, LEN, 0);
}

static long do_mlock_twice(void)
{
	return do_mlock() ?: tree_sys_mlock2(HERE, LEN, MLOCK_ONFAULT);
}

static long do_munlock(void)
{
	return do_mlock() ?: tree_mlock(HERE, LEN - PAGE_SIZE, false);
}

static long do_mlockall(void)
{
	return tree_sys_mlockall(MCL_CURRENT | MCL_FUTURE);
}

static long do_protect(void)
{
	return tree_mprotect(HERE, LEN, PROT_READ) ?:
	       tree_mprotect(HERE, LEN - PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static long do_unmap(void)
{
	return do_mlock() ?: tree_munmap(HERE + PAGE_SIZE, LEN - 2 * PAGE_SIZE);
}

static long do_map_over(void)
{
	return do_mlock() ?: tree_mmap(NULL, HERE, LEN, RDWR, HERE >> PAGE_SHIFT);
}

static long remap(unsigned long old, unsigned long new, unsigned long flags)
{
	long ret = tree_sys_mremap(HERE, old, new, flags, THERE);

	return IS_ERR_VALUE((unsigned long)ret) ? ret : 0;
}

static long do_move(void)
{
	return do_mlock() ?: remap(LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED);
}

static long do_grow(void)
{
	return do_mlock() ?: remap(LEN, LEN + HALF, 0);
}

static long do_grow_a_page(void)
{
	return tree_munmap(HERE + PAGE_SIZE, LEN) ?:
	       tree_sys_mlock2(HERE, PAGE_SIZE, 0) ?: remap(PAGE_SIZE, LEN, 0);
}

static long do_grow_and_move(void)
{
	return do_mlock() ?: remap(LEN, LEN + HALF, MREMAP_MAYMOVE | MREMAP_FIXED);
}

static long do_shrink(void)
{
	return do_mlock() ?: remap(LEN, PAGE_SIZE, 0);
}

static long do_dontunmap(void)
{
	return do_mlock() ?: remap(LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP);
}

static long do_dontfork(void)
{
	return tree_madvise(HERE, LEN - PAGE_SIZE, MADV_DONTFORK);
}

static long do_brk(void)
{
	return tree_brk(THERE, LEN);
}

static long do_uffd(void)
{
	return tree_uffd_register(&ctx, HERE, LEN, UFFDIO_REGISTER_MODE_MISSING) ?:
	       tree_uffd_unregister(&ctx, HERE, LEN);
}

static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
	{ "mmap", do_nothing }, { "mlock", do_mlock }, { "mlock again", do_mlock_twice },
	{ "munlock", do_munlock }, { "mlockall", do_mlockall },
	{ "mprotect", do_protect }, { "munmap", do_unmap },
	{ "mmap over it", do_map_over }, { "mremap", do_move },
	{ "mremap, grow", do_grow }, { "mremap, grow from a page", do_grow_a_page },
	{ "mremap, grow and move", do_grow_and_move }, { "mremap, shrink", do_shrink },
	{ "mremap, DONTUNMAP", do_dontunmap }, { "MADV_DONTFORK", do_dontfork },
	{ "brk", do_brk }, { "userfaultfd", do_uffd },
};

static void try(int i, vm_flags_t flags)
{
	struct mm_struct *mm, *child;
	u64 content = 1;

	doing = calls[i].name;
	shim_committed = 0;
	current->mm = mm = shim_mm_new(NULL);
	tree_uffd_init(&ctx, mm, 0);
	same("mmap()", tree_mmap(NULL, HERE, LEN, flags, HERE >> PAGE_SHIFT), 0);
	same("a write", shim_access(HERE, true, &content), ACCESS_DONE);
	same("a write", shim_access(HERE + LEN - PAGE_SIZE, true, &content), ACCESS_DONE);
	same("returned", calls[i].call(), 0);
	check(mm, "total");
	same("committed", shim_committed, accounted(mm));
	child = shim_mm_new(mm);
	same("fork()", tree_dup_mmap(child, mm), 0);
	check(child, "total of the child");
	same("committed after fork()", shim_committed, accounted(mm) + accounted(child));
	current->mm = child;
	shim_mm_exit(child);
	same("committed after exit()", shim_committed, accounted(mm));
	current->mm = mm;
	shim_mm_exit(mm);
	shim_rcu_end();
	same("committed in the end", shim_committed, 0);
}

/* Reservations of address space, which are not charged, as well. */
TEST_IF(each_call, "an address space of terabytes")
{
	if (!IS_ENABLED(CONFIG_64BIT))
		test_skip("a long has 32 bits");
	shim_memlock = ULONG_MAX;
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		try(i, RDWR);
		try(i, RDWR | VM_NORESERVE);
	}
	if (truncated)
		test_end_known("mlock() counts pages in an int, %d times", truncated);
}
