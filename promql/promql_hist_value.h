/*
 * promql_hist_value - numbers out of one histogram, native or classic.
 */
#ifndef PROMQL_HIST_VALUE_H
#define PROMQL_HIST_VALUE_H

#include "promql.h"

/* ---- native ---- */

double promql_hist_quantile(const struct promql_histogram *h, double q);
/* The share of values in (lower, upper]. */
double promql_hist_fraction(const struct promql_histogram *h, double lower,
                            double upper);
double promql_hist_variance(const struct promql_histogram *h);

/* ---- classic ---- */

/* Values up to `bound`, those of lower buckets included. */
struct promql_le {
    double bound, count;
};

/* `at` is by bound and is changed. *forced: counts had to be made monotonic. */
double promql_le_quantile(struct promql_le *at, uint32_t count, double q,
                          bool *forced);
double promql_le_fraction(struct promql_le *at, uint32_t count, double lower,
                          double upper);

#endif
