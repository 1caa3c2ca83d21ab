// SPDX-License-Identifier: GPL-2.0
/* mremap(MREMAP_FIXED) to page .arg, over whatever is there. */
#include "harness/ops/op.h"

static int target(const struct step *s)
{
	return s->arg % NR_PAGES;
}

/*
 * Of one VMA, to where it is not, all of it. A tree with that defect takes the
 * whole VMA that it merged with away from userfaultfd.
 */
static bool sensible(const struct step *s)
{
	int to = target(s);

	if (!s->h->mapped)
		return false;
	if (any(s->h, s->nr, is_registered) && test_known("mremap-uffd"))
		return false;
	return to + s->nr <= NR_PAGES && (to >= s->at + s->nr || s->at >= to + s->nr) &&
	       shim_vma_at(s->addr)->vm_end >= s->addr + s->len;
}

static int call(const struct step *s)
{
	return tree_mremap(s->addr, s->len, PROGRAM_START + target(s) * PAGE_SIZE);
}

/* Its events are not asked for, so userfaultfd stays behind. */
static int expect(const struct step *s)
{
	struct held *to = &s->p->page[target(s)];

	for (int i = 0; i < s->nr; i++) {
		to[i] = s->h[i];
		to[i].uffd = to[i].wp = 0;
		to[i].moved = true;
		s->h[i] = (struct held){ 0 };
	}
	return 0;
}

/*
 * What was at the target is gone where it fails late. Or the pages have moved and the
 * source cannot be unmapped: it stays, empty.
 */
static bool partly(const struct step *s, int n, const struct held *after)
{
	struct held *to = &s->p->page[target(s)];

	for (int i = 0; i < s->nr; i++) {
		struct vm_area_struct *vma = shim_vma_at(s->addr + i * PAGE_SIZE);

		to[i] = n ? after[target(s) + i] : (struct held){ 0 };
		if (!n)
			continue;
		s->h[i].copy = s->h[i].wp = s->h[i].guard = false;
		s->h[i].accounted = vma && vma->vm_flags & VM_ACCOUNT;
	}
	return n < 2;
}

OPERATION(mremap) {
	.often = 4, .sensible = sensible, .call = call, .expect = expect,
	.allocates = true, .partly = partly,
	.known = { "mremap-unmap", "mremap-failed-charge", "mremap-failed-protection",
		   "tables-moved-back" },
};
