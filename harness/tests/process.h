/* SPDX-License-Identifier: GPL-2.0 */
/* A process whose VMAs a test makes by hand, page by page. */
#ifndef TESTS_PROCESS_H
#define TESTS_PROCESS_H

#include "harness/ops/program.h"
#include "harness/oracle/space.h"
#include "harness/test.h"

#define AT(page)	(PROGRAM_START + (unsigned long)(page) * PAGE_SIZE)
#define RDWR		(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE)

/** process_begin() - an mm without VMAs, current's. */
static inline void process_begin(void)
{
	shim_nr_objects = shim_nr_folios = shim_committed = 0;
	current->mm = shim_mm_new(NULL);
}

/** process_end() - exit; nothing is left. */
static inline void process_end(void)
{
	shim_mm_exit(current->mm);
	shim_rcu_end();
	EXPECT_EQ(shim_nr_objects, 0l);
	EXPECT_EQ(shim_nr_folios, 0l);
	EXPECT_EQ(shim_committed, 0l);
}

/** has() - whether a page is in a VMA with one of these flags. */
static inline bool has(int page, vm_flags_t flags)
{
	struct vm_area_struct *vma = shim_vma_at(AT(page));

	return vma && vma->vm_flags & flags;
}

#endif
