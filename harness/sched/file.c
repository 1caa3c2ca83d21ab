// SPDX-License-Identifier: GPL-2.0
/*
 * The tree's truncation and khugepaged, as far as page tables and locks go, and how a
 * page table is looked up while it may be removed. The page cache is the model's.
 */
#include "harness/sched/file.h"
#include "file/has.h"

#define CONFIG_SHMEM 1
#define folio_needs_release(...)	false
#define folio_invalidate(...)		do { } while (0)
#define folio_cancel_dirty(folio)	((void)((folio)->dirty = false))
#define folio_clear_mappedtodisk(...)	do { } while (0)
#define is_pmd_migration_entry(...)	false
#define is_pmd_order(order)		((order) == HPAGE_PMD_ORDER)
#define TVA_FORCED_COLLAPSE		0
#define thp_vma_allowable_order(...)	true
#define set_huge_pmd(...)		0
#define __pte_map(pmdp, addr)		pte_offset_kernel(pmdp, addr)
#define pte_lockptr(mm, pmdp)		(&((struct table *)pmd_page_vaddr(*(pmdp)))->ptl)
#define pmdp_get_lockless_start()	0
#define pmdp_get_lockless_end(...)	do { } while (0)
#define pmdp_get_lockless_sync()	do { } while (0)
#define page_table_check_pte_clear_range(...)	do { } while (0)
#define page_table_check_pte_clear(...)	do { } while (0)

static __no_kcsan void table_free_now(struct rcu_head *head)
{
	shim_table_free(container_of(head, struct table, rcu_head));
}

/* A page table that is removed is empty, and stays until nobody can look at it. */
bool tree_loses_tables;
long tree_lost_tables;

static __no_kcsan void pte_free_defer(struct mm_struct *mm, struct table *table)
{
	bool empty = true;

	(void)mm;
	for (int i = 0; i < PTRS_PER_PTE; i++)
		empty = empty && !table->pte[i].pte;
	if (!empty && tree_loses_tables)
		tree_lost_tables++;
	else
		shim_check(empty, "a page table is removed that is not empty");
	call_rcu(&table->rcu_head, table_free_now);
}

static __no_kcsan pmd_t pmdp_collapse_flush(struct vm_area_struct *vma, unsigned long addr,
				 pmd_t *pmdp)
{
	pmd_t pmd;

	(void)addr;
	sched_point(pmdp, SCHED_WRITE);
	shim_check(shim_holds(&vma->vm_mm->page_table_lock),
		   "a page table is removed without the PMD's lock");
	pmd = *pmdp;
	pmd_clear(pmdp);
	return pmd;
}

void unmap_mapping_pages(struct address_space *mapping, pgoff_t start, pgoff_t nr,
			 bool even_cows);

static __no_kcsan void filemap_remove_folio(struct folio *folio)
{
	struct address_space *mapping = folio->mapping;

	shim_check(folio->locked, "a page leaves the page cache unlocked");
	sched_touch(&mapping->folio[folio->index], true);
	mapping->folio[folio->index] = NULL;
	folio->mapping = NULL;
	folio_put(folio);
}

static __no_kcsan struct folio *lock_folio(struct address_space *mapping, unsigned long index)
{
	struct folio *folio = mapping->folio[index];

	sched_touch(&mapping->folio[index], false);
	if (!folio)
		return NULL;
	folio_get(folio);
	folio_lock(folio);
	if (folio->mapping == mapping)
		return folio;
	folio_unlock(folio);
	folio_put(folio);
	return NULL;
}

#define filemap_lock_folio(mapping, index)	(lock_folio(mapping, index) ?: ERR_PTR(-ENOENT))

#pragma GCC diagnostic push
#include "harness/shim/quiet.h"
#include "file/include/linux/mm.h"
#include "file/include/linux/pgtable.h"
#include "file/mm/pgtable-generic.c"
#ifdef TREE_HAS___pte_offset_map_lock
pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd, unsigned long addr,
			   spinlock_t **ptlp)
{
	return __pte_offset_map_lock(mm, pmd, addr, ptlp);
}
#endif
#include "file/mm/truncate.c"
#include "file/mm/khugepaged.c"
#pragma GCC diagnostic pop

static __no_kcsan void release(struct folio *folio)
{
	folio_unlock(folio);
	folio_put(folio);
}

/* As shmem_undo_range() and truncate_inode_pages_range() do it for whole pages. */
static __no_kcsan void remove_pages(struct address_space *mapping, unsigned long first,
			 unsigned long end)
{
	for (unsigned long i = first; i < end; i++) {
		struct folio *folio = lock_folio(mapping, i);

		if (!folio)
			continue;
		truncate_inode_folio(mapping, folio);
		release(folio);
		cond_resched();
	}
}

void __no_kcsan tree_punch_hole(struct file *file, unsigned long first, unsigned long nr)
{
	struct address_space *mapping = file->f_mapping;

	down_write(&mapping->host->i_rwsem);
	unmap_mapping_range(mapping, first << PAGE_SHIFT, nr << PAGE_SHIFT, 0);
	remove_pages(mapping, first, first + nr);
	up_write(&mapping->host->i_rwsem);
}

void __no_kcsan tree_truncate(struct file *file, unsigned long pages)
{
	struct address_space *mapping = file->f_mapping;

	down_write(&mapping->host->i_rwsem);
	WRITE_ONCE(mapping->host->i_pages, pages);
	unmap_mapping_range(mapping, pages << PAGE_SHIFT, 0, 1);
	remove_pages(mapping, pages, FILE_PAGES);
	unmap_mapping_range(mapping, pages << PAGE_SHIFT, 0, 1);
	up_write(&mapping->host->i_rwsem);
}

void __no_kcsan tree_collapse_file(struct file *file, unsigned long first)
{
	struct address_space *mapping = file->f_mapping;
	struct folio *locked[PTRS_PER_PTE];

	for (int i = 0; i < PTRS_PER_PTE; i++)
		while (!(locked[i] = lock_folio(mapping, first + i)))
			shim_cached(mapping, first + i);
	for (int i = 0; i < PTRS_PER_PTE; i++)
		if (folio_mapped(locked[i]))
			unmap_mapping_pages(mapping, first + i, 1, false);
	retract_page_tables(mapping, first);
	for (int i = 0; i < PTRS_PER_PTE; i++)
		release(locked[i]);
}

void __no_kcsan tree_collapse_ptes(struct mm_struct *mm, unsigned long addr)
{
	mmap_read_lock(mm);
	collapse_pte_mapped_thp(mm, addr, false);
	mmap_read_unlock(mm);
}
