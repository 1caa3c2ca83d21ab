// SPDX-License-Identifier: GPL-2.0
/*
 * UFFDIO_COPY whose source has to be faulted in: the locks are dropped for that, and the
 * memory may be another when they are taken again. Then it is refused, or the page is
 * where it belongs: in a private mapping, or in the file that is mapped by now.
 */
#include "harness/oracle/program.h"
#include "harness/tests/process.h"

#define MISSING		UFFDIO_REGISTER_MODE_MISSING

/* What is mapped: whose file, from where in it, and how. */
static const struct mapped {
	const char *what;
	int file, pgoff;
	bool shared, registered;
	int prot;
} kinds[] = {
	{ "private and anonymous", -1, 0, false, true, PROT_READ | PROT_WRITE },
	{ "a file, shared", 0, 4, true, true, PROT_READ | PROT_WRITE },
	{ "the same, elsewhere", 0, 12, true, true, PROT_READ | PROT_WRITE },
	{ "the same, private", 0, 4, false, true, PROT_READ | PROT_WRITE },
	{ "another file, shared", 1, 4, true, true, PROT_READ | PROT_WRITE },
	{ "not registered", 0, 4, true, false, PROT_READ | PROT_WRITE },
	{ "read-only", 0, 4, true, true, PROT_READ },
	{ "nothing", -1, -1, false, false, 0 },
};

static struct userfaultfd_ctx ctx;
static struct file *file[2];
static const struct mapped *next;

static void map(const struct mapped *k)
{
	if (k->pgoff < 0)
		return;
	EXPECT_EQ(tree_mmap(k->file < 0 ? NULL : file[k->file], AT(8), 4 * PAGE_SIZE,
			    RDWR | (k->shared ? VM_SHARED | VM_MAYSHARE : 0),
			    k->file < 0 ? AT(8) >> PAGE_SHIFT : (unsigned long)k->pgoff), 0);
	EXPECT_EQ(tree_mprotect(AT(8), 4 * PAGE_SIZE, k->prot), 0);
	if (k->registered)
		EXPECT_EQ(tree_uffd_register(&ctx, AT(8), 4 * PAGE_SIZE, MISSING), 0);
}

static void meanwhile(void)
{
	EXPECT(!rwsem_is_locked(&current->mm->mmap_lock));
	if (!next)
		return;
	EXPECT_EQ(tree_munmap(AT(8), 4 * PAGE_SIZE), 0);
	map(next);
}

/* How many pages files have, and what of them is at a page of one. */
static int cached(const struct file *f)
{
	int nr = 0;

	for (int i = 0; i < FILE_PAGES; i++)
		nr += f->f_mapping->folio[i] != NULL;
	return nr;
}

static void check(const struct mapped *now, long ret, u64 content)
{
	const pte_t *table = table_at(current->mm, AT(9));
	pteval_t v = table ? table[AT(9) >> PAGE_SHIFT & (PTRS_PER_PTE - 1)].pte : 0;
	const struct page *page = v ? pfn_to_page(v >> PFN_PTE_SHIFT) : NULL;
	int filled = ret > 0 && now->shared;

	for (int f = 0; f < 2; f++)
		EXPECT_EQ(cached(file[f]), filled && f == now->file);
	EXPECT_EQ(page != NULL, ret > 0);
	if (!page)
		return;
	EXPECT(now->registered);
	EXPECT_EQ(page->content, content);
	EXPECT_EQ(page->anon, !now->shared);
	EXPECT_EQ(!(v & PTE_WRITE), !(now->prot & PROT_WRITE));
	if (filled)
		EXPECT(file[now->file]->f_mapping->folio[now->pgoff + 1] == page_folio(page));
}

static void copy(const struct mapped *before, const struct mapped *after)
{
	u64 from[PAGE_SIZE / sizeof(u64)] = { 77 };
	long ret;

	shim_nr_objects = shim_nr_folios = shim_nr_files = 0;
	current->mm = shim_mm_new(NULL);
	tree_uffd_init(&ctx, current->mm, 0);
	for (int f = 0; f < 2; f++)
		file[f] = shim_file_new(true);
	map(before);
	next = after;
	shim_meanwhile_copied = meanwhile;
	ret = tree_uffd_copy(&ctx, AT(9), from, PAGE_SIZE, false);
	shim_meanwhile_copied = NULL;
	if (ret != (long)PAGE_SIZE && ret != -EAGAIN && ret != -ENOENT)
		test_fail(__FILE__, __LINE__, "%s, then %s: %ld", before->what,
			  after ? after->what : "the same", ret);
	if (!after)
		EXPECT_EQ(ret, (long)PAGE_SIZE);
	check(after ?: before, ret, from[0]);
	shim_mm_exit(current->mm);
	for (int f = 0; f < 2; f++)
		fput(file[f]);
	shim_rcu_end();
	EXPECT_EQ(shim_nr_objects, 0l);
	EXPECT_EQ(shim_nr_folios, 0l);
	EXPECT_EQ(shim_nr_files, 0l);
	EXPECT_EQ(refcount_read(&ctx.refcount), 1u);
	EXPECT_EQ(ctx.map_changing_lock.dep_map.readers, 0);
}

TEST(meanwhile_another)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!kinds[i].registered)
			continue;
		copy(&kinds[i], NULL);
		for (unsigned int j = 0; j < ARRAY_SIZE(kinds); j++)
			copy(&kinds[i], &kinds[j]);
	}
}

/* Nothing is copied from what cannot be read, with or without the locks. */
TEST(unreadable)
{
	const u64 from[PAGE_SIZE / sizeof(u64)] = { 77 };

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!kinds[i].registered || kinds[i].file > 0)
			continue;
		current->mm = shim_mm_new(NULL);
		tree_uffd_init(&ctx, current->mm, 0);
		for (int f = 0; f < 2; f++)
			file[f] = shim_file_new(true);
		map(&kinds[i]);
		shim_unreadable = true;
		EXPECT_EQ(tree_uffd_copy(&ctx, AT(9), from, PAGE_SIZE, false), (long)-EFAULT);
		shim_unreadable = false;
		check(&kinds[i], -EFAULT, 0);
		shim_mm_exit(current->mm);
		for (int f = 0; f < 2; f++)
			fput(file[f]);
	}
	shim_rcu_end();
	EXPECT_EQ(shim_nr_folios, 0l);
}

/* What is mapped behind the end of a file is not filled, in private memory of it either. */
TEST(beyond_the_end)
{
	const u64 from[PAGE_SIZE / sizeof(u64)] = { 77 };

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct mapped *k = &kinds[i];

		if (k->file || !k->registered || k->prot == PROT_READ)
			continue;
		current->mm = shim_mm_new(NULL);
		tree_uffd_init(&ctx, current->mm, 0);
		file[0] = shim_file_new(true);
		map(k);
		/* The second page has its first byte. */
		shim_file_size = (k->pgoff + 1) * PAGE_SIZE + 1;
		EXPECT_EQ(tree_uffd_copy(&ctx, AT(9), from, PAGE_SIZE, false), (long)PAGE_SIZE);
		EXPECT_EQ(tree_uffd_copy(&ctx, AT(10), from, PAGE_SIZE, false), -EFAULT);
		EXPECT_EQ(tree_uffd_zeropage(&ctx, AT(10), PAGE_SIZE), (long)-EFAULT);
		EXPECT_EQ(cached(file[0]), (int)k->shared);
		shim_file_size = (loff_t)1 << 40;
		shim_mm_exit(current->mm);
		fput(file[0]);
	}
	shim_rcu_end();
	EXPECT_EQ(shim_nr_folios, 0l);
}

/* A guard is in the way of the page: the file does not get it either. */
TEST_IF(over_a_guard, "guard regions")
{
	u64 from[PAGE_SIZE / sizeof(u64)] = { 77 };

	current->mm = shim_mm_new(NULL);
	tree_uffd_init(&ctx, current->mm, 0);
	for (int f = 0; f < 2; f++)
		file[f] = shim_file_new(true);
	map(&kinds[1]);
	if (GUARD_FLAG && !tree_madvise(AT(9), PAGE_SIZE, MADV_GUARD_INSTALL)) {
		EXPECT_EQ(tree_uffd_copy(&ctx, AT(9), from, PAGE_SIZE, false), (long)-EEXIST);
		EXPECT_EQ(tree_uffd_zeropage(&ctx, AT(9), PAGE_SIZE), (long)-EEXIST);
		EXPECT_EQ(cached(file[0]), 0);
		EXPECT_EQ(tree_uffd_copy(&ctx, AT(10), from, PAGE_SIZE, false), (long)PAGE_SIZE);
		EXPECT_EQ(cached(file[0]), 1);
		from[0] = 0;
	}
	shim_mm_exit(current->mm);
	for (int f = 0; f < 2; f++)
		fput(file[f]);
	if (from[0])
		test_skip("this tree has no guard regions");
}
