// SPDX-License-Identifier: GPL-2.0
/* Private pages of one process go to swap: nothing that a program notices. */
#include "harness/ops/op.h"

static bool swap_out(const struct step *s)
{
	int nr = 0;

	for (int i = 0; i < s->nr; i++)
		nr += shim_swap_out(s->addr + i * shim_page_span);
	return nr;
}

static int nothing(const struct step *s)
{
	(void)s;
	return 0;
}

OPERATION(swap_out) {
	.often = 4, .aims = is_copy, .unseen = true, .sensible = swap_out, .call = nothing,
};
