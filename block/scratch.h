/*
 * scratch - the memory of a block being written: allocated by bumping a
 * pointer, freed at once, and kept for the next block.
 *
 * Unlike an arena it never fails, it can go back to a mark, and a reset keeps
 * its first megabytes, since a writer needs the same amount for every block.
 * What senders can make it hold is limited by the rows of a block.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "map.h"

struct scratch_chunk;

struct scratch {
    struct scratch_chunk *first, *current;
    char *at, *end;
};

void scratch_init(struct scratch *scratch);
void scratch_release(struct scratch *scratch);

/* Frees everything at once; keeps the first megabytes. */
void scratch_reset(struct scratch *scratch);

void *scratch_more(struct scratch *scratch, size_t size);

/* Aligned for any type, not zeroed; never NULL. */
static inline void *scratch_alloc(struct scratch *scratch, size_t size)
{
    char *piece = scratch->at;

    size = (size + 15) & ~(size_t)15;
    if (size > (size_t)(scratch->end - piece))
        return scratch_more(scratch, size);
    scratch->at += size;
    return piece;
}

/* count elements of size bytes, all zero. */
void *scratch_zero(struct scratch *scratch, size_t count, size_t size);

/* A rewind frees what was allocated after the mark. */
struct scratch_mark {
    struct scratch_chunk *chunk;
    char *at;
};
struct scratch_mark scratch_mark(const struct scratch *scratch);
void scratch_rewind(struct scratch *scratch, struct scratch_mark mark);

/* Room for `more` elements at the end of an array that grows, like
 * arena_append() of array.h: list is the address of the pointer to the first.
 */
#define scratch_append(scratch, list, count, room, more)        \
    scratch_append_((scratch), (list), (count), (room), (more), \
                    sizeof(**(list)))
void scratch_grow_(struct scratch *scratch, void *list, uint32_t count,
                   uint32_t *room, uint32_t more, size_t size);

static inline void *scratch_append_(struct scratch *scratch, void *list,
                                    uint32_t count, uint32_t *room,
                                    uint32_t more, size_t size)
{
    char *at;

    if (*room - count < more)
        scratch_grow_(scratch, list, count, room, more, size);
    memcpy(&at, list, sizeof(at));
    return at + count * size;
}

/* Adds an entry to a map whose slots are in the scratch. */
void scratch_map_add(struct scratch *scratch, struct map *map, uint32_t hash,
                     uint32_t entry);

/* An array of numbers that grows. */
struct numbers {
    uint64_t *at;
    uint32_t count, room;
};

static inline void numbers_add(struct scratch *scratch, struct numbers *numbers,
                               uint64_t v)
{
    if (numbers->count == numbers->room)
        scratch_append(scratch, &numbers->at, numbers->count, &numbers->room,
                       1);
    numbers->at[numbers->count++] = v;
}

#endif
