// SPDX-License-Identifier: GPL-2.0
/* brk() upwards, where nothing is. */
#include "harness/ops/op.h"

static bool is_free(const struct step *s)
{
	return !any(s->h, s->nr, is_mapped);
}

static int call(const struct step *s)
{
	return tree_brk(s->addr, s->len);
}

static int expect(const struct step *s)
{
	map_pages(s, (struct held){ .prot = RW, .file = -1, .accounted = true });
	return 0;
}

OPERATION(brk) {
	.often = 2, .aims = is_hole, .sensible = is_free, .call = call, .expect = expect,
	.allocates = true,
};
