/* SPDX-License-Identifier: GPL-2.0 */
/* Who unmaps a page wherever it is mapped. */
#ifndef SCHED_UNMAP_H
#define SCHED_UNMAP_H

#include "harness/kernel/tree.h"

/**
 * tree_reclaim() - unmap a page, as reclaim does: anonymous pages go to swap, those of a
 * file stay in the page cache. Nothing is done where it is free by then.
 */
void tree_reclaim(struct folio *folio);

/** tree_migrate() - move such a page into another folio. */
void tree_migrate(struct folio *folio);

#endif
