// SPDX-License-Identifier: GPL-2.0
/* mbind(); .arg: which policy, or 0 for the default. */
#include "harness/ops/op.h"

#define NR_POLICIES	3

static int call(const struct step *s)
{
	return tree_mbind(s->addr, s->len, s->arg % NR_POLICIES);
}

/* The default may be given to what has holes, but not to nothing. */
static int expect(const struct step *s)
{
	int policy = s->arg % NR_POLICIES;

	if (!any(s->h, s->nr, is_mapped) || (policy && any(s->h, s->nr, is_hole)))
		return -EFAULT;
	for (struct held *h = s->h; h < s->end; h++)
		if (h->mapped)
			h->policy = policy;
	return 0;
}

/* Or all of it: what has merged has that policy, and then it is copied in vain. */
static bool partly(const struct step *s, int n, const struct held *after)
{
	if (n >= s->nr)
		return false;
	memcpy(s->h, after + s->at, (n + 1) * sizeof(*after));
	return true;
}

OPERATION(mbind) {
	.often = 3, .call = call, .expect = expect,
	.allocates = true, .merges = true, .partly = partly,
};
