// SPDX-License-Identifier: GPL-2.0
/*
 * A hole in the file that is mapped there, or (.arg 1) its end cut off and put back: in all
 * processes that map it. And MADV_REMOVE, of what is mapped shared.
 */
#include "harness/ops/op.h"

static bool is_file(const struct held *h)
{
	return h->mapped && h->file >= 0;
}

static bool is_shared_file(const struct held *h)
{
	return is_file(h) && h->shared;
}

/* The page cache of the model knows so many pages of a file. */
static bool is_known(int file)
{
	for (int n = 0; n < nr_processes; n++)
		for (int i = 0; i < nr_pages; i++) {
			const struct held *h = &process[n].page[i];

			if (is_file(h) && h->file == file && h->pgoff >= FILE_PAGES)
				return false;
		}
	return true;
}

/* Private pages and poison stay, unless the file ends before them; guards and write protection do. */
static void punched(int file, unsigned int first, int nr, bool truncated)
{
	memset(&files[file].content[first], 0, nr * sizeof(files[file].content[0]));
	for (int n = 0; n < nr_processes; n++)
		for (int i = 0; i < nr_pages; i++) {
			struct held *h = &process[n].page[i];

			if (!is_file(h) || h->file != file || h->pgoff < first ||
			    h->pgoff >= first + nr)
				continue;
			h->copy = h->copy && !truncated;
			h->poison = h->poison && !truncated;
			h->written = h->written && h->copy;
			h->wp = h->wp && (h->copy || !(h->uffd & RWP));
		}
}

static bool sensible(const struct step *s)
{
	return is_file(s->h) && s->h->pgoff + s->nr <= FILE_PAGES && is_known(s->h->file);
}

static int pages(const struct step *s)
{
	return s->arg & 1 ? (int)(FILE_PAGES - s->h->pgoff) : s->nr;
}

static int call(const struct step *s)
{
	shim_file_punch(files[(int)s->h->file].file, s->h->pgoff, pages(s), s->arg & 1);
	return 0;
}

static int expect(const struct step *s)
{
	punched(s->h->file, s->h->pgoff, pages(s), s->arg & 1);
	return 0;
}

OPERATION(punch) {
	.often = 3, .aims = is_file, .sensible = sensible, .call = call, .expect = expect,
};

static bool can_be_removed(const struct step *s)
{
	for (const struct held *h = s->h; h < s->end; h++)
		if (is_file(h) && !is_known(h->file))
			return false;
	return true;
}

static int remove_pages(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_REMOVE);
}

static int expect_removed(const struct step *s)
{
	for (const struct held *h = s->h; h < s->end; h++) {
		if (!h->mapped)
			continue;
		if (no_discard(h))
			return -EPERM;
		if (h->locked || h->file < 0)
			return -EINVAL;
		if (!h->shared)
			return -EACCES;
		punched(h->file, h->pgoff, 1, false);
	}
	return hole_error(s);
}

OPERATION(remove) {
	.often = 2, .aims = is_shared_file, .sensible = can_be_removed, .call = remove_pages,
	.expect = expect_removed,
};
