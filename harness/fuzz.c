// SPDX-License-Identifier: GPL-2.0
/* Programs as libFuzzer makes them up: seven bytes a step. */
#include "harness/ops/program.h"
#include "harness/test.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct op ops[100];
	unsigned int nr = 0;

	for (; size >= 7 && nr < ARRAY_SIZE(ops); data += 7, size -= 7) {
		struct op op = program_op(data[0]);

		op.who = data[1];
		op.at = data[2];
		op.nr = data[3];
		op.arg = data[4];
		op.fail = data[5];
		op.aim = data[6] % 3;
		ops[nr++] = op;
	}
	program_run(ops, nr);
	if (!test_failures())
		return 0;
	nr = program_shrink(ops, nr);
	program_print(ops, nr, "found_by_libfuzzer");
	fflush(stdout);
	abort();
}
