// SPDX-License-Identifier: GPL-2.0
/*
 * What folios are to be had, as /sys/kernel/mm/transparent_hugepage says it; .arg: of up to
 * 1 << .arg % 5 pages.
 */
#include "harness/ops/op.h"

/* Pages that are far apart do not fit. */
static bool are_close(const struct step *s)
{
	(void)s;
	return shim_page_span == PAGE_SIZE;
}

static int call(const struct step *s)
{
	shim_fault_order = s->arg % 5;
	return 0;
}

OPERATION(mthp) {
	.often = 2, .unseen = true, .sensible = are_close, .call = call,
};
