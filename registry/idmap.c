/*
 * Open addressing with linear probing in two arrays, so that a probe reads
 * keys only. Key 0 marks a free slot; a caller's 0 becomes 1. At least a
 * quarter of the slots stays free.
 */
#include "idmap.h"

#include <stdlib.h>

#include "mem.h"

enum { FIRST_SLOTS = 64 };

void idmap_release(struct idmap *map)
{
    free(map->keys);
    free(map->values);
    *map = (struct idmap){0};
}

static uint32_t find_slot(const struct idmap *map, uint64_t key)
{
    uint32_t i = (uint32_t)(key ^ (key >> 32)) & map->mask;

    while (map->keys[i] && map->keys[i] != key)
        i = (i + 1) & map->mask;
    return i;
}

uint32_t idmap_get(const struct idmap *map, uint64_t key)
{
    if (!map->keys)
        return IDMAP_NONE;
    key += key == 0;

    uint32_t slot = find_slot(map, key);

    return map->keys[slot] ? map->values[slot] : IDMAP_NONE;
}

static void grow(struct idmap *map)
{
    struct idmap old = *map;
    uint32_t old_count = old.keys ? old.mask + 1 : 0;
    uint32_t count = old.keys ? 2 * old_count : FIRST_SLOTS;

    map->keys = mem_zero(count, sizeof(*map->keys));
    map->values = mem_alloc(count * sizeof(*map->values));
    map->mask = count - 1;
    for (uint32_t i = 0; i < old_count; i++)
        if (old.keys[i]) {
            uint32_t slot = find_slot(map, old.keys[i]);

            map->keys[slot] = old.keys[i];
            map->values[slot] = old.values[i];
        }
    idmap_release(&old);
}

void idmap_set(struct idmap *map, uint64_t key, uint32_t value)
{
    if (!map->keys || map->count >= (map->mask + 1) / 4 * 3)
        grow(map);
    key += key == 0;

    uint32_t slot = find_slot(map, key);

    map->count += map->keys[slot] == 0;
    map->keys[slot] = key;
    map->values[slot] = value;
}
