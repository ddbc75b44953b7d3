/*
 * scratch - the memory of a block being written: bumped, never given back one
 * by one, and kept for the next block.
 *
 * Unlike an arena it keeps its chunks when it is reset (up to a bound), since
 * a writer needs the same megabytes again for every block.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>
#include <stdint.h>

struct scratch_chunk;

struct scratch {
    struct scratch_chunk *first, *current;
    char *at, *end;
};

void scratch_init(struct scratch *scratch);
void scratch_release(struct scratch *scratch);

/* Forgets all that was allocated; keeps the first megabytes. */
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

/* What is allocated after the mark is free again after the rewind. */
struct scratch_mark {
    struct scratch_chunk *chunk;
    char *at;
};
struct scratch_mark scratch_mark(const struct scratch *scratch);
void scratch_rewind(struct scratch *scratch, struct scratch_mark mark);

/* A piece twice as large with the old one's bytes at its front. */
void *scratch_double(struct scratch *scratch, const void *old, size_t size);

/* Numbers that grow in number. */
struct numbers {
    uint64_t *at;
    uint32_t count, room;
};

void numbers_grow(struct scratch *scratch, struct numbers *numbers,
                  uint32_t more);

static inline void numbers_add(struct scratch *scratch, struct numbers *numbers,
                               uint64_t v)
{
    if (numbers->count == numbers->room)
        numbers_grow(scratch, numbers, 1);
    numbers->at[numbers->count++] = v;
}

#endif
