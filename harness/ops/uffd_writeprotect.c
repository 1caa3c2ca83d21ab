// SPDX-License-Identifier: GPL-2.0
/* UFFDIO_WRITEPROTECT, to protect and to resolve. */
#include "harness/ops/op.h"

static bool has_wp(const struct step *s)
{
	(void)s;
	return HAS_WP;
}

/* Of anonymous memory only what is there is protected. */
static int expect(const struct step *s, bool protect)
{
	struct held *h;
	int at = s->at;

	if (!any(s->h, s->nr, is_mapped))
		return -ENOENT;
	for (h = s->h; h < s->end && (!h->mapped || h->uffd & WP); h++, at++)
		h->wp = h->mapped && protect && !is_deadly(h) &&
			(h->file >= 0 || s->p->features & UFFD_FEATURE_WP_UNPOPULATED ||
			 look(table_at(s->p->mm, page_addr(at)), at).there);
	return h < s->end ? -ENOENT : 0;
}

/* Registered for it, and with something to protect. */
static bool can_be_protected(const struct held *h)
{
	return h->uffd & WP && !h->wp && !is_deadly(h) && (h->file >= 0 || h->copy);
}

static int protect(const struct step *s)
{
	return tree_uffd_wp(s->p->ctx, s->addr, s->len, true);
}

static int expect_protected(const struct step *s)
{
	return expect(s, true);
}

OPERATION(uffd_protect) {
	.often = 5, .aims = can_be_protected, .sensible = has_wp, .call = protect, .expect = expect_protected,
	.allocates = true, .partly = partly_done,
};

static int unprotect(const struct step *s)
{
	return tree_uffd_wp(s->p->ctx, s->addr, s->len, false);
}

static int expect_unprotected(const struct step *s)
{
	return expect(s, false);
}

OPERATION(uffd_unprotect) {
	.often = 3, .aims = is_write_protected, .sensible = has_wp, .call = unprotect, .expect = expect_unprotected,
};
