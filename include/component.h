/*
 * component - the list of components and the page of one: what both share.
 *
 * Purpose: figures of requests, windows and components, as answers show them.
 * Ownership: structs are the handler's and borrow from the request.
 * Threads: one request, one thread.
 * Errors: none of its own.
 */
#ifndef COMPONENT_H
#define COMPONENT_H

#include "query_request.h"
#include "red_expr.h"

/* The requested window, and the same length of time before it: grids
 * of one cell. */
struct window {
    uint64_t start_ns, end_ns;
    double step_seconds; /* of charts */
    struct grid now, before;
};
extern const struct reply_table window_table, window_steps_table;

void window_init(struct window *window, uint64_t now_ns);

/* Hashes of texts, for keys of groups; the order matters. */
uint64_t key_text(uint64_t seed, struct slice text);
uint64_t key_identity(uint64_t seed, const struct identity *identity);

/* A table whose points are summed in the groups of another one by
 * key_identity() of their resources; both have the same leaves and grid. */
struct component_sums {
    struct query_request *request;
    struct metric_table resources, *components;
};
/* components: its leaves are there. The struct must not move. */
void component_sums_init(struct component_sums *sums,
                         struct query_request *request,
                         struct metric_table *components);

/* Whether a filter by name or uid fits; an empty one fits all. */
bool is_named(struct slice wanted, struct slice name, struct slice uid);

/* What a caller or callee is called that may not be seen. */
#define PEER_HIDDEN "hidden"

/* Whether a declaration may be seen; environment empty: in any, as it has none.
 */
bool catalog_is_seen(const struct viewer *viewer,
                     const struct catalog_component *component,
                     struct slice environment);

/* Requests of a group in the first cell of a red table. */
struct latency_figures {
    double mean, p50, p90, p99; /* NAN: not known */
};
struct figures {
    double count, rate, error_ratio, client_error_ratio;
    const struct latency_figures *latency; /* NULL: no requests */
    struct latency_figures of_latency;
};
extern const struct reply_table figures_table;

/* group NULL: no requests. The rate is over the part of the window that has
 * passed, at least a second. */
void figures_set(struct figures *figures, const struct red *red,
                 const struct metric_table *table,
                 const struct metric_group *group);

/* namespace, project, component, environment, uids, rule, declared, firstSeen,
 * lastSeen. */
struct component_view {
    const struct identity *identity;
    const char *rule;
    bool declared;
    uint64_t first_seen_ns;
    const struct component_info *info; /* NULL: never seen */
};
extern const struct reply_table component_table;

struct component_view component_view(const struct identity *identity,
                                     bool declared,
                                     const struct component_info *info);

/* The handler of the page (component_page.c). */
enum status component_page(struct query_request *request);
extern const struct reply_table component_page_table;

#endif
