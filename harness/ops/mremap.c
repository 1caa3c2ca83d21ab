// SPDX-License-Identifier: GPL-2.0
/*
 * mremap(): moves over whatever is there, of several VMAs where the tree has that; grows in
 * place, or where there is room; shrinks; leaves the source behind; duplicates what is
 * shared. .arg says where to and how many.
 */
#include "harness/ops/op.h"

#ifdef TREE_HAS_remap_move
#define MOVES_SEVERAL	true
#else
#define MOVES_SEVERAL	false
#endif

struct remap {
	int old, new, to;
	unsigned long flags;
};

/* What the kernel knew of VMAs when it was called. */
static int vma_end;		/* of the first of the range */
static bool grows_in_place;
static int refused;
static bool followed;		/* by userfaultfd */

static int room(const struct step *s, int from, int nr)
{
	for (int at = from, tried = 0; tried < nr_pages; at++, tried++) {
		at = at + nr > nr_pages ? 0 : at;
		if (!any(&s->p->page[at], nr, is_mapped))
			return at;
	}
	return -1;
}

static struct remap moved(const struct step *s)
{
	return (struct remap){ s->nr, s->nr, s->arg % nr_pages,
			       MREMAP_MAYMOVE | MREMAP_FIXED };
}

static struct remap resized(const struct step *s)
{
	return (struct remap){ s->nr, 1 + s->arg / 4 % 16, s->arg % nr_pages,
			       MREMAP_MAYMOVE | MREMAP_FIXED };
}

static struct remap grown(const struct step *s)
{
	int more = 1 + s->arg / 2 % 8;

	return (struct remap){ s->nr, s->nr + more, room(s, s->arg % nr_pages, s->nr + more),
			       s->arg & 1 ? MREMAP_MAYMOVE : 0 };
}

static struct remap shrunk(const struct step *s)
{
	return (struct remap){ s->nr, 1 + s->arg % s->nr, 0, s->arg & 128 ? MREMAP_MAYMOVE : 0 };
}

/* Behind what is like it, if there is room. */
static struct remap joined(const struct step *s)
{
	const struct held *page = s->p->page;
	int to = -1;

	for (int i = 1, at = s->arg % nr_pages; i < nr_pages && to < 0; i++, at = (at + 1) % nr_pages)
		if (at && at + s->nr <= nr_pages && page[at - 1].mapped &&
		    page[at - 1].file == s->h->file && page[at - 1].shared == s->h->shared &&
		    (s->h->file < 0 || page[at - 1].pgoff + 1 == s->h->pgoff) &&
		    !any(&page[at], s->nr, is_mapped))
			to = at;
	return (struct remap){ s->nr, s->nr, to, MREMAP_MAYMOVE | MREMAP_FIXED };
}

static struct remap left(const struct step *s)
{
	int to = s->arg & 128 ? room(s, s->arg % nr_pages, s->nr) : s->arg % nr_pages;

	return (struct remap){ s->nr, s->nr, to, MREMAP_MAYMOVE | MREMAP_DONTUNMAP |
			       (s->arg & 128 ? 0 : MREMAP_FIXED) };
}

static struct remap duplicated(const struct step *s)
{
	return (struct remap){ 0, s->nr, room(s, s->arg % nr_pages, s->nr), MREMAP_MAYMOVE };
}

/* What is sealed stays where it is; what is locked does not grow beyond the limit. */
static int refusal(const struct step *s, struct remap r)
{
	int pages = r.new - r.old;

	if (is_sealed(s->h))
		return -EPERM;
	if (!r.old && !s->h->shared)
		return -EINVAL;
	if (r.flags & MREMAP_FIXED && any(&s->p->page[r.to], r.new, is_sealed))
		return -EPERM;
	if (r.new < r.old && any(s->h + r.new, r.old - r.new, is_sealed))
		return -EPERM;
	for (int i = 0; i < nr_pages; i++)
		pages += s->p->page[i].locked;
	return r.new > r.old && s->h->locked && pages * shim_page_span > shim_memlock ?
	       -EAGAIN : 0;
}

/*
 * Of one VMA, or several where that may be, or of what is sealed. A tree with that defect
 * takes the whole VMA that it merged with away from userfaultfd.
 */
static bool sensible(const struct step *s, struct remap r)
{
	int used = min(r.old, r.new);
	bool several = MOVES_SEVERAL && r.flags & MREMAP_FIXED &&
		       r.old == r.new;

	if (!s->h->mapped || r.to < 0 || r.to + r.new > nr_pages || s->at + r.new > nr_pages)
		return false;
	if (r.flags & MREMAP_FIXED && r.to < s->at + r.old && s->at < r.to + r.new)
		return false;
	if (any(s->h, s->nr, is_registered) && test_known("mremap-uffd"))
		return false;
	if (r.flags & MREMAP_DONTUNMAP && any(s->h, s->nr, is_locked) &&
	    test_known("dontunmap-locked"))
		return false;
	if (r.flags & MREMAP_DONTUNMAP && test_known("dontunmap-offset"))
		return false;
	if (r.old > r.new && r.flags & MREMAP_FIXED && test_known("mremap-shrink-charge"))
		return false;
	refused = refusal(s, r);
	followed = s->p->features & UFFD_FEATURE_EVENT_REMAP;
	vma_end = (shim_vma_at(s->addr)->vm_end - PROGRAM_START) / shim_page_span;
	grows_in_place = vma_end == s->at + r.old && r.new > r.old &&
			 !any(s->h + r.old, r.new - r.old, is_mapped);
	/* Where it says no halfway, it is the tree's own business how far it came. */
	if (refused && r.flags & MREMAP_FIXED && r.old != r.new)
		return false;
	if (vma_end < s->at + used && (refused || any(s->h, s->nr, is_sealed)))
		return false;
	return several || vma_end >= s->at + used;
}

static int call(const struct step *s, struct remap r)
{
	long ret;

	shim_unmapped_area = page_addr(r.to);
	ret = tree_sys_mremap(s->addr, r.old * shim_page_span, r.new * shim_page_span, r.flags,
			      page_addr(r.to));
	if (IS_ERR_VALUE((unsigned long)ret))
		return ret;
	EXPECT_EQ(ret, (long)(r.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ||
			      (r.new > r.old && !grows_in_place) ? page_addr(r.to) : s->addr));
	return 0;
}

static void unmap(const struct step *s, int at, int nr)
{
	memset(&s->p->page[at], 0, nr * sizeof(*s->h));
}

/* It counts as written to, if it has a page; a whole table's entries are not looked at. */
static bool came_along(const struct step *s, int at)
{
	struct seen seen = look(table_at(s->p->mm, page_addr(at)), at);

	return shim_page_span == PAGE_SIZE && (seen.page || seen.slot);
}

/* What a mapping grows by: of the VMA, and nothing is there. */
static struct held without_pages(struct held h)
{
	h.copy = h.guard = h.guards_near = h.poison = h.soft_dirty = h.wp = h.written = false;
	return h;
}

/* The pages of one VMA, and what comes to be behind them. */
static void move(const struct step *s, struct held *from, struct held *to, struct remap r)
{
	struct held more = from[r.old ? r.old - 1 : 0];

	for (int i = 0; i < r.old; i++) {
		to[i] = from[i];
		/* Unless its events are asked for, userfaultfd stays behind. */
		if (!followed)
			to[i].uffd = to[i].wp = 0;
		to[i].moved = true;
		to[i].written |= came_along(s, to + i - s->p->page);
		if (!(r.flags & MREMAP_DONTUNMAP)) {
			from[i] = (struct held){ 0 };
			continue;
		}
		from[i].copy = from[i].guard = from[i].wp = from[i].locked = false;
		from[i].written = from[i].poison = false;
		from[i].flags &= ~VM_LOCKONFAULT;
	}
	more = without_pages(more);
	if (!followed)
		more.uffd = 0;
	more.moved = true;
	for (int i = r.old; i < r.new; i++) {
		to[i] = more;
		to[i].pgoff += i - (r.old ? r.old - 1 : 0);
	}
}

static int expect(const struct step *s, struct remap r)
{
	struct held *to = &s->p->page[max(r.to, 0)], more = s->h[r.old ? r.old - 1 : 0];

	if (refused)
		return refused;
	if (r.new > r.old && !(r.flags & MREMAP_FIXED) && grows_in_place) {
		more = without_pages(more);
		for (int i = r.old; i < r.new; i++) {
			more.pgoff++;
			s->h[i] = more;
		}
		return 0;
	}
	if (r.new > r.old && !(r.flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	if (r.new < r.old)
		unmap(s, s->at + r.new, r.old - r.new);
	if (!(r.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && r.new <= r.old)
		return 0;
	r.old = min(r.old, r.new);
	/* Userfaultfd's are not moved together with others. */
	if (s->at + r.old > vma_end && s->h->uffd)
		return -EFAULT;
	for (int i = 0; i < r.old; i++) {
		if (!s->h[i].mapped)
			continue;
		if (s->at + i >= vma_end && s->h[i].uffd)
			return -EFAULT;
		if (r.old == r.new) {
			struct remap one = { 1, 1, 0, r.flags };

			move(s, &s->h[i], &to[i], one);
		}
	}
	if (r.old != r.new)
		move(s, s->h, to, r);
	return 0;
}

/*
 * What was at the target is gone where it fails late, or the end of the source. Or the
 * pages have moved and the source cannot be unmapped: it stays, empty.
 */
static bool partly(const struct step *s, struct remap r, int n, const struct held *after)
{
	struct held *to = &s->p->page[max(r.to, 0)];
	int used = min(r.old, r.new);

	if (!(r.flags & MREMAP_FIXED) && !n)
		return true;
	if (n < 2) {
		if (r.flags & MREMAP_FIXED)
			unmap(s, r.to, r.new);
		if (n)
			unmap(s, s->at + used, r.old - used);
		return true;
	}
	for (int i = 0; i < r.new; i++)
		to[i] = after[r.to + i];
	for (int i = 0; i < used; i++) {
		struct vm_area_struct *vma = shim_vma_at(s->addr + i * shim_page_span);

		s->h[i].copy = s->h[i].wp = s->h[i].guard = s->h[i].written = false;
		s->h[i].poison = false;
		s->h[i].accounted = vma && vma->vm_flags & VM_ACCOUNT;
	}
	unmap(s, s->at + used, r.old - used);
	return n == 2;
}

#define REMAP(id, n, how, aim)							\
static bool sensible_##how(const struct step *s) { return sensible(s, how(s)); }	\
static struct remap how##_was;							\
static int call_##how(const struct step *s) { how##_was = how(s); return call(s, how##_was); } \
static int expect_##how(const struct step *s) { return expect(s, how##_was); }	\
static int target_##how(const struct step *s, int *nr)				\
{										\
	(void)s;								\
	*nr = how##_was.new;							\
	return how##_was.to;							\
}										\
static bool partly_##how(const struct step *s, int nth, const struct held *after)	\
{										\
	return partly(s, how##_was, nth, after);				\
}										\
OPERATION(id) {									\
	.often = n, .aims = aim, .sensible = sensible_##how,			\
	.call = call_##how,							\
	.target = target_##how,							\
	.expect = expect_##how, .allocates = true,	\
	.partly = partly_##how,							\
	.known = { "mremap-unmap", "mremap-failed-charge",			\
		   "mremap-failed-protection", "tables-moved-back" },		\
}

REMAP(mremap, 4, moved, NULL);
REMAP(mremap_join, 2, joined, NULL);
REMAP(mremap_resize, 1, resized, NULL);
REMAP(mremap_grow, 2, grown, NULL);
REMAP(mremap_shrink, 1, shrunk, NULL);
REMAP(mremap_dontunmap, 2, left, NULL);
REMAP(mremap_duplicate, 1, duplicated, is_shared);
