// SPDX-License-Identifier: GPL-2.0
/* Three threads of two operations each, drawn by a seed, in schedules drawn by it. */
#include "harness/sched/race.h"

static const struct race_op ops[] = {
	DO(FORK), DO(FORK), DO(FORK), DO(GUARD, 1, 3), DO(GUARD, 0, 2), DO(UNGUARD),
	DO(MPROTECT_R), DO(MPROTECT_R, 2, 3), DO(MPROTECT_RW), DO(DONTNEED, 0, 3), DO(RANDOM),
	DO(DONTDUMP, 1, 4), DO(NAME), DO(WIPE), DO(MUNMAP, 1, 2), DO(READ, 2), DO(WRITE, 0),
	DO(WRITE, 3), DO(PUNCH, 1, 2), DO(COLLAPSE), DO(RECLAIM, 0), DO(RECLAIM, 2),
	DO(MIGRATE, 0), DO(MIGRATE, 2), DO(EXIT),
};

static bool fits(struct race_op op, enum race_vma vma)
{
	/* Where a guard's flag may be lost, what follows from that is no finding. */
	if ((op.what == GUARD || op.what == UNGUARD) && test_known("guard-flag-race"))
		return false;
	return race_has(&op, vma, "+");
}

TEST_RACE(three_threads)
{
	static const char *const pages[] = { "wwr.....+", "wwr....." };
	const char *first = getenv("SEED"), *one = getenv("SCHEDULE"), *nr = getenv("PROGRAMS");
	unsigned int seed = one ? atoi(one) : first ? atoi(first) : 1;

	for (int i = 0; i < (one ? 1 : nr ? atoi(nr) : 300); i++, seed++) {
		struct race_op drawn[3 * RACE_STEPS];
		enum race_vma vma;

		srandom(seed);
		vma = random() % (FILE_SHARED + 1);
		for (unsigned int n = 0; n < ARRAY_SIZE(drawn); n++)
			do
				drawn[n] = ops[random() % ARRAY_SIZE(ops)];
			while (!fits(drawn[n], vma));
		race_programs(vma, pages[random() % 2], drawn, 3, seed, 100);
	}
}
