/*
 * exphist - arithmetic on the buckets of exponential histograms (OTLP).
 *
 * Bucket i at a scale counts the values in (base^i, base^(i + 1)], with base =
 * 2^(2^-scale). Lowering the scale by one merges the buckets 2i and 2i + 1 into
 * bucket i, so two histograms of different scales have a common, coarser one.
 * "shift" is by how much a scale is lowered, 0 or more.
 *
 * Purpose:   lowers scales, fits histograms into a number of buckets, merges.
 * Ownership: counts belong to the caller; exphist_merge() takes them from the
 *            arena it is given.
 * Threads:   any; there is no state.
 * Errors:    none but a full arena.
 */
#ifndef EXPHIST_H
#define EXPHIST_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "record.h"

/* Buckets first to last; none if last < first. */
struct exphist_range {
    int64_t first, last;
};

/* The bucket that holds bucket `index` once the scale is lowered. */
static inline int64_t exphist_index(int64_t index, int64_t shift)
{
    if (shift > 62)
        return index < 0 ? -1 : 0;
    return index >> shift; /* rounds down, also below zero */
}

static inline struct exphist_range exphist_range(int64_t offset, uint32_t count)
{
    return (struct exphist_range){offset, offset + count - 1};
}

static inline bool exphist_range_empty(struct exphist_range range)
{
    return range.last < range.first;
}

/* How many buckets the range has. */
static inline uint64_t exphist_range_count(struct exphist_range range)
{
    return exphist_range_empty(range)
               ? 0
               : (uint64_t)range.last - (uint64_t)range.first + 1;
}

/* The same values at a lower scale. */
struct exphist_range exphist_range_lower(struct exphist_range range,
                                         int64_t shift);

/* The smallest range that holds both. */
struct exphist_range exphist_range_union(struct exphist_range a,
                                         struct exphist_range b);

/* The smallest shift after which the range has at most max buckets; max is at
 * least 2, one on either side of index 0. */
int32_t exphist_shift_to_fit(struct exphist_range range, uint32_t max);

/* Lowers counts of the buckets of `range` in place and returns the new range;
 * what lies behind it is zero. The sum of 32-bit counts saturates. */
struct exphist_range exphist_lower(uint64_t *counts, struct exphist_range range,
                                   int64_t shift);
struct exphist_range exphist_lower_u32(uint32_t *counts,
                                       struct exphist_range range,
                                       int64_t shift);
struct exphist_range exphist_lower_double(double *counts,
                                          struct exphist_range range,
                                          int64_t shift);

/* Sets scale, zero count and buckets of *sum to those of a and b together, at
 * the finest scale with at most max_buckets for either sign. False, with *sum
 * undefined, if the scales are too far apart or the arena is full. The zero
 * thresholds are the caller's. */
bool exphist_merge(struct arena *arena, struct histogram *sum,
                   const struct histogram *a, const struct histogram *b,
                   uint32_t max_buckets);

/* Lower bound of the bucket, which is the upper one of the bucket before. */
double exphist_bound(int32_t scale, int64_t index);

#endif
