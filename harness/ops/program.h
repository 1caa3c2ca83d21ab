/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program: what processes ask of the kernel, one step after the other, on an
 * address space of a few pages. The tree's code does it; the oracle says what must
 * have become of each page. The operations are the files of this folder: op.h.
 */
#ifndef OPS_PROGRAM_H
#define OPS_PROGRAM_H

#include "harness/kernel/tree.h"

enum prot { RW, R, NO_ACCESS };

struct operation;

enum aim { AIM_NOT, AIM_AT, AIM_AT_ONLY };

struct op {
	const char *name;	/* of the operation */
	unsigned char who;	/* which process, counted from the oldest */
	unsigned char at, nr;	/* pages */
	unsigned char arg;	/* as the operation says */
	unsigned char fail;	/* which of its allocations fails, or 0; | NO_MEMORY: from it on */
	unsigned char aim;	/* or it goes to where there is something to do: */
	struct operation *does;	/* found by its name, if NULL */
};

/* What warns where a merge that lacks memory has left its iterator: known.list. */
#define MERGE_ITERATOR	"mas_is_active(mas)"

/*
 * The window that a program sees: so many pages, so far apart. Operations are of all
 * between them, accesses of the pages themselves.
 */
#define PROGRAM_PAGES	64
#define NO_MEMORY	128
#define MAX_PAGES	256
extern int nr_pages;
#define PROGRAM_START	(5 * PMD_SIZE - PROGRAM_PAGES / 2 * PAGE_SIZE)

static inline unsigned long page_addr(int i)
{
	return PROGRAM_START + i * shim_page_span;
}

/**
 * program_run() - run a program and check it after each fork and at its end.
 *
 * What is wrong fails the test, with both address spaces drawn.
 * Return: how many of its steps were done; others made no sense where they stood.
 */
long program_run(const struct op *ops, unsigned int nr);

/**
 * program_counts() - of each operation, how many steps were not in vain.
 * @at_least: percent of the steps that were done; fewer fail the test
 */
void program_counts(int at_least);

/** program_forks() - after a program, fork and exit so often; each is checked. */
void program_forks(const struct op *ops, unsigned int nr, long forks);

/** program_known - how often a defect of known.list was met, and made good. */
extern long program_known;

/** program_random() - @nr steps from a seed. */
void program_random(struct op *ops, unsigned int nr, u64 seed);

/** program_op() - a step of the @n-th operation, whatever number that is. */
struct op program_op(unsigned int n);

/** program_shrink() - leave out whatever can be, as long as the program fails. */
unsigned int program_shrink(struct op *ops, unsigned int nr);

/** program_print() - the program as a test that can be pasted in tests/. */
void program_print(const struct op *ops, unsigned int nr, const char *name);

#endif
