/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry points to the tree's static functions, and to its system calls as a program
 * sees them: they take the locks that the kernel's own entry takes, and work on
 * current->mm. 0 or -errno.
 */
#ifndef HARNESS_TREE_H
#define HARNESS_TREE_H

#include "vma_internal.h"

/* What not every tree has: flags that no VMA of the others has, and what goes with them. */
#ifdef VM_MAYBE_GUARD
#define GUARD_FLAG	VM_MAYBE_GUARD
#define GUARD_MARKER	PTE_MARKER_GUARD
#else
#define GUARD_FLAG	0
#define GUARD_MARKER	0
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	0
#define MADV_GUARD_REMOVE	0
#endif
#ifdef VM_UFFD_RWP
#define RWP_FLAG	VM_UFFD_RWP
#else
#define RWP_FLAG	0
#define UFFD_FEATURE_RWP	0
#define UFFD_FEATURE_RWP_ASYNC	0
#define UFFDIO_REGISTER_MODE_RWP	0
#endif

/*
 * Flags that a merged VMA has if any of what went into it had it, in a tree that has
 * such a set at all. Not what the tree's set says, but why:
 * VM_SOFTDIRTY: pages were mapped since clear_refs, and have no bit of their own yet;
 * VM_MAYBE_GUARD: the page tables may have guards, and fork() copies them for this flag.
 */
#if defined(VM_STICKY) || defined(VMA_STICKY_FLAGS)
#define STICKY	((vm_flags_t)(VM_SOFTDIRTY | GUARD_FLAG))
#else
#define STICKY	((vm_flags_t)0)
#endif

/* Whether a function of the tree is of that type: TAKES(fn, its type, arguments'). */
#define TAKES(fn, type, ...)						\
	__builtin_types_compatible_p(typeof(fn), type(__VA_ARGS__))
/* VMA flags as a function takes them: as a word where it is of that type. */
#ifdef TREE_HAS_vma_flags_t
#define FLAGS_FOR(fn, flags, type, ...)					\
	__builtin_choose_expr(TAKES(fn, type, __VA_ARGS__), (vm_flags_t)(flags),	\
			      legacy_to_vma_flags(flags))
#else
#define FLAGS_FOR(fn, flags, ...)	((vm_flags_t)(flags))
#endif

bool tree_vma_needs_copy(struct vm_area_struct *dst, struct vm_area_struct *src);

int tree_mmap(struct file *file, unsigned long addr, unsigned long len,
	      vm_flags_t flags, unsigned long pgoff);
int tree_munmap(unsigned long addr, unsigned long len);
/* As a fault below a stack does it: the VMA above grows down to it. */
int tree_expand_stack(unsigned long addr);
/* As execve() moves the stack that it has filled down to its place. */
int tree_relocate(struct vm_area_struct *vma, unsigned long shift);
struct vm_unmapped_area_info;
/* Where mmap() finds room, from below or from above; or -ENOMEM. */
unsigned long tree_unmapped_area(struct vm_unmapped_area_info *info, bool topdown);
/* As the vDSO is mapped: it may be read; or an error. */
struct vm_area_struct *tree_special_mapping(unsigned long addr, unsigned long len,
					    const struct vm_operations_struct *ops);
int tree_extend(unsigned long addr, unsigned long len);
int tree_brk(unsigned long addr, unsigned long len);
int tree_mprotect(unsigned long addr, unsigned long len, unsigned long prot);
/* Onto whatever is there. */
int tree_mremap(unsigned long addr, unsigned long len, unsigned long to);
/* Any mremap(): MREMAP_* flags; where it may choose, shim_unmapped_area it is. */
long tree_sys_mremap(unsigned long addr, unsigned long old_len,
		     unsigned long new_len, unsigned long flags,
		     unsigned long new_addr);
long tree_sys_mlock2(unsigned long addr, size_t len, int flags);
long tree_sys_mlockall(int flags);
long tree_sys_munlockall(void);
long tree_sys_mseal(unsigned long addr, size_t len, unsigned long flags);
int tree_mlock(unsigned long addr, unsigned long len, bool lock);
int tree_madvise(unsigned long addr, unsigned long len, int advice);
/* Behind pidfd 0 is the process itself, with shim_remote_mm another. */
long tree_sys_process_madvise(int pidfd, const struct iovec *vec, size_t vlen, int advice,
			      unsigned int flags);
/* mbind() to a policy, or to none: 0. Pages are left where they are. */
int tree_mbind(unsigned long addr, unsigned long len, int mode);
int tree_name(unsigned long addr, unsigned long len, const char *name);
struct shim_range {
	unsigned long start, end;
	u64 categories;		/* PAGE_IS_* */
};

/**
 * tree_pagemap_scan() - PAGEMAP_SCAN: what was written to, protected again.
 * @check: refuse what cannot be protected asynchronously; else it is passed over
 * @ranges: what it found; NULL: only protect
 * @nr: how many of them there is room for
 * @walk_end: how far it came
 *
 * Return: how many ranges, or -errno.
 */
long tree_pagemap_scan(unsigned long addr, unsigned long len, bool check,
		       struct shim_range *ranges, int nr, unsigned long *walk_end);
/* All that PAGEMAP_SCAN says of each page, where it says something; the same otherwise. */
long tree_pagemap(unsigned long addr, unsigned long len, struct shim_range *ranges, int nr,
		  unsigned long *walk_end);
/* As /proc/PID/clear_refs does it. */
void tree_clear_refs(void);
/* What the last registration said that can be done there: 1 << _UFFDIO_*. */
extern u64 shim_uffd_ioctls;
int tree_uffd_register(struct userfaultfd_ctx *ctx, unsigned long addr,
		       unsigned long len, u64 mode);
int tree_uffd_unregister(struct userfaultfd_ctx *ctx, unsigned long addr,
			 unsigned long len);
int tree_uffd_wp(struct userfaultfd_ctx *ctx, unsigned long addr,
		 unsigned long len, bool protect);
#ifdef VM_UFFD_RWP
int tree_uffd_rwp(struct userfaultfd_ctx *ctx, unsigned long addr,
		  unsigned long len, bool protect);
#endif

/**
 * tree_uffd_init() - a new context, as userfaultfd() and UFFDIO_API leave it.
 * @ctx: of the caller; one reference is the caller's
 * @mm: that is asked
 * @features: UFFD_FEATURE_*
 */
void tree_uffd_init(struct userfaultfd_ctx *ctx, struct mm_struct *mm,
		    unsigned int features);

/* The page at each PAGE_SIZE of @from is a word; how many bytes, or -errno. */
long tree_uffd_copy(struct userfaultfd_ctx *ctx, unsigned long addr, const void *from,
		    unsigned long len, bool protect);
long tree_uffd_zeropage(struct userfaultfd_ctx *ctx, unsigned long addr,
			unsigned long len);
long tree_uffd_poison(struct userfaultfd_ctx *ctx, unsigned long addr, unsigned long len);
long tree_uffd_continue(struct userfaultfd_ctx *ctx, unsigned long addr, unsigned long len,
			bool protect);
/* @holes: whether there may be some in what is moved. */
long tree_uffd_move(struct userfaultfd_ctx *ctx, unsigned long addr, unsigned long from,
		    unsigned long len, bool holes);

/* The context that the last fork made for a userfaultfd that follows it. */
extern struct userfaultfd_ctx *shim_uffd_child;
/* While a userfaultfd is told: see shim_meanwhile(). */
extern void (*shim_meanwhile_told)(void);
/* The last close(): what it had is given up. */
void tree_uffd_release(struct userfaultfd_ctx *ctx);
/* The events that userfaultfds were told: UFFD_EVENT_*, from start to end, or moved. */
struct shim_event {
	struct userfaultfd_ctx *ctx;
	int event;
	unsigned long a, b, c;
};
extern struct shim_event shim_events[8];
extern int shim_nr_events;
void tree_uffd_put(struct userfaultfd_ctx *ctx);

int tree_dup_mmap(struct mm_struct *mm, struct mm_struct *oldmm);
void tree_exit_mmap(struct mm_struct *mm);

#endif
