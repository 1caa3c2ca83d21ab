// SPDX-License-Identifier: GPL-2.0
/*
 * UFFDIO_MOVE: private pages, from page .arg on, to where nothing is. With .arg 1 holes may
 * be among them; unless it is 16 times something, from the next page that can be moved on.
 */
#include "harness/ops/op.h"

#define MOST	8
#define SEARCH	14		/* of .arg */

/* What the page tables held when it was called; then, what they must hold. */
static struct seen was[MAX_PAGES];
/* Of a page of a large folio, the first one; is that one process's alone? */
static const struct page *large[MAX_PAGES];
static bool first_alone[MAX_PAGES];
static bool has_table[8];
static int from, refused;

static bool *table_of_page(int i)
{
	return &has_table[(page_addr(i) >> PMD_SHIFT) - (PROGRAM_START >> PMD_SHIFT)];
}

static bool is_source(const struct step *s, int i)
{
	const struct held *h = &s->p->page[i];

	return was[i].alone && h->file < 0 && h->prot == s->h->prot && h->locked == s->h->locked;
}

/* Both ranges are of one VMA each, both writable, and executable or not, and locked or not. */
static int refusal(const struct step *s)
{
	const struct held *to = s->h, *h = &s->p->page[from];
	const struct vm_area_struct *dst = shim_vma_at(s->addr);
	const struct vm_area_struct *src = shim_vma_at(page_addr(from));

	if (!to->mapped || !h->mapped)
		return -ENOENT;
	if (to->file >= 0 || h->file >= 0 || !to->uffd || to->prot != RW || h->prot != RW ||
	    to->locked != h->locked || (dst->vm_flags ^ src->vm_flags) & VM_EXEC ||
	    s->addr + s->len > dst->vm_end || page_addr(from) + s->len > src->vm_end)
		return -EINVAL;
	return 0;
}

static bool sensible(const struct step *s)
{
	if (shim_page_span != PAGE_SIZE || s->nr > MOST)
		return false;
	for (int i = 0; i < nr_pages; i++) {
		const pte_t *table = table_at(s->p->mm, page_addr(i));

		was[i] = look(table, i);
		large[i] = was[i].page && was[i].page->head->_folio_nr_pages > 1 ?
			   was[i].page->head : NULL;
		first_alone[i] = large[i] && large[i]->exclusive;
		*table_of_page(i) = table;
		if (was[i].slot && was[i].wp && test_known("move-swap-protected"))
			return false;
	}
	from = s->arg % nr_pages;
	for (int i = 0; i < nr_pages && s->arg & SEARCH && !is_source(s, from); i++)
		from = (from + 1) % nr_pages;
	if (from + s->nr > nr_pages)
		return false;
	refused = refusal(s);
	return !(s->arg & SEARCH) || (!refused && was[from].alone && !was[s->at].there);
}

static void draw(struct op *op, unsigned int random)
{
	op->nr = 1 + random % (random & 0x100 ? MOST : 2);
}

static int call(const struct step *s)
{
	return ioctl_returns(tree_uffd_move(s->p->ctx, s->addr, page_addr(from), s->len,
					    s->arg & 1), s);
}

/*
 * Whether a page can be had. A large folio is split for it, but the kernel asks its first
 * page before, whichever it wants.
 */
static bool can_be_had(int i)
{
	const struct page *folio = large[i];

	if (folio && !first_alone[i])
		return false;
	for (int n = 0; folio && n < nr_pages; n++)
		if (large[n] == folio)
			large[n] = NULL;
	return was[i].alone;
}

/*
 * One page. It is soft-dirty where it comes to; write protection stays behind, and what is
 * registered for protection from any access protects it.
 */
static int expect_page(const struct step *s, int src, int dst)
{
	struct held *h = &s->p->page[src], *to = &s->p->page[dst];
	bool is_hole = !was[src].there && s->arg & 1;

	if (!*table_of_page(src) && !is_hole)
		return -ENOENT;
	*table_of_page(src) = *table_of_page(dst) = true;
	if (was[dst].there)
		return -EEXIST;
	if (is_hole)
		return 0;
	if (!was[src].there)
		return -ENOENT;
	if (was[src].marker)
		return -EFAULT;
	if ((was[src].page || was[src].slot) && !can_be_had(src))
		return -EBUSY;
	to->copy = h->copy;
	to->content = h->content;
	to->freed = h->freed;
	to->written = h->copy;
	to->wp = to->uffd & RWP;
	h->copy = h->freed = h->written = h->wp = false;
	was[dst] = was[src];
	was[src] = (struct seen){ 0 };
	return 0;
}

static int expect(const struct step *s)
{
	for (int i = 0; i < s->nr && !refused; i++) {
		int ret = expect_page(s, from + i, s->at + i);

		if (ret)
			return i ? -EAGAIN : ret;
	}
	return refused;
}

static int target(const struct step *s, int *nr)
{
	*nr = s->nr;
	return from;
}

/* As far as any page. */
static bool partly(const struct step *s, int n, const struct held *after)
{
	if (n + 1 >= s->nr)
		return false;
	for (int i = 0; i <= n; i++) {
		s->h[i] = after[s->at + i];
		s->p->page[from + i] = after[from + i];
	}
	return true;
}

static bool can_be_filled(const struct held *h)
{
	return h->uffd && h->file < 0 && h->prot != NO_ACCESS && !h->copy && !is_deadly(h);
}

OPERATION(uffd_move) {
	.often = 3, .aims = can_be_filled, .draw = draw, .sensible = sensible, .call = call,
	.expect = expect, .target = target, .allocates = true, .partly = partly,
};
