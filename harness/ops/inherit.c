// SPDX-License-Identifier: GPL-2.0
/* What madvise() says of the child: MADV_WIPEONFORK, MADV_DONTFORK, and their opposites. */
#include "harness/ops/op.h"

static int wipe(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_WIPEONFORK);
}

/* Anonymous memory only. */
static int expect_wiped(const struct step *s)
{
	struct held *h;

	for (h = s->h; h < s->end && (!h->mapped || (h->file < 0 && !no_discard(h))); h++)
		h->wipe = h->mapped;
	return h < s->end ? no_discard(h) ? -EPERM : -EINVAL : hole_error(s);
}

OPERATION(wipeonfork) { .often = 1, .call = wipe, .expect = expect_wiped,
	.allocates = true, .merges = true, .partly = partly_done };

static int keep(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_KEEPONFORK);
}

static int expect_kept(const struct step *s)
{
	struct held *h;

	for (h = s->h; h < s->end && !is_droppable(h); h++)
		h->wipe = false;
	return h < s->end ? -EINVAL : hole_error(s);
}

static bool can_be_kept(const struct held *h)
{
	return h->wipe && !is_droppable(h);
}

OPERATION(keeponfork) { .often = 1, .aims = can_be_kept, .call = keep, .expect = expect_kept,
	.allocates = true, .merges = true, .partly = partly_done };

static int dont_fork(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_DONTFORK);
}

static int expect_not_forked(const struct step *s)
{
	struct held *h;

	for (h = s->h; h < s->end && !no_discard(h); h++)
		h->dontfork = h->mapped;
	return h < s->end ? -EPERM : hole_error(s);
}

OPERATION(dontfork) { .often = 1, .call = dont_fork, .expect = expect_not_forked,
	.allocates = true, .merges = true, .partly = partly_done };

static int do_fork(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_DOFORK);
}

static int expect_forked(const struct step *s)
{
	for (struct held *h = s->h; h < s->end; h++)
		h->dontfork = false;
	return hole_error(s);
}

OPERATION(dofork) { .often = 1, .aims = is_not_forked, .call = do_fork, .expect = expect_forked,
	.allocates = true, .merges = true, .partly = partly_done };
