// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_FREE of anonymous memory: what is in swap is gone, and what is not may go whenever
 * memory is short, which it is not here. With .arg 1 half of it is swapped out before.
 * MADV_COLD and MADV_PAGEOUT: nothing that a program notices, and nothing is paged out
 * that way (see swap_out.c). Reclaim notices: a page that nobody else has is not young
 * after MADV_COLD and MADV_FREE, and not dirty after MADV_FREE.
 */
#include "harness/ops/op.h"

/* What is there of a page that one process has, whole, and that reclaim may look at. */
static struct seen own_page(const struct step *s, const struct held *h)
{
	int at = h - s->p->page;
	struct seen seen = look(table_at(s->p->mm, page_addr(at)), at);

	if (!seen.page || seen.page->_mapcount.counter || !seen.page->on_lru ||
	    folio_nr_pages(page_folio(seen.page)) > 1)
		seen = (struct seen){ 0 };
	return seen;
}

static void must_be_old(const struct step *s, const struct held *h)
{
	if (own_page(s, h).young)
		test_fail(__FILE__, __LINE__, "page %d is young still", (int)(h - s->p->page));
}

static bool in_swap[MAX_PAGES];

static int call_free(const struct step *s)
{
	const pte_t *table;

	for (int i = 0; i < s->nr; i++) {
		if (s->arg & 1 && s->h[i].content & 1)
			shim_swap_out(s->addr + i * shim_page_span);
		table = table_at(s->p->mm, s->addr + i * shim_page_span);
		in_swap[i] = table && look(table, s->at + i).slot;
	}
	return tree_madvise(s->addr, s->len, MADV_FREE);
}

static int expect_free(const struct step *s)
{
	const bool *swapped = in_swap;

	for (struct held *h = s->h; h < s->end; h++, swapped++) {
		if (!h->mapped)
			continue;
		if (no_discard(h))
			return -EPERM;
		if (h->locked || h->file >= 0)
			return -EINVAL;
		h->freed = h->copy;
		h->poison = false;
		if (*swapped)
			h->copy = h->written = h->wp = false;
		must_be_old(s, h);
		if (h->copy && own_page(s, h).dirty)
			test_fail(__FILE__, __LINE__, "page %d is dirty still",
				  (int)(h - s->p->page));
	}
	return hole_error(s);
}

OPERATION(free) {
	.often = 2, .aims = is_copy, .call = call_free, .expect = expect_free,
};

static int expect_nothing(const struct step *s)
{
	for (struct held *h = s->h; h < s->end; h++)
		if (h->mapped && h->locked)
			return -EINVAL;
	return hole_error(s);
}

static int call_cold(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_COLD);
}

static int expect_cold(const struct step *s)
{
	for (struct held *h = s->h; h < s->end && !(h->mapped && h->locked); h++)
		if (h->mapped)
			must_be_old(s, h);
	return expect_nothing(s);
}

OPERATION(cold) {
	.often = 1, .aims = is_copy, .unseen = true, .call = call_cold,
	.expect = expect_cold,
};

static int call_pageout(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_PAGEOUT);
}

OPERATION(pageout) {
	.often = 1, .aims = is_copy, .unseen = true, .call = call_pageout,
	.expect = expect_nothing,
};
