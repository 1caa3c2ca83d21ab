// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle of programs: finds VMAs by the kernel's tree, reads page tables by
 * itself, and calls nothing that changes anything.
 */
#include "harness/oracle/program.h"
#include "harness/oracle/space.h"
#include "harness/test.h"

struct process process[NR_PROCESSES];
int nr_processes;
struct file_content files[NR_FILES];
int nr_files;
const char * const names[NR_NAMES] = { NULL, "one", "two" };
u64 next_content;
int nr_pages = PROGRAM_PAGES;

pte_t *table_at(struct mm_struct *mm, unsigned long addr)
{
	unsigned long *table = (unsigned long *)mm->pgd;

	table = (unsigned long *)(table[addr >> PGDIR_SHIFT] & PAGE_MASK);
	if (table)
		table = (unsigned long *)
			(table[addr >> PUD_SHIFT & (PTRS_PER_PUD - 1)] & PAGE_MASK);
	if (table)
		table = (unsigned long *)
			(table[addr >> PMD_SHIFT & (PTRS_PER_PMD - 1)] & PAGE_MASK);
	return (pte_t *)table;
}

static pteval_t entry_at(const pte_t *table, int i)
{
	return table ? table[page_addr(i) >> PAGE_SHIFT & 511].pte : 0;
}

static bool has_page(pteval_t v)
{
	return v & (PTE_PRESENT | PTE_PROTNONE);
}

static struct page *mapped_page(pteval_t v)
{
	return &shim_pages[(v >> PFN_PTE_SHIFT) - FIRST_PFN];
}

static bool is_marker(pteval_t v)
{
	return (v >> SWP_TYPE_BIT & 31) == SWP_PTE_MARKER;
}

struct seen look(const pte_t *table, int i)
{
	pteval_t v = entry_at(table, i);
	struct seen s = { .there = v };

	if (!v)
		return s;
	if (has_page(v)) {
		struct page *page = mapped_page(v);

		s.present = true;
		s.wp = v & PTE_UFFD;
		s.none = v & PTE_PROTNONE;
		s.write = v & PTE_WRITE;
		s.soft_dirty = v & PTE_SOFT_DIRTY;
		s.young = v & PTE_YOUNG;
		s.content = page->content;
		if (!(v & PTE_SPECIAL)) {
			s.page = page;
			s.alone = page->exclusive;
			s.dirty = v & PTE_DIRTY || ((struct folio *)page->head)->dirty;
		}
	} else if (is_marker(v)) {
		s.marker = true;
		s.soft_dirty = v & PTE_SWP_SOFT_DIRTY;	/* it was moved */
		s.guard = v >> SWP_OFFSET_BIT & GUARD_MARKER;
		s.poison = v >> SWP_OFFSET_BIT & PTE_MARKER_POISONED;
		s.wp = v >> SWP_OFFSET_BIT & PTE_MARKER_UFFD_WP;
	} else {
		s.wp = v & PTE_SWP_UFFD;
		s.soft_dirty = v & PTE_SWP_SOFT_DIRTY;
		s.slot = v >> SWP_OFFSET_BIT;
		s.alone = v & PTE_SWP_EXCLUSIVE;
		s.content = shim_slot_content[s.slot];
	}
	return s;
}

/* Whether what is wrong is only counted: there may be other things to expect. */
static bool quiet;
static int found_wrong;

static void wrong(const struct process *p, int i, const char *what)
{
	found_wrong++;
	if (!quiet)
		test_fail(__FILE__, __LINE__, "process %d, page %d: %s",
			  (int)(p - process), i, what);
}

static void same(const struct process *p, const char *what, long found, long expected)
{
	if (found == expected)
		return;
	found_wrong++;
	if (!quiet)
		test_fail(__FILE__, __LINE__, "process %d, %s: %ld, expected %ld",
			  (int)(p - process), what, found, expected);
}

bool holds_as_expected(const struct process *p)
{
	found_wrong = 0;
	quiet = true;
	check_process(p);
	quiet = false;
	return !found_wrong;
}

static void check_vma(const struct process *p, const struct vm_area_struct *vma,
		      int first, int end)
{
	const char *name = vma->anon_name ? vma->anon_name->name : NULL;
	vm_flags_t flags = vma->vm_flags;

	for (int i = first; i < end; i++) {
		const struct held *h = &p->page[i];
		int prot = flags & VM_WRITE ? RW : flags & VM_READ ? R : NO_ACCESS;
		int uffd = (flags & VM_UFFD_MISSING ? MISSING : 0) |
			   (flags & VM_UFFD_MINOR ? MINOR : 0) |
			   (flags & VM_UFFD_WP ? WP : 0) | (flags & RWP_FLAG ? RWP : 0);

		if (!h->mapped) {
			wrong(p, i, "mapped");
			continue;
		}
		if (prot != h->prot)
			wrong(p, i, "another protection");
		if (!(flags & VM_SHARED) != !h->shared)
			wrong(p, i, "shared or private");
		if (!(flags & VM_LOCKED) != !h->locked)
			wrong(p, i, "locked or not");
		if (!(flags & VM_WIPEONFORK) != !h->wipe)
			wrong(p, i, "WIPEONFORK or not");
		if (!(flags & VM_DONTCOPY) != !h->dontfork)
			wrong(p, i, "DONTFORK or not");
		if (!(flags & VM_ACCOUNT) != !h->accounted)
			wrong(p, i, "accounted or not");
		if (h->guards_near && !(flags & GUARD_FLAG))
			wrong(p, i, "VM_MAYBE_GUARD is lost");
		if (h->soft_dirty && VM_SOFTDIRTY & STICKY & ~flags)
			wrong(p, i, "VM_SOFTDIRTY is lost");
		if ((flags ^ h->flags) & ASKED_FOR)
			wrong(p, i, "another of the flags that were asked for");
		if (uffd != h->uffd)
			wrong(p, i, "another userfaultfd mode");
		if (vma->vm_userfaultfd_ctx.ctx != (h->uffd ? p->ctx : NULL))
			wrong(p, i, "another userfaultfd");
		if (!name != !names[h->name] || (name && strcmp(name, names[h->name])))
			wrong(p, i, "another name");
		if (shim_policy(vma) != h->policy)
			wrong(p, i, "another memory policy");
		if (vma->vm_file != (h->file < 0 ? NULL : files[h->file].file))
			wrong(p, i, "another file");
		if (h->file >= 0 && (vma->vm_pgoff << PAGE_SHIFT) + page_addr(i) -
		    vma->vm_start != h->pgoff * shim_page_span)
			wrong(p, i, "another page of the file");
	}
}

/* What was written to is reported, and what is written to next can be. */
static void check_soft_dirty(const struct process *p, int i, const struct seen *s,
			     const struct vm_area_struct *vma)
{
	if (!(VM_SOFTDIRTY & STICKY) || vma->vm_flags & VM_SOFTDIRTY || s->soft_dirty)
		return;
	if (p->page[i].written && (s->page || s->slot))
		wrong(p, i, "written to, and not soft-dirty");
	if (s->write)
		wrong(p, i, "may be written, and soft-dirty would not tell");
}

static void check_page(const struct process *p, int i, const struct seen *s)
{
	const struct held *h = &p->page[i];

	if (!h->mapped) {
		if (s->there)
			wrong(p, i, "an entry, where nothing is mapped");
		return;
	}
	if (s->guard != h->guard)
		wrong(p, i, h->guard ? "the guard is lost" : "a guard");
	if (s->poison != h->poison)
		wrong(p, i, h->poison ? "the poison is lost" : "poisoned");
	if (s->wp != h->wp)
		wrong(p, i, h->wp ? "the write protection is lost" : "write-protected");
	if (is_deadly(h))
		return;
	if (s->present && s->none != (h->prot == NO_ACCESS || is_rw_protected(h)))
		wrong(p, i, s->none ? "no access" : "any access");
	if (h->copy) {
		if (!s->page && !s->slot)
			wrong(p, i, "the private page is lost");
		else if (s->content != h->content)
			wrong(p, i, "another content");
		if (s->page && !s->page->anon)
			wrong(p, i, "a page of the file in place of the copy");
		if (s->page && !s->dirty && !h->freed)
			wrong(p, i, "written to, and clean: reclaim would drop it");
	} else if (s->page || s->slot) {
		if (s->content != (h->file < 0 ? 0 : *file_content(h)))
			wrong(p, i, "another content");
	}
	if (s->write && (h->prot != RW || h->wp ||
			 (!h->shared && (!s->page || s->page->_mapcount.counter ||
					 !s->page->anon))))
		wrong(p, i, "may be written");
	if (s->alone && (s->page ? s->page->_mapcount.counter : shim_swap_count[s->slot] != 1))
		wrong(p, i, "a page that is one process's alone, and mapped by others");
}

/* Who has a private page to unmap or to move finds it, through its anon_vma. */
static void check_rmap(const struct process *p, int i, const struct vm_area_struct *vma,
		       const struct page *page)
{
	struct anon_vma_chain *avc;
	bool found = false;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
		found = found || page->mapping == (char *)avc->anon_vma + PAGE_MAPPING_ANON;
	if (!found)
		wrong(p, i, "the rmap does not find the page: not in the VMA's anon_vmas");
	else if (page->index != shim_anon_index(vma, page_addr(i)))
		wrong(p, i, "the rmap does not find the page: another offset");
}

/* The trees that the rmap walks: in order, and each node knows the last page below. */
static unsigned long check_anon_tree(const struct rb_node *node, unsigned long *at)
{
	const struct anon_vma_chain *avc;
	unsigned long last, first;

	if (!node)
		return 0;
	avc = rb_entry(node, struct anon_vma_chain, rb);
	first = shim_anon_index(avc->vma, avc->vma->vm_start);
	last = shim_anon_index(avc->vma, avc->vma->vm_end - PAGE_SIZE);
	last = max(last, check_anon_tree(node->rb_left, at));
	if (first < *at)
		test_fail(__FILE__, __LINE__, "an anon_vma's tree is out of order");
	*at = first;
	last = max(last, check_anon_tree(node->rb_right, at));
	if (avc->rb_subtree_last != last)
		test_fail(__FILE__, __LINE__, "an anon_vma's tree hides pages from the rmap");
	return last;
}

static unsigned long check_file_tree(const struct rb_node *node, unsigned long *at)
{
	const struct vm_area_struct *vma;
	unsigned long last;

	if (!node)
		return 0;
	vma = rb_entry(node, struct vm_area_struct, shared.rb);
	last = vma->vm_pgoff + ((vma->vm_end - vma->vm_start) >> PAGE_SHIFT) - 1;
	last = max(last, check_file_tree(node->rb_left, at));
	if (vma->vm_pgoff < *at)
		test_fail(__FILE__, __LINE__, "a file's tree of VMAs is out of order");
	*at = vma->vm_pgoff;
	last = max(last, check_file_tree(node->rb_right, at));
	if (vma->shared.rb_subtree_last != last)
		test_fail(__FILE__, __LINE__, "a file's tree hides pages from the rmap");
	return last;
}

static void check_trees(const struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc;
	unsigned long at;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) {
		at = 0;
		check_anon_tree(avc->anon_vma->rb_root.rb_root.rb_node, &at);
	}
	at = 0;
	if (vma->vm_file)
		check_file_tree(vma->vm_file->f_mapping->i_mmap.rb_root.rb_node, &at);
}

/* How many tables there are below, and in all. */
static long count_tables(const unsigned long *table, int level)
{
	static const int entries[] = { 0, PTRS_PER_PMD, PTRS_PER_PUD, PTRS_PER_PGD };
	static const unsigned long empty[64];
	static const unsigned int sizes[] = {
		sizeof(pte_t[PTRS_PER_PTE]), sizeof(pmd_t[PTRS_PER_PMD]),
		sizeof(pud_t[PTRS_PER_PUD]),
	};
	long bytes = 0;

	for (int i = 0; i < entries[level]; i++) {
		/* Tables are nearly empty; entry by entry this is 5% of a checked fork. */
		if (i % 64 == 0 && i + 64 <= entries[level] &&
		    !memcmp(&table[i], empty, sizeof(empty))) {
			i += 63;
			continue;
		}
		if (table[i])
			bytes += sizes[level - 1] +
				 count_tables((unsigned long *)(table[i] & PAGE_MASK), level - 1);
	}
	return bytes;
}

void check_process(const struct process *p)
{
	VMA_ITERATOR(vmi, p->mm, 0);
	unsigned long mapped = 0, locked = 0, data = 0, stack = 0;
	long rss[NR_MM_COUNTERS] = { 0 };
	const pte_t *table = NULL;
	struct vm_area_struct *vma, *vma_of[MAX_PAGES];
	int vmas = 0, covered = 0;

	mmap_read_lock(p->mm);
	for_each_vma(vmi, vma) {
		int first = (vma->vm_start - PROGRAM_START) / shim_page_span;
		int end = (vma->vm_end - PROGRAM_START) / shim_page_span;

		vmas++;
		if (vma->vm_start < PROGRAM_START || first < covered || end > nr_pages) {
			wrong(p, first, "a VMA where none can be");
			continue;
		}
		check_vma(p, vma, first, end);
		check_trees(vma);
		for (; covered < first; covered++) {
			vma_of[covered] = NULL;
			if (p->page[covered].mapped)
				wrong(p, covered, "not mapped");
		}
		for (; covered < end; covered++)
			vma_of[covered] = vma;
	}
	mmap_read_unlock(p->mm);
	for (; covered < nr_pages; covered++) {
		vma_of[covered] = NULL;
		if (p->page[covered].mapped)
			wrong(p, covered, "not mapped");
	}
	for (int i = 0; i < nr_pages; i++) {
		unsigned long addr = page_addr(i);
		struct seen s;

		if (!i || (addr & ~PMD_MASK) < shim_page_span)
			table = table_at(p->mm, addr);
		s = look(table, i);
		check_page(p, i, &s);
		if (vma_of[i])
			check_soft_dirty(p, i, &s, vma_of[i]);
		/* A page table that is made for private memory has an anon_vma to go with it. */
		if (vma_of[i] && s.guard && vma_is_anonymous(vma_of[i]) && !vma_of[i]->anon_vma)
			wrong(p, i, "a guard in private memory without an anon_vma");
		if (vma_of[i] && s.page && s.page->anon)
			check_rmap(p, i, vma_of[i], s.page);
		mapped += p->page[i].mapped;
		locked += p->page[i].mapped && p->page[i].locked;
		if (p->page[i].flags & VM_GROWSDOWN)
			stack++;
		else
			data += p->page[i].mapped && p->page[i].prot == RW &&
				!p->page[i].shared;
		if (s.slot)
			rss[MM_SWAPENTS]++;
		else if (s.page)
			rss[s.page->anon ? MM_ANONPAGES : s.page->swapbacked ?
			    MM_SHMEMPAGES : MM_FILEPAGES]++;
	}
	mapped *= shim_page_span >> PAGE_SHIFT;
	locked *= shim_page_span >> PAGE_SHIFT;
	stack *= shim_page_span >> PAGE_SHIFT;
	data *= shim_page_span >> PAGE_SHIFT;
	same(p, "map_count", p->mm->map_count, vmas);
	same(p, "total_vm", p->mm->total_vm, mapped);
	same(p, "locked_vm", p->mm->locked_vm, locked);
	same(p, "data_vm", p->mm->data_vm, data);
	same(p, "stack_vm", p->mm->stack_vm, stack);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		same(p, "RSS", p->mm->rss_stat[i].count, rss[i]);
	EXPECT_EQ((long)p->mm->pgtables_bytes.counter,
		  count_tables((unsigned long *)p->mm->pgd, 3));
	EXPECT_EQ((int)refcount_read(&p->ctx->refcount), 1);
	EXPECT_EQ(p->ctx->mmap_changing.counter, 0);
	EXPECT_EQ(p->ctx->map_changing_lock.dep_map.writers, 0);
	EXPECT_EQ(p->mm->notifying, 0);
	EXPECT(!p->mm->stale_tlb);
	EXPECT(p->mm->stale_start == p->mm->stale_end);
	EXPECT_EQ(shim_gathers, 0);
	EXPECT_EQ(shim_flush_later, 0);
	EXPECT_EQ(shim_lazy_mmu, 0);
	EXPECT_EQ(p->mm->write_protect_seq.sequence & 1, 0u);
	EXPECT(!rwsem_is_locked(&p->mm->mmap_lock));
	EXPECT_EQ(shim_locks_held, 0);
	EXPECT_EQ(shim_rcu_depth, 0);
	if (rss[MM_SWAPENTS])
		EXPECT(!list_empty(&p->mm->mmlist));
}

/*
 * What decides on the reuse of an anon_vma: who uses it, which are VMAs of one process,
 * and how many came of it.
 */
static void check_anon_vmas(void)
{
	static struct anon_vma *seen[NR_PROCESSES * MAX_PAGES];
	static int active[NR_PROCESSES * MAX_PAGES], children[NR_PROCESSES * MAX_PAGES];
	static int owner[NR_PROCESSES * MAX_PAGES];
	int nr = 0, told = 0;

	for (int n = 0; n < nr_processes; n++) {
		VMA_ITERATOR(vmi, process[n].mm, 0);
		struct vm_area_struct *vma;

		rcu_read_lock();
		for_each_vma(vmi, vma) {
			struct anon_vma_chain *avc;

			list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) {
				int i;

				for (i = 0; i < nr && seen[i] != avc->anon_vma; i++)
					;
				if (nr == ARRAY_SIZE(seen))
					abort();
				if (i == nr) {
					active[nr] = children[nr] = 0;
					owner[nr] = -1;
					seen[nr++] = avc->anon_vma;
				}
				if (vma->anon_vma != seen[i])
					continue;
				active[i]++;
				if (owner[i] >= 0 && owner[i] != n)
					test_fail(__FILE__, __LINE__, "processes %d and %d have one anon_vma",
						  owner[i], n);
				owner[i] = n;
			}
			told += vma->vm_ops == &shim_told_ops;
		}
		rcu_read_unlock();
	}
	for (int i = 0; i < nr; i++)
		for (int n = 0; n < nr; n++)
			children[i] += seen[n]->parent == seen[i];
	for (int i = 0; i < nr; i++) {
		EXPECT_EQ((long)seen[i]->num_active_vmas, (long)active[i]);
		EXPECT_EQ((long)seen[i]->num_children, (long)children[i]);
	}
	/* ->open and ->close, each once: as many VMAs as the driver knows of. */
	EXPECT_EQ(shim_told, told);
}

static bool has_in_chain(const struct vm_area_struct *vma, const struct anon_vma *anon_vma)
{
	struct anon_vma_chain *avc;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
		if (avc->anon_vma == anon_vma)
			return true;
	return false;
}

/* Of whatever process; its own parent, as a root is, is one of them. */
static int children_of(const struct anon_vma *parent)
{
	static const struct anon_vma *seen[NR_PROCESSES * MAX_PAGES];
	int nr = 0;

	for (int n = 0; n < nr_processes; n++) {
		VMA_ITERATOR(vmi, process[n].mm, 0);
		struct anon_vma_chain *avc;
		struct vm_area_struct *vma;

		rcu_read_lock();
		for_each_vma(vmi, vma)
			list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) {
				int i = 0;

				while (i < nr && seen[i] != avc->anon_vma)
					i++;
				if (avc->anon_vma->parent == parent && i == nr &&
				    nr < (int)ARRAY_SIZE(seen))
					seen[nr++] = avc->anon_vma;
			}
		rcu_read_unlock();
	}
	return nr;
}

/*
 * A child's VMA has an anon_vma of its own, which comes of the parent's VMA's, or takes
 * one over of which no more than one other comes: so a chain of forks does not grow for
 * ever, and the pages of one process are not looked for in many.
 */
void check_forked(const struct process *parent, const struct process *child)
{
	VMA_ITERATOR(vmi, child->mm, 0);
	struct vm_area_struct *vma;

	rcu_read_lock();
	for_each_vma(vmi, vma) {
		struct vma_iterator of_parent;
		struct vm_area_struct *src;

		vma_iter_init(&of_parent, parent->mm, vma->vm_start);
		src = vma_next(&of_parent);
		if (!vma->anon_vma || !src || !EXPECT(src->anon_vma))
			continue;
		if (has_in_chain(src, vma->anon_vma))
			EXPECT(children_of(vma->anon_vma) < 2);
		else
			EXPECT(vma->anon_vma->parent == src->anon_vma);
	}
	rcu_read_unlock();
}

/* Each page and slot is counted as often as all processes have it; anon_vmas, too. */
void check_counts(void)
{
	static int seen[NR_PFNS], seen_slot[NR_SLOTS], of_folio[NR_PFNS];
	static struct { const struct page *page; int slot; } counted[NR_PROCESSES * MAX_PAGES];
	long accounted = 0;
	int nr = 0;

	check_anon_vmas();
	for (int n = 0; n < nr_processes; n++) {
		const pte_t *table = NULL;

		for (int i = 0; i < nr_pages; i++) {
			unsigned long addr = page_addr(i);
			const struct page *page = NULL;
			int slot = 0;
			pteval_t v;

			accounted += process[n].page[i].accounted;
			if (!i || (addr & ~PMD_MASK) < shim_page_span)
				table = table_at(process[n].mm, addr);
			v = entry_at(table, i);
			if (!v || (has_page(v) ? !!(v & PTE_SPECIAL) : is_marker(v)))
				continue;
			if (has_page(v)) {
				page = mapped_page(v);
				seen[page - shim_pages]++;
				of_folio[page->head - shim_pages]++;
			} else {
				slot = v >> SWP_OFFSET_BIT;
				seen_slot[slot]++;
			}
			counted[nr].page = page;
			counted[nr++].slot = slot;
		}
	}
	/* Memory that was promised, no more and no less. */
	EXPECT_EQ(shim_committed, accounted * (long)(shim_page_span >> PAGE_SHIFT));
	for (int i = 0; i < nr; i++) {
		const struct page *page = counted[i].page, *head = page ? page->head : NULL;
		int slot = counted[i].slot;

		if (slot) {
			EXPECT_EQ(shim_swap_count[slot], seen_slot[slot]);
			continue;
		}
		EXPECT_EQ(page->_mapcount.counter + 1, seen[page - shim_pages]);
		EXPECT_EQ(head->_refcount.counter, of_folio[head - shim_pages] + !head->anon);
		if (head->_folio_nr_pages > 1)
			EXPECT_EQ(head->_large_mapcount.counter + 1, of_folio[head - shim_pages]);
	}
	for (int i = 0; i < nr; i++) {
		const struct page *page = counted[i].page;

		if (page)
			seen[page - shim_pages] = of_folio[page->head - shim_pages] = 0;
		seen_slot[counted[i].slot] = 0;
	}
}

/* Page tables of the child: none but for what the child's VMAs may hold. */
void check_child_tables(const struct process *parent, const struct process *child)
{
	unsigned long end;

	for (unsigned long start = PROGRAM_START; start < page_addr(nr_pages); start = end) {
		bool due = !table_at(child->mm, start);
		struct vma_iterator vmi, of_parent;
		struct vm_area_struct *vma, *src;

		end = min((start | ~PMD_MASK) + 1, page_addr(nr_pages));
		rcu_read_lock();
		vma_iter_init(&vmi, child->mm, start);
		for_each_vma_range(vmi, vma, end) {
			/* What is wiped starts without the parent's pages. */
			EXPECT(!vma->anon_vma || !(vma->vm_flags & VM_WIPEONFORK));
			vma_iter_init(&of_parent, parent->mm, vma->vm_start);
			src = vma_next(&of_parent);
			due |= vma->vm_flags & (GUARD_FLAG | VM_UFFD_WP | RWP_FLAG) ||
			       (src && src->anon_vma);
		}
		rcu_read_unlock();
		if (!due)
			test_fail(__FILE__, __LINE__,
				  "the child has a page table that nothing asks for");
	}
}
