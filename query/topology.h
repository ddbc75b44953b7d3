/*
 * topology - what query_topology.c gathers from the derived series, and
 * topology_reply.c writes.
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
    bool known, shown;
    bool hidden; /* what it is may not be seen */
};

struct edge {
    struct node source, target;
    uint64_t from, to; /* node_key() of these, without their services */
    struct slice protocol;
    bool queue; /* between components, through a queue */
    bool out;   /* the calls are as the caller saw them */
    bool observed, declared;
    struct metric_group *calls; /* by all labels; a list */
};

struct topology {
    struct query_request *request;
    struct scope_filter scope; /* without component */
    const struct bitmap *resources;
    struct slice component; /* requested, or empty */
    uint64_t start_ns, end_ns;
    bool gateways, external, declared;
    bool per_endpoint, queue_calls;
    struct red served, out, in;
    struct metric_table nodes, edges; /* of `out`; items: node, edge */
    bool full;                        /* the arena */
};

/* topology_reply.c */
extern const struct reply_table topology_table;
MUST_CHECK enum status topology_reply(struct topology *t);

#endif
