/*
 * shop_batches - the traffic of the shop as batches, decoded, in memory.
 */
#ifndef SHOP_BATCHES_H
#define SHOP_BATCHES_H

#include <stdbool.h>
#include <stddef.h>

#include "batch.h"

struct shop_batches {
    struct batch **at; /* decoded, of one signal, in the order of sending */
    size_t count;
    size_t records; /* of all of them */
};

/* At least so many records in requests of at most per_batch, the same ones at
 * each call. */
struct shop_batches shop_batches_make(enum signal signal, size_t records,
                                      int per_batch, bool wild);
void shop_batches_free(struct shop_batches *batches);

#endif
