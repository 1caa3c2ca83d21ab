/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMAs of a process before a call, and what of them may be another afterwards:
 * who changes a VMA holds its lock, or page faults see it half changed; and what a
 * call was not asked about, and did not merge with, is as before.
 */
#ifndef ORACLE_VMAS_H
#define ORACLE_VMAS_H

#include "harness/kernel/tree.h"

#define MAX_VMAS	300

struct vma_before {
	const struct vm_area_struct *vma;
	unsigned long start, end, pgoff, anon_pgoff, prot;
	int policy;
	vm_flags_t flags;
	const void *file, *ops, *ctx, *name, *anon_vma;
	unsigned int anon_locked, file_locked;	/* how often those were released */
};

struct vmas {
	unsigned int nr, seq;
	struct vma_before vma[MAX_VMAS];
};

/** vmas_look() - the VMAs of a process, before a call. */
void vmas_look(struct vmas *v, struct mm_struct *mm);
/** vmas_same() - whether nothing was changed since; one may have got an anon_vma. */
bool vmas_same(const struct vmas *v, struct mm_struct *mm);
/** vmas_not_locked() - one that was changed since and not locked; or NULL. */
const struct vm_area_struct *vmas_not_locked(const struct vmas *v, struct mm_struct *mm);
/**
 * vmas_not_asked() - one that was changed since and has nothing in two ranges that
 * the call was about; or NULL. What was merged has other ends, and is left out.
 */
const struct vm_area_struct *vmas_not_asked(const struct vmas *v, struct mm_struct *mm,
					    unsigned long start, unsigned long end,
					    unsigned long start2, unsigned long end2);

/**
 * vmas_behind_rmap() - one that was moved, or its ends were, since while neither the
 * lock of its anon_vma nor that of its file was held, whose trees have it; or NULL.
 */
const struct vm_area_struct *vmas_behind_rmap(const struct vmas *v, struct mm_struct *mm);
/**
 * vmas_not_merged() - one that is like the VMA before it, with which it could not have
 * been merged before a call that was about one of them, or about a range that ends where
 * they meet; or NULL.
 */
const struct vm_area_struct *vmas_not_merged(const struct vmas *v, struct mm_struct *mm,
					     unsigned long start, unsigned long end);

/**
 * vmas_for_nothing() - one that got an anon_vma since, is as before but for that,
 * and has no page to be found by it: a merge that failed has left it. Or NULL.
 */
const struct vm_area_struct *vmas_for_nothing(const struct vmas *v, struct mm_struct *mm);

#endif
