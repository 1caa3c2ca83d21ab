// SPDX-License-Identifier: GPL-2.0
/* A WARN of the kernel fails the test in which it is given. */
#include "vma_internal.h"
#include "harness/test.h"

void shim_warn(const char *file, int line, const char *condition)
{
	test_fail(file, line, "WARN_ON(%s)", condition);
}
