// SPDX-License-Identifier: GPL-2.0
/*
 * UFFDIO_COPY and UFFDIO_ZEROPAGE, of shared memory into the file, UFFDIO_CONTINUE of shmem,
 * and UFFDIO_POISON, up to a page that is there; .arg 1: write-protected.
 */
#include "harness/ops/op.h"

#define MOST	8

static int vma_end;			/* of the first of the range */
static bool is_empty[MOST], is_free[MOST], is_cached[MOST];
static u64 content;

static struct folio *cached(const struct held *h)
{
	return files[(int)h->file].file->f_mapping->folio[h->pgoff % FILE_PAGES];
}

static bool is_shmem(const struct held *h)
{
	return h->file >= 0 && files[(int)h->file].shmem;
}

/* Nothing is there yet, as far as it is its own to know. */
static bool can_be_filled(const struct held *h)
{
	return h->uffd && !is_plain_file(h) && !h->copy && !h->guard &&
	       !(h->shared && cached(h));
}

/* The zero page of a private mapping would hide what the file has. */
static bool can_be_zeroed(const struct held *h)
{
	return can_be_filled(h) && (h->shared || h->file < 0);
}

static bool sensible(const struct step *s)
{
	struct vm_area_struct *vma = shim_vma_at(s->addr);

	if (!HAS_WP || shim_page_span != PAGE_SIZE || s->nr > MOST || !s->h->mapped)
		return false;
	vma_end = (vma->vm_end - PROGRAM_START) >> PAGE_SHIFT;
	for (int i = 0; i < s->nr; i++) {
		unsigned long addr = s->addr + i * PAGE_SIZE;
		struct seen seen = look(table_at(s->p->mm, addr), s->at + i);

		is_cached[i] = is_shmem(&s->h[i]) && cached(&s->h[i]);
		is_empty[i] = !seen.there;
		/* A marker of userfaultfd's own is not in the way, poison neither. */
		is_free[i] = is_empty[i] || (seen.marker && !seen.guard &&
					     (seen.wp || seen.poison));
	}
	/* Once in a while it is refused. */
	return (s->h->uffd && is_free[0] && s->at + s->nr <= vma_end) || !(s->arg & 6);
}

static bool sensible_to_zero(const struct step *s)
{
	return (s->h->shared || s->h->file < 0) && sensible(s);
}

static void draw(struct op *op, unsigned int random)
{
	op->nr = 1 + random % MOST;
}

static int copy(const struct step *s)
{
	static u64 from[MOST][PAGE_SIZE / sizeof(u64)];

	content = next_content + 1;
	for (int i = 0; i < s->nr; i++)
		from[i][0] = ++next_content;
	return ioctl_returns(tree_uffd_copy(s->p->ctx, s->addr, from, s->len, s->arg & 1), s);
}

static int refusal(const struct step *s)
{
	return !s->h->uffd || s->at + s->nr > vma_end ? -ENOENT :
	       is_plain_file(s->h) ? -EINVAL : 0;
}

/* Of what may be asked to protect it from writes at once. */
static int refusal_to_protect(const struct step *s)
{
	return refusal(s) ?: s->arg & 1 && !(s->h->uffd & WP) ? -EINVAL : 0;
}

/* A page of the file, for all who map it; for want of memory there may be none yet. */
static int expect_filled(const struct step *s, int i, u64 with)
{
	unsigned long addr = s->addr + i * PAGE_SIZE;
	struct held *h = &s->h[i];
	bool is_there;

	if (!is_free[i] || is_cached[i])
		return i ? -EAGAIN : -EEXIST;
	is_there = look(table_at(s->p->mm, addr), s->at + i).page;
	if (!(cached(h) && is_there) && !s->fail)
		test_fail(__FILE__, __LINE__, "page %d is not in the file, or not mapped", s->at + i);
	if (cached(h))
		*file_content(h) = with;
	h->poison = h->wp = false;
	h->written = is_there;
	return 0;
}

static int expect_copied(const struct step *s)
{
	int ret = refusal_to_protect(s);

	for (int i = 0; i < s->nr && !ret; i++) {
		struct held *h = &s->h[i];

		if (h->shared) {
			ret = expect_filled(s, i, content + i);
		} else if (!is_free[i]) {
			ret = i ? -EAGAIN : -EEXIST;
		} else {
			h->copy = h->written = true;
			h->freed = h->poison = false;
			h->content = content + i;
		}
		if (!ret)
			h->wp = s->arg & 1;
	}
	return ret;
}

OPERATION(uffd_copy) {
	.often = 2, .aims = can_be_filled, .draw = draw, .sensible = sensible,
	.call = copy, .expect = expect_copied,
	.allocates = true, .partly = partly_done,
};

static int zeropage(const struct step *s)
{
	int ret = ioctl_returns(tree_uffd_zeropage(s->p->ctx, s->addr, s->len), s);

	/* Else the next read would fault, and userfaultfd be told once more. */
	for (int i = s->at; !ret && i < s->at + s->nr; i++)
		EXPECT(look(table_at(s->p->mm, page_addr(i)), i).there);
	return ret;
}

static int expect_where_empty(const struct step *s, bool poison)
{
	if (refusal(s))
		return refusal(s);
	for (int i = 0; i < s->nr; i++) {
		if (!is_empty[i])
			return i ? -EAGAIN : -EEXIST;
		s->h[i].poison = poison;
	}
	return 0;
}

/* The zero page is nothing of its own; a file gets a page. */
static int expect_zeropage(const struct step *s)
{
	int ret = refusal(s);

	if (ret || !s->h->shared)
		return expect_where_empty(s, false);
	for (int i = 0; i < s->nr && !ret; i++)
		ret = expect_filled(s, i, 0);
	return ret;
}

OPERATION(uffd_zeropage) {
	.often = 1, .aims = can_be_zeroed, .unseen = true, .draw = draw,
	.sensible = sensible_to_zero, .call = zeropage, .expect = expect_zeropage,
	.allocates = true, .partly = partly_done,
};

static bool can_be_poisoned(const struct held *h)
{
	return h->uffd && !h->copy && !is_deadly(h) && !is_plain_file(h);
}

static int poison(const struct step *s)
{
	return ioctl_returns(tree_uffd_poison(s->p->ctx, s->addr, s->len), s);
}

static int expect_poisoned(const struct step *s)
{
	return expect_where_empty(s, true);
}

OPERATION(uffd_poison) {
	.often = 2, .aims = can_be_poisoned, .draw = draw, .sensible = sensible, .call = poison,
	.expect = expect_poisoned, .allocates = true, .partly = partly_done,
};

static bool can_continue(const struct held *h)
{
	return h->uffd && is_shmem(h) && !h->copy && !h->guard && cached(h);
}

static bool sensible_to_continue(const struct step *s)
{
	return is_shmem(s->h) && sensible(s);
}

static int call_continue(const struct step *s)
{
	return ioctl_returns(tree_uffd_continue(s->p->ctx, s->addr, s->len, s->arg & 1), s);
}

/* What is in the page cache is mapped. */
static int expect_continued(const struct step *s)
{
	if (refusal_to_protect(s))
		return refusal_to_protect(s);
	for (int i = 0; i < s->nr; i++) {
		int ret = !cached(&s->h[i]) ? -EFAULT : !is_free[i] ? -EEXIST : 0;

		if (ret)
			return i ? -EAGAIN : ret;
		s->h[i].poison = false;
		s->h[i].wp = s->arg & 1;
	}
	return 0;
}

OPERATION(uffd_continue) {
	.often = 2, .aims = can_continue, .unseen = true, .draw = draw,
	.sensible = sensible_to_continue, .call = call_continue, .expect = expect_continued,
	.allocates = true, .partly = partly_done,
};
