/*
 * promql_histogram - arithmetic on native histograms.
 *
 * What is made here is in the arena it was given; NULL: the arena is full, or
 * the histograms cannot be brought together, one with custom buckets and one
 * without, or custom buckets of other bounds (promql_histogram_fit()).
 */
#ifndef PROMQL_HISTOGRAM_H
#define PROMQL_HISTOGRAM_H

#include "promql.h"

/* Whether two can be added, subtracted, compared. */
bool promql_histogram_fit(const struct promql_histogram *a,
                          const struct promql_histogram *b);

/* a + sign * b, at the coarser resolution, with the wider zero bucket. */
struct promql_histogram *promql_histogram_sum(struct arena *arena,
                                              const struct promql_histogram *a,
                                              const struct promql_histogram *b,
                                              double sign);

/* All counts and the sum, times `factor` or divided by it. */
struct promql_histogram *promql_histogram_times(
    struct arena *arena, const struct promql_histogram *h, double factor);
struct promql_histogram *promql_histogram_over(struct arena *arena,
                                               const struct promql_histogram *h,
                                               double divisor);

struct promql_histogram *promql_histogram_copy(
    struct arena *arena, const struct promql_histogram *h);

/* The counter began again between these two samples. */
bool promql_histogram_is_reset(const struct promql_histogram *before,
                               const struct promql_histogram *after);

bool promql_histogram_equal(const struct promql_histogram *a,
                            const struct promql_histogram *b);

/* ---- a sum of many, in memory of its own ---- */

struct promql_total {
    struct promql_histogram sum; /* its counts are the two arrays below */
    double *positive, *negative;
};

/* NULL: the arena is full. */
struct promql_total *promql_total_new(struct arena *arena,
                                      const struct promql_histogram *first);
/* False: they do not fit, or the arena is full. */
bool promql_total_add(struct promql_total *total, struct arena *arena,
                      const struct promql_histogram *h);
void promql_total_scale(struct promql_total *total, double factor,
                        double divisor);
/* a + sign * b; NULL as for promql_histogram_sum(). */
struct promql_total *promql_total_of(struct arena *arena,
                                     const struct promql_histogram *a,
                                     const struct promql_histogram *b,
                                     double sign);

#endif
