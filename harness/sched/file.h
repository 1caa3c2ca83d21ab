/* SPDX-License-Identifier: GPL-2.0 */
/* Who changes page tables from behind, through a file's mapping. */
#ifndef SCHED_FILE_H
#define SCHED_FILE_H

#include "harness/kernel/tree.h"

/*
 * Whether the tree is known to remove page tables that are not empty: then they are
 * counted, and no failure.
 */
extern bool tree_loses_tables;
extern long tree_lost_tables;

/** tree_punch_hole() - as fallocate() does it for @nr pages from @first. */
void tree_punch_hole(struct file *file, unsigned long first, unsigned long nr);

/** tree_truncate() - make a file @pages long, as ftruncate() does where it shrinks. */
void tree_truncate(struct file *file, unsigned long pages);

/**
 * tree_collapse_file() - as khugepaged does it: pages locked, unmapped, and the
 * page tables removed that were emptied. No huge page is made of them.
 */
void tree_collapse_file(struct file *file, unsigned long first);

/**
 * tree_collapse_ptes() - as khugepaged does it for a huge page of a file that is mapped by
 * PTEs: page table removed. A page fault would map it by a PMD, and here does not.
 */
void tree_collapse_ptes(struct mm_struct *mm, unsigned long addr);

#endif
