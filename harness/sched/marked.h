/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marked accesses and atomics, each a point where another thread may go on. There is
 * one processor: the call is all the barrier that the compiler needs.
 */
#ifndef SCHED_MARKED_H
#define SCHED_MARKED_H

#include "harness/sched/sched.h"

#pragma push_macro("inline")
#define inline	SHIM_INLINE

#undef READ_ONCE
#define READ_ONCE(x) ({							\
	sched_point(&(x), SCHED_READ);					\
	shim_marked(x);							\
})
#undef WRITE_ONCE
#define WRITE_ONCE(x, value) do {					\
	sched_point(&(x), SCHED_WRITE);					\
	shim_marked(x) = (value);					\
} while (0)

#undef set_bit
#define set_bit(nr, addr) ({						\
	sched_point(addr, SCHED_ATOMIC);				\
	test_and_set_bit(nr, addr);					\
})

static inline atomic_t *sched_atomic(atomic_t *v)
{
	sched_point(v, SCHED_ATOMIC);
	return v;
}

static inline atomic_t *sched_counted(atomic_t *v)
{
	sched_touch(v, true);
	return v;
}

static inline void sched_add(atomic_t *v, int n)
{
	sched_touch(v, true);
	v->counter += n;
}

/* What counts up and down and asks for nothing is done, but is no point. */
#undef atomic_add
#define atomic_add(n, v)	sched_add(v, n)
#undef atomic_sub
#define atomic_sub(n, v)	sched_add(v, -(n))
#define atomic_set(v, n)	((void)(shim_marked(sched_counted(v)->counter) = (n)))
#define atomic_read(v)		({ sched_point(v, SCHED_READ); shim_marked((v)->counter); })
#define refcount_read(r)	((unsigned int)atomic_read(&(r)->refs))
#define atomic_inc(v)		atomic_inc(sched_atomic(v))
#define atomic_dec_and_test(v)	atomic_dec_and_test(sched_atomic(v))
#define atomic_cmpxchg(v, old, new)	atomic_cmpxchg(sched_atomic(v), old, new)

/* What tools/include lacks of reference counts. */
static inline bool refcount_add_not_zero(int i, refcount_t *r)
{
	int *count = &sched_atomic(&r->refs)->counter;

	if (!*count)
		return false;
	*count += i;
	return true;
}

static inline bool __refcount_inc_not_zero_limited_acquire(refcount_t *r, int *old,
							   int limit)
{
	int *count = &sched_atomic(&r->refs)->counter;

	*old = *count;
	if (!*count || *count < 0 || *count >= limit)
		return false;
	++*count;
	return true;
}

static inline bool __refcount_dec_and_test(refcount_t *r, int *old)
{
	int *count = &sched_atomic(&r->refs)->counter;

	*old = (*count)--;
	return !*count;
}

#pragma pop_macro("inline")
#endif
