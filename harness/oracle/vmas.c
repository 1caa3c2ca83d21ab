// SPDX-License-Identifier: GPL-2.0
/* VMAs before and after a call: see vmas.h. */
#include "harness/oracle/program.h"
#include "harness/oracle/vmas.h"

/* A guard's flag is set under the lock of a reader, atomically. */
static struct vma_before now_of(const struct vm_area_struct *vma)
{
	return (struct vma_before){
		.vma = vma, .start = vma->vm_start, .end = vma->vm_end,
		.pgoff = vma->vm_pgoff,
		.anon_pgoff = shim_anon_index(vma, vma->vm_start),
		.prot = vma->vm_page_prot.pgprot,
		.policy = shim_policy(vma),
		.flags = vma->vm_flags & ~(vm_flags_t)GUARD_FLAG,
		.file = vma->vm_file, .ops = vma->vm_ops,
		.ctx = vma->vm_userfaultfd_ctx.ctx, .name = vma->anon_name,
		.anon_vma = vma->anon_vma,
		.anon_locked = vma->anon_vma ?
			       lock_sequence(&vma->anon_vma->root->rwsem.dep_map) : 0,
		.file_locked = vma->vm_file ?
			       lock_sequence(&vma->vm_file->f_mapping->i_mmap_rwsem.dep_map) : 0,
	};
}

void vmas_look(struct vmas *v, struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	v->nr = 0;
	v->seq = mm->mm_lock_seq;
	rcu_read_lock();
	for_each_vma(vmi, vma)
		if (v->nr < MAX_VMAS)
			v->vma[v->nr++] = now_of(vma);
	rcu_read_unlock();
}

/* Of the same, but for what is set under another lock. */
static bool same(const struct vma_before *a, const struct vma_before *b)
{
	return a->start == b->start && a->end == b->end && a->pgoff == b->pgoff &&
	       a->anon_pgoff == b->anon_pgoff && a->prot == b->prot &&
	       a->policy == b->policy && a->flags == b->flags && a->file == b->file &&
	       a->ops == b->ops && a->ctx == b->ctx && a->name == b->name;
}

bool vmas_same(const struct vmas *v, struct mm_struct *mm)
{
	static struct vmas now;
	bool all = true;

	vmas_look(&now, mm);
	for (unsigned int n = 0; n < v->nr && n < now.nr; n++)
		all = all && same(&v->vma[n], &now.vma[n]) &&
		      (!v->vma[n].anon_vma || v->vma[n].anon_vma == now.vma[n].anon_vma);
	return all && v->nr == now.nr;
}

const struct vm_area_struct *vmas_not_locked(const struct vmas *v, struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	const struct vm_area_struct *found = NULL;
	unsigned int releases = mm->mm_lock_seq - v->seq, n = 0;
	struct vm_area_struct *vma;

	rcu_read_lock();
	for_each_vma(vmi, vma) {
		struct vma_before now = now_of(vma);

		/* It was locked between then and now: all is well. */
		if (vma->vm_lock_seq - v->seq < releases)
			continue;
		while (n < v->nr && v->vma[n].end <= now.start)
			n++;
		if (n < v->nr && v->vma[n].vma == vma && same(&v->vma[n], &now))
			continue;
		found = found ?: vma;
	}
	rcu_read_unlock();
	return v->nr == MAX_VMAS ? NULL : found;
}

const struct vm_area_struct *vmas_not_asked(const struct vmas *v, struct mm_struct *mm,
					    unsigned long start, unsigned long end,
					    unsigned long start2, unsigned long end2)
{
	VMA_ITERATOR(vmi, mm, 0);
	const struct vm_area_struct *found = NULL;
	struct vm_area_struct *vma;
	unsigned int n = 0;

	rcu_read_lock();
	for_each_vma(vmi, vma) {
		struct vma_before now = now_of(vma);

		if ((now.start < end && start < now.end) ||
		    (now.start < end2 && start2 < now.end))
			continue;
		while (n < v->nr && v->vma[n].start < now.start)
			n++;
		if (n == v->nr || v->vma[n].start != now.start || v->vma[n].end != now.end)
			continue;
		/* clear_refs is about all of them. */
		if ((v->vma[n].flags ^ now.flags) == VM_SOFTDIRTY) {
			now.flags = v->vma[n].flags;
			now.prot = v->vma[n].prot;
		}
		if (v->vma[n].vma != vma || v->vma[n].anon_vma != now.anon_vma ||
		    !same(&v->vma[n], &now))
			found = found ?: vma;
	}
	rcu_read_unlock();
	return found;
}

const struct vm_area_struct *vmas_behind_rmap(const struct vmas *v, struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	const struct vm_area_struct *found = NULL;
	struct vm_area_struct *vma;

	rcu_read_lock();
	for_each_vma(vmi, vma) {
		struct vma_before now = now_of(vma);
		unsigned int n = 0;

		while (n < v->nr && v->vma[n].vma != vma)
			n++;
		if (n == v->nr || (v->vma[n].start == now.start && v->vma[n].end == now.end &&
				   v->vma[n].pgoff == now.pgoff))
			continue;
		if ((now.anon_vma && v->vma[n].anon_vma == now.anon_vma &&
		     v->vma[n].anon_locked == now.anon_locked) ||
		    (now.file && v->vma[n].file == now.file &&
		     v->vma[n].file_locked == now.file_locked))
			found = found ?: vma;
	}
	rcu_read_unlock();
	return found;
}

/* What keeps two VMAs apart, if one follows the other. */
static bool alike(const struct vma_before *a, const struct vma_before *b)
{
	return a->end == b->start && a->flags == b->flags && a->file == b->file &&
	       a->ops == b->ops && a->ctx == b->ctx && a->name == b->name &&
	       a->anon_vma == b->anon_vma && a->prot == b->prot && a->policy == b->policy &&
	       a->pgoff + ((a->end - a->start) >> PAGE_SHIFT) == b->pgoff &&
	       a->anon_pgoff + ((a->end - a->start) >> PAGE_SHIFT) == b->anon_pgoff;
}

/*
 * Could two neighbours have been merged? is_mergeable_vma() ignores VM_SOFTDIRTY, and
 * an anon_vma that only one of them has is no obstacle. No later call has to merge them.
 */
static bool could_merge(const struct vma_before *a, const struct vma_before *b)
{
	struct vma_before c = *b;

	c.flags = (c.flags & ~(vm_flags_t)VM_SOFTDIRTY) | (a->flags & VM_SOFTDIRTY);
	c.prot = a->prot;
	if (!a->anon_vma || !b->anon_vma)
		c.anon_vma = a->anon_vma;
	return alike(a, &c);
}

static const struct vma_before *before_at(const struct vmas *v, unsigned long addr)
{
	for (unsigned int n = 0; n < v->nr; n++)
		if (v->vma[n].start <= addr && addr < v->vma[n].end)
			return &v->vma[n];
	return NULL;
}

const struct vm_area_struct *vmas_not_merged(const struct vmas *v, struct mm_struct *mm,
					     unsigned long start, unsigned long end)
{
	VMA_ITERATOR(vmi, mm, 0);
	const struct vm_area_struct *found = NULL;
	struct vma_before last = { 0 };
	struct vm_area_struct *vma;

	rcu_read_lock();
	for_each_vma(vmi, vma) {
		struct vma_before now = now_of(vma);
		const struct vma_before *a = before_at(v, now.start - 1);
		const struct vma_before *b = before_at(v, now.start);

		if (now.start >= start && now.start <= end && alike(&last, &now) &&
		    !(now.flags & VM_SPECIAL) && (!vma->vm_ops || !vma->vm_ops->close) &&
		    a && b && a != b && a->end == b->start && !could_merge(a, b))
			found = found ?: vma;
		last = now;
	}
	rcu_read_unlock();
	return found;
}

static bool has_pages(const struct vm_area_struct *vma)
{
	for (unsigned long addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE) {
		const pte_t *table = table_at(vma->vm_mm, addr);

		if (table && table[addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1)].pte)
			return true;
	}
	return false;
}

const struct vm_area_struct *vmas_for_nothing(const struct vmas *v, struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	const struct vm_area_struct *found = NULL;
	struct vm_area_struct *vma;
	unsigned int n = 0;

	rcu_read_lock();
	for_each_vma(vmi, vma) {
		struct vma_before now = now_of(vma);

		while (n < v->nr && v->vma[n].start < now.start)
			n++;
		if (n < v->nr && same(&v->vma[n], &now) && !v->vma[n].anon_vma &&
		    now.anon_vma && !has_pages(vma))
			found = found ?: vma;
	}
	rcu_read_unlock();
	return found;
}
