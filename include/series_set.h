/*
 * series_set - series as senders make them (gauges, cumulative counters,
 * deltas, histograms), brought onto a grid.
 *
 * Points come in any order. Of each series and cell the newest gauge value is
 * stored, and those points of a counter that show a reset, so memory goes by
 * series and cells, not by points.
 *
 * Purpose:   What series did in each cell of a grid, summed over series.
 * Ownership: Everything is in the arena the set was made with.
 * Threads:   One at a time.
 * Errors:    NULL or false: the arena is full.
 */
#ifndef SERIES_SET_H
#define SERIES_SET_H

#include "grid.h"
#include "hist.h"
#include "metric_names.h"

struct series_set;

struct series_set *series_set_new(struct arena *arena, const struct grid *grid);

/* The time in which points are of use: a little more than the grid. */
uint64_t series_set_from(const struct series_set *set);
uint64_t series_set_until(const struct series_set *set);

/*
 * A point, and which series it is of. factor turns its unit into the base
 * unit. Series of one entity and family measure the same thing in ways that
 * rank differently: only those of the lowest rank are summed.
 */
struct series_point {
    const struct point *point;
    uint64_t key;    /* of the series (series_key) */
    uint64_t group;  /* sums are of one group each */
    uint64_t tags;   /* bits: which sums it goes into */
    uint64_t entity; /* a pod, a component; 0: not known yet */
    uint32_t family, rank;
    double factor;
    double bound;     /* of a bucket that is a series of its own */
    bool last_resort; /* counts for entities that have nothing else */
    const struct metric_name *known; /* NULL: the sender's type counts */
};

/* Identity as OTLP has it: resource, scope, name, unit and the point's set of
 * attributes in any order (attr_hash.h). */
uint64_t series_key(const struct point *point);

bool series_set_add(struct series_set *set, const struct series_point *point);

/* Sets the entity of series whose points did not say it, from their resource.
 */
typedef uint64_t series_entity(void *arg, uint32_t resource_id);
void series_set_entities(struct series_set *set, series_entity *entity,
                         void *arg);

/* Which series are summed: those of a group with one of some tags. */
struct series_filter {
    uint64_t group, tags;
};

bool series_set_has(const struct series_set *set, struct series_filter filter);

/* Averages: of gauges the value (it holds until the next one, or for about the
 * usual distance of its series), of counters the increase per second. */
bool series_set_sum(struct series_set *set, struct series_filter filter,
                    struct grid_row *row);

/* Integrals over time: of gauges the value times seconds, of counters the
 * increase. Unlike an average, a cell has only what its series were there for:
 * from the first sample to the last one and a little longer, without gaps of
 * more than a few samples. Only of a set that was told so. */
bool series_set_integral(struct series_set *set, struct series_filter filter,
                         struct grid_row *row);
void series_set_integrate(struct series_set *set); /* before the first point */

/* How much histograms grew into hists, one per cell, and their counts or the
 * values of counters into row (amounts, not per second). hists may be NULL, for
 * the counts alone. */
bool series_set_hists(struct series_set *set, struct series_filter filter,
                      struct hist *hists, struct grid_row *counts);

/* Growth of buckets that are series of their own (series_point.bound). */
bool series_set_buckets(struct series_set *set, struct series_filter filter,
                        struct hist *hists);

/* Numbers, and the histograms they are the counts of, one per cell. */
struct series_cells {
    struct grid_row row; /* values NULL: nothing was seen */
    struct hist *hists;  /* NULL: numbers alone */
};
bool series_cells_init(struct series_cells *cells, const struct grid *grid,
                       bool hists, struct arena *arena);

/* Adds a share of a delta point to the cell of that part. */
bool series_add_delta(struct series_cells *cells, const struct point *point,
                      double factor, const struct grid_part *part, double sign,
                      struct arena *arena);

#endif
