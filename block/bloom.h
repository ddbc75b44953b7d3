/*
 * bloom - Bloom filters, filled at their largest size and folded to the size
 * they need. Private to block/.
 */
#ifndef BLOOM_H
#define BLOOM_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "byte_reader.h"
#include "scratch.h"

struct bloom_filter {
    uint64_t *bits;
    unsigned log2;   /* of the number of bits */
    unsigned probes; /* bits per member; part of the format */
};

void bloom_init(struct bloom_filter *filter, struct scratch *scratch,
                unsigned log2, unsigned probes);

static inline void bloom_add(struct bloom_filter *filter, uint64_t hash)
{
    for (unsigned i = 0; i < filter->probes;
         i++, hash = hash >> 20 | hash << 44)
        filter->bits[(hash & ((1U << filter->log2) - 1)) / 64] |=
            UINT64_C(1) << (hash & 63);
}

/* Appends it, halved as long as at most permille/1000 of its bits are set; left
 * out if it is too full at its largest size. */
void bloom_write(struct bloom_filter *filter, unsigned permille,
                 struct buf *out);

/* A stored filter; an empty one is always true. */
struct slice bloom_read(struct byte_reader *in);
bool bloom_may_contain(struct slice filter, unsigned probes, uint64_t hash);

#endif
