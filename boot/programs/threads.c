// SPDX-License-Identifier: GPL-2.0
/*
 * Threads of glibc, whose stacks end in guard regions since 2.42 where the kernel
 * has them, and in PROT_NONE mappings where it has not. Either way:
 *
 *      ... [guard| stack of T0 ][guard| stack of T1 ] ...
 *
 * each guard faults and each stack can be read: in the parent, in its child, in
 * its grandchild, whoever forks, and when a stack is used again with another
 * guard. Only the number of VMAs may differ: one for all stacks, or two a stack.
 */
#define _GNU_SOURCE
#include "ktap.h"
#include <gnu/libc-version.h>
#include <pthread.h>
#include <stdatomic.h>

#define THREADS		200
#define STACK		(256 << 10)
#define CHURN		150

struct thread {
	pthread_t id;
	unsigned char *stack;		/* lowest byte above the guard */
	size_t guard;			/* bytes */
	unsigned char *mark;		/* a byte of the stack, MARK(i) */
	int nr;
	int overflow;			/* how many fork() before it overflows */
};

#define MARK(i)		((unsigned char)(0x40 + (i) % 150))

static struct thread threads[THREADS];
static pthread_barrier_t begun;
static pthread_mutex_t parked = PTHREAD_MUTEX_INITIALIZER;
static size_t page;

static int vmas(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	int c, n = 0;

	if (!f)
		give_up("/proc/self/maps");
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static void look_at_self(struct thread *t)
{
	pthread_attr_t attr;
	void *stack;
	size_t size;

	if (pthread_getattr_np(pthread_self(), &attr) ||
	    pthread_attr_getstack(&attr, &stack, &size) ||
	    pthread_attr_getguardsize(&attr, &t->guard))
		give_up("pthread_getattr_np");
	pthread_attr_destroy(&attr);
	t->stack = stack;
}

static void *park(void *arg)
{
	struct thread *t = arg;
	unsigned char mark = MARK(t->nr);

	look_at_self(t);
	t->mark = &mark;
	pthread_barrier_wait(&begun);
	pthread_mutex_lock(&parked);
	pthread_mutex_unlock(&parked);
	return NULL;
}

static void *wait_for_cancel(void *arg)
{
	look_at_self(arg);
	pthread_barrier_wait(&begun);
	pause();
	return NULL;
}

static void start(struct thread *t, void *(*fn)(void *), size_t guard)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, STACK) ||
	    pthread_attr_setguardsize(&attr, guard))
		give_up("pthread_attr");
	errno = pthread_create(&t->id, &attr, fn, t);
	if (errno)
		give_up("pthread_create");
	pthread_attr_destroy(&attr);
}

/* @n threads that wait until let_go(); their guards are of @guard bytes */
static void start_parked(int n, size_t guard)
{
	pthread_barrier_init(&begun, NULL, n + 1);
	pthread_mutex_lock(&parked);
	for (int i = 0; i < n; i++) {
		threads[i].nr = i;
		start(&threads[i], park, guard);
	}
	pthread_barrier_wait(&begun);
}

static void let_go(int n)
{
	pthread_mutex_unlock(&parked);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i].id, NULL);
	pthread_barrier_destroy(&begun);
}

/* How many pages of guards and stacks are not what they must be? */
static int wrong(int n, size_t guard)
{
	int bad = 0;

	for (int i = 0; i < n; i++) {
		struct thread *t = &threads[i];

		bad += t->guard != guard;
		for (size_t at = page; at <= t->guard; at += page)
			bad += readable(t->stack - at);
		bad += !readable(t->stack) || *t->mark != MARK(i);
	}
	return bad;
}

/* The same in a child that is @depth generations from here. */
static int wrong_below(int depth, int n, size_t guard)
{
	pid_t pid;

	if (!depth)
		return wrong(n, guard);
	pid = fork();
	if (!pid)
		_exit(wrong_below(depth - 1, n, guard) ? 1 : 0);
	return ended(pid);
}

static void check_parked(const char *what, int n, size_t guard)
{
	static const char * const who[] = { "parent", "child", "grandchild" };
	char name[128];

	for (int depth = 0; depth < 3; depth++) {
		int bad = wrong_below(depth, n, guard);

		snprintf(name, sizeof(name), "%s, %s", what, who[depth]);
		result(!bad, name, "%d wrong", bad);
	}
}

static struct thread *overflowing;

/* 42: the fault is where the guard is, right below the stack. */
static void overflowed(int sig, siginfo_t *info, void *context)
{
	unsigned char *at = info->si_addr;

	_exit(at < overflowing->stack &&
	      at >= overflowing->stack - overflowing->guard ? 42 : 43);
}

__attribute__((noinline))
static int recurse(int depth)
{
	char frame[1024];

	/* The frame has to be there, and to be written to. */
	frame[0] = depth;
	__asm__ volatile("" : : "r"(frame) : "memory");
	if (depth < 0)
		return 0;
	return recurse(depth + 1) + frame[0];
}

static void *overflow(void *arg)
{
	struct thread *t = arg;
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK,
				.sa_sigaction = overflowed };
	stack_t stack = { .ss_size = 64 << 10, .ss_sp = malloc(64 << 10) };
	int depth;

	look_at_self(t);
	for (depth = 0; depth < t->overflow; depth++) {
		pid_t pid = fork();

		if (pid)
			_exit(ended(pid));
	}
	overflowing = t;
	if (!stack.ss_sp || sigaltstack(&stack, NULL) ||
	    sigaction(SIGSEGV, &sa, NULL))
		_exit(44);
	recurse(0);
	_exit(45);
}

/* A thread overflows its stack, @forks generations below the one that has it. */
static int overflow_after(int forks)
{
	pid_t pid = fork();

	if (!pid) {
		struct thread t = { .overflow = forks };

		start(&t, overflow, page);
		pthread_join(t.id, NULL);
		_exit(46);
	}
	return ended(pid);
}

/* What a thread that forks finds wrong in its child, of all stacks. */
static void *fork_and_check(void *arg)
{
	int *bad = arg;
	pid_t pid = fork();

	if (!pid)
		_exit(wrong(THREADS, page) ? 1 : 0);
	*bad = ended(pid);
	return NULL;
}

static atomic_int churn_bad;

/* Stacks come and go while others fork: each child has its own stack's guard. */
static void *churn_one(void *arg)
{
	struct thread *t = arg;
	pid_t pid;

	look_at_self(t);
	if (t->nr % 2)
		return NULL;
	pid = fork();
	if (!pid)
		_exit(!t->guard || !readable(t->stack) ||
		      readable(t->stack - 1) || readable(t->stack - t->guard));
	if (ended(pid))
		churn_bad++;
	return NULL;
}

static void *churn(void *arg)
{
	for (int i = 0; i < CHURN; i++) {
		struct thread t = { .nr = i };

		/* Another guard each time, on stacks that glibc keeps. */
		start(&t, churn_one, page * (1 + i % 5));
		pthread_join(t.id, NULL);
	}
	return NULL;
}

int main(void)
{
	static const char * const who[] = { "parent", "child", "grandchild" };
	static const int sizes[] = { 16, 1, 0, 4, 1 };
	int before, more, bad[4] = {}, canceled = 0, i;
	bool guards = has_guards() && strverscmp(gnu_get_libc_version(), "2.42") >= 0;
	pthread_t forkers[4];
	char name[128];
	void *is;

	page = sysconf(_SC_PAGESIZE);
	plan(34);
	before = vmas();

	/* Cancelled threads leave their stacks to those that come next. */
	pthread_barrier_init(&begun, NULL, 101);
	for (i = 0; i < 100; i++)
		start(&threads[i], wait_for_cancel, page);
	pthread_barrier_wait(&begun);
	for (i = 0; i < 100; i++)
		pthread_cancel(threads[i].id);
	for (i = 0; i < 100; i++)
		canceled += !pthread_join(threads[i].id, &is) &&
			    is == PTHREAD_CANCELED;
	result(canceled == 100, "100 threads cancelled", "%d", canceled);

	/* The first of these use those stacks again. */
	start_parked(THREADS, page);
	more = vmas() - before;
	printf("# figure: VMAs more for %d threads: %d\n", THREADS, more);
	/* Two of each stack where there are no guard regions; malloc() has some, too. */
	result(guards ? more < THREADS / 2 : more >= 2 * THREADS, "VMAs of 200 threads",
	       "%d more, glibc %s, guard regions in use: %s", more,
	       gnu_get_libc_version(), guards ? "yes" : "no");
	check_parked("200 threads", THREADS, page);
	for (i = 0; i < 4; i++)
		pthread_create(&forkers[i], NULL, fork_and_check, &bad[i]);
	for (i = 0; i < 4; i++)
		pthread_join(forkers[i], NULL);
	result(!bad[0] && !bad[1] && !bad[2] && !bad[3],
	       "forked by four threads at once", "%d %d %d %d",
	       bad[0], bad[1], bad[2], bad[3]);
	i = mlockall(MCL_CURRENT);
	result(!i, "mlockall() while they are there", "%d", i);
	check_parked("200 threads, mlockall() after", THREADS, page);
	munlockall();
	let_go(THREADS);

	/* Cached stacks again, with guards of other sizes. */
	for (i = 0; i < 5; i++) {
		start_parked(20, sizes[i] * page);
		snprintf(name, sizeof(name), "stacks used again, guard %d (%d)",
			 sizes[i], i + 1);
		check_parked(name, 20, sizes[i] * page);
		let_go(20);
	}

	for (i = 0; i < 3; i++) {
		int status = overflow_after(i);

		snprintf(name, sizeof(name), "overflow in the %s", who[i]);
		result(status == 42, name, "exit %d, SIGSEGV in the guard is 42",
		       status);
	}

	/*
	 * In locked memory the kernel refuses guard regions, and glibc takes
	 * mprotect(). Huge stacks would all be populated: these are small.
	 */
	i = mlockall(MCL_CURRENT | MCL_FUTURE);
	result(!i, "mlockall() before", "%d", i);
	start_parked(50, page);
	check_parked("mlockall() before, 50 threads", 50, page);
	let_go(50);
	i = overflow_after(0);
	result(i == 42, "mlockall() before, overflow", "exit %d", i);
	munlockall();

	for (i = 0; i < 4; i++)
		pthread_create(&forkers[i], NULL, churn, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(forkers[i], NULL);
	result(!churn_bad, "stacks come and go in four threads, 300 forks", "%d wrong",
	       churn_bad);
	return finish();
}
