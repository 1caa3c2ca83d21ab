/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations of several threads on one VMA, in every order: see sched.h for how.
 *
 *	TEST_RACE(name)
 *	{
 *		RACE(SHARED, "ww..g...", DO(GUARD, 2, 2), DO(FORK));
 *	}
 *
 * Once all is done each page of parent and child must be as one of the serial
 * orders leaves it, each operation must return what it does in one of them, and
 * VM_MAYBE_GUARD, counters and locks must be right.
 */
#ifndef SCHED_RACE_H
#define SCHED_RACE_H

#include "harness/kernel/tree.h"
#include "harness/sched/file.h"
#include "harness/sched/unmap.h"
#include "harness/sched/sched.h"
#include "harness/test.h"

enum race_vma { PRIVATE, SHARED, FILE_PRIVATE, FILE_SHARED };

enum race_what {
	FORK, GUARD, UNGUARD, MPROTECT_R, MPROTECT_RW, DONTNEED, RANDOM, DONTDUMP, LOCK,
	NAME, WIPE, MUNMAP, READ, WRITE, PUNCH, TRUNCATE, COLLAPSE,
	RECLAIM, MIGRATE, MREMAP, EXIT, PROTECT, UNPROTECT, POISON, SWAPOFF, COLLAPSE_PTES,
	MOVE, NOTHING, NR_RACE_WHAT
};

/* DO(what, from which page, on how many): on all without them. */
struct race_op {
	enum race_what what;
	unsigned char pages[2];
};

#define DO(which, ...)	{ .what = which, .pages = { __VA_ARGS__ } }

#define TEST_RACE(name)							\
	static void race_##name(void);					\
	TEST_IF(name, "what not every tree has")			\
	{								\
		race_##name();						\
		race_end();						\
	}								\
	static void race_##name(void)

/*
 * @pages: what is there before, a character a page: w written, r read, g a guard,
 * p write-protected by userfaultfd, s in swap (private anonymous memory only), . nothing.
 * Behind the last page: + it has a child, | the second half is a VMA of its own,
 * & userfaultfd write-protection is registered, and follows into children (p alone:
 * registered, and does not), M userfaultfd is registered for missing pages, T its pages
 * are one folio of the file.
 */
#define RACE(vma, pages, ...) ({					\
	static const struct race_op __ops[] = { __VA_ARGS__ };		\
									\
	race_run(vma, pages, __ops, ARRAY_SIZE(__ops));			\
})

/** race_run() - all schedules, of what race_has() only. */
void race_run(enum race_vma vma, const char *pages, const struct race_op *ops, int nr);

#define RACE_STEPS	2
/**
 * race_programs() - threads that do RACE_STEPS operations each, in @nr schedules.
 * @ops: of the first thread, then of the second, and so on
 * @seed: of the schedules, and the number that SCHEDULE= names
 *
 * Too many to try all: PCT, of depth 3. Each thread has a priority; at two points drawn
 * beforehand whoever runs becomes the last.
 */
void race_programs(enum race_vma vma, const char *pages, const struct race_op *ops,
		   int threads, unsigned int seed, int nr);

/** race_at_least() - try so many preemptions of the test's races, whatever DEPTH= says. */
void race_at_least(int preemptions);

/** race_end() - after all races of a test: what was known, and how many there were. */
void race_end(void);

/** race_has_guards() - whether the tree has MADV_GUARD_INSTALL. */
bool race_has_guards(void);
/** race_has() - whether the tree, this kind of memory and @pages have the operation. */
bool race_has(const struct race_op *op, enum race_vma vma, const char *pages);

#endif
