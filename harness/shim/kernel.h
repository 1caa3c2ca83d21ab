/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ground that imported definitions stand on. Types, bit operations, lists
 * and trees are the tree's own, from tools/include, which the kernel keeps for
 * programs; here is what that folder does not have.
 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/args.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/bitops.h>
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>

/* Annotations for other tools than the compiler. */
#define __private
#define ACCESS_PRIVATE(p, member)	((p)->member)
#define __randomize_layout

/* Only the address of one of these is ever looked at. */
typedef struct { void *v; } freeptr_t;
typedef struct pgprot { unsigned long pgprot; } pgprot_t;

#define pgtable_supports_soft_dirty()	IS_ENABLED(CONFIG_MEM_SOFT_DIRTY)

/* A warning of the kernel is a failure of the test in which it is given. */
void shim_warn(const char *file, int line, const char *condition);

#define shim_warn_on(condition) ({				\
	bool __warn = !!(condition);				\
								\
	if (__warn)						\
		shim_warn(__FILE__, __LINE__, #condition);	\
	unlikely(__warn);					\
})

#undef WARN_ON
#undef WARN_ON_ONCE
#define WARN_ON(condition)		shim_warn_on(condition)
#define WARN_ON_ONCE(condition)		shim_warn_on(condition)
#define VM_WARN_ON(condition)		((void)shim_warn_on(condition))
#define VM_WARN_ON_ONCE(condition)	((void)shim_warn_on(condition))

#endif
