/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An operation is one system call as programs make it. Its file says how often it is
 * drawn and how its arguments are, makes the call, and says what must come of it:
 *
 *	OPERATION(munmap) {
 *		.often = 3, .call = call, .expect = expect,
 *	};
 *
 * That registers it: programs, the shrinker and libFuzzer have it from then on.
 */
#ifndef OPS_OP_H
#define OPS_OP_H

#include "harness/oracle/program.h"
#include "harness/oracle/space.h"
#include "harness/test.h"

/* A step, as an operation sees it. */
struct step {
	struct process *p;
	int at, nr, arg;
	int fail;
	unsigned long addr, len;
	struct held *h, *end;		/* what the process holds in that range */
};

/**
 * struct operation - a system call, for programs.
 * @often: of about 100 steps
 * @aims: the pages that it is for; NULL: all that is mapped. A step with .aim begins at
 *	the next of them, with AIM_AT_ONLY it ends where they end
 * @unseen: it changes nothing that a process holds
 * @draw: arguments that want more than any numbers, from a random one
 * @sensible: whether the step makes sense where it stands; NULL: wherever
 * @target: the first page of another range that it changed, and how many; NULL: none
 * @call: make it; 0 or -errno
 * @expect: what it must have returned; changes what the process holds to what it
 *	must hold now; NULL: 0, and nothing
 * @allocates: what it allocates may fail, one at a time; then it returns -ENOMEM, or
 *	-EAGAIN if it is madvise(), and has changed nothing
 * @merges: VMAs that it makes alike become one
 * @partly: or it has done the @n-th of what it may have done then, from 0 on; changes
 *	what the process held before to that, and returns false if there is no @n-th
 * @known: defects of known.list that this would meet: nothing fails where they are
 */
struct operation {
	const char *name;
	unsigned char often;
	bool (*aims)(const struct held *h);
	void (*draw)(struct op *op, unsigned int random);
	bool unseen;
	bool (*sensible)(const struct step *s);
	int (*target)(const struct step *s, int *nr);
	int (*call)(const struct step *s);
	int (*expect)(const struct step *s);
	bool allocates, merges;
	bool (*partly)(const struct step *s, int n, const struct held *after);
	const char *known[4];
	long drawn, done, changed;	/* steps: in programs, sensible, not in vain */
	struct operation *next;
};

void operation_register(struct operation *operation);

#define OPERATION(id)							\
	static struct operation op_##id;				\
	static void __attribute__((constructor)) register_##id(void)	\
	{								\
		op_##id.name = #id;					\
		operation_register(&op_##id);				\
	}								\
	static struct operation op_##id =

/** prot_flags() - the flags of a mapping with that protection. */
static inline vm_flags_t prot_flags(int prot)
{
	return (prot == RW ? VM_READ | VM_WRITE : prot == R ? VM_READ : 0) |
	       VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
}

/** up_to_hole() - the end of what is done by a call that stops where nothing is mapped. */
static inline struct held *up_to_hole(const struct step *s)
{
	struct held *h = s->h;

	while (h < s->end && h->mapped)
		h++;
	return h;
}

/** is_any_sealed() - then what takes it away returns -EPERM, and has done nothing. */
static inline bool is_any_sealed(const struct step *s)
{
	return any(s->h, s->nr, is_sealed);
}

/** no_discard() - sealed and not to be written: its content is not to be lost either. */
static inline bool no_discard(const struct held *h)
{
	return h->flags & VM_SEALED && h->file < 0 && h->prot != RW;
}

/** hole_error() - what a call returns that steps over holes. */
static inline int hole_error(const struct step *s)
{
	return any(s->h, s->nr, is_hole) ? -ENOMEM : 0;
}

/** ioctl_returns() - what userfaultfd's calls return that say how many bytes they did. */
static inline int ioctl_returns(long ret, const struct step *s)
{
	return ret < 0 ? ret : ret == (long)s->len ? 0 : -EAGAIN;
}

/** map_pages() - the range is another mapping's from now on. */
static inline void map_pages(const struct step *s, struct held as)
{
	as.mapped = as.soft_dirty = true;
	if (!is_droppable(&as)) {
		as.locked = s->p->future;
		as.flags |= s->p->future & VM_LOCKONFAULT;
	}
	for (struct held *h = s->h; h < s->end; h++, as.pgoff++)
		*h = as;
}

/** partly_done() - as far as any page: the calls that take one VMA after the other. */
bool partly_done(const struct step *s, int n, const struct held *after);

/** expect_of() - what another operation returns, and makes of that range. */
int expect_of(const char *name, const struct step *s);

/** everything() - the target of what goes over all of the memory. */
int everything(const struct step *s, int *nr);

struct userfaultfd_ctx *uffd_new(struct mm_struct *mm);
/** process_exit() - exit(), and the others move up. */
void process_exit(struct process *p);
/** process_fork() - fork(), checked; false: there is no room for another. */
bool process_fork(struct process *p, bool followed, long fail);

#endif
