// SPDX-License-Identifier: GPL-2.0
/* Whoever finds a page's entries through the rmap, against fork() and others. */
#include "harness/sched/race.h"

static const struct race_op through_rmap[] = {
	DO(RECLAIM, 0), DO(RECLAIM, 2), DO(MIGRATE, 0), DO(MIGRATE, 2),
};

static const char *const pages[] = { "wwr.....", "wwr.....+", "wwr.g..." };

static void against(const struct race_op *ops, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(through_rmap); k++)
			for (unsigned int p = 0; p < ARRAY_SIZE(pages); p++)
				for (int vma = PRIVATE; vma < FILE_SHARED; vma++) {
					const struct race_op pair[] = { through_rmap[k], ops[i] };

					race_run(vma, pages[p], pair, 2);
				}
}

TEST_RACE(reclaim_and_migration_against_fork)
{
	static const struct race_op ops[] = { DO(FORK) };

	against(ops, ARRAY_SIZE(ops));
}

TEST_RACE(reclaim_and_migration_against_others)
{
	static const struct race_op ops[] = {
		DO(GUARD, 0, 3), DO(UNGUARD), DO(MPROTECT_R), DO(DONTNEED, 0, 1), DO(DONTNEED, 0, 3),
		DO(MUNMAP), DO(MUNMAP, 0, 1), DO(READ, 0), DO(READ, 2), DO(WRITE, 0), DO(WRITE, 2),
		DO(RECLAIM, 0), DO(MIGRATE, 0), DO(PUNCH, 1, 2), DO(MREMAP), DO(EXIT),
	};

	against(ops, ARRAY_SIZE(ops));
}

/* Neighbours that have no anon_vma yet take each other's. */
TEST_RACE(neighbours)
{
	static const struct race_op ops[] = {
		DO(WRITE, 0), DO(WRITE, 3), DO(WRITE, 4), DO(FORK), DO(MPROTECT_RW), DO(MUNMAP, 0, 4),
	};
	static const char *const pages[] = { "........|", "........|+", "w.......|" };

	for (int vma = PRIVATE; vma <= FILE_PRIVATE; vma += FILE_PRIVATE)
		for (unsigned int p = 0; p < ARRAY_SIZE(pages); p++)
			for (unsigned int i = 0; i < 3; i++)
				for (unsigned int j = i; j < ARRAY_SIZE(ops); j++) {
					const struct race_op pair[] = { ops[i], ops[j] };

					race_run(vma, pages[p], pair, 2);
				}
}

/* The second fork, mremap() and the exit of a process that has the same pages. */
TEST_RACE(relatives)
{
	static const struct race_op ops[] = {
		DO(FORK), DO(MREMAP), DO(MREMAP, 1, 2), DO(EXIT), DO(WRITE, 0), DO(DONTNEED, 0, 3),
		DO(MUNMAP), DO(MPROTECT_R),
	};

	for (int vma = PRIVATE; vma <= FILE_SHARED; vma++)
		for (unsigned int i = 0; i < 4; i++)
			for (unsigned int j = i; j < ARRAY_SIZE(ops); j++) {
				const struct race_op pair[] = { ops[i], ops[j] };

				if (ops[i].what == EXIT && ops[j].what == EXIT)
					continue;
				race_run(vma, "wwr.....+", pair, 2);
			}
}

/* In swap: whoever brings it back, swapoff among them, shares, moves or drops it. */
TEST_RACE(swapped)
{
	static const struct race_op ops[] = {
		DO(FORK), DO(READ, 0), DO(WRITE, 0), DO(DONTNEED, 0, 3), DO(MUNMAP, 0, 1),
		DO(MPROTECT_R), DO(MREMAP), DO(EXIT), DO(SWAPOFF), DO(RECLAIM, 1),
	};
	static const char *const pages[] = { "swr.....", "swr.....+" };

	for (unsigned int p = 0; p < ARRAY_SIZE(pages); p++)
		for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
			for (unsigned int j = i; j < ARRAY_SIZE(ops); j++) {
				const struct race_op pair[] = { ops[i], ops[j] };

				if (ops[i].what != EXIT || ops[j].what != EXIT)
					race_run(PRIVATE, pages[p], pair, 2);
			}
}
