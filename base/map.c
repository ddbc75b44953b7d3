/*
 * The parts of the hash table of map.h that are not inlined: growing, removing,
 * freeing.
 */
#include "map.h"

#include <assert.h>
#include <stdlib.h>

#include "mem.h"

enum { SLOTS_FIRST = 16 };

size_t map_size(uint32_t count)
{
    size_t slots = SLOTS_FIRST;

    while (slots < 2 * (size_t)count)
        slots *= 2;
    return slots * sizeof(struct map_slot);
}

void map_move(struct map *map, void *zeroed, size_t size)
{
    const struct map_slot *old = map->slots;
    size_t old_slots = old ? (size_t)map->mask + 1 : 0;

    map->slots = zeroed;
    map->mask = (uint32_t)(size / sizeof(*old) - 1);
    for (size_t i = 0; i < old_slots; i++) {
        uint32_t slot = map_first(map, old[i].hash);

        if (!old[i].entry)
            continue;
        while (map->slots[slot].entry)
            slot = (slot + 1) & map->mask;
        map->slots[slot] = old[i];
    }
}

bool map_reserve(struct map *map, uint32_t count)
{
    size_t size = map_size(count);
    struct map_slot *old = map->slots;
    void *zeroed;

    if (old && size <= ((size_t)map->mask + 1) * sizeof(*old))
        return true;
    if (map->arena) {
        zeroed = arena_zero(map->arena, size, 1);
        if (!zeroed)
            return false;
    } else {
        zeroed = mem_zero(size, 1);
    }
    map_move(map, zeroed, size);
    if (!map->arena)
        free(old);
    return true;
}

/*
 * Entries after the gap move into it, unless their search starts after the gap.
 * So no search reaches a free slot before its entry.
 */
void map_remove(struct map *map, uint32_t hash, uint32_t entry)
{
    uint32_t gap = map_first(map, hash), slot;

    while (map->slots[gap].entry != entry + 1) {
        assert(map->slots[gap].entry);
        gap = (gap + 1) & map->mask;
    }
    for (slot = gap; map->slots[slot = (slot + 1) & map->mask].entry;) {
        uint32_t first = map_first(map, map->slots[slot].hash);

        if (((slot - first) & map->mask) >= ((slot - gap) & map->mask)) {
            map->slots[gap] = map->slots[slot];
            gap = slot;
        }
    }
    map->slots[gap] = (struct map_slot){0, 0};
    map->count--;
}

void map_clear(struct map *map)
{
    if (map->slots)
        memset(map->slots, 0, ((size_t)map->mask + 1) * sizeof(*map->slots));
    map->count = 0;
}

void map_release(struct map *map)
{
    if (!map->arena)
        free(map->slots);
    *map = (struct map){.arena = map->arena};
}
