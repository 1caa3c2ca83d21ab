// SPDX-License-Identifier: GPL-2.0
/* The locks of a VMA: what goes wrong there takes several turns of each thread. */
#include "harness/sched/race.h"

TEST_RACE(reader_and_munmap)
{
	race_at_least(3);
	RACE(PRIVATE, "w.......", DO(READ, 0), DO(MUNMAP));
}
