// SPDX-License-Identifier: GPL-2.0
/* /proc/PID/clear_refs: nothing is soft-dirty any more, and each write is noticed. */
#include "harness/ops/op.h"

static int call(const struct step *s)
{
	(void)s;
	tree_clear_refs();
	return 0;
}

static int expect(const struct step *s)
{
	for (int i = 0; i < nr_pages; i++)
		s->p->page[i].soft_dirty = s->p->page[i].written = false;
	return 0;
}

OPERATION(clear_refs) {
	.often = 2, .call = call, .expect = expect,
};
