// SPDX-License-Identifier: GPL-2.0
/*
 * What window the program sees, before it does anything: .arg 1, 256 pages, for so many
 * VMAs that the maple tree has a third level; 2, 64 pages that are 64 apart, for operations
 * of whole page tables.
 */
#include "harness/ops/op.h"

static bool is_new(const struct step *s)
{
	return nr_processes == 1 && !any(s->p->page, nr_pages, is_mapped);
}

static int call(const struct step *s)
{
	memset(s->p->page, 0, sizeof(s->p->page));
	nr_pages = s->arg == 1 ? MAX_PAGES : PROGRAM_PAGES;
	shim_page_span = s->arg == 2 ? 64 * PAGE_SIZE : PAGE_SIZE;
	return 0;
}

OPERATION(window) {
	.often = 0, .unseen = true, .sensible = is_new, .call = call,
};
