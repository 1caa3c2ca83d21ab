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
#ifdef __x86_64__
#include <x86intrin.h>
#define PAGE		4096UL
#else
#define PAGE		((size_t)sysconf(_SC_PAGESIZE))
#endif

/*
 * What one page table maps, and the size of a huge page, where a page has 4 KiB (on
 * powerpc 64 KiB as well).
 */
#if defined(__s390x__)
#define TABLE		(1024 * 1024UL)
#elif defined(__i386__)
#define TABLE		(4 * 1024 * 1024UL)
#else
#define TABLE		(2 * 1024 * 1024UL)
#endif

static bool count_nanoseconds;

/*
 * What the TSC counts, or nanoseconds. Where there is no TSC the clock does for it:
 * under -icount shift=0 an instruction takes one nanosecond.
 */
static inline unsigned long count(void)
{
	struct timespec ts;

#ifdef __x86_64__
	if (!count_nanoseconds)
		return __rdtsc();
#endif
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
