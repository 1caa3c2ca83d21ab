// SPDX-License-Identifier: GPL-2.0
/*
 * process_madvise() of the own memory: the range in up to three pieces, in order or
 * backwards. It stops at the first that fails, and says how many bytes were done before.
 */
#include "harness/ops/op.h"

/* Older trees take what is for other processes only. */
#ifdef TREE_HAS_process_madvise_remote_valid
static const struct advice {
	const char *name;
	int advice;
} advices[] = {
	{ "cold", MADV_COLD }, { "pageout", MADV_PAGEOUT }, { "dontneed", MADV_DONTNEED },
	{ "random", MADV_RANDOM }, { "normal", MADV_NORMAL }, { "dontdump", MADV_DONTDUMP },
	{ "guard_remove", MADV_GUARD_REMOVE }, { "guard_install", MADV_GUARD_INSTALL },
};

static const struct advice *advice_of(const struct step *s)
{
	return &advices[s->arg / 8 % (GUARD_FLAG ? 8 : 6)];
}

static int pieces_of(const struct step *s)
{
	return min(1 + s->arg % 3, s->nr);
}

/* The @n-th of the pieces, as a step of its own. */
static struct step piece(const struct step *s, int n)
{
	int nr = pieces_of(s), nth = s->arg & 4 ? nr - 1 - n : n;
	int first = s->nr * nth / nr, end = s->nr * (nth + 1) / nr;
	struct step part = *s;

	part.at = s->at + first;
	part.nr = end - first;
	part.addr = s->addr + first * shim_page_span;
	part.len = part.nr * shim_page_span;
	part.h = s->h + first;
	part.end = s->h + end;
	return part;
}

/* What guards cannot be installed over everywhere: see guard.c. */
static bool sensible(const struct step *s)
{
	return advice_of(s)->advice != MADV_GUARD_INSTALL ||
	       !any(s->h, s->nr, is_protected_file);
}

static int call(const struct step *s)
{
	struct iovec vec[3];

	for (int i = 0; i < pieces_of(s); i++) {
		const struct step part = piece(s, i);

		vec[i] = (struct iovec){ (void *)part.addr, part.len };
	}
	return tree_sys_process_madvise(0, vec, pieces_of(s), advice_of(s)->advice, 0);
}

static int expect(const struct step *s)
{
	int ret = 0, done = 0;

	for (int i = 0; i < pieces_of(s) && ret >= 0; i++) {
		const struct step part = piece(s, i);

		ret = expect_of(advice_of(s)->name, &part);
		if (ret >= 0)
			done += part.len;
	}
	return done ?: ret;
}

OPERATION(process_madvise) {
	.often = 3, .sensible = sensible, .call = call, .expect = expect,
};
#endif
