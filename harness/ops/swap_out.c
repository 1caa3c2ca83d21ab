// SPDX-License-Identifier: GPL-2.0
/* A private page of one process goes to swap: nothing that a program notices. */
#include "harness/ops/op.h"

static bool swap_out(const struct step *s)
{
	return shim_swap_out(s->addr);
}

static int nothing(const struct step *s)
{
	(void)s;
	return 0;
}

OPERATION(swap_out) {
	.often = 4, .aims = is_copy, .unseen = true, .sensible = swap_out, .call = nothing, .expect = nothing,
};
