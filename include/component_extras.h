/*
 * component_extras - what the list of components has on demand: CPU, memory,
 * restarts, log errors, pods and the last change of each component, and its
 * requests over time.
 *
 * Purpose: one answer for views that show many components at once.
 * Ownership: the struct is the handler's and must not move; all is in the
 *   request's arena.
 * Threads: one request, one thread.
 * Errors: what is wrong is answered with query_fail.
 */
#ifndef COMPONENT_EXTRAS_H
#define COMPONENT_EXTRAS_H

#include "component_details.h"
#include "usage.h"

struct component_extras {
    /* What is asked for: usage=true, spark=STEPS. */
    bool with_usage;
    uint64_t steps;
    /* What there is, by key_identity(). */
    struct usage usage;
    struct metric_table used;
    struct metric_expr restarts;
    struct metric_table restarted;
    struct spark spark;
    struct component_details details;
};

/* As an answer shows it. */
struct usage_view {
    double cpu, cpu_limit, memory, memory_limit, restarts; /* NAN: not known */
};
extern const struct reply_table usage_table;

/* The parameters of the query string. */
MUST_CHECK enum status extras_params(struct query_request *request,
                                     const struct scope_filter *scope,
                                     struct component_extras *extras);
MUST_CHECK enum status extras_read(struct component_extras *extras,
                                   struct query_request *request,
                                   const struct bitmap *resources,
                                   const struct window *window);
void extras_usage(const struct component_extras *extras, uint64_t key,
                  struct usage_view *view);
void extras_spark(const struct component_extras *extras, uint64_t key,
                  struct spark_view *view);

#endif
