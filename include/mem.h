/*
 * mem - allocation that cannot fail, or ends the process.
 *
 * Purpose:   small things whose number is bounded. What an outsider can size is
 *            charged to a budget first (budget.h, arena.h).
 * Ownership: the caller frees with free().
 * Threads:   any.
 * Errors:    out of memory is logged and aborts.
 */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>

void *mem_alloc(size_t size); /* not zeroed */
void *mem_zero(size_t count, size_t size);
void *mem_resize(void *ptr, size_t count, size_t size);
char *mem_copy(const void *bytes, size_t len); /* and a NUL */

#endif
