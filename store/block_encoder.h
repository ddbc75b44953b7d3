/*
 * block_encoder - closed memtables to blocks and chunks, in a transaction.
 *
 * Threads: the writer's, or that of a repair before it starts.
 */
#ifndef STORE_BLOCK_ENCODER_H
#define STORE_BLOCK_ENCODER_H

#include "db.h"
#include "memtable.h"

struct block_encoder;
struct series_writer;

struct block_encoder *block_encoder_new(void);
void block_encoder_free(struct block_encoder *encoder);

/* Returns the memory of the encoders; they are created again when needed. */
void block_encoder_trim(struct block_encoder *encoder);
struct series_writer *block_encoder_series(struct block_encoder *encoder);

/* Writes one memtable and its stream's new watermark. */
MUST_CHECK enum status block_encoder_write(struct block_encoder *encoder,
                                           struct db *db,
                                           const struct store_options *options,
                                           const struct memtable *memtable);

/* Writes records of blocks that the new one replaces, with the largest serial
 * of theirs. */
MUST_CHECK enum status block_encoder_rewrite(struct block_encoder *encoder,
                                             struct db *db,
                                             enum block_kind kind,
                                             uint64_t serial, const void **rows,
                                             uint32_t count);

#endif
