// SPDX-License-Identifier: GPL-2.0
/* mseal(): nothing with a hole in it. */
#include "harness/ops/op.h"

static bool has_mseal(const struct step *s)
{
	(void)s;
	return VM_SEALED;
}

/* Few, for it is for good. */
static void draw(struct op *op, unsigned int random)
{
	op->nr = 1 + random % 3;
}

static int call(const struct step *s)
{
#ifdef CONFIG_64BIT
	return tree_sys_mseal(s->addr, s->len, 0);
#else
	(void)s;
	return 0;
#endif
}

static int expect(const struct step *s)
{
	if (any(s->h, s->nr, is_hole))
		return -ENOMEM;
	for (struct held *h = s->h; h < s->end; h++)
		h->flags |= VM_SEALED;
	return 0;
}

OPERATION(mseal) {
	.often = 1, .draw = draw, .sensible = has_mseal, .call = call, .expect = expect,
	.allocates = true, .partly = partly_done,
};
