/* SPDX-License-Identifier: GPL-2.0 */
/* Model: locks that block, in place of those of shim/lock.h. */
#ifndef SCHED_LOCK_H
#define SCHED_LOCK_H

void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
int spin_trylock(spinlock_t *lock);

/* Semaphores: who wants to write goes before new readers. */
struct rw_semaphore {
	struct lockdep_map dep_map;
	int waiting_writers;
};

#define init_rwsem(sem)	((void)(*(sem) = (struct rw_semaphore){ 0 }))
void down_write(struct rw_semaphore *sem);
int down_write_trylock(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);
void down_read(struct rw_semaphore *sem);
#define down_read_nested(sem, n)	down_read(sem)
int down_read_trylock(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void downgrade_write(struct rw_semaphore *sem);
#define down_write_nested(sem, n)	down_write(sem)
#define down_write_killable(sem)	(down_write(sem), 0)
#define rwsem_is_locked(sem)	((sem)->dep_map.writers || (sem)->dep_map.readers)

#define lock_is_held(map)		sched_holds(map)
#define lock_is_held_type(map, read)	(sched_holds_write(map) && !(read))
#define lock_sequence(map)		sched_sequence(map)
#define lockdep_is_held(lock)		sched_holds(lock)
#define shim_holds(lock)		sched_holds(lock)
#define shim_holds_write(sem)		sched_holds_write(sem)
/* By this thread. */
#define rwsem_held(sem)			sched_holds(sem)

#define rcu_read_lock()			sched_rcu_lock()
#define rcu_read_unlock()		sched_rcu_unlock()
#define rcu_assign_pointer(p, v) do {					\
	sched_point(&(p), SCHED_WRITE);					\
	shim_marked(p) = (v);						\
} while (0)
#define rcu_dereference_check(p, c) ({					\
	bool __locked = (c);						\
									\
	shim_check(__locked || shim_rcu_depth, "read without lock or RCU");	\
	if (!__locked)							\
		sched_point(&(p), SCHED_RCU);				\
	__locked ? (p) : shim_marked(p);				\
})

#endif
