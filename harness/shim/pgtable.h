/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model: page tables as an architecture has them. 512 entries a table, 8 where there
 * are threads; PGD, PUD, PMD and PTE, with as many address bits as a long has. No
 * processor's bits, and on purpose none like x86's, so that nothing works by accident:
 *
 *	present    | frame ........ | soft-dirty special young dirty write | uffd |P|
 *	protnone   |  the same, without P and with N                            |N|
 *	else       | offset ....... | type | uffd exclusive soft-dirty            | |
 */
#ifndef SHIM_PGTABLE_H
#define SHIM_PGTABLE_H

#pragma push_macro("inline")
#define inline	SHIM_INLINE

#define PAGE_SHIFT	12
#ifdef SHIM_SCHED
/* Small, so that a race can empty a whole one, and remove it. */
#define PMD_SHIFT	15
#define PUD_SHIFT	18
#define PGDIR_SHIFT	21
#define PTRS_PER_PTE	8
#define PTRS_PER_PMD	8
#define PTRS_PER_PUD	8
#define PTRS_PER_PGD	256
#define MAX_PHYSMEM_BITS	(IS_ENABLED(CONFIG_64BIT) ? 40 : 32)
#else
#define PMD_SHIFT	21
#define PUD_SHIFT	30
#define PTRS_PER_PTE	512
#define PTRS_PER_PMD	512
#ifdef CONFIG_64BIT
#define PGDIR_SHIFT	39
#define PTRS_PER_PUD	512
#define PTRS_PER_PGD	256
#define MAX_PHYSMEM_BITS	40
#else
#define PGDIR_SHIFT	31
#define PTRS_PER_PUD	2
#define PTRS_PER_PGD	2
#define MAX_PHYSMEM_BITS	32
#endif
#endif
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define PMD_SIZE	(1UL << PMD_SHIFT)
#define PMD_MASK	(~(PMD_SIZE - 1))
#define PUD_SIZE	(1UL << PUD_SHIFT)
#define PUD_MASK	(~(PUD_SIZE - 1))
#define PGDIR_SIZE	(1UL << PGDIR_SHIFT)
#define PGDIR_MASK	(~(PGDIR_SIZE - 1))
#define PFN_PTE_SHIFT	PAGE_SHIFT
#define PMD_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define HPAGE_PMD_ORDER	PMD_ORDER
#define HPAGE_PMD_SIZE	PMD_SIZE
#define HPAGE_PMD_MASK	PMD_MASK
#define HPAGE_PMD_NR	PTRS_PER_PTE
#define HPAGE_PUD_SIZE	PUD_SIZE
#define HPAGE_PUD_NR	(PTRS_PER_PTE * PTRS_PER_PMD)
#ifndef _PAGE_SWP_SOFT_DIRTY
#define _PAGE_SWP_SOFT_DIRTY	0
#endif

typedef u64 pteval_t;
typedef struct { pteval_t pte; } pte_t;
typedef struct { unsigned long pmd; } pmd_t;
typedef struct { unsigned long pud; } pud_t;
typedef struct { unsigned long pgd; } pgd_t;
typedef struct pgprot { pteval_t pgprot; } pgprot_t;
typedef struct table *pgtable_t;

#define __pte(x)	((pte_t){ x })
#define pte_val(x)	((x).pte)
#define pmd_val(x)	((x).pmd)
#define pud_val(x)	((x).pud)
#define __pgd(x)	((pgd_t){ x })
#define pgd_val(x)	((x).pgd)
#define __pgprot(x)	((pgprot_t){ x })
#define pgprot_val(x)	((x).pgprot)

#define PTE_PRESENT	0x001ULL
#define PTE_PROTNONE	0x002ULL
#define PTE_UFFD	0x004ULL
#define PTE_WRITE	0x008ULL
#define PTE_DIRTY	0x010ULL
#define PTE_YOUNG	0x020ULL
#define PTE_SPECIAL	0x040ULL
#define PTE_SOFT_DIRTY	0x080ULL

#define PTE_SWP_SOFT_DIRTY	0x008ULL
#define PTE_SWP_EXCLUSIVE	0x010ULL
#define PTE_SWP_UFFD		0x020ULL
#define SWP_TYPE_BIT		6
#define SWP_OFFSET_BIT		PFN_PTE_SHIFT

/* What mprotect() gives; a PTE is made of a frame and one of these. */
#define PAGE_NONE	__pgprot(PTE_PROTNONE)
#define PAGE_READONLY	__pgprot(PTE_PRESENT)
#define PAGE_SHARED	__pgprot(PTE_PRESENT | PTE_WRITE)

#define SHIM_PTE_TEST(name, bit)					\
static inline int pte_##name(pte_t pte) { return !!(pte.pte & (bit)); }
#define SHIM_PTE_SET(name, bit)						\
static inline pte_t pte_##name(pte_t pte) { return __pte(pte.pte | (bit)); }
#define SHIM_PTE_CLEAR(name, bit)					\
static inline pte_t pte_##name(pte_t pte) { return __pte(pte.pte & ~(bit)); }

SHIM_PTE_TEST(present, PTE_PRESENT | PTE_PROTNONE)
SHIM_PTE_TEST(write, PTE_WRITE)
SHIM_PTE_TEST(dirty, PTE_DIRTY)
SHIM_PTE_TEST(young, PTE_YOUNG)
SHIM_PTE_TEST(special, PTE_SPECIAL)
SHIM_PTE_TEST(soft_dirty, PTE_SOFT_DIRTY)
SHIM_PTE_TEST(uffd, PTE_UFFD)
SHIM_PTE_TEST(swp_uffd, PTE_SWP_UFFD)
SHIM_PTE_TEST(swp_soft_dirty, PTE_SWP_SOFT_DIRTY)
SHIM_PTE_TEST(swp_exclusive, PTE_SWP_EXCLUSIVE)
SHIM_PTE_SET(mkdirty, PTE_DIRTY | PTE_SOFT_DIRTY)
SHIM_PTE_SET(mkyoung, PTE_YOUNG)
SHIM_PTE_SET(mksoft_dirty, PTE_SOFT_DIRTY)
SHIM_PTE_SET(mkspecial, PTE_SPECIAL)
SHIM_PTE_SET(swp_mkuffd, PTE_SWP_UFFD)
SHIM_PTE_SET(swp_mksoft_dirty, PTE_SWP_SOFT_DIRTY)
SHIM_PTE_SET(swp_mkexclusive, PTE_SWP_EXCLUSIVE)
SHIM_PTE_CLEAR(wrprotect, PTE_WRITE)
SHIM_PTE_CLEAR(mkclean, PTE_DIRTY)
SHIM_PTE_CLEAR(mkold, PTE_YOUNG)
SHIM_PTE_CLEAR(clear_soft_dirty, PTE_SOFT_DIRTY)
SHIM_PTE_CLEAR(clear_uffd, PTE_UFFD)
SHIM_PTE_CLEAR(swp_clear_uffd, PTE_SWP_UFFD)
SHIM_PTE_CLEAR(swp_clear_soft_dirty, PTE_SWP_SOFT_DIRTY)
SHIM_PTE_CLEAR(swp_clear_exclusive, PTE_SWP_EXCLUSIVE)

/* A page that userfaultfd protects is not writable. */
static inline pte_t pte_mkuffd(pte_t pte)
{
	return __pte((pte.pte | PTE_UFFD) & ~PTE_WRITE);
}

/* The same bit's name in 6.12. */
#define pte_uffd_wp		pte_uffd
#define pte_mkuffd_wp		pte_mkuffd
#define untrack_pfn_clear(...)	do { } while (0)
#define pte_clear_uffd_wp	pte_clear_uffd
#define pte_swp_uffd_wp		pte_swp_uffd
#define pte_swp_mkuffd_wp	pte_swp_mkuffd
#define pte_swp_clear_uffd_wp	pte_swp_clear_uffd

#define pte_mkwrite(pte, ...)	__pte(pte_val(pte) | PTE_WRITE)
#define pte_devmap(...)		0

static inline int pte_none(pte_t pte)
{
	return !pte.pte;
}

static inline unsigned long pte_pfn(pte_t pte)
{
	return pte.pte >> PFN_PTE_SHIFT;
}

static inline pte_t pfn_pte(unsigned long pfn, pgprot_t prot)
{
	return __pte((pteval_t)pfn << PFN_PTE_SHIFT | prot.pgprot);
}

/* Another protection; frame and history stay. */
static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
	return __pte((pte.pte & ~(PTE_PRESENT | PTE_PROTNONE | PTE_WRITE)) |
		     prot.pgprot);
}

static inline int pte_protnone(pte_t pte)
{
	return (pte.pte & (PTE_PRESENT | PTE_PROTNONE)) == PTE_PROTNONE;
}

#define pgprot_noncached(prot)		(prot)
#define pgprot_writecombine(prot)	(prot)
#define pgprot_device(prot)		(prot)

/* Entries that are not present: the architecture's half of swapops.h. */
#define __swp_type(entry)	((unsigned int)((entry).val & 31))
#define __swp_offset(entry)	((entry).val >> 5)
#define __swp_entry(type, offset)					\
	((swp_entry_t){ (unsigned long)(offset) << 5 | (type) })
#define __pte_to_swp_entry(pte)						\
	__swp_entry(pte_val(pte) >> SWP_TYPE_BIT & 31,			\
		    pte_val(pte) >> SWP_OFFSET_BIT)
#define __swp_entry_to_pte(entry)					\
	__pte((pteval_t)__swp_offset(entry) << SWP_OFFSET_BIT |		\
	      (pteval_t)__swp_type(entry) << SWP_TYPE_BIT)

/* Directory entries: the address of a table, and bit 0. */
#define pmd_none(x)	(!pmd_val(x))
#define pud_none(x)	(!pud_val(x))
#define p4d_none(x)	(!pgd_val((x).pgd))
#define pmd_bad(x)	((pmd_val(x) & ~PAGE_MASK) != 1)
#define pud_bad(x)	((pud_val(x) & ~PAGE_MASK) != 1)
#define p4d_bad(x)	((pgd_val((x).pgd) & ~PAGE_MASK) != 1)
#define pmd_present(x)	(pmd_val(x) & 1)
#define pud_present(x)	(pud_val(x) & 1)
#define p4d_present(x)	(pgd_val((x).pgd) & 1)
#define pmd_page_vaddr(x)	(pmd_val(x) & PAGE_MASK)
#define pud_pgtable(x)		((pmd_t *)(pud_val(x) & PAGE_MASK))
#define p4d_pgtable(x)		((pud_t *)(pgd_val((x).pgd) & PAGE_MASK))
#define pmd_pgtable(x)		((pgtable_t)(pmd_val(x) & PAGE_MASK))
#define pmd_clear(p)		((void)((p)->pmd = 0))
#define pud_clear(p)		((void)((p)->pud = 0))
#define p4d_clear(p)		((void)((p)->pgd.pgd = 0))
#define pmdp_get_lockless(p)	({ sched_point(p, SCHED_READ); shim_marked(*(p)); })
#define pmd_leaf(...)		0
#define pud_leaf(...)		0
#define mm_pud_folded(...)	0
#define mm_pmd_folded(...)	0

/* No huge entries yet. */
#define pmd_trans_huge(...)	0
#define pud_trans_huge(...)	0
#define pmd_devmap(...)		0
#define pud_devmap(...)		0
#define is_swap_pmd(...)		0
#define pmd_is_huge(...)		0

#pragma pop_macro("inline")
#endif
