// SPDX-License-Identifier: GPL-2.0
/* madvise(), where it sets flags of VMAs and no more: of all but holes, up to a refusal. */
#include "harness/ops/op.h"

/* Some advice is ignored where it makes no sense, some refused. */
static bool is_ignored(const struct held *h, int advice)
{
	return advice == MADV_MERGEABLE && (h->shared || is_droppable(h));
}

static int refuses(const struct held *h, int advice)
{
	return advice == MADV_DODUMP && is_droppable(h) ? -EINVAL : 0;
}

static int expect(const struct step *s, int advice, vm_flags_t set, vm_flags_t clear)
{
	for (struct held *h = s->h; h < s->end; h++) {
		if (!h->mapped || is_ignored(h, advice))
			continue;
		if (refuses(h, advice))
			return refuses(h, advice);
		h->flags = (h->flags & ~clear) | set;
	}
	return hole_error(s);
}

#define ADVICE(id, n, advice, set, clear)					\
static int call_##id(const struct step *s)					\
{										\
	return tree_madvise(s->addr, s->len, advice);				\
}										\
static int expect_##id(const struct step *s)					\
{										\
	return expect(s, advice, set, clear);					\
}										\
static bool changed_by_##id(const struct held *h)				\
{										\
	return h->mapped && h->flags != ((h->flags & ~(clear)) | (set));	\
}										\
OPERATION(id) {									\
	.often = n, .aims = changed_by_##id, .call = call_##id,			\
	.expect = expect_##id, .allocates = true, .merges = true, .partly = partly_done,	\
}

ADVICE(random, 1, MADV_RANDOM, VM_RAND_READ, VM_SEQ_READ);
ADVICE(sequential, 1, MADV_SEQUENTIAL, VM_SEQ_READ, VM_RAND_READ);
ADVICE(normal, 1, MADV_NORMAL, 0, VM_RAND_READ | VM_SEQ_READ);
ADVICE(dontdump, 1, MADV_DONTDUMP, VM_DONTDUMP, 0);
ADVICE(dodump, 1, MADV_DODUMP, 0, VM_DONTDUMP);
ADVICE(mergeable, 1, MADV_MERGEABLE, VM_MERGEABLE, 0);
ADVICE(unmergeable, 1, MADV_UNMERGEABLE, 0, VM_MERGEABLE);
ADVICE(hugepage, 1, MADV_HUGEPAGE, VM_HUGEPAGE, VM_NOHUGEPAGE);
ADVICE(nohugepage, 1, MADV_NOHUGEPAGE, VM_NOHUGEPAGE, VM_HUGEPAGE);
