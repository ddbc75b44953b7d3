/*
 * bins - what timeseries_read.c reads and timeseries_bins.c makes numbers of.
 */
#ifndef BINS_H
#define BINS_H

#include "clock.h"
#include "counter_increase.h"
#include "metric_names.h"
#include "timeseries.h"

#define MAX_STEP_NS (2 * NS_PER_MIN) /* of scrapes */

struct bin {
    double sum, weight; /* gauge: of values, their number; counter: growth,
                           twice; histogram: growth of sum and count */
    float failed;       /* of the weight, known when all is read */
    float time, span;   /* in s; of the last point, or a sum over points */
    uint32_t points;
};

struct raw_series { /* one series as it was sent */
    uint32_t component, resource, kind;
    uint64_t labels;
    uint8_t mode;                /* enum metric_mode */
    bool failed;                 /* counts failed requests only */
    bool left_out;               /* known, and not read */
    struct counter_track growth; /* MODE_COUNTER, until it is in bins */
    struct bin *bins;
};

struct metric_info {      /* of metric */
    struct metric metric; /* name and unit in the arena */
    const struct metric_name *known;
    uint64_t sort; /* of the name without that of the component */
    enum metric_class meaning;
    bool falls;
};

struct timeseries_reader {
    struct rca_context *facts;
    struct cause_window usual; /* history and baseline */
    uint64_t now_ns, end_ns;   /* the window and what lies close before it */
    uint64_t bin_ns;
    uint32_t usual_bins, bin_count, raw_count, raw_room, kind_count, kind_room,
        max_raws;
    bool rest; /* those of evidence_limit.c are read already */
    struct raw_series *raws;
    struct metric_info *kinds;
    struct interned_terms raw_keys, kind_keys;
};

/* Counters of one resource that differ in labels add up: a route that few ask
 * for tells little by itself. */
void bins_put_together(struct timeseries_reader *r);
void bins_make_meters(const struct timeseries_reader *r,
                      const struct raw_series *raw);

#endif
