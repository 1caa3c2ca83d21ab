// SPDX-License-Identifier: GPL-2.0
/*
 * PAGEMAP_SCAN of what userfaultfd protects asynchronously: what was written to since is
 * said, in as many ranges as there is room for, and protected again. .arg: 1 to be refused
 * elsewhere, 2 to be told nothing, and how many ranges. And of all that it says of a page.
 */
#include "harness/ops/op.h"
#include "change/include/uapi/linux/fs.h"

#define MOST	16	/* that are asked for; of all that it says, there is always room */

static struct shim_range ranges[64];
static unsigned long walk_end;

static bool is_told(const struct step *s)
{
	return !(s->arg & 2);
}

static int room(const struct step *s)
{
	return 1 + s->arg / 4 % MOST;
}

static bool is_poisoned(const struct held *h)
{
	return h->poison;
}

/*
 * Of a guard or poison, its marker says whether it was told: that is nowhere else to be seen
 * until the poison is gone, which leaves the protection.
 */
static bool sensible(const struct step *s)
{
	return HAS_WP && !test_known("scan-empty") && s->p->features & UFFD_FEATURE_WP_ASYNC &&
	       !any(s->h, s->nr, is_poisoned) &&
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

#ifndef PAGE_IS_GUARD
#define PAGE_IS_GUARD	0
#endif
#ifndef PAGE_IS_ACCESSED
#define PAGE_IS_ACCESSED	0
#endif

/*
 * The bit is clear: what was protected has been written to, or accessed. Of others it means
 * nothing, and what is said of guards and poison is not judged: see sensible().
 */
static u64 since_protected(const struct held *h, const struct seen *seen)
{
	if (seen->wp || is_deadly(h))
		return 0;
	return h->uffd & WP ? PAGE_IS_WRITTEN : h->uffd & RWP && seen->there ? PAGE_IS_ACCESSED : 0;
}

static u64 categories_of(const struct step *s, int i)
{
	const struct held *h = &s->h[i];
	struct seen seen = look(table_at(s->p->mm, page_addr(s->at + i)), s->at + i);
	const struct vm_area_struct *vma = shim_vma_at(page_addr(s->at + i));
	u64 categories = since_protected(h, &seen);

	if (!h->mapped)
		return 0;
	if (h->uffd & WP && s->p->features & UFFD_FEATURE_WP_ASYNC &&
	    (h->file >= 0 || s->p->features & UFFD_FEATURE_WP_UNPOPULATED))
		categories |= PAGE_IS_WPALLOWED;
	if (vma->vm_flags & VM_SOFTDIRTY || seen.soft_dirty)
		categories |= PAGE_IS_SOFT_DIRTY;
	if (!seen.there)
		return categories;
	if (!seen.present)
		return categories | PAGE_IS_SWAPPED | (seen.guard ? PAGE_IS_GUARD : 0);
	return categories | PAGE_IS_PRESENT |
	       (!seen.page ? PAGE_IS_PFNZERO : seen.page->anon ? 0 : PAGE_IS_FILE);
}

static int nr_ranges;

static bool sensible_to_ask(const struct step *s)
{
	return shim_page_span == PAGE_SIZE && s->nr <= (int)ARRAY_SIZE(ranges) &&
	       !test_known("scan-empty");
}

static int call_pagemap(const struct step *s)
{
	nr_ranges = tree_pagemap(s->addr, s->len, ranges, ARRAY_SIZE(ranges), &walk_end);
	return min(nr_ranges, 0);
}

/* Pages that are alike are one range; of what is empty and unprotected nothing is said. */
static int expect_pagemap(const struct step *s)
{
	const struct shim_range *range = ranges;

	for (int i = 0; i < s->nr; i++) {
		unsigned long addr = s->addr + i * PAGE_SIZE;
		u64 due = categories_of(s, i), found = 0;

		while (range < ranges + nr_ranges && range->end <= addr)
			range++;
		if (range < ranges + nr_ranges && range->start <= addr)
			found = range->categories;
		if (!(s->h[i].uffd & WP) || is_deadly(&s->h[i]))
			found &= ~(u64)PAGE_IS_WRITTEN;
		if (is_deadly(&s->h[i]))
			found &= ~(u64)PAGE_IS_ACCESSED;
		if (found != due)
			test_fail(__FILE__, __LINE__, "page %d: PAGEMAP_SCAN says %#llx, expected %#llx",
				  s->at + i, (unsigned long long)found, (unsigned long long)due);
	}
	EXPECT_EQ(walk_end, s->addr + s->len);
	return 0;
}

OPERATION(pagemap) {
	.often = 2, .unseen = true, .sensible = sensible_to_ask, .call = call_pagemap,
	.expect = expect_pagemap,
};
