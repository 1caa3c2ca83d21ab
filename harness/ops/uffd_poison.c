// SPDX-License-Identifier: GPL-2.0
/* UFFDIO_POISON, up to a page that is there. */
#include "harness/ops/op.h"

static bool is_empty[MAX_PAGES];
static int vma_end;			/* of the first of the range */

static bool can_be_poisoned(const struct held *h)
{
	return h->uffd && !h->copy && !is_deadly(h);
}

static bool sensible(const struct step *s)
{
	struct vm_area_struct *vma = shim_vma_at(s->addr);

	if (!HAS_WP || shim_page_span != PAGE_SIZE || !s->h->mapped)
		return false;
	vma_end = (vma->vm_end - PROGRAM_START) >> PAGE_SHIFT;
	for (int i = 0; i < s->nr; i++) {
		unsigned long addr = s->addr + i * PAGE_SIZE;

		is_empty[i] = !look(table_at(s->p->mm, addr), s->at + i).there;
	}
	/* Once in a while it is refused. */
	return (s->h->uffd && is_empty[0] && s->at + s->nr <= vma_end) || !(s->arg & 6);
}

static void draw(struct op *op, unsigned int random)
{
	op->nr = 1 + random % 8;
}

static int call(const struct step *s)
{
	long ret = tree_uffd_poison(s->p->ctx, s->addr, s->len);

	return ret < 0 ? ret : ret == (long)s->len ? 0 : -EAGAIN;
}

static int expect(const struct step *s)
{
	if (!s->h->uffd || s->at + s->nr > vma_end)
		return -ENOENT;
	for (int i = 0; i < s->nr; i++) {
		if (!is_empty[i])
			return i ? -EAGAIN : -EEXIST;
		s->h[i].poison = true;
	}
	return 0;
}

OPERATION(uffd_poison) {
	.often = 2, .aims = can_be_poisoned, .draw = draw, .sensible = sensible,
	.call = call, .expect = expect, .allocates = true, .partly = partly_done,
};
