// SPDX-License-Identifier: GPL-2.0
/*
 * Entries of pages that are elsewhere: under migration, of a device, or poisoned. Who
 * changes protection, moves or protects a range takes the permission that they have, and
 * keeps all else that they say.
 */
#include "harness/oracle/program.h"
#include "harness/oracle/space.h"
#include "harness/test.h"

#define AT(page)	(PROGRAM_START + (unsigned long)(page) * PAGE_SIZE)
#define RDWR		(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE)
#define PAGE		3

static struct userfaultfd_ctx ctx;

static const struct elsewhere {
	const char *name;
	unsigned int type, without_write;	/* and what becomes of it without permission */
	bool marker;
} kinds[] = {
	{ "swapped", 0, 0, false },
	{ "migration, read", SWP_MIGRATION_READ, SWP_MIGRATION_READ, false },
	{ "migration, exclusive", SWP_MIGRATION_READ_EXCLUSIVE, SWP_MIGRATION_READ_EXCLUSIVE,
	  false },
	{ "migration, write", SWP_MIGRATION_WRITE, SWP_MIGRATION_READ_EXCLUSIVE, false },
	{ "device, read", SWP_DEVICE_READ, SWP_DEVICE_READ, false },
	{ "device, write", SWP_DEVICE_WRITE, SWP_DEVICE_READ, false },
	{ "poison", SWP_PTE_MARKER, SWP_PTE_MARKER, true },
};

enum call { PROTECT, WRITE_PROTECT, UNPROTECT, UNREGISTER, RELEASE, MOVE, CLEAR_REFS };
static const char * const calls[] = {
	"mprotect", "write-protect", "unprotect", "unregister", "release", "mremap", "clear_refs",
};

static int call(enum call what)
{
	switch (what) {
	case PROTECT:
		return tree_mprotect(AT(0), 8 * PAGE_SIZE, PROT_READ);
	case WRITE_PROTECT:
	case UNPROTECT:
		return tree_uffd_wp(&ctx, AT(0), 8 * PAGE_SIZE, what == WRITE_PROTECT);
	case UNREGISTER:
		return tree_uffd_unregister(&ctx, AT(0), 8 * PAGE_SIZE);
	case RELEASE:
		refcount_inc(&ctx.refcount);
		tree_uffd_release(&ctx);
		return 0;
	case MOVE:
		return tree_mremap(AT(0), 8 * PAGE_SIZE, AT(40));
	case CLEAR_REFS:
		tree_clear_refs();
		return 0;
	}
	return -EINVAL;
}

static pteval_t expected(enum call what, const struct elsewhere *k, pteval_t was)
{
	pteval_t type = (pteval_t)31 << SWP_TYPE_BIT;

	if (k->marker)
		return was;
	if (what == PROTECT || what == WRITE_PROTECT ||
	    ((what == UNPROTECT || what == UNREGISTER || what == RELEASE) &&
	     k->type != k->without_write))
		was = (was & ~type) | (pteval_t)k->without_write << SWP_TYPE_BIT;
	if (what == WRITE_PROTECT)
		was |= PTE_SWP_UFFD;
	if (what == UNPROTECT || what == UNREGISTER || what == RELEASE || what == MOVE)
		was &= ~PTE_SWP_UFFD;
	if (what == MOVE && VM_SOFTDIRTY != 0)
		was |= PTE_SWP_SOFT_DIRTY;
	if (what == CLEAR_REFS)
		was &= ~PTE_SWP_SOFT_DIRTY;
	return was;
}

static void try(enum call what, const struct elsewhere *k, pteval_t bits)
{
	struct mm_struct *mm = shim_mm_new(NULL);
	unsigned long addr = AT(what == MOVE ? 40 + PAGE : PAGE);
	pteval_t page, was, due, found;
	pte_t *entry;
	u64 content = 1;

	current->mm = mm;
	shim_committed = 0;
	tree_uffd_init(&ctx, mm, 0);
	EXPECT_EQ(tree_mmap(NULL, AT(0), 8 * PAGE_SIZE, RDWR, AT(0) >> PAGE_SHIFT), 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(0), 8 * PAGE_SIZE, UFFDIO_REGISTER_MODE_WP), 0);
	EXPECT(shim_access(AT(PAGE), true, &content) == ACCESS_DONE);
	entry = &table_at(mm, AT(PAGE))[AT(PAGE) >> PAGE_SHIFT & (PTRS_PER_PTE - 1)];
	page = entry->pte;
	pfn_folio(pte_pfn(*entry))->locked = true;
	was = (k->marker ? PTE_MARKER_POISONED : (pteval_t)pte_pfn(*entry)) << SWP_OFFSET_BIT |
	      (pteval_t)k->type << SWP_TYPE_BIT | bits;
	if (!k->type)
		was = (pteval_t)5 << SWP_OFFSET_BIT | bits;
	entry->pte = was;
	EXPECT_EQ(call(what), 0);
	entry = &table_at(mm, addr)[addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1)];
	found = entry->pte;
	due = expected(what, k, was);
	/* A marker moves like all else. */
	if (k->marker && what == MOVE)
		found &= ~PTE_SWP_SOFT_DIRTY;
	/* Of a device's page soft-dirty is not kept: copy_nonpresent_pte() says why. */
	if (k->type != k->without_write && k->type == SWP_DEVICE_WRITE)
		found |= due & PTE_SWP_SOFT_DIRTY;
	if (found != due)
		test_fail(__FILE__, __LINE__, "%s of %s%s%s: %#llx became %#llx, expected %#llx",
			  calls[what], k->name, bits & PTE_SWP_UFFD ? ", protected" : "",
			  bits & PTE_SWP_SOFT_DIRTY ? ", soft-dirty" : "",
			  (unsigned long long)was, (unsigned long long)found,
			  (unsigned long long)due);
	/* It comes back. */
	entry->pte = page;
	pfn_folio(pte_pfn(*entry))->locked = false;
	shim_mm_exit(mm);
	shim_rcu_end();
}

TEST_IF(of_what_is_elsewhere, "userfaultfd's write protection and soft-dirty")
{
	if (!HAS_WP || !VM_SOFTDIRTY)
		test_skip("no userfaultfd write protection, or no soft-dirty bit");
	for (unsigned int what = 0; what < ARRAY_SIZE(calls); what++)
		for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
			for (pteval_t bits = 0; bits < 4; bits++) {
				pteval_t all = (bits & 1 ? PTE_SWP_SOFT_DIRTY : 0) |
					       (bits & 2 ? PTE_SWP_UFFD : 0);

				/* What is protected has no permission to write. */
				if (!(bits & 2 && kinds[i].type != kinds[i].without_write) &&
				    !(bits && kinds[i].marker))
					try(what, &kinds[i], all);
			}
}

/*
 * Who unmaps a folio, since a direct write evicts it or it was mapped again while its
 * file was truncated, finds all mappings of it: guards there are none of the folio's.
 */
TEST_IF(guard_where_a_folio_goes, "MADV_GUARD_INSTALL")
{
#ifdef VM_MAYBE_GUARD
	struct mm_struct *mm = shim_mm_new(NULL);
	struct file *file = shim_file_new(true);
	struct folio *folio;
	pte_t *table;
	bool stays;
	u64 content = 1;

	current->mm = mm;
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(tree_mmap(file, AT(16 * i), 8 * PAGE_SIZE,
				    RDWR | VM_SHARED | VM_MAYSHARE, 0), 0);
	EXPECT_EQ(tree_madvise(AT(PAGE), PAGE_SIZE, MADV_GUARD_INSTALL), 0);
	EXPECT(shim_access(AT(16 + PAGE), true, &content) == ACCESS_DONE);
	folio = file->f_mapping->folio[PAGE];
	folio->locked = true;
	unmap_mapping_folio(folio);
	folio->locked = false;
	table = table_at(mm, AT(0)) + (AT(0) >> PAGE_SHIFT & (PTRS_PER_PTE - 1));
	EXPECT(!table[16 + PAGE].pte);
	stays = table[PAGE].pte;
	shim_mm_exit(mm);
	fput(file);
	if (!stays && test_known("folio-guards"))
		test_end_known("unmapping a folio removes the guards of other mappings");
	EXPECT(stays);
#else
	test_skip("no guard regions");
#endif
}
