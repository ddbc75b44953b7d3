/*
 * usage - CPU, memory, network and disk of a scope on a grid of steps, as
 * expressions over whichever metrics its pods have: kubeletstats and
 * k8s_cluster receivers, cAdvisor and kube-state-metrics by way of Prometheus,
 * or the process's own.
 *
 * Purpose: one table of CPU, memory, network and disk for every view of them.
 * Ownership: the struct is the handler's and must not move.
 * Threads: one request, one thread.
 * Errors: what is wrong is answered with query_fail.
 */
#ifndef USAGE_H
#define USAGE_H

#include "metric_expr.h"
#include "query_request.h"

/* One row for each of the first meanings of metric_names.h. */
enum { USAGE_ROWS = METRIC_USAGE_MEANINGS };
struct usage {
    struct metric_expr rows[USAGE_ROWS];
    struct metric_table table;
};

/* Has answered with query_fail on failure. */
MUST_CHECK enum status usage_query(struct query_request *request,
                                   const struct bitmap *resources,
                                   const struct grid *grid,
                                   struct usage *usage);

/* The same by attributes of points (NULL: none), and by resource. */
MUST_CHECK enum status usage_query_by(struct query_request *request,
                                      const struct bitmap *resources,
                                      const struct grid *grid,
                                      const char *const *by, bool by_resource,
                                      struct usage *usage);

/* The same; `also` sees each point that was read, of times around the grid. */
MUST_CHECK enum status usage_query_points(struct query_request *request,
                                          const struct bitmap *resources,
                                          const struct grid *grid,
                                          struct usage *usage,
                                          point_visit *also, void *arg);

/* The pod of a resource, of series whose points do not name one: for
 * read_metrics(), of a struct query_request. */
uint64_t usage_pod(void *request, uint32_t resource_id);

#endif
