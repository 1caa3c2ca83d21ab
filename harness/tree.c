// SPDX-License-Identifier: GPL-2.0
/*
 * The tree's source files, one translation unit, and a door to what is static in
 * them. Nothing else belongs here: what the kernel calls is in shim/.
 */
#include "tree.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define auto __auto_type
#include "fork/mm/userfaultfd.c"
#include "fork/fs/userfaultfd.c"
#include "fork/mm/mprotect.c"
#include "fork/mm/memory.c"
#undef auto
#pragma GCC diagnostic pop

bool tree_vma_needs_copy(struct vm_area_struct *dst, struct vm_area_struct *src)
{
	return vma_needs_copy(dst, src);
}
