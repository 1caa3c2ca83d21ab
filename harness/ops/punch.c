// SPDX-License-Identifier: GPL-2.0
/*
 * A hole in the file that is mapped there, or (.arg 1) its end cut off and put back: in all
 * processes that map it.
 */
#include "harness/ops/op.h"

static bool is_file(const struct held *h)
{
	return h->mapped && h->file >= 0;
}

/* The page cache of the model knows so many pages of a file. */
static bool is_known(const struct step *s)
{
	if (!is_file(s->h) || s->h->pgoff + s->nr > FILE_PAGES)
		return false;
	for (int n = 0; n < nr_processes; n++)
		for (int i = 0; i < nr_pages; i++) {
			const struct held *h = &process[n].page[i];

			if (is_file(h) && h->file == s->h->file && h->pgoff >= FILE_PAGES)
				return false;
		}
	return true;
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

/* Private pages and poison stay, unless the file ends before them; guards and write protection do. */
static int expect(const struct step *s)
{
	int file = s->h->file, nr = pages(s);
	unsigned int first = s->h->pgoff;

	memset(&files[file].content[first], 0, nr * sizeof(files[file].content[0]));
	for (int n = 0; n < nr_processes; n++)
		for (int i = 0; i < nr_pages; i++) {
			struct held *h = &process[n].page[i];

			if (!is_file(h) || h->file != file || h->pgoff < first ||
			    h->pgoff >= first + nr)
				continue;
			h->copy = h->copy && !(s->arg & 1);
			h->poison = h->poison && !(s->arg & 1);
			h->written = h->written && h->copy;
			h->wp = h->wp && (h->copy || !(h->uffd & RWP));
		}
	return 0;
}

OPERATION(punch) {
	.often = 3, .aims = is_file, .sensible = is_known, .call = call, .expect = expect,
};
