// SPDX-License-Identifier: GPL-2.0
/* MADV_DONTNEED: up to what is locked. */
#include "harness/ops/op.h"

static int call(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_DONTNEED);
}

static int expect(const struct step *s)
{
	struct held *h;

	for (h = s->h; h < s->end && !h->locked; h++) {
		h->copy = false;
		if (h->file < 0)
			h->wp = false;
	}
	return h < s->end ? -EINVAL : hole_error(s);
}

OPERATION(dontneed) {
	.often = 2, .aims = is_copy, .call = call, .expect = expect,
};
