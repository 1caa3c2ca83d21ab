/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model: the memory manager's objects that fork() shares or makes, and what of
 * them can be got wrong: reference and map counts, RSS, locks, the pairing of
 * notifier and seqcount, allocations that fail.
 */
#ifndef SHIM_MM_H
#define SHIM_MM_H

#pragma push_macro("inline")
#define inline	SHIM_INLINE

struct vm_area_struct;
struct mm_struct;

#define VM_BUG_ON(condition)		((void)shim_warn_on(condition))
#define VM_BUG_ON_VMA(condition, ...)	((void)shim_warn_on(condition))
#define VM_BUG_ON_FOLIO(condition, ...)	((void)shim_warn_on(condition))
#define VM_WARN_ON_FOLIO(condition, ...)	((void)shim_warn_on(condition))

#define EHWPOISON	133

#define swap_migration_ad_supported	false

void cond_resched(void);
int need_resched(void);

/* Writers of page tables make this odd, so that GUP-fast stays away. */
typedef struct { unsigned int sequence; } seqcount_t;
#define raw_read_seqcount(s) ({						\
	sched_point(s, SCHED_READ);					\
	shim_marked((s)->sequence);					\
})
#define raw_write_seqcount_begin(s)	((void)(s)->sequence++)
#define raw_write_seqcount_end(s)	((void)(s)->sequence++)

struct percpu_counter { long count; };

static inline long percpu_counter_read_positive(const struct percpu_counter *counter)
{
	return counter->count;
}

static inline void percpu_counter_add(struct percpu_counter *counter, long n)
{
	counter->count += n;
}

#define percpu_counter_sum_positive	percpu_counter_read_positive

struct mm_struct {
	pgd_t *pgd;
	spinlock_t page_table_lock;
	seqcount_t write_protect_seq;
	atomic_long_t pgtables_bytes;
	unsigned long flags;
	struct percpu_counter rss_stat[NR_MM_COUNTERS];
	struct list_head mmlist;
	struct maple_tree mm_mt;
	struct rw_semaphore mmap_lock;
#ifdef SHIM_SCHED
	seqcount_t mm_lock_seq;
	struct rcuwait { int woken; } vma_writer_wait;
#else
	unsigned int mm_lock_seq;	/* goes on when that lock is dropped */
#endif
	int map_count;
	atomic_t mm_users;
	unsigned long task_size;
	unsigned long total_vm, locked_vm, data_vm, exec_vm, stack_vm;
	unsigned long hiwater_rss, hiwater_vm;
	union {
		vm_flags_t def_flags;
#ifdef TREE_HAS_vma_flags_t
		vma_flags_t def_vma_flags;
#endif
	};
	unsigned long start_brk, brk, end_data, start_data, start_stack;
	int grabbed;			/* mmgrab() */
	bool scanned;			/* ksmd and khugepaged know of it */
	int notifying;			/* between range_start and range_end */
#define NOTIFIED	4
	const struct mmu_notifier_range *notified[NOTIFIED];
	bool stale_tlb;			/* a permission was taken, and no TLB flushed */
	unsigned long stale_start, stale_end;	/* entries were taken, and none flushed there */
};

/*
 * What a processor may have in its TLB still, though the PTE is another: from the first to
 * the last of it. Threads are not followed.
 */
static inline void shim_tlb_stale(struct mm_struct *mm, unsigned long addr)
{
#ifndef SHIM_SCHED
	if (mm->stale_start == mm->stale_end)
		mm->stale_start = mm->stale_end = addr;
	mm->stale_start = min(mm->stale_start, addr);
	mm->stale_end = max(mm->stale_end, addr + PAGE_SIZE);
	shim_tlb_owed = true;
#endif
}

static inline void shim_tlb_flush(struct mm_struct *mm, unsigned long start, unsigned long end)
{
#ifndef SHIM_SCHED
	if (start <= mm->stale_start && end >= mm->stale_end)
		mm->stale_start = mm->stale_end = 0;
	else if (start <= mm->stale_start && end > mm->stale_start)
		mm->stale_start = end;
	else if (end >= mm->stale_end && start < mm->stale_end)
		mm->stale_end = start;
	shim_tlb_owed = mm->stale_start != mm->stale_end;
#endif
}

#define mm_flags_set(flag, mm)		__set_bit(flag, &(mm)->flags)
#define mm_flags_test(flag, mm)		test_bit(flag, &(mm)->flags)
#define trace_rss_stat(...)		do { } while (0)
void mm_trace_rss_stat(struct mm_struct *mm, int member);
void vma_assert_write_locked(struct vm_area_struct *vma);
extern struct mm_struct init_mm;
extern spinlock_t mmlist_lock;

/* Which VMA is being changed, and who else might read it: see vma_start_write(). */
void vma_start_write(struct vm_area_struct *vma);
void vma_set_page_prot(struct vm_area_struct *vma);
#define mmgrab(mm)			((void)(mm)->grabbed++)
#define mmdrop(mm)			((void)(mm)->grabbed--)

extern struct kmem_cache *userfaultfd_ctx_cachep;

/* Who waits for a userfaultfd: nobody, ever. What it says is read at once. */
typedef struct { int nothing; } wait_queue_entry_t;
struct userfaultfd_wait_queue;
void userfaultfd_event_wait_completion(struct userfaultfd_ctx *ctx,
				       struct userfaultfd_wait_queue *ewq);
#define __wake_up_locked_key(...)	do { } while (0)
#define __wake_up(...)			do { } while (0)
#define TASK_NORMAL			0
#define read_seqcount_begin(s)		0
#define read_seqcount_retry(s, seq)	false
/*
 * The content of a page is a word. Where page faults are disabled, a page that is to be
 * read may have to be faulted in: it is not copied then, and meanwhile_copied is called
 * when it is, later.
 */
extern bool shim_no_faults, shim_unreadable;
extern void (*shim_meanwhile_copied)(void);
#define pagefault_disable()		((void)(shim_no_faults = true))
#define pagefault_enable()		((void)(shim_no_faults = false))
/* What a name of DEFINE_FREE() is for is defined beside the tree's code. */
#define __free(name)			__attribute__((cleanup(shim_##name)))
void shim_retry_put(void *state);
unsigned long copy_from_user(void *to, const void *from, size_t size);
/** strndup_user() - a string of a program's, at most @max bytes with the 0 behind it. */
char *strndup_user(const char *name, long max);
#define copy_to_user(to, from, size)	(memcpy(to, from, size), 0)
#define access_ok(...)			true
#define kmap_local_folio(folio, offset)	((void *)&(folio)->content)
#define kmap_local_page(page)		((void *)&(page)->content)
#define kunmap_local(...)		do { } while (0)
#define kunmap_atomic			kunmap_local
#define clear_user_highpage(page, addr)	((void)((page)->content = 0))
#define put_user(value, to)		(*(to) = (value), 0)
/* Who uses an mm, or has a task, gives it back. */
#define mmget_not_zero(mm)						\
	(atomic_read(&(mm)->mm_users) > 0 && (atomic_inc(&(mm)->mm_users), true))
#define mmput(mm)			atomic_dec(&(mm)->mm_users)
extern int shim_tasks_held;
#define get_proc_task(...)		((void)shim_marked(shim_tasks_held)++, current)
#define get_task_mm(task)		(atomic_inc(&(task)->mm->mm_users), (task)->mm)
#define put_task_struct(task)		((void)(task), (void)shim_marked(shim_tasks_held)--)
typedef struct { spinlock_t lock; } wait_queue_head_t;
typedef struct { seqcount_t seqcount; } seqcount_spinlock_t;

static inline int shim_nobody_waits(const wait_queue_head_t *queue)
{
	return 0;
}

static inline int shim_held(const spinlock_t *lock)
{
	return lock->held;
}

#define waitqueue_active	shim_nobody_waits
#define spin_is_locked		shim_held

struct mmu_notifier_range {
	struct mm_struct *mm;
	unsigned long start, end;
};

#define MMU_NOTIFY_PROTECTION_PAGE	0
static inline void mmu_notifier_range_init(struct mmu_notifier_range *range,
					   int event, unsigned int flags,
					   struct mm_struct *mm,
					   unsigned long start,
					   unsigned long end)
{
	*range = (struct mmu_notifier_range){ mm, start, end };
}

static inline void mmu_notifier_invalidate_range_start(struct mmu_notifier_range *range)
{
	struct mm_struct *mm = range->mm;
	int i = 0;

	mm->notifying++;
	while (i < NOTIFIED - 1 && mm->notified[i])
		i++;
	mm->notified[i] = range;
}

static inline void mmu_notifier_invalidate_range_end(struct mmu_notifier_range *range)
{
	struct mm_struct *mm = range->mm;

	mm->notifying--;
	for (int i = 0; i < NOTIFIED; i++)
		if (mm->notified[i] == range)
			mm->notified[i] = NULL;
}

static inline bool shim_notified(const struct mm_struct *mm, unsigned long addr)
{
	for (int i = 0; i < NOTIFIED; i++)
		if (mm->notified[i] && addr >= mm->notified[i]->start &&
		    addr < mm->notified[i]->end)
			return true;
	return false;
}

static inline bool atomic_inc_not_zero(atomic_t *v)
{
	sched_point(v, SCHED_ATOMIC);
	return v->counter ? ++v->counter : false;
}

/* A page frame; the first of a folio is the folio. */
#define SHIM_PAGE							\
	atomic_t _refcount, _mapcount;					\
	atomic_t _large_mapcount, _entire_mapcount, _pincount;		\
	struct page *head;						\
	void *mapping;							\
	unsigned long _folio_nr_pages, _flags_1;			\
	bool anon, swapbacked, locked, dirty, device_private, on_lru;	\
	bool exclusive, poisoned;					\
	unsigned short slot;		/* of swap, while it is unmapped */	\
	swp_entry_t swap;		/* of the swap cache: never in use */	\
	struct list_head lru;						\
	union {								\
		unsigned long addr;	/* of a new one: where it is for */	\
		unsigned long index;	/* of an anonymous one: for the rmap */	\
	};								\
	u64 content

struct page { SHIM_PAGE; };
struct folio {
	union {
		struct page page;
		struct { SHIM_PAGE; };
	};
};

#define FIRST_PFN	0x1000UL
#define NR_PFNS		8192
extern struct page shim_pages[NR_PFNS];
extern long shim_nr_folios;
void shim_reset(void);			/* swap and tracked PFNs, for the next fork */
extern unsigned long highest_memmap_pfn, zero_pfn, zero_page_pfn;

static inline bool pfn_valid(unsigned long pfn)
{
	return pfn >= FIRST_PFN && pfn - FIRST_PFN < NR_PFNS;
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
	shim_check(pfn_valid(pfn), "a frame that has no struct page");
	return &shim_pages[(pfn - FIRST_PFN) % NR_PFNS];
}

static inline unsigned long page_to_pfn(const struct page *page)
{
	return page - shim_pages + FIRST_PFN;
}

#define pfn_folio(pfn)		page_folio(pfn_to_page(pfn))
#define page_folio(p)		((struct folio *)(p)->head)
#define folio_pfn(f)		page_to_pfn(&(f)->page)
#define folio_page(f, n)	(&(f)->page + (n))
#define mk_pte(page, prot)	pfn_pte(page_to_pfn(page), prot)
#define folio_mk_pte(f, prot)	mk_pte(&(f)->page, prot)

#define folio_test_anon(f)		((f)->anon)
#define folio_test_swapbacked(f)	((f)->swapbacked)
#define folio_test_large(f)		((f)->_folio_nr_pages > 1)
#define folio_has_pincount(f)		folio_test_large(f)
#define folio_large_nr_pages(f)		((f)->_folio_nr_pages)
#define folio_order(f)			((int)(f)->_flags_1)
#define folio_test_locked(f)		((f)->locked)
#define folio_test_dirty(f)		((f)->dirty)
#define folio_clear_dirty(f)		((void)((f)->dirty = false))
#define folio_test_lru(f)		((f)->on_lru)
#define folio_test_hugetlb(...)		0
#define folio_test_ksm(...)		0
#define folio_is_device_private(f)	((f)->device_private)
#define is_zero_folio(f)		(folio_pfn(f) == zero_pfn)
#define is_huge_zero_pfn(...)		0
#define is_huge_zero_folio(...)		false
#define folio_ref_count(f)		atomic_read(&(f)->_refcount)
#define folio_ref_add(f, n)		atomic_add(n, &(f)->_refcount)
#define folio_ref_sub(f, n)		atomic_sub(n, &(f)->_refcount)
#define folio_get(f)			folio_ref_add(f, 1)
#define folio_mapping(f)		((f)->anon ? NULL : (f)->mapping)
#define inc_mm_counter(mm, member)	add_mm_counter(mm, member, 1)
#define folio_add_file_rmap_pte(f, page, vma)	((void)atomic_inc(&(page)->_mapcount))
#define folio_add_lru(f)		((void)((f)->on_lru = true))
/* The variable, or what some trees ask instead. */
#define zero_pfn(addr)			(zero_pfn)

#define PageAnon(p)			folio_test_anon(page_folio(p))
#define PageAnonExclusive(p)		((p)->exclusive)
#define ClearPageAnonExclusive(p)	((void)((p)->exclusive = false))
#define SetPageAnonExclusive(p)		((void)((p)->exclusive = true))

/* Asked of the address of a local variable: no page table, and no page. */
#define virt_addr_valid(...)		false
#define virt_to_page(...)		(&shim_pages[0])
#define PageTable(...)			false

#define FOLIO_MAPPING_ANON	1
#define PAGE_MAPPING_ANON	1
#define FOLIO_MAPPING_FLAGS	3
#define PAGE_MAPPING_FLAGS	3

/* A folio of 1 << order pages, with one reference. */
struct folio *folio_new(int order);
void folio_put(struct folio *folio);
void folio_remove_rmap_ptes(struct folio *folio, struct page *page, int nr,
			    struct vm_area_struct *vma);
#define folio_remove_rmap_pte(folio, page, vma)				\
	folio_remove_rmap_ptes(folio, page, 1, vma)
int folio_mapcount(const struct folio *folio);
#define folio_mark_dirty(f)	((void)((f)->dirty = true))
void folio_add_lru_vma(struct folio *folio, struct vm_area_struct *vma);
bool folio_trylock(struct folio *folio);
void folio_lock(struct folio *folio);
void folio_unlock(struct folio *folio);
/*
 * Only if nobody but the caller and the page tables has it; it stays locked, its first page.
 * Whoever tries and fails so often is killed; 0: nobody is.
 */
extern int shim_split_patience;
int split_folio(struct folio *folio);
/** shim_is_shared() - whether a page of the folio is mapped more than once. */
bool shim_is_shared(const struct folio *folio);
#define folio_likely_mapped_shared(folio)	shim_is_shared(folio)
#define folio_maybe_mapped_shared(folio)	shim_is_shared(folio)
#define trylock_page(p)		folio_trylock(page_folio(p))
#define unlock_page(p)		folio_unlock(page_folio(p))
int copy_mc_user_highpage(struct page *to, struct page *from,
			  unsigned long addr, struct vm_area_struct *vma);
struct folio *vma_alloc_folio(gfp_t gfp, int order, struct vm_area_struct *vma,
			      unsigned long addr, ...);
struct folio *vma_alloc_zeroed_movable_folio(struct vm_area_struct *vma,
					     unsigned long addr);
extern struct mm_struct *shim_charged;	/* the last that was charged for a page */
int mem_cgroup_charge(struct folio *folio, struct mm_struct *mm, gfp_t gfp);
#define folio_throttle_swaprate(...)	do { } while (0)
#define __folio_mark_uptodate(...)	do { } while (0)

/* What MADV_PAGEOUT takes off the LRU goes back to it: reclaim may fail at any time. */
extern unsigned int shim_reclaimed;	/* pages that reclaim was given */
extern bool shim_files_of_another;	/* which the process may not write to */
bool folio_isolate_lru(struct folio *folio);
void reclaim_pages(struct list_head *folios);
#define file_owner_or_capable(...)	(!shim_files_of_another)
#define inode_owner_or_capable(...)	(!shim_files_of_another)
#define file_permission(...)		(shim_files_of_another ? -EACCES : 0)

/* Swap: how often each slot is referred to. */
#define NR_SLOTS	1024
extern int shim_swap_count[NR_SLOTS];
/** shim_swap_slot() - one that was free; its count is 1. */
int shim_swap_slot(void);
void swap_put_entries_direct(swp_entry_t entry, int nr);
#define free_swap_and_cache_nr(entry, nr)	swap_put_entries_direct(entry, nr)
int swap_duplicate(swp_entry_t entry);
int swap_dup_entry_direct(swp_entry_t entry);
int add_swap_count_continuation(swp_entry_t entry, gfp_t gfp);
int swap_retry_table_alloc(swp_entry_t entry, gfp_t gfp);
void migration_entry_wait(struct mm_struct *mm, pmd_t *pmd, unsigned long addr);
/* Nothing is in the swap cache that user space could ask for. */
struct swap_info_struct { unsigned char swap_map[NR_SLOTS]; };
extern struct swap_info_struct shim_swap;
#define get_swap_device(entry)		((void)(entry), &shim_swap)
#define put_swap_device(si)		((void)(si))
#define swap_cache_get_folio(...)	NULL
#define swap_cache_has_folio(...)	false
#define swap_address_space(...)		NULL
#define swap_cache_index(...)		0
#define filemap_get_folio(...)		((struct folio *)NULL)
#define SWAP_HAS_CACHE			0x40

/* Page tables: who may write them, and how many there are. */
struct table {
	union {
		pte_t pte[PTRS_PER_PTE];
		pmd_t pmd[PTRS_PER_PMD];
		pud_t pud[PTRS_PER_PUD];
		pgd_t pgd[PTRS_PER_PGD];
	};
	spinlock_t ptl;
	struct mm_struct *mm;		/* whose it is */
	struct { unsigned long f; } pt_flags;
	struct rcu_head rcu_head;
} __attribute__((aligned(1 << PAGE_SHIFT)));

/* The page of a table, and what describes that page, is the table. */
#define ptdesc			table
#define pmd_page(pmd)		((struct page *)pmd_page_vaddr(pmd))
#define page_ptdesc(page)	((struct ptdesc *)(page))
#define PT_markers		0

extern long shim_nr_tables;
struct table *shim_table_alloc(struct mm_struct *mm);	/* never fails */
void shim_table_free(void *table);

static inline struct table *table_of(const pte_t *ptep)
{
	return (struct table *)((unsigned long)ptep & PAGE_MASK);
}

/* Called before a table is allocated, if not NULL: what others do meanwhile. */
extern void (*shim_table_wanted)(struct mm_struct *mm);
void *shim_table_alloc_one(struct mm_struct *mm);
#define pte_alloc_one(mm)		((pgtable_t)shim_table_alloc_one(mm))
#define pmd_alloc_one(mm, ...)		((pmd_t *)shim_table_alloc_one(mm))
#define pud_alloc_one(mm, ...)		((pud_t *)shim_table_alloc_one(mm))

static inline void pte_free(struct mm_struct *mm, pgtable_t table)
{
	shim_table_free(table);
}

static inline void pmd_free(struct mm_struct *mm, pmd_t *table)
{
	shim_table_free(table);
}

static inline void pud_free(struct mm_struct *mm, pud_t *table)
{
	shim_table_free(table);
}

static inline void pmd_populate(struct mm_struct *mm, pmd_t *pmdp, pgtable_t table)
{
	sched_point(pmdp, SCHED_WRITE);
	pmdp->pmd = (unsigned long)table | 1;
}

static inline void pud_populate(struct mm_struct *mm, pud_t *pudp, pmd_t *table)
{
	pudp->pud = (unsigned long)table | 1;
}

static inline void p4d_populate(struct mm_struct *mm, p4d_t *p4dp, pud_t *table)
{
	p4dp->pgd.pgd = (unsigned long)table | 1;
}

#define pmd_clear_bad(...)		shim_check(0, "a bad PMD entry")
#define pud_clear_bad(...)		shim_check(0, "a bad PUD entry")
#define p4d_clear_bad(...)		shim_check(0, "a bad P4D entry")
#define pgd_clear_bad(...)		shim_check(0, "a bad PGD entry")
int __p4d_alloc(struct mm_struct *mm, pgd_t *pgd, unsigned long addr);
int __pud_alloc(struct mm_struct *mm, p4d_t *p4d, unsigned long addr);
int __pmd_alloc(struct mm_struct *mm, pud_t *pud, unsigned long addr);
int __pte_alloc(struct mm_struct *mm, pmd_t *pmd);

static inline spinlock_t *shim_dir_lock(struct mm_struct *mm)
{
	spin_lock(&mm->page_table_lock);
	return &mm->page_table_lock;
}

#define pmd_lockptr(mm, ...)	(&(mm)->page_table_lock)
#define pud_lockptr(mm, ...)	(&(mm)->page_table_lock)
#define pmd_lock(mm, ...)	shim_dir_lock(mm)
#define pud_lock(mm, ...)	shim_dir_lock(mm)

extern int shim_lazy_mmu;

static inline void lazy_mmu_mode_enable(void)
{
	shim_lazy_mmu++;
}

static inline void lazy_mmu_mode_disable(void)
{
	shim_lazy_mmu--;
}

#define arch_enter_lazy_mmu_mode	lazy_mmu_mode_enable
#define arch_leave_lazy_mmu_mode	lazy_mmu_mode_disable
#define update_mmu_cache(...)			do { } while (0)

/* Entries written since a page table's lock was taken. */
extern int shim_written;
extern bool always_resched;
extern long batches;

static inline void set_ptes(struct mm_struct *mm, unsigned long addr,
			    pte_t *ptep, pte_t pte, unsigned int nr)
{
	sched_point(ptep, SCHED_PTE);
	shim_check(table_of(ptep)->mm == mm, "a PTE of another mm is set");
	shim_check(shim_holds(&table_of(ptep)->ptl), "a PTE is set without its lock");
	shim_check((addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1)) == ptep - table_of(ptep)->pte,
		   "a PTE of another address is set");
	shim_check(ptep + nr <= table_of(ptep)->pte + PTRS_PER_PTE,
		   "a batch goes beyond its table");
	/* Fork looks up after 32 units of work; an entry that is there is 8. */
	shim_check(!always_resched || shim_written++ < 2 * 32 / 8,
		   "the locks are kept though the processor is wanted");
	batches++;
	for (; nr; nr--, ptep++, pte.pte += 1ULL << PFN_PTE_SHIFT)
		*ptep = pte;
}
#define set_ptes	set_ptes

/*
 * Contiguous entries, as arm64 has them: of an aligned four that map a folio in a row
 * and have the same bits, those that are left.
 */
#define CONT_PTES	4
static inline unsigned int pte_batch_hint(pte_t *ptep, pte_t pte)
{
	size_t at = (unsigned long)ptep / sizeof(pte_t) % CONT_PTES;
	const pte_t *first = ptep - at;

	if (!pte_present(pte) || pte_special(pte) || !pfn_valid(pte_pfn(*first)))
		return 1;
	for (int i = 1; i < CONT_PTES; i++)
		if (pte_val(first[i]) != pte_val(*first) + ((pteval_t)i << PFN_PTE_SHIFT) ||
		    pfn_folio(pte_pfn(first[i])) != pfn_folio(pte_pfn(*first)))
			return 1;
	return CONT_PTES - at;
}
#define pte_batch_hint	pte_batch_hint

/* The parent loses a permission: secondary MMUs and GUP-fast are told. */
static inline void ptep_set_wrprotect(struct mm_struct *mm, unsigned long addr,
				      pte_t *ptep)
{
	sched_point(ptep, SCHED_PTE);
	shim_check(shim_notified(mm, addr),
		   "write-protected without a notifier's range");
	shim_check(mm->write_protect_seq.sequence & 1,
		   "write-protected outside of write_protect_seq");
	shim_check(table_of(ptep)->mm == mm, "a PTE of another mm is set");
	shim_check(shim_holds(&table_of(ptep)->ptl), "a PTE is set without its lock");
	ptep->pte &= ~PTE_WRITE;
	mm->stale_tlb = true;
}

static inline pte_t ptep_get_and_clear(struct mm_struct *mm, unsigned long addr,
				       pte_t *ptep)
{
	pte_t pte;

	sched_point(ptep, SCHED_PTE);
	pte = *ptep;
	shim_check(table_of(ptep)->mm == mm, "a PTE of another mm is cleared");
	shim_check(shim_holds(&table_of(ptep)->ptl), "a PTE is cleared without its lock");
	shim_check((addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1)) == ptep - table_of(ptep)->pte,
		   "a PTE of another address is cleared");
	ptep->pte = 0;
	if (pte.pte & (PTE_PRESENT | PTE_PROTNONE))
		shim_tlb_stale(mm, addr);
	return pte;
}

static inline int ptep_test_and_clear_young(struct vm_area_struct *vma,
					    unsigned long addr, pte_t *ptep)
{
	sched_point(ptep, SCHED_PTE);
	shim_check(shim_holds(&table_of(ptep)->ptl), "a PTE is set without its lock");
	ptep->pte &= ~PTE_YOUNG;
	return 1;
}

#define pte_clear(mm, addr, ptep)	((void)ptep_get_and_clear(mm, addr, ptep))
#define ptep_clear_flush(vma, addr, ptep) ({				\
	pte_t __cleared = ptep_get_and_clear((vma)->vm_mm, addr, ptep);	\
									\
	shim_tlb_flush((vma)->vm_mm, addr, (addr) + PAGE_SIZE);		\
	__cleared;							\
})

/* Huge pages: not yet, and a test that meets one fails. */
int copy_huge_pmd(struct mm_struct *dst_mm, struct mm_struct *src_mm,
		  pmd_t *dst_pmd, pmd_t *src_pmd, unsigned long addr,
		  struct vm_area_struct *dst_vma,
		  struct vm_area_struct *src_vma);
int copy_huge_pud(struct mm_struct *dst_mm, struct mm_struct *src_mm,
		  pud_t *dst_pud, pud_t *src_pud, unsigned long addr,
		  struct vm_area_struct *vma);
int copy_hugetlb_page_range(struct mm_struct *dst_mm, struct mm_struct *src_mm,
			    struct vm_area_struct *dst_vma,
			    struct vm_area_struct *src_vma);

/* PFN ranges are tracked, as for x86's PAT; in 6.12 it is fork that does it. */
extern int shim_pfns_tracked;

void print_bad_pte(struct vm_area_struct *vma, unsigned long addr, pte_t pte,
		   struct page *page);
/* Of an entry the address, or in 7.2 the value. */
static inline pte_t shim_entry_at(const void *entry)
{
	return *(const pte_t *)entry;
}

static inline pte_t shim_entry_is(unsigned long long entry)
{
	return (pte_t){ entry };
}

#define print_bad_page_map(vma, addr, entry, ...)			\
	print_bad_pte(vma, addr, __builtin_choose_expr(			\
		      __builtin_types_compatible_p(typeof(entry), unsigned long long), \
		      shim_entry_is, shim_entry_at)(entry), NULL)

pte_t *pte_offset_map_lock(struct mm_struct *mm, pmd_t *pmd,
			   unsigned long addr, spinlock_t **ptlp);
pte_t *__pte_offset_map(pmd_t *pmd, unsigned long addr, pmd_t *pmdvalp);
pte_t *pte_offset_map_nolock(struct mm_struct *mm, pmd_t *pmd,
			     unsigned long addr, spinlock_t **ptlp);
pte_t *pte_offset_map_rw_nolock(struct mm_struct *mm, pmd_t *pmd,
				unsigned long addr, pmd_t *pmdvalp,
				spinlock_t **ptlp);

#pragma pop_macro("inline")
#endif
