/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads, locks that block, and who runs next.
 *
 * A thread is a coroutine with a stack, a current task, held locks and RCU depth
 * of its own. It gives up the processor at a point: before each lock operation,
 * atomic, marked access, PTE access and allocation, after each release, in
 * cond_resched(). Who goes on there, the chooser says; so a run can be repeated.
 *
 * Only in the build with SHIM_SCHED: the others have no points.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "harness/sched/access.h"

enum sched_kind {
	SCHED_LOCK, SCHED_READ_LOCK, SCHED_UNLOCK, SCHED_ATOMIC, SCHED_READ,
	SCHED_WRITE, SCHED_PTE, SCHED_ALLOC, SCHED_RESCHED, SCHED_RCU, SCHED_STEP,
	SCHED_LOAD, SCHED_STORE,	/* plain ones: see access.h */
};

#ifndef SHIM_SCHED
#define sched_point(object, kind)	do { } while (0)
#define sched_touch(object, write)	do { } while (0)
#define sched_allocated(object)		do { } while (0)
#define sched_freed(object)		do { } while (0)
#else

extern bool sched_running;		/* threads run, and not only the test */
/* A number: nothing is read there. */
void sched_point_slow(unsigned long object, enum sched_kind kind);

/*
 * What is done between two points: which objects are read or written, and what is
 * freed that was there before. Two threads' stretches without a common object, or with
 * one that both only read, can be swapped, and nobody will know.
 */
struct sched_access {
	unsigned int object;		/* a hash */
	bool write;
};

struct sched_stretch {
	signed char thread;
	bool frees;
	int decision;			/* of the chooser, at the point before it; or -1 */
	int first;			/* of its accesses */
};

#ifdef SHIM_ACCESS
#define SCHED_STRETCHES	(1 << 17)
#else
#define SCHED_STRETCHES	8192
#endif
#define SCHED_ACCESSES	(2 * SCHED_STRETCHES)
extern struct sched_stretch sched_stretches[];
extern struct sched_access sched_accesses[];
extern int sched_nr_stretches, sched_nr_accesses;

void sched_touch_slow(unsigned long object, bool write);
/* Something is read or written where no other thread may go on. */
#define sched_touch(object, write) do {					\
	if (sched_running)						\
		sched_touch_slow((unsigned long)(object), write);	\
} while (0)
void sched_allocated(const void *object);
void sched_freed(const void *object);

/* Where another thread may go on. */
#define sched_point(object, kind) do {					\
	if (sched_running)						\
		sched_point_slow((unsigned long)(object), kind);	\
} while (0)

#define SCHED_THREADS	3

/** sched_thread() - who runs; SCHED_THREADS: the test itself. */
int sched_thread(void);
/** sched_on_stack() - whether it is on the stack of whoever runs. */
bool sched_on_stack(const void *at);

struct sched_thread_spec {
	void (*run)(void *arg);
	void *arg;
	struct mm_struct *mm;		/* current->mm */
};

/**
 * sched_choose_fn - who goes on
 * @self: who is at a point, or -1 where it cannot go on
 * @ready: bits of those who can
 *
 * It may set sched_decision to what it wants to find with the stretch that follows.
 */
typedef int sched_choose_fn(int self, unsigned int ready);
extern int sched_decision;

/**
 * sched_run() - run threads to their end.
 *
 * Return: false where they wait for each other; a failure says who for whom.
 */
bool sched_run(const struct sched_thread_spec *spec, int nr, sched_choose_fn *choose);

/* What a schedule is: who runs, and after how many points it is preempted. */
struct sched_slice {
	signed char thread;
	int points;			/* -1: until it ends or must wait */
};

#define SCHED_SLICES	64
extern struct sched_slice sched_slices[];
extern int sched_nr_slices;
extern long sched_nr_points;		/* of all runs */
void sched_print_slices(char *to, size_t size);

/* Each step of a run, for people. */
extern bool sched_recording;
void sched_draw(const char *const *names, int nr);
extern const char *(*sched_name_of)(const void *object);

/* Locks, as the models ask for them. */
bool sched_holds(const void *lock);
bool sched_holds_write(const void *lock);
/* Which time it is that this thread holds it; UINT_MAX: it does not. */
unsigned int sched_sequence(const void *lock);
/* VMAs that are read or written under their locks; NULL: none any more. */
void sched_owns(const void *object, bool write);
void sched_disowns(const void *object);
void sched_took(const void *lock, bool write);
void sched_gave(const void *lock);
void sched_block(const void *object);
void sched_wake(const void *object);
void sched_rcu_lock(void);
void sched_rcu_unlock(void);
unsigned long sched_clock(void);
bool sched_grace_period_over(unsigned long since);
void shim_rcu_poll(void);
void sched_free_after_readers(void *object);

#endif
#endif
