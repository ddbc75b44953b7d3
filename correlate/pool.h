/*
 * pool - small pieces of one block of memory, all given back at once.
 *
 * Bumped from the front; a piece that is given back singly is used again for
 * one of the same size. Its owner looks at pool_room() first: what is asked
 * for must be there.
 */
#ifndef POOL_H
#define POOL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "mem.h"

enum { POOL_STEP = 32, POOL_LISTS = 32 };

struct pool {
    char *bytes;
    size_t len, size;
    void *given[POOL_LISTS]; /* by size / POOL_STEP; linked by their starts */
};

static inline void pool_init(struct pool *pool, size_t size)
{
    *pool = (struct pool){.bytes = mem_alloc(size), .size = size};
}

static inline void pool_release(struct pool *pool)
{
    free(pool->bytes);
}

static inline void pool_clear(struct pool *pool)
{
    *pool = (struct pool){.bytes = pool->bytes, .size = pool->size};
}

static inline size_t pool_room(const struct pool *pool)
{
    return pool->size - pool->len;
}

static inline void *pool_alloc(struct pool *pool, size_t size)
{
    size_t list = (size + POOL_STEP - 1) / POOL_STEP;
    char *piece = pool->bytes + pool->len;

    if (list < POOL_LISTS && pool->given[list]) {
        void *given = pool->given[list];

        pool->given[list] = *(void **)given;
        return given;
    }
    size = (size + 7) & ~(size_t)7;
    assert(size <= pool_room(pool));
    pool->len += size;
    return piece;
}

/* size is a multiple of POOL_STEP. */
static inline void pool_give(struct pool *pool, void *piece, size_t size)
{
    size_t list = size / POOL_STEP;

    if (list < POOL_LISTS) {
        *(void **)piece = pool->given[list];
        pool->given[list] = piece;
    }
}

#endif
