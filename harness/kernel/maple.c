// SPDX-License-Identifier: GPL-2.0
/* The tree's maple tree, as it is. */
#include "vma_internal.h"

#pragma GCC diagnostic push
#include "harness/shim/quiet.h"
#include "maple/lib/maple_tree.c"
#pragma GCC diagnostic pop
