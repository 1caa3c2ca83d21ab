// SPDX-License-Identifier: GPL-2.0
/* Model: see shim/mm.h. */
#include "vma_internal.h"
#include "harness/oracle/space.h"
#include "harness/test.h"

struct page shim_pages[NR_PFNS];
unsigned long highest_memmap_pfn = FIRST_PFN + NR_PFNS - 1;
unsigned long zero_pfn = FIRST_PFN, zero_page_pfn = FIRST_PFN;
int shim_swap_count[NR_SLOTS];
struct swap_info_struct shim_swap;
long shim_nr_tables, shim_nr_folios;
spinlock_t mmlist_lock;
struct mm_struct init_mm = { .mmlist = LIST_HEAD_INIT(init_mm.mmlist) };
bool always_resched;
long resched_asked, resched_given, batches;
int bad_ptes;
int shim_written, shim_lazy_mmu;
struct mm_struct *shim_charged;

void cond_resched(void)
{
	sched_point(NULL, SCHED_RESCHED);
	resched_given++;
	shim_check(!shim_locks_held, "the processor is given up under a lock");
}

int need_resched(void)
{
	resched_asked++;
	return always_resched;
}

/* The constructor of this cache has made the wait queues. */
static struct kmem_cache uffd_ctx_cache = {
	sizeof(struct userfaultfd_ctx), offsetof(struct userfaultfd_ctx, refcount), NULL
};
struct kmem_cache *userfaultfd_ctx_cachep = &uffd_ctx_cache;

/* Folios. */

struct folio *folio_new(int order)
{
	static unsigned long next = 1;
	unsigned long nr = 1UL << order;

	for (unsigned long tried = 0; tried < NR_PFNS; tried++, next++) {
		struct page *page = &shim_pages[next % NR_PFNS];
		unsigned long i;

		if (next % NR_PFNS == 0 || next % NR_PFNS % nr ||
		    next % NR_PFNS + nr > NR_PFNS)
			continue;
		for (i = 0; i < nr && !page[i].head; i++)
			;
		if (i < nr)
			continue;
		for (i = 0; i < nr; i++) {
			memset(page + i, 0, sizeof(*page));
			page[i].head = page;
			page[i]._mapcount.counter = -1;
		}
		page->_folio_nr_pages = nr;
		page->_large_mapcount.counter = -1;
		page->_entire_mapcount.counter = -1;
		page->_refcount.counter = 1;
		page->_flags_1 = order;
		next += nr;
		shim_nr_folios++;
		return (struct folio *)page;
	}
	test_say("the model has no page frame left");
	abort();
}

void folio_put(struct folio *folio)
{
	long nr = folio->_folio_nr_pages;

	sched_touch(&folio->_refcount, true);
	shim_check(folio->_refcount.counter > 0, "a folio is put that nobody holds");
	if (--folio->_refcount.counter)
		return;
	shim_nr_folios--;
	for (long i = 0; i < nr; i++) {
		struct page *page = folio_page(folio, i);

		shim_check(page->_mapcount.counter == -1,
			   "a folio is freed that is mapped");
		page->head = NULL;
		page->mapping = NULL;
	}
}

struct folio *vma_alloc_folio(gfp_t gfp, int order, struct vm_area_struct *vma,
			      unsigned long addr, ...)
{
	struct folio *folio = shim_alloc_fails() ? NULL : folio_new(order);

	(void)gfp;
	shim_check(addr >= vma->vm_start && addr < vma->vm_end,
		   "a folio for an address outside of its VMA");
	if (folio)
		folio->addr = addr;
	return folio;
}

struct folio *vma_alloc_zeroed_movable_folio(struct vm_area_struct *vma,
					     unsigned long addr)
{
	return vma_alloc_folio(GFP_HIGHUSER_MOVABLE, 0, vma, addr);
}

int mem_cgroup_charge(struct folio *folio, struct mm_struct *mm, gfp_t gfp)
{
	(void)folio;
	(void)gfp;
	shim_charged = mm;
	return shim_alloc_fails() ? -ENOMEM : 0;
}

bool folio_trylock(struct folio *folio)
{
	bool got;

	sched_point(&folio->locked, SCHED_LOCK);
	got = !folio->locked;
	folio->locked = true;
#ifdef SHIM_SCHED
	if (got)
		sched_took(&folio->locked, true);
#endif
	return got;
}

void folio_unlock(struct folio *folio)
{
	shim_check(folio->locked, "a folio is unlocked that is not locked");
	sched_touch(&folio->locked, true);
	folio->locked = false;
#ifdef SHIM_SCHED
	sched_gave(&folio->locked);
	sched_wake(&folio->locked);
	sched_point(&folio->locked, SCHED_UNLOCK);
#endif
}

void folio_lock(struct folio *folio)
{
	shim_check(!shim_locks_held, "a folio is locked under a spinning lock");
	sched_point(&folio->locked, SCHED_LOCK);
#ifdef SHIM_SCHED
	while (folio->locked)
		sched_block(&folio->locked);
	sched_took(&folio->locked, true);
#endif
	shim_check(!folio->locked, "a folio is locked by nobody, and for ever");
	folio->locked = true;
}

bool shim_is_shared(const struct folio *folio)
{
	for (unsigned long i = 0; i < folio->_folio_nr_pages; i++)
		if (folio_page(folio, i)->_mapcount.counter > 0)
			return true;
	return false;
}

int shim_split_patience;

int split_folio(struct folio *folio)
{
	long nr = folio->_folio_nr_pages;

	shim_check(folio->locked, "a folio is split that is not locked");
	if (folio_ref_count(folio) != folio_mapcount(folio) + 1) {
		/* Who tries for ever is killed, as by a user who waits no longer. */
		if (shim_split_patience && !--shim_split_patience)
			shim_killed = true;
		return -EAGAIN;
	}
	for (long i = nr - 1; i >= 0; i--) {
		struct page *page = folio_page(folio, i);

		page->head = page;
		page->_folio_nr_pages = 1;
		page->_flags_1 = 0;
		page->_large_mapcount.counter = page->_entire_mapcount.counter = -1;
		page->dirty = folio->dirty;
		page->swapbacked = folio->swapbacked;
		page->on_lru = folio->on_lru;
		page->_refcount.counter = page->_mapcount.counter + 2;
		shim_nr_folios += i > 0;
		if (i)
			folio_put((struct folio *)page);
	}
	return 0;
}

int copy_mc_user_highpage(struct page *to, struct page *from,
			  unsigned long addr, struct vm_area_struct *vma)
{
	(void)addr;
	(void)vma;
	if (from->poisoned)
		return -EFAULT;
	to->content = from->content;
	return 0;
}

void folio_add_new_anon_rmap(struct folio *folio, struct vm_area_struct *vma,
			     unsigned long addr, rmap_t flags)
{
	shim_check(folio->addr == addr, "a folio for another address is used");
	shim_check(folio->_folio_nr_pages == 1, "a large folio is copied");
	shim_check(folio->_mapcount.counter == -1, "a new folio is mapped");
	folio->_mapcount.counter = 0;
	folio->mapping = (char *)vma->anon_vma + PAGE_MAPPING_ANON;
	folio->index = shim_anon_index(vma, addr);
	folio->anon = folio->swapbacked = true;
	if (flags & RMAP_EXCLUSIVE)
		SetPageAnonExclusive(&folio->page);
}

void folio_add_anon_rmap_pte(struct folio *folio, struct page *page,
			     struct vm_area_struct *vma, unsigned long addr,
			     rmap_t flags)
{
	(void)vma;
	(void)addr;
	shim_check(flags == RMAP_NONE || flags == RMAP_EXCLUSIVE,
		   "a flag that the model does not know");
	if (flags & RMAP_EXCLUSIVE)
		SetPageAnonExclusive(page);
	atomic_inc(&page->_mapcount);
	if (folio_test_large(folio))
		atomic_inc(&folio->_large_mapcount);
}

void folio_remove_rmap_ptes(struct folio *folio, struct page *page, int nr,
			    struct vm_area_struct *vma)
{
	(void)vma;
	if (folio_test_large(folio))
		atomic_sub(nr, &folio->_large_mapcount);
	for (; nr--; page++) {
		shim_check(page->_mapcount.counter >= 0,
			   "a page is unmapped that is not mapped");
		atomic_dec(&page->_mapcount);
	}
}

int folio_mapcount(const struct folio *folio)
{
	sched_point(&folio->_mapcount, SCHED_READ);
	return 1 + (folio_test_large(folio) ? folio->_large_mapcount.counter :
		    folio->_mapcount.counter);
}

void folio_add_lru_vma(struct folio *folio, struct vm_area_struct *vma)
{
	(void)vma;
	shim_check(!folio->on_lru, "a folio is put on the LRU twice");
	folio->on_lru = true;
}

void print_bad_pte(struct vm_area_struct *vma, unsigned long addr, pte_t pte,
		   struct page *page)
{
	(void)vma;
	(void)page;
	if (bad_ptes && bad_ptes--)
		return;
	test_fail(__FILE__, __LINE__, "bad PTE at %#lx: %#llx", addr,
		  (unsigned long long)pte_val(pte));
}

/* Swap. A slot's count has room for a few; beyond that it takes memory. */
#define ROOM	3
static int slot_room[NR_SLOTS];

static int slot_of(swp_entry_t entry)
{
	shim_check(swp_offset(entry) < NR_SLOTS, "a swap slot that is none");
	return swp_offset(entry) % NR_SLOTS;
}

static int slot_dup(swp_entry_t entry)
{
	int slot = slot_of(entry);

	sched_touch(&shim_swap_count[slot], true);
	shim_check(shim_swap_count[slot], "a free swap slot is shared");
	if (shim_swap_count[slot] >= ROOM + slot_room[slot])
		return -ENOMEM;
	shim_swap_count[slot]++;
	return 0;
}

static int slot_more_room(swp_entry_t entry)
{
	if (shim_alloc_fails())
		return -ENOMEM;
	slot_room[slot_of(entry)] += ROOM;
	return 0;
}

int swap_duplicate(swp_entry_t entry)
{
	return slot_dup(entry);
}

void swap_put_entries_direct(swp_entry_t entry, int nr)
{
	for (int slot = slot_of(entry); nr--; slot++) {
		sched_touch(&shim_swap_count[slot % NR_SLOTS], true);
		shim_check(shim_swap_count[slot % NR_SLOTS] > 0,
			   "a free swap slot is freed");
		shim_swap_count[slot % NR_SLOTS]--;
	}
}

int swap_dup_entry_direct(swp_entry_t entry)
{
	return slot_dup(entry);
}

int add_swap_count_continuation(swp_entry_t entry, gfp_t gfp)
{
	(void)gfp;
	return slot_more_room(entry);
}

int swap_retry_table_alloc(swp_entry_t entry, gfp_t gfp)
{
	(void)gfp;
	return slot_more_room(entry);
}

void shim_reset(void)
{
	memset(shim_swap_count, 0, sizeof(shim_swap_count));
	memset(slot_room, 0, sizeof(slot_room));
	shim_charged = NULL;
	shim_pfns_tracked = 0;
}

/* Reclaim. */

unsigned int shim_reclaimed;
bool shim_files_of_another;

bool folio_isolate_lru(struct folio *folio)
{
	if (!folio->on_lru)
		return false;
	folio_get(folio);
	folio->on_lru = false;
	return true;
}

void reclaim_pages(struct list_head *folios)
{
	struct folio *folio, *next;

	list_for_each_entry_safe(folio, next, folios, lru) {
		list_del(&folio->lru);
		shim_reclaimed += folio_nr_pages(folio);
		folio->on_lru = true;
		folio_put(folio);
	}
}

/* Page tables. */

struct table *shim_table_alloc(struct mm_struct *mm)
{
	struct table *table = aligned_alloc(PAGE_SIZE, sizeof(*table));

	if (!table)
		abort();
	access_allocated(table, sizeof(table->pte));
	memset(table, 0, sizeof(*table));
	table->mm = mm;
	shim_nr_tables++;
	return table;
}

void shim_table_free(void *table)
{
	shim_nr_tables--;
	((struct table *)table)->mm = NULL;
	for (int i = 0; i < PTRS_PER_PTE; i++)
		sched_touch(&((struct table *)table)->pte[i], true);
	access_freed(table, sizeof(((struct table *)table)->pte));
	free(table);
}

void (*shim_table_wanted)(struct mm_struct *mm);

void *shim_table_alloc_one(struct mm_struct *mm)
{
	if (shim_table_wanted)
		shim_table_wanted(mm);
	return shim_alloc_fails() ? NULL : shim_table_alloc(mm);
}

int __p4d_alloc(struct mm_struct *mm, pgd_t *pgd, unsigned long addr)
{
	(void)mm;
	(void)pgd;
	(void)addr;
	shim_check(false, "a P4D is allocated where it is folded");
	return -ENOMEM;
}

#ifndef SHIM_SCHED			/* else the tree's: see sched/file.c */
pte_t *pte_offset_map_rw_nolock(struct mm_struct *mm, pmd_t *pmd,
				unsigned long addr, pmd_t *pmdvalp,
				spinlock_t **ptlp)
{
	pte_t *ptep;

	if (pmd_none(*pmd))
		return NULL;
	*pmdvalp = *pmd;
	rcu_read_lock();
	ptep = pte_offset_kernel(pmd, addr);
	shim_check(table_of(ptep)->mm == mm, "a page table of another mm");
	*ptlp = &table_of(ptep)->ptl;
	return ptep;
}

pte_t *__pte_offset_map(pmd_t *pmd, unsigned long addr, pmd_t *pmdvalp)
{
	if (pmd_none(*pmd))
		return NULL;
	if (pmdvalp)
		*pmdvalp = *pmd;
	rcu_read_lock();
	return pte_offset_kernel(pmd, addr);
}

pte_t *pte_offset_map_nolock(struct mm_struct *mm, pmd_t *pmd,
			     unsigned long addr, spinlock_t **ptlp)
{
	pmd_t pmdval;

	return pte_offset_map_rw_nolock(mm, pmd, addr, &pmdval, ptlp);
}

pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd,
			   unsigned long addr, spinlock_t **ptlp)
{
	pte_t *ptep = pte_offset_map_nolock(mm, pmd, addr, ptlp);

	if (ptep) {
		spin_lock(*ptlp);
		shim_written = 0;
	}
	return ptep;
}
#endif

int shim_pfns_tracked;

#ifdef TREE_HAS_track_pfn_copy
static struct vm_area_struct *tracked;

int track_pfn_copy(struct vm_area_struct *dst_vma,
		   struct vm_area_struct *src_vma, unsigned long *pfn)
{
	shim_check(dst_vma->vm_mm != src_vma->vm_mm, "a PFN range is its own copy");
	if (shim_alloc_fails())
		return -ENOMEM;
	tracked = dst_vma;
	*pfn = ++shim_pfns_tracked;
	return 0;
}

void untrack_pfn_copy(struct vm_area_struct *dst_vma, unsigned long pfn)
{
	shim_check(dst_vma == tracked && pfn == (unsigned long)shim_pfns_tracked,
		   "a PFN range is untracked that was not tracked last");
	shim_pfns_tracked--;
}
#endif

int copy_huge_pmd(struct mm_struct *dst_mm, struct mm_struct *src_mm,
		  pmd_t *dst_pmd, pmd_t *src_pmd, unsigned long addr,
		  struct vm_area_struct *dst_vma,
		  struct vm_area_struct *src_vma)
{
	(void)dst_mm; (void)src_mm; (void)dst_pmd; (void)src_pmd;
	(void)addr; (void)dst_vma; (void)src_vma;
	shim_check(false, "a huge PMD, where the model has none");
	return 0;
}

int copy_huge_pud(struct mm_struct *dst_mm, struct mm_struct *src_mm,
		  pud_t *dst_pud, pud_t *src_pud, unsigned long addr,
		  struct vm_area_struct *vma)
{
	(void)dst_mm; (void)src_mm; (void)dst_pud; (void)src_pud;
	(void)addr; (void)vma;
	shim_check(false, "a huge PUD, where the model has none");
	return 0;
}

int copy_hugetlb_page_range(struct mm_struct *dst_mm, struct mm_struct *src_mm,
			    struct vm_area_struct *dst_vma,
			    struct vm_area_struct *src_vma)
{
	(void)dst_mm; (void)src_mm; (void)dst_vma; (void)src_vma;
	shim_check(false, "a hugetlb VMA, where the model has none");
	return 0;
}
