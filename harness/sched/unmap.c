// SPDX-License-Identifier: GPL-2.0
/*
 * The tree's reclaim and migration, as far as page tables and the rmap go. The swap
 * cache is the model's: a slot has the page's content as soon as an entry points to it.
 */
#include "harness/sched/unmap.h"
#include "rmap/has.h"

/* page_vma_mapped_walk() of 6.12 reads a PTE, and looks again once it has the lock. */
#undef ptep_get

#undef CONFIG_DEVICE_PRIVATE

#define hugetlb_walk(...)		NULL
#define huge_pte_lock(...)		NULL
#define huge_ptep_get(...)		__pte(0)
#define huge_ptep_clear_flush(...)	__pte(0)
#define set_huge_pte_at(...)		do { } while (0)
#define huge_pmd_unshare(...)		0
#define huge_pmd_unshare_flush(...)	do { } while (0)
#define hugetlb_vma_trylock_write(...)	0
#define hugetlb_vma_unlock_write(...)	do { } while (0)
#define hugetlb_try_share_anon_rmap(...)	0
#define hugetlb_remove_rmap(...)	do { } while (0)
#define hugetlb_count_sub(...)		do { } while (0)
#define adjust_range_if_pmd_sharing_possible(...)	do { } while (0)
#define tlb_gather_mmu_vma(tlb, vma)	tlb_gather_mmu(tlb, (vma)->vm_mm)
#define pages_per_huge_page(...)	1
#define is_pmd_migration_entry(...)	false
#define softleaf_from_pmd(...)		((softleaf_t){ 0 })
#define pmd_to_swp_entry(...)		((swp_entry_t){ 0 })
#define is_migration_entry_pmd(...)	false
#define pmd_pfn(...)			0
#define thp_vma_suitable_order(...)	false
#define transhuge_vma_suitable(...)	false
#define split_huge_pmd_locked(...)	do { } while (0)
#define split_huge_pmd_address(...)	do { } while (0)
#define unmap_huge_pmd_locked(...)	false
#define set_pmd_migration_entry(...)	0
#define remove_migration_pmd(...)	do { } while (0)
#define try_to_map_unused_to_zeropage(...)	false
#define try_to_unmap_poisoned_hugetlb_one	try_to_unmap_one
#define rmap_walk_ksm(...)		do { } while (0)
#define mlock_vma_folio(...)		do { } while (0)
#define mlock_drain_local()		do { } while (0)
#define folio_test_hwpoison(...)	false
#define make_hwpoison_entry(...)	((swp_entry_t){ 0 })
#define is_hwpoison_entry(...)		false
#define pte_unused(...)			false
#define arch_unmap_one(...)		0
#define flush_cache_page(...)		do { } while (0)
#define should_defer_flush(...)		false
#define set_tlb_ubc_flush_pending(...)	do { } while (0)
#define trace_set_migration_pte(...)	do { } while (0)
#define trace_remove_migration_pte(...)	do { } while (0)
#define trace_tlb_flush(...)		do { } while (0)
#define compound_order(...)		0
#define folio_set_swapbacked(f)		((void)((f)->swapbacked = true))
#define folio_put_refs(f, nr)		folio_put(f)
#define is_device_private_page(...)	false
#define dec_mm_counter(mm, member)	add_mm_counter(mm, member, -1)
#define inc_mm_counter(mm, member)	add_mm_counter(mm, member, 1)
#define vma_is_temporary_stack(...)	false
#define folio_is_device_coherent(...)	false
#define VM_BUG_ON_PAGE(condition, ...)	((void)shim_warn_on(condition))
/* There is one processor. */
#define smp_mb__after_atomic()		do { } while (0)
#define make_writable_device_private_entry(...)	((swp_entry_t){ 0 })
#define folio_anon_vma(f)						\
	((f)->anon ? (struct anon_vma *)((unsigned long)(f)->mapping & ~3UL) : NULL)

#define page_swap_entry(page)	swp_entry(0, page_folio(page)->slot)

static struct folio *swap_cache[NR_SLOTS];

static __no_kcsan int dup_entry(swp_entry_t entry)
{
	/* Under the page table's lock, and no longer mapped there. */
	shim_slot_content[swp_offset(entry)] = swap_cache[swp_offset(entry)]->content;
	return swap_duplicate(entry);
}

#define folio_dup_swap(folio, page)	dup_entry(swp_entry(0, (folio)->slot))
#define folio_put_swap(folio, page)	swap_put_entries_direct(swp_entry(0, (folio)->slot), 1)
#define swap_free(entry)		swap_put_entries_direct(entry, 1)
#define swap_duplicate(entry)		dup_entry(entry)

#pragma GCC diagnostic push
#include "harness/shim/quiet.h"
#include "rmap/include/linux/swapops.h"
#include "rmap/include/linux/fs.h"
#include "rmap/include/linux/pagemap.h"
#include "rmap/include/linux/rmap.h"
#include "rmap/mm/internal.h"
#include "rmap/mm/page_vma_mapped.c"
#include "rmap/mm/rmap.c"
#include "rmap/mm/migrate.c"
#pragma GCC diagnostic pop

/* As from an LRU: whether it is in use, and locked. It may have been freed, and reused. */
static __no_kcsan bool get_folio(struct folio *folio)
{
	if (!folio || !atomic_inc_not_zero(&folio->_refcount))
		return false;
	folio_lock(folio);
	if (folio->mapping)
		return true;
	folio_unlock(folio);
	folio_put(folio);
	return false;
}

void __no_kcsan tree_reclaim(struct folio *folio)
{
	if (!get_folio(folio))
		return;
	if (folio->anon) {
		folio->slot = shim_swap_slot();
		swap_cache[folio->slot] = folio;
	}
	try_to_unmap(folio, 0);
	if (folio->anon) {
		swap_put_entries_direct(swp_entry(0, folio->slot), 1);
		folio->slot = 0;
	}
	folio_unlock(folio);
	folio_put(folio);
}

/* Nobody else has a reference: the new folio takes the place of the old one. */
static __no_kcsan bool replace(struct folio *folio, struct folio *new)
{
	struct address_space *mapping = folio->mapping;

	sched_point(&folio->_refcount, SCHED_ATOMIC);
	if (folio->_refcount.counter != 2 - folio->anon || !folio->mapping)
		return false;
	new->content = folio->content;
	new->anon = folio->anon;
	new->swapbacked = folio->swapbacked;
	new->mapping = folio->mapping;
	new->index = folio->index;
	if (folio->anon)
		return true;
	sched_touch(&mapping->folio[folio->index], true);
	mapping->folio[folio->index] = new;
	folio_get(new);
	folio->mapping = NULL;
	folio_put(folio);
	return true;
}

void __no_kcsan tree_migrate(struct folio *folio)
{
	struct anon_vma *anon_vma = NULL;
	struct folio *new;

	if (!get_folio(folio))
		return;
	/* While it is mapped nowhere, nobody else keeps that. */
	if (folio->anon) {
		anon_vma = folio_get_anon_vma(folio);
		if (!anon_vma) {
			folio_unlock(folio);
			folio_put(folio);
			return;
		}
	}
	new = folio_new(0);
	folio_lock(new);
	try_to_migrate(folio, 0);
	if (!folio_mapped(folio) && replace(folio, new))
		remove_migration_ptes(folio, new, 0);
	else
		remove_migration_ptes(folio, folio, 0);
	if (anon_vma)
		put_anon_vma(anon_vma);
	folio_unlock(new);
	folio_put(new);
	folio_unlock(folio);
	folio_put(folio);
}
