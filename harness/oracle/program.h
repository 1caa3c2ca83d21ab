/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What processes must hold: an array a process, one element a page of its window.
 * The operations of ops/ say what becomes of it; program.c compares it with the
 * VMAs, the page tables and the accounts. Nothing here calls what it checks.
 */
#ifndef ORACLE_PROGRAM_H
#define ORACLE_PROGRAM_H

#include "harness/kernel/tree.h"
#include "harness/ops/program.h"

#define NR_PROCESSES	4
#define NR_FILES	48
#define NR_NAMES	3

#define HAS_WP		IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP)
#define HAS_RWP		(HAS_WP && RWP_FLAG)

enum { MISSING = 1, WP = 2, MINOR = 4, RWP = 8 };

#ifndef VM_SEALED
#define VM_SEALED	0
#endif
/* Flags that say no more than that they were asked for: all of them are compared. */
#define ASKED_FOR	(VM_NORESERVE | VM_DROPPABLE | VM_GROWSDOWN | VM_LOCKONFAULT |	\
			 VM_SEALED | VM_RAND_READ | VM_SEQ_READ | VM_DONTDUMP |		\
			 VM_MERGEABLE | VM_HUGEPAGE | VM_NOHUGEPAGE)

/* What a process must hold at a page. */
struct held {
	bool mapped, shared, locked, wipe, dontfork;
	bool accounted;		/* charged to committed memory */
	bool guard;		/* an access dies */
	bool poison;		/* of userfaultfd: it does so as well */
	bool guards_near;	/* a guard was put here: the VMA says so for good */
	bool soft_dirty;	/* the same, of VM_SOFTDIRTY */
	bool written;		/* since clear_refs; what lost its PTE meanwhile is not known */
	bool copy;		/* a private page, with this content: */
	bool freed;		/* by MADV_FREE: reclaim may drop it */
	bool moved;		/* by mremap() */
	bool wp;		/* userfaultfd protects what is there, with RWP from reads, too */
	unsigned char uffd;
	unsigned char prot, name, policy;
	signed char file;	/* or -1 */
	unsigned int pgoff;
	u64 content;
	vm_flags_t flags;	/* of ASKED_FOR */
};

struct process {
	struct mm_struct *mm;
	unsigned int features;	/* of its userfaultfd */
	vm_flags_t future;	/* what mlockall() asked for what is mapped from now on */
	struct userfaultfd_ctx *ctx;
	struct held page[MAX_PAGES];
};

struct file_content {
	struct file *file;	/* known by its address, which may be of the past */
	bool shmem;
	u64 content[FILE_PAGES];
};

extern struct process process[NR_PROCESSES];
extern int nr_processes;
extern struct file_content files[NR_FILES];
extern int nr_files;
extern const char * const names[NR_NAMES];
extern u64 next_content;	/* what was written last; each write is another */

/* What a page table says of a page, as far as a program can tell. */
struct seen {
	bool there, present, guard, poison, wp, none, write, marker, soft_dirty, dirty, young;
	bool alone;		/* no other process has it, as far as the kernel knows */
	struct page *page;	/* if it has one that counts */
	int slot;		/* or 0 */
	u64 content;
};

/** table_at() - the page table of an address, found without the kernel's help. */
pte_t *table_at(struct mm_struct *mm, unsigned long addr);
/** look() - what @table says of page @i of the window. */
struct seen look(const pte_t *table, int i);

/** check_process() - VMAs, page tables, accounts and locks of a process. */
void check_process(const struct process *p);
/** holds_as_expected() - what check_process() would find; it is not said. */
bool holds_as_expected(const struct process *p);
/** check_counts() - pages, swap slots, anon_vmas, committed memory, of all processes. */
void check_counts(void);
/** check_child_tables() - that fork() gave the child no page table for nothing. */
void check_child_tables(const struct process *parent, const struct process *child);
/** check_forked() - the anon_vmas of a child that was forked just now. */
void check_forked(const struct process *parent, const struct process *child);
/** draw_process() - what is expected and what was found, three lines. */
void draw_process(const struct process *p);

/** file_content() - what is in the file there. */
static inline u64 *file_content(const struct held *h)
{
	return &files[(int)h->file].content[h->pgoff % FILE_PAGES];
}

static inline bool any(const struct held *h, int nr, bool (*is)(const struct held *h))
{
	for (int i = 0; i < nr; i++)
		if (is(&h[i]))
			return true;
	return false;
}

static inline bool is_mapped(const struct held *h) { return h->mapped; }
static inline bool is_hole(const struct held *h) { return !h->mapped; }
static inline bool is_registered(const struct held *h) { return h->uffd; }
static inline bool is_copy(const struct held *h) { return h->copy; }
static inline bool is_guard(const struct held *h) { return h->guard; }
static inline bool is_deadly(const struct held *h) { return h->guard || h->poison; }
static inline bool is_shared(const struct held *h) { return h->shared; }
static inline bool is_locked(const struct held *h) { return h->locked; }
static inline bool is_sealed(const struct held *h) { return h->flags & VM_SEALED; }
static inline bool is_droppable(const struct held *h) { return h->flags & VM_DROPPABLE; }
static inline bool is_not_forked(const struct held *h) { return h->dontfork; }
static inline bool is_write_protected(const struct held *h) { return h->wp && h->uffd & WP; }
/* And not to be read either. */
static inline bool is_rw_protected(const struct held *h) { return h->wp && h->uffd & RWP; }
static inline bool is_writable(const struct held *h) { return h->mapped && h->prot == RW; }

static inline bool is_protected_file(const struct held *h)
{
	return h->file >= 0 && is_write_protected(h);
}

static inline bool is_plain_file(const struct held *h)
{
	return h->mapped && h->file >= 0 && !files[h->file].shmem;
}

#endif
