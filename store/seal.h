/*
 * seal - closed sections to blocks and chunks, inside a transaction.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "state.h"

struct sealer;

struct sealer *sealer_new(void);
void sealer_free(struct sealer *sealer);

/* Gives the memory of the writers back; they are made again when needed. */
void sealer_trim(struct sealer *sealer);
struct series_writer *sealer_series(struct sealer *sealer);

/* Writes one section and its stream's new watermark. Its coded rows are used up
 * by that, whether it succeeds or not. */
MUST_CHECK enum status sealer_write(struct sealer *sealer, struct db *db,
                                    const struct store_options *options,
                                    const struct section *section);

/* Writes records of blocks that it takes the place of; the totals follow. */
MUST_CHECK enum status sealer_rewrite(struct sealer *sealer, struct db *db,
                                      enum block_kind kind, uint64_t serial,
                                      const void **rows, uint32_t count);

#endif
