/*
 * idset - a set of small numbers (resource ids), as a bitmap.
 */
#ifndef IDSET_H
#define IDSET_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct idset {
    uint64_t *words;
    uint32_t limit; /* ids below this may be in it */
    uint32_t count; /* how many are */
};

/* Empty, for ids below limit; its memory comes from the arena: NULL if that
 * refuses. */
struct idset *idset_new(struct arena *arena, uint32_t limit);

void idset_add(struct idset *set, uint32_t id); /* id >= limit: ignored */

static inline bool idset_has(const struct idset *set, uint32_t id)
{
    return id < set->limit && (set->words[id >> 6] >> (id & 63) & 1);
}

#endif
