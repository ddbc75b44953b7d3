/*
 * series_int - what series_set.c collects and series_sum.c adds up.
 */
#ifndef SERIES_INT_H
#define SERIES_INT_H

#include "clock.h"
#include "counter_increase.h"
#include "series_set.h"

/* How far outside the grid a sample still says something about it. */
#define SERIES_REACH_NS (5 * NS_PER_MIN)

/* A histogram that is kept, with room to be overwritten by a newer one. */
struct stored_histogram {
    struct histogram h;
    double *bounds;
    uint64_t *counts;
    uint32_t bounds_room, counts_room;
};

/* The newest value of a gauge in a cell. */
struct gauge_sample {
    uint64_t time_ns;  /* 0: none */
    uint64_t first_ns; /* of the oldest one that fell there */
    double value;
};

struct tracked_series {
    uint64_t key, group, tags, entity;
    uint32_t family, rank, resource_id;
    double factor, bound;
    uint64_t gap_ns;   /* smallest distance of two points seen; 0: unknown */
    uint64_t last_ns;  /* the point that came last */
    uint64_t ended_ns; /* a staleness marker; 0: none */
    bool last_resort;
    uint8_t mode, type;           /* enum metric_mode, enum metric_type */
    struct gauge_sample *samples; /* MODE_GAUGE */
    struct counter_track counter; /* MODE_COUNTER; extra: stored_histogram */
    struct grid_row deltas;       /* MODE_DELTA */
    struct hist *delta_hists;
};

/* The lowest rank of each entity and family, in a table of its own. */
struct source_ranks {
    uint64_t *keys;
    uint32_t *ranks;       /* one more than it is; 0: free */
    uint32_t size, series; /* of how many series; 0: not made yet */
};

struct series_set {
    struct arena *arena;
    struct grid grid;
    uint32_t spots; /* samples of a series: before, each cell, after */
    struct tracked_series **table;
    struct tracked_series **order; /* by first point: sums are repeatable */
    struct source_ranks ranks;
    uint32_t table_size, count;
};

/* The longest time between two points over which a series is taken to have
 * gone on. */
static inline uint64_t series_max_gap(const struct series_set *set)
{
    return 2 * set->grid.step_ns > SERIES_REACH_NS ? 2 * set->grid.step_ns
                                                   : SERIES_REACH_NS;
}

static inline bool series_is_histogram(uint8_t type)
{
    return type >= METRIC_HISTOGRAM; /* or a summary, without buckets */
}

#endif
