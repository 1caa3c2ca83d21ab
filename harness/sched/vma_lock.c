// SPDX-License-Identifier: GPL-2.0
/*
 * The tree's locks of a VMA and of the mm, over semaphores that block. Their names
 * are declared by the shim for all; the tree's inline functions go by others here.
 */
#include "vma_internal.h"
#include "sched/has.h"

#define RENAMED(name)	tree_##name
#define vma_start_write		RENAMED(vma_start_write)
#define vma_start_write_killable	RENAMED(vma_start_write_killable)
#define vma_end_read		RENAMED(vma_end_read)
#define lock_vma_under_rcu	RENAMED(lock_vma_under_rcu)
#define vma_assert_write_locked	RENAMED(vma_assert_write_locked)
#define vma_assert_locked	RENAMED(vma_assert_locked)
#define vma_assert_stabilised	RENAMED(vma_assert_stabilised)
#define vma_assert_attached	RENAMED(vma_assert_attached)
#define vma_assert_detached	RENAMED(vma_assert_detached)
#define vma_is_attached		RENAMED(vma_is_attached)
#define vma_mark_attached	RENAMED(vma_mark_attached)
#define vma_mark_detached	RENAMED(vma_mark_detached)
#define vma_lock_init		RENAMED(vma_lock_init)
#define vma_start_read_locked	RENAMED(vma_start_read_locked)
#undef vma_start_read_locked_nested
#define mmap_write_lock		RENAMED(mmap_write_lock)
#define mmap_write_lock_nested	RENAMED(mmap_write_lock_nested)
#define mmap_write_lock_killable	RENAMED(mmap_write_lock_killable)
#define mmap_write_unlock	RENAMED(mmap_write_unlock)
#define mmap_write_downgrade	RENAMED(mmap_write_downgrade)
#define mmap_read_lock		RENAMED(mmap_read_lock)
#define mmap_read_unlock	RENAMED(mmap_read_unlock)
#undef mmap_assert_locked
#define mmap_assert_locked(mm)	shim_check(shim_holds(&(mm)->mmap_lock), "the mm is not locked")

#define __mmap_lock_trace_start_locking(...)	do { } while (0)
#define __mmap_lock_trace_acquire_returned(...)	do { } while (0)
#define __mmap_lock_trace_released(...)		do { } while (0)
#define count_vm_vma_lock_event(...)		do { } while (0)
#define RCU_LOCKDEP_WARN(condition, ...)	((void)shim_warn_on(condition))
#define rcu_read_lock_held()			(shim_rcu_depth > 0)

#define lock_acquire_shared(map, ...)		sched_took(map, false)
#define lock_acquire_exclusive(map, ...)	sched_took(map, true)
#define lock_release(map, ...)			sched_gave(map)
#define lock_acquired(...)			do { } while (0)
#define lockdep_init_map(...)			do { } while (0)
struct lock_class_key { int nothing; };
#define TASK_UNINTERRUPTIBLE	2
#define TASK_KILLABLE		0x102
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(name)	struct lock_class_key

/* A point, as what is read by those without the lock. */
#define do_raw_write_seqcount_begin(s) do {				\
	sched_point(s, SCHED_WRITE);					\
	shim_marked((s)->sequence)++;					\
} while (0)
#define do_raw_write_seqcount_end(s)	do_raw_write_seqcount_begin(s)

#ifndef TREE_HAS_vma_lock
/* Who is woken between asking and sleeping does not sleep. */
static __no_kcsan int rcuwait_woken(const struct rcuwait *wait)
{
	return wait->woken;
}

static __no_kcsan void rcuwait_sleep(struct rcuwait *wait, int woken)
{
	if (wait->woken == woken)
		sched_block(wait);
}

static __no_kcsan void rcuwait_wake_up(struct rcuwait *wait)
{
	wait->woken++;
	sched_wake(wait);
}

#define rcuwait_wait_event(wait, condition, state) ({			\
	for (int __woken; __woken = rcuwait_woken(wait), !(condition); )	\
		rcuwait_sleep(wait, __woken);				\
	0;								\
})
#endif

#pragma GCC diagnostic push
#include "harness/shim/quiet.h"
#include "sched/include/linux/mm_types.h"
#include "sched/include/linux/mmap_lock.h"
#ifdef TREE_HAS_vma_lock
#include "sched/include/linux/mm.h"
#endif
#include "sched/mm/mmap_lock.c"
#pragma GCC diagnostic pop

#undef vma_start_write
#undef vma_start_write_killable
#undef vma_end_read
#undef lock_vma_under_rcu
#undef vma_assert_write_locked
#undef vma_assert_locked
#undef vma_assert_stabilised
#undef vma_assert_attached
#undef vma_assert_detached
#undef vma_is_attached
#undef vma_mark_attached
#undef vma_mark_detached
#undef vma_lock_init
#undef vma_start_read_locked
#undef mmap_write_lock
#undef mmap_write_lock_nested
#undef mmap_write_lock_killable
#undef mmap_write_unlock
#undef mmap_write_downgrade
#undef mmap_read_lock
#undef mmap_read_unlock

void vma_start_write(struct vm_area_struct *vma)
{
	tree_vma_start_write(vma);
	sched_disowns(vma);
	sched_owns(vma, true);
}

struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = tree_lock_vma_under_rcu(mm, addr);

	if (vma)
		sched_owns(vma, false);
	return vma;
}

void vma_end_read(struct vm_area_struct *vma)
{
	sched_disowns(vma);
	tree_vma_end_read(vma);
}

void vma_assert_write_locked(struct vm_area_struct *vma)
{
	tree_vma_assert_write_locked(vma);
}

void vma_assert_locked(struct vm_area_struct *vma)
{
	tree_vma_assert_locked(vma);
}

void mmap_write_lock(struct mm_struct *mm)
{
	tree_mmap_write_lock(mm);
}

void mmap_write_lock_nested(struct mm_struct *mm, int n)
{
	tree_mmap_write_lock_nested(mm, n);
}

int mmap_write_lock_killable(struct mm_struct *mm)
{
	return tree_mmap_write_lock_killable(mm);
}

void mmap_read_lock(struct mm_struct *mm)
{
	tree_mmap_read_lock(mm);
}

void mmap_read_unlock(struct mm_struct *mm)
{
	tree_mmap_read_unlock(mm);
}

void mmap_write_unlock(struct mm_struct *mm)
{
	sched_disowns(NULL);
	tree_mmap_write_unlock(mm);
}

void mmap_write_downgrade(struct mm_struct *mm)
{
	sched_disowns(NULL);
	tree_mmap_write_downgrade(mm);
}

#ifdef TREE_HAS_vma_lock
void vma_mark_detached(struct vm_area_struct *vma, bool detached)
{
	tree_vma_mark_detached(vma, detached);
}

int vma_start_write_killable(struct vm_area_struct *vma)
{
	tree_vma_start_write(vma);
	return 0;
}
#else
bool vma_start_read_locked(struct vm_area_struct *vma)
{
	if (!tree_vma_start_read_locked(vma))
		return false;
	sched_owns(vma, false);
	return true;
}

int vma_start_write_killable(struct vm_area_struct *vma)
{
	int ret = tree_vma_start_write_killable(vma);

	if (!ret) {
		sched_disowns(vma);
		sched_owns(vma, true);
	}
	return ret;
}

void vma_assert_stabilised(struct vm_area_struct *vma)
{
	tree_vma_assert_stabilised(vma);
}

bool vma_is_attached(struct vm_area_struct *vma)
{
	return tree_vma_is_attached(vma);
}

void vma_assert_attached(struct vm_area_struct *vma)
{
	tree_vma_assert_attached(vma);
}

void vma_assert_detached(struct vm_area_struct *vma)
{
	tree_vma_assert_detached(vma);
}

void vma_mark_attached(struct vm_area_struct *vma)
{
	tree_vma_mark_attached(vma);
}

void vma_mark_detached(struct vm_area_struct *vma)
{
	tree_vma_mark_detached(vma);
}

void vma_lock_init(struct vm_area_struct *vma, bool reset)
{
	tree_vma_lock_init(vma, reset);
}

/* 7.2 has none. */
void vma_assert_can_modify(struct vm_area_struct *vma)
{
	if (vma_is_attached(vma))
		vma_assert_write_locked(vma);
}
#endif
