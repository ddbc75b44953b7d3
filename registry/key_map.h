/*
 * key_map - from a 64-bit key to a number, on top of map.h.
 *
 * The key is a hash that stands for the thing itself: things with one key are
 * one. For indexes whose numbers have several keys, or keys of the past. All
 * zero is an empty map; entries are only removed all at once.
 *
 * Threads  as the owner locks.
 */
#ifndef KEY_MAP_H
#define KEY_MAP_H

#include "map.h"

struct key_map {
    struct map index;
    struct key_entry {
        uint32_t low; /* half of the key; the index has the other one */
        uint32_t value;
    } * at;
    uint32_t room;
};

void key_map_release(struct key_map *map); /* empty afterwards */

/* MAP_NONE if there is none. */
uint32_t key_map_get(const struct key_map *map, uint64_t key);
void key_map_set(struct key_map *map, uint64_t key, uint32_t value);

#endif
