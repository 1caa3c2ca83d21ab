// SPDX-License-Identifier: GPL-2.0
/* Pages written or read, up to one that is not to be; what is read must be there. */
#include "harness/ops/op.h"

static enum access due(const struct step *s, const struct held *h, bool write)
{
	return !h->mapped || h->prot == NO_ACCESS || (write && h->prot != RW) ? ACCESS_SEGV :
	       is_deadly(h) ? ACCESS_GUARD :
	       is_rw_protected(h) && !(s->p->features & UFFD_FEATURE_RWP_ASYNC) ? ACCESS_PROTECTED :
	       write && is_write_protected(h) && !(s->p->features & UFFD_FEATURE_WP_ASYNC) ?
	       ACCESS_PROTECTED : ACCESS_DONE;
}

/* What the first of the pages was written to with; and what became of the last. */
static u64 content;

static int write_pages(const struct step *s)
{
	int ret = ACCESS_DONE;

	content = next_content + 1;
	for (int i = 0; i < s->nr && ret == ACCESS_DONE; i++) {
		u64 c = ++next_content;

		ret = shim_access(s->addr + i * shim_page_span, true, &c);
	}
	return ret;
}

static int expect_written(const struct step *s)
{
	u64 c = content;

	for (struct held *h = s->h; h < s->end; h++, c++) {
		enum access access = due(s, h, true);

		if (access != ACCESS_DONE)
			return access;
		h->wp = false;
		h->written = true;
		if (h->shared) {
			*file_content(h) = c;
		} else {
			h->copy = true;
			h->freed = false;
			h->content = c;
		}
	}
	return ACCESS_DONE;
}

static void draw(struct op *op, unsigned int random)
{
	op->nr = 1 + random % 8;
}

OPERATION(write) {
	.often = 18, .aims = is_writable, .draw = draw, .call = write_pages,
	.expect = expect_written,
};

static u64 found[MAX_PAGES];

static int read_pages(const struct step *s)
{
	int ret = ACCESS_DONE;

	for (int i = 0; i < s->nr && ret == ACCESS_DONE; i++)
		ret = shim_access(s->addr + i * shim_page_span, false, &found[i]);
	return ret;
}

static int expect_read(const struct step *s)
{
	const u64 *page = found;

	for (struct held *h = s->h; h < s->end; h++, page++) {
		enum access access = due(s, h, false);

		if (access != ACCESS_DONE)
			return access;
		h->wp = h->wp && !(h->uffd & RWP);
		EXPECT_EQ(*page, h->copy ? h->content : h->file < 0 ? 0 :
			  *file_content(h));
	}
	return ACCESS_DONE;
}

OPERATION(read) {
	.often = 6, .draw = draw, .unseen = true, .call = read_pages, .expect = expect_read,
};
