// SPDX-License-Identifier: GPL-2.0
/* A program as C, for tests/. */
#include "harness/ops/op.h"

void program_print(const struct op *ops, unsigned int nr, const char *name)
{
	test_say("TEST(%s)\n{\n\tstatic const struct op program[] = {", name);
	for (unsigned int i = 0; i < nr; i++) {
		char more[40] = "";

		if (ops[i].fail)
			snprintf(more, sizeof(more), ", .fail = %d", ops[i].fail);
		if (ops[i].aim)
			snprintf(more + strlen(more), sizeof(more) - strlen(more), ", .aim = %d",
				 ops[i].aim);
		test_say("\t\t{ \"%s\", .who = %d, .at = %d, .nr = %d, .arg = %d%s },",
			 ops[i].name, ops[i].who, ops[i].at, ops[i].nr, ops[i].arg, more);
	}
	test_say("\t};\n\n\tprogram_run(program, ARRAY_SIZE(program));\n}");
}
