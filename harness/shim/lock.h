/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model: locks, RCU, allocations. One thread, so nobody ever waits; what is
 * checked is who holds what. With SHIM_SCHED they block: see sched/lock.h.
 */
#ifndef SHIM_LOCK_H
#define SHIM_LOCK_H

#include <errno.h>
#include "harness/sched/sched.h"

#pragma push_macro("inline")
#define inline	SHIM_INLINE

/* What must hold whenever it is passed; if not, the test has failed. */
#define shim_check(condition, what) ({					\
	if (unlikely(!(condition)))					\
		shim_broken(__FILE__, __LINE__, what);			\
})
void shim_broken(const char *file, int line, const char *what);

/* Who holds a semaphore. */
struct lockdep_map {
	int writers, readers;
	unsigned int sequence;		/* of its releases */
};

/* Locks: taken once, given back once, not held where fork() may sleep. */
typedef struct {
	union {
		int held;
		struct lockdep_map dep_map;
	};
} spinlock_t;

#define __SPIN_LOCK_UNLOCKED(name)	{ }
extern struct lockdep_map rcu_callback_map;
extern int shim_locks_held, shim_rcu_depth;

/*
 * Entries were taken that a TLB may have still: it is flushed before their page table is
 * released, unless by a gather that is not finished, or by who has said that it comes later.
 */
extern bool shim_tlb_owed;
extern int shim_gathers, shim_flush_later;

#ifdef SHIM_SCHED
#include "harness/sched/lock.h"
#else
static inline void spin_lock(spinlock_t *lock)
{
	shim_check(!lock->held, "a lock is taken twice");
	lock->held++;
	shim_locks_held++;
}

static inline void spin_unlock(spinlock_t *lock)
{
	shim_check(lock->held == 1, "a lock that is not held is released");
	shim_check(!shim_tlb_owed || shim_gathers || shim_flush_later,
		   "a page table is released before the TLB is flushed");
	lock->held--;
	lock->dep_map.sequence++;
	shim_locks_held--;
}

#define spin_trylock(lock)		(spin_lock(lock), 1)

/* Semaphores. */
struct rw_semaphore {
	struct lockdep_map dep_map;
};

#define init_rwsem(sem)	((void)((sem)->dep_map = (struct lockdep_map){ 0 }))

static inline void down_write(struct rw_semaphore *sem)
{
	shim_check(!sem->dep_map.writers && !sem->dep_map.readers,
		   "a semaphore is taken twice");
	sem->dep_map.writers++;
}

#define down_write_trylock(sem)	(down_write(sem), 1)
#define rwsem_is_locked(sem)	((sem)->dep_map.writers || (sem)->dep_map.readers)

static inline void up_write(struct rw_semaphore *sem)
{
	shim_check(sem->dep_map.writers == 1,
		   "a semaphore that is not held is released");
	sem->dep_map.writers--;
	sem->dep_map.sequence++;
}

static inline void down_read(struct rw_semaphore *sem)
{
	shim_check(!sem->dep_map.writers, "a semaphore is taken twice");
	sem->dep_map.readers++;
}

#define down_read_nested(sem, n)	down_read(sem)

static inline void up_read(struct rw_semaphore *sem)
{
	shim_check(sem->dep_map.readers > 0,
		   "a semaphore that is not held is released");
	sem->dep_map.readers--;
	sem->dep_map.sequence++;
}

#define lock_is_held(map)		((map)->writers || (map)->readers)
#define lock_is_held_type(map, read)	((map)->writers && !(read))
#define lock_sequence(map)		((map)->sequence)
#define lockdep_is_held(lock)		((lock)->held)
#define shim_holds(lock)		((lock)->held)
#define shim_holds_write(sem)		((sem)->dep_map.writers)
#define rwsem_held(sem)			rwsem_is_locked(sem)

/* RCU. What a grace period ends for waits until shim_rcu_end() if a reader calls. */
#define rcu_read_lock()			((void)shim_rcu_depth++)
#define rcu_read_unlock()		((void)shim_rcu_depth--)
#define rcu_assign_pointer(p, v)	((void)((p) = (v)))
#define rcu_dereference_check(p, c) ({					\
	shim_check((c) || shim_rcu_depth, "read without lock or RCU");	\
	(p);								\
})
#endif

#define spin_lock_irq(lock)		spin_lock(lock)
#define spin_unlock_irq(lock)		spin_unlock(lock)
#define spin_lock_init(lock)		((void)((lock)->held = 0))
#define spin_lock_nested(lock, ...)	spin_lock(lock)
#define SINGLE_DEPTH_NESTING		1
#define spin_needbreak(...)		0

#define RCU_INIT_POINTER(p, v)		((void)((p) = (v)))
#define rcu_dereference_protected(p, c) ({				\
	shim_check(c, "read or written without its lock");		\
	(p);								\
})
struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void shim_rcu_end(void);

/* The one entry point for whatever may fail for want of memory: see alloc_fail_at(). */
bool shim_alloc_fails(void);
bool shim_alloc_fails_gfp(gfp_t gfp);

/* Small objects: counted, and they can fail. */
extern long shim_nr_objects;
void *shim_object_alloc(size_t size, gfp_t gfp);
void shim_object_free(void *object);

/* Caches of them, with what is constructed once: zeroes, or by a function. */
struct kmem_cache {
	size_t size, zeroed;
	void (*constructor)(void *object);
};

struct kmem_cache_args {
	unsigned int align, sheaf_capacity, freeptr_offset;
	bool use_freeptr_offset;
};

void *shim_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
struct kmem_cache *shim_cache_create(size_t size, void (*constructor)(void *));
#define KMEM_CACHE(type, flags)	shim_cache_create(sizeof(struct type), NULL)
#define SLAB_PANIC			0
#define SLAB_ACCOUNT			0
#define SLAB_HWCACHE_ALIGN		0
#define SLAB_TYPESAFE_BY_RCU		0
#define shim_third(a, b, c, ...)	c
#define kmem_cache_create(name, size, args, ...) ({			\
	(void)(args);							\
	shim_cache_create(size, shim_third(0, ##__VA_ARGS__, NULL, NULL));	\
})

#define kmalloc(size, gfp)		shim_object_alloc(size, gfp)
#define kzalloc_obj(object, ...)	({					\
	typeof(object) *__new = shim_object_alloc(sizeof(*__new), GFP_KERNEL); \
									\
	if (__new)							\
		memset(__new, 0, sizeof(*__new));			\
	__new;								\
})
#define kzalloc(size, gfp)		({				\
	size_t __size = size;						\
	void *__zeroed = shim_object_alloc(__size, gfp);			\
									\
	if (__zeroed)							\
		memset(__zeroed, 0, __size);				\
	__zeroed;							\
})
#define kmalloc_obj(object, ...)	shim_object_alloc(sizeof(object), GFP_KERNEL)
#define kmalloc_objs(object, nr)	shim_object_alloc(sizeof(object) * (nr), GFP_KERNEL)
#define kmalloc_array(nr, size, gfp)	shim_object_alloc((nr) * (size), gfp)
#define kmalloc_flex(object, member, nr, ...)				\
	shim_object_alloc(sizeof(object) + (nr) * sizeof((object).member[0]), GFP_KERNEL)
#define kfree(object)			shim_object_free((void *)(object))
#define kfree_rcu(object, member)					\
	call_rcu(&(object)->member, shim_free_rcu(offsetof(typeof(*(object)), member)))
void (*shim_free_rcu(size_t offset))(struct rcu_head *head);
#define kmem_cache_alloc(cache, gfp)	shim_cache_alloc(cache, gfp)
#ifdef SHIM_SCHED
/* Readers under RCU may look at what was freed: it stays of its type for them. */
#define kmem_cache_free(cache, object)	sched_free_after_readers(object)
#else
#define kmem_cache_free(cache, object)	shim_object_free(object)
#endif

/* Several at once, all or none; and a sheaf of them, kept for later. */
int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t nr,
			  void **objects);
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects);

struct slab_sheaf;
struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *cache, gfp_t gfp,
					    unsigned int nr);
int kmem_cache_refill_sheaf(struct kmem_cache *cache, gfp_t gfp,
			    struct slab_sheaf **sheafp, unsigned int nr);
void kmem_cache_return_sheaf(struct kmem_cache *cache, gfp_t gfp,
			     struct slab_sheaf *sheaf);
void *kmem_cache_alloc_from_sheaf(struct kmem_cache *cache, gfp_t gfp,
				  struct slab_sheaf *sheaf);
unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf);

#pragma pop_macro("inline")
#endif
