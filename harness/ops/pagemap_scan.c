// SPDX-License-Identifier: GPL-2.0
/*
 * PAGEMAP_SCAN of what userfaultfd protects asynchronously: what was written to since is
 * said, in as many ranges as there is room for, and protected again. .arg: 1 to be refused
 * elsewhere, 2 to be told nothing, and how many ranges.
 */
#include "harness/ops/op.h"

static struct shim_range ranges[16];
static unsigned long walk_end;

static bool is_told(const struct step *s)
{
	return !(s->arg & 2);
}

static int room(const struct step *s)
{
	return 1 + s->arg / 4 % ARRAY_SIZE(ranges);
}

/* Of a guard or poison, its marker says whether it was told: that is nowhere else to be seen. */
static bool sensible(const struct step *s)
{
	return HAS_WP && !test_known("scan-empty") && s->p->features & UFFD_FEATURE_WP_ASYNC &&
	       !(is_told(s) && (any(s->h, s->nr, is_deadly) || shim_page_span != PAGE_SIZE));
}

static int call(const struct step *s)
{
	return tree_pagemap_scan(s->addr, s->len, s->arg & 1, is_told(s) ? ranges : NULL,
				 room(s), &walk_end);
}

static int expect(const struct step *s)
{
	unsigned long addr = s->addr, end = 0;
	int nr = 0;

	for (struct held *h = s->h; h < s->end; h++, addr += shim_page_span) {
		if (!h->mapped)
			continue;
		if (!(h->uffd & WP)) {
			if (s->arg & 1)
				return -EPERM;
			continue;
		}
		if (h->wp)
			continue;
		if (is_told(s) && end != addr) {
			if (nr == room(s))
				break;
			EXPECT_EQ(ranges[nr].start, addr);
			nr++;
		}
		end = addr + shim_page_span;
		if (is_told(s) && (h + 1 == s->end || !h[1].mapped || !(h[1].uffd & WP) ||
				   h[1].wp))
			EXPECT_EQ(ranges[nr - 1].end, end);
		h->wp = !is_deadly(h);
	}
	EXPECT_EQ(walk_end, min(addr, s->addr + s->len));
	return nr;
}

static bool was_written(const struct held *h)
{
	return h->uffd & WP && !h->wp && !is_deadly(h);
}

OPERATION(pagemap_scan) {
	.often = 3, .aims = was_written, .sensible = sensible, .call = call, .expect = expect,
};
