/*
 * map - an index from hashes to entries of an array, as a hash table.
 *
 * Purpose:   finds an entry by its key, whatever the key is: a number, a text,
 *            several members. The map holds no keys. It yields the entries that
 *            have the hash of a key, mostly one or none, and the caller
 *            compares, in a plain loop that the compiler can inline:
 *
 *                uint32_t hash = map_hash_slice(name);
 *
 *                map_each(&table->index, hash, at)
 *                    if (slice_equal(table->entries[at].name, name))
 *                        return at;
 *                if (!map_add(&table->index, hash, table->count))
 *                    return MAP_NONE;
 *                table->entries[table->count] = ...;
 *                return table->count++;
 *
 *            Entries are numbers below MAP_NONE, the places in an array of the
 *            caller's (array.h). Several entries may have one key.
 * Ownership: the slots are from malloc, freed by map_release(), or the arena's.
 *            All zero is an empty map on the heap.
 * Threads:   one at a time; any number while nobody changes the map.
 * Errors:    map_add() and map_reserve() return false if the arena is full, and
 *            leave the map as it was; on the heap they cannot fail. What an
 *            outsider can size meets a bound before.
 *
 * Open addressing with linear probing. Slots contain the hash, so growing needs
 * no entry, and a search rarely visits one with another key. At least half of
 * the slots are free.
 */
#ifndef MAP_H
#define MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "hash.h"
#include "slice.h"

/* Not an entry. */
#define MAP_NONE UINT32_MAX

struct map_slot {
    uint32_t hash;
    uint32_t entry; /* + 1; 0: free */
};

struct map {
    struct map_slot *slots; /* NULL: none yet */
    uint32_t count;         /* entries */
    uint32_t mask;          /* slots, a power of two, less one */
    struct arena *arena;    /* NULL: the heap */
};

/* ---- hashes of keys; those of several parts: hash_mix() ---- */

/* Of a 64-bit hash, whose high bits must be good. */
static inline uint32_t map_hash(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static inline uint32_t map_hash_number(uint64_t number)
{
    return map_hash(hash_mix(number, 0));
}

static inline uint32_t map_hash_slice(struct slice text)
{
    return map_hash(hash_bytes(text.ptr, text.len, 0));
}

/* ---- looking up ---- */

/* Where the search for a hash begins. */
static inline uint32_t map_first(const struct map *map, uint32_t hash)
{
    return hash & map->mask;
}

/* The next entry with this hash, or MAP_NONE; advances *slot. */
static inline uint32_t map_next(const struct map *map, uint32_t hash,
                                uint32_t *slot)
{
    const struct map_slot *found;

    if (!map->slots)
        return MAP_NONE;
    do {
        found = &map->slots[*slot];
        *slot = (*slot + 1) & map->mask;
    } while (found->entry && found->hash != hash);
    return found->entry - 1; /* a free slot wraps to MAP_NONE */
}

/* A loop over the entries with this hash. Nothing may be added or removed
 * inside, unless the loop ends there. */
#define map_each(map, hash, at)                             \
    for (uint32_t at##_slot = map_first((map), (hash)), at; \
         (at = map_next((map), (hash), &at##_slot)) != MAP_NONE;)

/* ---- changing ---- */

/* Makes room for `count` entries altogether. */
bool map_reserve(struct map *map, uint32_t count);

/* Adds an entry without looking for another one with its key. */
static inline bool map_add(struct map *map, uint32_t hash, uint32_t entry)
{
    uint32_t slot;

    if (2 * map->count >= map->mask && !map_reserve(map, map->count + 1))
        return false;
    slot = map_first(map, hash);
    while (map->slots[slot].entry)
        slot = (slot + 1) & map->mask;
    map->slots[slot] = (struct map_slot){hash, entry + 1};
    map->count++;
    return true;
}

/* Removes the entry with this number and hash, which must be in the map. */
void map_remove(struct map *map, uint32_t hash, uint32_t entry);

/* Removes all entries; the memory is kept. */
void map_clear(struct map *map);

/* Frees the slots of a map on the heap; empty afterwards. */
void map_release(struct map *map);

/*
 * For a caller with memory of its own kind: the bytes of the slots for `count`
 * entries, and the move into such memory, which is zero. The old slots stay
 * with the caller.
 */
size_t map_size(uint32_t count);
void map_move(struct map *map, void *zeroed, size_t size);

#endif
