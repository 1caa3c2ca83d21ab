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

/* What tools/include does not have of atomics. */
#define atomic_add(n, v)	((void)__sync_add_and_fetch(&(v)->counter, n))
#define atomic_dec(v)		atomic_sub(1, v)
#define atomic_sub(n, v)	((void)__sync_sub_and_fetch(&(v)->counter, n))
#define atomic_long_add(n, v)	((void)__sync_add_and_fetch(&(v)->counter, n))

#define BITS_PER_XA_VALUE	(BITS_PER_LONG - 1)
typedef unsigned long pgoff_t;

/* Never looked into. */
struct vm_fault;
struct mempolicy;
struct file;
struct userfaultfd_ctx;
typedef struct { void *v; } freeptr_t;

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
