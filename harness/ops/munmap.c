// SPDX-License-Identifier: GPL-2.0
/* munmap(), over holes and part of VMAs. */
#include "harness/ops/op.h"

static int call(const struct step *s)
{
	return tree_munmap(s->addr, s->len);
}

static int expect(const struct step *s)
{
	if (is_any_sealed(s))
		return -EPERM;
	for (struct held *h = s->h; h < s->end; h++)
		*h = (struct held){ 0 };
	return 0;
}

OPERATION(munmap) {
	.often = 2, .call = call, .expect = expect,
	.allocates = true,
};
