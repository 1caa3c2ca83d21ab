// SPDX-License-Identifier: GPL-2.0
/* mprotect(), up to a hole; .arg: enum prot. And of every other page, for many VMAs. */
#include "harness/ops/op.h"

/* Half of it may be written. */
static void draw(struct op *op, unsigned int random)
{
	op->arg = random & 0x10000 ? RW : op->arg;
}

static int call(const struct step *s)
{
	static const int prots[] = {
		[RW] = PROT_READ | PROT_WRITE, [R] = PROT_READ, [NO_ACCESS] = PROT_NONE,
	};

	return tree_mprotect(s->addr, s->len, prots[s->arg % 3]);
}

/*
 * What may be written is accounted from then on. What was never written to and may be
 * no more is given back where it is a whole VMA's: either will do.
 */
static bool is_accounted(const struct held *h, unsigned long addr)
{
	struct vm_area_struct *vma;

	if (h->shared || h->flags & VM_NORESERVE || (!h->accounted && h->prot != RW))
		return false;
	if (h->prot == RW || h->file >= 0 || h->copy)
		return true;
	vma = shim_vma_at(addr);
	return vma && vma->vm_flags & VM_ACCOUNT;
}

static int expect(const struct step *s)
{
	struct held *end = up_to_hole(s);
	unsigned long addr = s->addr;

	for (struct held *h = s->h; h < end; h++, addr += shim_page_span) {
		if (is_sealed(h))
			return -EPERM;
		h->prot = s->arg % 3;
		h->accounted = is_accounted(h, addr);
	}
	return end < s->end ? -ENOMEM : 0;
}

OPERATION(mprotect) {
	.often = 5, .draw = draw, .call = call, .expect = expect,
	.allocates = true, .merges = true, .partly = partly_done,
};

static struct step page_of(const struct step *s, int i)
{
	struct step page = *s;

	page.addr += i * shim_page_span;
	page.len = shim_page_span;
	page.nr = 1;
	page.h += i;
	page.end = page.h + 1;
	return page;
}

/* It is what a process would be, not a call: the first error ends it. */
static int call_striped(const struct step *s)
{
	int ret = 0;

	for (int i = 0; i < s->nr && !ret; i += 2) {
		struct step page = page_of(s, i);

		ret = call(&page);
	}
	return ret;
}

static int expect_striped(const struct step *s)
{
	int ret = 0;

	for (int i = 0; i < s->nr && !ret; i += 2) {
		struct step page = page_of(s, i);

		ret = expect(&page);
	}
	return ret;
}

OPERATION(stripes) {
	.often = 0, .call = call_striped, .expect = expect_striped,
};
