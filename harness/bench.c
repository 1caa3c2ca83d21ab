// SPDX-License-Identifier: GPL-2.0
/* How fast it is: checked forks, and checked steps of random programs, a second. */
#include <stdio.h>
#include <time.h>

#include "harness/ops/program.h"
#include "harness/test.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* 8 VMAs of 8 pages each: private, written to; shared; of a file. */
static unsigned int eight_vmas(struct op *ops)
{
	unsigned int nr = 0;

	for (unsigned char i = 0; i < 8; i++) {
		const char *name = i % 4 == 1 ? "mmap_shared" : i % 4 == 3 ? "mmap_file" :
				   "mmap";
		bool read_only = i % 4 == 2;

		ops[nr++] = (struct op){ name, .at = i * 8, .nr = 8, .arg = i % 4 == 3 };
		for (unsigned char page = 0; page < 8; page++)
			ops[nr++] = (struct op){ "write", .at = i * 8 + page };
		if (read_only)
			ops[nr++] = (struct op){ "mprotect", .at = i * 8, .nr = 8, .arg = R };
	}
	return nr;
}

int main(void)
{
	static struct op ops[80];
	long forks = 0, steps = 0, programs = 0;
	double start = now(), seconds;
	unsigned int nr = eight_vmas(ops);

	do {
		program_forks(ops, nr, 1000);
		forks += 1000;
		seconds = now() - start;
	} while (seconds < 2);
	printf("%.0f checked forks a second of 8 VMAs and 64 pages\n", forks / seconds);
	start = now();
	do {
		program_random(ops, 60, ++programs);
		steps += program_run(ops, 60);
		seconds = now() - start;
	} while (seconds < 2);
	printf("%.0f checked steps a second of random programs\n", steps / seconds);
	return test_failures() != 0;
}
