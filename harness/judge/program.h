/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program: what processes ask of the kernel, one step after the other, on an
 * address space of a few pages. The tree's code does it; an array, one cell a
 * page, says what must have become of each page.
 */
#ifndef JUDGE_PROGRAM_H
#define JUDGE_PROGRAM_H

#include "harness/tree.h"

enum what {
	MMAP_PRIVATE,		/* anonymous; .arg: enum prot */
	MMAP_SHARED,		/* anonymous, a file of its own; .arg: enum prot */
	MMAP_FILE,		/* .arg: 1 shared, 2 shmem */
	BRK,			/* where nothing is */
	MUNMAP,
	MPROTECT,		/* .arg: enum prot */
	GUARD,
	UNGUARD,
	DONTNEED,
	REGISTER,		/* with userfaultfd; .arg: 1 for missing pages as well */
	UNREGISTER,
	WRITEPROTECT,		/* by userfaultfd */
	UNPROTECT,
	WRITE,
	READ,
	SWAP_OUT,
	NAME,			/* .arg: which, or 0 */
	LOCK,
	UNLOCK,
	WIPEONFORK,
	KEEPONFORK,
	DONTFORK,
	DOFORK,
	CLEAR_REFS,		/* nothing is soft-dirty any more */
	MREMAP,			/* to page .arg */
	FORK,			/* .arg: 1 followed by userfaultfd; .nr: what fails, or 0 */
	EXIT,
	NR_WHAT
};

enum prot { RW, R, NO_ACCESS };

struct op {
	enum what what;
	unsigned char who;	/* which process, counted from the oldest */
	unsigned char at, nr;	/* pages */
	unsigned char arg;
};

#define PROGRAM_PAGES	64
#define PROGRAM_START	(5 * PMD_SIZE - PROGRAM_PAGES / 2 * PAGE_SIZE)

/**
 * program_run() - run a program and judge it after each fork and at its end.
 *
 * What is wrong fails the test, with both address spaces drawn.
 * Return: how many of its steps were done; others made no sense where they stood.
 */
long program_run(const struct op *ops, unsigned int nr);

/** program_forks() - after a program, fork and exit so often; each is judged. */
void program_forks(const struct op *ops, unsigned int nr, long forks);

/** program_known - how often a defect of known.list was met, and made good. */
extern long program_known;

/** program_random() - @nr steps from a seed. */
void program_random(struct op *ops, unsigned int nr, u64 seed);

/** program_shrink() - leave out whatever can be, as long as the program fails. */
unsigned int program_shrink(struct op *ops, unsigned int nr);

/** program_print() - the program as a test that can be pasted in tests/. */
void program_print(const struct op *ops, unsigned int nr, const char *name);

#endif
