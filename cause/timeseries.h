/*
 * meters - the metrics of the components, each as numbers over time: gauges as
 * they are, counters as rates, histograms and summaries as the mean of what
 * came in. Readings that are nearer to each other than a bin are put together.
 */
#ifndef METERS_H
#define METERS_H

#include "rca_context.h"

enum metric_class {
    MEANS_NOTHING,
    MEANS_LIMIT, /* what others are compared with */
    MEANS_UNKNOWN,
    MEANS_CPU,
    MEANS_MEMORY,
    MEANS_DISK,
    MEANS_RESTART,
    MEANS_DROPS, /* of the network */
    MEANS_POOL,
    MEANS_QUEUE,
    MEANS_CALLS, /* how those it asks answer it */
    MEANS_LATENCY,
    MEANS_ERRORS,
    MEANS_SUCCESS,
    MEANS_LOGGED,  /* lines of an error */
    MEANS_TRAFFIC, /* requests; says nothing by itself */
    MEANS_FLOW,    /* bytes, packets; nor does this */
    MEANINGS
};

/* The name without that of the component, as in carts_cpu. */
struct slice bare_name(struct slice name, struct slice component);

/* By a bare name. *falls: less of it is worse. */
enum metric_class meaning_of(const struct metric *metric, struct slice bare,
                             bool *falls);

/* ---- evidence_limit.c: the metrics it judges ---- */
bool limits_knows(struct slice name);
const struct slice *limits_names(struct arena *arena, uint32_t *count);

/* One more in facts->meters; NULL: the arena is full. */
struct timeseries *meters_add(struct rca_context *facts);

/* ---- metric_history.c ---- */

/* From this share of failing requests on a fault counts whole, as in
 * evidence_red.c.
 */
#define FELT_SHARE 0.05

/* What a component is asked, and what it shows. */
struct role {
    double load;     /* how much more than usual it is asked; at least 1 */
    double requests; /* as its metrics count them; 0: not known */
    double shows;    /* the strongest that others notice, in nats */
    bool notices;    /* others would notice */
};

struct drift {
    uint32_t first, end;      /* readings of the window */
    double now, beyond, nats; /* beyond: of what the history did reach */
    uint64_t onset_ns;
};

/* Middle and spread of all meters, once. */
bool history_usual(struct rca_context *facts);

/* sign -1: less is worse. room is for twice as many as any meter has. */
void history_drift(const struct rca_context *facts, const struct timeseries *m,
                   double sign, const struct role *role, double *room,
                   struct drift *d);

/* Of failures that were counted: the nats that their counts allow. */
double history_counted(const struct timeseries *m, const struct drift *d);

/* Of lines: how much more likely their numbers are if more are written now. */
double history_lines(const struct timeseries *m, const struct drift *d,
                     double load, double *room);

/* Sorts. */
double history_quantile(double *values, uint32_t count, double q);

#endif
