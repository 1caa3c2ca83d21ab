/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the scenarios count, and how they begin.
 */
#ifndef COUNT_H
#define COUNT_H

#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/personality.h>
#include <x86intrin.h>

static bool count_nanoseconds;

/* What the TSC counts, or nanoseconds. */
static inline unsigned long count(void)
{
	struct timespec ts;

	if (!count_nanoseconds)
		return __rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

/*
 * Take what the first argument says to count, "tsc" or "ns", and begin anew
 * without address space randomization: the same addresses each time, the same
 * instructions each time. Return: whether that could be done.
 */
static inline bool count_begin(char **argv)
{
	count_nanoseconds = argv[1] && !strcmp(argv[1], "ns");
	if (personality(0xffffffff) & ADDR_NO_RANDOMIZE)
		return true;
	personality(ADDR_NO_RANDOMIZE);
	execv("/proc/self/exe", argv);
	return false;
}

#endif
