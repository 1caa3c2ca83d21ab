// SPDX-License-Identifier: GPL-2.0
/*
 * mremap() of the end of a mapping, over the border of two page tables, to where the
 * border is at the same page: whole tables could be moved, but that the first has pages
 * that stay. As often as there is memory to run out of.
 *
 *	|ssssssssmmmmmmmm:mmmmmmmmmmmmmmmm|	s stays, m moves, : the border
 *	16       24       32               48
 */
#include "harness/oracle/program.h"
#include "harness/tests/process.h"

#define FIRST	16
#define MOVED	24
#define END	48
/* In tables of which none is there yet. */
#define FAR	(sizeof(long) == 8 ? 2 * PUD_SIZE : 8 * PMD_SIZE)

static bool is_empty(unsigned long addr)
{
	const pte_t *table = table_at(current->mm, addr);

	return !table || !table[addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1)].pte;
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
