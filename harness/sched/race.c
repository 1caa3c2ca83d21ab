// SPDX-License-Identifier: GPL-2.0
/*
 * What threads do, what must come of it, and the search for an order in which it
 * does not: see race.h.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/sched/race.h"

#define PAGES		8
#define START		(5 * PMD_SIZE)
/* Behind them, where mremap() moves them to. */
#define ALL_PAGES	(2 * PAGES)
#define ADDRESS(i)	(START + ((i) + ((i) >= PAGES ? PAGES : 0)) * PAGE_SIZE)

#define MOVED_TO	(PAGES - 1)		/* by userfaultfd */

/* What a program would see of a page. */
enum seen_kind { HOLE, GUARDED, MARKED, CONTENT, BEYOND };
struct seen {
	enum seen_kind kind;
	bool protected;			/* by userfaultfd */
	u64 content;
	vm_flags_t flags;
};

/* The parent, a child of each thread, and a child that was there before. */
#define OTHER		(1 + SCHED_THREADS)
#define MMS		(1 + OTHER)
struct outcome {
	struct seen page[MMS][ALL_PAGES];
	long result[SCHED_THREADS * RACE_STEPS];
};

/* One race, as it runs. */
static struct {
	enum race_vma vma;
	const char *pages;
	const struct race_op *ops;
	int nr, steps;			/* threads, and operations of each */
	struct file *file;
	struct mm_struct *mm[MMS], *exited;
	struct folio *folio[PAGES];	/* mapped there at first */
	struct userfaultfd_ctx uffd, *follower;	/* the other child's */
	struct outcome outcome;
} r;

static struct outcome serial[90];	/* 3 threads of 2 steps */
static int nr_serial;
static bool known_flag;
static long known, known_races;		/* pages, races: see race_end() */

static long met_known(void)
{
	return known + tree_lost_tables;
}


static const char *const what_names[] = {
	"fork()", "MADV_GUARD_INSTALL", "MADV_GUARD_REMOVE", "mprotect(READ)",
	"mprotect(READ | WRITE)", "MADV_DONTNEED", "MADV_RANDOM", "MADV_DONTDUMP",
	"mlock()", "naming", "MADV_WIPEONFORK", "munmap()", "read", "write",
	"hole punch", "truncation", "khugepaged", "reclaim", "migration",
	"mremap()", "exit of the other child", "userfaultfd protects",
	"userfaultfd unprotects", "userfaultfd poisons", "swapoff", "collapse of PTEs",
	"UFFDIO_MOVE", "nothing",
};
static const char *const vma_names[] = {
	"private anonymous", "shared anonymous", "private file", "shared file",
};

bool race_has_guards(void)
{
	return GUARD_FLAG != 0 && MADV_GUARD_INSTALL != 0;
}

bool race_has(const struct race_op *op, enum race_vma vma, const char *pages)
{
	switch (op->what) {
	case GUARD:
	case UNGUARD:
		return race_has_guards();
	case PUNCH:
	case TRUNCATE:
	case COLLAPSE:
		return vma != PRIVATE && !strchr(pages, 'T');
	case COLLAPSE_PTES:
		return strchr(pages, 'T');
	case RECLAIM:
	case MIGRATE:
		return !strchr(pages, 'T');
	case SWAPOFF:
		return vma == PRIVATE;
	case EXIT:
		return strchr(pages, '+');
	default:
		return true;
	}
}

static const pteval_t *entry_of(struct mm_struct *mm, unsigned long addr)
{
	const unsigned long *table = (const unsigned long *)mm->pgd;
	const int shift[] = { PGDIR_SHIFT, PUD_SHIFT, PMD_SHIFT };
	const int entries[] = { PTRS_PER_PGD, PTRS_PER_PUD, PTRS_PER_PMD };

	for (int level = 0; level < 3; level++) {
		table = (const unsigned long *)
			(table[addr >> shift[level] & (entries[level] - 1)] & PAGE_MASK);
		if (!table)
			return NULL;
	}
	return (const pteval_t *)table + (addr >> PAGE_SHIFT & (PTRS_PER_PTE - 1));
}

/* --- operations */

/* As a program does it: what is to be restarted is, a few times. */
static long advise(unsigned long addr, unsigned long len, int advice)
{
	long ret = 0;

	for (int i = 0; i < 8; i++) {
		ret = tree_madvise(addr, len, advice);
		if (ret != -ERESTARTNOINTR)
			break;
	}
	return ret;
}

/*
 * It is refused while fork() waits for the reader of its event: again after that. So it
 * is, as if something were there, where a page table comes and goes.
 */
static long ask_uffd(enum race_what what, unsigned long addr, unsigned long len)
{
	long ret;

	do {
		while (r.uffd.mmap_changing.counter)
			sched_block(&r.uffd.mmap_changing);
		if (what == POISON)
			ret = min(tree_uffd_poison(&r.uffd, addr, len), 0l);
		else if (what == MOVE)
			ret = min(tree_uffd_move(&r.uffd, ADDRESS(MOVED_TO), addr, len, false), 0l);
		else
			ret = tree_uffd_wp(&r.uffd, addr, len, what == PROTECT);
	} while (ret == -EAGAIN || (ret == -EEXIST && !entry_of(r.mm[0], addr)));
	return ret;
}

static long fork_into(int who)
{
	r.mm[who] = shim_mm_new(r.mm[0]);
	return tree_dup_mmap(r.mm[who], r.mm[0]);
}

static long operate(const struct race_op *op, int thread)
{
	int at = op->pages[0], nr = op->pages[1] ?: PAGES - at;
	unsigned long addr = START + at * PAGE_SIZE, len = nr * PAGE_SIZE;
	u64 content = 1000 * (1 + thread) + at;
	enum access access;

	switch (op->what) {
	case NOTHING:
		return 0;
	case FORK:
		/* One a thread. */
		if (r.mm[1 + thread])
			return -EAGAIN;
		return fork_into(1 + thread);
	case GUARD:
		return advise(addr, len, MADV_GUARD_INSTALL);
	case UNGUARD:
		return advise(addr, len, MADV_GUARD_REMOVE);
	case MPROTECT_R:
		return tree_mprotect(addr, len, PROT_READ);
	case MPROTECT_RW:
		return tree_mprotect(addr, len, PROT_READ | PROT_WRITE);
	case DONTNEED:
		return advise(addr, len, MADV_DONTNEED);
	case RANDOM:
		return advise(addr, len, MADV_RANDOM);
	case DONTDUMP:
		return advise(addr, len, MADV_DONTDUMP);
	case LOCK:
		return tree_mlock(addr, len, true);
	case NAME:
		return tree_name(addr, len, "name");
	case WIPE:
		return advise(addr, len, MADV_WIPEONFORK);
	case MUNMAP:
		return tree_munmap(addr, len);
	case READ:
	case WRITE:
		access = shim_access(addr, op->what == WRITE, &content);
		return op->what == WRITE || access != ACCESS_DONE ? access : 100 + content;
	case PUNCH:
		tree_punch_hole(r.file, at, nr);
		return 0;
	case TRUNCATE:
		tree_truncate(r.file, at);
		return 0;
	case RECLAIM:
		tree_reclaim(r.folio[at]);
		return 0;
	case MIGRATE:
		tree_migrate(r.folio[at]);
		return 0;
	case SWAPOFF:
		tree_swapoff(r.mm[0]);
		return 0;
	case MREMAP:
		return tree_mremap(addr, len, ADDRESS(PAGES + at));
	case PROTECT:
	case UNPROTECT:
	case POISON:
		return ask_uffd(op->what, addr, len);
	case MOVE:
		/* It looks at both pages one after the other, so why it refuses is not said. */
		return ask_uffd(MOVE, addr, len) ? -EBUSY : 0;
	case EXIT:
		if (!r.mm[OTHER])
			return -EAGAIN;
		r.exited = r.mm[OTHER];
		r.mm[OTHER] = NULL;
		current->mm = r.exited;
		atomic_set(&r.exited->mm_users, 0);
		tree_exit_mmap(r.exited);
		return 0;
	case COLLAPSE:
		tree_collapse_file(r.file, 0);
		return 0;
	case COLLAPSE_PTES:
		tree_collapse_ptes(r.mm[0], START);
		return 0;
	default:
		abort();
	}
}

static bool step_begins;

static void run_ops(void *arg)
{
	int thread = *(const int *)arg;

	for (int i = 0; i < r.steps; i++) {
		const int n = thread * r.steps + i;

		step_begins = i;
		if (i)
			sched_point(NULL, SCHED_STEP);
		r.outcome.result[n] = operate(&r.ops[n], thread);
	}
}

/* --- before */

/* The userfaultfd that a child was given by a fork that is to be followed. */
static struct userfaultfd_ctx *follower_of(struct mm_struct *mm)
{
	struct userfaultfd_ctx *ctx = NULL;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;

	vma_iter_init(&vmi, mm, 0);
	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		ctx = vma->vm_userfaultfd_ctx.ctx ?: ctx;
	mmap_read_unlock(mm);
	return ctx;
}

/* What is so of the whole memory, before there are pages. */
static void set_up_vmas(void)
{
	unsigned long half = PAGES / 2 * PAGE_SIZE;

	if (strchr(r.pages, '|'))
		tree_mprotect(START + half, half, PROT_READ | PROT_WRITE | PROT_EXEC);
	if (!strpbrk(r.pages, "p&M"))
		return;
	tree_uffd_init(&r.uffd, r.mm[0], strchr(r.pages, '&') ? UFFD_FEATURE_EVENT_FORK : 0);
	if (tree_uffd_register(&r.uffd, START, 2 * half, strchr(r.pages, 'M') ?
			       UFFDIO_REGISTER_MODE_MISSING : UFFDIO_REGISTER_MODE_WP))
		abort();
}

static void set_up(void)
{
	vm_flags_t flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	unsigned long len = PAGES * PAGE_SIZE;
	int ret;

	INIT_LIST_HEAD(&init_mm.mmlist);
	shim_nr_folios = shim_nr_objects = shim_nr_tables = 0;
	shim_nr_files = shim_committed = 0;
	memset(&r.outcome, 0, sizeof(r.outcome));
	memset(r.mm, 0, sizeof(r.mm));
	r.mm[0] = shim_mm_new(NULL);
	r.file = NULL;
	r.exited = NULL;
	r.follower = NULL;
	shim_nr_events = 0;
	current->mm = r.mm[0];
	if (r.vma == SHARED || r.vma == FILE_SHARED)
		flags |= VM_SHARED | VM_MAYSHARE;
	if (r.vma == FILE_PRIVATE || r.vma == FILE_SHARED || strchr(r.pages, 'T'))
		r.file = shim_file_new(r.vma == SHARED);
	if (strchr(r.pages, 'T'))
		shim_cache_large(r.file->f_mapping, HPAGE_PMD_ORDER);
	ret = tree_mmap(r.file, START, len, flags,
			r.vma == PRIVATE ? START >> PAGE_SHIFT : 0);
	if (ret)
		abort();
	set_up_vmas();
	for (int i = 0; r.pages[i]; i++) {
		unsigned long addr = START + i * PAGE_SIZE;
		u64 content = 100 + i;

		if (strchr("wps", r.pages[i]))
			shim_access(addr, true, &content);
		else if (r.pages[i] == 'r')
			shim_access(addr, false, &content);
		else if (r.pages[i] == 'g')
			advise(addr, PAGE_SIZE, MADV_GUARD_INSTALL);
		else if (r.pages[i] == '+')
			fork_into(OTHER);
		if (r.pages[i] == 'p')
			tree_uffd_wp(&r.uffd, addr, PAGE_SIZE, true);
		else if (r.pages[i] == 's')
			shim_swap_out(addr);
	}
	if (r.mm[OTHER])
		r.follower = follower_of(r.mm[OTHER]);
	for (int i = 0; i < PAGES; i++) {
		const pteval_t *entry = entry_of(r.mm[0], ADDRESS(i));

		r.folio[i] = entry && (*entry & (PTE_PRESENT | PTE_SPECIAL)) == PTE_PRESENT ?
			     pfn_folio(*entry >> PFN_PTE_SHIFT) : NULL;
	}
	if (!r.file && r.vma == SHARED)
		r.file = get_file(shim_vma_at(START)->vm_file);
}

/* --- after */

static void wrong(int who, int page, const char *what)
{
	test_fail(__FILE__, __LINE__, "%s, page %d: %s", who ? "child" : "parent", page, what);
}

/* What is in the page, or what a fault would put there. */
static struct seen look(int who, int i, struct vm_area_struct *vma, long *rss)
{
	unsigned long addr = ADDRESS(i);
	const pteval_t *entry = entry_of(r.mm[who], addr);
	pteval_t v = entry ? *entry : 0;
	struct seen s = { .kind = HOLE };
	struct address_space *mapping = vma && vma->vm_file ? vma->vm_file->f_mapping : NULL;
	unsigned long index = vma ? vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT) : 0;

	if (!vma) {
		if (v)
			wrong(who, i, "something is mapped where no VMA is");
		return s;
	}
	s.flags = vma->vm_flags & ~(STICKY | GUARD_FLAG | VM_SOFTDIRTY);
	s.kind = CONTENT;
	s.protected = v & (v & (PTE_PRESENT | PTE_PROTNONE) ? PTE_UFFD : PTE_SWP_UFFD);
	if (v & (PTE_PRESENT | PTE_PROTNONE)) {
		struct page *page = pfn_to_page(v >> PFN_PTE_SHIFT);

		s.content = v & PTE_SPECIAL ? 0 : page->content;
		if (!(v & PTE_SPECIAL)) {
			rss[page->anon ? MM_ANONPAGES : page->swapbacked ?
			    MM_SHMEMPAGES : MM_FILEPAGES]++;
			if (page->_mapcount.counter < 0 || page->head->_refcount.counter < 1)
				wrong(who, i, "a page is mapped that is free");
			if (!page->anon && mapping->folio[index] != page_folio(page))
				wrong(who, i, "a page is mapped that the file has lost");
			if (page->anon && page->_mapcount.counter > 0 && v & PTE_WRITE)
				wrong(who, i, "a page that two have may be written");
		}
		if (v & PTE_WRITE && !(vma->vm_flags & VM_WRITE))
			wrong(who, i, "may be written, the VMA not");
		if (v & PTE_WRITE && s.protected)
			wrong(who, i, "may be written, and userfaultfd protects it");
		if (s.protected && !(vma->vm_flags & VM_UFFD_WP))
			wrong(who, i, "protected by userfaultfd, and not registered");
		return s;
	}
	/* A page fault maps the file's page there, protected. */
	if (v && (v >> SWP_TYPE_BIT & 31) == SWP_PTE_MARKER &&
	    v >> SWP_OFFSET_BIT == PTE_MARKER_UFFD_WP) {
		s.protected = true;
		if (!(vma->vm_flags & VM_UFFD_WP))
			wrong(who, i, "userfaultfd's marker, and not registered");
		v = 0;
	}
	if (v && (v >> SWP_TYPE_BIT & 31) == SWP_PTE_MARKER) {
		s.kind = v >> SWP_OFFSET_BIT & GUARD_MARKER ? GUARDED : MARKED;
		if (s.kind == GUARDED && !(vma->vm_flags & GUARD_FLAG)) {
			if (known_flag)
				known++;
			else
				wrong(who, i, "a guard, and VM_MAYBE_GUARD is lost");
		}
		return s;
	}
	if (v && !(v >> SWP_TYPE_BIT & 31)) {
		s.content = shim_slot_content[v >> SWP_OFFSET_BIT];
		rss[MM_SWAPENTS]++;
		if (shim_swap_count[v >> SWP_OFFSET_BIT] < 1)
			wrong(who, i, "in a swap slot that is free");
		return s;
	}
	if (v)
		wrong(who, i, "an entry that nobody has made, or that nobody takes away");
	if (mapping && index >= mapping->host->i_pages)
		s.kind = BEYOND;
	else if (mapping && mapping->folio[index])
		s.content = folio_page(mapping->folio[index],
				       index - mapping->folio[index]->index)->content;
	return s;
}

static void look_at(int who)
{
	struct mm_struct *mm = r.mm[who];
	long rss[NR_MM_COUNTERS] = { 0 };
	struct vm_area_struct *vma;
	struct vma_iterator vmi;
	int vmas = 0;

	vma_iter_init(&vmi, mm, 0);
	current->mm = mm;
	mmap_read_lock(mm);
	for (int i = 0; i < ALL_PAGES; i++) {
		unsigned long addr = ADDRESS(i);

		vma = find_vma_intersection(mm, addr, addr + PAGE_SIZE);
		r.outcome.page[who][i] = look(who, i, vma, rss);
	}
	for_each_vma(vmi, vma)
		vmas++;
	mmap_read_unlock(mm);
	EXPECT_EQ(mm->map_count, vmas);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		EXPECT_EQ(mm->rss_stat[i].count, rss[i]);
	EXPECT(!mm->stale_tlb);
	EXPECT_EQ(mm->notifying, 0);
	EXPECT_EQ(mm->write_protect_seq.sequence & 1, 0u);
	EXPECT(!rwsem_is_locked(&mm->mmap_lock));
}

static void tear_down(void)
{
	struct userfaultfd_ctx *ctx;

	for (int who = MMS - 1; who >= 0; who--) {
		if (!r.mm[who])
			continue;
		current->mm = r.mm[who];
		if (who == OTHER)
			ctx = r.follower;
		else
			ctx = who ? follower_of(r.mm[who]) : NULL;
		if (ctx)
			tree_uffd_put(ctx);
		shim_mm_exit(r.mm[who]);
	}
	if (r.exited && r.follower)
		tree_uffd_put(r.follower);
	if (r.exited)
		shim_mm_free(r.exited);
	if (r.file)
		fput(r.file);
	EXPECT_EQ(shim_nr_folios, 0l);
	EXPECT_EQ(shim_nr_objects, 0l);
	EXPECT_EQ(shim_nr_tables, 0l);
	EXPECT_EQ(shim_nr_files, 0l);
	EXPECT_EQ(shim_committed, 0l);
	for (int slot = 0; slot < NR_SLOTS; slot++)
		if (shim_swap_count[slot])
			EXPECT_EQ(shim_swap_count[slot], 0);
}

static bool same_page(const struct outcome *a, const struct outcome *b, int i)
{
	for (int who = 0; who < MMS; who++) {
		const struct seen *s = &a->page[who][i], *t = &b->page[who][i];

		if (s->kind != t->kind || s->content != t->content || s->flags != t->flags ||
		    s->protected != t->protected)
			return false;
	}
	return true;
}

static void draw_pages(const char *title, const struct outcome *o)
{
	char line[MMS][ALL_PAGES + 1] = { "" };

	for (int who = 0; who < MMS; who++)
		for (int i = 0; i < ALL_PAGES; i++)
			line[who][i] = (o->page[who][i].protected ? " g#p-" : " g#c-")
				       [o->page[who][i].kind];
	test_say("  %-12s parent |%s|  children |%s|%s|%s|%s|", title, line[0], line[1],
		 line[2], line[3], line[4]);
}

/* Each page, and each result, as one of the serial orders has it. */
static void compare(void)
{
	bool differs = false;
	int i, n;

	for (i = 0; i < ALL_PAGES; i++) {
		for (n = 0; n < nr_serial && !same_page(&r.outcome, &serial[n], i); n++)
			;
		if (n < nr_serial)
			continue;
		test_fail(__FILE__, __LINE__, "page %d is what no serial order makes of it", i);
		differs = true;
	}
	for (i = 0; i < r.nr * r.steps; i++) {
		for (n = 0; n < nr_serial && serial[n].result[i] != r.outcome.result[i]; n++)
			;
		if (n == nr_serial)
			test_fail(__FILE__, __LINE__, "%s returns %ld, in no serial order it does",
				  what_names[r.ops[i].what], r.outcome.result[i]);
	}
	if (!differs)
		return;
	draw_pages("found", &r.outcome);
	for (n = 0; n < nr_serial; n++)
		draw_pages("serial order", &serial[n]);
}

/* --- choosing */

static long schedules, all_schedules, races, cut_off, pruned;
static bool reduce = true;

/*
 * @wanted: who else would make a difference if he went on here, as far as is known.
 * A thread that is preempted could as well have gone on, if what it does next has
 * nothing to do with what the others do until it goes on: then the switch one point
 * later leads to the same, with as many preemptions.
 */
static struct {
	signed char self;
	unsigned char chosen, untried, wanted;
} decisions[SCHED_STRETCHES / 2];
static int nr_decisions, decision, preemptions, bound;

/* Objects, by a bit each: two that share one are taken for one. */
#ifdef SHIM_ACCESS
#define OBJECT_WORDS	1024
#else
#define OBJECT_WORDS	8
#endif
struct objects {
	u64 read[OBJECT_WORDS], written[OBJECT_WORDS];
	bool frees, any;
};

static void add_objects(struct objects *o, const struct sched_stretch *s)
{
	o->any = true;
	o->frees |= s->frees;
	for (int i = s->first; i < s[1].first; i++) {
		unsigned int h = sched_accesses[i].object;

		(sched_accesses[i].write ? o->written : o->read)[h >> 6 & (OBJECT_WORDS - 1)] |= 1ULL << (h & 63);
	}
}

static bool depends(const struct objects *o, const struct sched_stretch *s)
{
	/* Whatever is freed may be looked at, without a lock. */
	if (o->frees || (s->frees && o->any))
		return true;
	for (int i = s->first; i < s[1].first; i++) {
		unsigned int h = sched_accesses[i].object;
		u64 in = o->written[h >> 6 & (OBJECT_WORDS - 1)];

		if (sched_accesses[i].write)
			in |= o->read[h >> 6 & (OBJECT_WORDS - 1)];
		if (in & 1ULL << (h & 63))
			return true;
	}
	return false;
}

/*
 * From the end of a run: of each turn of a thread the last point from which on it
 * does something that depends on what the others do until it goes on.
 */
static void want(void)
{
	static struct objects others[SCHED_THREADS];
	bool found[SCHED_THREADS];

	memset(others, 0, sizeof(others));
	sched_stretches[sched_nr_stretches].first = sched_nr_accesses;
	for (int i = sched_nr_stretches - 1; i >= 0; i--) {
		const struct sched_stretch *s = &sched_stretches[i];
		int t = s->thread, d = s->decision;

		if (i == sched_nr_stretches - 1 || s[1].thread != t)
			found[t] = !others[t].any;
		if (!found[t] && depends(&others[t], s)) {
			found[t] = true;
			if (d >= 0 && decisions[d].self == t)
				decisions[d].wanted = 0xff;
		}
		for (int other = 0; other < r.nr; other++)
			if (other != t)
				add_objects(&others[other], s);
		if (!i || s[-1].thread != t)
			memset(&others[t], 0, sizeof(others[t]));
	}
}

static int lowest(unsigned int set)
{
	return __builtin_ctz(set);
}

/* Depth first, at most @bound preemptions; what is forced is no decision. */
static int search_choose(int self, unsigned int ready)
{
	int chosen;

	if (self >= 0 && preemptions == bound) {
		cut_off += (ready & (ready - 1)) != 0;
		return self;
	}
	if (!(ready & (ready - 1)))
		return lowest(ready);
	if (decision == nr_decisions) {
		if (nr_decisions == ARRAY_SIZE(decisions))
			abort();
		chosen = self >= 0 ? self : lowest(ready);
		decisions[nr_decisions].self = self;
		decisions[nr_decisions].chosen = chosen;
		decisions[nr_decisions].wanted = self >= 0 && reduce ? 0 : 0xff;
		decisions[nr_decisions++].untried = ready & ~(1u << chosen);
	}
	sched_decision = decision;
	chosen = decisions[decision++].chosen;
	preemptions += self >= 0 && chosen != self;
	return chosen;
}

static bool next_schedule(void)
{
	while (nr_decisions && !(decisions[nr_decisions - 1].untried &
				 decisions[nr_decisions - 1].wanted)) {
		pruned += __builtin_popcount(decisions[nr_decisions - 1].untried);
		nr_decisions--;
	}
	if (!nr_decisions)
		return false;
	decisions[nr_decisions - 1].chosen = lowest(decisions[nr_decisions - 1].untried);
	decisions[nr_decisions - 1].untried &= decisions[nr_decisions - 1].untried - 1;
	return true;
}

/* As told. */
static struct sched_slice told[SCHED_SLICES];
static int nr_told, telling, passed;

static int told_choose(int self, unsigned int ready)
{
	if (self >= 0 && (telling + 1 >= nr_told || told[telling].points != passed)) {
		passed++;
		return self;
	}
	telling++;
	passed = 0;
	if (telling < nr_told && ready & 1u << told[telling].thread)
		return told[telling].thread;
	return self >= 0 ? self : lowest(ready);
}

static void tell(const char *schedule)
{
	nr_told = 0;
	telling = -1;
	for (const char *s = schedule; *s && nr_told < SCHED_SLICES; ) {
		char *end;
		int thread = strtol(s, &end, 10), n = -1;

		if (end == s)
			break;
		if (*end == ':')
			n = strtol(end + 1, &end, 10);
		told[nr_told++] = (struct sched_slice){ thread, n };
		for (s = end; *s == ' '; s++)
			;
	}
}

/* --- one schedule */

/* Looks at what it should not, so as to name it: only for a drawing. */
static const char *name_of(const void *object)
{
	static const char *const whose[MMS] = {
		"parent", "child", "child", "child", "other child"
	};
	static char name[64];
	unsigned long at = (unsigned long)object;
	bool running = sched_running;

	sched_running = false;
	shim_rcu_depth++;
	name[0] = '\0';
	for (int who = 0; who < MMS && !name[0]; who++) {
		struct mm_struct *mm = r.mm[who];
		const char *what = NULL;
		const pteval_t *entry;
		struct vm_area_struct *vma;
		struct vma_iterator vmi;

		if (!mm)
			continue;
		vma_iter_init(&vmi, mm, 0);
		entry = entry_of(mm, START);
		if (object == &mm->mmap_lock)
			what = "mmap_lock";
		else if (object == &mm->mm_lock_seq)
			what = "mm_lock_seq";
		else if (object == &mm->page_table_lock)
			what = "page_table_lock";
		else if (object == &mm->write_protect_seq)
			what = "write_protect_seq";
		else if (entry && object == &table_of((pte_t *)entry)->ptl)
			what = "PTL";
		if (what)
			snprintf(name, sizeof(name), "%s's %s", whose[who], what);
		else if (entry && ((unsigned long)entry & PAGE_MASK) == (at & PAGE_MASK))
			snprintf(name, sizeof(name), "%s's PTE %lu", whose[who],
				 (at - (unsigned long)entry) / sizeof(pte_t));
		if (name[0])
			break;
		for_each_vma(vmi, vma) {
			if (object == &vma->vm_lock_seq)
				what = "vm_lock_seq";
#ifdef TREE_HAS_vma_lock
			else if (vma->vm_lock && object == &vma->vm_lock->lock)
				what = "VMA lock";
#else
			else if (object == &vma->vmlock_dep_map)
				what = "VMA lock";
			else if (object == &vma->vm_refcnt)
				what = "vm_refcnt";
#endif
			else if (object == &vma->vm_flags)
				what = "VMA flags";
			else if (vma->vm_file && object == &vma->vm_file->f_mapping->i_mmap_rwsem)
				what = "i_mmap_rwsem";
			else if (vma->vm_file && object == &vma->vm_file->f_mapping->host->i_rwsem)
				what = "i_rwsem";
			else if (vma->anon_vma && object == &vma->anon_vma->root->rwsem)
				what = "anon_vma";
			if (!what)
				continue;
			snprintf(name, sizeof(name), "%s's %s", whose[who], what);
			break;
		}
	}
	shim_rcu_depth--;
	sched_running = running;
	return name;
}

static bool finished = true;

static void run_once(sched_choose_fn *fn)
{
	static const int numbers[] = { 0, 1, 2 };
	struct sched_thread_spec spec[SCHED_THREADS];

	set_up();
	sched_nr_slices = 0;
	for (int i = 0; i < r.nr; i++)
		spec[i] = (struct sched_thread_spec){ run_ops, (void *)&numbers[i], r.mm[0] };
	decision = preemptions = 0;
	finished = sched_run(spec, r.nr, fn);
	if (access_report())
		test_fail(__FILE__, __LINE__, "a data race");
	if (!finished)
		return;
	for (int who = 0; who < MMS; who++)
		if (r.mm[who])
			look_at(who);
}

/* --- what failed, for people */

static int race_nr;

static void print_race(void)
{
	char threads[512];
	int n = 0;

	for (int i = 0; i < r.nr * r.steps; i++) {
		const struct race_op *op = &r.ops[i];

		if (i % r.steps)
			n += snprintf(threads + n, sizeof(threads) - n, "; ");
		else
			n += snprintf(threads + n, sizeof(threads) - n, "%s%d ", i ? ", " : "",
				      i / r.steps);
		n += snprintf(threads + n, sizeof(threads) - n, "%s", what_names[op->what]);
		if (op->pages[0] || op->pages[1])
			n += snprintf(threads + n, sizeof(threads) - n, " of %d+%d", op->pages[0],
				      op->pages[1]);
	}
	test_say("%s memory, pages \"%s\"; threads: %s", vma_names[r.vma], r.pages, threads);
}

static void print_schedule(void)
{
	char slices[512];

	sched_print_slices(slices, sizeof(slices));
	test_say("SCHEDULE='%d/%s'", race_nr, slices);
}

/* A crash says in which schedule. */
static void died(int sig)
{
	if (sched_running || sched_nr_slices)
		print_schedule();
	fflush(stdout);
	if (sig) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

void __asan_on_error(void);
void __asan_on_error(void)
{
	died(0);
}

static void draw(const char *schedule)
{
	const char *names[SCHED_THREADS];
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		int out = dup(STDOUT_FILENO);

		for (int i = 0; i < r.nr; i++)
			names[i] = what_names[r.ops[i * r.steps].what];
		if (!freopen("/dev/null", "w", stdout))
			_exit(0);
		test_detach();
		alarm(60);
		tell(schedule);
		sched_recording = true;
		run_once(told_choose);
		fflush(stdout);
		dup2(out, STDOUT_FILENO);
		sched_draw(names, r.nr);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

static bool schedule_fails(sched_choose_fn *fn)
{
	int before = test_failures();
	long before_known = met_known(), lost = tree_lost_tables;

	run_once(fn);
	schedules++;
	if (reduce && fn == search_choose)
		want();
	if (finished) {
		/* What went with a table is missing in each order. */
		if (tree_lost_tables == lost)
			compare();
		tear_down();
	}
	return test_failures() != before || met_known() != before_known;
}

/* Threads that wait for ever keep what they have. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return !finished;
}

static bool drawn;

static void found(bool known_only)
{
	char slices[512];

	/* Of what is known, the first. */
	if (known_only && drawn)
		return;
	sched_print_slices(slices, sizeof(slices));
	print_race();
	print_schedule();
	/* One is enough to look at, unless it was asked for. */
	if (!drawn)
		draw(slices);
	drawn = true;
	/* What is in a deadlock stays there. */
	if (!finished)
		test_end();
}

/* One after the other. */
static bool take_serial(int a, int b, int c)
{
	char order[40];
	int before = test_failures();

	snprintf(order, sizeof(order), "%d %d %d", a, b, c);
	tell(order);
	run_once(told_choose);
	if (finished) {
		serial[nr_serial++] = r.outcome;
		tear_down();
	}
	schedules++;
	if (test_failures() == before)
		return true;
	found(false);
	return false;
}

static void begin(enum race_vma vma, const char *pages, const struct race_op *ops, int nr,
		  int steps)
{
	static bool once, known_tables;

	if (!once) {
		once = true;
		sched_name_of = name_of;
		signal(SIGSEGV, died);
		signal(SIGABRT, died);
		known_flag = test_known("guard-flag-race");
		known_tables = test_known("collapse-marker");
		reduce = !getenv("REDUCE") || atoi(getenv("REDUCE"));
	}
	r.vma = vma;
	r.pages = pages;
	r.ops = ops;
	r.nr = nr;
	r.steps = steps;
	tree_loses_tables = false;
	for (int i = 0; i < nr * steps; i++)
		tree_loses_tables |= known_tables && ops[i].what == COLLAPSE_PTES;
	nr_serial = 0;
	schedules = 0;
	races++;
}

/* The one that is asked for. */
static void run_told(const char *one)
{
	const char *slash = strchr(one, '/');

	tell(slash ? slash + 1 : "");
	known_races = schedule_fails(told_choose);
	if (known_races)
		found(false);
	else
		test_say("holds in this schedule");
}

/* --- programs: each serial order of their steps, and schedules by PCT */

static int order[SCHED_THREADS * RACE_STEPS], order_at, order_nr;

/* A thread is left where its next operation would begin, and nowhere else. */
static int serial_choose(int self, unsigned int ready)
{
	if (self >= 0 && !step_begins)
		return self;
	step_begins = false;
	while (order_at < order_nr && !(ready & 1u << order[order_at]))
		order_at++;
	return order_at < order_nr ? order[order_at++] : lowest(ready);
}

static bool take_serial_steps(void)
{
	int left[SCHED_THREADS], before = test_failures();

	for (int i = 0; i < r.nr; i++)
		left[i] = r.steps;
	for (int i = 0; i < order_nr; i++)
		left[order[i]]--;
	if (order_nr < r.nr * r.steps) {
		for (int i = 0; i < r.nr; i++) {
			if (!left[i])
				continue;
			order[order_nr++] = i;
			if (!take_serial_steps())
				return false;
			order_nr--;
		}
		return true;
	}
	order_at = 0;
	step_begins = false;
	run_once(serial_choose);
	if (finished) {
		serial[nr_serial++] = r.outcome;
		tear_down();
	}
	if (test_failures() == before)
		return true;
	found(false);
	return false;
}

#define CHANGES	2
static int priority[SCHED_THREADS];
static long change[CHANGES], point;

static int pct_choose(int self, unsigned int ready)
{
	int best = -1;

	point++;
	for (int i = 0; i < CHANGES && self >= 0; i++)
		if (change[i] == point)
			priority[self] = -i;
	for (int i = 0; i < r.nr; i++)
		if (ready & 1u << i && (best < 0 || priority[i] > priority[best]))
			best = i;
	return best;
}

/* Whether one of @nr schedules fails; it is the last that ran. */
static bool pct_fails(unsigned int seed, long points, int nr)
{
	srandom(seed);
	for (int i = 0; i < nr; i++) {
		for (int t = 0; t < r.nr; t++)
			priority[t] = 1 + random() % 1000;
		for (int c = 0; c < CHANGES; c++)
			change[c] = 1 + random() % points;
		point = 0;
		if (schedule_fails(pct_choose))
			return true;
	}
	return false;
}

/* In a process of its own: a deadlock, or a crash, is left there. */
static bool still_fails(const struct race_op *ops, unsigned int seed, long points, int nr)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(0);
		test_detach();
		drawn = true;
		alarm(20);
		r.ops = ops;
		nr_serial = order_nr = 0;
		_exit(take_serial_steps() && pct_fails(seed, points, nr));
	}
	return waitpid(pid, &status, 0) == pid && (!WIFEXITED(status) || WEXITSTATUS(status));
}

/* What it does not take is left out, one operation after the other. */
static void shrink(unsigned int seed, long points, int nr)
{
	struct race_op ops[SCHED_THREADS * RACE_STEPS];
	const struct race_op *whole = r.ops;

	memcpy(ops, whole, r.nr * r.steps * sizeof(*ops));
	for (int i = 0; i < r.nr * r.steps; i++) {
		const struct race_op kept = ops[i];

		ops[i] = (struct race_op)DO(NOTHING);
		if (!still_fails(ops, seed, points, 4 * nr))
			ops[i] = kept;
	}
	r.ops = ops;
	test_say("it takes:");
	print_race();
	r.ops = whole;
}

void race_programs(enum race_vma vma, const char *pages, const struct race_op *ops,
		   int threads, unsigned int seed, int nr)
{
	const char *one = getenv("SCHEDULE");
	int failed = test_failures();
	long before, points;

	race_nr = seed;
	if (one && (unsigned int)atoi(one) != seed)
		return;
	begin(vma, pages, ops, threads, RACE_STEPS);
	before = sched_nr_points;
	order_nr = 0;
	if (!take_serial_steps())
		return;
	points = (sched_nr_points - before) / nr_serial;
	if (one) {
		run_told(one);
		return;
	}
	if (pct_fails(seed, points, nr)) {
		bool known_only = test_failures() == failed;

		known_races += known_only;
		if (!known_only || !drawn)
			shrink(seed, points, nr);
		found(known_only);
	}
	all_schedules += schedules;
}

static int at_least;

void race_at_least(int preemptions)
{
	at_least = preemptions;
}

void race_run(enum race_vma vma, const char *pages, const struct race_op *ops, int nr)
{
	const char *one = getenv("SCHEDULE"), *asked = getenv("DEPTH");
	int depth = max(asked ? atoi(asked) : 2, at_least);

	if (strchr(pages, 'g') && !race_has_guards())
		return;
	for (int i = 0; i < nr; i++)
		if (!race_has(&ops[i], vma, pages))
			return;
	race_nr++;
	if (one && atoi(one) != race_nr)
		return;
	begin(vma, pages, ops, nr, 1);
	for (int a = 0; a < nr; a++)
		for (int b = 0; b < nr; b++)
			if (a != b && !take_serial(a, b, 3 - a - b))
				return;
	if (one) {
		run_told(one);
		return;
	}
	/* Fewest preemptions first: what is found is as small as it can be. */
	for (bound = 0; bound <= depth; bound++) {
		nr_decisions = 0;
		do {
			int before = test_failures();

			if (!schedule_fails(search_choose))
				continue;
			known_races += test_failures() == before;
			found(test_failures() == before);
			goto out;
		} while (next_schedule());
	}
out:
	all_schedules += schedules;
	if (getenv("SCHEDULES_SAY"))
		test_say("%-17s \"%s\" %s, %s: %ld schedules", vma_names[vma], pages,
			 what_names[ops[0].what], what_names[ops[1].what], schedules);
}

void race_end(void)
{
	struct timespec t;
	double seconds;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	seconds = t.tv_sec + t.tv_nsec / 1e9;
	if (getenv("SCHEDULES_COUNT"))
		test_say("%ld races, %ld schedules, %.0f a second of CPU time, %ld points, %ld preemptions that make no difference, %ld cut off",
			 races, all_schedules, all_schedules / seconds, sched_nr_points, pruned, cut_off);
	if (known)
		test_end_known("a guard's flag is lost to a writer of flags in %ld races",
			       known_races);
	if (met_known())
		test_end_known("a page table is removed with a marker in it, in %ld races",
			       known_races);
}
