// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD: give each big anonymous shared mapping of a program one more page,
 * and make that a guard region, as an allocator in shared memory would:
 *
 *      [ shared memory, as the program asked for | guard ]
 *
 * PREPARE=guard does so, PREPARE=populate has the mapping's pages present in the
 * page tables of whoever maps it, PREPARE=guard+populate both. It exits with 3
 * where the kernel has no guard regions.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#endif
#define BIG	(64UL << 20)

void *mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	static void *(*next)(void *, size_t, int, int, int, off_t);
	const char *prepare = getenv("PREPARE");
	int both = MAP_SHARED | MAP_ANONYMOUS;
	size_t page = 4096;
	char *p;

	if (!next)
		next = dlsym(RTLD_NEXT, "mmap");
	if (!prepare || size < BIG || (flags & both) != both)
		return next(addr, size, prot, flags, fd, offset);
	if (strstr(prepare, "guard"))
		size += page;
	p = next(addr, size, prot, flags, fd, offset);
	if (p == MAP_FAILED)
		return p;
	if (strstr(prepare, "populate") &&
	    madvise(p, size, MADV_POPULATE_WRITE))
		_exit(4);
	if (strstr(prepare, "guard") &&
	    madvise(p + size - page, page, MADV_GUARD_INSTALL))
		_exit(3);
	return p;
}

/* The name that it has in programs with 64-bit file offsets. */
void *mmap64(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
	__attribute__((alias("mmap")));
