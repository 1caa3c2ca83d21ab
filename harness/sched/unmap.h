/* SPDX-License-Identifier: GPL-2.0 */
/* Who unmaps a page wherever it is mapped, and who brings back what is in swap. */
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

/** tree_swapoff() - bring back what a process has in swap. */
void tree_swapoff(struct mm_struct *mm);

#endif
