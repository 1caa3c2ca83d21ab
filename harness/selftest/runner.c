// SPDX-License-Identifier: GPL-2.0
/* Tests that end in every way a test can, for selftest.sh to look at. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/test.h"

TEST(passes)
{
	EXPECT_EQ(2 + 2, 4);
}

TEST(says_both_values)
{
	int pages = 3;

	EXPECT_EQ(pages, 4);
	test_say("and goes on");
	ASSERT(pages == 4);
	test_say("but not from here");
}

TEST(fails_often)
{
	for (int i = 0; i < 1000; i++)
		EXPECT(i < 0);
}

TEST(crashes)
{
	raise(SIGSEGV);
}

TEST(exits)
{
	exit(0);
}

TEST(ends_without_status)
{
	test_say("half a line and no verdict");
	printf("half");
	fflush(stdout);
	_exit(0);
}

TEST(hangs)
{
	for (;;)
		pause();
}

TEST(hangs_with_output_closed)
{
	fclose(stdout);
	fclose(stderr);
	for (;;)
		pause();
}

TEST(skips)
{
	test_skip("because it can");
}

TEST_IF(may_skip, "a thing")
{
	test_skip("no such thing");
}

TEST_IF(skips_after_failure, "a thing")
{
	EXPECT(false);
	test_skip("no such thing");
}

TEST(leaks)
{
	void *volatile lost = malloc(100);

	EXPECT(lost);
	lost = NULL;
}

TEST(overruns)
{
	volatile size_t n = 8;
	char *p = calloc(1, n);

	EXPECT_EQ(p[n], 0);
	free(p);
}

TEST(shifts_too_far)
{
	volatile int n = 77;

	EXPECT_EQ(1 << n, 0);
}

/* A defect is expected where HARNESS_KNOWN says so, as a whole word of it. */
TEST(known)
{
	if (test_known("some-defect"))
		test_end_known("met it");
	EXPECT(0);
}
