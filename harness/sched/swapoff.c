// SPDX-License-Identifier: GPL-2.0
/*
 * The tree's swapoff, as far as a process's page tables go. The swap cache is the model's:
 * a page is read into it once, and is in it until nobody has the slot any more, or the end.
 */
#include "harness/sched/unmap.h"
#include "swapoff/has.h"

static struct folio *swap_cache[NR_SLOTS];

static __no_kcsan struct folio *swap_cache_get(swp_entry_t entry)
{
	struct folio **cached = &swap_cache[swp_offset(entry)];

	sched_touch(cached, false);
	if (*cached)
		folio_get(*cached);
	return *cached;
}

static __no_kcsan struct folio *swap_in(swp_entry_t entry, unsigned long addr)
{
	struct folio *folio = folio_new(0);

	folio->swapbacked = true;
	folio->addr = addr;
	folio->slot = swp_offset(entry);
	folio->content = shim_slot_content[folio->slot];
	sched_touch(&swap_cache[folio->slot], true);
	swap_cache[folio->slot] = folio;
	folio_get(folio);
	return folio;
}

static __no_kcsan void drop_cached(unsigned int slot)
{
	struct folio *folio = swap_cache[slot];

	sched_touch(&swap_cache[slot], true);
	swap_cache[slot] = NULL;
	folio->slot = 0;
	folio_put(folio);
}

static __no_kcsan void free_swap(struct folio *folio)
{
	if (folio->slot && !shim_swap_count[folio->slot])
		drop_cached(folio->slot);
}

#undef swap_cache_get_folio
#define swap_cache_get_folio(entry, ...)	swap_cache_get(entry)
#define swapin_readahead(entry, gfp, vmf)	swap_in(entry, (vmf)->address)
#define folio_matches_swap_entry(folio, entry)	((folio)->slot == swp_offset(entry))
#undef folio_free_swap
#define folio_free_swap(folio)		free_swap(folio)
#define swap_free(entry)		swap_put_entries_direct(entry, 1)
#define folio_put_swap(folio, page)	swap_put_entries_direct(swp_entry(0, (folio)->slot), 1)
/* A folio is always read; memory does not run out here. */
#define __swap_entry_to_cluster(...)	NULL
#define swp_cluster_offset(...)		0
#define swap_table_get(...)		0
#define swp_tb_get_count(...)		0
#define SWAP_MAP_BAD			0
struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long address, real_address;
	pmd_t *pmd;
};
static struct swap_info_struct *swap_info[1] __maybe_unused;

#define ksm_might_need_to_copy(folio, ...)	(folio)
#define make_hwpoison_entry(...)	((swp_entry_t){ 0 })
#define make_poisoned_swp_entry()	((swp_entry_t){ 0 })
#define folio_test_uptodate(...)	true
#define folio_test_writeback(...)	false
#define folio_wait_writeback(...)	do { } while (0)
#define arch_swap_restore(...)		do { } while (0)
#define folio_swap(entry, ...)		(entry)
#define dec_mm_counter(mm, member)	add_mm_counter(mm, member, -1)
#define check_stable_address_space(...)	0
#ifndef GFP_HIGHUSER_MOVABLE
#define GFP_HIGHUSER_MOVABLE		0
#endif

#pragma GCC diagnostic push
#include "harness/shim/quiet.h"
#include "swapoff/mm/swapfile.c"
#pragma GCC diagnostic pop

void __no_kcsan tree_swapoff(struct mm_struct *mm)
{
	unuse_mm(mm, 0);
	/* Others may have a slot still; the cache lets go of it all the same. */
	for (int slot = 0; slot < NR_SLOTS; slot++)
		if (swap_cache[slot])
			drop_cached(slot);
}
