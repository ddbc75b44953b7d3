/*
 * topology - the graph of projects: what calls what, from the derived series
 * and the declared dependencies.
 *
 * Purpose: one reading of the graph for every answer that shows it.
 * Ownership: a struct topology is the handler's and must not move; what it
 *   gathers is in the request's arena, and borrows from the snapshot.
 * Threads: one request, one thread.
 * Errors: what is wrong is answered with query_fail.
 */
#ifndef TOPOLOGY_H
#define TOPOLOGY_H

#include "query_request.h"
#include "red_expr.h"

enum node_kind { NODE_COMPONENT, NODE_GATEWAY, NODE_EXTERNAL };

/* One end of an edge, or a node. */
struct node {
    enum node_kind kind;
    struct identity identity; /* COMPONENT */
    struct slice service;     /* endpoint, of a component; may be empty */
    struct slice name, system, host; /* GATEWAY: name; EXTERNAL: all */
    const char *external;            /* database, queue, host */
    /* Of a database or queue: of whom it is used. Another tenant, or another
     * environment, may have one with the same name. */
    struct slice space, space_environment;
    bool known, shown;
    bool hidden;                 /* what it is may not be seen */
    struct metric_group *served; /* of `requests`, by endpoint; a list */
};

struct edge {
    struct node source, target;
    uint64_t from, to; /* keys of these nodes, without their services */
    struct slice protocol;
    bool queue; /* between components, through a queue */
    bool out;   /* the calls are as the caller saw them */
    bool observed, declared;
    uint64_t last_ns;           /* end of the last minute with calls; or 0 */
    struct metric_group *calls; /* by all labels; a list */
};

/* The labels of `requests`. */
enum { SERVED_ENDPOINT };

struct topology {
    /* What is asked for. */
    struct query_request *request;
    struct scope_filter
        scope; /* without component; names that are empty: all */
    const struct bitmap *resources; /* of the scope, or of a part of it */
    struct slice component;         /* only it and what it calls; or empty */
    uint64_t start_ns, end_ns;
    bool gateways, external, declared;
    bool per_endpoint, queue_calls;
    uint64_t limit; /* edges that are shown; 0: all */
    /* What there is. An edge is shown if its source is (source.shown). */
    const struct component_info *infos; /* in the scope, by their names */
    uint32_t info_count;
    struct red served, out, in;
    /* As they are stored: of `served`, `out` and `in`, by resource. */
    struct metric_table requests, out_calls, in_calls;
    struct metric_table nodes, edges; /* of `out`; items: node, edge */
    uint32_t nodes_left_out, edges_left_out;
    bool full; /* the arena */
};

/* Gathers nodes and edges. */
MUST_CHECK enum status topology_read(struct topology *t,
                                     const struct catalog_snapshot *snapshot);

#endif
