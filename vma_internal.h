/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shim header. It has the include guard of the kernel's mm/vma_internal.h,
 * and so stands in for it where a kernel source file is included as it is:
 * harness/shim/ lies below, what harness/import/ took from the tree above.
 */
#ifndef __MM_VMA_INTERNAL_H
#define __MM_VMA_INTERNAL_H

#include "harness/shim/config.h"
#include "harness/shim/kernel.h"

/* The kernel's own code is not held to more warnings than the kernel is. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"
#include "vma/include/linux/mm_types.h"
#include "vma/include/linux/mm.h"
#include "fork/include/linux/userfaultfd_k.h"
#pragma GCC diagnostic pop

#include "vma/has.h"
#include "fork/has.h"

#endif
