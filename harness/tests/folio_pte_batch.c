// SPDX-License-Identifier: GPL-2.0
/*
 * How many entries map a large folio in a row, and what bits those after the first
 * have. fork() asks for one of three bits; others may ask for any.
 */
#include "harness/oracle/space.h"
#include "harness/test.h"

#define NR	4

static struct folio *folio;

/* NR entries of the folio, of which that at @at has @bit. */
static void fill(pte_t *ptes, int at, pteval_t bit)
{
	pteval_t frame = (pteval_t)folio_pfn(folio) << PFN_PTE_SHIFT;

	for (int i = 0; i < NR; i++)
		ptes[i].pte = (frame + i * PAGE_SIZE) | PTE_PRESENT | (i == at ? bit : 0);
}

#ifdef TREE_HAS_folio_pte_batch_flags
/* What is asked for is given to the copy of the first entry. */
static void ask(int at, pteval_t bit, pteval_t asked)
{
	static struct vm_area_struct vma;
	fpb_t flags = (asked & PTE_WRITE ? FPB_MERGE_WRITE : 0) |
		      (asked & PTE_YOUNG ? FPB_MERGE_YOUNG_DIRTY : 0);
	_Alignas(CONT_PTES * sizeof(pte_t)) pte_t ptes[NR], first;

	fill(ptes, at, bit);
	first = ptes[0];
	EXPECT_EQ(folio_pte_batch_flags(folio, &vma, ptes, &first, NR, flags),
		  (unsigned int)NR);
	if (at > 0 && bit & asked)
		EXPECT_EQ(first.pte, ptes[0].pte | bit |
				     (bit == PTE_DIRTY ? PTE_SOFT_DIRTY : 0));
	else
		EXPECT_EQ(first.pte, ptes[0].pte);
}
#else
/* Each asks on its own. */
static void ask(int at, pteval_t bit, pteval_t asked)
{
	static const pteval_t bits[] = { PTE_WRITE, PTE_YOUNG, PTE_DIRTY };
	fpb_t flags = FPB_IGNORE_DIRTY | FPB_IGNORE_SOFT_DIRTY;
	bool said[] = { true, true, true }, *to[3];
	pte_t ptes[NR] __attribute__((aligned(CONT_PTES * sizeof(pte_t))));

	fill(ptes, at, bit);
	for (int i = 0; i < 3; i++)
		to[i] = asked & bits[i] ? &said[i] : NULL;
	EXPECT_EQ(folio_pte_batch(folio, 0, ptes, ptes[0], NR, flags, to[0], to[1],
				  to[2]), NR);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(said[i], !to[i] || (at > 0 && bit == bits[i]));
}
#endif

TEST(says_what_it_met)
{
	static const pteval_t asked[] = {
		0, PTE_WRITE, PTE_YOUNG | PTE_DIRTY, PTE_WRITE | PTE_YOUNG | PTE_DIRTY
	};
	static struct space s;

	space_init(&s, SPACE_START, 1, VM_READ | VM_MAYREAD, true);
	folio = space_folio(&s, 2, true, true, 0);
	for (int at = 0; at < NR; at++)
		for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
			ask(at, PTE_WRITE, asked[i]);
			ask(at, PTE_YOUNG, asked[i]);
			ask(at, PTE_DIRTY, asked[i]);
		}
	EXPECT_EQ(space_fork(&s, false, 0), 0);
}
