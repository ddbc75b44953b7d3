/*
 * component_details - what the list of components has with details=true: log
 * errors, number of pods and the newest change of each component.
 *
 * Purpose: columns of a table of components that are no figures of requests.
 * Ownership: the struct is the handler's and must not move; all is in the
 *   request's arena.
 * Threads: one request, one thread.
 * Errors: what is wrong is answered with query_fail.
 */
#ifndef COMPONENT_DETAILS_H
#define COMPONENT_DETAILS_H

#include "spark.h"
#include "withheld.h"

/* The newest change in the window; of a rollout, its version, else its image,
 * its release or its pod template. */
struct last_change {
    uint64_t time_ns;
    struct slice kind, to;
};

/* Of one component. */
struct component_detail {
    uint64_t key;             /* key_identity() */
    uint32_t pods, instances; /* with a name, and without */
    struct last_change change;
    uint64_t newest_ns; /* of its changes */
};

struct component_details {
    bool wanted;
    struct part_access logs, events;
    struct metric_expr error, fatal, errors, error_rate; /* log records */
    struct metric_table now, before, spark;              /* by key_identity() */
    struct component_detail *list;
    struct map index; /* of keys */
    uint32_t count, room;
};

/* As an answer shows them; it points into itself and must not move. */
struct details_view {
    const double *log_errors, *log_errors_before; /* NULL: not to be seen */
    const uint32_t *pods;                         /* NULL: not asked for */
    const struct last_change *change;             /* NULL: none */
    double of_log_errors, of_log_errors_before;
    uint32_t of_pods;
    struct last_change of_change;
};
extern const struct reply_table details_table;

/* The parameter of the query string. */
MUST_CHECK enum status details_params(struct query_request *request,
                                      const struct scope_filter *scope,
                                      struct component_details *details);
/* steps: of details->spark; 0: none. */
MUST_CHECK enum status details_read(struct component_details *details,
                                    struct query_request *request,
                                    const struct bitmap *resources,
                                    const struct window *window,
                                    uint64_t steps);
void details_view(const struct component_details *details,
                  const struct identity *identity, uint64_t key,
                  struct details_view *view);
/* Log errors per second. */
void details_spark(const struct component_details *details, uint64_t key,
                   struct spark_row *row);

#endif
