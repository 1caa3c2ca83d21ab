// SPDX-License-Identifier: GPL-2.0
/*
 * usage: guarded FOLDER GENERATIONS
 *
 * What CRIU dumps and restores: a process, its child and so on, each with guard
 * regions in anonymous, shmem and file mappings:
 *
 *      [ data | data |guard|guard| none | data |guard| data ]
 *
 * SIGUSR1 has the process look at all of it and write what is wrong to
 * FOLDER/PID.said; SIGUSR2 has it write to one page of data, another each time. Guard
 * regions that the kernel does not have are pages of data.
 */
#define _GNU_SOURCE
#include "ktap.h"
#include <fcntl.h>
#include <sys/prctl.h>

#define PAGES	8

enum { DATA, NONE, GUARD };

static const int layout[PAGES] = { DATA, DATA, GUARD, GUARD, NONE, DATA, GUARD, DATA };
static const char * const names[] = { "anonymous", "shmem", "file", "private file" };

#define MAPPINGS	4

static unsigned char *mappings[MAPPINGS];
static size_t page;
static bool guards;
static int touched, generation;

static bool is_guard(int i)
{
	return guards && layout[i] == GUARD;
}

/* A page of shared memory is the same for each generation. */
static unsigned char mark(int m, int i)
{
	return 16 + m * 40 + i * 4 + (m == 0 ? touched % 4 : 0);
}

static void fill(int m, int i)
{
	if (layout[i] != NONE && !is_guard(i))
		memset(mappings[m] + i * page, mark(m, i), page);
}

static void look(const char *folder)
{
	char path[256];
	int wrong = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d.said", folder, getpid());
	f = fopen(path, "w");
	if (!f)
		give_up(path);
	for (int m = 0; m < MAPPINGS; m++) {
		for (int i = 0; i < PAGES; i++) {
			unsigned char *p = mappings[m] + i * page;
			unsigned char is = layout[i] == NONE ? 0 : mark(m, i);
			bool bad;

			if (is_guard(i))
				bad = readable(p);
			else
				bad = !readable(p) || p[0] != is ||
				      p[page - 1] != is;
			if (bad)
				fprintf(f, "%s: page %d is wrong\n", names[m], i);
			wrong += bad;
		}
	}
	fprintf(f, "generation %d, touched %d, wrong %d\n", generation, touched,
		wrong);
	fclose(f);
}

static void map(const char *folder)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/mapped", folder);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, PAGES * page))
		give_up(path);
	for (int m = 0; m < MAPPINGS; m++) {
		int flags[] = { MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS,
				MAP_SHARED, MAP_PRIVATE };

		mappings[m] = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
				   flags[m], m < 2 ? -1 : fd, 0);
		if (mappings[m] == MAP_FAILED)
			give_up("mmap");
	}
	close(fd);
	/* The file has its data before a private mapping of it is written to. */
	for (int m = 0; m < MAPPINGS; m++)
		for (int i = 0; i < PAGES; i++)
			fill(m, i);
	for (int m = 0; m < MAPPINGS; m++)
		for (int i = 0; i < PAGES; i++)
			if (is_guard(i) && madvise(mappings[m] + i * page, page,
						   MADV_GUARD_INSTALL))
				give_up("MADV_GUARD_INSTALL");
}

int main(int argc, char **argv)
{
	sigset_t set;
	int sig;

	if (argc != 3)
		return 2;
	page = sysconf(_SC_PAGESIZE);
	guards = has_guards();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	map(argv[1]);
	while (generation < atoi(argv[2])) {
		pid_t pid = fork();

		if (pid < 0)
			give_up("fork");
		if (pid)
			break;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		generation++;
	}
	look(argv[1]);
	while (!sigwait(&set, &sig)) {
		if (sig == SIGUSR1) {
			look(argv[1]);
		} else {
			touched++;
			for (int i = 0; i < PAGES; i++)
				fill(0, i);
		}
	}
	return 1;
}
