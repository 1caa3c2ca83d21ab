// SPDX-License-Identifier: GPL-2.0
/* MADV_GUARD_INSTALL and MADV_GUARD_REMOVE. */
#include "harness/ops/op.h"

/* Whether a guard can be put where userfaultfd left a marker: see README.md. */
static bool can_install(const struct step *s)
{
#ifdef TREE_HAS_pte_none_mostly
	(void)s;
	return GUARD_FLAG;
#else
	return GUARD_FLAG && !any(s->h, s->nr, is_protected_file);
#endif
}

static int install(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_GUARD_INSTALL);
}

static int expect_guards(const struct step *s)
{
	struct held *h;

	for (h = s->h; h < s->end && !h->locked && !no_discard(h); h++) {
		if (!h->mapped)
			continue;
		h->guard = h->guards_near = true;
		h->copy = h->wp = h->written = h->poison = false;
	}
	return h < s->end ? no_discard(h) ? -EPERM : -EINVAL : hole_error(s);
}

OPERATION(guard_install) {
	.often = 5, .sensible = can_install, .call = install, .expect = expect_guards,
	.allocates = true, .partly = partly_done,
};

static bool has_guards(const struct step *s)
{
	(void)s;
	return GUARD_FLAG;
}

static int remove_guards(const struct step *s)
{
	return tree_madvise(s->addr, s->len, MADV_GUARD_REMOVE);
}

static int expect_none(const struct step *s)
{
	for (struct held *h = s->h; h < s->end; h++)
		h->guard = false;
	return hole_error(s);
}

OPERATION(guard_remove) {
	.often = 2, .aims = is_guard, .sensible = has_guards, .call = remove_guards, .expect = expect_none,
};
