// SPDX-License-Identifier: GPL-2.0
/* Model: allocations that fail and RCU, see shim/lock.h. */
#include <malloc.h>

#include "vma_internal.h"
#include "harness/oracle/space.h"
#include "harness/test.h"

int shim_locks_held, shim_rcu_depth, access_ignored;
struct lockdep_map rcu_callback_map = { .readers = 1 };

void shim_broken(const char *file, int line, const char *what)
{
	test_fail(file, line, "%s", what);
}

/* Allocations: each is counted, and one of them can be told to fail. */
static long allocations, fail_at;
static bool fail_on;
static bool may_be_retried;

void alloc_fail_at(long nth)
{
	allocations = 0;
	fail_at = nth;
	fail_on = false;
}

void alloc_fail_from(long nth)
{
	alloc_fail_at(nth);
	fail_on = nth;
}

long alloc_count(void)
{
	return allocations;
}

bool alloc_failure_is_final(void)
{
	return fail_at && allocations >= fail_at && !may_be_retried;
}

bool shim_alloc_fails_gfp(gfp_t gfp)
{
	shim_check(!(gfp & __GFP_DIRECT_RECLAIM) || !shim_locks_held,
		   "an allocation that may sleep, under a lock");
	sched_point(NULL, SCHED_ALLOC);
	if (gfp & __GFP_NOFAIL)
		return false;
	allocations++;
	if (!fail_at)
		return false;
	/* Who tries again and again gets it in the end: the OOM killer has been at work. */
	if (allocations < fail_at || allocations > fail_at + (fail_on ? 100 : 0))
		return false;
	may_be_retried = !(gfp & __GFP_DIRECT_RECLAIM);
	return true;
}

bool shim_alloc_fails(void)
{
	return shim_alloc_fails_gfp(GFP_KERNEL);
}

/* Small objects. */
long shim_nr_objects;

void *shim_object_alloc(size_t size, gfp_t gfp)
{
	void *object = shim_alloc_fails_gfp(gfp) ? NULL : malloc(size);

	if (object)
		memset(object, gfp & __GFP_ZERO ? 0 : 0xa5, size);
	shim_nr_objects += !!object;
	sched_allocated(object);
	access_allocated(object, size);
	return object;
}

void shim_object_free(void *object)
{
	shim_nr_objects -= !!object;
	sched_freed(object);
	access_freed(object, malloc_usable_size(object));
	if (object)
		memset(object, 0x6b, malloc_usable_size(object));
	free(object);
}

struct kmem_cache *shim_cache_create(size_t size, void (*constructor)(void *))
{
	static struct kmem_cache caches[8];
	static int nr;

	caches[nr] = (struct kmem_cache){ size, 0, constructor };
	return &caches[nr++];
}

/* Aligned as the maple tree needs its nodes, which keep tags in the low bits. */
void *shim_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	bool fails = shim_alloc_fails_gfp(gfp);
	void *object = fails ? NULL : cache->size % 256 ? malloc(cache->size) :
		       aligned_alloc(256, cache->size);

	if (!object)
		return NULL;
	shim_nr_objects++;
	sched_allocated(object);
	access_allocated(object, cache->size);
	memset(object, gfp & __GFP_ZERO ? 0 : 0xa5, cache->size);
	memset(object, 0, cache->zeroed);
	if (cache->constructor)
		cache->constructor(object);
	return object;
}

int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t nr,
			  void **objects)
{
	for (size_t i = 0; i < nr; i++) {
		objects[i] = shim_cache_alloc(cache, gfp);
		if (objects[i])
			continue;
		kmem_cache_free_bulk(cache, i, objects);
		return 0;
	}
	return nr;
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects)
{
	(void)cache;
	while (nr--)
		shim_object_free(objects[nr]);
}

struct slab_sheaf {
	unsigned int size;
	void *objects[64];
};

int kmem_cache_refill_sheaf(struct kmem_cache *cache, gfp_t gfp,
			    struct slab_sheaf **sheafp, unsigned int nr)
{
	struct slab_sheaf *sheaf = *sheafp;

	shim_check(nr <= ARRAY_SIZE(sheaf->objects), "a sheaf that large");
	while (sheaf->size < nr) {
		void *object = shim_cache_alloc(cache, gfp);

		if (!object)
			return -ENOMEM;
		sheaf->objects[sheaf->size++] = object;
	}
	return 0;
}

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *cache, gfp_t gfp,
					    unsigned int nr)
{
	struct slab_sheaf *sheaf = malloc(sizeof(*sheaf));

	if (!sheaf)
		abort();
	sheaf->size = 0;
	if (!kmem_cache_refill_sheaf(cache, gfp, &sheaf, nr))
		return sheaf;
	kmem_cache_return_sheaf(cache, gfp, sheaf);
	return NULL;
}

void kmem_cache_return_sheaf(struct kmem_cache *cache, gfp_t gfp,
			     struct slab_sheaf *sheaf)
{
	(void)gfp;
	kmem_cache_free_bulk(cache, sheaf->size, sheaf->objects);
	free(sheaf);
}

void *kmem_cache_alloc_from_sheaf(struct kmem_cache *cache, gfp_t gfp,
				  struct slab_sheaf *sheaf)
{
	(void)cache;
	(void)gfp;
	shim_check(sheaf->size, "more is taken from a sheaf than was asked for");
	return sheaf->objects[--sheaf->size];
}

unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf)
{
	return sheaf->size;
}

static void call_now(struct rcu_head *head);

#ifdef SHIM_SCHED
/* RCU: called once every reader of that time has left. */
static struct { struct rcu_head *head; unsigned long since; } waiting[1024];
static int nr_waiting;
static struct { void *object; unsigned long since; } freed[1024];
static int nr_freed;

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	sched_freed((unsigned long)func < 4096 ? (char *)head - (unsigned long)func : NULL);
	shim_check(nr_waiting < (int)ARRAY_SIZE(waiting), "that many RCU callbacks");
	waiting[nr_waiting].head = head;
	waiting[nr_waiting++].since = sched_clock();
}

void sched_free_after_readers(void *object)
{
	if (!sched_running || nr_freed == ARRAY_SIZE(freed)) {
		shim_object_free(object);
		return;
	}
	shim_nr_objects -= !!object;
	sched_freed(object);
	freed[nr_freed].object = object;
	freed[nr_freed++].since = sched_clock();
}

void shim_rcu_poll(void)
{
	int kept = 0;

	access_ignored++;
	for (int i = 0; i < nr_freed; i++) {
		if (sched_grace_period_over(freed[i].since)) {
			access_freed(freed[i].object,
				     malloc_usable_size(freed[i].object));
			free(freed[i].object);
		} else {
			freed[kept++] = freed[i];
		}
	}
	nr_freed = kept;
	kept = 0;
	for (int i = 0; i < nr_waiting; i++) {
		if (sched_grace_period_over(waiting[i].since))
			call_now(waiting[i].head);
		else
			waiting[kept++] = waiting[i];
	}
	nr_waiting = kept;
	access_ignored--;
}

void shim_rcu_end(void)
{
	shim_check(!shim_rcu_depth, "RCU is held on the way out");
	while (nr_waiting || nr_freed)
		shim_rcu_poll();
}
#else
/*
 * RCU: a grace period may end at any time for who is no reader and has no lock, so it
 * does at once; else when the call is over. Who holds on to a node of the maple tree, or
 * to a VMA, reads what was freed: a sanitizer sees that, or what it was filled with.
 */
static struct rcu_head *waiting;

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	if (!shim_rcu_depth && !shim_locks_held) {
		call_now(head);
		return;
	}
	head->next = waiting;
	waiting = head;
}

void shim_rcu_end(void)
{
	shim_check(!shim_rcu_depth, "RCU is held on the way out");
	while (waiting) {
		struct rcu_head *head = waiting;

		waiting = head->next;
		call_now(head);
	}
}
#endif

/* As in the kernel, an offset in place of the function: to be freed, no more. */
void (*shim_free_rcu(size_t offset))(struct rcu_head *head)
{
	return (void (*)(struct rcu_head *))(unsigned long)offset;
}

static void call_now(struct rcu_head *head)
{
	if ((unsigned long)head->func < 4096)
		shim_object_free((char *)head - (unsigned long)head->func);
	else
		head->func(head);
}
