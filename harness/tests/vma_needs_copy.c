// SPDX-License-Identifier: GPL-2.0
/*
 * Which VMAs have their page tables copied by fork(): the whole decision table
 * of vma_needs_copy() against three rules, each told here in its own words.
 *
 *	parent  |-------- src --------|	flags, an anon_vma or none
 *	                 |  fork(): userfaultfd flags go, unless the context
 *	                 v  asked for UFFD_FEATURE_EVENT_FORK
 *	child   |-------- dst --------|	page tables copied, or left to faults?
 */
#include "harness/test.h"
#include "harness/kernel/tree.h"

/*
 * What no fault can bring back, and the flag which says that a VMA may have it.
 * This is no copy of VM_COPY_ON_FORK but the reason for each flag of it: a flag
 * without a reason here is foreign there, a reason without its flag is a loss.
 */
static const struct reason {
	const char *name;
	vm_flags_t flag;
	bool uffd;		/* the child keeps it with EVENT_FORK only */
	const char *holds;
} reasons[] = {
	{ "VM_PFNMAP", VM_PFNMAP, false,
	  "frame numbers that a driver put there once" },
	{ "VM_MIXEDMAP", VM_MIXEDMAP, false,
	  "pages and frame numbers that a driver put there once" },
	{ "VM_UFFD_WP", VM_UFFD_WP, true,
	  "which pages userfaultfd protects against writing" },
#ifdef VM_UFFD_RWP
	{ "VM_UFFD_RWP", VM_UFFD_RWP, true,
	  "which pages userfaultfd protects against any access" },
#endif
#ifdef VM_MAYBE_GUARD
	{ "VM_MAYBE_GUARD", VM_MAYBE_GUARD, false,
	  "guard markers" },
#endif
};

#define NR_REASONS	((int)ARRAY_SIZE(reasons))
#define NR_BITS		((int)(8 * sizeof(vm_flags_t)))
#define BIT_OF(i)	((vm_flags_t)1 << (i))

static const char *bit_name(int bit)
{
	static const struct { const char *name; vm_flags_t flag; } names[] = {
#include "flag_names.h"
	};
	static char number[16];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].flag == BIT_OF(bit))
			return names[i].name;
	snprintf(number, sizeof(number), "bit %d", bit);
	return number;
}

static const char *flag_names(vm_flags_t flags)
{
	static char text[2][1024];
	static int turn;
	char *s = text[turn ^= 1];
	size_t used = 0;

	snprintf(s, sizeof(text[0]), "none");
	for (int bit = 0; bit < NR_BITS; bit++)
		if (flags & BIT_OF(bit))
			used += snprintf(s + used, sizeof(text[0]) - used,
					 "%s%s", used ? " " : "",
					 bit_name(bit));
	return s;
}

/* One side of a fork: which reasons hold, one more bit or -1, an anon_vma. */
struct side {
	bool holds[NR_REASONS];
	int other;
	bool anon;
};

static struct side side(unsigned int holds, int other, bool anon)
{
	struct side s = { .other = other, .anon = anon };

	for (int i = 0; i < NR_REASONS; i++)
		s.holds[i] = holds >> i & 1 && reasons[i].flag;
	return s;
}

static void fill(struct vm_area_struct *vma, const struct side *s)
{
	static char anon_vma;	/* only whether there is one is ever asked */
	vm_flags_t flags = s->other < 0 ? 0 : BIT_OF(s->other);

	for (int i = 0; i < NR_REASONS; i++)
		if (s->holds[i])
			flags |= reasons[i].flag;
	vm_flags_init(vma, flags);
	vma->anon_vma = s->anon ? (void *)&anon_vma : NULL;
}

static bool is_reason(int bit)
{
	for (int i = 0; i < NR_REASONS; i++)
		if (reasons[i].flag == BIT_OF(bit))
			return true;
	return false;
}

/* What the kernel answers. */
static bool asked(const struct side *src, const struct side *dst)
{
	static struct vm_area_struct src_vma, dst_vma;

	fill(&src_vma, src);
	fill(&dst_vma, dst);
	return tree_vma_needs_copy(&dst_vma, &src_vma);
}

/*
 * The rules. Nothing is lost: the parent's private pages are in its page tables
 * and nowhere else, and so is what the child's flags say. Nothing is copied for
 * nothing: what the child does not keep is no reason to copy.
 */
static bool due(const struct side *src, const struct side *dst)
{
	bool copy = src->anon;

	for (int i = 0; i < NR_REASONS; i++)
		copy = copy || dst->holds[i];
	return copy;
}

static bool agree(const struct side *src, const struct side *dst)
{
	return asked(src, dst) == due(src, dst);
}

static void check(const struct side *src, const struct side *dst)
{
	struct vm_area_struct s, d;

	if (agree(src, dst))
		return;
	fill(&s, src);
	fill(&d, dst);
	test_fail(__FILE__, __LINE__,
		  "src: %s%s; dst: %s%s; page tables copied: %s, expected: %s",
		  flag_names(s.vm_flags), src->anon ? ", anon_vma" : "",
		  flag_names(d.vm_flags), dst->anon ? ", anon_vma" : "",
		  asked(src, dst) ? "yes" : "no", due(src, dst) ? "yes" : "no");
}

/* What fork() makes of a parent's VMA, before the page tables are looked at. */
static struct side forked(const struct side *src, bool event_fork)
{
	struct side dst = *src;

	if (event_fork)
		return dst;
	for (int i = 0; i < NR_REASONS; i++)
		if (reasons[i].uffd)
			dst.holds[i] = false;
	if (dst.other >= 0 && (BIT_OF(dst.other) & (VM_UFFD_MISSING |
						    VM_UFFD_MINOR)))
		dst.other = -1;
	return dst;
}

/* Each pair of VMAs that a fork can have before it. */
TEST(forked_pairs)
{
	for (unsigned int holds = 0; holds < 1u << NR_REASONS; holds++)
		for (int other = -1; other < NR_BITS; other++)
			for (int n = 0; n < 4; n++) {
				struct side src = side(holds, other, n & 1);
				struct side dst = forked(&src, n & 2);

				if (other < 0 || !is_reason(other))
					check(&src, &dst);
			}
}

static bool destination_decides(void)
{
#ifdef VM_COPY_ON_FORK
	return true;
#else
	return false;
#endif
}

/*
 * Each pair there is, also where fork() leaves source and destination alike: of
 * the flags it is the destination's that count, of the anon_vma the source's.
 */
TEST_IF(all_pairs, "VM_COPY_ON_FORK")
{
	long pairs = 0, differ = 0;

	for (unsigned int n = 0; n < 4u << 2 * NR_REASONS; n++) {
		unsigned int s = n >> 2 & ((1u << NR_REASONS) - 1);
		unsigned int d = n >> 2 >> NR_REASONS;

		for (int other = -1; other < NR_BITS; other++) {
			if (other >= 0 && is_reason(other))
				continue;
			for (int where = 1; where < 4; where++) {
				struct side src, dst;

				src = side(s, where & 1 ? other : -1, n & 1);
				dst = side(d, where & 2 ? other : -1, n & 2);
				pairs++;
				if (destination_decides())
					check(&src, &dst);
				else
					differ += !agree(&src, &dst);
			}
		}
	}
	if (!destination_decides())
		test_skip("no VM_COPY_ON_FORK: other than the rule in %ld of %ld pairs",
			  differ, pairs);
}

/* The flags that make the kernel copy: all from dst, or all from src. */
static vm_flags_t observed(bool from_src)
{
	struct side none = side(0, -1, false);
	vm_flags_t flags = 0;

	for (int bit = 0; bit < NR_BITS; bit++) {
		struct side one = side(0, bit, false);

		if (from_src ? asked(&one, &none) : asked(&none, &one))
			flags |= BIT_OF(bit);
	}
	return flags;
}

/* A flag for each reason, a reason for each flag. */
TEST(set)
{
	vm_flags_t set = observed(false) | observed(true);

	for (int i = 0; i < NR_REASONS; i++)
		if (reasons[i].flag && !(set & reasons[i].flag))
			test_fail(__FILE__, __LINE__,
				  "%s is not in the set; lost on fork: %s",
				  reasons[i].name, reasons[i].holds);
	for (int bit = 0; bit < NR_BITS; bit++)
		if (set & BIT_OF(bit) && !is_reason(bit))
			test_fail(__FILE__, __LINE__,
				  "%s is in the set; no reason to copy for it is known here",
				  bit_name(bit));
	test_say("copied for, from dst: %s", flag_names(observed(false)));
	test_say("copied for, from src: %s", flag_names(observed(true)));
}

/* What the set says is what is done. */
TEST_IF(set_is_used, "VM_COPY_ON_FORK")
{
#ifdef VM_COPY_ON_FORK
	EXPECT_EQ(observed(false), (vm_flags_t)VM_COPY_ON_FORK);
	EXPECT_EQ(observed(true), (vm_flags_t)0);
#else
	test_skip("no VM_COPY_ON_FORK");
#endif
}
