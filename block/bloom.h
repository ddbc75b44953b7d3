/*
 * filter - a small set that may say yes too often, never no wrongly: a Bloom
 * filter that is filled at its largest size and folded to what it needs.
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

/* Appends it, folded while at most permille of a thousand bits are set; left
 * out if it is nearly full at its largest. */
void bloom_write(struct bloom_filter *filter, unsigned permille,
                 struct buf *out);

/* A filter in stored bytes; empty bytes stand for one that is always true. */
struct slice bloom_read(struct byte_reader *in);
bool bloom_may_contain(struct slice filter, unsigned probes, uint64_t hash);

#endif
