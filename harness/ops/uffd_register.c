// SPDX-License-Identifier: GPL-2.0
/* userfaultfd: which ranges it has; .arg: 1 for missing pages as well. */
#include "harness/ops/op.h"

struct userfaultfd_ctx *uffd_new(struct mm_struct *mm)
{
	struct userfaultfd_ctx *ctx = shim_cache_alloc(userfaultfd_ctx_cachep, GFP_KERNEL);

	memset(ctx, 0, sizeof(*ctx));
	refcount_set(&ctx->refcount, 1);
	ctx->mm = mm;
	mmgrab(mm);
	return ctx;
}

static int mode(const struct step *s)
{
	return (HAS_WP ? WP : 0) | (s->arg & 1 || !HAS_WP ? MISSING : 0);
}

/* Something to protect, that is. */
static bool has_something(const struct held *h)
{
	return !h->uffd && !is_droppable(h) &&
	       (h->copy ? !is_plain_file(h) : h->mapped && h->file >= 0 &&
			    files[(int)h->file].shmem);
}

static bool can_be_registered(const struct step *s)
{
	return !(any(s->h, s->nr, is_droppable) && test_known("uffd-droppable"));
}

static int do_register(const struct step *s)
{
	return tree_uffd_register(s->p->ctx, s->addr, s->len,
		(mode(s) & MISSING ? UFFDIO_REGISTER_MODE_MISSING : 0) |
		(mode(s) & WP ? UFFDIO_REGISTER_MODE_WP : 0));
}

static int expect_registered(const struct step *s)
{
	if (!any(s->h, s->nr, is_mapped) || any(s->h, s->nr, cannot_userfault))
		return -EINVAL;
	for (struct held *h = s->h; h < s->end; h++)
		if (h->mapped && (h->uffd & mode(s)) != mode(s))
			h->uffd = mode(s);
	return 0;
}

OPERATION(uffd_register) {
	.often = 4, .aims = has_something, .sensible = can_be_registered, .call = do_register, .expect = expect_registered,
	.allocates = true, .partly = partly_done,
};

static int unregister(const struct step *s)
{
	return tree_uffd_unregister(s->p->ctx, s->addr, s->len);
}

static int expect_unregistered(const struct step *s)
{
	if (!any(s->h, s->nr, is_mapped) || any(s->h, s->nr, cannot_userfault))
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
	.allocates = true, .partly = partly_unregistered,
};
