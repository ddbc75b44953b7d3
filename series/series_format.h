/*
 * series_format - what writing (series.c, series_code.c) and reading
 * (series_read.c, series_decode.c) agree on.
 */
#ifndef STORE_SERIES_FORMAT_H
#define STORE_SERIES_FORMAT_H

#include "buf.h"
#include "byte_reader.h"
#include "record.h"

enum { CHUNK_VERSION = 3, TAILS_INSIDE = 2, PACKED_BODY = 1, PACKED_TAILS = 2 };

enum {
    HAS_DOUBLES = 1, /* no point is an int; without this: all are */
    HAS_MIXED = 2,   /* a column says which: overrides HAS_DOUBLES */
    HAS_FLAGS = 4,
    HAS_CORRECTED = 8,
    HAS_EXEMPLARS = 16,
    STARTS_FOLLOW = 32, /* time - start is steady; else start is */
};

enum { H_SUM = 1, H_MIN = 2, H_MAX = 4, H_COUNTS = 8, H_SAME_BOUNDS = 16 };

static inline uint64_t bits_of(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

static inline double double_of(uint64_t bits)
{
    double d;

    memcpy(&d, &bits, sizeof(d));
    return d;
}

static inline void double_write(struct buf *out, double d, uint64_t *before)
{
    uint64_t bits = bits_of(d);

    buf_varint(out, __builtin_bswap64(bits ^ *before));
    *before = bits;
}

static inline double double_read(struct byte_reader *in, uint64_t *before)
{
    *before ^= __builtin_bswap64(byte_reader_varint(in));
    return double_of(*before);
}

/* A difference, as one of 64-bit numbers that may wrap. */
static inline uint64_t difference(uint64_t a, uint64_t b)
{
    return zigzag((int64_t)(a - b));
}

static inline uint64_t sum_of(uint64_t base, uint64_t coded)
{
    return base + (uint64_t)unzigzag(coded);
}

static inline bool is_number(const struct metric *metric)
{
    return metric->type == METRIC_GAUGE || metric->type == METRIC_SUM;
}

#endif
