// SPDX-License-Identifier: GPL-2.0
/*
 * What a userfaultfd is told that asked for events: each once, with the range that was
 * asked for, and nothing of what did not happen. What is told of is over by then: its
 * reader is not waited for any more.
 *
 *	|wwww|rrrr|wwww|    |oooo|	w, r: one userfaultfd's, o: another's
 *	8    12   16   20   24   28
 */
#include "harness/tests/process.h"

static struct userfaultfd_ctx ctx, other;

static void map(int page, int nr)
{
	EXPECT_EQ(tree_mmap(NULL, AT(page), nr * PAGE_SIZE, RDWR, AT(page) >> PAGE_SHIFT), 0);
}

static void begin(unsigned int features)
{
	shim_nr_objects = 0;
	current->mm = shim_mm_new(NULL);
	tree_uffd_init(&ctx, current->mm, features);
	tree_uffd_init(&other, current->mm, features);
	map(8, 12);
	map(24, 4);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(8), 12 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_MISSING), 0);
	EXPECT_EQ(tree_uffd_register(&other, AT(24), 4 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_MISSING), 0);
	EXPECT_EQ(tree_mprotect(AT(12), 4 * PAGE_SIZE, PROT_READ), 0);
	shim_nr_events = 0;
}

static void end(void)
{
	shim_mm_exit(current->mm);
	shim_rcu_end();
	EXPECT_EQ(shim_nr_objects, 0l);
	for (int i = 0; i < 2; i++) {
		struct userfaultfd_ctx *c = i ? &other : &ctx;

		EXPECT_EQ(refcount_read(&c->refcount), 1u);
		EXPECT_EQ(c->mmap_changing.counter, 0);
		EXPECT_EQ(c->map_changing_lock.dep_map.writers, 0);
	}
}

/* The next event that was told. */
static void told(int nr, struct userfaultfd_ctx *of, int event, int first, int end_or_to)
{
	const struct shim_event *e = &shim_events[nr];

	if (!EXPECT(nr < shim_nr_events))
		return;
	EXPECT(e->ctx == of);
	EXPECT_EQ(e->event, event);
	EXPECT_EQ(e->a, AT(first));
	EXPECT_EQ(e->b, AT(end_or_to));
}

/* Three VMAs of one, one of another. */
TEST(munmap)
{
	begin(UFFD_FEATURE_EVENT_UNMAP);
	EXPECT_EQ(tree_munmap(AT(10), 18 * PAGE_SIZE), 0);
	EXPECT_EQ(shim_nr_events, 2);
	told(0, &ctx, UFFD_EVENT_UNMAP, 10, 28);
	told(1, &other, UFFD_EVENT_UNMAP, 10, 28);
	end();
}

/* What is not unmapped, for want of memory, nobody is told of. */
TEST(munmap_without_memory)
{
	const bool known = test_known("unmap-failed-event");
	long nth = 0, count, met = 0;
	int ret;

	do {
		begin(UFFD_FEATURE_EVENT_UNMAP);
		alloc_fail_at(++nth);
		ret = tree_munmap(AT(10), 16 * PAGE_SIZE);
		count = alloc_count();
		alloc_fail_at(0);
		EXPECT(!ret || (ret == -ENOMEM && count >= nth));
		EXPECT_EQ(!shim_vma_at(AT(10)), !ret);
		EXPECT_EQ(!shim_vma_at(AT(24)), !ret);
		if (ret && known)
			met += shim_nr_events;
		else
			EXPECT_EQ(shim_nr_events, ret ? 0 : 2);
		end();
	} while (count >= nth);
	if (met)
		test_end_known("munmap() that fails is told %ld times as done", met);
}

TEST(mmap_over)
{
	begin(UFFD_FEATURE_EVENT_UNMAP);
	map(10, 12);
	EXPECT_EQ(shim_nr_events, 1);
	told(0, &ctx, UFFD_EVENT_UNMAP, 10, 22);
	EXPECT(!shim_vma_at(AT(10))->vm_userfaultfd_ctx.ctx);
	end();
}

/* Who has not asked is not told. */
TEST(not_asked_for)
{
	begin(0);
	EXPECT_EQ(tree_mremap(AT(8), 4 * PAGE_SIZE, AT(24)), 0);
	EXPECT(!shim_vma_at(AT(24))->vm_userfaultfd_ctx.ctx);
	EXPECT_EQ(tree_munmap(AT(10), 18 * PAGE_SIZE), 0);
	EXPECT_EQ(shim_nr_events, 0);
	end();
}

/* What of a range is whose, each. */
TEST(madvise_dontneed)
{
	begin(UFFD_FEATURE_EVENT_REMOVE);
	EXPECT_EQ(tree_madvise(AT(10), 8 * PAGE_SIZE, MADV_DONTNEED), 0);
	EXPECT_EQ(shim_nr_events, 3);
	told(0, &ctx, UFFD_EVENT_REMOVE, 10, 12);
	told(1, &ctx, UFFD_EVENT_REMOVE, 12, 16);
	told(2, &ctx, UFFD_EVENT_REMOVE, 16, 18);
	end();
}

/* As long as mappings change, its reader is to learn of that first. */
TEST_IF(changing, "userfaultfd's write protection")
{
	u64 content = 1;

	if (!IS_ENABLED(CONFIG_HAVE_ARCH_USERFAULTFD_WP))
		test_skip("no userfaultfd write protection");
	begin(0);
	EXPECT_EQ(tree_uffd_register(&ctx, AT(8), 4 * PAGE_SIZE,
				     UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP), 0);
	EXPECT(shim_access(AT(9), true, &content) == ACCESS_DONE);
	atomic_inc(&ctx.mmap_changing);
	EXPECT_EQ(tree_uffd_wp(&ctx, AT(8), 4 * PAGE_SIZE, true), -EAGAIN);
	EXPECT_EQ(tree_uffd_copy(&ctx, AT(8), &content, PAGE_SIZE, false), -EAGAIN);
	EXPECT_EQ(tree_uffd_zeropage(&ctx, AT(8), PAGE_SIZE), -EAGAIN);
	atomic_dec(&ctx.mmap_changing);
	EXPECT_EQ(tree_uffd_wp(&ctx, AT(8), 4 * PAGE_SIZE, true), 0);
	EXPECT_EQ(tree_uffd_copy(&ctx, AT(8), &content, PAGE_SIZE, false), (long)PAGE_SIZE);
	end();
}

/* What lay at the target goes first, then what was moved is told of. */
TEST(mremap_over)
{
	begin(UFFD_FEATURE_EVENT_UNMAP | UFFD_FEATURE_EVENT_REMAP);
	EXPECT_EQ(tree_mremap(AT(8), 4 * PAGE_SIZE, AT(24)), 0);
	told(0, &other, UFFD_EVENT_UNMAP, 24, 28);
	told(1, &ctx, UFFD_EVENT_REMAP, 8, 24);
	EXPECT_EQ(shim_events[1].c, 4 * PAGE_SIZE);
	EXPECT(shim_vma_at(AT(24))->vm_userfaultfd_ctx.ctx == &ctx);
	/* The source is unmapped, too. */
	for (int i = 2; i < shim_nr_events; i++)
		told(i, &ctx, UFFD_EVENT_UNMAP, 8, 12);
	EXPECT(shim_nr_events <= 3);
	end();
}

TEST(mremap_shrink)
{
	long ret;

	begin(UFFD_FEATURE_EVENT_UNMAP | UFFD_FEATURE_EVENT_REMAP);
	ret = tree_sys_mremap(AT(24), 4 * PAGE_SIZE, 3 * PAGE_SIZE, 0, 0);
	EXPECT_EQ(ret, (long)AT(24));
	EXPECT_EQ(shim_nr_events, 1);
	told(0, &other, UFFD_EVENT_UNMAP, 27, 28);
	end();
}

/* A move that fails has moved nothing. */
TEST(mremap_without_memory)
{
	long nth = 0, count, ret;

	do {
		begin(UFFD_FEATURE_EVENT_REMAP);
		alloc_fail_at(++nth);
		ret = tree_mremap(AT(8), 4 * PAGE_SIZE, AT(40));
		count = alloc_count();
		alloc_fail_at(0);
		if (shim_vma_at(AT(8)))
			EXPECT_EQ(shim_nr_events, ret ? 0 : 1);
		end();
	} while (count >= nth);
	EXPECT_EQ(ret, 0l);
}

/* A fork is told of when it is over, and not if it failed. */
TEST(fork_without_memory)
{
	struct mm_struct *child;
	long nth = 0, count;
	int ret;

	do {
		struct userfaultfd_ctx *new;

		begin(UFFD_FEATURE_EVENT_FORK);
		child = shim_mm_new(current->mm);
		shim_uffd_child = NULL;
		alloc_fail_at(++nth);
		ret = tree_dup_mmap(child, current->mm);
		count = alloc_count();
		alloc_fail_at(0);
		EXPECT_EQ(shim_nr_events, ret ? 0 : 2);
		for (int i = 0; i < shim_nr_events; i++) {
			EXPECT_EQ(shim_events[i].event, UFFD_EVENT_FORK);
			EXPECT(shim_events[i].ctx == (i ? &other : &ctx));
			new = (void *)shim_events[i].c;
			EXPECT(new->mm == child);
		}
		for (int i = 0; i < shim_nr_events; i++)
			tree_uffd_put((void *)shim_events[i].c);
		swap(current->mm, child);
		shim_mm_exit(current->mm);
		current->mm = child;
		end();
	} while (count >= nth);
	EXPECT_EQ(ret, 0);
}
