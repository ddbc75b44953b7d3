/*
 * topology - what query_topology.c gathers from the derived series, and
 * topology_reply.c writes.
 */
#ifndef TOPOLOGY_H
#define TOPOLOGY_H

#include "query_request.h"
#include "tally.h"

enum node_kind { NODE_COMPONENT, NODE_GATEWAY, NODE_EXTERNAL };

/* One end of an edge, or a node. */
struct node {
    enum node_kind kind;
    struct identity identity; /* COMPONENT */
    struct slice service;     /* endpoint, of a component; may be empty */
    struct slice name, system, host; /* GATEWAY: name; EXTERNAL: all */
    const char *external;            /* database, queue, host */
    bool wanted;
};

struct edge {
    struct node source, target;
    uint64_t from, to; /* node_key() of these, without their services */
    struct slice protocol;
    bool queue; /* between components, through a queue */
    bool observed, declared;
};

struct topology {
    struct query_request *request;
    struct scope_filter scope; /* without component */
    struct slice component;    /* the one asked for, or empty */
    uint64_t start_ns, end_ns;
    bool gateways, external, declared;
    bool per_endpoint, queue_calls;
    struct tally_map nodes, edges;
    struct tally_map names;      /* of edges: tally_name() */
    struct tally_map identities; /* by number */
    bool full;                   /* the arena */
};

/* query_topology.c: the node's own figures, NULL if the arena is full. */
struct tally *topology_node(struct topology *t, const struct node *node);

/* topology_reply.c */
MUST_CHECK enum status topology_reply(struct topology *t);

#endif
