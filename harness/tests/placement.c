// SPDX-License-Identifier: GPL-2.0
/*
 * Where mmap() puts what nobody gave an address: random layouts, and a search of our own
 * that looks at each address. A layout is some units of 64 pages, of which a stack's
 * guard gap is four.
 */
#include "harness/kernel/tree.h"
#include "harness/oracle/seeds.h"
#include "harness/test.h"

#define UNIT	(64 * PAGE_SIZE)
#define UNITS	48
#define AT(n)	((unsigned long)(n) * UNIT)
#define RDWR	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE)

/* What is there: a mapping, a stack, or nothing that may be had. */
enum { FREE, MAPPED, STACK, GAP };
static char layout[UNITS];

/* Pseudo-random, and the same wherever it runs. */
static u64 state;

static unsigned int draw(unsigned int below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % below;
}

static void set_up(bool stacks)
{
	const int gap = stack_guard_gap / UNIT;

	current->mm = shim_mm_new(NULL);
	memset(layout, FREE, sizeof(layout));
	for (int at = 8 + draw(6); at < UNITS; at += 2 + draw(12)) {
		int nr = min(1 + (int)draw(3), UNITS - at);
		bool stack = stacks && draw(2);

		EXPECT_EQ(tree_mmap(NULL, AT(at), nr * UNIT, RDWR | (stack ? VM_GROWSDOWN : 0),
				    AT(at) >> PAGE_SHIFT), 0);
		memset(layout + at, stack ? STACK : MAPPED, nr);
		for (int i = at - 1; stack && i >= at - gap && layout[i] == FREE; i--)
			layout[i] = GAP;
		at += nr;
	}
}

/*
 * A hole must have room for the worst alignment and for the gap; in the first that has,
 * or the last, the lowest address, or the highest.
 */
static unsigned long find(const struct vm_unmapped_area_info *info, bool topdown)
{
	const unsigned long room = info->length + info->align_mask + info->start_gap;
	unsigned long found = -ENOMEM;

	for (int first = 0, last; first < UNITS; first = last + 1) {
		unsigned long start, end, addr;

		for (last = first; last < UNITS && layout[last] == FREE; last++)
			;
		start = max(AT(first), info->low_limit);
		start = max(start, mmap_min_addr);
		end = min(AT(last), info->high_limit);
		if (end <= start || end - start < room)
			continue;
		addr = topdown ? end - info->length : start + info->start_gap;
		while ((addr ^ info->align_offset) & info->align_mask)
			addr += topdown ? -PAGE_SIZE : PAGE_SIZE;
		if (topdown || found == (unsigned long)-ENOMEM)
			found = addr;
	}
	return found;
}

/* So long that it wraps with what it is to be aligned to. */
TEST(too_long)
{
	struct vm_unmapped_area_info info = {
		.length = -PAGE_SIZE, .align_mask = 4 * PAGE_SIZE - 1, .high_limit = AT(UNITS),
	};

	current->mm = shim_mm_new(NULL);
	EXPECT_EQ(tree_unmapped_area(&info, false), (unsigned long)-ENOMEM);
	EXPECT_EQ(tree_unmapped_area(&info, true), (unsigned long)-ENOMEM);
	shim_mm_exit(current->mm);
}

TEST(random_layouts)
{
	int nowhere = 0, somewhere = 0;

	for (u64 seed = 1; seed <= 400; seed++) {
		bool stacks;

		state = seed;
		stacks = draw(2);
		set_up(stacks);
		for (int i = 0; i < 20; i++) {
			struct vm_unmapped_area_info info = {
				.length = (1 + draw(5)) * UNIT,
				.low_limit = draw(4) ? AT(draw(UNITS)) : 0,
				.high_limit = AT(draw(4) ? UNITS : 1 + draw(UNITS)),
			};

			/* Below a stack it leaves out more than it would have to. */
			if (!stacks && !draw(2)) {
				info.align_mask = (2 << draw(2)) * UNIT - PAGE_SIZE;
				info.align_offset = draw(8) * PAGE_SIZE;
			}
			if (!stacks && !draw(3))
				info.start_gap = UNIT / 2;
			for (int topdown = 0; topdown < 2; topdown++) {
				unsigned long ret = tree_unmapped_area(&info, topdown);
				unsigned long due = find(&info, topdown);

				if (ret != due)
					test_fail(__FILE__, __LINE__, "seed %llu, search %d%s: %#lx, expected %#lx",
						  (unsigned long long)seed, i,
						  topdown ? " from above" : "", ret, due);
				nowhere += due == (unsigned long)-ENOMEM;
				somewhere += due != (unsigned long)-ENOMEM;
			}
		}
		shim_mm_exit(current->mm);
	}
	EXPECT(nowhere > 1000 && somewhere > 1000);
	test_say("%d searches found a place, %d none", somewhere, nowhere);
}
