// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle: what parent and child must hold after a fork, cell by cell, from
 * the rules and the kind of the VMA. It reads page tables and PTE bits by itself
 * and calls nothing that the kernel's copy calls.
 */
#include "harness/oracle/space.h"
#include "harness/test.h"

#define UFFD	(VM_UFFD_MISSING | VM_UFFD_MINOR | VM_UFFD_WP | RWP_FLAG)

/* The PTE of an address: its table is made on the way where that is wanted. */
static unsigned long *entry(unsigned long *table, unsigned long i,
			    struct mm_struct *make)
{
	if (!table[i] && make)
		table[i] = (unsigned long)shim_table_alloc(make) | 1;
	return (unsigned long *)(table[i] & PAGE_MASK);
}

static pte_t *pte_of(struct mm_struct *mm, unsigned long addr,
		     struct mm_struct *make)
{
	unsigned long *table = (unsigned long *)mm->pgd;

	table = entry(table, addr >> PGDIR_SHIFT, make);
	if (table)
		table = entry(table, addr >> PUD_SHIFT & (PTRS_PER_PUD - 1), make);
	if (table)
		table = entry(table, addr >> PMD_SHIFT & (PTRS_PER_PMD - 1), make);
	return table ? (pte_t *)table + (addr >> PAGE_SHIFT & 511) : NULL;
}

/* Free all tables below; what it counts on the way is what fork allocated. */
static void free_tables(unsigned long *table, int level, long *count)
{
	static const int entries[] = {
		0, PTRS_PER_PMD, PTRS_PER_PUD, PTRS_PER_PGD
	};

	for (int i = 0; i < entries[level]; i++)
		if (table[i])
			free_tables((unsigned long *)(table[i] & PAGE_MASK),
				    level - 1, count);
	count[level]++;
	shim_table_free(table);
}

static pteval_t swap_pte(unsigned long type, unsigned long offset)
{
	return (pteval_t)offset << SWP_OFFSET_BIT | type << SWP_TYPE_BIT;
}

static pte_t to_pte(const struct cell *c)
{
	static const int migration[] = {
		[READ_ACCESS] = SWP_MIGRATION_READ,
		[READ_EXCLUSIVE_ACCESS] = SWP_MIGRATION_READ_EXCLUSIVE,
		[WRITE_ACCESS] = SWP_MIGRATION_WRITE,
	};
	pteval_t v = 0;

	switch (c->kind) {
	case NONE:
		return __pte(0);
	case PRESENT:
		return __pte((pteval_t)c->value << PFN_PTE_SHIFT |
			     (c->protnone ? PTE_PROTNONE : PTE_PRESENT) |
			     (c->write ? PTE_WRITE : 0) |
			     (c->dirty ? PTE_DIRTY : 0) |
			     (c->young ? PTE_YOUNG : 0) |
			     (c->soft_dirty ? PTE_SOFT_DIRTY : 0) |
			     (c->special ? PTE_SPECIAL : 0) |
			     (c->uffd ? PTE_UFFD : 0));
	case SWAP:
		v = swap_pte(0, c->value);
		break;
	case MIGRATION:
		v = swap_pte(migration[c->access], c->value);
		break;
	case DEVICE_PRIVATE:
		v = swap_pte(c->access == WRITE_ACCESS ? SWP_DEVICE_WRITE :
			     SWP_DEVICE_READ, c->value);
		break;
	case DEVICE_EXCLUSIVE:
#ifdef SWP_DEVICE_EXCLUSIVE
		v = swap_pte(SWP_DEVICE_EXCLUSIVE, c->value);
#else
		v = swap_pte(c->access == WRITE_ACCESS ? SWP_DEVICE_EXCLUSIVE_WRITE :
			     SWP_DEVICE_EXCLUSIVE_READ, c->value);
#endif
		break;
	case MARKER:
		v = swap_pte(SWP_PTE_MARKER, c->value);
		break;
	case HWPOISON:
		v = swap_pte(SWP_HWPOISON, c->value);
		break;
	}
	return __pte(v | (c->soft_dirty ? PTE_SWP_SOFT_DIRTY : 0) |
		     (c->exclusive ? PTE_SWP_EXCLUSIVE : 0) |
		     (c->uffd ? PTE_SWP_UFFD : 0));
}

static struct cell from_pte(pte_t pte)
{
	struct cell c = { .kind = NONE };
	pteval_t v = pte.pte;
	unsigned int type = v >> SWP_TYPE_BIT & 31;

	if (!v)
		return c;
	c.value = v >> PFN_PTE_SHIFT;
	if (v & (PTE_PRESENT | PTE_PROTNONE)) {
		c.kind = PRESENT;
		c.uffd = v & PTE_UFFD;
		c.protnone = !(v & PTE_PRESENT);
		c.write = v & PTE_WRITE;
		c.dirty = v & PTE_DIRTY;
		c.young = v & PTE_YOUNG;
		c.soft_dirty = v & PTE_SOFT_DIRTY;
		c.special = v & PTE_SPECIAL;
		return c;
	}
	c.uffd = v & PTE_SWP_UFFD;
	c.soft_dirty = v & PTE_SWP_SOFT_DIRTY;
	c.exclusive = v & PTE_SWP_EXCLUSIVE;
	switch (type) {
	case SWP_MIGRATION_READ:
	case SWP_MIGRATION_READ_EXCLUSIVE:
	case SWP_MIGRATION_WRITE:
		c.kind = MIGRATION;
		c.access = type == SWP_MIGRATION_READ ? READ_ACCESS :
			   type == SWP_MIGRATION_WRITE ? WRITE_ACCESS :
			   READ_EXCLUSIVE_ACCESS;
		return c;
	case SWP_DEVICE_READ:
	case SWP_DEVICE_WRITE:
		c.kind = DEVICE_PRIVATE;
		c.access = type == SWP_DEVICE_WRITE ? WRITE_ACCESS : READ_ACCESS;
		return c;
	case SWP_PTE_MARKER:
		c.kind = MARKER;
		return c;
	case SWP_HWPOISON:
		c.kind = HWPOISON;
		return c;
	case 0:
		c.kind = SWAP;
		return c;
	}
	c.kind = DEVICE_EXCLUSIVE;
#ifdef SWP_DEVICE_EXCLUSIVE_WRITE
	c.access = type == SWP_DEVICE_EXCLUSIVE_WRITE ? WRITE_ACCESS : READ_ACCESS;
#endif
	return c;
}

static struct cell cell_at(struct space *s, struct mm_struct *mm, unsigned long i)
{
	pte_t *ptep = pte_of(mm, s->vma.vm_start + i * PAGE_SIZE, NULL);

	return ptep ? from_pte(*ptep) : (struct cell){ .kind = NONE };
}

static const char *text(const struct cell *c)
{
	static const char * const names[] = {
		"none", "present", "swap", "migration", "device-private",
		"device-exclusive", "marker", "hwpoison",
	};
	static char buf[4][160];
	static int turn;
	char *s = buf[++turn % 4];

	snprintf(s, sizeof(buf[0]), "%s %#lx%s%s%s%s%s%s%s%s%s", names[c->kind],
		 c->value,
		 c->kind != MIGRATION && c->kind != DEVICE_PRIVATE ? "" :
		 c->access == WRITE_ACCESS ? " for writing" :
		 c->access == READ_ACCESS ? " for reading" : " exclusive for reading",
		 c->write ? " write" : "", c->dirty ? " dirty" : "",
		 c->young ? " young" : "", c->soft_dirty ? " soft-dirty" : "",
		 c->uffd ? " uffd" : "", c->special ? " special" : "",
		 c->protnone ? " protnone" : "", c->exclusive ? " exclusive" : "");
	return s;
}

static bool same(const struct cell *a, const struct cell *b)
{
	return to_pte(a).pte == to_pte(b).pte;
}

/* Where the whole VMA counts as soft-dirty, nobody asks a page of it. */
static bool same_in(const struct space *s, struct cell a, const struct cell *b)
{
	if (a.kind == PRESENT && (s->vma.vm_flags & VM_SOFTDIRTY || !VM_SOFTDIRTY))
		a.soft_dirty = b->soft_dirty;
	return same(&a, b);
}

/* The page behind a cell, if it has one that is counted. */
static struct page *page_of(const struct cell *c)
{
	if (c->kind == NONE || c->kind == SWAP || c->kind == MARKER ||
	    c->kind == HWPOISON ||
	    (c->kind == PRESENT && c->special) ||
	    c->value < FIRST_PFN || c->value >= FIRST_PFN + NR_PFNS)
		return NULL;
	return &shim_pages[c->value - FIRST_PFN];
}

/* Does the cell hold a reference to its page? Migration entries do not. */
static bool refers(const struct cell *c)
{
	return page_of(c) && c->kind != MIGRATION;
}

/* And does it count as a mapping? For a device's alone, older kernels say no. */
static bool maps(const struct cell *c)
{
#ifdef SWP_DEVICE_EXCLUSIVE
	return refers(c);
#else
	return refers(c) && c->kind != DEVICE_EXCLUSIVE;
#endif
}

void space_init(struct space *s, unsigned long start, unsigned long nr,
		vm_flags_t flags, bool private_pages)
{
	/* What has any is no anonymous mapping: vma_is_anonymous(). */
	static const struct vm_operations_struct file_ops;

	memset(&s->mm, 0, sizeof(s->mm));
	memset(&s->vma, 0, sizeof(s->vma));
	memset(s->cell, 0, nr * sizeof(s->cell[0]));
	INIT_LIST_HEAD(&s->mm.mmlist);
	INIT_LIST_HEAD(&init_mm.mmlist);
	s->nr = nr;
	s->nr_folios = 0;
	s->must_fail = false;
	s->overtaken = 0;
	s->tables_before = shim_nr_tables;
	s->mm.pgd = (pgd_t *)shim_table_alloc(&s->mm);
	s->mm.flags = 1UL << MMF_HAS_PINNED;
	s->anon_vma.refcount.counter = 1;
	s->vma.vm_mm = &s->mm;
	s->vma.vm_start = start;
	s->vma.vm_end = start + nr * PAGE_SIZE;
	s->vma.anon_vma = private_pages ? &s->anon_vma : NULL;
	s->vma.vm_ops = private_pages ? NULL : &file_ops;
	vm_flags_init(&s->vma, flags);
	vma_set_page_prot(&s->vma);
	memset(&s->uffd, 0, sizeof(s->uffd));
	refcount_set(&s->uffd.refcount, 1);
	s->uffd.mm = &s->mm;
	s->uffd.flags = UFFD_USER_MODE_ONLY;
	if (flags & UFFD)
		s->vma.vm_userfaultfd_ctx.ctx = &s->uffd;
}

struct folio *space_folio(struct space *s, int order, bool anon, bool swapbacked,
			  int pins)
{
	struct folio *folio = folio_new(order);
	int refs = 1;

	folio->anon = anon;
	folio->swapbacked = swapbacked;
	folio->mapping = anon ? (char *)&s->anon_vma + 1 : (char *)s;
	folio->content = (unsigned long)folio;
	if (order)
		folio->_pincount.counter = pins;
	refs += pins * 1024;
	folio->_refcount.counter = refs;
	s->base_refs[s->nr_folios] = refs;
	s->folio[s->nr_folios++] = folio;
	return folio;
}

void space_put(struct space *s, unsigned long i, struct cell cell)
{
	pte_t *ptep = pte_of(&s->mm, s->vma.vm_start + i * PAGE_SIZE, &s->mm);
	struct page *page = page_of(&cell);

	s->cell[i] = cell;
	*ptep = to_pte(&cell);
	if (cell.kind == MARKER && cell.value & ~(unsigned long)PTE_MARKER_UFFD_WP)
		table_of(ptep)->pt_flags.f = 1UL << PT_markers;
	if (cell.kind == SWAP) {
		shim_swap_count[cell.value]++;
		/* swapoff() finds the parent already. */
		if (list_empty(&s->mm.mmlist))
			list_add(&s->mm.mmlist, &init_mm.mmlist);
	}
	if (refers(&cell))
		((struct folio *)page->head)->_refcount.counter++;
	if (maps(&cell)) {
		struct folio *folio = (struct folio *)page->head;

		page->_mapcount.counter++;
		if (folio->_folio_nr_pages > 1)
			folio->_large_mapcount.counter++;
	}
}

void space_put_beyond(struct space *s, unsigned long i, struct cell cell)
{
	*pte_of(&s->mm, s->vma.vm_start + i * PAGE_SIZE, &s->mm) = to_pte(&cell);
}

/* What is the child's VMA to be, and what are its page tables copied for? */
struct rules {
	bool cow;		/* private, and may be written */
	bool shared;
	bool uffd;		/* the child's pages stay protected */
	bool uffd_wp;
	bool rwp_lost;		/* the parent's were, in the other way */
	bool copied;
	bool all;		/* an entry that is none would not be the same */
};

static struct rules rules_of(const struct space *s, vm_flags_t child)
{
	vm_flags_t flags = s->vma.vm_flags;
	struct rules r = {
		.cow = !(flags & VM_SHARED) && flags & VM_MAYWRITE,
		.shared = flags & VM_SHARED,
		.uffd = child & (VM_UFFD_WP | RWP_FLAG),
		.uffd_wp = child & VM_UFFD_WP,
	};

	r.rwp_lost = flags & RWP_FLAG && !r.uffd;
	r.copied = s->vma.anon_vma || r.uffd ||
		   flags & (VM_PFNMAP | VM_MIXEDMAP | GUARD_FLAG);
	/*
	 * No fault brings back anonymous pages, or what a driver has mapped. One for
	 * minor faults would be reported. What is not mapped cannot be protected: not
	 * from reads, and in anonymous memory not from writes.
	 */
	r.all = s->vma.anon_vma || flags & (VM_PFNMAP | VM_MIXEDMAP) ||
		child & (VM_UFFD_MINOR | RWP_FLAG) || (r.uffd && !s->vma.vm_ops);
	return r;
}

/* Which pages are the parent's alone, and which of those has it pinned? */
static void look_at_pages(struct space *s)
{
	for (unsigned long f = 0; f < s->nr_folios; f++)
		s->locked[f] = s->folio[f]->locked;
	for (unsigned long i = 0; i < s->nr; i++) {
		struct page *page = page_of(&s->cell[i]);
		struct folio *folio = page ? (struct folio *)page->head : NULL;

		s->alone[i] = folio && folio->anon && page->exclusive;
		s->pinned[i] = s->alone[i] && s->cell[i].kind != DEVICE_PRIVATE &&
			       s->cell[i].kind != MIGRATION &&
			       (folio->_folio_nr_pages > 1 ?
				folio->_pincount.counter > 0 :
				folio->_refcount.counter >= 1024);
	}
}

/* A device gives the page back before the fork looks at it. */
static struct cell given_back(const struct space *s, unsigned long i)
{
	vm_flags_t flags = s->vma.vm_flags;
	struct cell c = s->cell[i];

	if (c.kind != DEVICE_EXCLUSIVE)
		return c;
	c.kind = PRESENT;
	c.exclusive = false;
#ifdef SWP_DEVICE_EXCLUSIVE
	c.write = flags & VM_WRITE && s->alone[i] && !c.uffd &&
		  (c.soft_dirty || flags & VM_SOFTDIRTY || !VM_SOFTDIRTY);
	c.dirty = c.write && ((struct folio *)page_of(&c)->head)->dirty;
	c.protnone = c.uffd && flags & RWP_FLAG;
#else
	c.dirty = !c.uffd && c.access == WRITE_ACCESS;
	c.write = c.dirty && flags & VM_WRITE;
#endif
	if (c.dirty)
		c.soft_dirty = true;
	return c;
}

/* The parent's cell afterwards: as before, but for what COW takes from it. */
static struct cell parent_after(const struct space *s, const struct rules *r,
				unsigned long i)
{
	struct cell c = given_back(s, i);

	if (!r->copied)
		return s->cell[i];
	if (c.kind == PRESENT && r->cow && !s->pinned[i])
		c.write = false;
	if (c.kind == SWAP)
		c.exclusive = false;
	if (r->cow && (c.kind == DEVICE_PRIVATE ? c.access == WRITE_ACCESS :
		       c.kind == MIGRATION && c.access != READ_ACCESS)) {
		c.access = READ_ACCESS;
		/* Not kept for device memory: checkpointing cannot have it. */
		if (c.kind == DEVICE_PRIVATE)
			c.soft_dirty = false;
	}
	return c;
}

static struct cell child_after(const struct space *s, const struct rules *r,
			       unsigned long i)
{
	struct cell c = parent_after(s, r, i);

	if (!r->copied)
		return (struct cell){ .kind = NONE };
	if (c.kind == MARKER) {
		/* Guard and poison always; write protection with its owner. */
		if (!r->uffd_wp)
			c.value &= ~(unsigned long)PTE_MARKER_UFFD_WP;
		if (!c.value)
			c.kind = NONE;
		return c;
	}
	if (c.kind == PRESENT && s->pinned[i]) {
		bool protect = c.uffd && r->uffd;

		c.write = s->vma.vm_flags & VM_WRITE && !protect;
		c.dirty = c.soft_dirty = true;
		c.young = false;
		c.protnone = protect && s->vma.vm_flags & RWP_FLAG;
	} else if (c.kind == PRESENT) {
		c.young = false;
		if (r->shared)
			c.dirty = false;
		if (r->rwp_lost && c.uffd) {
			c.protnone = false;
			c.write = s->vma.vm_page_prot.pgprot & PTE_WRITE;
		}
	}
	if (!r->uffd)
		c.uffd = false;
	return c;
}

/*
 * A fault brings a file's page back, or a zero page, with all there is to know of
 * it, a memory error as well. Fork may leave it to that, or copy it; which of the
 * two is not for this oracle to say.
 */
static bool fault_rebuilds(const struct space *s, const struct rules *r,
			   unsigned long i)
{
	const struct cell *c = &s->cell[i];

	return (c->kind == PRESENT || c->kind == MIGRATION || c->kind == HWPOISON) &&
	       !r->all && !(r->uffd && c->uffd);
}

/* The cells around one, each a letter; in capitals what the parent owns alone. */
static void draw(struct space *s, unsigned long at)
{
	static const char letters[] = ".psmdxkh";
	unsigned long first = at < 32 ? 0 : at - 32;

	for (int who = 0; who < 3; who++) {
		char line[65] = "";

		for (unsigned long n = 0; n < 64 && first + n < s->nr; n++) {
			struct cell c = who == 0 ? s->cell[first + n] :
				cell_at(s, who == 1 ? &s->mm : s->child, first + n);

			line[n] = letters[c.kind];
			if (c.kind == PRESENT && c.special)
				line[n] = 'z';
			if (c.kind == MARKER && c.value == GUARD_MARKER)
				line[n] = 'g';
			if (who == 0 && s->alone[first + n])
				line[n] -= 'a' - 'A';
		}
		test_say("%s|%s|", who == 0 ? "before  " :
			 who == 1 ? "parent  " : "child   ", line);
	}
	test_say("%*s^ page %lu; .none present swap migration device-private xclusive marKer guard hwpoison z: no struct page; CAPITAL: the parent's alone",
		 (int)(9 + at - first), "", at);
}

static void differs(struct space *s, const char *who, unsigned long i,
		    const struct cell *found, const struct cell *expected)
{
	test_fail(__FILE__, __LINE__,
		  "%s, page %lu (%#lx), flags %#lx: was %s; is %s; expected %s",
		  who, i, s->vma.vm_start + i * PAGE_SIZE, s->vma.vm_flags,
		  text(&s->cell[i]), text(found), text(expected));
	if (test_failures() == 1)
		draw(s, i);
}

/* The copy of a pinned page is another page with the same in it. */
static bool is_copy(const struct space *s, const struct cell *found,
		    const struct cell *expected)
{
	struct page *page = page_of(found), *from = page_of(expected);
	struct cell c = *found;

	c.value = expected->value;
	return page && from && page != from && page->head == page &&
	       page->content == from->content && page->exclusive && page->anon &&
	       page->_refcount.counter == 1 && page->_mapcount.counter == 0 &&
	       page->mapping == (char *)&s->child_anon_vma + 1 &&
	       page->on_lru && same(&c, expected);
}

/* In a shared mapping a batch may give its write permission to all of a folio. */
static bool same_but_write(struct space *s, const struct rules *r,
			   const struct cell *found, const struct cell *expected)
{
	struct page *page = page_of(expected);
	struct cell c = *found;

	if (!r->shared || !page || !found->write || expected->write)
		return false;
	c.write = false;
	if (!same_in(s, c, expected))
		return false;
	for (unsigned long i = 0; i < s->nr; i++) {
		struct page *other = page_of(&s->cell[i]);

		if (other && other->head == page->head && s->cell[i].write)
			return true;
	}
	return false;
}

enum { FILES, ANON, SWAPPED, SHMEM, NR_RSS };

static void count_rss(const struct cell *c, long *rss)
{
	struct page *page = page_of(c);
	struct folio *folio = page ? (struct folio *)page->head : NULL;

	if (c->kind == SWAP)
		rss[SWAPPED]++;
	else if (folio)
		rss[folio->anon ? ANON : folio->swapbacked ? SHMEM : FILES]++;
}

/* Each cell of both. Returns how many PTE tables the child cannot do without. */
static long check_cells(struct space *s, struct mm_struct *child,
			const struct rules *r, bool failed, long *rss)
{
	unsigned long last = -1UL;
	long needed = 0;

	for (unsigned long i = 0; i < s->nr; i++) {
		unsigned long table = (s->vma.vm_start + i * PAGE_SIZE) >> PMD_SHIFT;
		struct cell back = given_back(s, i);
		struct cell p = cell_at(s, &s->mm, i), c = cell_at(s, child, i);
		struct cell want_p = parent_after(s, r, i);
		struct cell want_c = child_after(s, r, i);
		bool not_reached = c.kind == NONE &&
				   (failed || fault_rebuilds(s, r, i));

		if (!same_in(s, p, &want_p) &&
		    !(not_reached && (same(&p, &s->cell[i]) || same_in(s, p, &back))))
			differs(s, "parent", i, &p, &want_p);
		if (!not_reached &&
		    !(r->copied && s->pinned[i] ? is_copy(s, &c, &want_c) :
		      same_in(s, c, &want_c) || same_but_write(s, r, &c, &want_c)))
			differs(s, "child", i, &c, &want_c);
		count_rss(&c, rss);
		s->copies += r->copied && s->pinned[i] && c.kind != NONE;
		if (c.kind != NONE && table != last) {
			last = table;
			needed++;
		}
	}
	return needed;
}

/* Each folio: as many references and mappings as there are; alone or shared. */
static void check_folios(struct space *s, struct mm_struct *child)
{
	static int refs[NR_PFNS], mapped[NR_PFNS], by_child[NR_PFNS];

	memset(refs, 0, sizeof(refs));
	memset(mapped, 0, sizeof(mapped));
	memset(by_child, 0, sizeof(by_child));
	for (unsigned long i = 0; i < s->nr; i++) {
		struct cell cells[2] = { cell_at(s, &s->mm, i), cell_at(s, child, i) };

		for (int n = 0; n < 2; n++) {
			struct page *page = page_of(&cells[n]);

			if (!page)
				continue;
			refs[page->head - shim_pages] += refers(&cells[n]);
			mapped[page - shim_pages] += maps(&cells[n]);
			by_child[page - shim_pages] += n && refers(&cells[n]);
		}
	}
	for (unsigned long f = 0; f < s->nr_folios; f++) {
		struct folio *folio = s->folio[f];
		long first = &folio->page - shim_pages, all = 0;

		EXPECT_EQ(folio->_refcount.counter, s->base_refs[f] + refs[first]);
		for (long at = first; at < first + (long)folio->_folio_nr_pages; at++) {
			struct page *page = &shim_pages[at];

			EXPECT_EQ(page->_mapcount.counter + 1, mapped[at]);
			if (page->exclusive && by_child[at])
				test_fail(__FILE__, __LINE__,
					  "frame %#lx is the parent's alone, and mapped by the child",
					  page_to_pfn(page));
			all += mapped[at];
		}
		/* Of a small folio this would be another page's memory. */
		EXPECT_EQ(folio->_large_mapcount.counter + 1L,
			  folio->_folio_nr_pages > 1 ? all : 0l);
		EXPECT_EQ(folio->locked, s->locked[f]);
	}
}

static void check_swap(struct space *s, struct mm_struct *child, bool any)
{
	static int count[NR_SLOTS];

	memset(count, 0, sizeof(count));
	for (unsigned long i = 0; i < s->nr; i++) {
		struct cell p = cell_at(s, &s->mm, i), c = cell_at(s, child, i);

		if (p.kind == SWAP)
			count[p.value % NR_SLOTS]++;
		if (c.kind == SWAP)
			count[c.value % NR_SLOTS]++;
	}
	for (int slot = 0; slot < NR_SLOTS; slot++)
		if (count[slot] != shim_swap_count[slot])
			EXPECT_EQ(shim_swap_count[slot], count[slot]);
	/* swapoff() finds the child, once. */
	if (!any)
		return;
	EXPECT(child->mmlist.next != &child->mmlist);
	EXPECT(child->mmlist.next->prev == &child->mmlist);
	EXPECT(child->mmlist.prev->next == &child->mmlist);
}

/* Both exit: what the child maps is released, what the space made is gone. */
static void take_down(struct space *s, struct mm_struct *child)
{
	for (unsigned long i = 0; i < s->nr; i++) {
		struct cell c = cell_at(s, child, i);
		struct page *page = page_of(&c);
		bool own = page;

		for (unsigned long f = 0; own && f < s->nr_folios; f++)
			own = page->head != &s->folio[f]->page;
		if (own) {
			page->_mapcount.counter--;
			folio_put((struct folio *)page->head);
		}
	}
	for (unsigned long f = 0; f < s->nr_folios; f++) {
		struct folio *folio = s->folio[f];
		unsigned long nr = folio->_folio_nr_pages;

		folio->_refcount.counter = 1;
		for (unsigned long n = 0; n < nr; n++)
			folio_page(folio, n)->_mapcount.counter = -1;
		folio_put(folio);
	}
	EXPECT_EQ(shim_nr_folios, 0l);
	shim_reset();
}

/*
 * What a fault maps for reading, may it be written to without another one? Not if
 * it is private, nor if the write has to be noticed.
 */
static bool may_write_at_once(vm_flags_t flags)
{
	bool noticed = flags & VM_UFFD_WP || (VM_SOFTDIRTY && !(flags & VM_SOFTDIRTY));

	return flags & VM_SHARED && flags & VM_WRITE && !noticed;
}

/* The child's userfaultfd: none, or one of its own with an event on the way. */
static void check_uffd(struct space *s, struct vm_area_struct *vma, vm_flags_t flags)
{
	struct userfaultfd_ctx *ctx = vma->vm_userfaultfd_ctx.ctx;

	EXPECT_EQ(vma->vm_flags, flags);
	EXPECT_EQ(!!(vma->vm_page_prot.pgprot & PTE_WRITE), may_write_at_once(flags));
	EXPECT(s->vma.vm_userfaultfd_ctx.ctx ==
	       (s->vma.vm_flags & UFFD ? &s->uffd : NULL));
	EXPECT_EQ(!!ctx, !!(flags & UFFD));
	if (!ctx)
		return;
	EXPECT(ctx != &s->uffd);
	EXPECT_EQ(ctx->flags, s->uffd.flags);
	EXPECT_EQ(ctx->features, s->uffd.features);
	EXPECT(ctx->mm == vma->vm_mm);
	EXPECT_EQ(ctx->released, false);
	EXPECT_EQ(ctx->mmap_changing.counter, 0);
	EXPECT_EQ(s->uffd.mmap_changing.counter, 1);
}

/*
 * What the functions that allocate a table must reckon with, a fault in another
 * thread: all tables of the first page are there when the nth comes.
 */
static struct space *overtaken;

static void overtake(struct mm_struct *mm)
{
	long tables = shim_nr_tables;

	if (--overtaken->overtaken)
		return;
	pte_of(mm, overtaken->vma.vm_start, mm);
	tables = shim_nr_tables - tables;
	if (tables > 2)
		mm_inc_nr_puds(mm);
	if (tables > 1)
		mm_inc_nr_pmds(mm);
	mm_inc_nr_ptes(mm);
}

int space_fork(struct space *s, bool event_fork, long fail_at)
{
	static struct mm_struct child;
	static struct vm_area_struct vma, other;
	LIST_HEAD(events);
	long rss[NR_RSS] = { 0 }, tables[4] = { 0 }, parents[4] = { 0 };
	vm_flags_t flags = s->vma.vm_flags;
	struct rules r;
	long needed, allocated, allocations;
	int ret;

	s->child = &child;
	memset(&child, 0, sizeof(child));
	INIT_LIST_HEAD(&child.mmlist);
	child.pgd = (pgd_t *)shim_table_alloc(&child);
	child.flags = s->mm.flags;
	memcpy(&vma, &s->vma, sizeof(vma));
	vma.vm_mm = &child;
	s->child_anon_vma.refcount.counter = 1;
	if (s->vma.anon_vma)
		vma.anon_vma = &s->child_anon_vma;
	s->copies = 0;
	if (!event_fork)
		flags &= ~(vm_flags_t)UFFD;
	r = rules_of(s, flags);
	look_at_pages(s);
	s->uffd.features = UFFD_FEATURE_EVENT_REMAP |
			   (event_fork ? UFFD_FEATURE_EVENT_FORK : 0);

	/* As dup_mmap() has them. */
	child.mm_lock_seq = s->mm.mm_lock_seq + 1;
	mmap_write_lock(&s->mm);
	mmap_write_lock(&child);
	vma_start_write(&s->vma);
	allocated = shim_nr_tables;
	alloc_fail_at(fail_at);
	ret = dup_userfaultfd(&vma, &events);
	if (!ret) {
		check_uffd(s, &vma, flags);
		/* Another VMA of the same userfaultfd gets the same, for nothing. */
		allocations = alloc_count();
		memcpy(&other, &s->vma, sizeof(other));
		other.vm_mm = &child;
		EXPECT_EQ(dup_userfaultfd(&other, &events), 0);
		EXPECT(other.vm_userfaultfd_ctx.ctx == vma.vm_userfaultfd_ctx.ctx);
		EXPECT_EQ(alloc_count(), allocations);
		overtaken = s;
		shim_table_wanted = overtake;
		ret = copy_page_range(&vma, &s->vma);
		shim_table_wanted = NULL;
	} else {
		r.copied = false;
	}
	mmap_write_unlock(&child);
	mmap_write_unlock(&s->mm);
	allocated = shim_nr_tables - allocated;
	if (fail_at && alloc_count() >= fail_at) {
		EXPECT_EQ(ret, -ENOMEM);
		EXPECT_EQ(alloc_count(), fail_at);
	} else {
		EXPECT_EQ(ret, s->must_fail ? -ENOMEM : 0);
	}

	needed = check_cells(s, &child, &r, ret, rss);
	for (unsigned long i = s->nr; i < s->nr + 16; i++)
		EXPECT_EQ(cell_at(s, &child, i).kind, (enum kind)NONE);
	check_folios(s, &child);
	check_swap(s, &child, rss[SWAPPED]);
	EXPECT_EQ(child.rss_stat[MM_FILEPAGES].count, rss[FILES]);
	EXPECT_EQ(child.rss_stat[MM_ANONPAGES].count, rss[ANON]);
	EXPECT_EQ(child.rss_stat[MM_SWAPENTS].count, rss[SWAPPED]);
	EXPECT_EQ(child.rss_stat[MM_SHMEMPAGES].count, rss[SHMEM]);
	/* The child has no owner yet whom a page could be charged to. */
	EXPECT(!shim_charged || shim_charged == &s->mm);
	EXPECT(!s->copies || shim_charged);
	EXPECT_EQ(shim_locks_held, 0);
	EXPECT_EQ(shim_rcu_depth, 0);
	EXPECT_EQ(s->mm.notifying, 0);
	EXPECT_EQ(s->mm.write_protect_seq.sequence & 1, 0u);
#ifdef TREE_HAS_track_pfn_copy
	EXPECT_EQ(shim_pfns_tracked, !ret && r.copied && flags & VM_PFNMAP);
#endif
	take_down(s, &child);
	/* Nobody reads the event: as if the fork had failed, or the monitor exited. */
	dup_userfaultfd_fail(&events);
	EXPECT_EQ(refcount_read(&s->uffd.refcount), 1u);
	EXPECT_EQ(s->uffd.mmap_changing.counter, 0);
	EXPECT_EQ(s->uffd.map_changing_lock.dep_map.writers, 0);
	EXPECT_EQ(s->mm.grabbed, 0);
	EXPECT_EQ(child.grabbed, 0);
	EXPECT_EQ(shim_nr_objects, 0l);
	EXPECT_EQ(bad_ptes, 0);

	free_tables((unsigned long *)child.pgd, 3, tables);
	free_tables((unsigned long *)s->mm.pgd, 3, parents);
	EXPECT_EQ(allocated, tables[0] + tables[1] + tables[2]);
	EXPECT_EQ(child.pgtables_bytes.counter,
		  (long)(tables[0] * PTRS_PER_PTE * sizeof(pte_t) +
			 tables[1] * PTRS_PER_PMD * sizeof(pmd_t) +
			 tables[2] * PTRS_PER_PUD * sizeof(pud_t)));
	EXPECT(tables[0] >= needed);
	EXPECT(tables[0] <= parents[0]);
	s->child_tables = tables[0];
	s->child_pages = rss[FILES] + rss[ANON] + rss[SHMEM];
	if (!r.copied)
		EXPECT_EQ(allocated, 0l);
	EXPECT_EQ(shim_nr_tables, s->tables_before);
	return ret;
}
