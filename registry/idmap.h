/*
 * idmap - from a 64-bit hash to a small number.
 *
 * The hash stands for the thing itself: two things with one hash are one. It
 * grows by doubling; nothing is taken out but all at once.
 *
 * Threads  as the owner locks.
 */
#ifndef IDMAP_H
#define IDMAP_H

#include <stdint.h>

#define IDMAP_NONE UINT32_MAX

/* All zero is an empty map. */
struct idmap {
    uint64_t *keys; /* 0: free */
    uint32_t *values;
    uint32_t count, mask;
};

void idmap_release(struct idmap *map); /* empty afterwards */

/* The number, or IDMAP_NONE. */
uint32_t idmap_get(const struct idmap *map, uint64_t key);

void idmap_set(struct idmap *map, uint64_t key, uint32_t value);

#endif
