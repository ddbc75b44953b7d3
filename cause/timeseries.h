/*
 * timeseries - the metrics of the components as numbers over time: gauges as
 * they are, counters as rates, histograms and summaries as the mean of what
 * came in. Points that are nearer to each other than a bin are merged.
 */
#ifndef TIMESERIES_H
#define TIMESERIES_H

#include "array.h"
#include "candidates.h"
#include "metric_class.h"
#include "metric_limits.h"
#include "red_counts.h"

struct timeseries_point { /* by time */
    uint64_t time_ns;     /* the middle of what it measures */
    double value;
    double of; /* of a share: of so many */
};

enum call_waits { WAITS_AT_CALLEE, WAITS_AT_CALLER, WAITS_BETWEEN };

struct timeseries {
    uint32_t component, resource; /* resource: which pod */
    uint32_t caller; /* that measured its calls of the component; NO_INDEX: the
                        component measured it */
    struct slice caller_name, callee_name; /* likewise */
    uint8_t waits; /* enum call_waits: where these calls wait, or fail */
    struct slice name, unit;
    uint64_t labels;
    uint8_t class;      /* enum metric_class */
    bool less_is_worse; /* else more is */
    bool is_share;      /* of failed requests */
    bool is_rate;       /* of a counter: per second */
    bool has_limit;     /* what it measures has a limit, too */
    bool is_new_pod;    /* its history is that of other pods */
    double complement;  /* values are the share missing to it (1 or 100); 0:
                           plain values */
    const struct metric_limit *limit; /* or NULL */
    uint64_t sort;   /* the same for the same metric of other components */
    uint64_t family; /* the same for the same metric of the component's pods */
    uint64_t pod;    /* the same for all that a pod sends */
    uint64_t restarted_ns;       /* its counter began again; or 0 */
    struct cause_window warm_up; /* when its process had just started */
    struct timeseries_point *at;
    uint32_t count, before; /* before: of the baseline and its history */
    double median, spread;  /* of these */
};

struct timeseries_list {
    struct arena *arena;
    struct timeseries *at;
    uint32_t count, room;
};

/* timeseries_read.c: metrics. Callees that they name become candidates, calls
 * get into the graph. */
MUST_CHECK enum status timeseries_read(struct timeseries_list *list,
                                       struct reader *reader,
                                       struct candidates *candidates,
                                       struct call_graph *graph,
                                       const struct rca_times *times,
                                       struct arena *arena);

/* One point a minute of a time that is not divided; none with too many
 * components. */
MUST_CHECK enum status timeseries_read_minutes(struct timeseries_list *list,
                                               struct reader *reader,
                                               struct candidates *candidates,
                                               struct cause_window time,
                                               struct arena *arena);

/* log_rates.c: log records of components without requests, as metrics. */
MUST_CHECK enum status log_rates_read(struct timeseries_list *list,
                                      struct reader *reader,
                                      struct candidates *candidates,
                                      const struct red_counts *red,
                                      const struct rca_times *times);

/* Runs a query over two times. */
MUST_CHECK enum status timeseries_query(struct reader *reader,
                                        struct series_query *query,
                                        const struct cause_window times[2],
                                        point_visit *visit, void *arg);

/* One more, with room for so many points; NULL: the arena is full. */
struct timeseries *timeseries_add(struct timeseries_list *list,
                                  uint32_t points);

/* By component and pod, when all are read. */
void timeseries_sort(struct timeseries_list *list);

/* Is it sent from the first time on that it happens? */
static inline bool timeseries_is_occasional(const struct timeseries *t)
{
    return !t->is_share &&
           (t->class == CLASS_ERRORS || t->class == CLASS_DROPS ||
            t->class == CLASS_RESTART);
}

/* The end of those of the component of the one at `first`. */
static inline uint32_t timeseries_end(const struct timeseries_list *list,
                                      uint32_t first)
{
    uint32_t end = first;

    while (end < list->count &&
           list->at[end].component == list->at[first].component)
        end++;
    return end;
}

/* The most points that any of them has. */
static inline uint32_t timeseries_longest(const struct timeseries_list *list)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < list->count; i++)
        if (list->at[i].count > most)
            most = list->at[i].count;
    return most;
}

#endif
