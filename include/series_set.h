/*
 * series_set - ordinary metrics, as senders make them, brought onto a grid:
 * gauges, counters since some start, deltas.
 *
 * Points come in any order; of each series and cell the newest is kept, and
 * what tells of a reset, so memory goes by series and cells, not by points.
 *
 * Ownership  everything is in the arena the set was made with.
 * Threads    one at a time.
 */
#ifndef SERIES_SET_H
#define SERIES_SET_H

#include "grid.h"
#include "hist.h"
#include "metric_names.h"

struct series_set;

/* NULL if the arena is full. */
struct series_set *series_set_new(struct arena *arena, const struct grid *grid);

/* The time in which points are of use: a little more than the grid. */
uint64_t series_set_from(const struct series_set *set);
uint64_t series_set_until(const struct series_set *set);

/*
 * A point, and which series it is of. key: a hash of whatever tells the series
 * from others (series_key). Series of one group and family measure the same
 * thing in ways that rank differently: only those of the lowest rank are
 * summed. tags: bits, into which sums it goes. factor turns its unit into
 * ours.
 */
struct series_point {
    const struct point *point;
    uint64_t key, group;
    uint32_t family, rank, tags;
    double factor;
    double bound;     /* of a bucket that is a series of its own */
    bool last_resort; /* counts in groups that have nothing else */
    const struct metric_name *known; /* NULL: the sender's word counts */
};

/* Identity as OTLP has it: resource, scope, name, unit and the point's set of
 * attributes in any order (attr_hash.h). */
uint64_t series_key(const struct point *point);

/* False if the arena is full. */
bool series_set_add(struct series_set *set, const struct series_point *point);

/* Groups that could not be told while the points came: the new one from the
 * series' resource and its present group. */
typedef uint64_t series_group(void *arg, uint32_t resource_id, uint64_t group);
void series_set_regroup(struct series_set *set, series_group *group, void *arg);

/* Is there a series with one of these tags? */
bool series_set_has(const struct series_set *set, uint32_t tags);

/*
 * The sum over the wanted series with this tag: of the last values, if they
 * are gauges (a value holds until the next one or for about the usual distance
 * of its series), of the growth per second if they are counters. False: arena
 * full.
 */
bool series_set_sum(struct series_set *set, uint32_t tag, struct grid_row *row);

/* Growth of the histograms with this tag into hists, one per cell, and of
 * their counts into row (amounts, not per second). hists may be NULL, for the
 * counts alone. False: arena full. */
bool series_set_hists(struct series_set *set, uint32_t tag, struct hist *hists,
                      struct grid_row *counts);

/* Growth of buckets that are series of their own (series_point.bound), with
 * this tag, into hists. False: arena full. */
bool series_set_buckets(struct series_set *set, uint32_t tag,
                        struct hist *hists);

#endif
