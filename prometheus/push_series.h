/*
 * push_series - what the files that make series of Prometheus share.
 *
 * Threads: one at a time.
 */
#ifndef PUSH_SERIES_H
#define PUSH_SERIES_H

#include <stdio.h>

#include "selection.h"

/* A raw series on its way. Samples [first, last) are in the time of the
 * selection; those before are needed for sums. */
struct push {
    struct raw *raw;
    struct steps steps; /* of deltas */
    const int64_t *times;
    const uint64_t *resets; /* from `first` on */
    uint32_t count, first, last;
    bool signed_sums; /* deltas that may be below zero */
};

/* An output: its labels, then its samples. False: it is not wanted, or only
 * its labels were, which are handed over now. */
bool push_begin(struct selection *s, const struct push *p, struct slice name,
                struct slice extra, struct slice value);
void push_end(struct selection *s, const struct push *p, const double *values,
              const struct promql_histogram *const *histograms);
double *push_values(struct selection *s, const struct push *p);

/* push_histograms.c */
void push_buckets(struct selection *s, struct push *p, struct slice name);
void push_quantiles(struct selection *s, struct push *p, struct slice name);

/* push_native.c */
void push_native(struct selection *s, struct push *p,
                 const struct view_output *output);

#endif
