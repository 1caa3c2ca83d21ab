// SPDX-License-Identifier: GPL-2.0
/* Spaces of every kind, from a seed. */
#include "harness/oracle/seeds.h"
#include "harness/oracle/space.h"

#define PRIVATE	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE)
#define SHARED	(PRIVATE | VM_SHARED | VM_MAYSHARE)

/* What can be mapped where, but for userfaultfd, guards and soft-dirty. */
static const struct vma_kind {
	vm_flags_t flags;
	/* Private pages, a file's, none's; without any, zero pages. */
	bool anon, file, frames;
} kinds[] = {
	{ PRIVATE, true, false, false },
	{ PRIVATE & ~VM_WRITE, true, false, false },
	{ PRIVATE, true, true, false },
	{ PRIVATE, false, true, false },
	{ VM_READ | VM_MAYREAD, false, true, false },
	{ SHARED, false, true, false },
	{ SHARED & ~VM_WRITE, false, true, false },
	{ SHARED | VM_PFNMAP | VM_IO, false, false, true },
	{ PRIVATE | VM_PFNMAP, true, false, true },
	{ SHARED | VM_MIXEDMAP, false, true, true },
	{ PRIVATE | VM_MIXEDMAP, false, true, true },
	{ PRIVATE, false, false, false },
};

static unsigned long long state;

static unsigned long below(unsigned long n)
{
	return random_below(&state, n);
}

static bool one_in(unsigned long n)
{
	return !below(n);
}

static bool coin(void)
{
	return one_in(2);
}

/* Bits that any entry may have, and what userfaultfd makes of it. */
static struct cell entry(const struct space *s, enum kind what, unsigned long value)
{
	vm_flags_t flags = s->vma.vm_flags;
	struct cell c = { .kind = what, .value = value };

	c.soft_dirty = VM_SOFTDIRTY && coin();
	c.uffd = flags & (VM_UFFD_WP | RWP_FLAG) && coin();
	return c;
}

static struct cell present(const struct space *s, unsigned long pfn, bool may_write)
{
	struct cell c = entry(s, PRESENT, pfn);

	c.protnone = c.uffd && s->vma.vm_flags & RWP_FLAG;
	c.write = may_write && s->vma.vm_flags & VM_WRITE && !c.uffd && coin();
	c.dirty = c.write ? !one_in(4) : one_in(4);
	c.young = coin();
	return c;
}

/* Consecutive pages of one folio; most, not all, with the same bits. */
static unsigned long put_folio(struct space *s, unsigned long i, bool anon)
{
	int order = coin() ? 0 : 1 + below(4);
	unsigned long nr = 1UL << order;
	bool alone = anon && coin();
	int pins = anon && one_in(4) && (order || alone);
	struct folio *folio = space_folio(s, order, anon, anon || coin(), pins);
	unsigned long first = below(nr), left = 1 + below(nr - first);
	bool frozen = one_in(6), device = anon && !pins && !order && one_in(6);
	struct cell model = present(s, 0, false);

	folio->dirty = coin();
	for (; left-- && i < s->nr; first++, i++) {
		struct page *page = folio_page(folio, first);
		unsigned long pfn = page_to_pfn(page);
		bool mine = alone && !one_in(5);
		bool may_write = anon ? mine : s->vma.vm_flags & VM_SHARED;
		struct cell c = present(s, pfn, may_write);

		if (!one_in(5)) {
			model.value = pfn;
			model.write = c.write && !model.uffd;
			c = model;
		}
		if (frozen && !pins) {
			folio->locked = true;
			c = entry(s, MIGRATION, pfn);
			c.access = !may_write ? READ_ACCESS :
				   s->vma.vm_flags & VM_WRITE ? WRITE_ACCESS :
				   anon ? READ_EXCLUSIVE_ACCESS : READ_ACCESS;
			mine = false;
		} else if (device && coin()) {
			folio->device_private = true;
			c = entry(s, DEVICE_PRIVATE, pfn);
			c.access = mine && s->vma.vm_flags & VM_WRITE ?
				   WRITE_ACCESS : READ_ACCESS;
		} else if (device && mine && s->vma.vm_flags & VM_WRITE) {
			c = entry(s, DEVICE_EXCLUSIVE, pfn);
			if (coin())
				c.access = WRITE_ACCESS;
		}
		if (mine)
			SetPageAnonExclusive(page);
		space_put(s, i, c);
	}
	return i;
}

static struct cell marker(const struct space *s)
{
	vm_flags_t flags = s->vma.vm_flags;
	struct cell c = { .kind = MARKER };

	if (flags & GUARD_FLAG && coin()) {
		c.value = GUARD_MARKER;
		return c;
	}
	if (one_in(4)) {
		c.kind = HWPOISON;
		c.value = FIRST_PFN + 7;
		return c;
	}
	if (coin())
		c.value = PTE_MARKER_POISONED;
	if (flags & VM_UFFD_WP && coin())
		c.value |= PTE_MARKER_UFFD_WP;
	if (!c.value)
		c.kind = NONE;
	return c;
}

bool space_fill(struct space *s, u64 seed)
{
	static const unsigned long sizes[] = { 1, 2, 7, 40, 300, 1100 };
	const struct vma_kind *kind;
	unsigned long nr, start, density;
	vm_flags_t flags;
	bool zero;

	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	for (int i = 0; i < 8; i++)
		below(2);
	kind = &kinds[below(ARRAY_SIZE(kinds))];
	flags = kind->flags;
	zero = !(kind->anon || kind->file || kind->frames);
	if (one_in(3))
		flags |= GUARD_FLAG;
	if (one_in(2))
		flags |= coin() ? VM_UFFD_WP : RWP_FLAG;
	if (one_in(6))
		flags |= coin() ? VM_UFFD_MISSING : VM_UFFD_MINOR;
	if (one_in(3))
		flags |= VM_SOFTDIRTY;
	nr = sizes[below(ARRAY_SIZE(sizes))];
	start = PUD_SIZE - below(nr + 2) * PAGE_SIZE;
	if (one_in(3))
		start = 5 * PMD_SIZE - below(nr + 2) * PAGE_SIZE;
	else if (one_in(2))
		start = PGDIR_SIZE - below(nr + 2) * PAGE_SIZE;
	space_init(s, start, nr, flags, kind->anon);
	if (zero)
		s->vma.vm_ops = NULL;
	density = 1 + below(8);
	for (unsigned long i = 0; i < nr; i++) {
		if (one_in(64))
			i += below(600);
		if (i >= nr || below(8) >= density)
			continue;
		if (one_in(5)) {
			space_put(s, i, marker(s));
		} else if (kind->frames && coin()) {
			struct cell c = present(s, highest_memmap_pfn + 1 + i,
						flags & VM_SHARED);

			c.special = true;
			space_put(s, i, c);
		} else if (kind->anon && one_in(6)) {
			struct cell c = entry(s, SWAP, 1 + below(40));

			c.exclusive = coin();
			space_put(s, i, c);
		} else if (zero || (kind->anon && one_in(8))) {
			struct cell c = present(s, zero_pfn, false);

			c.special = true;
			c.dirty = false;
			space_put(s, i, c);
		} else if (kind->anon || kind->file) {
			i = put_folio(s, i, kind->anon &&
				      (!kind->file || coin())) - 1;
		}
	}
	return coin();
}
