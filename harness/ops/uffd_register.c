// SPDX-License-Identifier: GPL-2.0
/*
 * userfaultfd: which ranges it has, what it wants to know of them, and its end; .arg: 1 for
 * missing pages as well, none of 6 for minor faults, 16 to protect from reads as well.
 */
#include "harness/ops/op.h"

struct userfaultfd_ctx *uffd_new(struct mm_struct *mm)
{
	struct userfaultfd_ctx *ctx = shim_cache_alloc(userfaultfd_ctx_cachep,
						       GFP_KERNEL | __GFP_NOFAIL);

	tree_uffd_init(ctx, mm, 0);
	mmgrab(mm);
	return ctx;
}

static bool is_async(const struct step *s)
{
	return s->p->features & UFFD_FEATURE_WP_ASYNC;
}

static bool is_no_shmem(const struct held *h)
{
	return h->mapped && (h->file < 0 || !files[(int)h->file].shmem);
}

/* Where it was not asked for at the beginning it is refused: once in a while. */
static bool is_rwp(const struct step *s)
{
	return HAS_RWP && s->arg & 16 && (s->p->features & UFFD_FEATURE_RWP || s->arg < 32);
}

static int mode(const struct step *s)
{
	return (is_rwp(s) ? RWP : HAS_WP ? WP : 0) |
	       (s->arg & 1 || !HAS_WP ? MISSING : 0) | (HAS_WP && !(s->arg & 6) ? MINOR : 0);
}

/* Something to protect, that is, or to fill. */
static bool has_something(const struct held *h)
{
	return h->mapped && !h->uffd && !is_droppable(h) && !is_plain_file(h);
}

/* Of a driver with ->close, and only the asynchronous kind takes that. */
static bool is_told(const struct held *h)
{
	return h->mapped && h->file == 2;
}

static bool can_be_registered(const struct step *s)
{
	return !(any(s->h, s->nr, is_told) && test_known("unregister-closing")) &&
	       !(any(s->h, s->nr, is_droppable) && test_known("uffd-droppable"));
}

static int do_register(const struct step *s)
{
	return tree_uffd_register(s->p->ctx, s->addr, s->len,
		(mode(s) & MISSING ? UFFDIO_REGISTER_MODE_MISSING : 0) |
		(mode(s) & MINOR ? UFFDIO_REGISTER_MODE_MINOR : 0) |
		(mode(s) & WP ? UFFDIO_REGISTER_MODE_WP : 0) |
		(mode(s) & RWP ? UFFDIO_REGISTER_MODE_RWP : 0));
}

/* What only wants to know takes any file. There is one bit for both ways to protect. */
static int refusal(const struct step *s, const struct held *h)
{
	if (!h->mapped)
		return 0;
	if (is_droppable(h) || (mode(s) & MINOR && is_no_shmem(h)) ||
	    (!(is_async(s) && mode(s) == WP) && is_plain_file(h)) ||
	    (mode(s) & RWP && h->prot == NO_ACCESS))
		return -EINVAL;
	return h->uffd & (WP | RWP) & ~mode(s) ? -EBUSY : 0;
}

static int expect_registered(const struct step *s)
{
	if (!any(s->h, s->nr, is_mapped) ||
	    (mode(s) & RWP && !(s->p->features & UFFD_FEATURE_RWP)))
		return -EINVAL;
	for (const struct held *h = s->h; h < s->end; h++) {
		int ret = refusal(s, h);

		if (ret)
			return ret;
	}
	for (struct held *h = s->h; h < s->end; h++)
		if (h->mapped && (h->uffd & mode(s)) != mode(s))
			h->uffd = mode(s);
	return 0;
}

OPERATION(uffd_register) {
	.often = 4, .aims = has_something, .sensible = can_be_registered, .call = do_register, .expect = expect_registered,
	.allocates = true, .merges = true, .partly = partly_done,
};

static bool cannot_unregister(const struct held *h)
{
	return is_droppable(h) || (is_plain_file(h) && !h->uffd);
}

static int unregister(const struct step *s)
{
	return tree_uffd_unregister(s->p->ctx, s->addr, s->len);
}

static int expect_unregistered(const struct step *s)
{
	if (!any(s->h, s->nr, is_mapped) || any(s->h, s->nr, cannot_unregister))
		return -EINVAL;
	for (struct held *h = s->h; h < s->end; h++) {
		h->wp &= !h->uffd;
		h->uffd = 0;
	}
	return 0;
}

/*
 * Some of it, and of the VMA after that what it protects is no longer protected: that
 * goes first, and cannot fail.
 */
static bool partly_unregistered(const struct step *s, int n, const struct held *after)
{
	struct vm_area_struct *vma;
	struct held *h;

	if (n >= s->nr)
		return false;
	memcpy(s->h, after + s->at, n * sizeof(*after));
	vma = shim_vma_at(s->addr + n * shim_page_span);
	for (h = s->h + n; h < s->end; h++, n++)
		if (vma && s->addr + n * shim_page_span < vma->vm_end)
			h->wp = false;
	return true;
}

OPERATION(uffd_unregister) {
	.often = 2, .aims = is_registered, .sensible = can_be_registered, .call = unregister, .expect = expect_unregistered,
	.allocates = true, .merges = true, .partly = partly_unregistered,
};

/* What is it asked for at its beginning; .arg: which. */
static bool has_nothing(const struct step *s)
{
	return !any(s->p->page, nr_pages, is_registered);
}

static int ask(const struct step *s)
{
	static const unsigned int features[] = {
		UFFD_FEATURE_EVENT_REMAP, UFFD_FEATURE_EVENT_REMOVE, UFFD_FEATURE_EVENT_UNMAP,
		UFFD_FEATURE_WP_UNPOPULATED,
		UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
		UFFD_FEATURE_RWP, UFFD_FEATURE_RWP | UFFD_FEATURE_RWP_ASYNC,
	};

	s->p->features = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
		if (s->arg & 1 << i)
			s->p->features |= features[i];
	s->p->ctx->features = s->p->features;
	return 0;
}

OPERATION(uffd_api) {
	.often = 1, .unseen = true, .sensible = has_nothing, .call = ask,
};

/* close(), and another one for what comes. It does without merging where memory is short. */
static int release(const struct step *s)
{
	tree_uffd_release(s->p->ctx);
	s->p->ctx = uffd_new(s->p->mm);
	s->p->ctx->features = s->p->features;
	return 0;
}

static int expect_released(const struct step *s)
{
	for (int i = 0; i < nr_pages; i++)
		s->p->page[i].uffd = s->p->page[i].wp = 0;
	return 0;
}

OPERATION(uffd_release) {
	.often = 1, .aims = is_registered, .target = everything, .call = release,
	.expect = expect_released, .allocates = true, .merges = true,
};
