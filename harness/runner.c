// SPDX-License-Identifier: GPL-2.0
/*
 * Runs each registered test in a process of its own and says in KTAP how it
 * went. What a test prints goes to the output as lines that start with "# ",
 * before its result; a test that passes had better print nothing. With -s a skip
 * is a failure, and so is a known defect; with -x the first failure is the last test.
 */
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

enum verdict { CRASHED, PASSED, FAILED, SKIPPED, KNOWN };

/* What a test's process tells the runner; CRASHED until it says otherwise. */
static struct report {
	enum verdict verdict;
	int failures;
	char reason[256];
} *report;

static struct test *tests;
static struct test *current;

static const char *test_id(const struct test *test)
{
	static char id[256];
	const char *base = strrchr(test->file, '/');

	base = base ? base + 1 : test->file;
	snprintf(id, sizeof(id), "%.*s.%s", (int)strcspn(base, "."), base,
		 test->name);
	return id;
}

/* By file, then by line, whatever the order in which they were linked. */
void test_register(struct test *test)
{
	struct test **p = &tests;

	while (*p && (strcmp((*p)->file, test->file) < 0 ||
		      (!strcmp((*p)->file, test->file) &&
		       (*p)->line < test->line)))
		p = &(*p)->next;
	test->next = *p;
	*p = test;
}

void test_end(void)
{
	report->verdict = report->failures ? FAILED : PASSED;
	exit(0);
}

void test_skip(const char *fmt, ...)
{
	va_list args;

	if (!current->needs)
		test_fail(current->file, current->line,
			  "skips, but is no TEST_IF()");
	if (report->failures)
		test_end();
	va_start(args, fmt);
	vsnprintf(report->reason, sizeof(report->reason), fmt, args);
	va_end(args);
	report->verdict = SKIPPED;
	exit(0);
}

void test_end_known(const char *fmt, ...)
{
	va_list args;

	if (report->failures)
		test_end();
	va_start(args, fmt);
	vsnprintf(report->reason, sizeof(report->reason), fmt, args);
	va_end(args);
	report->verdict = KNOWN;
	exit(0);
}

static void run_here(struct test *test, int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	close(out);
	setvbuf(stdout, NULL, _IOLBF, 0);
	current = test;
	test->run();
	test_end();
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Print what arrives, "# " before each line; false if the time is over. */
static bool relay(int in, long deadline)
{
	bool line_start = true;
	char buf[4096];

	for (;;) {
		struct pollfd p = { .fd = in, .events = POLLIN };
		long left = deadline - now_ms();
		ssize_t n;

		if (left <= 0 || !poll(&p, 1, left))
			return false;
		n = read(in, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++) {
			if (line_start)
				fputs("# ", stdout);
			putchar(buf[i]);
			line_start = buf[i] == '\n';
		}
	}
	if (!line_start)
		putchar('\n');
	return true;
}

static enum verdict run(struct test *test, int seconds)
{
	int fds[2], status = 0;
	bool in_time;
	pid_t pid;

	memset(report, 0, sizeof(*report));
	fflush(stdout);
	if (pipe(fds))
		goto broken;
	pid = fork();
	if (pid < 0)
		goto broken;
	if (!pid) {
		close(fds[0]);
		run_here(test, fds[1]);
	}
	setpgid(pid, pid);
	close(fds[1]);
	in_time = relay(fds[0], now_ms() + seconds * 1000L);
	close(fds[0]);
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);

	if (!in_time)
		printf("\n# timed out after %d s\n", seconds);
	else if (WIFSIGNALED(status))
		printf("# killed by signal %d, %s\n", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	else if (report->verdict == CRASHED)
		printf("# ended with status %d before its verdict\n",
		       WEXITSTATUS(status));
	else if (status)
		printf("# status %d after the test: a sanitizer's report\n",
		       WEXITSTATUS(status));
	else if (report->failures > TEST_MAX_FAILURES)
		printf("# and %d more\n", report->failures - TEST_MAX_FAILURES);
	if (!in_time || status || report->verdict == CRASHED)
		return FAILED;
	return report->verdict;

broken:
	printf("# %s\n", strerror(errno));
	return FAILED;
}

static bool wanted(const struct test *test, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, test_id(test), 0))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const char *again = getenv("HARNESS_AGAIN");
	int count[KNOWN + 1] = { 0 };
	int seconds = 60, opt, n = 0;
	bool list = false, strict = false, first = false;
	struct test *test;

	while ((opt = getopt(argc, argv, "lsxt:")) != -1) {
		if (opt == 't' && atoi(optarg) > 0) {
			seconds = atoi(optarg);
		} else if (opt == 'l') {
			list = true;
		} else if (opt == 's') {
			strict = true;
		} else if (opt == 'x') {
			first = true;
		} else {
			fprintf(stderr, "usage: %s [-l] [-s] [-x] [-t seconds] [name...]\n",
				argv[0]);
			return 2;
		}
	}
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	test_count_in(&report->failures);
	for (test = tests; test; test = test->next)
		n += wanted(test, argv + optind);
	if (!list)
		printf("KTAP version 1\n1..%d\n", n);
	n = 0;
	for (test = tests; test; test = test->next) {
		enum verdict verdict;

		if (!wanted(test, argv + optind))
			continue;
		if (list) {
			puts(test_id(test));
			continue;
		}
		verdict = run(test, seconds);
		if (verdict >= SKIPPED && strict) {
			printf("# skips, which -s forbids: %s\n",
			       report->reason);
			verdict = FAILED;
		}
		count[verdict]++;
		if (verdict == FAILED && again)
			printf("# again: %s ONE=%s\n", again, test_id(test));
		else if (verdict == FAILED)
			printf("# again: %s %s\n", argv[0], test_id(test));
		printf("%s %d - %s", verdict == FAILED || verdict == KNOWN ? "not ok" : "ok", ++n,
		       test_id(test));
		if (verdict == SKIPPED)
			printf(" # SKIP %s", report->reason);
		if (verdict == KNOWN)
			printf(" # TODO known defect of this tree: %s", report->reason);
		putchar('\n');
		if (verdict == FAILED && first)
			break;
	}
	if (list)
		return 0;
	if (!n)
		printf("# no test has such a name, and no test is no success\n");
	printf("%d passed, %d failed, %d skipped\n", count[PASSED],
	       count[FAILED], count[SKIPPED] + count[KNOWN]);
	return count[FAILED] || !n ? 1 : 0;
}
