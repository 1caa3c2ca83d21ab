// SPDX-License-Identifier: GPL-2.0
/* mprotect(); .arg: enum prot. */
#include "harness/ops/op.h"

static int call(const struct step *s)
{
	static const int prots[] = {
		[RW] = PROT_READ | PROT_WRITE, [R] = PROT_READ, [NO_ACCESS] = PROT_NONE,
	};

	return tree_mprotect(s->addr, s->len, prots[s->arg % 3]);
}

static int expect(const struct step *s)
{
	for (struct held *h = s->h; h < s->end; h++)
		h->prot = s->arg % 3;
	return 0;
}

OPERATION(mprotect) {
	.often = 6, .call = call, .expect = expect,
};
