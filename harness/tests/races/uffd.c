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
