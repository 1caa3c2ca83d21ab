// SPDX-License-Identifier: GPL-2.0
/*
 * userfaultfd against fork() and others: write protection, which is kept where a page
 * was that reclaim, migration or a hole took away, and poison.
 */
#include "harness/sched/race.h"

static const struct race_op others[] = {
	DO(FORK), DO(MPROTECT_R), DO(DONTNEED, 0, 3), DO(MUNMAP, 1, 2), DO(READ, 0), DO(WRITE, 0),
	DO(WRITE, 1), DO(PROTECT, 0, 4), DO(UNPROTECT, 0, 2), DO(POISON, 3, 2), DO(RECLAIM, 0),
	DO(MIGRATE, 0), DO(MREMAP), DO(GUARD, 0, 3), DO(UNGUARD), DO(PUNCH, 0, 2), DO(COLLAPSE),
	DO(EXIT),
};

static void against_others(const struct race_op *ops, unsigned int nr)
{
	static const char *const pages[] = { "pwr.....", "pwr.....&", "pwr.....&+" };

	if (!IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		test_skip("no userfaultfd write protection");
	for (int vma = PRIVATE; vma <= SHARED; vma++)
		for (unsigned int p = 0; p < ARRAY_SIZE(pages); p++)
			for (unsigned int i = 0; i < nr; i++)
				for (unsigned int j = 0; j < ARRAY_SIZE(others); j++) {
					const struct race_op pair[] = { ops[i], others[j] };

					/* A guard over a marker may go round for ever. */
					if (others[j].what != GUARD || vma == PRIVATE ||
					    !test_known("guard-over-marker"))
						race_run(vma, pages[p], pair, 2);
				}
}

TEST_RACE(fork_of_protected)
{
	static const struct race_op ops[] = { DO(FORK) };

	against_others(ops, ARRAY_SIZE(ops));
}

TEST_RACE(protection)
{
	static const struct race_op ops[] = {
		DO(PROTECT), DO(PROTECT, 2, 2), DO(UNPROTECT), DO(POISON, 3, 1),
	};

	against_others(ops, ARRAY_SIZE(ops));
}

/* UFFDIO_MOVE to the last page: the page is in one place or the other, and is found there. */
TEST_RACE(move)
{
	static const struct race_op moves[] = { DO(MOVE, 1, 1), DO(MOVE, 0, 1) };
	static const struct race_op against[] = {
		DO(FORK), DO(MPROTECT_R), DO(MPROTECT_R, 4, 4), DO(DONTNEED, 0, 3), DO(DONTNEED, 7, 1),
		DO(MUNMAP, 1, 2), DO(MUNMAP, 7, 1), DO(READ, 1), DO(WRITE, 1), DO(READ, 7),
		DO(WRITE, 7), DO(PROTECT, 0, 4), DO(PROTECT, 7, 1), DO(POISON, 7, 1),
		DO(MIGRATE, 1), DO(MREMAP), DO(GUARD, 0, 3), DO(GUARD, 7, 1), DO(LOCK, 0, 4),
		DO(WIPE), DO(NAME, 4, 4), DO(EXIT), DO(MOVE, 1, 1), DO(MOVE, 2, 1),
	};
	static const char *const pages[] = { "pwr.....", "pwr.....|", "pwr.....&", "pwr.....&+" };

	if (!IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		test_skip("no userfaultfd write protection");
	for (unsigned int p = 0; p < ARRAY_SIZE(pages); p++)
		for (unsigned int i = 0; i < ARRAY_SIZE(moves); i++)
			for (unsigned int j = 0; j < ARRAY_SIZE(against); j++) {
				const struct race_op pair[] = { moves[i], against[j] };

				race_run(PRIVATE, pages[p], pair, 2);
			}
}
