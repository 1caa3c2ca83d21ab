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

/* The slab allocator is ours: see shim/lock.h. */
#define _TOOLS_SLAB_H

#if __has_include("linux/args.h")
#include <linux/args.h>
#else
#undef __CONCAT
#include "mmap/include/linux/args.h"
#endif
#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/bitops.h>
#include <linux/bitmap.h>
#include <linux/list.h>
#include <asm/barrier.h>
#include <linux/rbtree.h>
#include <linux/rbtree_augmented.h>
#include <linux/interval_tree_generic.h>
#include <linux/refcount.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/gfp.h>

/* Annotations for other tools than the compiler. */
#define __private
#define ACCESS_PRIVATE(p, member)	((p)->member)
#define __randomize_layout
#define ____cacheline_aligned_in_smp
#undef __init
#define __init
#define might_alloc(...)	do { } while (0)
#define tracepoint_string(s)	(s)
#define trace_ma_op(...)	do { } while (0)
#define trace_ma_read(...)	do { } while (0)
#define trace_ma_write(...)	do { } while (0)

/* The one for programs writes below the stack, which valgrind minds. */
#undef smp_mb
#define smp_mb()	__sync_synchronize()	/* full */

/* What tools/include does not have of atomics. */
#define atomic_add(n, v)	((void)__sync_add_and_fetch(&(v)->counter, n))
#define atomic_dec(v)		atomic_sub(1, v)
#define atomic_sub(n, v)	((void)__sync_sub_and_fetch(&(v)->counter, n))
#define atomic_long_sub(n, v)	((void)__sync_sub_and_fetch(&(v)->counter, n))
#define atomic_long_add(n, v)	((void)__sync_add_and_fetch(&(v)->counter, n))

#define BITS_PER_XA_VALUE	(BITS_PER_LONG - 1)
typedef unsigned long pgoff_t;

/* Of a constant. */
#define const_ilog2(n)		(63 - __builtin_clzll(n))

#ifndef abs_diff
#define abs_diff(a, b)	((a) > (b) ? (a) - (b) : (b) - (a))
#endif
#define swap(a, b) \
	do { typeof(a) __swapped = (a); (a) = (b); (b) = __swapped; } while (0)

/* Never looked into. */
struct vm_fault;
struct file;
struct userfaultfd_ctx;
struct mm_walk;
struct mmu_gather;
struct unmap_desc;
typedef struct { void *v; } freeptr_t;

#ifdef SHIM_SCHED
#include "harness/sched/marked.h"
#endif

#define pgtable_supports_soft_dirty()	IS_ENABLED(CONFIG_MEM_SOFT_DIRTY)

/* A warning of the kernel is a failure of the test in which it is given. */
void shim_warn(const char *file, int line, const char *condition);
/* Of a known defect: conditions with this in them are counted, and fail nothing. */
extern const char *shim_warn_known;
extern int shim_warns_met;

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
#define VM_WARN_ONCE(condition, ...)	((void)shim_warn_on(condition))
#undef BUG_ON
#define BUG_ON(condition)		((void)shim_warn_on(condition))
#define VM_WARN_ON_VMG(condition, vmg)	((void)shim_warn_on(condition))
#define VM_WARN_ON_ONCE_VMA(condition, vma)	((void)shim_warn_on(condition))

#endif
