// SPDX-License-Identifier: GPL-2.0
/* The tree's madvise(), mprotect(), mlock() and page walker, and entry points to them. */
#include "harness/kernel/tree.h"

#pragma GCC diagnostic push
#include "harness/shim/quiet.h"
#define auto __auto_type
#include "change/include/linux/pgtable.h"
#include "change/mm/pagewalk.c"
#include "change/mm/mprotect.c"
#include "change/mm/mempolicy.c"
/* Whether a page is mlocked is not modelled. */
#define mlock_pte_range NULL
/* The system calls themselves, of what has no other way in. */
#define SYSCALL_DEFINE0(name)							\
	long tree_sys_##name(void)
#define SYSCALL_DEFINE1(name, ta, a)						\
	long tree_sys_##name(ta a)
#define SYSCALL_DEFINE2(name, ta, a, tb, b)					\
	long tree_sys_##name(ta a, tb b)
#define SYSCALL_DEFINE3(name, ta, a, tb, b, tc, c)				\
	long tree_sys_##name(ta a, tb b, tc c)
#include "change/mm/mlock.c"
#ifdef CONFIG_64BIT
#include "change/mm/mseal.c"
#endif
#undef SYSCALL_DEFINE0
#undef SYSCALL_DEFINE1
#undef SYSCALL_DEFINE2
#undef SYSCALL_DEFINE3
#include "change/mm/ksm.c"
#define SYSCALL_DEFINE5(name, ta, a, tb, b, tc, c, td, d, te, e)		\
	long tree_sys_##name(ta a, tb b, tc c, td d, te e)
/* Advice about huge pages is taken, and none are made. */
#define CONFIG_TRANSPARENT_HUGEPAGE 1
/* 6.12.95 tells khugepaged before the VMA is locked: the mm is, and nothing was changed. */
#pragma push_macro("khugepaged_enter_vma")
#undef khugepaged_enter_vma
#define khugepaged_enter_vma(vma, flags)	((void)(flags))
#include "change/mm/khugepaged.c"
#pragma pop_macro("khugepaged_enter_vma")
#include "change/mm/madvise.c"
#undef CONFIG_TRANSPARENT_HUGEPAGE
#include "change/mm/mremap.c"
#include "change/mm/vma_exec.c"
#include "change/fs/proc/internal.h"
#include "change/include/uapi/linux/fs.h"
#include "change/fs/proc/task_mmu.c"
#undef SYSCALL_DEFINE5
#undef auto
#pragma GCC diagnostic pop

int tree_mprotect(unsigned long addr, unsigned long len, unsigned long prot)
{
	return do_mprotect_pkey(addr, len, prot, -1);
}

int tree_mremap(unsigned long addr, unsigned long len, unsigned long to)
{
	struct vm_userfaultfd_ctx uf = NULL_VM_UFFD_CTX;
	unsigned long ret;
	LIST_HEAD(early);
	LIST_HEAD(unmap);
#ifdef TREE_HAS_do_mremap
	struct vma_remap_struct vrm = {
		.addr = addr, .old_len = len, .new_len = len, .new_addr = to,
		.flags = MREMAP_MAYMOVE | MREMAP_FIXED, .uf = &uf,
		.uf_unmap_early = &early, .uf_unmap = &unmap,
		.remap_type = MREMAP_INVALID,
	};

	ret = do_mremap(&vrm);
#else
	bool locked = false;

	mmap_write_lock(current->mm);
	ret = mremap_to(addr, len, to, len, &locked,
			MREMAP_MAYMOVE | MREMAP_FIXED, &uf, &early, &unmap);
	mmap_write_unlock(current->mm);
	userfaultfd_unmap_complete(current->mm, &early);
	mremap_userfaultfd_complete(&uf, addr, ret, len);
	userfaultfd_unmap_complete(current->mm, &unmap);
#endif
	return IS_ERR_VALUE(ret) ? (long)ret : 0;
}

void tree_clear_refs(void)
{
	loff_t pos = 0;

	clear_refs_write(NULL, "4", 1, &pos);
}

static long scan(struct pm_scan_arg arg, struct shim_range *ranges, int nr,
		 unsigned long *walk_end)
{
	struct page_region found[64] = {};
	long ret;

	shim_check(nr <= (int)ARRAY_SIZE(found), "room for more ranges than there is");
	arg.size = sizeof(arg);
	arg.vec = ranges ? (unsigned long)found : 0;
	arg.vec_len = ranges ? nr : 0;
	ret = do_pagemap_scan(current->mm, (unsigned long)&arg);
	/* They are told of a call that is refused halfway, too. */
	for (int i = 0; ranges && i < nr; i++)
		ranges[i] = (struct shim_range){ found[i].start, found[i].end, found[i].categories };
	*walk_end = arg.walk_end;
	return ret;
}

long tree_pagemap_scan(unsigned long addr, unsigned long len, bool check,
		       struct shim_range *ranges, int nr, unsigned long *walk_end)
{
	const struct pm_scan_arg arg = {
		.start = addr, .end = addr + len,
		.flags = PM_SCAN_WP_MATCHING | (check ? PM_SCAN_CHECK_WPASYNC : 0),
		.category_mask = PAGE_IS_WRITTEN, .return_mask = PAGE_IS_WRITTEN,
	};

	return scan(arg, ranges, nr, walk_end);
}

long tree_pagemap(unsigned long addr, unsigned long len, struct shim_range *ranges, int nr,
		  unsigned long *walk_end)
{
	const struct pm_scan_arg arg = {
		.start = addr, .end = addr + len,
		.category_anyof_mask = PM_SCAN_CATEGORIES, .return_mask = PM_SCAN_CATEGORIES,
	};

	return scan(arg, ranges, nr, walk_end);
}

int tree_mlock(unsigned long addr, unsigned long len, bool lock)
{
	vm_flags_t flags = lock ? VM_LOCKED : 0;
	int ret;

	mmap_write_lock(current->mm);
#ifdef TREE_HAS_vma_flags_t
	vma_flags_t vma_flags = legacy_to_vma_flags(flags);

	ret = apply_vma_lock_flags(addr, len, __builtin_choose_expr(
			TAKES(apply_vma_lock_flags, int, unsigned long, size_t,
			      vm_flags_t), flags, &vma_flags));
#else
	ret = apply_vma_lock_flags(addr, len, flags);
#endif
	mmap_write_unlock(current->mm);
	return ret;
}

int tree_madvise(unsigned long addr, unsigned long len, int advice)
{
	return do_madvise(current->mm, addr, len, advice);
}

int tree_relocate(struct vm_area_struct *vma, unsigned long shift)
{
	int ret;

	mmap_write_lock(current->mm);
	ret = relocate_vma_down(vma, shift);
	mmap_write_unlock(current->mm);
	return ret;
}

/* As mbind() does it, once it has looked at the pages: with the VMAs locked, no holes. */
int tree_mbind(unsigned long addr, unsigned long len, int mode)
{
	VMA_ITERATOR(vmi, current->mm, addr);
	struct mm_struct *mm = current->mm;
	struct mempolicy *new = mode ? mpol_new(mode) : NULL;
	struct vm_area_struct *vma, *prev;
	unsigned long covered = addr;
	bool holes = false;
	int ret;

	if (IS_ERR(new))
		return PTR_ERR(new);
	mmap_write_lock(mm);
	for_each_vma_range(vmi, vma, addr + len) {
		holes |= vma->vm_start > covered;
		vma_start_write(vma);
		covered = vma->vm_end;
	}
	holes |= covered < addr + len;
	ret = covered == addr || (new && holes) ? -EFAULT : 0;
	vma_iter_init(&vmi, mm, addr);
	prev = vma_prev(&vmi);
	while (!ret && (vma = vma_find(&vmi, addr + len)))
		ret = mbind_range(&vmi, vma, &prev, addr, addr + len, new);
	mmap_write_unlock(mm);
	mpol_put(new);
	return ret;
}

int tree_name(unsigned long addr, unsigned long len, const char *name)
{
#ifdef TREE_HAS_set_anon_vma_name
	return set_anon_vma_name(addr, len, name);
#else
	struct anon_vma_name *anon_name = name ? anon_vma_name_alloc(name) : NULL;
	int ret;

	if (name && !anon_name)
		return -ENOMEM;
#ifdef TREE_HAS_madvise_lock
	ret = madvise_set_anon_name(current->mm, addr, len, anon_name);
#else
	mmap_write_lock(current->mm);
	ret = madvise_set_anon_name(current->mm, addr, len, anon_name);
	mmap_write_unlock(current->mm);
#endif
	anon_vma_name_put(anon_name);
	return ret;
#endif
}
