// SPDX-License-Identifier: GPL-2.0
/* A byte written or read; what a read returns is what must be there. */
#include "harness/ops/op.h"

static u64 content;

static enum access due(const struct held *h, bool write)
{
	return !h->mapped || h->prot == NO_ACCESS || (write && h->prot != RW) ? ACCESS_SEGV :
	       h->guard ? ACCESS_GUARD :
	       write && h->wp ? ACCESS_PROTECTED : ACCESS_DONE;
}

static int write_page(const struct step *s)
{
	content = ++next_content;
	return shim_access(s->addr, true, &content);
}

static int expect_written(const struct step *s)
{
	struct held *h = s->h;
	enum access access = due(h, true);

	if (access == ACCESS_DONE && h->shared) {
		files[(int)h->file].content[h->pgoff] = content;
	} else if (access == ACCESS_DONE) {
		h->copy = true;
		h->content = content;
	}
	return access;
}

OPERATION(write) {
	.often = 14, .over_holes = true, .call = write_page, .expect = expect_written,
};

static int read_page(const struct step *s)
{
	return shim_access(s->addr, false, &content);
}

static int expect_read(const struct step *s)
{
	const struct held *h = s->h;
	enum access access = due(h, false);

	if (access == ACCESS_DONE)
		EXPECT_EQ(content, h->copy ? h->content : h->file < 0 ? 0 :
			  files[(int)h->file].content[h->pgoff]);
	return access;
}

OPERATION(read) {
	.often = 6, .over_holes = true, .call = read_page, .expect = expect_read,
};
