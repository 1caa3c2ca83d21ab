/* SPDX-License-Identifier: GPL-2.0 */
/* Who changes page tables from behind, through a file's mapping. */
#ifndef SCHED_FILE_H
#define SCHED_FILE_H

#include "harness/kernel/tree.h"

/** tree_punch_hole() - as fallocate() does it for @nr pages from @first. */
void tree_punch_hole(struct file *file, unsigned long first, unsigned long nr);

/** tree_truncate() - make a file @pages long, as ftruncate() does where it shrinks. */
void tree_truncate(struct file *file, unsigned long pages);

/**
 * tree_collapse_file() - as khugepaged does it: pages locked, unmapped, and the
 * page tables removed that were emptied. No huge page is made of them.
 */
void tree_collapse_file(struct file *file, unsigned long first);

#endif
