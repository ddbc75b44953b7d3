/*
 * seal - closed memtables to blocks and chunks, inside a transaction.
 */
#ifndef STORE_BLOCK_ENCODER_H
#define STORE_BLOCK_ENCODER_H

#include "store_int.h"

struct block_encoder;

struct block_encoder *block_encoder_new(void);
void block_encoder_free(struct block_encoder *encoder);

/* Gives the memory of the writers back; they are made again when needed. */
void block_encoder_trim(struct block_encoder *encoder);
struct series_writer *block_encoder_series(struct block_encoder *encoder);

/* Writes one memtable and its stream's new watermark. Its coded rows are used
 * up by that, whether it succeeds or not. */
MUST_CHECK enum status block_encoder_write(struct block_encoder *encoder,
                                           struct db *db,
                                           const struct store_options *options,
                                           const struct memtable *memtable);

/* Writes records of blocks that it takes the place of; the totals follow. */
MUST_CHECK enum status block_encoder_rewrite(struct block_encoder *encoder,
                                             struct db *db,
                                             enum block_kind kind,
                                             uint64_t serial, const void **rows,
                                             uint32_t count);

#endif
