// SPDX-License-Identifier: GPL-2.0
/* The build with threads, in short: one preemption, every pair. See sched/. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/test.h"

TEST_IF(every_pair, "the build with threads")
{
	static const char todo[] = "TODO known defect of this tree: ";
	const char *program = getenv("HARNESS_SCHED");
	char command[4096], line[512], known[256] = "";
	FILE *output, *kept = tmpfile();
	int status;

	if (!program)
		test_skip("HARNESS_SCHED= names no build with threads");
	snprintf(command, sizeof(command), "exec '%s' 2>&1", program);
	setenv("DEPTH", "1", 1);
	setenv("PROGRAMS", "30", 0);
	output = popen(command, "r");
	ASSERT(output && kept);
	while (fgets(line, sizeof(line), output)) {
		char *at = strstr(line, todo);

		fputs(line, kept);
		line[strcspn(line, "\n")] = '\0';
		if (at)
			snprintf(known, sizeof(known), "%.250s", at + strlen(todo));
	}
	status = pclose(output);
	if (!EXPECT_EQ(WEXITSTATUS(status), 0) || !EXPECT(WIFEXITED(status))) {
		rewind(kept);
		while (fgets(line, sizeof(line), kept))
			test_say("%.*s", (int)strcspn(line, "\n"), line);
	}
	if (known[0])
		test_end_known("%s", known);
}
