/*
 * usage - CPU, memory, network and disk of a scope on a grid of steps, from
 * whichever metrics its pods have: kubeletstats and k8s_cluster receivers,
 * cAdvisor and kube-state-metrics by way of Prometheus, or the process's own.
 */
#ifndef USAGE_H
#define USAGE_H

#include "grid.h"
#include "query_request.h"

enum usage_row {
    USAGE_CPU, /* cores */
    USAGE_CPU_REQUESTS,
    USAGE_CPU_LIMITS,
    USAGE_MEMORY, /* bytes */
    USAGE_MEMORY_REQUESTS,
    USAGE_MEMORY_LIMITS,
    USAGE_NETWORK_RECEIVE, /* bytes per second */
    USAGE_NETWORK_TRANSMIT,
    USAGE_DISK_READ,
    USAGE_DISK_WRITE,
    USAGE_ROWS
};
/* OpenChoreo's names: cpuUsage, ... */
extern const char *const usage_names[USAGE_ROWS];

/* Has answered with query_fail on failure. */
MUST_CHECK enum status usage_query(struct query_request *request,
                                   const struct bitmap *resources,
                                   const struct grid *grid,
                                   struct grid_row rows[USAGE_ROWS]);

#endif
