/*
 * meters - the metrics of the components, each as numbers over time: gauges as
 * they are, counters as rates, histograms and summaries as the mean of what
 * came in. Readings that are nearer to each other than a bin are put together.
 */
#ifndef METERS_H
#define METERS_H

#include "facts.h"

enum meaning {
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
enum meaning meaning_of(const struct metric *metric, struct slice bare,
                        bool *falls);

/* One more in facts->meters; NULL: the arena is full. */
struct meter *meters_add(struct facts *facts);

#endif
