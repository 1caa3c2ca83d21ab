// SPDX-License-Identifier: GPL-2.0
/* MADV_DONTNEED, up to what is locked, and MADV_DONTNEED_LOCKED. */
#include "harness/ops/op.h"

static int drop(const struct step *s, bool locked)
{
	for (struct held *h = s->h; h < s->end; h++) {
		if (no_discard(h))
			return -EPERM;
		if (h->locked && !locked)
			return -EINVAL;
		h->copy = h->written = h->poison = false;
		if (h->file < 0 || h->uffd & RWP)
			h->wp = false;
	}
	return hole_error(s);
}

static int call(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_DONTNEED);
}

static int expect(const struct step *s)
{
	return drop(s, false);
}

OPERATION(dontneed) {
	.often = 2, .aims = is_copy, .call = call, .expect = expect,
};

static int call_locked(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_DONTNEED_LOCKED);
}

static int expect_locked(const struct step *s)
{
	return drop(s, true);
}

OPERATION(dontneed_locked) {
	.often = 1, .aims = is_copy, .call = call_locked, .expect = expect_locked,
};
