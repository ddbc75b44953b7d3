/*
 * series_int - series as series_set.c stores them and series_sum.c sums them.
 */
#ifndef SERIES_INT_H
#define SERIES_INT_H

#include "clock.h"
#include "counter_increase.h"
#include "map.h"
#include "series_set.h"

/* How far outside the grid a point still matters. */
#define SERIES_REACH_NS (5 * NS_PER_MIN)

/* A copy of a histogram; a newer one may take over its memory. */
struct stored_histogram {
    struct histogram h;
    double *bounds;
    uint64_t *counts;
    uint32_t bounds_room, counts_room;
};

/* The newest value of a gauge in a cell. */
struct gauge_sample {
    uint64_t time_ns;  /* 0: none */
    uint64_t first_ns; /* of the oldest one in the cell */
    double value;
};

/* The integral of a gauge over the samples of a cell, from the first to the
 * newest. */
struct gauge_integral {
    double value_seconds;
};

struct tracked_series {
    uint64_t key;
    struct series_point p; /* as first seen; without its point */
    uint32_t resource_id;
    struct tracked_series *next; /* of its group */
    uint64_t gap_ns;    /* smallest distance of two points seen; 0: unknown */
    uint64_t last_ns;   /* the point that arrived last */
    uint64_t ended_ns;  /* a staleness marker; 0: none */
    uint8_t mode, type; /* enum metric_mode, enum metric_type */
    struct gauge_sample *samples;     /* MODE_GAUGE, by slot */
    struct gauge_integral *integrals; /* likewise; NULL: not asked for */
    struct counter_track counter; /* MODE_COUNTER; extra: stored_histogram */
    struct series_cells deltas;   /* MODE_DELTA */
};

/* The best rank of an entity and family, or of an entity. */
struct best_rank {
    uint64_t key;
    uint32_t rank;
};

/* The series of a group, by first point: sums are repeatable. */
struct series_group {
    uint64_t key;
    struct tracked_series *first, *last;
    uint32_t count;
};

struct series_set {
    struct arena *arena;
    struct grid grid;
    bool integrates; /* series_set_integrate() */
    uint32_t slots;  /* of a gauge: before the grid, each cell, after it */
    struct tracked_series **series; /* by first point: sums are repeatable */
    uint32_t count, room;
    struct map index; /* of keys */
    struct series_group *groups;
    uint32_t group_count, group_room;
    struct map group_index; /* of keys */
    uint64_t *begins;       /* of one sum after the other (series_sum.c) */
    uint32_t begin_room;
    uint64_t *cover;         /* likewise: the part of each cell, two per cell */
    uint32_t ranked;         /* series that are in ranks */
    struct best_rank *ranks; /* made when the first sum is taken */
    uint32_t rank_count, rank_room;
    struct map rank_index;
};

/* The longest time between two points of a series without a gap. */
static inline uint64_t series_max_gap(const struct series_set *set)
{
    return 2 * set->grid.step_ns > SERIES_REACH_NS ? 2 * set->grid.step_ns
                                                   : SERIES_REACH_NS;
}

/* How far outside the grid points matter to this set. */
static inline uint64_t series_reach(const struct series_set *set)
{
    return set->integrates && set->grid.step_ns > SERIES_REACH_NS
               ? set->grid.step_ns
               : SERIES_REACH_NS;
}

/* The usual distance of samples; seen_ns: of these two. */
static inline uint64_t series_usual_gap(const struct tracked_series *series,
                                        uint64_t seen_ns)
{
    uint64_t gap = series->gap_ns ? series->gap_ns : seen_ns;

    if (gap == 0)
        return NS_PER_MIN;
    return gap < SERIES_REACH_NS ? gap : SERIES_REACH_NS;
}

/* How long the newest sample holds: somewhat longer than until the next one is
 * due. */
static inline uint64_t series_hold(const struct tracked_series *series,
                                   uint64_t seen_ns)
{
    return series_usual_gap(series, seen_ns) * 3 / 2;
}

/* The first slot from this one on that has a sample; set->slots: none. */
static inline uint32_t series_next_sample(const struct series_set *set,
                                          const struct tracked_series *series,
                                          uint32_t from)
{
    while (from < set->slots && !series->samples[from].time_ns)
        from++;
    return from;
}

/* The first series of a group; NULL: there is none. `count`: of its series. */
static inline struct tracked_series *series_of_group(
    const struct series_set *set, uint64_t group, uint32_t *count)
{
    map_each(&set->group_index, map_hash_number(group), at)
        if (set->groups[at].key == group) {
            *count = set->groups[at].count;
            return set->groups[at].first;
        }
    *count = 0;
    return NULL;
}

/* ---- series_sum.c ---- */

/* Of the sources of each entity the best one is found; before
 * series_is_summed(). False: the arena is full. */
bool series_make_ranks(struct series_set *set);
bool series_is_summed(const struct series_set *set, struct series_filter filter,
                      const struct tracked_series *series);

/* ---- series_integral.c ---- */

/* A point of a gauge, before it is stored in its slot. */
void series_integrate_sample(const struct series_set *set,
                             struct tracked_series *series, uint32_t slot,
                             uint64_t time_ns, double value);

static inline bool series_is_histogram(uint8_t type)
{
    return type >= METRIC_HISTOGRAM; /* or a summary, without buckets */
}

#endif
