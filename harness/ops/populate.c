// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_POPULATE_READ and _WRITE: as if each page were read or written, which changes none
 * but for userfaultfd's protection; up to a hole, and to what cannot be.
 */
#include "harness/ops/op.h"

/* Who waits for userfaultfd waits for ever here; and each page counts. */
static bool sensible(const struct step *s)
{
	return shim_page_span == PAGE_SIZE &&
	       (s->p->features & UFFD_FEATURE_WP_ASYNC || !any(s->h, s->nr, is_write_protected)) &&
	       (s->p->features & UFFD_FEATURE_RWP_ASYNC || !any(s->h, s->nr, is_rw_protected));
}

static int refusal(const struct held *h, bool write)
{
	if (!h->mapped)
		return -ENOMEM;
	if (h->prot == NO_ACCESS || (write && h->prot != RW) || h->guard)
		return -EFAULT;
	return h->poison ? -EHWPOISON : 0;
}

static int expect(const struct step *s, bool write)
{
	for (struct held *h = s->h; h < s->end; h++) {
		int ret = refusal(h, write);

		if (ret)
			return ret;
		h->wp = h->wp && !(h->uffd & RWP);
		if (!write)
			continue;
		if (!h->shared && !h->copy)
			h->content = h->file < 0 ? 0 : *file_content(h);
		h->copy = !h->shared;
		h->wp = h->freed = false;
		h->written = true;
	}
	return 0;
}

static int populate_read(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_POPULATE_READ);
}

static int expect_read(const struct step *s)
{
	return expect(s, false);
}

OPERATION(populate_read) {
	.often = 2, .unseen = true, .sensible = sensible, .call = populate_read,
	.expect = expect_read,
};

static int populate_write(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_POPULATE_WRITE);
}

static int expect_write(const struct step *s)
{
	return expect(s, true);
}

static bool can_be_populated(const struct held *h)
{
	return is_writable(h) && !h->shared && !h->copy && !is_deadly(h);
}

OPERATION(populate_write) {
	.often = 2, .aims = can_be_populated, .sensible = sensible, .call = populate_write,
	.expect = expect_write,
};
