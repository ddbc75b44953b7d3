/*
 * expohist - an exponential histogram of durations that grows as it must.
 *
 * Bucket i counts durations in (base^i, base^(i + 1)] seconds with base =
 * 2^(2^-scale), as in OTLP. It begins at EXPOHIST_SCALE (base 1.044, so any
 * quantile is right within 2.2 %) and holds at most EXPOHIST_MAX buckets: when
 * durations lie further apart the scale goes down and neighbours are merged.
 *
 * The counts lie in nodes of a slab that is cleared as a whole.
 */
#ifndef EXPOHIST_H
#define EXPOHIST_H

#include <stdint.h>

#include "slab.h"

enum { EXPOHIST_SCALE = 4, EXPOHIST_MAX = 160 };

struct expohist {
    uint32_t *counts; /* NULL: nothing counted yet */
    int32_t first;    /* bucket of counts[0] */
    uint16_t room;    /* buckets in counts */
    int8_t scale;
};

/* The bucket of a duration, not zero, at EXPOHIST_SCALE. */
int32_t expohist_bucket(uint64_t duration_ns);

/* Counts a duration, which is not zero, `weight` times. */
void expohist_add(struct expohist *histogram, uint64_t duration_ns,
                  uint32_t weight, struct slab *slab);

/* The buckets from the first to the last that is not zero: how many, and
 * where in counts they begin. */
uint32_t expohist_used(const struct expohist *histogram, uint32_t *begin);

#endif
