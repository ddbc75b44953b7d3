/*
 * bitmap - a set of small numbers, such as resource ids.
 *
 * Purpose:   the filter of a query by resource: one bit for each id.
 * Ownership: the arena it was made with.
 * Threads:   one while it is filled, then any.
 * Errors:    bitmap_new() returns NULL if the arena is full.
 */
#ifndef BITMAP_H
#define BITMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct bitmap {
    uint64_t *words;
    uint32_t limit; /* numbers are below it */
    uint32_t count; /* of numbers in the set */
};

/* An empty set of numbers below limit. */
struct bitmap *bitmap_new(struct arena *arena, uint32_t limit);

void bitmap_add(struct bitmap *set, uint32_t id); /* ignored if id >= limit */
void bitmap_remove(struct bitmap *set, uint32_t id);

static inline bool bitmap_has(const struct bitmap *set, uint32_t id)
{
    return id < set->limit && (set->words[id >> 6] >> (id & 63) & 1);
}

#endif
