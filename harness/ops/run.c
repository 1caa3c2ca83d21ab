// SPDX-License-Identifier: GPL-2.0
/* Programs: which operations there are, how a program is drawn, and how it runs. */
#include "harness/ops/op.h"
#include "harness/oracle/vmas.h"

static struct operation *operations;
static int nr_operations, sum_often;

/* By name, whatever the order in which they were linked. */
void operation_register(struct operation *operation)
{
	struct operation **p = &operations;

	while (*p && strcmp((*p)->name, operation->name) < 0)
		p = &(*p)->next;
	operation->next = *p;
	*p = operation;
	nr_operations++;
	sum_often += operation->often;
}

static struct operation *find(const struct op *op)
{
	struct operation *o = op->does;

	if (o)
		return o;
	for (o = operations; o && strcmp(o->name, op->name); o = o->next)
		;
	if (!o)
		test_fail(__FILE__, __LINE__, "no operation is called %s", op->name);
	return o;
}

struct op program_op(unsigned int n)
{
	struct operation *o = operations;

	for (n %= nr_operations; n--; o = o->next)
		;
	return (struct op){ .name = o->name, .does = o };
}

bool partly_done(const struct step *s, int n, const struct held *after)
{
	/* Between pages that are far apart it may fail as well. */
	if (n + (shim_page_span == PAGE_SIZE) >= s->nr)
		return false;
	memcpy(s->h, after + s->at, (n + 1) * sizeof(*after));
	return true;
}

int everything(const struct step *s, int *nr)
{
	(void)s;
	*nr = nr_pages;
	return 0;
}

static bool knows(const struct operation *does)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(does->known); i++)
		if (does->known[i] && test_known(does->known[i]))
			return true;
	return false;
}

static int expected(const struct operation *does, const struct step *s)
{
	return does->expect ? does->expect(s) : 0;
}

int expect_of(const char *name, const struct step *s)
{
	const struct op op = { .name = name };

	return expected(find(&op), s);
}

/*
 * The step, with one of its allocations failing, if it has so many. Some can be done
 * without; after a failure the process holds what it held, or what may be done of it.
 */
static void step_without_memory(const struct operation *does, const struct step *s)
{
	struct held before[MAX_PAGES], after[MAX_PAGES], *page = s->p->page;
	size_t size = nr_pages * sizeof(*page);
	long nth = s->fail & ~NO_MEMORY;
	bool failed;
	int ret, due;

	memcpy(before, page, size);
	if (s->fail & NO_MEMORY)
		alloc_fail_from(nth);
	else
		alloc_fail_at(nth);
	shim_warn_known = test_known("merge-iterator") ? MERGE_ITERATOR : NULL;
	ret = does->call(s);
	shim_warn_known = NULL;
	failed = nth && alloc_count() >= nth;
	alloc_fail_at(0);
	due = expected(does, s);
	memcpy(after, page, size);
	if (ret != due && !(failed && (ret == -ENOMEM || ret == -EAGAIN)))
		test_fail(__FILE__, __LINE__, "returned %d, expected %d", ret, due);
	if (!failed || (ret == due && holds_as_expected(s->p)))
		return;
	memcpy(page, before, size);
	for (int n = 0; !holds_as_expected(s->p); n++) {
		memcpy(page, before, size);
		if (does->partly && does->partly(s, n, after))
			continue;
		if (ret == due)
			memcpy(page, after, size);
		check_process(s->p);
		break;
	}
	check_counts();
}

/* Whether the call locked what it changed, and changed nothing that it was not to. */
static void check_vmas(const struct operation *does, const struct step *s,
		       const struct vmas *before, bool failed)
{
	const struct vm_area_struct *vma = vmas_not_locked(before, s->p->mm);
	int nr = 0, to = does->target ? does->target(s, &nr) : 0;

	if (vma)
		test_fail(__FILE__, __LINE__, "process %d: changed a VMA of %#lx that it did not lock",
			  (int)(s->p - process), vma->vm_start);
	vma = vmas_behind_rmap(before, s->p->mm);
	if (vma)
		test_fail(__FILE__, __LINE__, "process %d: changed a VMA of %#lx behind the rmap's back",
			  (int)(s->p - process), vma->vm_start);
	vma = failed || !does->merges ? NULL :
	      vmas_not_merged(before, s->p->mm, nr ? page_addr(to) : s->addr,
			      nr ? page_addr(to + nr) : s->addr + s->len);
	if (vma)
		test_fail(__FILE__, __LINE__, "process %d: did not merge a VMA of %#lx with the one before",
			  (int)(s->p - process), vma->vm_start);
	vma = vmas_not_asked(before, s->p->mm, s->addr, s->addr + s->len,
			     page_addr(to), page_addr(to + nr));
	if (vma)
		test_fail(__FILE__, __LINE__, "process %d: changed a VMA of %#lx that it was not asked about",
			  (int)(s->p - process), vma->vm_start);
}

static bool step_at(const struct op *op, const struct operation *does, struct process *p,
		    int at, int nr)
{
	bool failed = false;
	struct step s = {
		.p = p, .at = at, .nr = nr, .arg = op->arg, .fail = op->fail,
		.addr = page_addr(at), .len = nr * shim_page_span,
		.h = &p->page[at], .end = &p->page[at + nr],
	};
	static struct vmas vmas;
	int ret, due;

	current->mm = p->mm;
	if (does->sensible && !does->sensible(&s))
		return false;
	/* Who splits or merges VMAs allocates. */
	if (does->allocates)
		vmas_look(&vmas, p->mm);
	if (s.fail && does->allocates && !knows(does)) {
		step_without_memory(does, &s);
		failed = true;
	} else {
		ret = does->call(&s);
		due = expected(does, &s);
		if (ret != due)
			test_fail(__FILE__, __LINE__, "returned %d, expected %d", ret, due);
	}
	if (does->allocates)
		check_vmas(does, &s, &vmas, failed);
	if (p < process + nr_processes && p->mm->stale_start != p->mm->stale_end)
		test_fail(__FILE__, __LINE__, "process %d: the TLB has %#lx-%#lx still",
			  (int)(p - process), p->mm->stale_start, p->mm->stale_end);
	return true;
}

/*
 * Where there is something to do: a page from there on, of this process or another.
 * False: nowhere.
 */
static bool aim(const struct operation *does, const struct op *op, int *who, int *at,
		int *nr)
{
	bool (*is)(const struct held *h) = does->aims ?: is_mapped;
	const struct held *h = process[*who].page;
	int left = nr_pages * nr_processes;

	while (left && !is(&h[*at])) {
		*at = (*at + 1) % nr_pages;
		if (--left % nr_pages)
			continue;
		*who = (*who + 1) % nr_processes;
		h = process[*who].page;
	}
	*nr = min(*nr, nr_pages - *at);
	for (int i = 1; op->aim == AIM_AT_ONLY && i < *nr; i++)
		if (!is(&h[*at + i]))
			*nr = i;
	return left || !does->aims;
}

/* Whether it is counted what the steps do. */
static bool counting;
static struct held before[MAX_PAGES];
static struct file_content written[NR_FILES];

/* One step. False: it makes no sense here, and nothing was done. */
static bool step(const struct op *op)
{
	struct operation *does = find(op);
	int who = op->who % nr_processes, at = op->at % nr_pages;
	int nr = 1 + (op->nr ? op->nr - 1 : 0) % (nr_pages - at);
	struct process *p;

	if (!does)
		return false;
	does->drawn++;
	if (op->aim && !aim(does, op, &who, &at, &nr))
		return false;
	p = &process[who];
	if (counting) {
		memcpy(before, p->page, sizeof(before));
		memcpy(written, files, sizeof(written));
	}
	if (!step_at(op, does, p, at, nr))
		return false;
	does->done++;
	if (counting)
		does->changed += does->unseen || memcmp(before, p->page, sizeof(before)) ||
				 memcmp(written, files, sizeof(written));
	return true;
}

static void begin_program(void)
{
	INIT_LIST_HEAD(&init_mm.mmlist);
	/* What an earlier program has leaked is not this one's. */
	shim_nr_folios = shim_nr_objects = shim_nr_tables = 0;
	shim_nr_files = shim_committed = 0;
	next_content = 0;
	nr_pages = PROGRAM_PAGES;
	shim_page_span = PAGE_SIZE;
	shim_fault_order = 0;
	memset(process[0].page, 0, sizeof(process[0].page));
	process[0].mm = shim_mm_new(NULL);
	process[0].future = 0;
	process[0].features = 0;
	shim_memlock = ULONG_MAX;
	process[0].ctx = uffd_new(process[0].mm);
	nr_processes = 1;
	shim_told = 0;
	for (nr_files = 0; nr_files < 3; nr_files++) {
		files[nr_files].file = nr_files == 2 ? shim_file_told() :
				       shim_file_new(nr_files);
		files[nr_files].shmem = nr_files == 1;
		memset(files[nr_files].content, 0, sizeof(files[0].content));
	}
}

static void end_program(void)
{
	while (nr_processes)
		process_exit(&process[0]);
	for (int i = 0; i < 3; i++)
		fput(files[i].file);
	EXPECT_EQ(shim_told, 0);
	EXPECT_EQ(shim_nr_folios, 0l);
	EXPECT_EQ(shim_nr_objects, 0l);
	EXPECT_EQ(shim_nr_tables, 0l);
	EXPECT_EQ(shim_nr_files, 0l);
	EXPECT_EQ(shim_committed, 0l);
}

void program_counts(int at_least)
{
	static struct op ops[60];
	long done = 0, changed = 0;

	counting = true;
	for (u64 seed = 1; seed <= 500; seed++) {
		program_random(ops, ARRAY_SIZE(ops), seed);
		program_run(ops, ARRAY_SIZE(ops));
	}
	counting = false;
	for (const struct operation *o = operations; o; o = o->next) {
		done += o->done;
		changed += o->changed;
		/* Of fifty steps, five more or less are chance; none at all is not. */
		if (o->done && (!o->changed || (o->changed + 5) * 100 < o->done * at_least))
			test_fail(__FILE__, __LINE__, "%s: %ld of %ld steps do something",
				  o->name, o->changed, o->done);
	}
	test_say("%ld of %ld steps do something", changed, done);
}

void program_forks(const struct op *ops, unsigned int nr, long forks)
{
	begin_program();
	for (unsigned int i = 0; i < nr; i++)
		EXPECT(step(&ops[i]));
	while (forks--) {
		process_fork(&process[0], false, 0);
		process_exit(&process[1]);
	}
	end_program();
}

long program_run(const struct op *ops, unsigned int nr)
{
	int before = test_failures();
	long done = 0;

	begin_program();
	for (unsigned int i = 0; i < nr; i++) {
		done += step(&ops[i]);
		shim_rcu_end();
		if (test_failures() == before)
			continue;
		test_say("at step %u, { \"%s\", .who = %d, .at = %d, .nr = %d, .arg = %d, .fail = %d, .aim = %d }:",
			 i, ops[i].name, ops[i].who, ops[i].at, ops[i].nr, ops[i].arg,
			 ops[i].fail, ops[i].aim);
		break;
	}
	if (test_failures() == before) {
		for (int i = 0; i < nr_processes; i++)
			check_process(&process[i]);
		check_counts();
	}
	if (test_failures() != before)
		for (int i = 0; i < nr_processes; i++)
			draw_process(&process[i]);
	end_program();
	return done;
}

/*
 * How a program begins: with something that is there, once in a while in a large window, and
 * in half of the others with what userfaultfd has of it.
 */
static void begin_random(struct op *ops, unsigned int i, const unsigned int *r)
{
	bool window = i && !strcmp(ops[0].name, "window");

	switch (i) {
	case 0:
		if (!(r[1] & 15))
			ops[i] = (struct op){ "window", .arg = 1 + (r[3] & 1) };
		else
			ops[i] = (struct op){ r[0] & 1 ? "mmap_shared" : "mmap",
					      .nr = 16 + r[3] % 49, .arg = r[4] & 3 ? RW : R };
		break;
	case 1:
		ops[i] = window ? (struct op){ "mmap", .nr = 255, .arg = RW } :
			 (struct op){ "write", .nr = 1 + r[3] % 20, .aim = AIM_AT };
		break;
	case 2:
		if (window)
			ops[i] = (struct op){ ops[0].arg == 1 ? "stripes" : "write",
					      .nr = 255, .arg = R };
		else if (!(r[1] & 16))
			ops[i] = (struct op){ "uffd_api", .arg = r[4] };
		break;
	case 3:
		if (!strcmp(ops[2].name, "uffd_api"))
			ops[i] = (struct op){ "uffd_register", .nr = 1 + r[3] % 20, .arg = r[4],
					      .aim = AIM_AT };
	}
}

void program_random(struct op *ops, unsigned int nr, u64 seed)
{
	u64 state = seed * 0x9e3779b97f4a7c15ULL + 1;

	for (unsigned int i = 0; i < nr; i++) {
		struct operation *o = operations;
		unsigned int r[6];
		int left;

		for (int n = 0; n < 6; n++) {
			state ^= state >> 12;
			state ^= state << 25;
			state ^= state >> 27;
			r[n] = state * 0x2545f4914f6cdd1dULL >> 33;
		}
		for (left = r[0] % sum_often; left >= o->often; o = o->next)
			left -= o->often;
		ops[i] = (struct op){ o->name, r[1], r[2],
				      1 + r[3] % (r[5] & 8 ? 20 : 6), r[4], .does = o };
		/* 7 of 8 go to where there is something to do. */
		ops[i].aim = r[5] & 7 ? AIM_AT + (r[5] >> 4 & 1) : AIM_NOT;
		if (o->allocates && !(r[4] >> 8 & 7))
			ops[i].fail = 1 + (r[4] >> 11) % 12 + (r[4] >> 16 & 1) * NO_MEMORY;
		if (o->draw)
			o->draw(&ops[i], r[3]);
		begin_random(ops, i, r);
		if (!ops[i].does)
			ops[i].does = find(&ops[i]);
	}
}
