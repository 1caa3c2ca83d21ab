// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that meet the border of page tables, as often as there is memory to run out of:
 * where there are none yet, and where whole tables could be moved.
 */
#include "harness/oracle/program.h"
#include "harness/tests/process.h"

#define FIRST	16
#define MOVED	24
#define END	48
/* In tables of which none is there yet. */
#define FAR	(sizeof(long) == 8 ? 2 * PUD_SIZE : 8 * PMD_SIZE)

static pteval_t value_at(unsigned long addr)
{
	const pte_t *table = table_at(current->mm, addr);

	return table ? table[addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1)].pte : 0;
}

static bool is_empty(unsigned long addr)
{
	return !value_at(addr);
}

static void check(bool moved)
{
	for (u64 i = FIRST; i < END; i++) {
		bool away = moved && i >= MOVED;
		u64 content = 0;

		EXPECT(is_empty(away ? AT(i) : AT(i) + FAR));
		EXPECT(!is_empty(away ? AT(i) + FAR : AT(i)));
		EXPECT(shim_access(away ? AT(i) + FAR : AT(i), false, &content) == ACCESS_DONE);
		EXPECT_EQ(content, i);
	}
}

static bool has_pmds(unsigned long addr)
{
	const unsigned long *table = (const unsigned long *)current->mm->pgd;

	table = (const unsigned long *)(table[addr >> PGDIR_SHIFT] & PAGE_MASK);
	return table && table[addr >> PUD_SHIFT & (PTRS_PER_PUD - 1)];
}

/*
 * mremap() of the end of a mapping to where the border of two page tables is at the same
 * page. The first table cannot be moved as a whole: it has pages that stay.
 *
 *	|ssssssssmmmmmmmm:mmmmmmmmmmmmmmmm|	s stays, m moves, : the border
 *	16       24       32               48
 */
TEST(end_of_a_mapping)
{
	long nth = 0, failed = 0;
	bool more = true;

	/* First with all the memory there is. */
	for (; more; nth++) {
		long ret;

		process_begin();
		EXPECT_EQ(tree_mmap(NULL, AT(FIRST), (END - FIRST) * PAGE_SIZE,
				    RDWR | VM_NORESERVE, AT(FIRST) >> PAGE_SHIFT), 0);
		for (u64 i = FIRST; i < END; i++)
			EXPECT(shim_access(AT(i), true, &i) == ACCESS_DONE);
		alloc_fail_at(nth);
		ret = tree_sys_mremap(AT(MOVED), (END - MOVED) * PAGE_SIZE,
				      (END - MOVED) * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
				      AT(MOVED) + FAR);
		more = alloc_count() >= nth;
		alloc_fail_at(0);
		/* Not each of them is needed. */
		if (nth && more && ret != (long)(AT(MOVED) + FAR))
			EXPECT_EQ(ret, -ENOMEM);
		else
			EXPECT_EQ(ret, (long)(AT(MOVED) + FAR));
		failed += ret == -ENOMEM;
		check(ret != -ENOMEM);
		/*
		 * Nothing here is accounted. What a failed call charges all the same is
		 * for operations.each_allocation_fails to see.
		 */
		shim_committed = 0;
		process_end();
	}
	EXPECT(failed > 4);
}

/*
 * A gigabyte moves by one entry; what userfaultfd protects and is not to follow, page by
 * page, and its protection stays behind.
 */
TEST_IF(gigabyte, "page tables of four levels")
{
	static const unsigned long at[] = { 0, PMD_SIZE + 3 * PAGE_SIZE, PUD_SIZE - PAGE_SIZE };
	const unsigned long from = 4 * PUD_SIZE, to = 7 * PUD_SIZE;

	if (sizeof(long) != 8)
		test_skip("32-bit");
	for (int registered = 0; registered < 2; registered++) {
		struct userfaultfd_ctx ctx;

		process_begin();
		tree_uffd_init(&ctx, current->mm, 0);
		EXPECT_EQ(tree_mmap(NULL, from, PUD_SIZE, RDWR | VM_NORESERVE,
				    from >> PAGE_SHIFT), 0);
		for (u64 i = 0; i < ARRAY_SIZE(at); i++)
			EXPECT(shim_access(from + at[i], true, &i) == ACCESS_DONE);
		if (registered) {
			EXPECT_EQ(tree_uffd_register(&ctx, from, PUD_SIZE,
						     UFFDIO_REGISTER_MODE_WP), 0);
			EXPECT_EQ(tree_uffd_wp(&ctx, from + at[1], PAGE_SIZE, true), 0);
		}
		EXPECT_EQ(tree_sys_mremap(from, PUD_SIZE, PUD_SIZE,
					  MREMAP_MAYMOVE | MREMAP_FIXED, to), (long)to);
		EXPECT(!shim_vma_at(from));
		for (u64 i = 0; i < ARRAY_SIZE(at); i++) {
			u64 content = 9;

			EXPECT(is_empty(from + at[i]));
			EXPECT(!is_empty(to + at[i]));
			EXPECT(!(value_at(to + at[i]) & PTE_UFFD));
			EXPECT(shim_access(to + at[i], false, &content) == ACCESS_DONE);
			EXPECT_EQ(content, i);
			EXPECT(shim_access(to + at[i], true, &content) == ACCESS_DONE);
		}
		process_end();
	}
}

/*
 * Where there are no page tables yet, protecting makes them, for the markers: all of them,
 * or it says that there is no memory. In trees with that defect, the error is added to the
 * number of pages that were protected before it, and may come out as none.
 */
TEST_IF(protected, "userfaultfd write-protection of files")
{
	const unsigned long far = sizeof(long) == 8 ? 4 * PUD_SIZE : 8 * PMD_SIZE;
	const unsigned long start = far - 16 * PAGE_SIZE, nr = 32;
	long nth = 0, failed = 0, untold = 0;
	bool more = true;

	for (; more; nth++) {
		struct file *file = shim_file_new(true);
		struct userfaultfd_ctx ctx;
		bool whole = true;
		int ret;

		process_begin();
		tree_uffd_init(&ctx, current->mm, 0);
		EXPECT_EQ(tree_mmap(file, start, nr * PAGE_SIZE,
				    RDWR | VM_SHARED | VM_MAYSHARE | VM_NORESERVE, 0), 0);
		if (tree_uffd_register(&ctx, start, nr * PAGE_SIZE, UFFDIO_REGISTER_MODE_WP))
			test_skip("it has none");
		alloc_fail_at(nth);
		ret = tree_uffd_wp(&ctx, start, nr * PAGE_SIZE, true);
		more = alloc_count() >= nth;
		alloc_fail_at(0);
		for (unsigned long i = 0; i < nr; i++)
			whole = whole && !is_empty(start + i * PAGE_SIZE);
		if (!ret && !whole && has_pmds(far) && test_known("protect-nomem")) {
			untold++;
		} else {
			EXPECT_EQ(ret, nth && more ? -ENOMEM : 0);
			EXPECT_EQ(whole, !ret);
		}
		failed += nth && more;
		fput(file);
		process_end();
	}
	EXPECT(failed >= (sizeof(long) == 8 ? 4 : 2));
	if (untold)
		test_end_known("%ld of %ld times without memory, it says that it is done",
			       untold, failed);
}

/*
 * UFFDIO_MOVE from where there are no page tables, to where there are none: nothing is to
 * be moved, but for that it takes both, and there may be no memory.
 */
TEST(moved_hole)
{
	const unsigned long to = 2 * FAR, from = 4 * FAR, len = 2 * PAGE_SIZE;
	long nth = 0, failed = 0;
	bool more = true;

	for (; more; nth++) {
		struct userfaultfd_ctx ctx;
		long ret;

		process_begin();
		tree_uffd_init(&ctx, current->mm, 0);
		EXPECT_EQ(tree_mmap(NULL, to, len, RDWR | VM_NORESERVE, to >> PAGE_SHIFT), 0);
		EXPECT_EQ(tree_mmap(NULL, from, len, RDWR | VM_NORESERVE, from >> PAGE_SHIFT), 0);
		EXPECT_EQ(tree_uffd_register(&ctx, to, len, UFFDIO_REGISTER_MODE_MISSING), 0);
		EXPECT_EQ(tree_uffd_move(&ctx, to, from, len, false), (long)-ENOENT);
		alloc_fail_at(nth);
		ret = tree_uffd_move(&ctx, to, from, len, true);
		more = alloc_count() >= nth;
		alloc_fail_at(0);
		EXPECT_EQ(ret, nth && more ? (long)-ENOMEM : (long)len);
		failed += ret == -ENOMEM;
		process_end();
	}
	EXPECT(failed > (sizeof(long) == 8 ? 4 : 1));
}
