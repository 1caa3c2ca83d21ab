// SPDX-License-Identifier: GPL-2.0
/* prctl(PR_SET_VMA_ANON_NAME); .arg: which name, or 0 for none. */
#include "harness/ops/op.h"

long program_known;

/* A tree that is known to lose sticky flags here gets them back, and is counted. */
static void repair(struct process *p)
{
	for (int i = 0; i < nr_pages; i++) {
		struct vm_area_struct *vma = shim_vma_at(page_addr(i));
		vm_flags_t lost = (p->page[i].guards_near ? GUARD_FLAG : 0) |
				  (p->page[i].soft_dirty ? VM_SOFTDIRTY : 0);

		if (!vma || !(lost & ~vma->vm_flags))
			continue;
		program_known++;
		mmap_write_lock(p->mm);
		vm_flags_set(vma, lost);
		mmap_write_unlock(p->mm);
	}
}

static int call(const struct step *s)
{
	int ret = tree_name(s->addr, s->len, names[s->arg % NR_NAMES]);

	if (test_known("naming"))
		repair(s->p);
	return ret;
}

static int expect(const struct step *s)
{
	struct held *h;

	for (h = s->h; h < s->end && !(h->mapped && is_plain_file(h)); h++)
		if (h->mapped)
			h->name = s->arg % NR_NAMES;
	return h < s->end ? -EBADF : hole_error(s);
}

OPERATION(name) {
	.often = 4, .call = call, .expect = expect,
	.allocates = true, .merges = true, .partly = partly_done,
};
