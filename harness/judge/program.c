// SPDX-License-Identifier: GPL-2.0
/*
 * Programs and their judge. What the kernel is asked goes through the doors of
 * tree.h; what must come of it is worked out on an array by rules that are told
 * here in their own words. The judge finds VMAs by the kernel's tree, reads page
 * tables by itself, and calls nothing that changes anything.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "harness/judge/program.h"
#include "harness/judge/space.h"
#include "harness/test.h"

#define NR_PAGES	PROGRAM_PAGES
#define NR_PROCESSES	4
#define NR_FILES	48
#define NR_NAMES	3

#ifdef VM_MAYBE_GUARD
#define GUARD_FLAG	VM_MAYBE_GUARD
#define GUARD_MARKER	PTE_MARKER_GUARD
#else
#define GUARD_FLAG	0
#define GUARD_MARKER	0
#define MADV_GUARD_INSTALL	0
#define MADV_GUARD_REMOVE	0
#endif
#ifdef VM_UFFD_RWP
#define RWP_FLAG	VM_UFFD_RWP
#else
#define RWP_FLAG	0
#endif
#define HAS_WP		IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP)

enum { MISSING = 1, WP = 2 };

/* What a process must hold at a page. */
struct held {
	bool mapped, shared, locked, wipe, dontfork;
	bool guard;		/* an access dies */
	bool guards_near;	/* a guard was put here: the VMA says so for good */
	bool soft_dirty;	/* the same, of VM_SOFTDIRTY */
	bool copy;		/* a private page, with this content: */
	u64 content;
	bool moved;		/* by mremap() */
	bool wp;		/* userfaultfd protects what is there */
	unsigned char uffd;
	unsigned char prot, name;
	signed char file;	/* or -1 */
	unsigned int pgoff;
};

static struct process {
	struct mm_struct *mm;
	struct userfaultfd_ctx *ctx;
	struct held page[NR_PAGES];
} process[NR_PROCESSES];
static int nr_processes;

static struct {
	struct file *file;	/* known by its address, which may be of the past */
	bool shmem;
	u64 content[FILE_PAGES];
} files[NR_FILES];
static int nr_files;

static const char * const names[NR_NAMES] = { NULL, "one", "two" };
static u64 next_content;

/* What a page table says of a page, as far as a program can tell. */
struct seen {
	bool there, guard, wp, write, marker;
	struct page *page;	/* if it has one that counts */
	int slot;		/* or 0 */
	u64 content;
};

static pte_t *table_at(struct mm_struct *mm, unsigned long addr)
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

static struct seen look(const pte_t *table, int i)
{
	unsigned long addr = PROGRAM_START + i * PAGE_SIZE;
	pteval_t v = table ? table[addr >> PAGE_SHIFT & 511].pte : 0;
	unsigned int type = v >> SWP_TYPE_BIT & 31;
	struct seen s = { .there = v };

	if (!v)
		return s;
	if (v & (PTE_PRESENT | PTE_PROTNONE)) {
		struct page *page = &shim_pages[(v >> PFN_PTE_SHIFT) - FIRST_PFN];

		s.wp = v & PTE_UFFD;
		s.write = v & PTE_WRITE;
		s.content = page->content;
		if (!(v & PTE_SPECIAL))
			s.page = page;
	} else if (type == SWP_PTE_MARKER) {
		s.marker = true;
		s.guard = v >> SWP_OFFSET_BIT & GUARD_MARKER;
		s.wp = v >> SWP_OFFSET_BIT & PTE_MARKER_UFFD_WP;
	} else {
		s.wp = v & PTE_SWP_UFFD;
		s.slot = v >> SWP_OFFSET_BIT;
		s.content = shim_slot_content[s.slot];
	}
	return s;
}

/* --- the drawing */

static char drawn(const struct held *h)
{
	return !h->mapped ? ' ' : h->guard ? 'G' : h->wp ? 'P' : h->copy ? 'c' :
	       h->shared ? 's' : h->file >= 0 ? 'f' : '.';
}

static void draw(const struct process *p)
{
	VMA_ITERATOR(vmi, p->mm, 0);
	char want[NR_PAGES + 1] = "", found[NR_PAGES + 1] = "", vmas[NR_PAGES + 2] = "";
	struct vm_area_struct *vma;

	memset(vmas, ' ', NR_PAGES + 1);
	for (int i = 0; i < NR_PAGES; i++) {
		unsigned long addr = PROGRAM_START + i * PAGE_SIZE;
		struct seen s = look(table_at(p->mm, addr), i);

		want[i] = drawn(&p->page[i]);
		found[i] = s.guard ? 'G' : s.wp ? 'P' : s.page && s.page->anon ? 'c' :
			   s.slot ? 'c' : s.there ? 'p' : ' ';
	}
	rcu_read_lock();
	for_each_vma(vmi, vma) {
		long first = ((long)vma->vm_start - (long)PROGRAM_START) / (long)PAGE_SIZE;
		long end = ((long)vma->vm_end - (long)PROGRAM_START) / (long)PAGE_SIZE;

		if (first < 0 || end > NR_PAGES)
			continue;
		memset(vmas + first, vma->vm_flags & GUARD_FLAG ? 'g' : '-', end - first);
		vmas[first] = '|';
		vmas[end] = '|';
	}
	rcu_read_unlock();
	test_say("process %d  expected |%s|  G guard, P protected, c private copy",
		 (int)(p - process), want);
	test_say("              found |%s|  p a page, s shared, f file", found);
	test_say("               VMAs  %s  g may have guards", vmas);
}

static void wrong(const struct process *p, int i, const char *what)
{
	test_fail(__FILE__, __LINE__, "process %d, page %d: %s", (int)(p - process), i, what);
}

/* --- the judge */

static void judge_vma(const struct process *p, const struct vm_area_struct *vma,
		      int first, int end)
{
	const char *name = vma->anon_name ? vma->anon_name->name : NULL;
	vm_flags_t flags = vma->vm_flags;

	for (int i = first; i < end; i++) {
		const struct held *h = &p->page[i];
		int prot = flags & VM_WRITE ? RW : flags & VM_READ ? R : NO_ACCESS;
		int uffd = (flags & VM_UFFD_MISSING ? MISSING : 0) |
			   (flags & VM_UFFD_WP ? WP : 0);

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
		if (h->guards_near && !(flags & GUARD_FLAG))
			wrong(p, i, "VM_MAYBE_GUARD is lost");
		if (h->soft_dirty && VM_SOFTDIRTY & STICKY & ~flags)
			wrong(p, i, "VM_SOFTDIRTY is lost");
		if (uffd != h->uffd)
			wrong(p, i, "another userfaultfd mode");
		if (vma->vm_userfaultfd_ctx.ctx != (h->uffd ? p->ctx : NULL))
			wrong(p, i, "another userfaultfd");
		if (!name != !names[h->name] || (name && strcmp(name, names[h->name])))
			wrong(p, i, "another name");
		if (vma->vm_file != (h->file < 0 ? NULL : files[h->file].file))
			wrong(p, i, "another file");
		if (h->file >= 0 && vma->vm_pgoff + (i - first) +
		    ((PROGRAM_START + first * PAGE_SIZE - vma->vm_start) >> PAGE_SHIFT) != h->pgoff)
			wrong(p, i, "another page of the file");
	}
}

static void judge_page(const struct process *p, int i, const struct seen *s)
{
	const struct held *h = &p->page[i];

	if (!h->mapped) {
		if (s->there)
			wrong(p, i, "an entry, where nothing is mapped");
		return;
	}
	if (s->guard != h->guard)
		wrong(p, i, h->guard ? "the guard is lost" : "a guard");
	if (s->wp != h->wp)
		wrong(p, i, h->wp ? "the write protection is lost" : "write-protected");
	if (h->guard)
		return;
	if (h->copy) {
		if (!s->page && !s->slot)
			wrong(p, i, "the private page is lost");
		else if (s->content != h->content)
			wrong(p, i, "another content");
		if (s->page && !s->page->anon)
			wrong(p, i, "a page of the file in place of the copy");
	} else if (s->page || s->slot) {
		if (s->content != (h->file < 0 ? 0 : files[h->file].content[h->pgoff]))
			wrong(p, i, "another content");
	}
	if (s->write && (h->prot != RW || h->wp ||
			 (!h->shared && (!s->page || s->page->_mapcount.counter ||
					 !s->page->anon))))
		wrong(p, i, "may be written");
	if (s->page && s->page->exclusive && s->page->_mapcount.counter)
		wrong(p, i, "a page that is one process's alone, and mapped by others");
}

/* Who has a private page to unmap or to move finds it, through its anon_vma. */
static void judge_rmap(const struct process *p, int i, const struct vm_area_struct *vma,
		       const struct page *page)
{
	struct anon_vma_chain *avc;
	bool found = false;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
		found = found || page->mapping == (char *)avc->anon_vma + PAGE_MAPPING_ANON;
	if (!found)
		wrong(p, i, "the rmap does not find the page: not in the VMA's anon_vmas");
	else if (page->index != shim_anon_index(vma, PROGRAM_START + i * PAGE_SIZE))
		wrong(p, i, "the rmap does not find the page: another offset");
}

/* The trees that the rmap walks: in order, and each node knows the last page below. */
static unsigned long judge_anon_tree(const struct rb_node *node, unsigned long *at)
{
	const struct anon_vma_chain *avc;
	unsigned long last, first;

	if (!node)
		return 0;
	avc = rb_entry(node, struct anon_vma_chain, rb);
	first = shim_anon_index(avc->vma, avc->vma->vm_start);
	last = shim_anon_index(avc->vma, avc->vma->vm_end - PAGE_SIZE);
	last = max(last, judge_anon_tree(node->rb_left, at));
	if (first < *at)
		test_fail(__FILE__, __LINE__, "an anon_vma's tree is out of order");
	*at = first;
	last = max(last, judge_anon_tree(node->rb_right, at));
	if (avc->rb_subtree_last != last)
		test_fail(__FILE__, __LINE__, "an anon_vma's tree hides pages from the rmap");
	return last;
}

static unsigned long judge_file_tree(const struct rb_node *node, unsigned long *at)
{
	const struct vm_area_struct *vma;
	unsigned long last;

	if (!node)
		return 0;
	vma = rb_entry(node, struct vm_area_struct, shared.rb);
	last = vma->vm_pgoff + ((vma->vm_end - vma->vm_start) >> PAGE_SHIFT) - 1;
	last = max(last, judge_file_tree(node->rb_left, at));
	if (vma->vm_pgoff < *at)
		test_fail(__FILE__, __LINE__, "a file's tree of VMAs is out of order");
	*at = vma->vm_pgoff;
	last = max(last, judge_file_tree(node->rb_right, at));
	if (vma->shared.rb_subtree_last != last)
		test_fail(__FILE__, __LINE__, "a file's tree hides pages from the rmap");
	return last;
}

static void judge_trees(const struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc;
	unsigned long at;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) {
		at = 0;
		judge_anon_tree(avc->anon_vma->rb_root.rb_root.rb_node, &at);
	}
	at = 0;
	if (vma->vm_file)
		judge_file_tree(vma->vm_file->f_mapping->i_mmap.rb_root.rb_node, &at);
}

/* How many tables there are below, and in all. */
static long count_tables(const unsigned long *table, int level)
{
	static const int entries[] = { 0, PTRS_PER_PMD, PTRS_PER_PUD, PTRS_PER_PGD };
	static const unsigned int sizes[] = {
		sizeof(pte_t[PTRS_PER_PTE]), sizeof(pmd_t[PTRS_PER_PMD]),
		sizeof(pud_t[PTRS_PER_PUD]),
	};
	long bytes = 0;

	for (int i = 0; i < entries[level]; i++)
		if (table[i])
			bytes += sizes[level - 1] +
				 count_tables((unsigned long *)(table[i] & PAGE_MASK), level - 1);
	return bytes;
}

static void judge_process(const struct process *p)
{
	VMA_ITERATOR(vmi, p->mm, 0);
	unsigned long mapped = 0, locked = 0, data = 0;
	long rss[NR_MM_COUNTERS] = { 0 };
	const pte_t *table = NULL;
	struct vm_area_struct *vma, *vma_of[NR_PAGES] = { NULL };
	int vmas = 0, covered = 0;

	mmap_read_lock(p->mm);
	for_each_vma(vmi, vma) {
		int first = (vma->vm_start - PROGRAM_START) >> PAGE_SHIFT;
		int end = (vma->vm_end - PROGRAM_START) >> PAGE_SHIFT;

		vmas++;
		if (vma->vm_start < PROGRAM_START || first < covered || end > NR_PAGES) {
			wrong(p, first, "a VMA where none can be");
			continue;
		}
		judge_vma(p, vma, first, end);
		judge_trees(vma);
		for (; covered < first; covered++)
			if (p->page[covered].mapped)
				wrong(p, covered, "not mapped");
		for (; covered < end; covered++)
			vma_of[covered] = vma;
	}
	mmap_read_unlock(p->mm);
	for (; covered < NR_PAGES; covered++)
		if (p->page[covered].mapped)
			wrong(p, covered, "not mapped");
	for (int i = 0; i < NR_PAGES; i++) {
		unsigned long addr = PROGRAM_START + i * PAGE_SIZE;
		struct seen s;

		if (!i || !(addr & ~PMD_MASK))
			table = table_at(p->mm, addr);
		s = look(table, i);
		judge_page(p, i, &s);
		if (vma_of[i] && s.page && s.page->anon)
			judge_rmap(p, i, vma_of[i], s.page);
		mapped += p->page[i].mapped;
		locked += p->page[i].mapped && p->page[i].locked;
		data += p->page[i].mapped && p->page[i].prot == RW && !p->page[i].shared;
		if (s.slot)
			rss[MM_SWAPENTS]++;
		else if (s.page)
			rss[s.page->anon ? MM_ANONPAGES : s.page->swapbacked ?
			    MM_SHMEMPAGES : MM_FILEPAGES]++;
	}
	EXPECT_EQ(p->mm->map_count, vmas);
	EXPECT_EQ(p->mm->total_vm, mapped);
	EXPECT_EQ(p->mm->locked_vm, locked);
	EXPECT_EQ(p->mm->data_vm, data);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		EXPECT_EQ(p->mm->rss_stat[i].count, rss[i]);
	EXPECT_EQ((long)p->mm->pgtables_bytes.counter,
		  count_tables((unsigned long *)p->mm->pgd, 3));
	EXPECT_EQ((int)refcount_read(&p->ctx->refcount), 1);
	EXPECT_EQ(p->ctx->mmap_changing.counter, 0);
	EXPECT_EQ(p->ctx->map_changing_lock.dep_map.writers, 0);
	EXPECT_EQ(p->mm->notifying, 0);
	EXPECT(!p->mm->stale_tlb);
	EXPECT_EQ(shim_lazy_mmu, 0);
	EXPECT_EQ(p->mm->write_protect_seq.sequence & 1, 0u);
	EXPECT(!rwsem_is_locked(&p->mm->mmap_lock));
	EXPECT_EQ(shim_locks_held, 0);
	EXPECT_EQ(shim_rcu_depth, 0);
	if (rss[MM_SWAPENTS])
		EXPECT(!list_empty(&p->mm->mmlist));
}

/* What decides on the reuse of an anon_vma: who uses it, and how many came of it. */
static void judge_anon_vmas(void)
{
	struct anon_vma *seen[256];
	int nr = 0, active[256] = { 0 }, children[256] = { 0 };

	for (int turn = 0; turn < 2; turn++)
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
					if (i < nr)
						continue;
					if (nr == ARRAY_SIZE(seen))
						abort();
					seen[nr++] = avc->anon_vma;
				}
				for (int i = 0; turn && i < nr; i++)
					active[i] += vma->anon_vma == seen[i];
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
}

/* Each page and slot is counted as often as all processes have it; anon_vmas, too. */
static void judge_counts(void)
{
	static int seen[NR_PFNS], seen_slot[NR_SLOTS];

	judge_anon_vmas();
	for (int turn = 0; turn < 2; turn++)
		for (int n = 0; n < nr_processes; n++)
			for (int i = 0; i < NR_PAGES; i++) {
				unsigned long addr = PROGRAM_START + i * PAGE_SIZE;
				struct seen s = look(table_at(process[n].mm, addr), i);
				int *count = s.page ? &seen[s.page - shim_pages] :
					     s.slot ? &seen_slot[s.slot] : NULL;

				if (!count)
					continue;
				if (!turn) {
					++*count;
				} else if (*count) {
					if (s.slot)
						EXPECT_EQ(shim_swap_count[s.slot], *count);
					else
						EXPECT_EQ(s.page->_mapcount.counter + 1, *count);
					if (s.page)
						EXPECT_EQ(s.page->_refcount.counter,
							  *count + !s.page->anon);
					*count = 0;
				}
			}
}

/* Page tables of the child: none but for what the child's VMAs may hold. */
static void judge_child_tables(const struct process *parent, const struct process *child)
{
	for (int half = 0; half < 2; half++) {
		unsigned long start = PROGRAM_START + half * (NR_PAGES / 2) * PAGE_SIZE;
		unsigned long end = start + NR_PAGES / 2 * PAGE_SIZE;
		bool due = !table_at(child->mm, start);
		struct vma_iterator vmi, of_parent;
		struct vm_area_struct *vma, *src;

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

/* --- the steps */

static struct userfaultfd_ctx *new_ctx(struct mm_struct *mm)
{
	struct userfaultfd_ctx *ctx = shim_cache_alloc(userfaultfd_ctx_cachep, GFP_KERNEL);

	memset(ctx, 0, sizeof(*ctx));
	refcount_set(&ctx->refcount, 1);
	ctx->mm = mm;
	mmgrab(mm);
	return ctx;
}

static void end(struct process *p)
{
	current->mm = p->mm;
	tree_uffd_put(p->ctx);
	shim_mm_exit(p->mm);
	while (p + 1 < process + nr_processes) {
		*p = p[1];
		p++;
	}
	nr_processes--;
}

static bool is_wiped_and_moved(const struct held *h)
{
	return h->wipe && h->moved;
}

static bool any(const struct held *h, int nr, bool (*is)(const struct held *h))
{
	for (int i = 0; i < nr; i++)
		if (is(&h[i]))
			return true;
	return false;
}

static int file_vmas(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int nr = 0;

	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		nr += !!vma->vm_file;
	mmap_read_unlock(mm);
	return nr;
}

static bool fork_it(struct process *p, bool followed, long nth)
{
	struct process *child = &process[nr_processes];
	long tables = shim_nr_tables, folios = shim_nr_folios, objects = shim_nr_objects;
	long committed = shim_committed;
	int ret;

	if (nr_processes == NR_PROCESSES)
		return false;
	/* The kernel would warn: see programs.wiped_after_mremap. */
	if (test_known("wiped-offset") && any(p->page, NR_PAGES, is_wiped_and_moved))
		return false;
	p->ctx->features = followed ? UFFD_FEATURE_EVENT_FORK : 0;
	shim_uffd_child = NULL;
	child->mm = shim_mm_new(p->mm);
	shim_opens = 0;
	alloc_fail_at(nth);
	ret = tree_dup_mmap(child->mm, p->mm);
	if (alloc_failure_is_final())
		EXPECT_EQ(ret, -ENOMEM);
	else if (ret != -ENOMEM || !nth || alloc_count() < nth)
		EXPECT_EQ(ret, 0);
	if (ret) {
		EXPECT(!shim_uffd_child);
		alloc_fail_at(0);
		current->mm = child->mm;
		shim_mm_exit(child->mm);
		EXPECT_EQ(shim_nr_tables, tables);
		EXPECT_EQ(shim_nr_folios, folios);
		EXPECT_EQ(shim_nr_objects, objects);
		EXPECT_EQ(shim_committed, committed);
		judge_process(p);
		judge_counts();
		return true;
	}
	alloc_fail_at(0);
	shim_rcu_end();
	child->ctx = shim_uffd_child ?: new_ctx(child->mm);
	EXPECT_EQ(shim_opens, file_vmas(child->mm));
	nr_processes++;
	for (int i = 0; i < NR_PAGES; i++) {
		struct held *h = &child->page[i];

		*h = p->page[i];
		if (h->dontfork)
			*h = (struct held){ 0 };
		h->locked = false;
		if (!followed)
			h->uffd = 0;
		if (!followed || (h->wipe && h->file < 0))
			h->wp = false;
		if (h->wipe)
			h->copy = h->guard = false;
	}
	judge_process(p);
	judge_process(child);
	judge_counts();
	judge_child_tables(p, child);
	return true;
}

static vm_flags_t flags_of(int prot)
{
	return (prot == RW ? VM_READ | VM_WRITE : prot == R ? VM_READ : 0) |
	       VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
}

/* The range is another one's from now on. */
static void now(struct held *h, int nr, struct held as)
{
	as.mapped = as.soft_dirty = true;
	for (int i = 0; i < nr; i++, as.pgoff++)
		h[i] = as;
}

static bool is_mapped(const struct held *h) { return h->mapped; }
static bool is_hole(const struct held *h) { return !h->mapped; }
static bool is_plain_file(const struct held *h)
{
	return h->file >= 0 && !files[h->file].shmem;
}

static bool is_registered(const struct held *h)
{
	return h->uffd;
}

static bool is_protected_file(const struct held *h)
{
	return h->file >= 0 && h->wp;
}

/* Whether a guard can be put where userfaultfd left a marker: see README.md. */
static bool guard_over_marker(void)
{
#ifdef TREE_HAS_pte_none_mostly
	return true;
#else
	return false;
#endif
}

long program_known;

/* A tree that is known to lose sticky flags here gets them back, and is counted. */
static void repair(struct process *p)
{
	for (int i = 0; i < NR_PAGES; i++) {
		struct vm_area_struct *vma = shim_vma_at(PROGRAM_START + i * PAGE_SIZE);
		vm_flags_t lost = (p->page[i].guards_near ? GUARD_FLAG : 0) |
				  (p->page[i].soft_dirty ? VM_SOFTDIRTY : 0);

		if (!vma || !(lost & ~vma->vm_flags))
			continue;
		program_known++;
		mmap_write_lock(p->mm);
		vm_flags_set(vma, lost);
		mmap_write_unlock(p->mm);
	}
}

/* One step. False: it makes no sense here, and nothing was done. */
static bool step(const struct op *op)
{
	struct process *p = &process[op->who % nr_processes];
	int at = op->at % NR_PAGES;
	int nr = 1 + (op->nr ? op->nr - 1 : 0) % (NR_PAGES - at);
	unsigned long addr = PROGRAM_START + at * PAGE_SIZE, len = nr * PAGE_SIZE;
	int prot = op->arg % 3, ret = 0, want = 0, to;
	struct held *h = &p->page[at], *last = h + nr;
	struct held as = { .prot = prot, .file = -1 };
	enum access result, due;
	u64 content;

	current->mm = p->mm;
	if (op->what > MUNMAP && op->what != WRITE && op->what != READ &&
	    op->what < CLEAR_REFS && any(h, nr, is_hole))
		return false;
	switch (op->what) {
	case MMAP_PRIVATE:
		ret = tree_mmap(NULL, addr, len, flags_of(prot), addr >> PAGE_SHIFT);
		now(h, nr, as);
		break;
	case MMAP_SHARED:
		if (nr_files == NR_FILES)
			return false;
		ret = tree_mmap(NULL, addr, len, flags_of(prot) | VM_SHARED | VM_MAYSHARE, 0);
		as.shared = true;
		as.file = nr_files++;
		files[(int)as.file].file = shim_vma_at(addr)->vm_file;
		files[(int)as.file].shmem = true;
		memset(files[(int)as.file].content, 0, sizeof(files[0].content));
		now(h, nr, as);
		break;
	case MMAP_FILE:
		as.shared = op->arg & 1;
		as.file = op->arg >> 1 & 1;
		as.pgoff = at;
		as.prot = RW;
		ret = tree_mmap(files[(int)as.file].file, addr, len, flags_of(RW) |
				(as.shared ? VM_SHARED | VM_MAYSHARE : 0), at);
		now(h, nr, as);
		break;
	case BRK:
		if (any(h, nr, is_mapped))
			return false;
		as.prot = RW;
		ret = tree_brk(addr, len);
		now(h, nr, as);
		break;
	case MUNMAP:
		ret = tree_munmap(addr, len);
		for (; h < last; h++)
			*h = (struct held){ 0 };
		break;
	case MPROTECT:
		ret = tree_mprotect(addr, len, prot == RW ? PROT_READ | PROT_WRITE :
				    prot == R ? PROT_READ : PROT_NONE);
		for (; h < last; h++)
			h->prot = prot;
		break;
	case GUARD:
		if (!GUARD_FLAG || (!guard_over_marker() && any(h, nr, is_protected_file)))
			return false;
		ret = tree_madvise(addr, len, MADV_GUARD_INSTALL);
		for (; h < last && !h->locked; h++) {
			h->guard = h->guards_near = true;
			h->copy = h->wp = false;
		}
		want = h < last ? -EINVAL : 0;
		break;
	case UNGUARD:
		if (!GUARD_FLAG)
			return false;
		ret = tree_madvise(addr, len, MADV_GUARD_REMOVE);
		for (; h < last; h++)
			h->guard = false;
		break;
	case DONTNEED:
		ret = tree_madvise(addr, len, MADV_DONTNEED);
		for (; h < last && !h->locked; h++) {
			h->copy = false;
			if (h->file < 0)
				h->wp = false;
		}
		want = h < last ? -EINVAL : 0;
		break;
	case REGISTER:
		as.uffd = (HAS_WP ? WP : 0) | (op->arg & 1 || !HAS_WP ? MISSING : 0);
		ret = tree_uffd_register(p->ctx, addr, len,
			(as.uffd & MISSING ? UFFDIO_REGISTER_MODE_MISSING : 0) |
			(as.uffd & WP ? UFFDIO_REGISTER_MODE_WP : 0));
		want = any(h, nr, is_plain_file) ? -EINVAL : 0;
		for (; h < last && !want; h++)
			if ((h->uffd & as.uffd) != as.uffd)
				h->uffd = as.uffd;
		break;
	case UNREGISTER:
		ret = tree_uffd_unregister(p->ctx, addr, len);
		want = any(h, nr, is_plain_file) ? -EINVAL : 0;
		for (; h < last && !want; h++) {
			h->wp &= !h->uffd;
			h->uffd = 0;
		}
		break;
	case WRITEPROTECT:
	case UNPROTECT:
		if (!HAS_WP)
			return false;
		/* Of anonymous memory only what is there is protected. */
		for (; h < last && h->uffd & WP; h++, at++)
			h->wp = op->what == WRITEPROTECT && !h->guard &&
				(h->file >= 0 ||
				 look(table_at(p->mm, PROGRAM_START + at * PAGE_SIZE), at).there);
		want = h < last ? -ENOENT : 0;
		ret = tree_uffd_wp(p->ctx, addr, len, op->what == WRITEPROTECT);
		break;
	case WRITE:
	case READ:
		due = !h->mapped || h->prot == NO_ACCESS ||
		      (op->what == WRITE && h->prot != RW) ? ACCESS_SEGV :
		      h->guard ? ACCESS_GUARD :
		      op->what == WRITE && h->wp ? ACCESS_PROTECTED : ACCESS_DONE;
		content = ++next_content;
		result = shim_access(addr, op->what == WRITE, &content);
		EXPECT_EQ(result, due);
		if (due != ACCESS_DONE || result != ACCESS_DONE)
			break;
		if (op->what == READ) {
			EXPECT_EQ(content, h->copy ? h->content : h->file < 0 ? 0 :
				  files[(int)h->file].content[h->pgoff]);
		} else if (h->shared) {
			files[(int)h->file].content[h->pgoff] = content;
		} else {
			h->copy = true;
			h->content = content;
		}
		break;
	case SWAP_OUT:
		if (!shim_swap_out(addr))
			return false;
		break;
	case NAME:
		ret = tree_name(addr, len, names[op->arg % NR_NAMES]);
		if (test_known("naming"))
			repair(p);
		for (; h < last && !is_plain_file(h); h++)
			h->name = op->arg % NR_NAMES;
		want = h < last ? -EBADF : 0;
		break;
	case LOCK:
	case UNLOCK:
		ret = tree_mlock(addr, len, op->what == LOCK);
		for (; h < last; h++)
			h->locked = op->what == LOCK;
		break;
	case WIPEONFORK:
		ret = tree_madvise(addr, len, MADV_WIPEONFORK);
		for (; h < last && h->file < 0; h++)
			h->wipe = true;
		want = h < last ? -EINVAL : 0;
		break;
	case KEEPONFORK:
		ret = tree_madvise(addr, len, MADV_KEEPONFORK);
		for (; h < last; h++)
			h->wipe = false;
		break;
	case DONTFORK:
	case DOFORK:
		ret = tree_madvise(addr, len, op->what == DONTFORK ? MADV_DONTFORK :
				   MADV_DOFORK);
		for (; h < last; h++)
			h->dontfork = op->what == DONTFORK;
		break;
	case CLEAR_REFS:
		tree_clear_refs();
		for (int i = 0; i < NR_PAGES; i++)
			p->page[i].soft_dirty = false;
		break;
	case MREMAP:
		to = op->arg % NR_PAGES;
		/*
		 * Of one VMA, to where it is not, all of it. A tree with that defect
		 * takes the whole VMA that it merged with away from userfaultfd.
		 */
		if (any(h, nr, is_registered) && test_known("mremap-uffd"))
			return false;
		if (to + nr > NR_PAGES || (to < at + nr && at < to + nr) ||
		    any(h, nr, is_hole) || shim_vma_at(addr)->vm_end < addr + len)
			return false;
		ret = tree_mremap(addr, len, PROGRAM_START + to * PAGE_SIZE);
		for (int i = 0; i < nr; i++) {
			p->page[to + i] = h[i];
			/* Its events are not asked for, so userfaultfd stays behind. */
			p->page[to + i].uffd = p->page[to + i].wp = 0;
			p->page[to + i].moved = true;
			h[i] = (struct held){ 0 };
		}
		break;
	case FORK:
		if (!fork_it(p, op->arg & 1, op->nr))
			return false;
		break;
	case EXIT:
		if (nr_processes == 1)
			return false;
		end(p);
		break;
	default:
		return false;
	}
	if (ret != want)
		test_fail(__FILE__, __LINE__, "returned %d, expected %d", ret, want);
	return true;
}

/* --- programs */

static const char * const whats[NR_WHAT] = {
	[MMAP_PRIVATE] = "MMAP_PRIVATE", [MMAP_SHARED] = "MMAP_SHARED",
	[MMAP_FILE] = "MMAP_FILE", [BRK] = "BRK", [MUNMAP] = "MUNMAP",
	[MPROTECT] = "MPROTECT", [GUARD] = "GUARD", [UNGUARD] = "UNGUARD",
	[DONTNEED] = "DONTNEED", [REGISTER] = "REGISTER", [UNREGISTER] = "UNREGISTER",
	[WRITEPROTECT] = "WRITEPROTECT", [UNPROTECT] = "UNPROTECT",
	[WRITE] = "WRITE", [READ] = "READ", [SWAP_OUT] = "SWAP_OUT",
	[NAME] = "NAME", [LOCK] = "LOCK", [UNLOCK] = "UNLOCK",
	[WIPEONFORK] = "WIPEONFORK", [KEEPONFORK] = "KEEPONFORK",
	[DONTFORK] = "DONTFORK", [DOFORK] = "DOFORK", [CLEAR_REFS] = "CLEAR_REFS",
	[MREMAP] = "MREMAP", [FORK] = "FORK", [EXIT] = "EXIT",
};

static void begin_program(void)
{
	INIT_LIST_HEAD(&init_mm.mmlist);
	/* What an earlier program has leaked is not this one's. */
	shim_nr_folios = shim_nr_objects = shim_nr_tables = 0;
	shim_nr_files = shim_committed = 0;
	next_content = 0;
	memset(process[0].page, 0, sizeof(process[0].page));
	process[0].mm = shim_mm_new(NULL);
	process[0].ctx = new_ctx(process[0].mm);
	nr_processes = 1;
	for (nr_files = 0; nr_files < 2; nr_files++) {
		files[nr_files].file = shim_file_new(nr_files);
		files[nr_files].shmem = nr_files;
		memset(files[nr_files].content, 0, sizeof(files[0].content));
	}
}

static void end_program(void)
{
	while (nr_processes)
		end(&process[0]);
	fput(files[0].file);
	fput(files[1].file);
	EXPECT_EQ(shim_nr_folios, 0l);
	EXPECT_EQ(shim_nr_objects, 0l);
	EXPECT_EQ(shim_nr_tables, 0l);
	EXPECT_EQ(shim_nr_files, 0l);
	EXPECT_EQ(shim_committed, 0l);
}

void program_forks(const struct op *ops, unsigned int nr, long forks)
{
	begin_program();
	for (unsigned int i = 0; i < nr; i++)
		EXPECT(step(&ops[i]));
	while (forks--) {
		fork_it(&process[0], false, 0);
		end(&process[1]);
	}
	end_program();
}

long program_run(const struct op *ops, unsigned int nr)
{
	int before = test_failures();
	long done = 0;

	begin_program();
	for (unsigned int i = 0; i < nr; i++) {
		done += step(&ops[i]);
		shim_rcu_end();
		if (test_failures() == before)
			continue;
		test_say("at step %u, { %s, %d, %d, %d, %d }:", i, whats[ops[i].what],
			 ops[i].who, ops[i].at, ops[i].nr, ops[i].arg);
		break;
	}
	if (test_failures() == before) {
		for (int i = 0; i < nr_processes; i++)
			judge_process(&process[i]);
		judge_counts();
	}
	if (test_failures() != before)
		for (int i = 0; i < nr_processes; i++)
			draw(&process[i]);
	end_program();
	return done;
}

void program_random(struct op *ops, unsigned int nr, u64 seed)
{
	/* How often, of about 100: mappings and forks, or there is little to see. */
	static const unsigned char often[NR_WHAT] = {
		[MMAP_PRIVATE] = 6, [MMAP_SHARED] = 6, [MMAP_FILE] = 4, [BRK] = 2,
		[MUNMAP] = 3, [MPROTECT] = 6, [GUARD] = 8, [UNGUARD] = 2,
		[DONTNEED] = 2, [REGISTER] = 4, [UNREGISTER] = 2,
		[WRITEPROTECT] = 6, [UNPROTECT] = 2, [WRITE] = 14, [READ] = 6,
		[SWAP_OUT] = 4, [NAME] = 8, [LOCK] = 2, [UNLOCK] = 2,
		[WIPEONFORK] = 1, [KEEPONFORK] = 1, [DONTFORK] = 1, [DOFORK] = 1,
		[CLEAR_REFS] = 2, [MREMAP] = 4, [FORK] = 8, [EXIT] = 3,
	};
	u64 state = seed * 0x9e3779b97f4a7c15ULL + 1;
	int sum = 0;

	for (int i = 0; i < NR_WHAT; i++)
		sum += often[i];
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int r[5];
		int what = -1, left;

		for (int n = 0; n < 5; n++) {
			state ^= state >> 12;
			state ^= state << 25;
			state ^= state >> 27;
			r[n] = state * 0x2545f4914f6cdd1dULL >> 33;
		}
		for (left = r[0] % sum; left >= 0; left -= often[what])
			what++;
		ops[i] = (struct op){ what, r[1], r[2] % NR_PAGES, 1 + r[3] % 20, r[4] };
		if (what == FORK)
			ops[i].nr = r[3] & 3 ? 0 : 1 + (r[3] >> 2) % 40;
		/* Begin with something that is there. */
		if (!i)
			ops[i].what = r[0] & 1 ? MMAP_SHARED : MMAP_PRIVATE;
	}
}

/* --- what failed, made small */

/* In a process of its own, for it may crash; what it says is not of interest. */
static bool fails(const struct op *ops, unsigned int nr)
{
	int status, before = test_failures();
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(0);
		test_detach();
		alarm(10);
		program_run(ops, nr);
		_exit(test_failures() != before);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status;
}

unsigned int program_shrink(struct op *ops, unsigned int nr)
{
	struct op *less = malloc(nr * sizeof(*less));
	bool shorter;

	if (!less)
		abort();
	do {
		shorter = false;
		for (unsigned int part = (nr + 1) / 2; part; part /= 2)
			for (unsigned int from = 0; from + part <= nr; ) {
				memcpy(less, ops, from * sizeof(*ops));
				memcpy(less + from, ops + from + part,
				       (nr - from - part) * sizeof(*ops));
				if (!fails(less, nr - part)) {
					from += part;
					continue;
				}
				nr -= part;
				memcpy(ops, less, nr * sizeof(*ops));
				shorter = true;
			}
	} while (shorter);
	/* Then the numbers, each as small as it may be. */
	for (unsigned int i = 0; i < nr; i++) {
		unsigned char * const number[] = { &ops[i].who, &ops[i].arg, &ops[i].nr };

		ops[i].who %= NR_PROCESSES;
		for (int n = 0; n < 3; n++) {
			unsigned char was = *number[n];

			for (unsigned char to = 0; to < was && to < 24; to++) {
				*number[n] = to;
				if (fails(ops, nr))
					break;
				*number[n] = was;
			}
		}
	}
	free(less);
	return nr;
}

void program_print(const struct op *ops, unsigned int nr, const char *name)
{
	test_say("TEST(%s)\n{\n\tstatic const struct op program[] = {", name);
	for (unsigned int i = 0; i < nr; i++)
		test_say("\t\t{ %s, .who = %d, .at = %d, .nr = %d, .arg = %d },",
			 whats[ops[i].what], ops[i].who, ops[i].at, ops[i].nr, ops[i].arg);
	test_say("\t};\n\n\tprogram_run(program, ARRAY_SIZE(program));\n}");
}
