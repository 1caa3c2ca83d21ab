// SPDX-License-Identifier: GPL-2.0
/*
 * Single operations on a table of situations, with each of their allocations failing
 * in turn: what fails returns -ENOMEM (madvise() -EAGAIN) and has changed nothing,
 * what succeeds adds up, and nothing is left when the process is gone.
 *
 * Three VMAs of 8 pages, each with or without pages of its own; further parts are
 * mapped by the operations that need them.
 *
 *	|rrrrrrrr|wwwwwwww|rrrrrrrr|	r read-only, w writable
 *	0        8        16       24
 */
#include "harness/ops/program.h"
#include "harness/oracle/space.h"
#include "harness/oracle/vmas.h"
#include "harness/test.h"

#define AT(page)	(PROGRAM_START + (unsigned long)(page) * PAGE_SIZE)
#define PAGES		64
#define RO		(VM_READ | VM_MAYREAD | VM_MAYWRITE)
#define RDWR		(RO | VM_WRITE)
#ifndef VM_ACCOUNT
#define VM_ACCOUNT	0
#endif
#ifdef MADV_GUARD_INSTALL
#define GUARD_ADVICE	MADV_GUARD_INSTALL
#else
#define GUARD_ADVICE	0
#endif


static struct userfaultfd_ctx ctx, other;
static struct file *file;
static const char *doing;
static int failed_before, known_met;
static bool gets_anon_vma;	/* before it is known to succeed, and to no harm */
static const char *known;	/* the defect of known.list that may show here, or NULL */
static char met[200];

/* Fails the test, once for each operation. */
static void broken(const char *what, long found, long expected)
{
	if (failed_before++)
		return;
	test_fail(__FILE__, __LINE__, "%s: %s: %ld, expected %ld", doing, what, found,
		  expected);
}

static void same(const char *what, long found, long expected)
{
	if (found != expected)
		broken(what, found, expected);
}

/* The same of what a known defect gets wrong: that is counted, not a failure. */
static void same_account(const char *what, long found, long expected)
{
	if (found == expected || !known) {
		same(what, found, expected);
		return;
	}
	known_met++;
	if (!strstr(met, known))
		snprintf(met + strlen(met), sizeof(met) - strlen(met), " %s", known);
}

/* VMAs that are told when they come and go. */
static int opened;

static void open_vma(struct vm_area_struct *vma)
{
	(void)vma;
	opened++;
}

static void close_vma(struct vm_area_struct *vma)
{
	(void)vma;
	opened--;
}

static const struct vm_operations_struct closing_ops = {
	.open = open_vma, .close = close_vma,
};

/* What a page is, as far as a program or its accounts can tell. */
struct page_state {
	bool mapped;
	vm_flags_t flags;
	void *ctx, *file, *name, *anon_vma;
	int policy;
	unsigned long pgoff;
	unsigned long pte;
};

struct state {
	struct page_state page[PAGES];
	unsigned long total_vm, locked_vm, data_vm;
	long committed, files, folios;
	int changing;
};

/*
 * The pages that are looked at: all, or of a large mapping every so many, and those
 * around the borders of its page tables.
 */
static unsigned long sample_start, sample_step;

static unsigned long where(int i)
{
	unsigned long end = sample_start + PAGES / 2 * sample_step;

	if (sample_step == PAGE_SIZE || i < PAGES / 2)
		return sample_start + i * sample_step;
	if (i >= PAGES - 8)
		return end - (PAGES - i) * PAGE_SIZE;
	return (sample_start & PMD_MASK) + (i / 8 - 3) * PMD_SIZE + (i % 8 - 4) * PAGE_SIZE;
}

static unsigned long entry(unsigned long addr)
{
	unsigned long *table = (unsigned long *)current->mm->pgd;
	static const int shift[] = { PGDIR_SHIFT, PUD_SHIFT, PMD_SHIFT };

	for (int level = 0; level < 3; level++) {
		table = (unsigned long *)(table[addr >> shift[level] & 511] & PAGE_MASK);
		if (!table)
			return 0;
	}
	return ((pte_t *)table)[addr >> PAGE_SHIFT & 511].pte;
}

static void look(struct state *s)
{
	struct mm_struct *mm = current->mm;

	memset(s, 0, sizeof(*s));
	for (int i = 0; i < PAGES; i++) {
		struct vm_area_struct *vma = shim_vma_at(where(i));
		struct page_state *p = &s->page[i];

		p->pte = entry(where(i)) & ~(unsigned long)PTE_SOFT_DIRTY;
		if (!vma)
			continue;
		p->mapped = true;
		/* What is set before it is known to succeed, and does no harm. */
		p->flags = vma->vm_flags & ~(VM_SOFTDIRTY | GUARD_FLAG);
		p->ctx = vma->vm_userfaultfd_ctx.ctx;
		p->name = vma->anon_name;
		p->policy = shim_policy(vma);
		p->anon_vma = vma->anon_vma;
		p->file = vma->vm_file;
		p->pgoff = vma->vm_file ? linear_page_index(vma, where(i)) : 0;
	}
	s->total_vm = mm->total_vm;
	s->locked_vm = mm->locked_vm;
	s->data_vm = mm->data_vm;
	s->committed = shim_committed;
	s->files = shim_nr_files;
	s->folios = shim_nr_folios;
	s->changing = ctx.mmap_changing.counter;
}

static bool in_chain(const struct vm_area_struct *vma, const struct anon_vma *anon_vma)
{
	struct anon_vma_chain *avc;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
		if (avc->anon_vma == anon_vma)
			return true;
	return false;
}

static bool is_offset_kept(const struct vm_area_struct *vma)
{
	return vma->vm_file || vma->anon_vma || vma->vm_flags & VM_SHARED ||
	       vma->vm_pgoff == vma->vm_start >> PAGE_SHIFT;
}

/* What must add up, whatever was done. */
static void check_sums(void)
{
	VMA_ITERATOR(vmi, current->mm, 0);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma, *vmas[MAX_VMAS];
	unsigned long total = 0, locked = 0, data = 0, accounted = 0, covered = 0;
	int nr = 0, closing = 0;

	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		unsigned long pages = vma_pages(vma);
		struct anon_vma_chain *avc;

		if (vma->vm_start < covered || nr == MAX_VMAS) {
			broken("VMAs are out of order", nr, 0);
			break;
		}
		covered = vma->vm_end;
		vmas[nr++] = vma;
		closing += vma->vm_ops == &closing_ops;
		total += pages;
		locked += vma->vm_flags & VM_LOCKED ? pages : 0;
		accounted += vma->vm_flags & VM_ACCOUNT ? pages : 0;
		data += (vma->vm_flags & (VM_WRITE | VM_SHARED | VM_STACK)) == VM_WRITE ?
			pages : 0;
		same("mm of a VMA", vma->vm_mm == mm, true);
#ifdef TREE_HAS_vma_lock
		same("a VMA is in the tree", !vma->detached, true);
#else
		same("a VMA is in the tree", !!vma_is_attached(vma), true);
#endif
		same("an anon_vma that is in the VMA's chain",
		     !vma->anon_vma || in_chain(vma, vma->anon_vma), true);
		same("a chain without an anon_vma",
		     !vma->anon_vma && !list_empty(&vma->anon_vma_chain), false);
		same_account("the offset of what is unfaulted", is_offset_kept(vma), true);
		list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
			same("a chain's VMA", avc->vma == vma, true);
		if (!(vma->vm_flags & VM_SHARED))
			same_account("a private VMA that may be written is accounted",
				     !(vma->vm_flags & VM_WRITE) ||
				     vma->vm_flags & VM_ACCOUNT, true);
	}
	mmap_read_unlock(mm);
	for (int i = 0; i < nr; i++) {
		long active = 0;

		if (!vmas[i]->anon_vma)
			continue;
		for (int n = 0; n < nr; n++)
			active += vmas[n]->anon_vma == vmas[i]->anon_vma;
		same("VMAs of an anon_vma", (long)vmas[i]->anon_vma->num_active_vmas, active);
	}
	same("VMAs that were opened and not closed", opened, closing);
	for (int i = 0; i < PAGES; i++) {
		unsigned long pte = entry(where(i));

		vma = shim_vma_at(where(i));
		same("an entry where nothing is mapped", pte && !vma, false);
		if (pte & PTE_PRESENT)
			same("an entry with userfaultfd's bit", pte & PTE_UFFD &&
			     !(vma && vma->vm_userfaultfd_ctx.ctx), false);
	}
	same("map_count", mm->map_count, nr);
	same("total_vm", mm->total_vm, total);
	same_account("locked_vm", mm->locked_vm, locked);
	same("data_vm", mm->data_vm, data);
	same_account("committed memory", shim_committed, accounted);
	same("locks held", shim_locks_held, 0);
	same("RCU read locks", shim_rcu_depth, 0);
	same("the mm's lock", rwsem_is_locked(&mm->mmap_lock), 0);
	same("mmap_changing", ctx.mmap_changing.counter, 0);
}

static void check_unchanged(const struct state *before)
{
	struct state after;

	look(&after);
	same("total_vm after a failure", after.total_vm, before->total_vm);
	same("locked_vm after a failure", after.locked_vm, before->locked_vm);
	same("data_vm after a failure", after.data_vm, before->data_vm);
	same_account("committed memory after a failure", after.committed, before->committed);
	same("files after a failure", after.files, before->files);
	same("pages after a failure", after.folios, before->folios);
	for (int i = 0; i < PAGES; i++) {
		const struct page_state *a = &after.page[i], *b = &before->page[i];

		if (a->mapped != b->mapped || a->flags != b->flags || a->ctx != b->ctx ||
		    a->name != b->name || a->policy != b->policy ||
		    (b->anon_vma && a->anon_vma != b->anon_vma) ||
		    (!b->anon_vma && a->anon_vma && !gets_anon_vma) ||
		    a->file != b->file || a->pgoff != b->pgoff ||
		    (a->pte ^ b->pte) & ~(unsigned long)(PTE_UFFD | PTE_WRITE))
			broken("a page that a failure changed", i, -1);
		same_account("protection after a failure", a->pte, b->pte);
	}
}

/* --- situations */

static void map(int page, int nr, vm_flags_t flags)
{
	int ret = tree_mmap(NULL, AT(page), nr * PAGE_SIZE, flags, AT(page) >> PAGE_SHIFT);

	same("mmap() to begin with", ret, 0);
}

static void touch(int page)
{
	u64 content = page + 1;
	struct vm_area_struct *vma = shim_vma_at(AT(page));
	bool writable = vma->vm_flags & VM_WRITE;

	if (!writable)
		same("mprotect() to begin with",
		     tree_mprotect(vma->vm_start, vma->vm_end - vma->vm_start,
				   PROT_READ | PROT_WRITE), 0);
	vma = shim_vma_at(AT(page));
	same("a write to begin with", shim_access(AT(page), true, &content), ACCESS_DONE);
	if (!writable)
		same("mprotect() to begin with",
		     tree_mprotect(AT(page / 8 * 8), 8 * PAGE_SIZE, PROT_READ), 0);
}

static int touched;		/* which of the three parts have a page: bits */
static bool bound;		/* they have a memory policy */

static void begin(void)
{
	INIT_LIST_HEAD(&init_mm.mmlist);
	shim_nr_folios = shim_nr_objects = shim_nr_tables = 0;
	shim_nr_files = shim_committed = 0;
	shim_opens = opened = 0;
	sample_start = AT(0);
	sample_step = PAGE_SIZE;
	current->mm = shim_mm_new(NULL);
	tree_uffd_init(&ctx, current->mm, 0);
	tree_uffd_init(&other, current->mm, 0);
	shim_unmapped_area = AT(40);
	file = shim_file_new(true);
	map(0, 8, RO);
	map(8, 8, RDWR);
	map(16, 8, RO);
	if (bound)
		same("mbind() of all three", tree_mbind(AT(0), 24 * PAGE_SIZE, 1), 0);
	for (int i = 0; i < 3; i++)
		if (touched & 1 << i)
			touch(8 * i + 3);
}

static void end(void)
{
	shim_mm_exit(current->mm);
	fput(file);
	shim_rcu_end();
	same("objects left", shim_nr_objects, 0);
	same("pages left", shim_nr_folios, 0);
	same("page tables left", shim_nr_tables, 0);
	same("files left", shim_nr_files, 0);
	same_account("committed memory left", shim_committed, 0);
	same("references to the userfaultfd", refcount_read(&ctx.refcount), 1);
	same("VMAs that were not closed", opened, 0);
}

static void lock_middle(void)
{
	same("mlock() to begin with", tree_mlock(AT(8), 8 * PAGE_SIZE, true), 0);
}

static void register_middle(void)
{
	same("register to begin with",
	     tree_uffd_register(&ctx, AT(8), 8 * PAGE_SIZE, UFFDIO_REGISTER_MODE_MISSING), 0);
}

static void register_for_events(void)
{
	ctx.features = UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_UNMAP;
	register_middle();
}

static void map_file(void)
{
	same("munmap() to begin with", tree_munmap(AT(8), 8 * PAGE_SIZE), 0);
	same("mmap() to begin with",
	     tree_mmap(file, AT(8), 8 * PAGE_SIZE, RDWR | VM_SHARED | VM_MAYSHARE, 8), 0);
}

static void map_private_file(void)
{
	same("munmap() to begin with", tree_munmap(AT(8), 8 * PAGE_SIZE), 0);
	same("mmap() to begin with", tree_mmap(file, AT(8), 8 * PAGE_SIZE, RDWR, 8), 0);
}

static void map_target(void)
{
	map(40, 12, RDWR);
	touch(43);
}

static void free_next(void)
{
	same("munmap() to begin with", tree_munmap(AT(16), 8 * PAGE_SIZE), 0);
}

/* The middle, where a driver wants to know of each VMA. */
static void map_closing(void)
{
	struct vm_area_struct *vma;

	map_file();
	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, AT(8));
	vma_start_write(vma);
	vma->vm_ops = &closing_ops;
	mmap_write_unlock(current->mm);
	opened = 1;
}

/* The middle is as its neighbours: |rrrrrrrr|--------|rrrrrrrr| */
static void free_middle(void)
{
	same("munmap() to begin with", tree_munmap(AT(8), 8 * PAGE_SIZE), 0);
}

static void move_away_before(void)
{
	touch(11);
	same("mremap() to begin with", tree_mremap(AT(8), 8 * PAGE_SIZE, AT(40)), 0);
	shim_unmapped_area = AT(26);
}

/*
 * Writable and alike but for the middle, so that whoever makes that the same merges
 * all three; what has pages has an anon_vma of its own.
 *
 *	|wwwwwwww|dddddddd|wwwwwwww|	d: not for the child
 */
static void set_apart(void)
{
	map(0, 24, RDWR);
	same("MADV_DONTFORK to begin with",
	     tree_madvise(AT(8), 8 * PAGE_SIZE, MADV_DONTFORK), 0);
	for (int i = 0; i < 3; i++)
		if (touched & 1 << i)
			touch(8 * i + 3);
}

/* |wwwwwwww|        |wwwwwwww|		|wwwwwwww| what is to be moved between */
static void part_to_move(void)
{
	set_apart();
	same("mremap() to begin with", tree_mremap(AT(8), 8 * PAGE_SIZE, AT(40)), 0);
	same("MADV_DOFORK to begin with",
	     tree_madvise(AT(40), 8 * PAGE_SIZE, MADV_DOFORK), 0);
}

static void part_alike(void)
{
	set_apart();
	free_middle();
}

static void lock_on_fault(void)
{
#ifdef VM_LOCKONFAULT
	lock_middle();
	mmap_write_lock(current->mm);
	vma_start_write(find_vma(current->mm, AT(8)));
	vm_flags_set(find_vma(current->mm, AT(8)), VM_LOCKONFAULT);
	mmap_write_unlock(current->mm);
#endif
}

/* |rrrrrrrr|rrrrrrrr|, the first of another userfaultfd */
static void register_first(void)
{
	same("mprotect() to begin with", tree_mprotect(AT(8), 8 * PAGE_SIZE, PROT_READ), 0);
	same("register to begin with",
	     tree_uffd_register(&other, AT(0), 8 * PAGE_SIZE, UFFDIO_REGISTER_MODE_MISSING), 0);
}

/* Whole page tables: from 5 pages into one over two more to 5 pages into the last. */
#define BIG		(16 * PMD_SIZE + 5 * PAGE_SIZE)
#define BIG_TO		(32 * PMD_SIZE + 5 * PAGE_SIZE)
#define BIG_LEN		(3 * PMD_SIZE)

static void map_big(void)
{
	u64 content = 7;

	same("mmap() to begin with",
	     tree_mmap(NULL, BIG, BIG_LEN, RDWR, BIG >> PAGE_SHIFT), 0);
	sample_start = BIG;
	sample_step = BIG_LEN / (PAGES / 2);
	for (int i = 0; i < PAGES; i += 3)
		same("a write to begin with", shim_access(where(i), true, &content), ACCESS_DONE);
	same("a write to begin with",
	     shim_access(BIG + BIG_LEN - PAGE_SIZE, true, &content), ACCESS_DONE);
}

static void map_big_protected(void)
{
	map_big();
	if (!IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		return;
	same("register to begin with",
	     tree_uffd_register(&ctx, BIG, BIG_LEN, UFFDIO_REGISTER_MODE_WP), 0);
	same("write-protect to begin with", tree_uffd_wp(&ctx, BIG, BIG_LEN, true), 0);
}

static void nothing(void)
{
}

/* --- operations */

static long do_protect(void)
{
	return tree_mprotect(AT(8), 8 * PAGE_SIZE, PROT_READ);
}

static long do_protect_part(void)
{
	return tree_mprotect(AT(10), 2 * PAGE_SIZE, PROT_READ);
}

static long do_protect_left(void)
{
	return tree_mprotect(AT(8), 2 * PAGE_SIZE, PROT_READ);
}

static long do_protect_right(void)
{
	return tree_mprotect(AT(12), 4 * PAGE_SIZE, PROT_READ);
}

static long do_protect_more(void)
{
	return tree_mprotect(AT(0), 8 * PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static long do_protect_part_more(void)
{
	return tree_mprotect(AT(18), 2 * PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static long do_lock(void)
{
	return tree_mlock(AT(10), 2 * PAGE_SIZE, true);
}

static long do_unlock(void)
{
	return tree_mlock(AT(10), 2 * PAGE_SIZE, false);
}

static long do_dontfork(void)
{
	return tree_madvise(AT(10), 2 * PAGE_SIZE, MADV_DONTFORK);
}

static long do_name(void)
{
	return tree_name(AT(10), 2 * PAGE_SIZE, "n");
}

static long do_bind(void)
{
	return tree_mbind(AT(10), 2 * PAGE_SIZE, 2);
}

static long do_bind_more(void)
{
	return tree_mbind(AT(4), 16 * PAGE_SIZE, 2);
}

static long do_register(void)
{
	return tree_uffd_register(&ctx, AT(10), 2 * PAGE_SIZE, UFFDIO_REGISTER_MODE_MISSING);
}

static long do_unregister(void)
{
	return tree_uffd_unregister(&ctx, AT(10), 2 * PAGE_SIZE);
}

static long do_unmap(void)
{
	return tree_munmap(AT(10), 2 * PAGE_SIZE);
}

static long do_unmap_all(void)
{
	return tree_munmap(AT(4), 16 * PAGE_SIZE);
}

static long do_map_over(void)
{
	return tree_mmap(NULL, AT(4), 16 * PAGE_SIZE, RDWR, AT(4) >> PAGE_SHIFT);
}

static long do_map_less_over(void)
{
	return tree_mmap(NULL, AT(10), 4 * PAGE_SIZE, RDWR, AT(10) >> PAGE_SHIFT);
}

static long do_map_shared_over(void)
{
	return tree_mmap(NULL, AT(10), 4 * PAGE_SIZE, RDWR | VM_SHARED | VM_MAYSHARE, 0);
}

static long do_map_file_over(void)
{
	return tree_mmap(file, AT(10), 4 * PAGE_SIZE, RDWR | VM_SHARED | VM_MAYSHARE, 20);
}

static long do_brk(void)
{
	return tree_brk(AT(24), 4 * PAGE_SIZE);
}

static long do_brk_apart(void)
{
	return tree_brk(AT(30), 4 * PAGE_SIZE);
}

static long do_guard(void)
{
	return GUARD_ADVICE ? tree_madvise(AT(10), 2 * PAGE_SIZE, GUARD_ADVICE) : 0;
}

static long remap(int at, int old, int new, unsigned long flags, int to)
{
	long ret = tree_sys_mremap(AT(at), old * PAGE_SIZE, new * PAGE_SIZE, flags, AT(to));

	return IS_ERR_VALUE((unsigned long)ret) ? ret : 0;
}

static long do_move(void)
{
	return remap(8, 8, 8, MREMAP_MAYMOVE | MREMAP_FIXED, 40);
}

static long do_move_next(void)
{
	return remap(8, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED, 24);
}

static long do_move_part(void)
{
	return remap(10, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, 40);
}

static long do_move_several(void)
{
	return remap(4, 16, 16, MREMAP_MAYMOVE | MREMAP_FIXED, 40);
}

static long do_grow(void)
{
	return remap(8, 8, 12, 0, 0);
}

static long do_grow_to_next(void)
{
	return remap(16, 8, 12, 0, 0);
}

static long do_grow_and_move(void)
{
	return remap(8, 8, 12, MREMAP_MAYMOVE, 0);
}

static long do_grow_part_and_move(void)
{
	return remap(10, 2, 4, MREMAP_MAYMOVE, 0);
}

static long do_shrink(void)
{
	return remap(8, 8, 4, 0, 0);
}

static long do_shrink_and_move(void)
{
	return remap(8, 8, 4, MREMAP_MAYMOVE | MREMAP_FIXED, 40);
}

static long do_dontunmap(void)
{
	return remap(8, 8, 8, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 40);
}

static long do_dontunmap_next(void)
{
	return remap(8, 8, 8, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, 16);
}

static long do_dontunmap_part(void)
{
	return remap(10, 2, 2, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 40);
}

static long do_duplicate(void)
{
	return remap(8, 0, 4, MREMAP_MAYMOVE, 0);
}

static long do_map_between(void)
{
	return tree_mmap(NULL, AT(8), 8 * PAGE_SIZE, RO, AT(8) >> PAGE_SHIFT);
}

static long do_map_alike_between(void)
{
	return tree_mmap(NULL, AT(8), 8 * PAGE_SIZE, RDWR, AT(8) >> PAGE_SHIFT);
}

static long do_move_between(void)
{
	return remap(40, 8, 8, MREMAP_MAYMOVE | MREMAP_FIXED, 8);
}

static long do_make_alike(void)
{
	return tree_madvise(AT(8), 8 * PAGE_SIZE, MADV_DOFORK);
}

static long do_make_left_alike(void)
{
	return tree_madvise(AT(8), 3 * PAGE_SIZE, MADV_DOFORK);
}

static long do_make_right_alike(void)
{
	return tree_madvise(AT(12), 4 * PAGE_SIZE, MADV_DOFORK);
}

static long do_protect_target(void)
{
	return tree_mprotect(AT(40), 12 * PAGE_SIZE, PROT_READ);
}

/* What is left has no pages, and knows. */
static long do_dontunmap_back(void)
{
	long ret = remap(40, 8, 8, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 26);

	if (!ret)
		same("the anon_vma of what DONTUNMAP leaves",
		     !!shim_vma_at(AT(40))->anon_vma, false);
	return ret;
}

static long do_lock_again(void)
{
	return tree_mlock(AT(8), 8 * PAGE_SIZE, true);
}

static long do_register_next(void)
{
	long ret = tree_uffd_register(&ctx, AT(8), 8 * PAGE_SIZE,
				      UFFDIO_REGISTER_MODE_MISSING);

	same("userfaultfd of the neighbour",
	     shim_vma_at(AT(0))->vm_userfaultfd_ctx.ctx == &other, true);
	return ret;
}

/* Read where it was, and where it is: the entries came along. */
static long do_move_big(void)
{
	unsigned long was[PAGES];
	long ret;

	for (int i = 0; i < PAGES; i++)
		was[i] = entry(where(i)) & ~(unsigned long)(PTE_SOFT_DIRTY | PTE_UFFD);
	ret = tree_sys_mremap(BIG, BIG_LEN, BIG_LEN, MREMAP_MAYMOVE | MREMAP_FIXED, BIG_TO);
	if (IS_ERR_VALUE((unsigned long)ret))
		return ret;
	sample_start = BIG_TO;
	for (int i = 0; i < PAGES; i++)
		same("a page that was moved",
		     (entry(where(i)) & ~(unsigned long)(PTE_SOFT_DIRTY | PTE_UFFD)) == was[i],
		     true);
	return 0;
}

static long do_lock_all(void)
{
	return tree_sys_mlockall(MCL_CURRENT);
}

static long do_unlock_all(void)
{
	return tree_sys_munlockall();
}

/* |wwwwwwww|llllllll|wwwwwwww|: what makes all of them the same merges all three. */
static void lock_apart(void)
{
	map(0, 24, RDWR);
	for (int i = 0; i < 3; i++)
		if (touched & 1 << i)
			touch(8 * i + 3);
	lock_middle();
}

static const struct operation {
	const char *name;
	void (*first)(void);
	long (*call)(void);
	long refused;		/* this error, always */
	bool in_steps;		/* one that fails may have unmapped, or moved, some */
} operations[] = {
	{ "mprotect", nothing, do_protect, 0, false },
	{ "mprotect of a part", nothing, do_protect_part, 0, false },
	{ "mprotect at the left", nothing, do_protect_left, 0, false },
	{ "mprotect at the right", nothing, do_protect_right, 0, false },
	{ "mprotect to more", nothing, do_protect_more, 0, false },
	{ "mprotect of a part to more", nothing, do_protect_part_more, 0, false },
	{ "mprotect of a file", map_file, do_protect_part, 0, false },
	{ "mlock", nothing, do_lock, 0, false },
	{ "munlock", lock_middle, do_unlock, 0, false },
	{ "MADV_DONTFORK", nothing, do_dontfork, 0, false },
	{ "naming", nothing, do_name, 0, false },
	{ "mbind of a part", nothing, do_bind, 0, false },
	{ "mbind of several", nothing, do_bind_more, 0, true },
	{ "userfaultfd register", nothing, do_register, 0, false },
	{ "userfaultfd unregister", register_middle, do_unregister, 0, false },
	{ "munmap of a part", nothing, do_unmap, 0, false },
	{ "munmap of a locked part", lock_middle, do_unmap, 0, false },
	{ "munmap of several", nothing, do_unmap_all, 0, false },
	{ "munmap of a file", map_file, do_unmap, 0, false },
	{ "munmap with an event", register_for_events, do_unmap_all, 0, false },
	{ "mmap over several", nothing, do_map_over, 0, true },
	{ "mmap over a part", nothing, do_map_less_over, 0, true },
	{ "mmap over what is locked", lock_middle, do_map_over, 0, true },
	{ "mmap of shared memory over private", nothing, do_map_shared_over, 0, true },
	{ "mmap of a file over memory", nothing, do_map_file_over, 0, true },
	{ "mmap over a file", map_file, do_map_over, 0, true },
	{ "brk", nothing, do_brk, 0, false },
	{ "brk, apart", nothing, do_brk_apart, 0, false },
	{ "MADV_GUARD_INSTALL", nothing, do_guard, 0, false },
	{ "mremap, move", nothing, do_move, 0, false },
	{ "mremap, move next to another", nothing, do_move_next, 0, false },
	{ "mremap, move what is locked", lock_middle, do_move_part, 0, false },
	{ "mremap, move over another", map_target, do_move, 0, true },
	{ "mremap, move a file", map_file, do_move, 0, false },
	{ "mremap, move a part of a file", map_file, do_move_part, 0, false },
	{ "mremap, move a private file", map_private_file, do_move, 0, false },
	{ "mremap, move with an event", register_for_events, do_move, 0, false },
	{ "mremap, move what is registered", register_middle, do_move_part, 0, false },
	{ "mremap, move several", nothing, do_move_several, 0, true },
	{ "mremap, grow", free_next, do_grow, 0, false },
	{ "mremap, grow what is read-only", nothing, do_grow_to_next, 0, false },
	{ "mremap, grow what is in the way", nothing, do_grow, -ENOMEM, false },
	{ "mremap, grow and move", nothing, do_grow_and_move, 0, false },
	{ "mremap, grow and move a part", nothing, do_grow_part_and_move, 0, false },
	{ "mremap, grow and move what is locked", lock_middle, do_grow_and_move, 0, false },
	{ "mremap, shrink", nothing, do_shrink, 0, false },
	{ "mremap, shrink and move", nothing, do_shrink_and_move, 0, true },
	{ "mremap, shrink and move over", map_target, do_shrink_and_move, 0, true },
	{ "mremap, DONTUNMAP", nothing, do_dontunmap, 0, false },
	{ "mremap, DONTUNMAP next to it", nothing, do_dontunmap_next, 0, true },
	{ "mremap, DONTUNMAP of a part", nothing, do_dontunmap_part, 0, false },
	{ "mremap, DONTUNMAP of what is locked", lock_middle, do_dontunmap, 0, false },
	{ "mremap, DONTUNMAP of a locked part", lock_middle, do_dontunmap_part, 0, false },
	{ "mremap, DONTUNMAP of a file", map_file, do_dontunmap, 0, false },
	{ "mremap, duplicate a file", map_file, do_duplicate, 0, false },
	{ "mmap between", free_middle, do_map_between, 0, false },
	{ "mmap between what is alike", part_alike, do_map_alike_between, 0, false },
	{ "mremap, move between what is alike", part_to_move, do_move_between, 0, false },
	{ "MADV_DOFORK, which merges", set_apart, do_make_alike, 0, false },
	{ "MADV_DOFORK, which merges the left", set_apart, do_make_left_alike, 0, false },
	{ "MADV_DOFORK, which merges the right", set_apart, do_make_right_alike, 0, false },
	{ "mprotect of a whole VMA", map_target, do_protect_target, 0, false },
	{ "munmap of what is told", map_closing, do_unmap, 0, false },
	{ "munmap of all of what is told", map_closing, do_unmap_all, 0, false },
	{ "mprotect of what is told", map_closing, do_protect_part, 0, false },
	{ "mmap over what is told", map_closing, do_map_over, 0, true },
	{ "mremap, move what is told", map_closing, do_move, 0, false },
	{ "mremap, move a part of what is told", map_closing, do_move_part, 0, false },
	{ "mremap, DONTUNMAP what was moved", move_away_before, do_dontunmap_back, 0, false },
	{ "mlockall, which merges", lock_apart, do_lock_all, 0, true },
	{ "munlockall, which merges", lock_apart, do_unlock_all, 0, true },
	{ "mlock again", lock_on_fault, do_lock_again, 0, false },
	{ "register next to another", register_first, do_register_next, 0, false },
	{ "mremap, move whole tables", map_big, do_move_big, 0, false },
	{ "mremap, move whole tables, protected", map_big_protected, do_move_big, 0, false },
	{ "mremap, duplicate private memory", nothing, do_duplicate, -EINVAL, false },
};

/* Which defect may show in this operation, by how it ended. */
static const char *known_of(const struct operation *op, long ret, bool failed)
{
	const char *name = NULL;

	if (!strncmp(op->name, "mmap", 4) && strstr(op->name, " over ") && ret)
		name = "mmap-over-charge";
	else if (strstr(op->name, "DONTUNMAP of a locked part") && !ret)
		name = "dontunmap-locked";
	else if (strstr(op->name, "DONTUNMAP what was moved") && !ret)
		name = "dontunmap-offset";
	else if (strstr(op->name, "shrink and move") && !ret && !failed)
		name = "mremap-shrink-charge";
	else if (strstr(op->name, "tables, protected") && ret)
		name = "mremap-failed-protection";
	else if (strstr(op->name, "mremap") && ret)
		name = "mremap-failed-charge";
	else if (strstr(op->name, "mremap") && failed)
		name = "mremap-unmap";
	return name && test_known(name) ? name : NULL;
}

/*
 * Who changes VMAs and succeeds all the same has merged them as ever: a merge that lacked
 * memory is not to be taken for one that cannot be. It may be where there is something new
 * to map, and what goes over all VMAs goes on behind one that it cannot change.
 */
static void check_layout(const struct operation *op, bool failed)
{
	VMA_ITERATOR(vmi, current->mm, 0);
	static unsigned long due[MAX_VMAS];
	static int nr_due;
	struct vm_area_struct *vma;
	int nr = 0;

	if (!failed)
		nr_due = 0;
	if (failed && (strstr(op->name, "mmap") || strstr(op->name, "mremap") ||
		       strstr(op->name, "brk") || op->in_steps))
		return;
	mmap_read_lock(current->mm);
	for_each_vma(vmi, vma) {
		if (!failed)
			due[nr_due++] = vma->vm_start;
		else if (nr == nr_due || due[nr] != vma->vm_start)
			broken("a VMA that begins where none does with memory", vma->vm_start,
			       nr < nr_due ? due[nr] : 0);
		nr++;
	}
	mmap_read_unlock(current->mm);
	same("VMAs after a success", nr, nr_due);
}

/*
 * With the nth allocation failing, 0: none, and those after it if there is no memory.
 * Return: whether there was an nth.
 */
static bool try(const struct operation *op, long nth, bool no_memory)
{
	static char what[200];
	static struct vmas vmas;
	struct state before;
	bool several, advice;
	long ret, at;

	snprintf(what, sizeof(what), "%s, pages in %s%s%s%s, allocation %ld%s fails", op->name,
		 touched & 1 ? "0-7 " : "", touched & 2 ? "8-15 " : "",
		 touched & 4 ? "16-23" : "", bound ? ", bound" : "", nth,
		 no_memory ? " and all after it" : "");
	doing = what;
	known = NULL;
	begin();
	op->first();
	check_sums();
	look(&before);
	vmas_look(&vmas, current->mm);
	if (no_memory)
		alloc_fail_from(nth);
	else
		alloc_fail_at(nth);
	shim_warns_met = 0;
	shim_warn_known = test_known("merge-iterator") ? MERGE_ITERATOR : NULL;
	ret = op->call();
	shim_warn_known = NULL;
	at = alloc_count();
	alloc_fail_at(0);
	known = "merge-iterator";
	same_account("an iterator that is left elsewhere", shim_warns_met, 0);
	shim_rcu_end();
	gets_anon_vma = strstr(op->name, "GUARD");
	known = known_of(op, ret, nth && at >= nth);
	several = strstr(op->name, "several") && strstr(op->name, "mremap");
	advice = strstr(op->name, "MADV") || strstr(op->name, "naming");
	if (op->refused)
		same("returned", ret, op->refused);
	else if (!nth && !several)
		same("returned", ret, 0);
	else if (ret && !(advice && ret == -EAGAIN) && !(several && ret == -EFAULT))
		same("returned", ret, -ENOMEM);
	/* -ENOMEM of madvise() means a hole; guards and names have it all the same. */
	if (ret == -ENOMEM && strstr(op->name, "MADV_DONTFORK"))
		same("returned", ret, -EAGAIN);
	check_sums();
	same("a VMA that was changed and is not locked",
	     !!vmas_not_locked(&vmas, current->mm), false);
	if (!gets_anon_vma)
		same("a VMA that got an anon_vma and no page",
		     !!vmas_for_nothing(&vmas, current->mm), false);
	if (ret && !op->in_steps)
		check_unchanged(&before);
	if (!ret)
		check_layout(op, nth);
	end();
	return at >= nth;
}

TEST(each_allocation_fails)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(operations); i++) {
		/* The kernel would warn, and free page tables that are in use. */
		if (strstr(operations[i].name, "tables, protected") &&
		    test_known("tables-moved-back")) {
			known = "tables-moved-back";
			same_account("page tables that were moved back", 0, 1);
			continue;
		}
		failed_before = 0;
		for (int parts = 0; parts < 16; parts++) {
			touched = parts & 7;
			bound = parts & 8;
			/* An mremap() that cannot take back what it did leaves both. */
			for (int no_memory = 0;
			     no_memory < 2 - !!strstr(operations[i].name, "mremap"); no_memory++)
				for (long nth = no_memory; try(&operations[i], nth, no_memory);
				     nth++)
					;
		}
	}
	if (known_met)
		test_end_known("accounts are wrong %d times:%s", known_met, met);
}
