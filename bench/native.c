// SPDX-License-Identifier: GPL-2.0
/*
 * What fork() of guarded memory costs on this very machine, and what it would
 * cost with guard markers as all that is copied.
 *
 *	usage: native [REPEATS]
 *
 * For a kernel that has guard regions and copies the whole page tables of their
 * VMAs (since VM_MAYBE_GUARD is a copy-on-fork flag). Three parents fork:
 *
 *	none	no guard, all pages mapped: nothing is copied
 *	whole	guards, all pages mapped: everything is copied
 *	markers	guards, no page mapped: the child gets the markers and nothing
 *		else, as it would from the patched kernel
 *
 * What "markers" leaves out is that fork() would read the parent's PTEs for
 * markers. The column "scan" has the time to read as much memory.
 *
 * All times are CPU time in microseconds: of the parent's thread in fork(), of
 * the child's thread while it reads one byte a page, and of the child from
 * birth to end. Median of some repeats, each with a parent of its own, the three
 * parents taking turns; smallest and largest in brackets.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "zygote.h"

#define PAGE		4096UL
#define TABLE_PAGES	512UL
#define SHMEM_PAGES	(256UL << 20 >> 12)
#define REPEATS		9
#define MAX_REPEATS	99
#define FORKS		7	/* a parent; the median of them counts */

enum parent { NONE, WHOLE, MARKERS, NR_PARENTS };
enum column { FORK, READ, CHILD, SCAN, NR_COLUMNS };

static const char *const parents[] = { "none", "whole", "markers" };
static const char *const columns[] = { "fork", "child's read", "child", "scan" };
static const int percents[] = { 0, 1, 10, 100 };

/* Guards are @guard_step pages apart; 0 stands for a zygote. */
static const struct layout {
	const char *name;
	unsigned long pages, guard_step;
} layouts[] = {
	{ "shmem, 256 MiB, 1 guard page", SHMEM_PAGES, SHMEM_PAGES },
	{ "shmem, 256 MiB, one in each page table", SHMEM_PAGES, TABLE_PAGES },
	{ "shmem, 256 MiB, 1,024 guard pages", SHMEM_PAGES, SHMEM_PAGES / 1024 },
	{ "zygote, 200 objects, guards in padding", ZYGOTE_OBJECTS * ZYGOTE_SPAN, 0 },
};

static void die(const char *what)
{
	fprintf(stderr, "native: %s%s%s\n", what, errno ? ": " : "",
		errno ? strerror(errno) : "");
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static bool is_guard(const struct layout *l, unsigned long page)
{
	return l->guard_step ? page % l->guard_step == l->guard_step / 2 :
			       zygote_is_pad(page);
}

static char *map(const struct layout *l, int fd, enum parent parent)
{
	unsigned long i;
	char *m;

	if (!l->guard_step) {
		m = zygote_map(fd, parent != NONE, parent != MARKERS);
		if (!m)
			die("zygote");
		return m;
	}
	/* Aligned to what a page table maps. */
	m = mmap(NULL, (l->pages + TABLE_PAGES) * PAGE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	m = (char *)(((uintptr_t)m + TABLE_PAGES * PAGE - 1) & -(TABLE_PAGES * PAGE));
	m = mmap(m, l->pages * PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, 0);
	if (m == MAP_FAILED)
		die("mmap");
	madvise(m, l->pages * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; parent != MARKERS && i < l->pages; i++)
		m[i * PAGE] = 1;
	for (i = 0; parent != NONE && i < l->pages; i++)
		if (is_guard(l, i) && madvise(m + i * PAGE, PAGE, MADV_GUARD_INSTALL))
			die("MADV_GUARD_INSTALL");
	return m;
}

static uint64_t pagemap_entry(const char *m, unsigned long page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (pread(fd, &entry, sizeof(entry),
		  ((uintptr_t)m / PAGE + page) * sizeof(entry)) != sizeof(entry))
		die("/proc/self/pagemap");
	close(fd);
	return entry;
}

/* Is this child what the comparison takes it for? */
static void check_child(const struct layout *l, const char *m, enum parent parent)
{
	const bool present = pagemap_entry(m, 0) >> 63;
	unsigned long page;

	for (page = 0; !is_guard(l, page); page++)
		;
	errno = 0;
	if (parent != NONE && !(pagemap_entry(m, page) >> 58 & 1))
		die("this kernel's fork() loses guards of such mappings");
	if (present != (parent == WHOLE))
		die("the child's page table is not as expected");
}

/* As many words as the parent has PTEs. */
static double scan(const uint64_t *words, unsigned long nr)
{
	unsigned long i, found = 0;
	double t = now();

	for (i = 0; i < nr; i++)
		found += (words[i] & 0x101) == 0x100;
	t = now() - t;
	/* What was found is used, or the compiler would not read it. */
	if (found)
		die("scan");
	return t;
}

static int compare(const void *a, const void *b)
{
	return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b);
}

static double median(double *values, int nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return values[nr / 2];
}

static double child_cpu(const struct rusage *r)
{
	return (r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1e6 +
	       r->ru_utime.tv_usec + r->ru_stime.tv_usec;
}

/* A parent's life: @result in shared memory. */
static void run(const struct layout *l, int fd, enum parent parent, int percent,
		double *result)
{
	double times[NR_COLUMNS][FORKS], *read_time = result + READ, t;
	char *m = map(l, fd, parent);
	uint64_t *words = malloc(l->pages * sizeof(*words));
	unsigned long page, sum;
	struct rusage usage;
	int i, c, status;
	pid_t pid;

	if (!words)
		die("malloc");
	memset(words, 1, l->pages * sizeof(*words));
	for (i = -1; i < FORKS; i++) {
		t = now();
		pid = fork();
		if (!pid) {
			if (i < 0)
				check_child(l, m, parent);
			t = now();
			for (page = sum = 0; percent && page < l->pages;
			     page += 100 / percent)
				if (!is_guard(l, page))
					sum += m[page * PAGE];
			*read_time = now() - t;
			/* What was read is used, or it would not be read. */
			_exit(sum == -1UL);
		}
		t = now() - t;
		if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
			die("child");
		if (i < 0)	/* to warm up */
			continue;
		times[FORK][i] = t;
		times[READ][i] = *read_time;
		times[CHILD][i] = child_cpu(&usage);
		times[SCAN][i] = parent == MARKERS ? scan(words, l->pages) : 0;
	}
	for (c = 0; c < NR_COLUMNS; c++)
		result[c] = median(times[c], FORKS);
}

static void measure(const struct layout *l, int fd, int percent, int repeats,
		    double *result)
{
	static double times[NR_PARENTS][NR_COLUMNS][MAX_REPEATS];
	char spread[32];
	int i, p, c, status;

	for (i = 0; i < repeats; i++) {
		for (p = 0; p < NR_PARENTS; p++) {
			if (!fork()) {
				run(l, fd, p, percent, result);
				_exit(0);
			}
			if (wait(&status) < 0 || status)
				exit(1);
			for (c = 0; c < NR_COLUMNS; c++)
				times[p][c][i] = result[c];
		}
	}
	for (p = 0; p < NR_PARENTS; p++) {
		printf("  %3d%%  %-8s", percent, parents[p]);
		for (c = 0; c < NR_COLUMNS; c++) {
			double *v = times[p][c], m = median(v, repeats);

			snprintf(spread, sizeof(spread), "[%.0f-%.0f]", v[0],
				 v[repeats - 1]);
			printf("  %7.0f %-*s", m, c < SCAN ? 15 : 0, spread);
		}
		printf("\n");
	}
	fflush(stdout);
}

static void print_machine(void)
{
	char line[256], cpu[256] = "";
	FILE *f = fopen("/proc/cpuinfo", "r");
	struct utsname u;

	uname(&u);
	while (f && !*cpu && fgets(line, sizeof(line), f))
		sscanf(line, "model name : %255[^\n]", cpu);
	if (f)
		fclose(f);
	printf("%s %s, %s\n", u.sysname, u.release, *cpu ? cpu : u.machine);
}

int main(int argc, char **argv)
{
	int repeats = argc > 1 ? atoi(argv[1]) : REPEATS;
	double *result;
	unsigned int i, j;
	char *m;
	int fd;

	if (repeats < 1 || repeats > MAX_REPEATS)
		repeats = REPEATS;
	result = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = memfd_create("native", 0);
	if (result == MAP_FAILED || fd < 0 || ftruncate(fd, SHMEM_PAGES * PAGE))
		die("memfd");
	for (i = 0; i < SHMEM_PAGES; i++)
		if (pwrite(fd, "", 1, i * PAGE) != 1)
			die("memfd");
	/* Each page has a mapping more: the parents' would not be the first. */
	m = mmap(NULL, SHMEM_PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED ||
	    madvise(m, SHMEM_PAGES * PAGE, MADV_POPULATE_READ) ||
	    madvise(m, SHMEM_PAGES * PAGE, MADV_DONTFORK))
		die("mmap");
	print_machine();
	printf("CPU time, us: median of %d [smallest-largest]\n", repeats);
	for (i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		printf("%s\n  read  parent     ", layouts[i].name);
		for (j = 0; j < NR_COLUMNS; j++)
			printf("%-25s", columns[j]);
		printf("\n");
		for (j = 0; j < sizeof(percents) / sizeof(*percents); j++)
			measure(&layouts[i], fd, percents[j], repeats, result);
	}
	return 0;
}
