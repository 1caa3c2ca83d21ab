// SPDX-License-Identifier: GPL-2.0
/* What a test says and how often it fails, with and without a runner. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "test.h"

static int own;
static int *failures = &own;

void test_count_in(int *count)
{
	failures = count;
}

void test_detach(void)
{
	own = *failures;
	failures = &own;
}

void *test_shared(size_t size)
{
	void *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);

	if (m == MAP_FAILED)
		abort();
	return m;
}

void test_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	if ((*failures)++ >= TEST_MAX_FAILURES)
		return;
	printf("%s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

int test_failures(void)
{
	return *failures;
}

bool test_known(const char *defect)
{
	const char *known = getenv("HARNESS_KNOWN"), *at = known;
	size_t len = strlen(defect);

	while (at && (at = strstr(at, defect))) {
		if ((at == known || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
		at += len;
	}
	return false;
}
