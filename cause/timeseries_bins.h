/*
 * timeseries_bins - what timeseries_read.c collects and timeseries_bins.c turns
 * into time series.
 */
#ifndef TIMESERIES_BINS_H
#define TIMESERIES_BINS_H

#include "call_ends.h"
#include "clock.h"
#include "counter_increase.h"
#include "metric_names.h"
#include "pod_history.h"

#define MAX_STEP_NS (2 * NS_PER_MIN) /* of scrapes */

struct bin {
    double sum, weight; /* gauge: of values, their number; counter: growth,
                           twice; histogram: growth of sum and count */
    float failed;       /* of the weight, in merged bins */
    float time, span;   /* in s; of the last point, or a sum over points */
    uint32_t points;
};

struct raw_series { /* as it was sent */
    uint32_t component, resource, metric;
    uint32_t caller; /* whose calls of it; NO_INDEX: no calls */
    uint8_t class;   /* enum metric_class, by its labels */
    uint8_t side;    /* enum metric_side */
    uint64_t labels;
    struct label_hashes parts;    /* of the labels */
    uint8_t mode;                 /* enum metric_mode */
    bool failed;                  /* counts failed requests only */
    bool ignored;                 /* known, and not read */
    struct counter_track counter; /* MODE_COUNTER, until it is in bins */
    uint64_t restarted_ns;        /* the first reset that may matter; or 0 */
    struct bin *bins;
};

struct metric_info {
    struct metric metric; /* name and unit in the arena */
    const struct metric_name *known;
    const struct metric_limit *limit;
    uint64_t sort; /* of the name without that of the component */
    enum metric_class class;
    enum metric_class of_callee; /* if it is about calls of another */
    enum metric_side side;
    bool less_is_worse, callee_less; /* callee_less: with of_callee */
    uint64_t stem;    /* of a histogram that is sent as counters; or 0 */
    bool is_sum_part; /* its sum; else its count */
};

struct timeseries_reader {
    struct arena *arena;
    struct reader *reader;
    struct candidates *candidates;
    struct cause_window usual; /* history and baseline */
    uint64_t now_ns, end_ns;   /* the window and what lies close before it */
    uint64_t bin_ns, changes_from_ns;
    uint32_t usual_bins, bin_count, raw_count, raw_room, metric_count,
        metric_room, max_raw, call_count;
    struct call_resolver calls;
    bool skip_limits; /* those with a limit are read already */
    struct {
        uint32_t raw; /* NO_INDEX: it is not read */
        bool is_known;
    } series; /* that is being read */
    struct raw_series *raw;
    struct metric_info *metrics;
    struct interned_terms raw_keys, metric_keys;
};

/* Fills the bins and adds the counters of one resource that differ in labels
 * only: a route with few requests shows little by itself. */
void bins_merge(struct timeseries_reader *r);
/* histogram_parts.c: recognises X_sum and X_count; a sum of durations gets the
 * name and classes of X. */
void histogram_part_find(struct metric_info *info, struct slice bare);
/* When all counters are merged: a sum and its count become a mean. */
void histogram_parts_join(struct timeseries_reader *r);
/* The time series of what remains. */
void bins_to_timeseries(const struct timeseries_reader *r,
                        struct timeseries_list *list);

#endif
