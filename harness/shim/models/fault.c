// SPDX-License-Identifier: GPL-2.0
/*
 * Model: the processor and the fault handler, as far as a program notices: what
 * an access reads, writes or dies of, and a page that is swapped out. It makes
 * page-table entries for the tree's code to find and takes part in no verdict.
 */
#include "harness/kernel/tree.h"
#include "harness/test.h"

u64 shim_slot_content[NR_SLOTS];
unsigned long shim_page_span = PAGE_SIZE;

static pte_t *pte_of(struct mm_struct *mm, unsigned long addr)
{
	unsigned long *table = (unsigned long *)mm->pgd;
	const int shift[] = { PGDIR_SHIFT, PUD_SHIFT, PMD_SHIFT };
	const int entries[] = { PTRS_PER_PGD, PTRS_PER_PUD, PTRS_PER_PMD };

	for (int level = 0; level < 3; level++) {
		table = (unsigned long *)
			(table[addr >> shift[level] & (entries[level] - 1)] & PAGE_MASK);
		if (!table)
			return NULL;
	}
	return (pte_t *)table + (addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1));
}

static void map(struct vm_area_struct *vma, pte_t *ptep, struct page *page,
		bool write, bool uffd)
{
	struct folio *folio = page_folio(page);
	int counter = folio->anon ? MM_ANONPAGES :
		      folio->swapbacked ? MM_SHMEMPAGES : MM_FILEPAGES;
	bool none = vma->vm_page_prot.pgprot == PAGE_NONE.pgprot ||
		    (uffd && vma->vm_flags & RWP_FLAG);

	sched_touch(&page->_mapcount, true);
	page->_mapcount.counter++;
	if (folio_test_large(folio))
		folio->_large_mapcount.counter++;
	vma->vm_mm->rss_stat[counter].count++;
	ptep->pte = (pteval_t)page_to_pfn(page) << PFN_PTE_SHIFT |
		    (none ? PTE_PROTNONE : PTE_PRESENT) | PTE_YOUNG |
		    (write ? PTE_WRITE | PTE_DIRTY | PTE_SOFT_DIRTY : 0) | (uffd ? PTE_UFFD : 0);
}

unsigned long shim_anon_index(const struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long offset = vma->vm_pgoff;

	/* 7.3 has a second offset, for the sake of private mappings of files. */
#ifdef TREE_HAS_vma_start_anon_pgoff
	offset = vma->__vm_anon_pgoff_lo;
#ifdef CONFIG_64BIT
	offset |= (unsigned long)vma->__vm_anon_pgoff_hi << 32;
#endif
#endif
	return offset + ((addr - vma->vm_start) >> PAGE_SHIFT);
}

/* How large a folio a fault takes where there is room for it: 1 << so many pages. */
int shim_fault_order;

/* As large as it may be: aligned, of one VMA, and nothing is there yet. */
static int order_of(const struct vm_area_struct *vma, const pte_t *ptep, unsigned long addr)
{
	for (int order = shim_fault_order; order; order--) {
		unsigned long size = PAGE_SIZE << order, start = addr & ~(size - 1);
		const pte_t *first = ptep - ((addr - start) >> PAGE_SHIFT);
		int nr = 0;

		if (start < vma->vm_start || start + size > vma->vm_end)
			continue;
		while (nr < 1 << order && !first[nr].pte)
			nr++;
		if (nr == 1 << order)
			return order;
	}
	return 0;
}

/* Private pages of our own, alone; what is there already is replaced by one page. */
static void map_new(struct vm_area_struct *vma, pte_t *ptep, unsigned long addr,
		    u64 content, bool uffd)
{
	int order = ptep->pte || content || !vma_is_anonymous(vma) ? 0 :
		    order_of(vma, ptep, addr);
	struct folio *folio = folio_new(order);
	int nr = 1 << order, nth = (addr >> PAGE_SHIFT) & (nr - 1);

	folio->on_lru = true;
	for (int i = 0; i < nr; i++) {
		struct page *page = folio_page(folio, i);

		page->anon = page->swapbacked = true;
		page->mapping = (char *)vma->anon_vma + PAGE_MAPPING_ANON;
		page->index = shim_anon_index(vma, addr) + i - nth;
		page->content = i == nth ? content : 0;
		SetPageAnonExclusive(page);
		map(vma, ptep + i - nth, page, vma->vm_flags & VM_WRITE && !uffd, uffd);
	}
	folio_ref_add(folio, nr - 1);
}

struct folio *shim_cached(struct address_space *mapping, unsigned long index)
{
	struct folio **folio = &mapping->folio[index % FILE_PAGES];

	sched_touch(folio, !*folio);
	if (!*folio) {
		*folio = folio_new(0);
		(*folio)->mapping = mapping;
		(*folio)->index = folio - mapping->folio;
		(*folio)->swapbacked = mapping->shmem;
		(*folio)->on_lru = true;
	}
	return *folio;
}

void shim_cache_large(struct address_space *mapping, int order)
{
	struct folio *folio = folio_new(order);

	folio->mapping = mapping;
	folio_ref_add(folio, (1 << order) - 1);
	for (int i = 0; i < 1 << order; i++) {
		folio_page(folio, i)->swapbacked = mapping->shmem;
		mapping->folio[i] = folio;
	}
}

struct folio *shim_get_cached(struct inode *inode, pgoff_t index)
{
	struct folio *folio = inode->i_mapping->folio[index % FILE_PAGES];

	sched_touch(&inode->i_mapping->folio[index % FILE_PAGES], false);
	if (!folio)
		return NULL;
	folio_get(folio);
	folio_lock(folio);
	return folio;
}

bool shim_no_faults, shim_unreadable;
void (*shim_meanwhile_copied)(void);

unsigned long copy_from_user(void *to, const void *from, size_t size)
{
	static bool faulting;

	if (shim_unreadable)
		return size;
	if (shim_meanwhile_copied && shim_no_faults) {
		faulting = true;
		return size;
	}
	memcpy(to, from, size == PAGE_SIZE ? sizeof(u64) : size);
	if (faulting) {
		faulting = false;
		shim_meanwhile_copied();
	}
	return 0;
}

char *strndup_user(const char *name, long max)
{
	long len = strlen(name) + 1;
	char *copy;

	if (len > max)
		return ERR_PTR(-EINVAL);
	copy = kmalloc(len, GFP_KERNEL);
	return copy ? memcpy(copy, name, len) : ERR_PTR(-ENOMEM);
}

/* shmem's part in UFFDIO_COPY: a page of the file where there is none. */
struct folio *shim_fill_alloc(struct vm_area_struct *vma, unsigned long addr)
{
	return vma_alloc_folio(GFP_HIGHUSER_MOVABLE, 0, vma, addr);
}

static struct folio **cached_for(struct vm_area_struct *vma, unsigned long addr)
{
	return &vma->vm_file->f_mapping->folio[linear_page_index(vma, addr) % FILE_PAGES];
}

int shim_fill_add(struct folio *folio, struct vm_area_struct *vma, unsigned long addr)
{
	struct folio **slot = cached_for(vma, addr);

	if (*slot)
		return -EEXIST;
	if (shim_alloc_fails())
		return -ENOMEM;
	folio->locked = folio->swapbacked = true;
	folio->mapping = vma->vm_file->f_mapping;
	folio->index = slot - vma->vm_file->f_mapping->folio;
	folio_get(folio);
	*slot = folio;
	return 0;
}

void shim_fill_remove(struct folio *folio, struct vm_area_struct *vma)
{
	vma->vm_file->f_mapping->folio[folio->index] = NULL;
	folio->mapping = NULL;
	folio_put(folio);
	folio_unlock(folio);
}

#ifndef TREE_HAS_vm_uffd_ops
int shmem_mfill_atomic_pte(pmd_t *pmd, struct vm_area_struct *vma, unsigned long addr,
			   unsigned long from, uffd_flags_t flags, struct folio **foliop)
{
	struct folio *folio = *foliop ?: shim_fill_alloc(vma, addr);
	bool again = *foliop;
	int ret;

	*foliop = NULL;
	if (!folio)
		return -ENOMEM;
	if (!uffd_flags_mode_is(flags, MFILL_ATOMIC_COPY)) {
		folio->content = 0;
	} else if (!again) {
		pagefault_disable();
		ret = copy_from_user(&folio->content, (void *)from, PAGE_SIZE);
		pagefault_enable();
		if (ret) {
			*foliop = folio;
			return -ENOENT;
		}
	}
	ret = shim_fill_add(folio, vma, addr);
	if (!ret) {
		ret = mfill_atomic_install_pte(pmd, vma, addr, &folio->page, true, flags);
		if (ret)
			shim_fill_remove(folio, vma);
		else
			folio_unlock(folio);
	}
	if (ret)
		folio_put(folio);
	return ret;
}
#endif

static struct page *cached(struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long offset = (vma->vm_pgoff << PAGE_SHIFT) + addr - vma->vm_start;
	unsigned long index = offset / shim_page_span;
	struct folio *folio = shim_cached(vma->vm_file->f_mapping, index);

	return folio_page(folio, index % FILE_PAGES - folio->index);
}

/* The page at a PTE is given up for another one. */
static void unmap(struct vm_area_struct *vma, pte_t *ptep)
{
	struct page *page = pfn_to_page(pte_pfn(*ptep));
	struct folio *folio = page_folio(page);
	int counter;

	if (ptep->pte & PTE_SPECIAL)
		return;
	counter = folio->anon ? MM_ANONPAGES :
		  folio->swapbacked ? MM_SHMEMPAGES : MM_FILEPAGES;
	sched_touch(&page->_mapcount, true);
	page->_mapcount.counter--;
	if (folio_test_large(folio))
		folio->_large_mapcount.counter--;
	vma->vm_mm->rss_stat[counter].count--;
	folio_put(folio);
}

/* Whether userfaultfd only wants to know later which pages were written to. */
static bool is_async(const struct vm_area_struct *vma)
{
	const struct userfaultfd_ctx *ctx = vma->vm_userfaultfd_ctx.ctx;

	return ctx && ctx->features & UFFD_FEATURE_WP_ASYNC;
}

/* Protected from any access; what was accessed is told at once, or later. */
static enum access access_protected(struct vm_area_struct *vma, pte_t *ptep)
{
	if (!(vma->vm_userfaultfd_ctx.ctx->features & UFFD_FEATURE_RWP_ASYNC))
		return ACCESS_PROTECTED;
	*ptep = pte_modify(*ptep, vma->vm_page_prot);
	ptep->pte &= ~(PTE_UFFD | PTE_WRITE);
	ptep->pte |= PTE_YOUNG;
	return ACCESS_DONE;
}

static enum access populate(struct vm_area_struct *vma, pte_t *ptep,
			    unsigned long addr, bool write)
{
	bool uffd = vma->vm_flags & VM_UFFD_WP && ptep->pte;	/* a marker */

	if (write && uffd && !is_async(vma))
		return ACCESS_PROTECTED;
	uffd = uffd && !write;
	if (vma_is_anonymous(vma)) {
		if (write)
			map_new(vma, ptep, addr, 0, uffd);
		else
			ptep->pte = (pteval_t)zero_pfn << PFN_PTE_SHIFT | PTE_PRESENT |
				    PTE_SPECIAL | PTE_YOUNG | (uffd ? PTE_UFFD : 0);
	} else if (vma->vm_flags & VM_SHARED || !write) {
		struct page *page = cached(vma, addr);

		folio_get(page_folio(page));
		map(vma, ptep, page, write, uffd);
	} else {
		map_new(vma, ptep, addr, cached(vma, addr)->content, uffd);
	}
	return ACCESS_DONE;
}

static void swap_in(struct vm_area_struct *vma, pte_t *ptep, unsigned long addr)
{
	bool uffd = ptep->pte & PTE_SWP_UFFD, soft_dirty = ptep->pte & PTE_SWP_SOFT_DIRTY;
	int slot = ptep->pte >> SWP_OFFSET_BIT;

	shim_swap_count[slot]--;
	vma->vm_mm->rss_stat[MM_SWAPENTS].count--;
	map_new(vma, ptep, addr, shim_slot_content[slot], uffd);
	/* The copy in swap is no more. */
	folio_mark_dirty(pfn_folio(pte_pfn(*ptep)));
	/* The next write is to be noticed. */
	if (soft_dirty)
		ptep->pte |= PTE_SOFT_DIRTY;
	else if (VM_SOFTDIRTY)
		ptep->pte &= vma->vm_flags & VM_SOFTDIRTY ? ~PTE_SOFT_DIRTY :
			     ~(PTE_SOFT_DIRTY | PTE_WRITE);
}

/* A write to a page that is there: done, or on a copy, or not allowed. */
static enum access write_to(struct vm_area_struct *vma, pte_t *ptep,
			    unsigned long addr)
{
	struct page *page = pfn_to_page(pte_pfn(*ptep));
	bool special = ptep->pte & PTE_SPECIAL;

	if (ptep->pte & PTE_WRITE) {
		ptep->pte |= PTE_DIRTY;
		return ACCESS_DONE;
	}
	if (ptep->pte & PTE_UFFD && !is_async(vma))
		return ACCESS_PROTECTED;
	ptep->pte &= ~PTE_UFFD;
	if (vma->vm_flags & VM_SHARED || (!special && page->exclusive)) {
		ptep->pte |= PTE_WRITE | PTE_DIRTY | PTE_SOFT_DIRTY;
	} else {
		u64 content = special ? 0 : page->content;

		unmap(vma, ptep);
		map_new(vma, ptep, addr, content, false);
	}
	return ACCESS_DONE;
}

/* As ptrace would write it: a copy of the page, whether the VMA may be written or not. */
void shim_uprobe_mmap(struct vm_area_struct *vma)
{
	const struct address_space *mapping = vma->vm_file ? vma->vm_file->f_mapping : NULL;
	struct mm_struct *mm = vma->vm_mm;
	unsigned long addr;
	spinlock_t *ptl;
	pte_t *ptep;
	pmd_t *pmd;

	if (!mapping || !mapping->probed || mapping->probed < vma->vm_pgoff ||
	    (vma->vm_flags & (VM_MAYEXEC | VM_MAYSHARE | VM_WRITE)) != VM_MAYEXEC)
		return;
	addr = vma->vm_start + ((mapping->probed - vma->vm_pgoff) << PAGE_SHIFT);
	if (addr >= vma->vm_end || anon_vma_prepare(vma))
		return;
	pmd = pmd_alloc(mm, pud_alloc(mm, p4d_offset(pgd_offset(mm, addr), addr), addr), addr);
	ptep = pte_alloc_map_lock(mm, pmd, addr, &ptl);
	if (!ptep)
		abort();
	if (!ptep->pte)
		map_new(vma, ptep, addr, cached(vma, addr)->content, false);
	pte_unmap_unlock(ptep, ptl);
}

/* Under the VMA's lock, unless it wants an anon_vma first: as the kernel faults. */
static struct vm_area_struct *lock_for_fault(struct mm_struct *mm, unsigned long addr,
					     bool write)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, addr);

	(void)mm;
	(void)addr;
	if (!vma || !write || vma->vm_flags & VM_SHARED || vma->anon_vma)
		return vma;
	vma_end_read(vma);
	return NULL;
}

#ifdef SHIM_SCHED
/*
 * A page of a file is locked while it is mapped: whoever takes it out of the page
 * cache holds that lock. NULL: it is beyond the end of the file.
 */
static struct folio *lock_cached(struct vm_area_struct *vma, unsigned long addr)
{
	const struct address_space *mapping = vma->vm_file->f_mapping;
	unsigned long index = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);

	while (index < READ_ONCE(mapping->host->i_pages)) {
		struct folio *folio = page_folio(cached(vma, addr));

		folio_get(folio);
		folio_lock(folio);
		if (folio->mapping == mapping && index < READ_ONCE(mapping->host->i_pages))
			return folio;
		folio_unlock(folio);
		folio_put(folio);
	}
	return NULL;
}

/* Empty, but for userfaultfd's marker: a page of the file goes there. */
static bool wants_cached(const struct vm_area_struct *vma, const pte_t *ptep)
{
	sched_touch(ptep, false);
	return vma->vm_file && (!ptep || !ptep->pte ||
				((ptep->pte >> SWP_TYPE_BIT & 31) == SWP_PTE_MARKER &&
				 !(ptep->pte & (PTE_PRESENT | PTE_PROTNONE)) &&
				 !(ptep->pte >> SWP_OFFSET_BIT & ~(u64)PTE_MARKER_UFFD_WP)));
}

/* The page that is being moved elsewhere, or NULL. */
static struct folio *in_migration(const pte_t *ptep)
{
	const unsigned int type = ptep->pte >> SWP_TYPE_BIT & 31;
	bool is = !(ptep->pte & (PTE_PRESENT | PTE_PROTNONE)) &&
		  type >= SWP_MIGRATION_READ && type <= SWP_MIGRATION_WRITE;

	return is ? pfn_folio(ptep->pte >> SWP_OFFSET_BIT & SWP_PFN_MASK) : NULL;
}
#endif

void migration_entry_wait(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
#ifdef SHIM_SCHED
	struct folio *folio = in_migration(pte_of(mm, addr));

	while (folio && folio->locked)
		sched_block(&folio->locked);
#else
	(void)mm;
	(void)addr;
	shim_check(false, "a migration entry, where nothing migrates");
#endif
	(void)pmd;
}

enum access shim_access(unsigned long addr, bool write, u64 *content)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma = lock_for_fault(mm, addr, write);
	bool by_vma = vma;
	enum access result = ACCESS_SEGV;
	spinlock_t *ptl = NULL;
	pte_t *ptep;
	pmd_t *pmd;
#ifdef SHIM_SCHED
	struct folio *folio = NULL, *migrating;
#endif

	if (!by_vma) {
		mmap_read_lock(mm);
		vma = find_vma(mm, addr);
	}
	if (!vma || addr < vma->vm_start ||
	    !(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
		goto out;
	if (!(vma->vm_flags & VM_SHARED) && write)
		if (anon_vma_prepare(vma))
			abort();
	pmd = pmd_alloc(mm, pud_alloc(mm, p4d_offset(pgd_offset(mm, addr), addr), addr), addr);
#ifdef SHIM_SCHED
	do {
		if (!folio && wants_cached(vma, pte_of(mm, addr))) {
			folio = lock_cached(vma, addr);
			result = ACCESS_BEYOND;
			if (!folio)
				goto out;
		}
		ptep = pte_alloc_map_lock(mm, pmd, addr, &ptl);
		migrating = ptep ? in_migration(ptep) : NULL;
		if (migrating) {
			pte_unmap_unlock(ptep, ptl);
			ptep = NULL;
			while (migrating->locked)
				sched_block(&migrating->locked);
			continue;
		}
		/* The table is gone, or the entry: once more. */
		if (ptep && !folio && wants_cached(vma, ptep)) {
			pte_unmap_unlock(ptep, ptl);
			ptep = NULL;
		}
	} while (!ptep);
#else
	ptep = pte_alloc_map_lock(mm, pmd, addr, &ptl);
	if (!ptep)
		abort();
#endif
	result = ACCESS_DONE;
	if (!(ptep->pte & (PTE_PRESENT | PTE_PROTNONE))) {
		unsigned int type = ptep->pte >> SWP_TYPE_BIT & 31;

		if (ptep->pte && type == SWP_PTE_MARKER &&
		    ptep->pte >> SWP_OFFSET_BIT & ~(u64)PTE_MARKER_UFFD_WP)
			result = ACCESS_GUARD;
		else if (ptep->pte && type == 0)
			swap_in(vma, ptep, addr);
		else
			result = populate(vma, ptep, addr, write);
	}
	if (result == ACCESS_DONE && vma->vm_flags & RWP_FLAG && ptep->pte & PTE_UFFD)
		result = access_protected(vma, ptep);
	if (result == ACCESS_DONE && write)
		result = write_to(vma, ptep, addr);
	if (result == ACCESS_DONE) {
		struct page *page = pfn_to_page(pte_pfn(*ptep));

		if (write)
			page->content = *content;
		else
			*content = page->content;
	}
	pte_unmap_unlock(ptep, ptl);
#ifdef SHIM_SCHED
	if (folio) {
		folio_unlock(folio);
		folio_put(folio);
	}
#endif
out:
	if (by_vma)
		vma_end_read(vma);
	else
		mmap_read_unlock(mm);
	return result;
}

unsigned long shim_populate_start, shim_populate_len;
int shim_populate_error;

long faultin_page_range(struct mm_struct *mm, unsigned long start, unsigned long end,
			bool write, int *locked)
{
	long nr = 0;

	shim_check(*locked && rwsem_held(&mm->mmap_lock), "the mm is not locked");
	for (unsigned long addr = start; addr < end; addr += PAGE_SIZE, nr++) {
		struct vm_area_struct *vma = find_vma(mm, addr);
		const pte_t *ptep = pte_of(mm, addr);
		enum access access;
		u64 content;

		if (!vma || addr < vma->vm_start)
			return nr ?: -ENOMEM;
		if (!(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
			return nr ?: -EFAULT;
		access = shim_access(addr, false, &content);
		if (access == ACCESS_DONE && write)
			access = shim_access(addr, true, &content);
		if (access == ACCESS_GUARD && ptep->pte >> SWP_OFFSET_BIT & PTE_MARKER_POISONED)
			return nr ?: -EHWPOISON;
		if (access != ACCESS_DONE)
			return nr ?: -EFAULT;
	}
	return nr;
}

struct vm_area_struct *shim_vma_at(unsigned long addr)
{
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = find_vma_intersection(current->mm, addr, addr + 1);
	mmap_read_unlock(current->mm);
	return vma;
}

int shim_swap_slot(void)
{
	static int slot;

	do
		slot = slot % (NR_SLOTS - 1) + 1;
	while (shim_swap_count[slot]);
	sched_touch(&shim_swap_count[slot], true);
	shim_swap_count[slot] = 1;
	return slot;
}

/* A private page of one process only goes to swap. */
bool shim_swap_out(unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma = shim_vma_at(addr);
	pte_t *ptep = pte_of(mm, addr);
	struct page *page;
	pteval_t old;
	int slot;

	if (!vma || !ptep || !(ptep->pte & (PTE_PRESENT | PTE_PROTNONE)) ||
	    ptep->pte & PTE_SPECIAL)
		return false;
	page = pfn_to_page(pte_pfn(*ptep));
	if (!page->anon || page->_mapcount.counter)
		return false;
	slot = shim_swap_slot();
	shim_slot_content[slot] = page->content;
	old = ptep->pte;
	unmap(vma, ptep);
	mm->rss_stat[MM_SWAPENTS].count++;
	ptep->pte = (pteval_t)slot << SWP_OFFSET_BIT | PTE_SWP_EXCLUSIVE |
		    (old & PTE_UFFD ? PTE_SWP_UFFD : 0) |
		    (old & PTE_SOFT_DIRTY ? PTE_SWP_SOFT_DIRTY : 0);
	if (list_empty(&mm->mmlist))
		list_add(&mm->mmlist, &init_mm.mmlist);
	return true;
}
