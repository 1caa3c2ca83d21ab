// SPDX-License-Identifier: GPL-2.0
/* mlock() and munlock(). */
#include "harness/ops/op.h"

static int lock(const struct step *s)
{
	return tree_mlock(s->addr, s->len, true);
}

static int unlock(const struct step *s)
{
	return tree_mlock(s->addr, s->len, false);
}

static int expect_locked(const struct step *s)
{
	for (struct held *h = s->h; h < s->end; h++)
		h->locked = true;
	return 0;
}

static int expect_unlocked(const struct step *s)
{
	for (struct held *h = s->h; h < s->end; h++)
		h->locked = false;
	return 0;
}

OPERATION(mlock) { .often = 2, .call = lock, .expect = expect_locked,
	.allocates = true, .partly = partly_done };
OPERATION(munlock) { .often = 2, .call = unlock, .expect = expect_unlocked,
	.allocates = true, .partly = partly_done };
