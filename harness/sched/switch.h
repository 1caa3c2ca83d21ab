/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From one stack to another: what a function must keep is pushed, and popped on
 * the other side. By hand where we can: swapcontext() is two system calls, and
 * AddressSanitizer warns of it.
 */
#ifndef SCHED_SWITCH_H
#define SCHED_SWITCH_H

#ifdef __x86_64__
struct sched_context { void *sp; };

void sched_switch_stack(struct sched_context *from, const struct sched_context *to);
asm(".text\n"
	".globl sched_switch_stack\n"
	".type sched_switch_stack, @function\n"
	"sched_switch_stack:\n"
	"	push %rbp\n	push %rbx\n	push %r12\n"
	"	push %r13\n	push %r14\n	push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov (%rsi), %rsp\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n"
	"	pop %r12\n	pop %rbx\n	pop %rbp\n"
	"	ret\n"
	".size sched_switch_stack, . - sched_switch_stack\n");

static inline void sched_context_new(struct sched_context *context, char *stack,
				     size_t size, void (*run)(void))
{
	unsigned long *sp = (unsigned long *)(stack + size);

	*--sp = 0;			/* as if called: run() never returns */
	*--sp = (unsigned long)run;
	sp -= 6;
	memset(sp, 0, 6 * sizeof(*sp));
	context->sp = sp;
}
#else
#include <ucontext.h>

struct sched_context { ucontext_t u; };

#define sched_switch_stack(from, to)	((void)swapcontext(&(from)->u, &(to)->u))

static inline void sched_context_new(struct sched_context *context, char *stack,
				     size_t size, void (*run)(void))
{
	if (getcontext(&context->u))
		abort();
	context->u.uc_stack.ss_sp = stack;
	context->u.uc_stack.ss_size = size;
	makecontext(&context->u, run, 0);
}
#endif

#endif
