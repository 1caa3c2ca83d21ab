// SPDX-License-Identifier: GPL-2.0
/* mlock() and munlock(), up to a hole. */
#include "harness/ops/op.h"

static int lock(const struct step *s)
{
	return tree_mlock(s->addr, s->len, true);
}

static int unlock(const struct step *s)
{
	return tree_mlock(s->addr, s->len, false);
}

static int set_locked(const struct step *s, bool locked)
{
	struct held *end = up_to_hole(s);

	for (struct held *h = s->h; h < end; h++)
		h->locked = locked;
	return end < s->end ? -ENOMEM : 0;
}

static int expect_locked(const struct step *s)
{
	return set_locked(s, true);
}

static int expect_unlocked(const struct step *s)
{
	return set_locked(s, false);
}

OPERATION(mlock) { .often = 2, .call = lock, .expect = expect_locked,
	.allocates = true, .partly = partly_done };
OPERATION(munlock) { .often = 2, .aims = is_locked, .call = unlock, .expect = expect_unlocked,
	.allocates = true, .partly = partly_done };
