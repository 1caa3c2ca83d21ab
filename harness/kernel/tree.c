// SPDX-License-Identifier: GPL-2.0
/*
 * The tree's source files, one translation unit, and entry points to what is static in
 * them. Nothing else belongs here: what the kernel calls is in shim/.
 */
#include "harness/kernel/tree.h"

#pragma GCC diagnostic push
#include "harness/shim/quiet.h"
#define auto __auto_type
#include "fork/fs/userfaultfd.c"
#include "fork/mm/util.c"
#include "fork/mm/memory.c"
#undef auto
#pragma GCC diagnostic pop

bool tree_vma_needs_copy(struct vm_area_struct *dst, struct vm_area_struct *src)
{
	return vma_needs_copy(dst, src);
}

int tree_uffd_register(struct userfaultfd_ctx *ctx, unsigned long addr,
		       unsigned long len, u64 mode)
{
	struct uffdio_register arg = { .range = { addr, len }, .mode = mode };

	return userfaultfd_register(ctx, (unsigned long)&arg);
}

int tree_uffd_unregister(struct userfaultfd_ctx *ctx, unsigned long addr,
			 unsigned long len)
{
	struct uffdio_range arg = { addr, len };

	return userfaultfd_unregister(ctx, (unsigned long)&arg);
}

int tree_uffd_wp(struct userfaultfd_ctx *ctx, unsigned long addr,
		 unsigned long len, bool protect)
{
	return mwriteprotect_range(ctx, addr, len, protect);
}

/* The reader of the events takes the new context and lets the kernel go on. */
struct userfaultfd_ctx *shim_uffd_child;

void userfaultfd_event_wait_completion(struct userfaultfd_ctx *ctx,
				       struct userfaultfd_wait_queue *ewq)
{
	if (ewq->msg.event == UFFD_EVENT_FORK)
		shim_uffd_child = (void *)(unsigned long)ewq->msg.arg.reserved.reserved1;
	/* It sleeps until user space has read the event. */
	mmap_assert_not_locked(ctx->mm);
	atomic_dec(&ctx->mmap_changing);
	userfaultfd_ctx_put(ctx);
}

void tree_uffd_release(struct userfaultfd_ctx *ctx)
{
	userfaultfd_release_all(ctx->mm, ctx);
	userfaultfd_ctx_put(ctx);
}

void tree_uffd_put(struct userfaultfd_ctx *ctx)
{
	userfaultfd_ctx_put(ctx);
}
