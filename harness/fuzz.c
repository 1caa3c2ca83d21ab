// SPDX-License-Identifier: GPL-2.0
/* Programs as libFuzzer makes them up: five bytes a step. */
#include "harness/judge/program.h"
#include "harness/test.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct op ops[100];
	unsigned int nr = 0;

	for (; size >= 5 && nr < ARRAY_SIZE(ops); data += 5, size -= 5)
		ops[nr++] = (struct op){ data[0] % NR_WHAT, data[1], data[2],
					 data[3], data[4] };
	program_run(ops, nr);
	if (!test_failures())
		return 0;
	nr = program_shrink(ops, nr);
	program_print(ops, nr, "found_by_libfuzzer");
	fflush(stdout);
	abort();
}
