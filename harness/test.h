/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test is a function that registers itself:
 *
 *	TEST(name)
 *	{
 *		EXPECT_EQ(page_tables(child), 0);
 *	}
 *
 * It runs in a process of its own and is called file.name in the output, after
 * the source file that it stands in. It must return: a crash, a timeout, a leak,
 * a sanitizer's report, a WARN of the kernel or an exit() of its own is a
 * failure, and so is a skip in a test that is not a TEST_IF().
 */
#ifndef HARNESS_TEST_H
#define HARNESS_TEST_H

#include <stdbool.h>
#include <stddef.h>

#ifndef __printf
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#endif
#ifndef __noreturn
#define __noreturn	__attribute__((noreturn))
#endif

struct test {
	const char *file;
	const char *name;
	const char *needs;	/* what a tree may lack: TEST_IF() */
	int line;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);

/* What one test may say of failures: the rest says the same again. */
#define TEST_MAX_FAILURES	20

/**
 * test_fail() - note a failure; the test goes on.
 * @file: where, with @line
 * @line: see @file
 * @fmt: what was found and what was expected, as for printf()
 */
void __printf(3, 4)
test_fail(const char *file, int line, const char *fmt, ...);

/** test_skip() - end this TEST_IF(): the tree lacks what it is about. */
void __noreturn __printf(1, 2) test_skip(const char *fmt, ...);

/**
 * test_known() - whether the tree is known to have a defect: see known.list.
 * @defect: its name there
 */
bool test_known(const char *defect);

/** test_end_known() - end this test: it met the defect, and nothing else. */
void __noreturn __printf(1, 2) test_end_known(const char *fmt, ...);

/** test_count_in() - where failures are counted: a runner's memory. */
void test_count_in(int *count);

/** test_detach() - what fails from now on in this process is not reported. */
void test_detach(void);

/** test_shared() - @size bytes of zeros that this process shares with its children. */
void *test_shared(size_t size);

/** test_end() - end this test now, with the verdict it has so far. */
void __noreturn test_end(void);

/** test_failures() - how many this test has noted so far. */
int test_failures(void);

/** test_say() - a line of the test's output. */
void __printf(1, 2) test_say(const char *fmt, ...);

#define __TEST(fn, what)						\
	static void fn(void);						\
	static void __attribute__((constructor)) register_##fn(void)	\
	{								\
		static struct test test = {				\
			.file = __FILE__, .line = __LINE__,		\
			.name = #fn, .needs = what, .run = fn,		\
		};							\
									\
		test_register(&test);					\
	}								\
	static void fn(void)

#define TEST(fn)		__TEST(fn, NULL)
/* A test of something that not every tree has: it may skip, with its reason. */
#define TEST_IF(fn, what)	__TEST(fn, what)

#define EXPECT(condition) ({						\
	bool __holds = (condition);					\
									\
	if (!__holds)							\
		test_fail(__FILE__, __LINE__, "%s: false", #condition);	\
	__holds;							\
})

#define EXPECT_EQ(found, expected) ({					\
	__auto_type __found = (found);					\
	__auto_type __expected = (expected);				\
	bool __same = __found == __expected;				\
									\
	if (!__same)							\
		test_fail(__FILE__, __LINE__,				\
			  "%s: %lld (%#llx), expected %s: %lld (%#llx)",	\
			  #found, (long long)__found,			\
			  (unsigned long long)__found, #expected,	\
			  (long long)__expected,			\
			  (unsigned long long)__expected);		\
	__same;								\
})

#define ASSERT(condition) do { if (!EXPECT(condition)) test_end(); } while (0)
#define ASSERT_EQ(a, b)	do { if (!EXPECT_EQ(a, b)) test_end(); } while (0)

#endif
