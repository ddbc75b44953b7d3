/*
 * significance - whether two figures differ by more than chance: the
 * statistics of comparing two windows, as pure functions.
 *
 * A result is a z: how many standard deviations the second is above the first;
 * 0 where there is too little to tell. Requests come in bursts, so variances
 * are multiplied by a dispersion that is measured over the cells of both
 * windows (1: as random as can be).
 */
#ifndef SIGNIFICANCE_H
#define SIGNIFICANCE_H

#include <stdint.h>

#include "hist.h"

/* Less than one of ten thousand figures without a difference passes. */
#define SIGNIFICANT_Z 4.0

/* The variance of counts over their mean, at least 1; the counts of a window
 * are in cells of equal length, of which the first `count` have passed. */
double counts_dispersion(const double *cells, uint32_t count);

/* Counts in times of these lengths. */
struct counted {
    double count, seconds;
};
double rates_differ(struct counted before, struct counted now,
                    double dispersion);

/* Of `all` so many. */
struct share {
    double count, all;
};
double shares_differ(struct share before, struct share now, double dispersion);

/* Of the share of values above the quantile q of those before. */
double quantiles_differ(const struct hist *before, const struct hist *now,
                        double q, double dispersion);

/* The means of samples. */
double means_differ(const double *before, uint32_t before_count,
                    const double *now, uint32_t now_count);

#endif
