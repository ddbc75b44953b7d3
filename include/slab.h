/*
 * slab - nodes of a few sizes in one block of memory.
 *
 * Purpose:   a table with a fixed memory bound allocates and frees nodes
 *            without malloc, and drops all of them at once. A freed node is
 *            reused for one of the same size.
 * Ownership: the block belongs to the slab; nodes are valid until they are
 *            freed, or until slab_clear() or slab_release().
 * Threads:   one at a time.
 * Errors:    slab_alloc() never fails: its caller checks slab_left() first.
 */
#ifndef SLAB_H
#define SLAB_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* Sizes of nodes that are freed singly: multiples of SLAB_STEP below
 * SLAB_STEP * SLAB_SIZES. Nodes of other sizes live until slab_clear(). */
enum { SLAB_STEP = 32, SLAB_SIZES = 32 };

struct slab {
    char *block;
    size_t used, size;
    void *free_nodes[SLAB_SIZES]; /* by size / SLAB_STEP; each starts with the
                                     address of the next */
};

static inline void slab_init(struct slab *slab, size_t size)
{
    *slab = (struct slab){.block = mem_alloc(size), .size = size};
}

static inline void slab_release(struct slab *slab)
{
    free(slab->block);
}

static inline void slab_clear(struct slab *slab)
{
    *slab = (struct slab){.block = slab->block, .size = slab->size};
}

/* Bytes never used so far. */
static inline size_t slab_left(const struct slab *slab)
{
    return slab->size - slab->used;
}

static inline void *slab_alloc(struct slab *slab, size_t size)
{
    size_t list = (size + SLAB_STEP - 1) / SLAB_STEP;
    void *node = slab->block + slab->used;

    if (list < SLAB_SIZES && slab->free_nodes[list]) {
        node = slab->free_nodes[list];
        memcpy(&slab->free_nodes[list], node, sizeof(void *));
        return node;
    }
    size = (size + 7) & ~(size_t)7;
    assert(size <= slab_left(slab));
    slab->used += size;
    return node;
}

/* size: as it was allocated, a multiple of SLAB_STEP. */
static inline void slab_free(struct slab *slab, void *node, size_t size)
{
    size_t list = size / SLAB_STEP;

    if (list >= SLAB_SIZES)
        return;
    memcpy(node, &slab->free_nodes[list], sizeof(void *));
    slab->free_nodes[list] = node;
}

#endif
