/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Plain accesses of the kernel's code: points where another thread may go on, and what
 * may race. Only in the build with SHIM_ACCESS, which has the files of the kernel
 * compiled as for KCSAN, with the calls of -fsanitize=thread; they end in access.c.
 *
 * Two plain accesses of the same bytes race if one of them writes, another thread did
 * the other, and nothing orders them: no lock, atomic, or marked access of the same
 * object. A marked write is taken for a release, a marked read for an acquire; so a
 * barrier that is missing is not found.
 */
#ifndef SCHED_ACCESS_H
#define SCHED_ACCESS_H

/* Accesses are not looked at while it is not 0: callbacks of RCU, data_race(). */
extern int access_ignored;

#ifdef SHIM_ACCESS
#include <stddef.h>

/* Macros of models: one access, that is no plain one. */
#define shim_marked(x)		(*(volatile typeof(x) *)&(x))
/* Its inline functions: nobody looks at their accesses. */
#define __no_kcsan		__attribute__((no_sanitize("thread"), unused))
#define SHIM_INLINE		__no_kcsan

/** access_begin() - a schedule begins: nothing has been accessed. */
void access_begin(void);

/**
 * access_acquire(), access_release() - what orders threads.
 * @object: a lock, or what is marked, or atomic
 * @write: whether it excludes, or is ordered with, those who only read
 */
void access_acquire(unsigned long object, bool write);
void access_release(unsigned long object, bool write);

/* Memory that nobody has seen, or that nobody may look at any more. */
void access_allocated(const void *object, size_t size);
void access_freed(const void *object, size_t size);

/**
 * access_report() - say which accesses have raced since the last time.
 *
 * Each pair of places is said once. Whoever has no place in the kernel's sources, but
 * in a model, is left out.
 *
 * Return: how many pairs are not in data_races.h.
 */
int access_report(void);

#define data_race(x) ({							\
	access_ignored++;						\
	barrier();							\
	__auto_type __racy = (x);					\
	barrier();							\
	access_ignored--;						\
	__racy;								\
})
#else
#define __no_kcsan
#define SHIM_INLINE		inline
#define shim_marked(x)		(x)
#define access_begin()		do { } while (0)
#define access_acquire(...)	do { } while (0)
#define access_release(...)	do { } while (0)
#define access_allocated(...)	do { } while (0)
#define access_freed(...)	do { } while (0)
#define access_report()		0
#define data_race(x)		(x)
#endif

#endif
