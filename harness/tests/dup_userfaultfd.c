// SPDX-License-Identifier: GPL-2.0
/* dup_userfaultfd(): whom the child's VMAs report to. */
#include "harness/oracle/space.h"
#include "harness/test.h"

/*
 * Two userfaultfds that both follow the child, in four VMAs:
 *
 *	parent  |-- A --|-- B --|-- A --|-- B --|
 *	child   |-- a --|-- b --|-- a --|-- b --|
 */
TEST(two_contexts)
{
	static struct userfaultfd_ctx ctx[2];
	static struct vm_area_struct vma[4];
	static struct mm_struct child;
	LIST_HEAD(events);

	for (int i = 0; i < 2; i++) {
		refcount_set(&ctx[i].refcount, 1);
		ctx[i].features = UFFD_FEATURE_EVENT_FORK;
	}
	for (int i = 0; i < 4; i++) {
		vma[i].vm_mm = &child;
		vma[i].vm_userfaultfd_ctx.ctx = &ctx[i % 2];
		EXPECT_EQ(dup_userfaultfd(&vma[i], &events), 0);
	}
	for (int i = 0; i < 4; i++)
		for (int n = 0; n < 2; n++) {
			EXPECT(vma[i].vm_userfaultfd_ctx.ctx != &ctx[n]);
			EXPECT_EQ(vma[i].vm_userfaultfd_ctx.ctx ==
				  vma[n].vm_userfaultfd_ctx.ctx, i % 2 == n);
		}
	dup_userfaultfd_fail(&events);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(refcount_read(&ctx[i].refcount), 1u);
	EXPECT_EQ(child.grabbed, 0);
	EXPECT_EQ(shim_nr_objects, 0l);
}
