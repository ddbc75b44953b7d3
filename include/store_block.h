/*
 * store_block - the rows of the messages [from, to) of one partition, written
 * once.
 *
 * The engine of several instances (clickhouse/) takes no batches by
 * store_append(): who reads a partition collects what it makes in a block, and
 * writes the block under a token. Every table of it has a deduplication token
 * made of this one, so a block that is written again, by this or by another
 * instance, is stored once.
 *
 * Purpose:   the seam between partition/ and the engine behind it.
 * Ownership: the caller owns the block; batches stay the caller's, and what is
 *            needed of them is copied.
 * Threads:   one at a time per block; several blocks at once.
 * Errors:    adding does not fail (the caller compares sizes with its limits);
 *            writing returns a status and may be repeated until it is OK.
 */
#ifndef STORE_BLOCK_H
#define STORE_BLOCK_H

#include <stdatomic.h>

#include "batch.h"
#include "store.h"

struct store_block;

struct store_block *store_block_new(struct store *store, struct slice topic,
                                    uint32_t partition, struct budget *budget);
void store_block_free(struct store_block *block); /* NULL is fine */

/* Adds the records of a correlated batch: resource ids, endpoints and levels
 * are set. A derived batch adds its points; a dead letter is stored as one. */
void store_block_add(struct store_block *block, const struct batch *batch);

/* The state of the partition after this block, stored with it. */
void store_block_set_checkpoint(struct store_block *block, uint64_t offset,
                                struct slice state);

uint64_t store_block_rows(const struct store_block *block);
uint64_t store_block_bytes(const struct store_block *block);

/* Writes what the call before left over. OK: all of it is stored. Else nothing
 * is lost, and the same call is to be made again: ERR_BUSY, ERR_IO (away, slow,
 * read-only, full; store_health() has the reason), ERR_CANCELLED (the flag),
 * ERR_INVALID (the database refuses it for ever: an operator has to act). */
MUST_CHECK enum status store_block_write(struct store_block *block,
                                         struct slice token,
                                         const atomic_bool *cancelled);

/* The checkpoint of this offset; ERR_NOT_FOUND: there is none. */
MUST_CHECK enum status store_load_checkpoint(
    struct store *store, struct slice topic, uint32_t partition,
    uint64_t offset, struct arena *arena, struct slice *state);

#endif
