/* ch_sizes - what the tables take on the disk, from system.parts. */
#ifndef CH_SIZES_H
#define CH_SIZES_H

#include "ch_reader.h"
#include "store.h"

/* reader_sizes() of store.h: a block is an active part of a table. */
MUST_CHECK enum status ch_read_sizes(struct ch_reader *reader,
                                     struct store_sizes *sizes);

#endif
