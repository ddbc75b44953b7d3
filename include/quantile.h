/*
 * quantile - quantiles of a list of numbers.
 *
 * Purpose: one way to interpolate: between the two nearest numbers.
 * Ownership: values belong to the caller and are sorted in place.
 * Threads: any; there is no state.
 * Errors: none; there must be at least one value.
 */
#ifndef QUANTILE_H
#define QUANTILE_H

#include <stdint.h>

void values_sort(double *values, uint32_t count);

/* q: 0 to 1. The first sorts; the second is given sorted values. */
double quantile(double *values, uint32_t count, double q);
double quantile_sorted(const double *values, uint32_t count, double q);

#endif
