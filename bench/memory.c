// SPDX-License-Identifier: GPL-2.0
/*
 * What ordinary memory costs, and guards around slots: lines as fork.c has them.
 *
 *	scenario,count,-
 *
 * Scenarios of the group "plain" are what no guard region may slow down: the
 * smallest of some runs of one call, or of a touch of every page. Those of the
 * group "slots" put a guard behind each of 100,000 slots of four pages, with
 * MADV_GUARD_INSTALL and with PROT_NONE: what it takes, and what it leaves in
 * VMAs, slab memory (KiB) and page tables (KiB).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "count.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#endif

#define PAGES		4096UL		/* of an ordinary mapping */
#define RUNS		20
#define SLOTS		100000UL
#define SLOT_PAGES	4UL

static void die(const char *what)
{
	fprintf(stderr, "# memory: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *map(size_t pages, int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	char *m = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (m == MAP_FAILED)
		die("mmap");
	madvise(m, pages * PAGE, MADV_NOHUGEPAGE);
	return m;
}

static void touch(char *m, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		m[i * PAGE] = 1;
}

enum call {
	FAULT, MPROTECT, MPROTECT_PAGE, MLOCK, MADVISE, GUARD_FIRST, GUARD_NEXT, MUNMAP,
};

static const char *const calls[] = {
	[FAULT] = "fault-4096-pages", [MPROTECT] = "mprotect-16M",
	[MPROTECT_PAGE] = "mprotect-one-page", [MLOCK] = "mlock-munlock-16M",
	[MADVISE] = "madvise-dontdump-dodump", [GUARD_FIRST] = "guard-install-first",
	[GUARD_NEXT] = "guard-install-next", [MUNMAP] = "munmap-16M",
};

/* Instructions or ns of one call; 0 if the kernel has no guard regions. */
static unsigned long once(enum call call, int fd)
{
	char *m = map(PAGES, fd);
	unsigned long t;
	int ret = 0;

	if (call != FAULT)
		touch(m, PAGES);
	if (call == GUARD_NEXT)
		madvise(m, PAGE, MADV_GUARD_INSTALL);
	t = count();
	switch (call) {
	case FAULT:
		touch(m, PAGES);
		break;
	case MPROTECT:
		ret = mprotect(m, PAGES * PAGE, PROT_READ);
		break;
	case MPROTECT_PAGE:
		/* A split in three, and a merge. */
		ret = mprotect(m + PAGES / 2 * PAGE, PAGE, PROT_READ) ||
		      mprotect(m + PAGES / 2 * PAGE, PAGE, PROT_READ | PROT_WRITE);
		break;
	case MLOCK:
		ret = mlock(m, PAGES * PAGE) || munlock(m, PAGES * PAGE);
		break;
	case MADVISE:
		ret = madvise(m, PAGES * PAGE, MADV_DONTDUMP) ||
		      madvise(m, PAGES * PAGE, MADV_DODUMP);
		break;
	case GUARD_FIRST:
	case GUARD_NEXT:
		ret = madvise(m + PAGES / 2 * PAGE, PAGE, MADV_GUARD_INSTALL);
		break;
	case MUNMAP:
		ret = munmap(m, PAGES * PAGE);
		break;
	}
	t = count() - t;
	if (ret && (call == GUARD_FIRST || call == GUARD_NEXT) && errno == EINVAL)
		t = 0;
	else if (ret)
		die(calls[call]);
	if (call != MUNMAP)
		munmap(m, PAGES * PAGE);
	return t;
}

static void measure(enum call call, bool shmem)
{
	unsigned long best = -1UL, t;
	int i, fd = -1;

	if (shmem) {
		fd = memfd_create("bench", 0);
		if (fd < 0 || ftruncate(fd, PAGES * PAGE))
			die("memfd");
		/* The pages are there already: a fault only maps them. */
		once(FAULT, fd);
	}
	for (i = 0; i < RUNS; i++) {
		t = once(call, fd);
		if (t < best)
			best = t;
	}
	if (best)
		printf("plain/%s/%s,%lu,-\n", calls[call],
		       shmem ? "shmem" : "anonymous", best);
	else
		printf("plain/%s/%s,-,-\n", calls[call], shmem ? "shmem" : "anonymous");
	fflush(stdout);
	close(fd);
}

/* The number after @name in a file of /proc. */
static long value_of(const char *path, const char *name)
{
	char line[256];
	long value = -1;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name));
	if (f)
		fclose(f);
	return value;
}

static long count_vmas(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	long lines = 0;
	int c;

	while (f && (c = getc(f)) != EOF)
		lines += c == '\n';
	if (f)
		fclose(f);
	return lines;
}

static int guard(char *m, bool with_vma)
{
	return with_vma ? mprotect(m, PAGE, PROT_NONE) :
			  madvise(m, PAGE, MADV_GUARD_INSTALL);
}

static void guard_slots(bool with_vma)
{
	const char *name = with_vma ? "prot-none" : "guard-install";
	long slab = value_of("/proc/meminfo", "Slab:");
	long vmas = count_vmas();
	long tables = value_of("/proc/self/status", "VmPTE:");
	unsigned long i, t;
	char *m;

	m = map(SLOTS * (SLOT_PAGES + 1), -1);
	t = count();
	for (i = 1; i <= SLOTS; i++) {
		if (!guard(m + (i * (SLOT_PAGES + 1) - 1) * PAGE, with_vma))
			continue;
		if (errno != EINVAL)
			die(name);
		printf("slots/%s,-,-\n", name);
		return;
	}
	t = count() - t;
	printf("slots/%s,%lu,-\n", name, t);
	printf("slots/%s/vmas,%ld,-\n", name, count_vmas() - vmas);
	printf("slots/%s/slab-kb,%ld,-\n", name, value_of("/proc/meminfo", "Slab:") - slab);
	printf("slots/%s/vmpte-kb,%ld,-\n", name,
	       value_of("/proc/self/status", "VmPTE:") - tables);
}

int main(int argc, char **argv)
{
	const char *only = argc > 2 ? argv[2] : "";
	enum call call;
	int fd, status, i;

	if (!count_begin(argv))
		die("exec");
	for (call = FAULT; call <= MUNMAP && (!*only || !strcmp(only, "plain")); call++) {
		measure(call, false);
		measure(call, true);
	}
	if (*only && strcmp(only, "slots"))
		return 0;
	/* A VMA a slot and one a guard. */
	fd = open("/proc/sys/vm/max_map_count", O_WRONLY);
	if (fd < 0 || write(fd, "300000", 6) != 6)
		die("/proc/sys/vm/max_map_count");
	close(fd);
	/* A process each: none sees what the other left. */
	for (i = 0; i < 2; i++) {
		if (fork() == 0) {
			guard_slots(i);
			fflush(stdout);
			_exit(0);
		}
		if (wait(&status) < 0 || status)
			return 1;
	}
	return 0;
}
