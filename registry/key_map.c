/* Entries are appended to an array. map.h finds them by the high half of the
 * key, map_hash(), and compares it. */
#include "key_map.h"

#include <stdlib.h>

#include "array.h"

void key_map_release(struct key_map *map)
{
    map_release(&map->index);
    free(map->at);
    *map = (struct key_map){.room = 0};
}

static struct key_entry *find_entry(const struct key_map *map, uint64_t key)
{
    map_each(&map->index, map_hash(key), at)
        if (map->at[at].low == (uint32_t)key)
            return &map->at[at];
    return NULL;
}

uint32_t key_map_get(const struct key_map *map, uint64_t key)
{
    const struct key_entry *entry = find_entry(map, key);

    return entry ? entry->value : MAP_NONE;
}

void key_map_set(struct key_map *map, uint64_t key, uint32_t value)
{
    struct key_entry *entry = find_entry(map, key);
    uint32_t count = map->index.count;

    if (!entry) {
        entry = array_append(&map->at, count, &map->room);
        map_add(&map->index, map_hash(key), count);
    }
    *entry = (struct key_entry){(uint32_t)key, value};
}
