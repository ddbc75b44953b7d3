/*
 * duration_histogram - an exponential histogram of durations that grows with
 * its range.
 *
 * Bucket i counts durations in (base^i, base^(i + 1)] seconds with base =
 * 2^(2^-scale), as in OTLP. The scale begins at DURATION_SCALE (base 1.044, so
 * any quantile is right within 2.2 %). With more than DURATION_MAX_BUCKETS it
 * goes down (exphist.h).
 *
 * The counts lie in nodes of a slab that is cleared as a whole.
 */
#ifndef DURATION_HISTOGRAM_H
#define DURATION_HISTOGRAM_H

#include <stdint.h>

#include "slab.h"

enum { DURATION_SCALE = 4, DURATION_MAX_BUCKETS = 160 };

struct duration_histogram {
    uint32_t *counts; /* NULL: empty */
    int32_t first;    /* bucket of counts[0] */
    uint16_t room;    /* buckets in counts */
    int8_t scale;
};

/* The bucket of a duration, not zero, at DURATION_SCALE. */
int32_t duration_bucket(uint64_t duration_ns);

/* Counts a duration, not zero, `weight` times. */
void duration_add(struct duration_histogram *histogram, uint64_t duration_ns,
                  uint32_t weight, struct slab *slab);

/* The number of buckets from the first to the last that is not zero, and where
 * in counts they begin. */
uint32_t duration_used(const struct duration_histogram *histogram,
                       uint32_t *begin);

#endif
