/*
 * latency_mean - the mean of a latency from what is measured of it. Means add
 * up along calls; of percentiles only their sum over all requests does.
 */
#ifndef LATENCY_MEAN_H
#define LATENCY_MEAN_H

#include "component_flows.h"

enum { LATENCY_QUANTILES = 7 };

struct latency_parts {
    struct flow mean, plain; /* plain: the name tells no statistic */
    struct flow quantiles[LATENCY_QUANTILES];
    struct flow extreme; /* the largest or smallest */
};

/* The part that a metric measures, by its name. */
struct flow *latency_part(struct latency_parts *parts, struct slice name);

/* From the best of the parts that are known. */
struct flow latency_mean(const struct latency_parts *parts);

#endif
