// SPDX-License-Identifier: GPL-2.0
/*
 * Pairs of operations on one VMA, each with each: fork() and MADV_GUARD_INSTALL,
 * which takes the VMA's read lock only, against all, and the others.
 */
#include "harness/sched/race.h"

/* On pages of which some are written, some were read, and one is guarded. */
static const struct race_op ops[] = {
	DO(FORK),
	DO(GUARD, 1, 3),
	DO(UNGUARD),
	DO(MPROTECT_R),
	DO(MPROTECT_R, 2, 3),
	DO(DONTNEED, 0, 3),
	DO(RANDOM),
	DO(DONTDUMP, 1, 4),
	DO(LOCK),
	DO(NAME),
	DO(WIPE),
	DO(MUNMAP, 1, 2),
	DO(READ, 2),
	DO(WRITE, 0),
	DO(WRITE, 3),
};
#define NR_OPS	((unsigned int)ARRAY_SIZE(ops))

/* The VMA as it may be: with and without page tables, and with a guard. */
static void against_all(enum race_vma vma, int first, int from)
{
	static const char *const pages[] = { "........", "wwr.....", "wwr.g..." };

	for (unsigned int p = 0; p < ARRAY_SIZE(pages); p++)
		for (unsigned int i = from; i < NR_OPS; i++) {
			const struct race_op pair[] = { ops[first], ops[i] };

			race_run(vma, pages[p], pair, 2);
		}
}

static void everywhere(int first, int from)
{
	for (int vma = PRIVATE; vma <= FILE_SHARED; vma++)
		against_all(vma, first, from);
}

TEST_RACE(fork_against_all)
{
	everywhere(0, 0);
}

TEST_RACE(guard_install_against_all)
{
	if (!race_has_guards())
		test_skip("this tree has no guard regions");
	everywhere(1, 1);
}

TEST_RACE(guard_remove_against_all)
{
	if (!race_has_guards())
		test_skip("this tree has no guard regions");
	everywhere(2, 2);
}

TEST_RACE(others)
{
	for (unsigned int first = 3; first < NR_OPS; first++)
		everywhere(first, first);
}
