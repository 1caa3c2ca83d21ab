// SPDX-License-Identifier: GPL-2.0
/*
 * Programs: fork() as a whole, from dup_mmap() on, among all that a process may
 * do to its address space. Those here are random; one that fails is shrunk and
 * printed as a test, which can be pasted below.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "harness/ops/op.h"
#include "harness/oracle/seeds.h"
#include "harness/test.h"

#define NR_STEPS	60
#define MAX_STEPS	(30 + 2 * 100)

typedef unsigned int make_fn(struct op *ops, unsigned long long seed);

/*
 * Run the program of each seed, all in a process of its own: one that fails, or
 * crashes or hangs, is then shrunk in this process, where nothing ran before it.
 * Where a tree has a known defect it is made good and counted, and that is said.
 */
static void search(unsigned long n, make_fn *make, const char *name)
{
	static struct op ops[MAX_STEPS];
	struct seeds r = seeds(n);
	struct {
		unsigned long long seed;
		long steps, known;
	} *at = test_shared(sizeof(*at));
	unsigned int nr;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		while (!test_failures() && next(&r)) {
			at->seed = r.seed;
			alarm(30);
			nr = make(ops, r.seed);
			at->steps += program_run(ops, nr);
		}
		at->known = program_known;
		exit(test_failures() != 0);
	}
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	if (!status && at->known)
		test_end_known("naming lost a sticky flag %ld times in %ld steps, no other finding",
			       at->known, at->steps);
	if (!status)
		return;
	test_fail(__FILE__, __LINE__,
		  "seed %llu: SEED=%llu runs it alone; with the fewest steps:",
		  at->seed, at->seed);
	fflush(stdout);
	nr = program_shrink(ops, make(ops, at->seed));
	program_print(ops, nr, name);
}

static unsigned int any_program(struct op *ops, unsigned long long seed)
{
	program_random(ops, NR_STEPS, seed);
	return NR_STEPS;
}

TEST(random_programs)
{
	search(3000, any_program, "random");
}

/* A step that finds nothing to do tests nothing. */
TEST(steps_find_something)
{
	program_counts(25);
}

/* Each allocation of a fork fails in turn, whatever the process has come to be. */
static unsigned int without_memory(struct op *ops, unsigned long long seed)
{
	unsigned int nr = 30;

	program_random(ops, nr, seed);
	for (unsigned int i = 0; i < nr; i++)
		if (!strcmp(ops[i].name, "fork") || !strcmp(ops[i].name, "exit"))
			ops[i] = (struct op){ "write", .who = ops[i].who, .at = ops[i].at };
	for (int nth = 1; nth <= 100; nth++) {
		ops[nr++] = (struct op){ "fork", .fail = nth, .arg = seed & 1 };
		ops[nr++] = (struct op){ "exit", .who = 1 };
	}
	return nr;
}

TEST(fork_without_memory)
{
	search(40, without_memory, "without_memory");
}

#define HAS_GUARDS_AND_WP	(GUARD_FLAG && IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
#define AT(page)	(PROGRAM_START + (page) * PAGE_SIZE)
static struct userfaultfd_ctx ctx;

static void begin(void)
{
	current->mm = shim_mm_new(NULL);
	tree_uffd_init(&ctx, current->mm, 0);
}

/*
 * A guard where userfaultfd left its marker, in a mapping of a file: zapping
 * keeps that marker, so to zap and try again never comes to an end.
 *
 *	|....P...|	P protected, and no page there
 *	|....G...|
 */
TEST_IF(guard_over_marker, "guards and userfaultfd's write protection")
{
	int ret;

	if (!HAS_GUARDS_AND_WP)
		test_skip("no guard regions, or no userfaultfd write protection");
	begin();
	EXPECT_EQ(tree_mmap(NULL, AT(0), 8 * PAGE_SIZE, VM_READ | VM_WRITE | VM_MAYREAD |
			    VM_MAYWRITE | VM_SHARED | VM_MAYSHARE, 0), 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(0), 8 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_WP), 0);
	EXPECT_EQ(tree_uffd_wp(&ctx, AT(4), PAGE_SIZE, true), 0);
	ret = tree_madvise(AT(4), PAGE_SIZE, MADV_GUARD_INSTALL);
	shim_mm_exit(current->mm);
	if (ret == -ERESTARTNOINTR && test_known("guard-over-marker"))
		test_end_known("MADV_GUARD_INSTALL over a userfaultfd marker restarts for ever");
	EXPECT_EQ(ret, 0);
}

/*
 * What the child has wiped has no pages and no anon_vma: the offsets of its VMA are
 * those of the address, not of where mremap() took the parent's from. Splits and
 * merges of 7.3.4 warn if they are not; 6.12 does not ask. Then it merges with what
 * has pages, which the rmap is to find as before.
 *
 *	parent  |-before-|      |-moved--|
 *	child                   |-wiped--|---w----|  w: wiped by the next fork, too
 */
TEST_IF(wiped_after_mremap, "a rule for the offset of anonymous memory")
{
#ifdef TREE_HAS_assert_sane_pgoff
	struct mm_struct *parent, *child;
	vm_flags_t flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE;
	u64 content = 1;
	unsigned long offset;

	begin();
	EXPECT_EQ(tree_mmap(NULL, AT(0), 4 * PAGE_SIZE, flags, AT(0) >> PAGE_SHIFT), 0);
	EXPECT(shim_access(AT(1), true, &content) == ACCESS_DONE);
	EXPECT_EQ(tree_madvise(AT(0), 4 * PAGE_SIZE, MADV_WIPEONFORK), 0);
	EXPECT_EQ(tree_mremap(AT(0), 4 * PAGE_SIZE, AT(8)), 0);
	parent = current->mm;
	child = shim_mm_new(parent);
	EXPECT_EQ(tree_dup_mmap(child, parent), 0);
	shim_rcu_end();
	current->mm = child;
	offset = shim_vma_at(AT(8))->vm_pgoff;
	if (offset == AT(0) >> PAGE_SHIFT && test_known("wiped-offset"))
		test_end_known("a VMA that is wiped on fork keeps the offset of where it was");
	EXPECT_EQ(offset, AT(8) >> PAGE_SHIFT);
	EXPECT_EQ(tree_mmap(NULL, AT(12), 4 * PAGE_SIZE, flags, AT(12) >> PAGE_SHIFT), 0);
	EXPECT(shim_access(AT(13), true, &content) == ACCESS_DONE);
	EXPECT_EQ(tree_madvise(AT(12), 4 * PAGE_SIZE, MADV_WIPEONFORK), 0);
	EXPECT(shim_vma_at(AT(8)) == shim_vma_at(AT(13)));
	EXPECT_EQ(shim_anon_index(shim_vma_at(AT(13)), AT(13)), AT(13) >> PAGE_SHIFT);
	shim_mm_exit(child);
	current->mm = parent;
	shim_mm_exit(parent);
#else
	test_skip("splits and merges do not ask");
#endif
}

/*
 * One page of a VMA is moved on another one of it. It comes back without
 * userfaultfd, and nothing else does.
 *
 *	|urrrrr..|	r registered, u to be moved
 *	   ^
 *	 |r.rrr..|
 */
TEST(mremap_next_to_userfaultfd)
{
	bool kept;

	begin();
	EXPECT_EQ(tree_mmap(NULL, AT(0), 8 * PAGE_SIZE, VM_READ | VM_WRITE | VM_MAYREAD |
			    VM_MAYWRITE, AT(0) >> PAGE_SHIFT), 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(0), 6 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_MISSING), 0);
	EXPECT_EQ(tree_mremap(AT(0), PAGE_SIZE, AT(2)), 0);
	EXPECT(!shim_vma_at(AT(2))->vm_userfaultfd_ctx.ctx);
	kept = shim_vma_at(AT(1))->vm_userfaultfd_ctx.ctx == &ctx &&
	       shim_vma_at(AT(4))->vm_userfaultfd_ctx.ctx == &ctx;
	shim_mm_exit(current->mm);
	if (!kept && test_known("mremap-uffd"))
		test_end_known("mremap() takes userfaultfd from the VMA that it merges with");
	EXPECT(kept);
}

/* |--|--|-c| without an anon_vma, but for the last; one VMA in the end. */
TEST(merge_with_faulted_next)
{
	static const struct op program[] = {
		{ "mmap", .at = 0, .nr = 30, .arg = RW },
		{ "mprotect", .at = 8, .nr = 8, .arg = R },
		{ "write", .at = 20 },
		{ "mprotect", .at = 8, .nr = 8, .arg = RW },
	};

	program_run(program, ARRAY_SIZE(program));
}

/* The same where mmap() closes the gap between what has none and what has one. */
TEST(mmap_before_faulted)
{
	static const struct op program[] = {
		{ "mmap", .at = 0, .nr = 8, .arg = RW },
		{ "mmap", .at = 16, .nr = 8, .arg = RW },
		{ "write", .at = 20 },
		{ "mmap", .at = 8, .nr = 8, .arg = RW },
	};

	EXPECT_EQ(program_run(program, ARRAY_SIZE(program)), (long)ARRAY_SIZE(program));
}

/* What was written to is moved next to what was not, and merges. */
TEST(mremap_next_to_unfaulted)
{
	static const struct op program[] = {
		{ "mmap", .at = 0, .nr = 8, .arg = R },
		{ "mmap", .at = 8, .nr = 8, .arg = RW },
		{ "write", .at = 10 },
		{ "mremap", .at = 8, .nr = 8, .arg = 40 },
		{ "mprotect", .at = 0, .nr = 8, .arg = RW },
		{ "mremap", .at = 40, .nr = 8, .arg = 8 },
	};

	program_run(program, ARRAY_SIZE(program));
}

/*
 * A VMA that a merge would remove and may not, because of its ->close: unregister goes on
 * at the next, not once more with this one, which can no longer have been registered.
 *
 *	|oooo|u|ooo|	of a file that userfaultfd takes for asynchronous protection only
 */
TEST_IF(unregister_what_has_close, "userfaultfd's asynchronous write protection")
{
	struct file *file;

	if (!IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		test_skip("no userfaultfd write protection");
	begin();
	file = shim_file_told();
	ctx.features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED;
	EXPECT_EQ(tree_mmap(file, AT(0), 8 * PAGE_SIZE, VM_READ | VM_WRITE | VM_MAYREAD |
			    VM_MAYWRITE, 0), 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(4), PAGE_SIZE, UFFDIO_REGISTER_MODE_WP), 0);
	shim_warn_known = test_known("unregister-closing") ? "vma_can_userfault" : NULL;
	shim_warns_met = 0;
	EXPECT_EQ(tree_uffd_unregister(&ctx, AT(4), PAGE_SIZE), 0);
	shim_warn_known = NULL;
	EXPECT(!shim_vma_at(AT(4))->vm_userfaultfd_ctx.ctx);
	shim_mm_exit(current->mm);
	fput(file);
	if (shim_warns_met)
		test_end_known("a merge that may not remove its VMA leaves the iterator before it");
}

/*
 * Halves of a private file come together elsewhere, one with private pages: the pages of
 * the file follow each other, the private ones' offsets do not, so they are not one VMA.
 */
TEST(mremap_halves_of_a_file)
{
	static const struct op program[] = {
		{ "mmap_file", .at = 8, .nr = 8, .arg = 2 },
		{ "mremap", .at = 8, .nr = 4, .arg = 40 },
		{ "write", .at = 13 },
		{ "mremap_join", .at = 12, .nr = 4, .arg = 40 },
	};

	EXPECT_EQ(program_run(program, ARRAY_SIZE(program)), (long)ARRAY_SIZE(program));
}

/* MADV_GUARD_REMOVE takes guards, not userfaultfd's markers. */
TEST(unguard_protected)
{
	static const struct op program[] = {
		{ "mmap_shared", .at = 0, .nr = 8, .arg = RW },
		{ "uffd_register", .at = 0, .nr = 8 },
		{ "uffd_protect", .at = 0, .nr = 8 },
		{ "guard_remove", .at = 0, .nr = 8 },
	};

	program_run(program, ARRAY_SIZE(program));
}

/* What is locked already counts once, however often it is locked. */
TEST(lock_limit)
{
	static const struct {
		int at, nr, ret;
	} calls[] = {
		{ 0, 4, 0 }, { 0, 4, 0 }, { 2, 4, 0 }, { 2, 5, -ENOMEM }, { 1, 5, 0 },
		{ 7, 1, -ENOMEM }, { 0, 6, 0 },
	};

	begin();
	EXPECT_EQ(tree_mmap(NULL, AT(0), 8 * PAGE_SIZE, VM_READ | VM_WRITE | VM_MAYREAD |
			    VM_MAYWRITE, AT(0) >> PAGE_SHIFT), 0);
	shim_memlock = 6 * PAGE_SIZE;
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_EQ(tree_sys_mlock2(AT(calls[i].at), calls[i].nr * PAGE_SIZE, 0),
			  calls[i].ret);
	EXPECT_EQ(current->mm->locked_vm, 6UL);
	shim_memlock = ULONG_MAX;
	shim_mm_exit(current->mm);
}

/*
 * UFFDIO_MOVE of what was protected where it came from: not protected where it goes to,
 * which need not even be registered for that, be it in memory or in swap.
 *
 *	|....Ss..|	S in swap and protected, s protected
 *	|Ss......|
 */
TEST_IF(move_protected, "userfaultfd's write protection")
{
	bool wp = false;

	if (!IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		test_skip("no userfaultfd write protection");
	begin();
	EXPECT_EQ(tree_mmap(NULL, AT(0), 8 * PAGE_SIZE, VM_READ | VM_WRITE | VM_MAYREAD |
			    VM_MAYWRITE, AT(0) >> PAGE_SHIFT), 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(0), 4 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_MISSING), 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(4), 4 * PAGE_SIZE, UFFDIO_REGISTER_MODE_WP), 0);
	for (u64 i = 4; i < 6; i++)
		EXPECT(shim_access(AT(i), true, &i) == ACCESS_DONE);
	EXPECT_EQ(tree_uffd_wp(&ctx, AT(4), 2 * PAGE_SIZE, true), 0);
	EXPECT(shim_swap_out(AT(4)));
	EXPECT_EQ(tree_uffd_move(&ctx, AT(0), AT(4), 2 * PAGE_SIZE, false),
		  (long)(2 * PAGE_SIZE));
	for (u64 i = 0; i < 2; i++) {
		struct seen seen = look(table_at(current->mm, AT(i)), i);

		EXPECT_EQ(seen.content, i + 4);
		if (seen.slot && test_known("move-swap-protected"))
			wp |= seen.wp;
		else
			EXPECT(!seen.wp);
	}
	shim_mm_exit(current->mm);
	if (wp)
		test_end_known("UFFDIO_MOVE leaves what is in swap protected");
}

/* Pages in a row go together, but for one that a child has too, and those of a large folio. */
TEST(move_in_a_row)
{
	static const struct op program[] = {
		{ "mmap", .nr = 64, .arg = RW },
		{ "uffd_register", .nr = 8, .arg = 2 },
		{ "write", .at = 16, .nr = 2 },
		{ "mthp", .arg = 1 },
		{ "write", .at = 18 },
		{ "clear_refs", .arg = 0 }, { "free", .at = 16, .nr = 1 },	/* clean, and moved */
		{ "uffd_move", .at = 0, .nr = 4, .arg = 16 },
		{ "mthp", .arg = 0 },
		{ "write", .at = 26, .nr = 3 },
		{ "fork", .arg = 0 },
		{ "write", .at = 26 },
		{ "write", .at = 28 },
		{ "uffd_move", .at = 4, .nr = 3, .arg = 26 },
		{ "read", .at = 48, .nr = 1 },
		{ "uffd_move", .at = 7, .nr = 1, .arg = 48 },	/* the zero page */
	};

	EXPECT_EQ(program_run(program, ARRAY_SIZE(program)), (long)ARRAY_SIZE(program));
}

/* Not moved: a slot of swap that a child has too, a marker; nothing to what is locked. */
TEST_IF(move_refused, "userfaultfd's poison")
{
	static const struct op program[] = {
		{ "mmap", .nr = 64, .arg = RW },
		{ "uffd_register", .nr = 64, .arg = 2 },
		{ "write", .at = 16, .nr = 1 },
		{ "swap_out", .at = 16 },
		{ "fork", .arg = 0 },
		{ "uffd_move", .at = 0, .arg = 16 },
		{ "write", .at = 32, .nr = 1 },
		{ "swap_out", .at = 32 },
		{ "uffd_move", .at = 0, .arg = 32 },
		{ "uffd_poison", .at = 48 },
		{ "uffd_move", .at = 1, .arg = 48 },
		{ "mprotect", .at = 49, .nr = 1, .arg = R },	/* and not behind the VMA */
		{ "uffd_move", .at = 2, .nr = 2, .arg = 48 },
		{ "mlock", .at = 34, .nr = 2 },
		{ "uffd_move", .at = 34, .arg = 48 },
		{ "mmap_file", .at = 16, .nr = 1, .arg = 2 },	/* nor to a file, or from one */
		{ "write", .at = 16, .nr = 1 },
		{ "uffd_move", .at = 2, .arg = 16 },
		{ "uffd_register", .at = 16, .nr = 1, .arg = 3 },
		{ "dontneed", .at = 16, .nr = 1 },
		{ "uffd_move", .at = 16, .arg = 0 },
	};

	if (!IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		test_skip("the operation asks for protection as well");
	EXPECT_EQ(program_run(program, ARRAY_SIZE(program)), (long)ARRAY_SIZE(program));
}

/* A large folio is split to be moved: not while somebody else uses it, which may be for ever. */
TEST(move_what_is_in_use)
{
	struct folio *folio;
	u64 content = 1;
	long ret;

	begin();
	EXPECT_EQ(tree_mmap(NULL, AT(0), 16 * PAGE_SIZE, VM_READ | VM_WRITE | VM_MAYREAD |
			    VM_MAYWRITE, AT(0) >> PAGE_SHIFT), 0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(8), 8 * PAGE_SIZE, UFFDIO_REGISTER_MODE_MISSING), 0);
	shim_fault_order = 2;
	EXPECT(shim_access(AT(0), true, &content) == ACCESS_DONE);
	shim_fault_order = 0;
	folio = page_folio(look(table_at(current->mm, AT(0)), 0).page);
	EXPECT_EQ((int)folio_nr_pages(folio), 4);
	folio_get(folio);
	shim_split_patience = 100;
	ret = tree_uffd_move(&ctx, AT(8), AT(0), PAGE_SIZE, false);
	shim_split_patience = 0;
	shim_killed = false;
	EXPECT_EQ(shim_rcu_depth, 0);
	EXPECT(look(table_at(current->mm, AT(0)), 0).page && !look(table_at(current->mm, AT(8)), 8).there);
	folio_put(folio);
	EXPECT_EQ(tree_uffd_move(&ctx, AT(8), AT(0), PAGE_SIZE, false), (long)PAGE_SIZE);
	shim_mm_exit(current->mm);
	if (ret == -EINTR && test_known("move-in-use"))
		test_end_known("UFFDIO_MOVE of a large folio that is in use tries until it is killed");
	EXPECT_EQ(ret, (long)-EBUSY);
}

/* A private mapping of shmem has the file's page, and does not write to it. */
TEST_IF(continue_private, "userfaultfd's write protection")
{
	static const struct op program[] = {
		{ "mmap_file", .at = 8, .nr = 8, .arg = 2 },
		{ "read", .at = 8, .nr = 4 },
		{ "dontneed", .at = 8, .nr = 4 },
		{ "uffd_register", .at = 8, .nr = 8 },
		{ "uffd_continue", .at = 8, .nr = 4 },
		{ "write", .at = 9 },
	};

	if (!IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		test_skip("the operation protects as well");
	EXPECT_EQ(program_run(program, ARRAY_SIZE(program)), (long)ARRAY_SIZE(program));
}

/*
 * Protected from any access: what is there, in swap as well, what comes by UFFDIO_MOVE, a
 * page, the zero page and a slot of swap; not what a child or mremap() takes away from
 * userfaultfd. What may only be read, or not even that, is protected and resolved as well.
 */
TEST_IF(rw_protected, "userfaultfd's protection from any access")
{
	static const struct op program[] = {
		{ "uffd_api", .arg = 32 },
		{ "mmap", .nr = 64, .arg = RW },
		{ "mmap_shared", .at = 48, .nr = 8, .arg = RW },
		{ "write", .at = 48, .nr = 8 },
		{ "uffd_register", .at = 48, .nr = 8, .arg = 18 },
		{ "write", .at = 32, .nr = 1 }, { "read", .at = 33, .nr = 1 },
		{ "write", .at = 34, .nr = 2 }, { "swap_out", .at = 34, .nr = 1 },
		{ "uffd_register", .nr = 8, .arg = 18 },
		{ "uffd_move", .nr = 3, .arg = 32 },
		{ "read", .at = 0, .nr = 1 }, { "write", .at = 1, .nr = 1 }, { "read", .at = 2, .nr = 1 },
		{ "uffd_rw_protect", .at = 48, .nr = 8 },
		{ "uffd_rw_protect", .at = 7, .nr = 3 },		/* -ENOENT */
		{ "write", .at = 4, .nr = 4 }, { "swap_out", .at = 5, .nr = 1 },
		{ "uffd_rw_protect", .nr = 8 },
		{ "uffd_copy", .at = 3, .nr = 1, .arg = 0 },
		{ "uffd_register", .at = 4, .nr = 2, .arg = 2 },	/* -EBUSY */
		{ "fork", .arg = 0 }, { "read", .who = 1, .nr = 8 }, { "write", .who = 1, .nr = 8 },
		{ "exit", .who = 1 },
		{ "fork", .arg = 1 }, { "read", .who = 1, .at = 4, .nr = 1 },
		{ "uffd_rw_unprotect", .who = 1, .nr = 8 }, { "write", .who = 1, .nr = 8 },
		{ "exit", .who = 1 },
		{ "mprotect", .nr = 8, .arg = R }, { "read", .at = 4, .nr = 1 },
		{ "uffd_rw_unprotect", .at = 4, .nr = 1 }, { "read", .at = 4, .nr = 1 },
		{ "mprotect", .nr = 8, .arg = NO_ACCESS },
		{ "uffd_rw_protect", .at = 4, .nr = 2 }, { "uffd_rw_unprotect", .at = 5, .nr = 1 },
		{ "uffd_register", .at = 20, .nr = 2, .arg = 18 },
		{ "mprotect", .nr = 8, .arg = RW }, { "write", .at = 4, .nr = 2 },
		{ "mprotect", .at = 24, .nr = 2, .arg = NO_ACCESS },
		{ "uffd_register", .at = 24, .nr = 2, .arg = 18 },	/* -EINVAL */
		{ "dontneed", .at = 48, .nr = 2 }, { "punch", .at = 50, .nr = 2 },
		{ "read", .at = 48, .nr = 4 }, { "read", .at = 52, .nr = 1 },
		{ "uffd_unregister", .nr = 8 }, { "read", .nr = 24 },
		{ "mremap", .at = 52, .nr = 2, .arg = 32 },
	};

	if (!RWP_FLAG)
		test_skip("no userfaultfd protection from reads in this tree");
	/* The last step is none where mremap() has that defect. */
	EXPECT_EQ(program_run(program, ARRAY_SIZE(program)),
		  (long)ARRAY_SIZE(program) - test_known("mremap-uffd"));
}

/* And where userfaultfd only wants to know later: any access is let through, once. */
TEST_IF(rw_protected_async, "userfaultfd's protection from any access")
{
	static const struct op program[] = {
		{ "uffd_api", .arg = 64 },
		{ "mmap", .nr = 64, .arg = RW },
		{ "write", .nr = 12 },
		{ "read", .at = 12, .nr = 4 },
		{ "uffd_register", .nr = 16, .arg = 18 },
		{ "swap_out", .at = 2, .nr = 1 },
		{ "uffd_rw_protect", .nr = 16 },
		{ "swap_out", .at = 3, .nr = 1 },
		{ "read", .nr = 4 }, { "write", .nr = 4 }, { "write", .at = 4, .nr = 4 },
		{ "populate_read", .at = 8, .nr = 2 }, { "populate_write", .at = 10, .nr = 4 },
		{ "uffd_rw_protect", .nr = 16 }, { "fork", .arg = 1 },
		{ "write", .nr = 4 }, { "read", .who = 1, .nr = 8 }, { "write", .who = 1, .nr = 8 },
		{ "uffd_rw_unprotect", .nr = 16 }, { "write", .nr = 16 },
	};

	if (!RWP_FLAG)
		test_skip("no userfaultfd protection from reads in this tree");
	EXPECT_EQ(program_run(program, ARRAY_SIZE(program)), (long)ARRAY_SIZE(program));
}

/* PAGEMAP_SCAN: holes, what is in swap, more ranges than there is room for, a refusal. */
static void scan_of(const char *mmap)
{
	const struct op program[] = {
		{ "uffd_api", .arg = 16 },
		{ mmap, .nr = 24, .arg = RW },
		{ "uffd_register", .nr = 20, .arg = 2 },
		{ "pagemap_scan", .nr = 20 },
		{ "write", .at = 2, .nr = 1 }, { "write", .at = 5, .nr = 2 },
		{ "write", .at = 9, .nr = 1 }, { "swap_out", .at = 5, .nr = 1 },
		{ "pagemap_scan", .nr = 20, .arg = 4 },		/* of three ranges two */
		{ "pagemap_scan", .nr = 20 },
		{ "write", .at = 12, .nr = 3 }, { "swap_out", .at = 13, .nr = 1 },
		{ "pagemap_scan", .nr = 20, .arg = 2 },		/* and nothing is told */
		{ "write", .at = 18, .nr = 4 },
		{ "pagemap_scan", .at = 16, .nr = 8, .arg = 1 },	/* -EPERM */
		{ "pagemap_scan", .nr = 24, .arg = 8 },
	};

	EXPECT_EQ(program_run(program, ARRAY_SIZE(program)),
		  (long)ARRAY_SIZE(program) - 2 * !strcmp(mmap, "mmap_shared"));
}

/* Where nothing is yet, everything has been written to since. */
static bool is_told_of_holes(void)
{
	struct userfaultfd_ctx *ctx;
	struct shim_range range;
	unsigned long end;
	long nr;

	begin();
	ctx = uffd_new(current->mm);
	ctx->features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED;
	EXPECT_EQ(tree_mmap(NULL, AT(0), 4 * PAGE_SIZE, VM_READ | VM_WRITE | VM_MAYREAD |
			    VM_MAYWRITE, AT(0) >> PAGE_SHIFT), 0);
	EXPECT_EQ(tree_uffd_register(ctx, AT(0), 4 * PAGE_SIZE, UFFDIO_REGISTER_MODE_WP), 0);
	nr = tree_pagemap_scan(AT(0), 4 * PAGE_SIZE, false, &range, 1, &end);
	tree_uffd_put(ctx);
	shim_mm_exit(current->mm);
	return nr == 1 && range.start == AT(0) && range.end == AT(4);
}

TEST_IF(pagemap_scan, "userfaultfd's asynchronous write protection")
{
	if (!IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		test_skip("no userfaultfd write protection");
	if (!is_told_of_holes()) {
		if (!test_known("scan-empty"))
			test_fail(__FILE__, __LINE__, "PAGEMAP_SCAN says nothing of what is empty");
		else
			test_end_known("PAGEMAP_SCAN does not say that what is empty was written to");
		return;
	}
	scan_of("mmap");
	scan_of("mmap_shared");
}
