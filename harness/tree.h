/* SPDX-License-Identifier: GPL-2.0 */
/* The tree's static functions, for the tests. */
#ifndef HARNESS_TREE_H
#define HARNESS_TREE_H

#include "vma_internal.h"

bool tree_vma_needs_copy(struct vm_area_struct *dst, struct vm_area_struct *src);

#endif
