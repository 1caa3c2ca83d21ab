/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shim header. It has the include guard of the kernel's header of that name
 * in mm/, and so stands in for it where a source file is included as it is. The
 * models of harness/shim/ and what harness/import/ took from the tree, each
 * after what it needs.
 */
#ifndef __MM_VMA_INTERNAL_H
#define __MM_VMA_INTERNAL_H

#include "harness/shim/config.h"
#include "vma/has.h"
#include "pgtable/has.h"
#include "mm/has.h"
#include "fork/has.h"
#include "mmap/has.h"
#include "change/has.h"
#include "harness/shim/kernel.h"
#include "harness/shim/lock.h"

#pragma GCC diagnostic push
#include "harness/shim/quiet.h"

#include "maple/include/linux/xarray.h"
#include "maple/include/linux/maple_tree.h"
#include "mmap/include/linux/sched/coredump.h"
#include "harness/shim/pgtable.h"
#include "pgtable/include/asm-generic/pgtable-nop4d.h"
#include "pgtable/include/linux/mm_types.h"
#include "mm/include/linux/mm_types_task.h"
#include "mm/include/linux/mm_types.h"
#include "harness/shim/mm.h"
#include "vma/include/linux/mm_types.h"
#include "vma/include/linux/vma_flags.h"
#include "vma/include/linux/mm.h"
#include "pgtable/include/linux/pgtable.h"
#include "pgtable/include/linux/swap.h"
#include "pgtable/include/linux/swapops.h"
#include "pgtable/include/linux/leafops.h"
#include "vma/include/linux/pagemap.h"
#include "vma/include/linux/hugetlb_inline.h"
#include "vma/include/linux/userfaultfd_k.h"
#include "pgtable/include/linux/mm_inline.h"
#include "mm/include/linux/mm.h"
#include "mmap/include/linux/rmap.h"
#include "mm/include/linux/rmap.h"
#include "mm/mm/internal.h"
#include "harness/shim/stubs/nothing.h"
#include "mmap/include/linux/kref.h"
#include "mmap/include/uapi/linux/userfaultfd.h"
#include "mmap/include/linux/refcount.h"
#include "mmap/include/linux/mm_types.h"
#include "harness/shim/vma.h"
#include "mmap/include/linux/pgtable.h"
#include "mmap/include/asm-generic/pgtable_uffd.h"
#include "mmap/include/uapi/asm-generic/mman-common.h"
#include "mmap/include/uapi/asm-generic/mman.h"
#include "mmap/include/uapi/linux/mman.h"
#include "mmap/include/linux/mm.h"
#include "mmap/include/linux/mman.h"
#include "mmap/include/linux/pagemap.h"
#include "mmap/include/linux/pagewalk.h"
#include "mmap/include/linux/userfaultfd_k.h"
#include "mmap/include/linux/mm_inline.h"
#include "mmap/mm/internal.h"
#include "mmap/mm/vma.h"

#pragma GCC diagnostic pop

#ifdef SHIM_SCHED
/* Who has no lock uses ptep_get_lockless(): a PTE may be of two words. */
static inline pte_t sched_ptep_get(pte_t *ptep)
{
	shim_check(shim_holds(&table_of(ptep)->ptl), "a PTE is read without its lock");
	return ptep_get(ptep);
}

#define ptep_get_lockless(ptep)	((ptep_get)(ptep))
#define ptep_get(ptep)		sched_ptep_get(ptep)
#endif

/* Declared by the kernel in headers that are not taken: rmap, then fork. */
void folio_add_new_anon_rmap(struct folio *folio, struct vm_area_struct *vma,
			     unsigned long addr, rmap_t flags);
void folio_add_anon_rmap_pte(struct folio *folio, struct page *page,
			     struct vm_area_struct *vma, unsigned long addr,
			     rmap_t flags);
bool can_change_pte_writable(struct vm_area_struct *vma, unsigned long addr,
			     pte_t pte);
int dup_userfaultfd(struct vm_area_struct *vma, struct list_head *fcs);
void dup_userfaultfd_fail(struct list_head *fcs);
int copy_page_range(struct vm_area_struct *dst_vma,
		    struct vm_area_struct *src_vma);
struct page *vm_normal_page(struct vm_area_struct *vma, unsigned long addr,
			    pte_t pte);

#endif
