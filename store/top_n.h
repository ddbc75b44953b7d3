/*
 * top_n - the first `limit` of many items, in a heap.
 *
 * Ownership: the heap's memory is the arena's; items stay the caller's.
 */
#ifndef STORE_TOP_N_H
#define STORE_TOP_N_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct top_n {
    const void **at; /* in no order before top_n_sort() */
    uint32_t count, limit, room;
    int (*compare)(const void *a, const void *b); /* over the items */
    struct arena *arena;
};

/* True if it was kept; then *out is the item that was dropped for it, or
 * NULL. False also if there is no memory. */
bool top_n_offer(struct top_n *top, const void *item, const void **out);

/* The last of those kept; NULL while there is room for more. */
const void *top_n_last(const struct top_n *top);

void top_n_sort(struct top_n *top);

#endif
