// SPDX-License-Identifier: GPL-2.0
/*
 * Programs: fork() as a whole, from dup_mmap() on, among all that a process may
 * do to its address space. Those here are random; one that fails is shrunk and
 * printed as a test, which can be pasted below.
 */
#include "harness/judge/program.h"
#include "harness/judge/seeds.h"
#include "harness/test.h"

#define NR_STEPS	60

/* Where a tree has a known defect it is made good and counted, and that is said. */
TEST(random_programs)
{
	static struct op ops[NR_STEPS];
	struct seeds r = seeds(3000);
	unsigned int nr = NR_STEPS;
	long steps = 0;
	char name[32];

	while (next(&r)) {
		program_random(ops, nr, r.seed);
		steps += program_run(ops, nr);
		if (!test_failures())
			continue;
		test_say("seed %llu: SEED=%llu runs it alone; with the fewest steps:",
			 (unsigned long long)r.seed, (unsigned long long)r.seed);
		nr = program_shrink(ops, nr);
		snprintf(name, sizeof(name), "seed_%llu", (unsigned long long)r.seed);
		program_print(ops, nr, name);
		return;
	}
	if (program_known)
		test_end_known("naming lost a sticky flag %ld times in %ld steps, no other finding",
			       program_known, steps);
}
