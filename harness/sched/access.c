// SPDX-License-Identifier: GPL-2.0
/* Plain accesses: see access.h. This file is not compiled as the kernel's code is. */
#ifdef SHIM_ACCESS
#include "vma_internal.h"
#include "harness/test.h"
#include "harness/sched/data_races.h"
#include "harness/sched/place.h"

/* The clock of each thread: how much of each other's past is ordered before it. */
#define THREADS		(SCHED_THREADS + 1)	/* and the test itself */
struct clock { unsigned int of[THREADS]; };
static struct clock now[THREADS];

/* What orders: by address, in two tables that are emptied by counting on. */
static unsigned int generation;
#define OBJECTS		(1 << 12)
static struct object {
	unsigned long object;
	unsigned int generation;
	struct clock written, read;	/* as whoever wrote, or read, left it */
} objects[OBJECTS];

#define DEPTH		12
struct plain {
	unsigned int when;		/* by the clock of its thread; 0: never */
	unsigned char bytes;		/* of the word, a bit each */
	unsigned long frames[DEPTH];
};

#define WORDS		(1 << 16)
static struct word {
	unsigned long word;		/* its address / 8 */
	unsigned int generation;
	bool freed;
	struct plain read[THREADS], written[THREADS];
} *words;

static struct race {
	struct plain a, b;
	bool a_writes, b_writes, freed, said;
} races[1024];
static int nr_races;

static unsigned int hash(unsigned long key)
{
	return key * 0x9e3779b97f4a7c15ULL >> 40;
}

static struct object *object_of(unsigned long key)
{
	struct object *o = &objects[hash(key) % OBJECTS];
	int tries = 0;

	while (o->generation == generation && o->object != key) {
		if (++tries == OBJECTS)
			abort();
		o = o == &objects[OBJECTS - 1] ? objects : o + 1;
	}
	if (o->generation != generation)
		*o = (struct object){ .object = key, .generation = generation };
	return o;
}

static struct word *word_of(unsigned long address, bool make)
{
	unsigned long key = address / 8;
	struct word *w = &words[hash(key) % WORDS];
	int tries = 0;

	while (w->generation == generation && w->word != key) {
		if (++tries == WORDS)
			abort();
		w = w == &words[WORDS - 1] ? words : w + 1;
	}
	if (w->generation == generation)
		return w;
	if (!make)
		return NULL;
	memset(w, 0, sizeof(*w));
	w->word = key;
	w->generation = generation;
	return w;
}

void access_begin(void)
{
	if (!words)
		words = calloc(WORDS, sizeof(*words));
	if (!words)
		abort();
	generation++;
	memset(now, 0, sizeof(now));
	for (int i = 0; i < THREADS; i++)
		now[i].of[i] = 1;
}

static void join(struct clock *to, const struct clock *from)
{
	for (int i = 0; i < THREADS; i++)
		to->of[i] = max(to->of[i], from->of[i]);
}

void access_acquire(unsigned long object, bool write)
{
	const struct object *o = object_of(object);

	join(&now[sched_thread()], &o->written);
	if (write)
		join(&now[sched_thread()], &o->read);
}

void access_release(unsigned long object, bool write)
{
	struct object *o = object_of(object);
	struct clock *mine = &now[sched_thread()];

	join(write ? &o->written : &o->read, mine);
	mine->of[sched_thread()]++;
}

void access_allocated(const void *object, size_t size)
{
	unsigned long at = (unsigned long)object, end = at + size;

	for (; sched_running && object && at < end; at += 8) {
		struct word *w = word_of(at, false);

		if (w)
			*w = (struct word){ .word = w->word, .generation = generation };
	}
}

void access_freed(const void *object, size_t size)
{
	unsigned long at = (unsigned long)object, end = at + size;

	for (; sched_running && object && at < end; at += 8)
		word_of(at, true)->freed = true;
}

static void found(const struct plain *a, bool a_writes, const struct plain *b, bool b_writes)
{
	for (int i = 0; i < nr_races; i++)
		if (races[i].a.frames[0] == a->frames[0] &&
		    races[i].b.frames[0] == (b ? b->frames[0] : 0))
			return;
	if (nr_races == ARRAY_SIZE(races))
		abort();
	races[nr_races].a = *a;
	races[nr_races].a_writes = a_writes;
	races[nr_races].freed = !b;
	if (b)
		races[nr_races].b = *b;
	races[nr_races++].b_writes = b_writes;
}

static void look(unsigned long at, unsigned char bytes, bool write, unsigned long *frame)
{
	int self = sched_thread();
	const struct clock *mine = &now[self];
	struct word *w = word_of(at, true);
	struct plain *a = write ? &w->written[self] : &w->read[self];
	int n = 0;

	a->when = mine->of[self];
	a->bytes = bytes;
	/* Its own frame's: where it returns to is where the access is. */
	while (n < DEPTH && sched_on_stack(frame)) {
		a->frames[n++] = frame[1];
		frame = (unsigned long *)frame[0];
	}
	while (n < DEPTH)
		a->frames[n++] = 0;
	if (w->freed)
		found(a, write, NULL, false);
	for (int i = 0; i < SCHED_THREADS; i++) {
		if (i == self)
			continue;
		if (w->written[i].when > mine->of[i] && w->written[i].bytes & bytes)
			found(a, write, &w->written[i], true);
		if (write && w->read[i].when > mine->of[i] && w->read[i].bytes & bytes)
			found(a, write, &w->read[i], false);
	}
}

static void accessed(unsigned long at, unsigned long size, bool write, unsigned long *frame)
{
	/* data_race() counts where it is expanded. */
	if (!sched_running || access_ignored || at == (unsigned long)&access_ignored ||
	    sched_on_stack((void *)at))
		return;
	sched_point_slow(at, write ? SCHED_STORE : SCHED_LOAD);
	for (unsigned long end = at + size; at < end; at = (at & ~7UL) + 8) {
		unsigned int first = at & 7, last = min(end - (at & ~7UL), 8UL);

		sched_touch_slow(at & ~7UL, write);
		look(at, (1 << last) - (1 << first), write, frame);
	}
}

/* A point already; but what else its expression reads may have been one since. */
static void marked(void *at, bool write)
{
	if (!sched_running || access_ignored || at == &access_ignored)
		return;
	if (write)
		access_release((unsigned long)at, true);
	else
		access_acquire((unsigned long)at, true);
}

static const char *first_place(const struct plain *a)
{
	for (int i = 0; i < DEPTH; i++)
		if (place_of(a->frames[i])[0])
			return place_of(a->frames[i]);
	return "somewhere";
}

static void say(const char *what, const struct plain *a)
{
	const char *before = "";

	test_say("  %s %s", what, first_place(a));
	for (int i = 0; i < DEPTH; i++) {
		const char *place = place_of(a->frames[i]);

		if (place[0] && strcmp(place, before) && place != first_place(a))
			test_say("        in %s", place);
		before = place;
	}
}

static bool is_in(const struct plain *a, const char *function)
{
	int i = 0;

	while (i < DEPTH && !place_is_in(a->frames[i], function))
		i++;
	return i < DEPTH;
}

static bool is_expected(const struct race *race)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(expected); i++) {
		if (is_in(&race->a, expected[i].one) && is_in(&race->b, expected[i].other))
			return true;
		if (is_in(&race->b, expected[i].one) && is_in(&race->a, expected[i].other))
			return true;
	}
	return false;
}

int access_report(void)
{
	int nr = 0;

	for (struct race *race = races; race < races + nr_races; race++) {
		if (race->said)
			continue;
		race->said = true;
		if (place_is_model(race->a.frames[0]) || place_is_model(race->b.frames[0]))
			continue;
		if (is_expected(race))
			continue;
		nr++;
		test_say("%s", race->freed ? "what is freed is accessed:" : "a data race:");
		say(race->a_writes ? "write" : "read ", &race->a);
		if (!race->freed)
			say(race->b_writes ? "write" : "read ", &race->b);
	}
	return nr;
}

#define FRAME	((unsigned long *)__builtin_frame_address(0))
/* What the compiler calls. */
#define CALLED(size)							\
void __tsan_read##size(void *at)					\
{ accessed((unsigned long)at, size, false, FRAME); }			\
void __tsan_write##size(void *at)					\
{ accessed((unsigned long)at, size, true, FRAME); }			\
void __tsan_unaligned_read##size(void *at)				\
{ accessed((unsigned long)at, size, false, FRAME); }			\
void __tsan_unaligned_write##size(void *at)				\
{ accessed((unsigned long)at, size, true, FRAME); }			\
void __tsan_volatile_read##size(void *at) { marked(at, false); }	\
void __tsan_volatile_write##size(void *at) { marked(at, true); }	\
void __tsan_unaligned_volatile_read##size(void *at) { marked(at, false); }	\
void __tsan_unaligned_volatile_write##size(void *at) { marked(at, true); }

CALLED(1)
CALLED(2)
CALLED(4)
CALLED(8)
CALLED(16)

/* Counters that are a long; what others are made of is in sched/marked.h. */
long __tsan_atomic64_fetch_add(long *at, long n, int order)
{
	(void)order;
	sched_touch(at, true);
	return (*at += n) - n;
}

long __tsan_atomic64_fetch_sub(long *at, long n, int order)
{
	return __tsan_atomic64_fetch_add(at, -n, order);
}

void __tsan_atomic_thread_fence(int order)
{
	(void)order;
}

void __tsan_init(void)
{
}

void __tsan_read_range(void *at, long size)
{
	accessed((unsigned long)at, size, false, FRAME);
}

void __tsan_write_range(void *at, long size)
{
	accessed((unsigned long)at, size, true, FRAME);
}
#endif
