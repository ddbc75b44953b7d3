/*
 * counter_increase - how much a cumulative stream grew: the only place that
 * decides whether a counter was reset.
 *
 * A cumulative point says how much was counted from start_ns to time_ns. The
 * start time tells a reset from an increase, and senders get it wrong in many
 * ways. Between a point and the previous one in time:
 *
 *   the value fell     a reset: all of the value was counted since, unless the
 *                      start equals the time: then the start is unknown and so
 *                      is the increase;
 *   same start, no start, or a start before the previous point
 *                      no reset: the difference;
 *   start == time      "unknown start" of OTLP: a baseline. A collector that
 *                      restarts sends it in the middle of a stream: a value
 *                      that did not fall shows that there was no reset;
 *   a start at or after the previous point
 *                      a reset, unless that makes the counter more than ten
 *                      times as fast as before and the difference does not:
 *                      then the start moved without a reset.
 *
 * A first point counts from its start only if that is in the time that was
 * read: if the start is the time of a baseline, the baseline was read, too.
 *
 * Streams that break the rule of one writer:
 *
 *   the same stream from two collectors  starts differ, values interleave
 *                      without falling: one counter;
 *   several processes with one identity  values fall whenever the writer
 *                      changes: each start is a counter of its own;
 *   every point has a later start and values only rise: starts are ignored.
 *
 * Points may come in any order and more than once.
 *
 * Purpose:   The increase of counters, by OTLP's rules and for real senders.
 * Ownership: A track is plain, all zero with max set is empty; its points are
 *            in the arena that counter_add() is given.
 * Threads:   One at a time per track.
 * Errors:    COUNTER_FULL: the arena is full.
 */
#ifndef COUNTER_INCREASE_H
#define COUNTER_INCREASE_H

#include "arena.h"
#include "record.h"

/* How the points of a metric become numbers over time. */
enum metric_mode {
    MODE_GAUGE,   /* a value holds until the next one */
    MODE_COUNTER, /* cumulative: the increase between two points counts */
    MODE_DELTA    /* each point is an increase already */
};

/* By what the sender declared, corrected by what is known of the name
 * (metric_names.h; NULL: nothing). A gauge whose name ends in _total is a
 * counter whose type a Prometheus exporter did not declare. */
struct metric_name;
enum metric_mode metric_mode(const struct metric *metric,
                             const struct metric_name *known);

struct counter_point {
    uint64_t time_ns, start_ns; /* start 0: unknown */
    double value;               /* of a histogram or summary: its count */
    union {
        double sum;  /* the caller's, stored beside the value */
        void *extra; /* the same */
    };
    uint32_t cell; /* of the caller's grid; does not fall with time */
};

struct counter_track {
    struct counter_point *at; /* in order of time */
    uint32_t count, room;
    uint32_t max;   /* points at most; set by the caller, at least 4 */
    uint32_t cells; /* of the grid: about as many points are expected */
    uint32_t after; /* of this cell only the first point matters; 0: none */
};

enum counter_added {
    COUNTER_FULL,    /* the arena is full */
    COUNTER_STORED,  /* *slot is the point; extra is old memory or NULL */
    COUNTER_IGNORED, /* redundant beside the others */
};

/*
 * Adds a point; neither extra nor sum of `point` is read, the caller sets them
 * in *slot. Inside a cell only the points that matter are stored: the last one,
 * and those around a reset. Memory goes by cells and resets.
 */
enum counter_added counter_add(struct counter_track *track, struct arena *arena,
                               const struct counter_point *point,
                               struct counter_point **slot);

struct counter_increase {
    const struct counter_point *before; /* NULL: from zero, after a reset */
    const struct counter_point *after;
    uint64_t from_ns, to_ns; /* from < to */
    bool newest;             /* nothing of this counter is newer */
};

static inline double counter_increase_amount(
    const struct counter_increase *increase)
{
    return increase->after->value -
           (increase->before ? increase->before->value : 0);
}

struct counter_rules {
    uint64_t read_from_ns; /* all points since then were added */
    uint64_t max_gap_ns;   /* the increase over a longer time is unknown */
};

/* Returns false to end the walk. */
typedef bool counter_visit(void *arg, const struct counter_increase *increase);

/* Visits all increases in order of time, of each counter separately. False if a
 * visit returned false. */
bool counter_walk(const struct counter_track *track,
                  const struct counter_rules *rules, counter_visit *visit,
                  void *arg);

#endif
