/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory laid out as that of a zygote: a process that loads many shared objects
 * and then only forks. Each object has three segments, all private mappings of
 * its file:
 *
 *	|   text, r-x   |pad| rodata, r-- |pad| data, rw- |
 *	|<---- VMA ---->|   |             |   |           |
 *	|<- with guards: VMA ->|<-- VMA -->   |
 *
 * Segments are aligned for pages larger than those of the machine. The loader
 * fills the padding by extending the VMA of the segment before it, and installs
 * guard regions there. Data is written to; text and rodata never are.
 */
#ifndef ZYGOTE_H
#define ZYGOTE_H

#include <stdbool.h>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif

#define ZYGOTE_OBJECTS	200
#define ZYGOTE_PAGE	4096UL

/* In pages. Padding follows text and rodata: 16 KiB alignment. */
enum { ZYGOTE_TEXT = 109, ZYGOTE_RODATA = 61, ZYGOTE_DATA = 16, ZYGOTE_PAD = 3 };

#define ZYGOTE_SPAN	(ZYGOTE_TEXT + ZYGOTE_RODATA + ZYGOTE_DATA + 2 * ZYGOTE_PAD)
#define ZYGOTE_MIB	(ZYGOTE_OBJECTS * ZYGOTE_SPAN * ZYGOTE_PAGE >> 20)
#define ZYGOTE_GUARDS	(2 * ZYGOTE_OBJECTS)	/* guard regions */

static inline char *zygote_segment(char *m, int pages, int prot, int fd, long *off)
{
	char *p = mmap(m, pages * ZYGOTE_PAGE, prot, MAP_PRIVATE | MAP_FIXED, fd,
		       *off * ZYGOTE_PAGE);

	*off += pages;
	return p == MAP_FAILED ? p : p + pages * ZYGOTE_PAGE;
}

/**
 * zygote_map - map and populate the segments of all objects
 * @fd: a file of ZYGOTE_OBJECTS * ZYGOTE_SPAN pages, in the page cache
 * @guards: install guard regions in the padding
 * @populate: read all of text and rodata
 *
 * Return: where the first object begins; NULL, and errno, on failure.
 */
static inline char *zygote_map(int fd, bool guards, bool populate)
{
	static const int pages[] = { ZYGOTE_TEXT, ZYGOTE_RODATA };
	static const int prots[] = { PROT_READ | PROT_EXEC, PROT_READ };
	const unsigned long len = ZYGOTE_OBJECTS * ZYGOTE_SPAN * ZYGOTE_PAGE;
	char *m, *base, *pad;
	long off = 0;
	int i, s;

	/* Nothing but padding where there are no guards: as loaders do it. */
	base = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	for (i = 0, m = base; i < ZYGOTE_OBJECTS; i++) {
		for (s = 0; s < 2; s++) {
			m = zygote_segment(m, pages[s] + ZYGOTE_PAD * guards,
					   prots[s], fd, &off);
			if (m == MAP_FAILED)
				return NULL;
			pad = guards ? m - ZYGOTE_PAD * ZYGOTE_PAGE : m;
			if (populate && madvise(pad - pages[s] * ZYGOTE_PAGE,
						pages[s] * ZYGOTE_PAGE,
						MADV_POPULATE_READ))
				return NULL;
			if (guards && madvise(pad, ZYGOTE_PAD * ZYGOTE_PAGE,
					      MADV_GUARD_INSTALL))
				return NULL;
			if (!guards) {
				off += ZYGOTE_PAD;
				m += ZYGOTE_PAD * ZYGOTE_PAGE;
			}
		}
		m = zygote_segment(m, ZYGOTE_DATA, PROT_READ | PROT_WRITE, fd, &off);
		if (m == MAP_FAILED)
			return NULL;
		for (s = 1; s <= ZYGOTE_DATA; s++)
			m[-s * (long)ZYGOTE_PAGE] = 1;
	}
	return base;
}

/* Whether a page of an object, counted from its first, is padding. */
static inline bool zygote_is_pad(unsigned long page)
{
	page %= ZYGOTE_SPAN;
	return (page >= ZYGOTE_TEXT && page < ZYGOTE_TEXT + ZYGOTE_PAD) ||
	       (page >= ZYGOTE_TEXT + ZYGOTE_PAD + ZYGOTE_RODATA &&
		page < ZYGOTE_SPAN - ZYGOTE_DATA);
}

#endif
