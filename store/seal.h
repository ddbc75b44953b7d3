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

#endif
