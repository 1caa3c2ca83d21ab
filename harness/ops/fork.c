// SPDX-License-Identifier: GPL-2.0
/* fork() and exit(); .arg: 1 where userfaultfd follows the child. */
#include "harness/ops/op.h"

void process_exit(struct process *p)
{
	current->mm = p->mm;
	tree_uffd_put(p->ctx);
	shim_mm_exit(p->mm);
	while (p + 1 < process + nr_processes) {
		p->mm = p[1].mm;
		p->ctx = p[1].ctx;
		p->future = p[1].future;
		p->features = p[1].features;
		memcpy(p->page, p[1].page, nr_pages * sizeof(*p->page));
		p++;
	}
	nr_processes--;
}

static bool is_wiped_and_moved(const struct held *h)
{
	return h->wipe && h->moved;
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

/*
 * Poison is kept where there is something else that makes fork() copy a VMA's page tables:
 * whether it is, no program can know.
 */
static bool is_copied(const struct process *p, const struct process *child, int i)
{
	struct vm_area_struct *src, *dst;
	bool copied;

	current->mm = p->mm;
	src = shim_vma_at(page_addr(i));
	current->mm = child->mm;
	dst = shim_vma_at(page_addr(i));
	copied = src && dst && !(src->vm_flags & VM_WIPEONFORK) &&
		 (src->anon_vma || dst->vm_flags & (GUARD_FLAG | VM_UFFD_WP | RWP_FLAG));
	current->mm = p->mm;
	return copied;
}

bool process_fork(struct process *p, bool followed, long nth)
{
	struct process *child = &process[nr_processes];
	long tables = shim_nr_tables, folios = shim_nr_folios, objects = shim_nr_objects;
	long committed = shim_committed;
	int ret;

	if (nr_processes == NR_PROCESSES)
		return false;
	/* The kernel would warn: see programs.wiped_after_mremap. */
	if (test_known("wiped-offset") && any(p->page, nr_pages, is_wiped_and_moved))
		return false;
	p->features = (p->features & ~UFFD_FEATURE_EVENT_FORK) |
		      (followed ? UFFD_FEATURE_EVENT_FORK : 0);
	p->ctx->features = p->features;
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
		check_process(p);
		check_counts();
		return true;
	}
	alloc_fail_at(0);
	shim_rcu_end();
	child->ctx = shim_uffd_child ?: uffd_new(child->mm);
	EXPECT_EQ(shim_opens, file_vmas(child->mm));
	child->future = 0;
	child->features = shim_uffd_child ? p->features : 0;
	nr_processes++;
	for (int i = 0; i < nr_pages; i++) {
		struct held *h = &child->page[i];

		*h = p->page[i];
		if (h->dontfork)
			*h = (struct held){ 0 };
		h->locked = false;
		h->flags &= ~VM_LOCKONFAULT;
		if (!followed)
			h->uffd = 0;
		if (!followed || (h->wipe && h->file < 0))
			h->wp = false;
		if (h->wipe)
			h->copy = h->guard = false;
		h->poison = h->poison && is_copied(p, child, i);
		/* Of what is shared it finds out by itself. */
		h->written = h->written && h->copy;
	}
	check_process(p);
	check_process(child);
	check_counts();
	check_child_tables(p, child);
	check_forked(p, child);
	return true;
}

static void draw(struct op *op, unsigned int random)
{
	op->fail = random & 3 ? 0 : 1 + (random >> 2) % 40;
}

static bool fork_process(const struct step *s)
{
	return process_fork(s->p, s->arg & 1, s->fail);
}

static bool exit_process(const struct step *s)
{
	if (nr_processes == 1)
		return false;
	process_exit(s->p);
	return true;
}

/* It was checked as it was made. */
static int nothing(const struct step *s)
{
	(void)s;
	return 0;
}

OPERATION(fork) {
	.often = 8, .unseen = true, .draw = draw, .sensible = fork_process,
	.call = nothing,
};

OPERATION(exit) {
	.often = 3, .unseen = true, .sensible = exit_process,
	.call = nothing,
};
