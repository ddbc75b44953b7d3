/* One bit per id below the limit. */
#include "bitmap.h"

#include <stddef.h>

struct bitmap *bitmap_new(struct arena *arena, uint32_t limit)
{
    struct bitmap *set = arena_zero(arena, 1, sizeof(*set));
    size_t words = ((size_t)limit + 63) / 64;

    if (!set)
        return NULL;
    set->words = arena_zero(arena, words, sizeof(*set->words));
    if (!set->words)
        return NULL;
    set->limit = limit;
    return set;
}

void bitmap_add(struct bitmap *set, uint32_t id)
{
    uint64_t bit = UINT64_C(1) << (id & 63);

    if (id >= set->limit || set->words[id >> 6] & bit)
        return;
    set->words[id >> 6] |= bit;
    set->count++;
}

void bitmap_remove(struct bitmap *set, uint32_t id)
{
    if (!bitmap_has(set, id))
        return;
    set->words[id >> 6] &= ~(UINT64_C(1) << (id & 63));
    set->count--;
}
