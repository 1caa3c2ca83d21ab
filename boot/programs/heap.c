// SPDX-License-Identifier: GPL-2.0
/*
 * An allocator under fork: threads allocate, write, free and fork; each child
 * reads all that its thread holds, frees it, and allocates again. Run with
 * LD_PRELOAD= of the allocator in question.
 */
#define _GNU_SOURCE
#include "ktap.h"
#include <pthread.h>
#include <stdint.h>

#define THREADS	4
#define HELD	48
#define ROUNDS	16

struct block {
	unsigned char *p;
	size_t size;
	unsigned char mark;
};

static int bad[THREADS], forks[THREADS];

static void fill(struct block *b, unsigned int *seed)
{
	/* From a few bytes to what the allocator takes from mmap(). */
	static const size_t sizes[] = { 24, 300, 5000, 70000, 600000, 2 << 20 };

	b->size = sizes[rand_r(seed) % (rand_r(seed) % 8 ? 4 : 6)];
	b->mark = rand_r(seed);
	b->p = malloc(b->size);
	if (!b->p)
		give_up("malloc");
	memset(b->p, b->mark, b->size);
}

static int wrong(struct block *b)
{
	for (size_t i = 0; i < b->size; i += b->size > 9999 ? 509 : 1)
		if (b->p[i] != b->mark)
			return 1;
	return b->p[b->size - 1] != b->mark;
}

static int child(struct block *held, unsigned int seed)
{
	int n = 0, i;

	for (i = 0; i < HELD; i++) {
		n += wrong(&held[i]);
		free(held[i].p);
	}
	for (i = 0; i < HELD; i++)
		fill(&held[i], &seed);
	for (i = 0; i < HELD; i++)
		n += wrong(&held[i]);
	return n;
}

static void *work(void *arg)
{
	struct block held[HELD];
	long nr = (long)arg;
	unsigned int seed = nr + 1;
	int i, round;

	for (i = 0; i < HELD; i++)
		fill(&held[i], &seed);
	for (round = 0; round < ROUNDS; round++) {
		pid_t pid;

		for (i = 0; i < HELD / 2; i++) {
			struct block *b = &held[rand_r(&seed) % HELD];

			bad[nr] += wrong(b);
			free(b->p);
			fill(b, &seed);
		}
		if (round % 4)
			continue;
		pid = fork();
		if (!pid)
			_exit(child(held, seed) ? 1 : 0);
		bad[nr] += !!ended(pid);
		forks[nr]++;
	}
	for (i = 0; i < HELD; i++) {
		bad[nr] += wrong(&held[i]);
		free(held[i].p);
	}
	return NULL;
}

/* Is that allocator really in use? LD_PRELOAD of what is not there is a warning. */
static bool mapped(const char *name)
{
	FILE *f = fopen("/proc/self/maps", "r");
	bool found = false;
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		found |= !!strstr(line, name);
	if (f)
		fclose(f);
	return found;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "libc.so";
	pthread_t threads[THREADS];
	int wrongs = 0, n = 0;

	plan(2);
	result(mapped(name), "the allocator is there", "%s", name);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		wrongs += bad[i];
		n += forks[i];
	}
	result(!wrongs && n == THREADS * ROUNDS / 4,
	       "blocks of parent and children", "%d forks, %d wrong", n, wrongs);
	return finish();
}
