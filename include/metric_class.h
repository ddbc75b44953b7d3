/*
 * metric_class - what a metric measures, by the words of its name and by its
 * unit, where metric_names.h does not know the name.
 *
 * Purpose:   CPU, memory, latency, errors ... of metrics with unknown names.
 * Ownership: Names are the caller's; a bare name is a part of its name.
 * Threads:   Any; there is no state.
 * Errors:    None: CLASS_UNKNOWN.
 */
#ifndef METRIC_CLASS_H
#define METRIC_CLASS_H

#include "record.h"

enum metric_class {
    CLASS_IGNORED,
    CLASS_LIMIT, /* what others are compared with */
    CLASS_UNKNOWN,
    CLASS_CPU,
    CLASS_MEMORY,
    CLASS_DISK,
    CLASS_RESTART,
    CLASS_DROPS, /* of the network */
    CLASS_POOL,
    CLASS_QUEUE,
    CLASS_CALLS, /* how those that the component calls answer it */
    CLASS_LATENCY,
    CLASS_ERRORS,
    CLASS_SUCCESS,
    CLASS_ERROR_LOGS, /* log records of an error */
    CLASS_TRAFFIC,    /* requests: load, no symptom */
    CLASS_BYTES,      /* bytes, packets: likewise */
    METRIC_CLASSES
};

/* The name without that of the component, as in carts_cpu. */
struct slice metric_bare_name(struct slice name, struct slice component);

/* By a bare name. *less_is_worse: as for free memory. */
enum metric_class metric_class_of(const struct metric *metric,
                                  struct slice bare_name, bool *less_is_worse);

/* Of a metric of calls: what it says of the callee, whatever words of the
 * client's side its name has. */
enum metric_class metric_class_of_calls(const struct metric *metric,
                                        struct slice bare_name,
                                        bool *less_is_worse);

/* Who measured it, by the words of the name: the caller or the callee. */
enum metric_side {
    METRIC_SIDE_UNKNOWN,
    METRIC_SIDE_CLIENT,
    METRIC_SIDE_SERVER
};
enum metric_side metric_side_of(struct slice bare_name);

#endif
