// SPDX-License-Identifier: GPL-2.0
/* UFFDIO_RWPROTECT, to protect what is there from any access, and to resolve. */
#include "harness/ops/op.h"

#ifdef VM_UFFD_RWP
static bool is_rwp(const struct held *h)
{
	return h->uffd & RWP;
}

/* Where nothing is registered for it, it is refused: once in a while. */
static bool sensible(const struct step *s)
{
	return HAS_RWP && (any(s->p->page, nr_pages, is_rwp) || !(s->arg & 7));
}

static bool is_other(const struct held *h)
{
	return h->mapped && !(h->uffd & RWP);
}

/* All of it is to be registered for that, or nothing is done. */
static int expect(const struct step *s, bool protect)
{
	int at = s->at;

	if (!any(s->h, s->nr, is_mapped) || any(s->h, s->nr, is_other))
		return -ENOENT;
	for (struct held *h = s->h; h < s->end; h++, at++)
		h->wp = h->mapped && protect && !is_deadly(h) &&
			look(table_at(s->p->mm, page_addr(at)), at).there;
	return 0;
}

static bool can_be_protected(const struct held *h)
{
	return h->uffd & RWP && !h->wp && !is_deadly(h) && (h->file >= 0 || h->copy);
}

static int protect(const struct step *s)
{
	return tree_uffd_rwp(s->p->ctx, s->addr, s->len, true);
}

static int expect_protected(const struct step *s)
{
	return expect(s, true);
}

OPERATION(uffd_rw_protect) {
	.often = 3, .aims = can_be_protected, .sensible = sensible, .call = protect,
	.expect = expect_protected, .allocates = true,
};

static int unprotect(const struct step *s)
{
	return tree_uffd_rwp(s->p->ctx, s->addr, s->len, false);
}

static int expect_unprotected(const struct step *s)
{
	return expect(s, false);
}

OPERATION(uffd_rw_unprotect) {
	.often = 2, .aims = is_rw_protected, .sensible = sensible, .call = unprotect,
	.expect = expect_unprotected,
};
#endif
