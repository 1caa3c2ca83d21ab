// SPDX-License-Identifier: GPL-2.0
/* Whoever finds page tables through a file's mapping, against fork() and others. */
#include "harness/sched/race.h"

static const enum race_vma kinds[] = { SHARED, FILE_PRIVATE, FILE_SHARED };

/*
 * What fork() copies is of pages that were mapped before: private memory that has an
 * anon_vma, and shared memory that has a guard.
 */
static const char *copied(enum race_vma vma)
{
	return vma == FILE_PRIVATE ? "wrr....." : "wrrg....";
}

static void with_fork(struct race_op removal)
{
	for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct race_op pair[] = { DO(FORK), removal };
		const struct race_op reader[] = { DO(FORK), removal, DO(READ, 1) };
		const struct race_op writer[] = { DO(FORK), removal, DO(WRITE, 1) };

		race_run(kinds[k], copied(kinds[k]), pair, 2);
		race_run(kinds[k], copied(kinds[k]), reader, 3);
		race_run(kinds[k], copied(kinds[k]), writer, 3);
	}
}

/* Can fork() copy an entry of a page that has been punched out? */
TEST_RACE(hole_punch_and_fork)
{
	with_fork((struct race_op)DO(PUNCH, 1, 1));
}

TEST_RACE(truncation_and_fork)
{
	with_fork((struct race_op)DO(TRUNCATE, 1));
}

/* A page table that khugepaged has emptied goes away, unless something may be in it. */
TEST_RACE(khugepaged)
{
	static const struct race_op against[] = {
		DO(FORK), DO(GUARD, 2, 2), DO(UNGUARD), DO(MPROTECT_R), DO(DONTNEED, 0, 3),
		DO(MUNMAP), DO(MUNMAP, 2, 2), DO(READ, 2), DO(WRITE, 2), DO(PUNCH, 1, 2),
		DO(TRUNCATE, 2), DO(COLLAPSE),
	};
	static const char *const pages[] = { "........", "wwr.....", "wwr.g...", "wwr.....+" };

	for (unsigned int i = 0; i < ARRAY_SIZE(against); i++)
		for (unsigned int p = 0; p < ARRAY_SIZE(pages); p++)
			for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
				const struct race_op pair[] = { DO(COLLAPSE), against[i] };

				race_run(kinds[k], pages[p], pair, 2);
			}
}

/*
 * A page table whose pages have become one huge page goes away as well: the entries are
 * cleared, and nothing may have come there before it is removed.
 */
TEST_RACE(collapse_of_ptes)
{
	static const struct race_op against[] = {
		DO(FORK), DO(GUARD, 2, 2), DO(GUARD), DO(UNGUARD), DO(MPROTECT_R),
		DO(DONTNEED, 0, 3), DO(MUNMAP), DO(MUNMAP, 2, 2), DO(READ, 2), DO(WRITE, 2),
		DO(MREMAP), DO(LOCK), DO(COLLAPSE_PTES),
	};
	static const char *const pages[] = { "........T", "rrr.....T", "wwr.....T", "wwr.g...T", "rrr.....T+" };

	for (unsigned int i = 0; i < ARRAY_SIZE(against); i++)
		for (unsigned int p = 0; p < ARRAY_SIZE(pages); p++)
			for (int vma = FILE_PRIVATE; vma <= FILE_SHARED; vma++) {
				const struct race_op pair[] = { DO(COLLAPSE_PTES), against[i] };

				race_run(vma, pages[p], pair, 2);
			}
}

/* The same of shared memory, which userfaultfd may poison meanwhile. */
TEST_RACE(collapse_of_poisoned)
{
	static const struct race_op against[] = {
		DO(POISON, 2, 2), DO(POISON, 4, 4), DO(FORK), DO(READ, 2), DO(WRITE, 2),
		DO(DONTNEED, 0, 3), DO(MUNMAP, 2, 2),
	};
	static const char *const pages[] = { "........MT", "wr......MT", "rr......MT+" };

	for (unsigned int i = 0; i < ARRAY_SIZE(against); i++)
		for (unsigned int p = 0; p < ARRAY_SIZE(pages); p++) {
			const struct race_op pair[] = { DO(COLLAPSE_PTES), against[i] };

			race_run(SHARED, pages[p], pair, 2);
		}
}
