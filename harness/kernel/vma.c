// SPDX-License-Identifier: GPL-2.0
/* The tree's VMAs: mm/vma.c and what it stands on, dup_mmap(), and entry points. */
#include "harness/kernel/tree.h"

#pragma GCC diagnostic push
#include "harness/shim/quiet.h"
#include "mmap/mm/interval_tree.c"
#include "mmap/mm/rmap.c"
#include "mmap/mm/vma.c"
#include "mmap/mm/mmap.c"
#include "mmap/kernel/fork.c"
#pragma GCC diagnostic pop

int tree_mmap(struct file *file, unsigned long addr, unsigned long len,
	      vm_flags_t flags, unsigned long pgoff)
{
	LIST_HEAD(uf);
	unsigned long ret;

	mmap_write_lock(current->mm);
	flags |= current->mm->def_flags;
	ret = mmap_region(file, addr, len, FLAGS_FOR(mmap_region, flags, unsigned long,
			  struct file *, unsigned long, unsigned long, vm_flags_t,
			  unsigned long, struct list_head *), pgoff, &uf);
	mmap_write_unlock(current->mm);
	userfaultfd_unmap_complete(current->mm, &uf);
	if (IS_ERR_VALUE(ret))
		return ret;
	shim_check(ret == addr, "mmap() says that it is elsewhere");
	return 0;
}

int tree_munmap(unsigned long addr, unsigned long len)
{
	return __vm_munmap(addr, len, true);
}

int tree_expand_stack(unsigned long addr)
{
	int ret;

	mmap_write_lock(current->mm);
	ret = expand_downwards(find_vma(current->mm, addr), addr);
	mmap_write_unlock(current->mm);
	return ret;
}

unsigned long tree_unmapped_area(struct vm_unmapped_area_info *info, bool topdown)
{
	unsigned long ret;

	mmap_write_lock(current->mm);
	ret = topdown ? unmapped_area_topdown(info) : unmapped_area(info);
	mmap_write_unlock(current->mm);
	return ret;
}

/* As for the vDSO, which may be read. */
struct vm_area_struct *tree_special_mapping(unsigned long addr, unsigned long len,
					    const struct vm_operations_struct *ops)
{
	struct vm_area_struct *vma;

	mmap_write_lock(current->mm);
	vma = __install_special_mapping(current->mm, addr, len, VM_READ | VM_MAYREAD,
					(void *)ops, ops);
	mmap_write_unlock(current->mm);
	return vma;
}

/* As mremap() does it where there is room behind. */
int tree_extend(unsigned long addr, unsigned long len)
{
	VMA_ITERATOR(vmi, current->mm, addr);
	struct vm_area_struct *vma;

	mmap_write_lock(current->mm);
	vma = vma_next(&vmi);
	vma_iter_set(&vmi, vma->vm_end);
	vma = vma_merge_extend(&vmi, vma, len);
	mmap_write_unlock(current->mm);
	return vma ? 0 : -ENOMEM;
}

int tree_brk(unsigned long addr, unsigned long len)
{
	VMA_ITERATOR(vmi, current->mm, addr);
	struct vm_area_struct *before;
	int ret;

	mmap_write_lock(current->mm);
	before = vma_prev(&vmi);
	ret = do_brk_flags(&vmi, before, addr, len, FLAGS_FOR(do_brk_flags, 0, int,
			   struct vma_iterator *, struct vm_area_struct *,
			   unsigned long, unsigned long, vm_flags_t));
	mmap_write_unlock(current->mm);
	return ret;
}

int tree_dup_mmap(struct mm_struct *mm, struct mm_struct *oldmm)
{
	int ret = dup_mmap(mm, oldmm);

	shim_check(mm->scanned == !ret, "ksmd is told of a child that failed, or not of one that did not");
	return ret;
}

void tree_exit_mmap(struct mm_struct *mm)
{
	exit_mmap(mm);
}

static void __attribute__((constructor)) init(void)
{
	maple_tree_init();
	anon_vma_init();
#ifdef TREE_HAS_vma_state_init
	vma_state_init();
#else
	vm_area_cachep = shim_cache_create(sizeof(struct vm_area_struct), NULL);
	vma_lock_cachep = shim_cache_create(sizeof(struct vma_lock), NULL);
#endif
}
