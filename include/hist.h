/*
 * hist - histograms of any kind added up, and their quantiles.
 *
 * Exponential histograms are brought to the coarser scale and added bucket by
 * bucket; histograms with explicit bounds are added on the union of their
 * bounds. Counts are doubles, so that a part of a histogram can be added (a
 * minute that lies in two steps) or subtracted (the cumulative one before it).
 *
 * Purpose:   One place for adding histograms and for quantiles of them.
 * Ownership: A struct hist is plain, all zero is empty; what it points at is
 *            in the arena that every call is given.
 * Threads:   One at a time per hist.
 * Errors:    false: the arena is full, and the hist is incomplete. NAN: nothing
 *            is known.
 */
#ifndef HIST_H
#define HIST_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "record.h"

enum { HIST_MAX_BUCKETS = 512, HIST_MAX_BOUNDS = 2048 };

struct hist {
    double count;
    double sum, sum_count; /* of the values whose sum is known */
    double min, max;       /* bounds of all values, while known */
    bool used, no_min, no_max;
    /* exponential: bucket i of counts is (base^(offset+i), base^(offset+i+1)]
     */
    double zero, zero_threshold;
    int32_t scale;
    int64_t offset;
    uint32_t len;
    double *counts;
    /* explicit: (bounds[i-1], bounds[i]], one more for what is above */
    uint32_t bound_count;
    const double *bounds;
    double *bound_counts;
};

/*
 * Adds weight times a METRIC_HISTOGRAM, METRIC_EXP_HISTOGRAM or METRIC_SUMMARY
 * (its count and sum only) whose values are multiplied by factor (0.001:
 * milliseconds to seconds). A weight below zero subtracts.
 */
bool hist_add(struct hist *hist, struct arena *arena, enum metric_type type,
              const struct histogram *values, double factor, double weight);

/* Adds buckets alone, neither count nor sum; counts has one more than bounds.
 */
bool hist_add_buckets(struct hist *hist, struct arena *arena,
                      const double *bounds, double *counts, uint32_t count);

bool hist_merge(struct hist *hist, struct arena *arena,
                const struct hist *other, double weight);

/* The value below which q (0 to 1) of all values lie, interpolated inside its
 * bucket; NAN if there are none. */
double hist_quantile(const struct hist *hist, double q);

/* How many values are above this one, interpolated inside its bucket. */
double hist_count_above(const struct hist *hist, double value);

/* NAN if no sum is known: it is optional. */
double hist_mean(const struct hist *hist);

#endif
