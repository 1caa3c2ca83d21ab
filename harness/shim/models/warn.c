// SPDX-License-Identifier: GPL-2.0
/* A WARN of the kernel fails the test in which it is given. */
#include <string.h>

#include "vma_internal.h"
#include "harness/test.h"

const char *shim_warn_known;
int shim_warns_met;

void shim_warn(const char *file, int line, const char *condition)
{
	if (shim_warn_known && strstr(condition, shim_warn_known)) {
		shim_warns_met++;
		return;
	}
	test_fail(file, line, "WARN_ON(%s)", condition);
}
