// SPDX-License-Identifier: GPL-2.0
/*
 * usage: guards [PID]
 *
 * Exit status 0 if this kernel has guard regions; with a PID, if that process has
 * one in a shared mapping of 64 MiB or more: its last page cannot be read, the one
 * before can.
 */
#define _GNU_SOURCE
#include "ktap.h"
#include <sys/uio.h>

static bool readable_in(pid_t pid, unsigned long addr)
{
	char c;
	struct iovec to = { &c, 1 }, from = { (void *)addr, 1 };

	return process_vm_readv(pid, &to, 1, &from, 1, 0) == 1;
}

int main(int argc, char **argv)
{
	unsigned long start, end, page = sysconf(_SC_PAGESIZE);
	char path[64], line[512], perms[8];
	pid_t pid;
	FILE *f;

	if (argc < 2)
		return has_guards() ? 0 : 1;
	pid = atoi(argv[1]);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, perms) != 3 ||
		    strcmp(perms, "rw-s") || end - start < 64 << 20)
			continue;
		printf("%s", line);
		return !readable_in(pid, end - page) &&
		       readable_in(pid, end - 2 * page) ? 0 : 1;
	}
	printf("no such mapping in %s\n", path);
	return 2;
}
