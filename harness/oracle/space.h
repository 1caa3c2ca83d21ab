/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An address space of one VMA as an array of cells, one a page, built into the
 * models' page tables, forked by the tree's copy_page_range() and checked.
 */
#ifndef ORACLE_SPACE_H
#define ORACLE_SPACE_H

#include "harness/kernel/tree.h"

/** alloc_fail_at() - count from 1 again, and let the nth allocation fail (0: none). */
void alloc_fail_at(long nth);
/** alloc_fail_from() - the same, and all that follow fail, too: there is no memory. */
void alloc_fail_from(long nth);
/** alloc_count() - allocations since alloc_fail_at(). */
long alloc_count(void);
/** alloc_failure_is_final() - one failed that the kernel had better not try again. */
bool alloc_failure_is_final(void);
/** always_resched - whether need_resched() says so: fork gives up its locks. */
extern bool always_resched;
/** resched_asked, resched_given - calls of need_resched() and cond_resched(). */
extern long resched_asked, resched_given;

enum kind {
	NONE,			/* nothing: the fault decides */
	PRESENT,		/* a page, or a frame without one */
	SWAP,
	MIGRATION,
	DEVICE_PRIVATE,		/* the page is in a device's memory */
	DEVICE_EXCLUSIVE,	/* a device has the page for itself */
	MARKER,
	HWPOISON,		/* a memory error took the page */
};

enum entry_access { READ_ACCESS, READ_EXCLUSIVE_ACCESS, WRITE_ACCESS };

/* What a page-table entry says, in the words of the oracle. */
struct cell {
	enum kind kind;
	unsigned long value;	/* frame, slot, or the marker's bits */
	enum entry_access access;	/* MIGRATION, DEVICE_PRIVATE, DEVICE_EXCLUSIVE */
	bool write, dirty, young, soft_dirty, uffd, special, protnone;
	bool exclusive;		/* of a swap slot; of a page, see struct page */
};

#define MAX_CELLS	4096
#define SPACE_START	(PUD_SIZE - 4 * PAGE_SIZE)	/* crosses all levels */

struct space {
	struct mm_struct mm;
	struct vm_area_struct vma;
	struct anon_vma anon_vma;
	struct userfaultfd_ctx uffd;
	unsigned long nr;
	struct cell cell[MAX_CELLS];	/* before the fork */
	bool alone[MAX_CELLS];		/* its page was the parent's alone */
	bool pinned[MAX_CELLS];		/* and pinned */
	struct folio *folio[MAX_CELLS];	/* each folio once */
	int base_refs[MAX_CELLS];	/* its references but for those of PTEs */
	bool locked[MAX_CELLS];		/* by somebody else */
	unsigned long nr_folios;
	long tables_before;
	struct mm_struct *child;
	struct anon_vma child_anon_vma;
	long child_tables, child_pages;	/* PTE tables and pages that it got */
	long copies;			/* of pinned pages */
	bool must_fail;			/* even if no allocation does */
	long overtaken;			/* which table somebody else has first */
};

/** bad_ptes - how often print_bad_pte() is to be called, less how often it was. */
extern int bad_ptes;
/** batches - calls that set PTEs, of however many, since the test reset it. */
extern long batches;

/**
 * space_init() - an empty VMA of @nr pages from @start on.
 * @private_pages: whether it has an anon_vma
 */
void space_init(struct space *s, unsigned long start, unsigned long nr,
		vm_flags_t flags, bool private_pages);

/** space_put() - make cell @i say what @cell says, in the page tables too. */
void space_put(struct space *s, unsigned long i, struct cell cell);

/** space_put_beyond() - the same behind the VMA: another one's, and none of fork's. */
void space_put_beyond(struct space *s, unsigned long i, struct cell cell);

/** space_folio() - a folio for the space to map; @pins are references of GUP. */
struct folio *space_folio(struct space *s, int order, bool anon, bool swapbacked,
			  int pins);

/**
 * space_fill() - a space of one of the kinds there are, from a seed.
 *
 * Return: whether userfaultfd is to follow the child.
 */
bool space_fill(struct space *s, u64 seed);

/**
 * space_fork() - fork the space, check parent and child, and take both down.
 * @event_fork: whether userfaultfd follows the child
 * @fail_at: which allocation fails, or 0
 *
 * Return: what copy_page_range() returned.
 */
int space_fork(struct space *s, bool event_fork, long fail_at);

#endif
