/*
 * filter - a small set that may say yes too often, never no wrongly: a Bloom
 * filter that is filled at its largest size and folded to what it needs.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "column.h"
#include "scratch.h"

struct filter {
    uint64_t *bits;
    unsigned log2;   /* of the number of bits */
    unsigned probes; /* bits per member; part of the format */
};

void filter_init(struct filter *filter, struct scratch *scratch, unsigned log2,
                 unsigned probes);

static inline void filter_add(struct filter *filter, uint64_t hash)
{
    for (unsigned i = 0; i < filter->probes;
         i++, hash = hash >> 20 | hash << 44)
        filter->bits[(hash & ((1U << filter->log2) - 1)) / 64] |=
            UINT64_C(1) << (hash & 63);
}

/* Appends it, folded while at most permille of a thousand bits are set; left
 * out if it is nearly full at its largest. */
void filter_put(struct filter *filter, unsigned permille, struct buf *out);

/* A filter in stored bytes; empty bytes stand for one that is always true. */
struct slice filter_get(struct column_in *in);
bool filter_has(struct slice filter, unsigned probes, uint64_t hash);

#endif
