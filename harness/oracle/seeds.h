/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ORACLE_SEEDS_H
#define ORACLE_SEEDS_H

#include <stdlib.h>
#include <time.h>

#include "harness/test.h"

/*
 * Which seeds: a number of them from 1 on, or with SEEDS_PART=n the nth part of
 * that; with SEED= that one; with FUZZ_SECONDS= as many as there is time for, from
 * SEED= or from the clock.
 */
struct seeds {
	unsigned long long seed, first;
	unsigned long left;
	double start, seconds;
};

/* xorshift64*: the same numbers on every machine. */
static inline unsigned long random_below(unsigned long long *state, unsigned long n)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dULL >> 32) % n;
}

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline struct seeds seeds(unsigned long n)
{
	const char *seed = getenv("SEED"), *seconds = getenv("FUZZ_SECONDS");
	const char *part = getenv("SEEDS_PART");
	struct seeds r = { .seed = 1, .left = n, .start = now() };

	if (part && atoi(part) > 1)
		r.left = n / atoi(part);

	if (seconds)
		r.seconds = atof(seconds);
	if (seed && *seed) {
		char *end;

		r.seed = strtoull(seed, &end, 0);
		if (*end)
			test_fail(__FILE__, __LINE__, "SEED=%s is no number", seed);
		r.left = 1;
	} else if (seconds) {
		r.seed = (unsigned long long)time(NULL) << 32;
	}
	r.first = r.seed--;
	return r;
}

static inline bool next(struct seeds *r)
{
	double took;

	r->seed++;
	if (!r->seconds)
		return r->left--;
	if (r->seed % 64 || now() < r->start + r->seconds)
		return true;
	took = now() - r->start;
	test_say("seeds from %llu on: %llu of them, %.0f a second",
		 (unsigned long long)r->first,
		 (unsigned long long)(r->seed - r->first),
		 (r->seed - r->first) / took);
	return false;
}

#endif
