// SPDX-License-Identifier: GPL-2.0
/* Threads, locks that block, and RCU: see sched.h. */
#include "vma_internal.h"
#include "harness/test.h"
#include "harness/sched/place.h"
#include "switch.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK	(256 << 10)
#define HELD	16
#define FRAMES	16

enum state { READY, WAITS, ENDED };

struct thread {
	struct sched_context context;
	char *stack;
	size_t stack_size;
	enum state state;
	const void *waits_for;
	void (*run)(void *arg);
	void *arg;
	struct task_struct task;
	struct { const void *lock; bool write; unsigned int sequence; } held[HELD];
	int nr_held;
	struct { const void *object; bool write; } owned[HELD];
	int nr_owned;
	/* The globals of whoever runs, while it does not. */
	struct task_struct *saved_current;
	int locks_held, rcu_depth, lazy, written, ignored;
	unsigned long reading_since;	/* RCU; 0: not */
	void *fake_stack;
};

/* The threads, and behind them the test itself. */
static struct thread threads[SCHED_THREADS + 1];
#define TEST_ITSELF	SCHED_THREADS
static int running = TEST_ITSELF, nr_threads;
bool sched_running;
static sched_choose_fn *choose;
static bool stuck;
long sched_nr_points;

struct sched_slice sched_slices[SCHED_SLICES];
int sched_nr_slices;
static int points;			/* of this slice */

static struct thread *me(void)
{
	return &threads[running];
}

int sched_thread(void)
{
	return running;
}

bool sched_on_stack(const void *at)
{
	return (char *)at >= me()->stack && (char *)at < me()->stack + STACK - 16;
}

/* --- what is done between two points */

struct sched_stretch sched_stretches[SCHED_STRETCHES];
struct sched_access sched_accesses[SCHED_ACCESSES];
int sched_nr_stretches, sched_nr_accesses, sched_decision;
/* What was made since this thread went on: nobody else has seen it. */
static const void *own[64];
static int nr_own;

void sched_touch_slow(unsigned long object, bool write)
{
	if (!object)
		return;
	if (sched_nr_accesses == SCHED_ACCESSES)
		abort();
	sched_accesses[sched_nr_accesses++] = (struct sched_access){
		object * 0x9e3779b97f4a7c15ULL >> 40, write
	};
}

/*
 * Who holds a lock may read, or write, what it protects, by plain accesses that nobody
 * sees here. Two who do so at a time depend on each other. They cannot, unless a rule
 * of locking is broken; then it must be found.
 */
static void touch_owned(const struct thread *t)
{
	for (int i = 0; i < t->nr_held; i++)
		sched_touch_slow((unsigned long)t->held[i].lock + 1, t->held[i].write);
	for (int i = 0; i < t->nr_owned; i++)
		sched_touch_slow((unsigned long)t->owned[i].object + 1, t->owned[i].write);
}

void sched_owns(const void *object, bool write)
{
	struct thread *t = me();

	if (!sched_running)
		return;
	if (t->nr_owned == HELD)
		abort();
	t->owned[t->nr_owned].object = object;
	t->owned[t->nr_owned++].write = write;
	sched_touch_slow((unsigned long)object + 1, write);
}

void sched_disowns(const void *object)
{
	struct thread *t = me();
	int kept = 0;

	for (int i = 0; i < t->nr_owned; i++)
		if (object && t->owned[i].object != object)
			t->owned[kept++] = t->owned[i];
	t->nr_owned = kept;
}

static void stretch_begins(int thread)
{
	if (sched_nr_stretches == SCHED_STRETCHES)
		abort();
	if (sched_nr_stretches && sched_stretches[sched_nr_stretches - 1].thread != thread)
		nr_own = 0;
	sched_stretches[sched_nr_stretches++] = (struct sched_stretch){
		thread, false, sched_decision, sched_nr_accesses
	};
	sched_decision = -1;
	touch_owned(&threads[thread]);
}

void sched_allocated(const void *object)
{
	if (sched_running && nr_own < (int)ARRAY_SIZE(own))
		own[nr_own++] = object;
}

void sched_freed(const void *object)
{
	if (!sched_running || !object || !sched_nr_stretches)
		return;
	for (int i = 0; i < nr_own; i++)
		if (own[i] == object) {
			own[i] = own[--nr_own];
			return;
		}
	sched_stretches[sched_nr_stretches - 1].frees = true;
}

/* --- who runs */

static void began(void)
{
#ifdef WITH_ASAN
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(me()->fake_stack, &bottom, &size);
	if (!threads[TEST_ITSELF].stack && running != TEST_ITSELF) {
		threads[TEST_ITSELF].stack = (char *)bottom;
		threads[TEST_ITSELF].stack_size = size;
	}
#endif
}

static void switch_to(int next)
{
	struct thread *old = me(), *new = &threads[next];

	old->saved_current = current;
	old->locks_held = shim_locks_held;
	old->rcu_depth = shim_rcu_depth;
	old->lazy = shim_lazy_mmu;
	old->written = shim_written;
	old->ignored = access_ignored;
	running = next;
	current = new->saved_current;
	shim_locks_held = new->locks_held;
	shim_rcu_depth = new->rcu_depth;
	shim_lazy_mmu = new->lazy;
	shim_written = new->written;
	access_ignored = new->ignored;
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(&old->fake_stack, new->stack, new->stack_size);
#endif
	sched_switch_stack(&old->context, &new->context);
	began();
}

static unsigned int ready(void)
{
	unsigned int set = 0;

	for (int i = 0; i < nr_threads; i++)
		set |= (threads[i].state == READY) << i;
	return set;
}

static void slice_ends(bool preempted, int next)
{
	if (sched_nr_slices && sched_nr_slices <= SCHED_SLICES)
		sched_slices[sched_nr_slices - 1].points = preempted ? points : -1;
	if (sched_nr_slices < SCHED_SLICES)
		sched_slices[sched_nr_slices] = (struct sched_slice){ next, -1 };
	sched_nr_slices++;
	points = 0;
}

void sched_print_slices(char *to, size_t size)
{
	int n = 0;

	*to = '\0';
	for (int i = 0; i < sched_nr_slices && i < SCHED_SLICES && n < (int)size; i++) {
		n += snprintf(to + n, size - n, "%s%d", i ? " " : "", sched_slices[i].thread);
		if (sched_slices[i].points >= 0 && n < (int)size)
			n += snprintf(to + n, size - n, ":%d", sched_slices[i].points);
	}
}

/* The running thread cannot go on: another one does, or all wait. */
static void give_up(void)
{
	unsigned int set = ready();
	int next;

	shim_rcu_poll();
	if (!set) {
		for (int i = 0; i < nr_threads; i++)
			stuck |= threads[i].state == WAITS;
		switch_to(TEST_ITSELF);
		return;
	}
	next = choose(-1, set);
	slice_ends(false, next);
	stretch_begins(next);
	switch_to(next);
}

static void record(const void *object, enum sched_kind kind);

/* What is marked, or atomic, orders threads; locks do so once they are taken. */
static void order(unsigned long object, enum sched_kind kind)
{
	if (!object || kind == SCHED_LOCK || kind == SCHED_READ_LOCK || kind == SCHED_UNLOCK ||
	    kind == SCHED_LOAD || kind == SCHED_STORE)
		return;
	if (kind != SCHED_WRITE)
		access_acquire(object, true);
	if (kind != SCHED_READ && kind != SCHED_RCU)
		access_release(object, true);
}

void sched_point_slow(unsigned long object, enum sched_kind kind)
{
	unsigned int set = ready();
	int next;

	sched_nr_points++;
	next = choose(running, set);
	stretch_begins(next);
	if (next != running) {
		slice_ends(true, next);
		shim_rcu_poll();
		switch_to(next);
	} else {
		points++;
	}
	if (kind != SCHED_UNLOCK)
		sched_touch_slow(object & ~7UL, kind != SCHED_READ && kind != SCHED_READ_LOCK &&
				 kind != SCHED_RCU && kind != SCHED_LOAD);
	order(object, kind);
	if (sched_recording)
		record((const void *)object, kind);
}

static void thread_main(void)
{
	began();
	for (;;) {
		struct thread *t = me();

		t->run(t->arg);
		if (t->nr_held || shim_locks_held || shim_rcu_depth || shim_lazy_mmu)
			test_fail(__FILE__, __LINE__,
				  "thread %d ends with %d locks, RCU depth %d, lazy MMU mode %d",
				  running, t->nr_held, shim_rcu_depth, shim_lazy_mmu);
		t->state = ENDED;
		give_up();
	}
}

static void start_thread(struct thread *t)
{
	t->stack = aligned_alloc(4096, STACK);
	t->stack_size = STACK;
	if (!t->stack)
		abort();
	sched_context_new(&t->context, t->stack, STACK, thread_main);
}

static void say_who_waits(void)
{
	for (int i = 0; i < nr_threads; i++) {
		const struct thread *t = &threads[i];

		if (t->state != WAITS)
			continue;
		for (int j = 0; j < nr_threads; j++)
			for (int k = 0; k < threads[j].nr_held; k++)
				if (threads[j].held[k].lock == t->waits_for)
					test_fail(__FILE__, __LINE__,
						  "deadlock: thread %d waits for %s, which thread %d holds",
						  i, sched_name_of(t->waits_for), j);
		test_fail(__FILE__, __LINE__, "deadlock: thread %d waits for %s", i,
			  sched_name_of(t->waits_for));
	}
}

static int nr_steps;

bool sched_run(const struct sched_thread_spec *spec, int nr, sched_choose_fn *fn)
{
	int first;

	for (int i = 0; i < nr; i++)
		if (!threads[i].stack)
			start_thread(&threads[i]);
	nr_threads = nr;
	choose = fn;
	stuck = false;
	sched_nr_slices = points = nr_steps = 0;
	sched_nr_stretches = sched_nr_accesses = nr_own = 0;
	sched_decision = -1;
	for (int i = 0; i < nr; i++) {
		threads[i].state = READY;
		threads[i].nr_owned = 0;
		threads[i].run = spec[i].run;
		threads[i].arg = spec[i].arg;
		threads[i].task = (struct task_struct){ .comm = "thread", .pid = 2 + i,
							.mm = spec[i].mm };
		threads[i].saved_current = &threads[i].task;
	}
	access_begin();
	sched_running = true;
	first = choose(-1, ready());
	slice_ends(false, first);
	stretch_begins(first);
	switch_to(first);
	sched_running = false;
	if (stuck)
		say_who_waits();
	return !stuck;
}

/* --- locks */

void sched_took(const void *lock, bool write)
{
	static unsigned int sequence;
	struct thread *t = me();

	if (t->nr_held == HELD)
		abort();
	t->held[t->nr_held].lock = lock;
	t->held[t->nr_held].sequence = ++sequence;
	t->held[t->nr_held++].write = write;
	sched_touch((unsigned long)lock + 1, write);
	if (sched_running)
		access_acquire((unsigned long)lock, write);
}

void sched_gave(const void *lock)
{
	struct thread *t = me();
	int i = t->nr_held;

	while (i-- && t->held[i].lock != lock)
		;
	shim_check(i >= 0, "a lock is released by who does not hold it");
	if (i < 0)
		return;
	if (sched_running)
		access_release((unsigned long)lock, t->held[i].write);
	t->nr_held--;
	memmove(&t->held[i], &t->held[i + 1], (t->nr_held - i) * sizeof(t->held[0]));
}

bool sched_holds(const void *lock)
{
	for (int i = 0; i < me()->nr_held; i++)
		if (me()->held[i].lock == lock)
			return true;
	return lock == &rcu_callback_map;
}

unsigned int sched_sequence(const void *lock)
{
	for (int i = 0; i < me()->nr_held; i++)
		if (me()->held[i].lock == lock)
			return me()->held[i].sequence;
	return UINT_MAX;
}

bool sched_holds_write(const void *lock)
{
	for (int i = 0; i < me()->nr_held; i++)
		if (me()->held[i].lock == lock && me()->held[i].write)
			return true;
	return false;
}

void sched_block(const void *object)
{
	struct thread *t = me();

	if (!sched_running) {
		test_fail(__FILE__, __LINE__, "a lock is taken twice");
		test_end();
	}
	t->state = WAITS;
	t->waits_for = object;
	give_up();
	sched_touch(object, true);
}

void sched_wake(const void *object)
{
	for (int i = 0; i < nr_threads; i++)
		if (threads[i].state == WAITS && threads[i].waits_for == object)
			threads[i].state = READY;
}

/* A spinning lock is an RCU reader as well: preemption is off. */
static unsigned long clock = 1;

unsigned long sched_clock(void)
{
	return ++clock;
}

static void read_begins(void)
{
	if (!shim_rcu_depth && !shim_locks_held)
		me()->reading_since = ++clock;
}

static void read_ends(void)
{
	if (!shim_rcu_depth && !shim_locks_held)
		me()->reading_since = 0;
}

bool sched_grace_period_over(unsigned long since)
{
	for (int i = 0; i < SCHED_THREADS; i++)
		if (threads[i].reading_since && threads[i].reading_since < since)
			return false;
	return true;
}

void sched_rcu_lock(void)
{
	read_begins();
	shim_rcu_depth++;
}

void sched_rcu_unlock(void)
{
	shim_check(shim_rcu_depth > 0, "RCU is left that was not entered");
	shim_rcu_depth--;
	read_ends();
	sched_point(NULL, SCHED_UNLOCK);
}

void spin_lock(spinlock_t *lock)
{
	sched_point(lock, SCHED_LOCK);
	while (lock->held)
		sched_block(lock);
	read_begins();
	lock->held = 1;
	shim_locks_held++;
	sched_took(lock, true);
}

int spin_trylock(spinlock_t *lock)
{
	sched_point(lock, SCHED_LOCK);
	if (lock->held)
		return 0;
	read_begins();
	lock->held = 1;
	shim_locks_held++;
	sched_took(lock, true);
	return 1;
}

void spin_unlock(spinlock_t *lock)
{
	shim_check(lock->held == 1, "a lock that is not held is released");
	sched_touch(lock, true);
	sched_gave(lock);
	lock->held = 0;
	shim_locks_held--;
	read_ends();
	sched_wake(lock);
	sched_point(lock, SCHED_UNLOCK);
}

void down_write(struct rw_semaphore *sem)
{
	shim_check(!shim_locks_held, "a semaphore is taken under a spinning lock");
	sched_point(sem, SCHED_LOCK);
	sem->waiting_writers++;
	while (sem->dep_map.writers || sem->dep_map.readers)
		sched_block(sem);
	sem->waiting_writers--;
	sem->dep_map.writers++;
	sched_took(sem, true);
}

int down_write_trylock(struct rw_semaphore *sem)
{
	sched_point(sem, SCHED_LOCK);
	if (sem->dep_map.writers || sem->dep_map.readers)
		return 0;
	sem->dep_map.writers++;
	sched_took(sem, true);
	return 1;
}

void up_write(struct rw_semaphore *sem)
{
	shim_check(sem->dep_map.writers == 1,
		   "a semaphore that is not held is released");
	sched_touch(sem, true);
	sched_gave(sem);
	sem->dep_map.writers--;
	sched_wake(sem);
	sched_point(sem, SCHED_UNLOCK);
}

void down_read(struct rw_semaphore *sem)
{
	shim_check(!shim_locks_held, "a semaphore is taken under a spinning lock");
	sched_point(sem, SCHED_READ_LOCK);
	while (sem->dep_map.writers || sem->waiting_writers)
		sched_block(sem);
	sem->dep_map.readers++;
	sched_took(sem, false);
}

int down_read_trylock(struct rw_semaphore *sem)
{
	sched_point(sem, SCHED_READ_LOCK);
	if (sem->dep_map.writers || sem->waiting_writers)
		return 0;
	sem->dep_map.readers++;
	sched_took(sem, false);
	return 1;
}

void up_read(struct rw_semaphore *sem)
{
	shim_check(sem->dep_map.readers > 0,
		   "a semaphore that is not held is released");
	sched_touch(sem, false);
	sched_gave(sem);
	sem->dep_map.readers--;
	sched_wake(sem);
	sched_point(sem, SCHED_UNLOCK);
}

void downgrade_write(struct rw_semaphore *sem)
{
	sched_touch(sem, true);
	sched_gave(sem);
	sem->dep_map.writers--;
	sem->dep_map.readers++;
	sched_took(sem, false);
	sched_wake(sem);
	sched_point(sem, SCHED_UNLOCK);
}

/* --- for people */

struct step {
	signed char thread;
	enum sched_kind kind;
	int nr_frames;
	unsigned long frames[FRAMES];
	char object[40], held[80];
};

#define STEPS	SCHED_STRETCHES
static struct step *steps;
bool sched_recording;

static const char *no_name(const void *object)
{
	(void)object;
	return "a lock";
}

const char *(*sched_name_of)(const void *object) = no_name;

/* Frames by their pointers: this build has them. */
static void record(const void *object, enum sched_kind kind)
{
	unsigned long *fp = __builtin_frame_address(0);
	struct thread *t = me();
	struct step *s;
	int n = 0;

	if (!steps)
		steps = calloc(STEPS, sizeof(*steps));
	if (!steps || nr_steps == STEPS)
		return;
	s = &steps[nr_steps++];
	s->thread = running;
	s->kind = kind;
	s->nr_frames = 0;
	snprintf(s->object, sizeof(s->object), "%s", object ? sched_name_of(object) : "");
	s->held[0] = '\0';
	for (int i = 0; i < t->nr_held && n < (int)sizeof(s->held); i++)
		n += snprintf(s->held + n, sizeof(s->held) - n, "%s%s%s", i ? " " : "",
			      sched_name_of(t->held[i].lock), t->held[i].write ? "" : "(r)");
	while (sched_on_stack(fp) && s->nr_frames < FRAMES) {
		s->frames[s->nr_frames++] = fp[1];
		fp = (unsigned long *)fp[0];
	}
}

static const char *place_of_step(const struct step *s)
{
	for (int k = 0; k < s->nr_frames; k++)
		if (place_of(s->frames[k])[0])
			return place_of(s->frames[k]);
	return "";
}

static const char *const kind_names[] = {
	"lock", "read-lock", "unlock", "atomic", "read", "write", "access", "allocate",
	"cond_resched", "RCU read", "step", "load", "store",
};

/*
 * A column a thread, a line a step: those on something that has a name, and the
 * first and last of each turn. Behind the bar, what is held.
 */
void sched_draw(const char *const *names, int nr)
{
	const int column = 12;
	const char *before = "", *earlier = "";

	for (int i = 0; i < nr; i++)
		test_say("%*s%s", i * column, "", names[i]);
	for (int i = 0; i < nr_steps; i++) {
		const struct step *s = &steps[i];
		bool first = !i || s[-1].thread != s->thread;
		bool last = i == nr_steps - 1 || s[1].thread != s->thread;
		const char *place = place_of_step(s);
		char what[64];

		if (!first && !last && (!s->object[0] || s->kind == SCHED_RCU ||
					s->kind == SCHED_LOAD ||
					((place == before || place == earlier) &&
					 (s->kind == SCHED_READ || s->kind == SCHED_PTE))))
			continue;
		earlier = before;
		before = place;
		if (first && i)
			test_say("%*s--- thread %d goes on", s->thread * column, "", s->thread);
		snprintf(what, sizeof(what), "%s %.40s", kind_names[s->kind], s->object);
		test_say("%*s%-*s %-*s | %s", s->thread * column, "", 36, what,
			 36 + (nr - 1 - s->thread) * column, place, s->held);
	}
}
