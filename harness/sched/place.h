/* SPDX-License-Identifier: GPL-2.0 */
/* Where in the sources what was called is. */
#ifndef SCHED_PLACE_H
#define SCHED_PLACE_H

#include <stdbool.h>

/**
 * place_of() - the function, file and line of a return address.
 *
 * Of those that were inlined there, the innermost; addr2line is asked once for each.
 *
 * Return: "function() mm/file.c:123" of the kernel's files that end in .c, else "".
 */
const char *place_of(unsigned long address);

/** place_is_in() - whether it is in a function, or in one that was inlined there. */
bool place_is_in(unsigned long address, const char *function);

/** place_is_model() - whether it is in a file of the harness, and in none of the kernel. */
bool place_is_model(unsigned long address);

#endif
