// SPDX-License-Identifier: GPL-2.0
/* A program that fails, made as small as it can be. */
#include <sys/wait.h>
#include <unistd.h>

#include "harness/ops/program.h"
#include "harness/oracle/program.h"
#include "harness/test.h"

/* In a process of its own, for it may crash; what it says is not of interest. */
static bool fails(const struct op *ops, unsigned int nr)
{
	int status, before = test_failures();
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(0);
		test_detach();
		alarm(10);
		program_run(ops, nr);
		_exit(test_failures() != before);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status;
}

unsigned int program_shrink(struct op *ops, unsigned int nr)
{
	struct op *less = malloc(nr * sizeof(*less));
	bool shorter;

	if (!less)
		abort();
	do {
		shorter = false;
		for (unsigned int part = (nr + 1) / 2; part; part /= 2)
			for (unsigned int from = 0; from + part <= nr; ) {
				memcpy(less, ops, from * sizeof(*ops));
				memcpy(less + from, ops + from + part,
				       (nr - from - part) * sizeof(*ops));
				if (!fails(less, nr - part)) {
					from += part;
					continue;
				}
				nr -= part;
				memcpy(ops, less, nr * sizeof(*ops));
				shorter = true;
			}
	} while (shorter);
	/* Then the numbers, each as small as it may be. */
	for (unsigned int i = 0; i < nr; i++) {
		unsigned char * const number[] = { &ops[i].who, &ops[i].arg, &ops[i].nr,
						    &ops[i].fail, &ops[i].aim };

		ops[i].who %= NR_PROCESSES;
		for (int n = 0; n < 5; n++) {
			unsigned char was = *number[n];

			for (unsigned char to = 0; to < was && to < 24; to++) {
				*number[n] = to;
				if (fails(ops, nr))
					break;
				*number[n] = was;
			}
		}
	}
	free(less);
	return nr;
}
