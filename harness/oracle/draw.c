// SPDX-License-Identifier: GPL-2.0
/* An address space in three lines: expected, found, and its VMAs. */
#include "harness/oracle/program.h"
#include "harness/test.h"

static char drawn(const struct held *h)
{
	return !h->mapped ? ' ' : h->guard ? 'G' : h->poison ? 'X' : h->wp ? 'P' : h->copy ? 'c' :
	       h->shared ? 's' : h->file >= 0 ? 'f' : '.';
}

void draw_process(const struct process *p)
{
	VMA_ITERATOR(vmi, p->mm, 0);
	char want[MAX_PAGES + 1] = "", found[MAX_PAGES + 1] = "", vmas[MAX_PAGES + 2] = "";
	struct vm_area_struct *vma;

	memset(vmas, ' ', nr_pages + 1);
	for (int i = 0; i < nr_pages; i++) {
		unsigned long addr = page_addr(i);
		struct seen s = look(table_at(p->mm, addr), i);

		want[i] = drawn(&p->page[i]);
		found[i] = s.guard ? 'G' : s.poison ? 'X' : s.wp ? 'P' : s.page && s.page->anon ? 'c' :
			   s.slot ? 'c' : s.there ? 'p' : ' ';
	}
	rcu_read_lock();
	for_each_vma(vmi, vma) {
		long first = ((long)vma->vm_start - (long)PROGRAM_START) / (long)shim_page_span;
		long end = ((long)vma->vm_end - (long)PROGRAM_START) / (long)shim_page_span;

		if (first < 0 || end > nr_pages)
			continue;
		memset(vmas + first, vma->vm_flags & GUARD_FLAG ? 'g' : '-', end - first);
		vmas[first] = '|';
		vmas[end] = '|';
	}
	rcu_read_unlock();
	test_say("process %d  expected |%s|  G guard, X poison, P protected, c private copy",
		 (int)(p - process), want);
	test_say("              found |%s|  p a page, s shared, f file", found);
	test_say("               VMAs  %s  g may have guards", vmas);
}
