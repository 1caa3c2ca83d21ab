/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs of boot/world say: a plan, a result a test, figures. */
#ifndef KTAP_H
#define KTAP_H

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#define MADV_GUARD_REMOVE	103
#endif

static int ktap_nr, ktap_failed;

static inline void plan(int n)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%d\n", n);
	fflush(stdout);
}

/* @fmt says what was measured, and stands behind a # */
__attribute__((format(printf, 3, 4)))
static inline bool result(bool ok, const char *name, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d %s # ", ok ? "" : "not ", ++ktap_nr, name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	ktap_failed += !ok;
	return ok;
}

static inline void skip(const char *name, const char *why)
{
	printf("ok %d %s # SKIP %s\n", ++ktap_nr, name, why);
	fflush(stdout);
}

static inline int finish(void)
{
	return ktap_failed ? 1 : 0;
}

/* A test cannot go on. */
__attribute__((noreturn))
static inline void give_up(const char *what)
{
	printf("# %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

/* What the guest's clock counts: instructions, where QEMU has -icount. */
static inline unsigned long long ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Can the byte at @addr be read? The kernel says so, and nobody dies. */
static inline bool readable(const void *addr)
{
	static int fds[2];
	static pid_t owner;
	char c;

	/* A child that is forked while another thread writes has its own. */
	if (owner != getpid()) {
		if (pipe(fds))
			give_up("pipe");
		owner = getpid();
	}
	if (write(fds[1], addr, 1) != 1)
		return false;
	return read(fds[0], &c, 1) == 1;
}

/* Does this kernel have guard regions, as far as madvise() says? */
static inline bool has_guards(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool has;

	if (p == MAP_FAILED)
		give_up("mmap");
	has = !madvise(p, page, MADV_GUARD_INSTALL);
	munmap(p, page);
	return has;
}

/* The exit status of a child, 128 and the signal where it died of one. */
static inline int ended(pid_t pid)
{
	int status;

	if (pid < 0)
		give_up("fork");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			give_up("waitpid");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
