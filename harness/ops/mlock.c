// SPDX-License-Identifier: GPL-2.0
/*
 * mlock() and mlock2(), up to a hole and to RLIMIT_MEMLOCK, munlock(), and the same of all
 * that is mapped, and will be.
 */
#include "harness/ops/op.h"

static void set(struct held *h, vm_flags_t flags)
{
	if (!h->mapped || is_droppable(h))
		return;
	h->locked = flags & VM_LOCKED;
	h->flags = (h->flags & ~VM_LOCKONFAULT) | (flags & VM_LOCKONFAULT);
}

static int set_range(const struct step *s, vm_flags_t flags)
{
	struct held *end = up_to_hole(s);

	for (struct held *h = s->h; h < end; h++)
		set(h, flags);
	return end < s->end ? -ENOMEM : 0;
}

/* What is locked already counts once. */
static bool is_too_much(const struct step *s)
{
	int pages = 0;

	for (struct held *h = s->p->page; h < s->p->page + nr_pages; h++)
		pages += (h >= s->h && h < s->end) || h->locked;
	return pages * shim_page_span > shim_memlock;
}

static int lock(const struct step *s)
{
	return tree_sys_mlock2(s->addr, s->len, s->arg & 1 ? MLOCK_ONFAULT : 0);
}

static int expect_locked(const struct step *s)
{
	if (!shim_memlock)
		return -EPERM;
	if (is_too_much(s))
		return -ENOMEM;
	return set_range(s, VM_LOCKED | (s->arg & 1 ? VM_LOCKONFAULT : 0));
}

OPERATION(mlock) {
	.often = 2, .call = lock, .expect = expect_locked,
	.allocates = true, .merges = true, .partly = partly_done,
};

static int unlock(const struct step *s)
{
	return tree_mlock(s->addr, s->len, false);
}

static int expect_unlocked(const struct step *s)
{
	return set_range(s, 0);
}

OPERATION(munlock) {
	.often = 2, .aims = is_locked, .call = unlock, .expect = expect_unlocked,
	.allocates = true, .merges = true, .partly = partly_done,
};

/* .arg: MCL_* flags; 0 is munlockall(). */
static void draw(struct op *op, unsigned int random)
{
	op->arg = random & 0x30000 ? random >> 8 & 7 : 0;
}

/* Where VMAs began before, and the last one ended. */
static bool begins[MAX_PAGES + 1];

static int lock_all(const struct step *s)
{
	int flags = s->arg & (MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	const struct vm_area_struct *last = NULL;

	for (int i = 0; i < nr_pages; i++) {
		const struct vm_area_struct *vma = shim_vma_at(page_addr(i));

		begins[i] = vma != last;
		last = vma;
	}
	return flags ? tree_sys_mlockall(flags) : tree_sys_munlockall();
}

static int expect_all_locked(const struct step *s)
{
	vm_flags_t flags = VM_LOCKED | (s->arg & MCL_ONFAULT ? VM_LOCKONFAULT : 0);
	int which = s->arg & (MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	unsigned long pages = 0;

	if (which == MCL_ONFAULT)
		return -EINVAL;
	if (which && !shim_memlock)
		return -EPERM;
	for (int i = 0; i < nr_pages; i++)
		pages += s->p->page[i].mapped;
	if (which & MCL_CURRENT && pages * shim_page_span > shim_memlock)
		return -ENOMEM;
	s->p->future = which & MCL_FUTURE ? flags : 0;
	for (int i = 0; i < nr_pages; i++)
		if (which != (which & ~MCL_CURRENT) || !(which & MCL_FUTURE))
			set(&s->p->page[i], which & MCL_CURRENT ? flags : 0);
	return 0;
}

/*
 * It goes on with the next VMA where one cannot be changed for want of memory, and returns
 * 0. A VMA is changed as a whole, and one allocation fails one of them.
 */
static bool partly_all_locked(const struct step *s, int n, const struct held *after)
{
	bool as_after = false;
	int left = 0;

	for (int i = 0; i < nr_pages && !n; i++) {
		const struct vm_area_struct *vma = shim_vma_at(page_addr(i));
		struct held *h = &s->p->page[i];
		bool same = h->locked == after[i].locked && h->flags == after[i].flags;

		if (begins[i] || i == 0) {
			as_after = same || !vma || (!(vma->vm_flags & VM_LOCKED) == !after[i].locked &&
				   !((vma->vm_flags ^ after[i].flags) & VM_LOCKONFAULT));
			left += !as_after;
		}
		if (as_after)
			*h = after[i];
	}
	return !n && (left < 2 || s->fail & NO_MEMORY);
}

OPERATION(mlockall) {
	.often = 1, .draw = draw, .target = everything, .call = lock_all,
	.expect = expect_all_locked, .allocates = true, .merges = true, .partly = partly_all_locked,
};

/* setrlimit(RLIMIT_MEMLOCK); .arg: so many pages, or none of a limit. */
static int limit(const struct step *s)
{
	shim_memlock = s->arg & 1 ? ULONG_MAX : (s->arg / 2 % 16) * shim_page_span;
	return 0;
}

OPERATION(memlock_limit) {
	.often = 1, .unseen = true, .call = limit,
};
