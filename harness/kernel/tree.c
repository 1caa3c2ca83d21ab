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

#ifdef TREE_HAS_mfill_retry_state_put
void shim_retry_put(void *state)
{
	mfill_retry_state_put(*(struct mfill_retry_state **)state);
}
#endif

u64 shim_uffd_ioctls;

int tree_uffd_register(struct userfaultfd_ctx *ctx, unsigned long addr,
		       unsigned long len, u64 mode)
{
	struct uffdio_register arg = { .range = { addr, len }, .mode = mode };
	int ret = userfaultfd_register(ctx, (unsigned long)&arg);

	shim_uffd_ioctls = arg.ioctls;
	return ret;
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

#ifdef VM_UFFD_RWP
int tree_uffd_rwp(struct userfaultfd_ctx *ctx, unsigned long addr,
		  unsigned long len, bool protect)
{
	return mrwprotect_range(ctx, addr, len, protect);
}
#endif

void tree_uffd_init(struct userfaultfd_ctx *ctx, struct mm_struct *mm,
		    unsigned int features)
{
	memset(ctx, 0, sizeof(*ctx));
	refcount_set(&ctx->refcount, 1);
	ctx->mm = mm;
	ctx->features = features;
}

long tree_uffd_copy(struct userfaultfd_ctx *ctx, unsigned long addr, const void *from,
		    unsigned long len, bool protect)
{
	return mfill_atomic_copy(ctx, addr, (unsigned long)from, len,
				 protect ? MFILL_ATOMIC_WP : 0);
}

long tree_uffd_zeropage(struct userfaultfd_ctx *ctx, unsigned long addr,
			unsigned long len)
{
	return mfill_atomic_zeropage(ctx, addr, len);
}

long tree_uffd_poison(struct userfaultfd_ctx *ctx, unsigned long addr, unsigned long len)
{
	return mfill_atomic_poison(ctx, addr, len, 0);
}

long tree_uffd_continue(struct userfaultfd_ctx *ctx, unsigned long addr, unsigned long len,
			bool protect)
{
	return mfill_atomic_continue(ctx, addr, len, protect ? MFILL_ATOMIC_WP : 0);
}

long tree_uffd_move(struct userfaultfd_ctx *ctx, unsigned long addr, unsigned long from,
		    unsigned long len, bool holes)
{
	/* There is nobody to wake. */
	return move_pages(ctx, addr, from, len, UFFDIO_MOVE_MODE_DONTWAKE |
			  (holes ? UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES : 0));
}

/* The reader of the events takes the new context and lets the kernel go on. */
struct userfaultfd_ctx *shim_uffd_child;
struct shim_event shim_events[8];
int shim_nr_events;

static struct shim_event event_of(struct userfaultfd_ctx *ctx, const struct uffd_msg *msg)
{
	switch (msg->event) {
	case UFFD_EVENT_FORK:
		return (struct shim_event){ ctx, msg->event, 0, 0, msg->arg.reserved.reserved1 };
	case UFFD_EVENT_REMAP:
		return (struct shim_event){ ctx, msg->event, msg->arg.remap.from,
					    msg->arg.remap.to, msg->arg.remap.len };
	default:
		return (struct shim_event){ ctx, msg->event, msg->arg.remove.start,
					    msg->arg.remove.end, 0 };
	}
}

void (*shim_meanwhile_told)(void);

void userfaultfd_event_wait_completion(struct userfaultfd_ctx *ctx,
				       struct userfaultfd_wait_queue *ewq)
{
	if (ewq->msg.event == UFFD_EVENT_FORK)
		shim_uffd_child = (void *)(unsigned long)ewq->msg.arg.reserved.reserved1;
	if (shim_nr_events < (int)ARRAY_SIZE(shim_events))
		shim_events[shim_nr_events] = event_of(ctx, &ewq->msg);
	shim_nr_events++;
	/* It sleeps until user space has read the event. */
	mmap_assert_not_locked(ctx->mm);
	shim_meanwhile(&shim_meanwhile_told);
	atomic_dec(&ctx->mmap_changing);
#ifdef SHIM_SCHED
	sched_wake(&ctx->mmap_changing);
#endif
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
