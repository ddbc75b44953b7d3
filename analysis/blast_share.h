/*
 * blast_share - the share of the requests of each component, and of users, that
 * pass a component, from the derived series.
 *
 * A request of an endpoint passes the target with the probability
 *
 *   p = min(1, sum over its calls: calls per request * p(callee))
 *
 * which is 1 at the target itself, computed to its fixed point, so that cycles
 * do no harm. Calls that some requests make several times, and others never,
 * make it too large: it is an upper estimate. Calls that belong to no request
 * are spread over all requests of the component.
 */
#ifndef BLAST_SHARE_H
#define BLAST_SHARE_H

#include "dependency_graph.h"

/* An endpoint of a node; of a queue its messages. */
struct served_endpoint {
    uint32_t node;
    struct slice endpoint;
    double requests;
    bool is_target;
    double share;        /* 0 to 1 */
    uint32_t first_call; /* GRAPH_NONE: none */
    uint32_t next;       /* of the same node */
};

struct blast_shares {
    const struct dependency_graph *graph;
    struct slice endpoint; /* of the roots; empty: all */
    bool queues;           /* through queues, too */
    struct served_endpoint *endpoints;
    struct endpoint_call *calls;
    uint32_t endpoint_count, endpoint_room, call_count, call_room;
    struct map index;
    uint32_t *first; /* endpoints, by node */
    double *flows;   /* calls that lead to the target, by edge */
};

MUST_CHECK enum status blast_shares_find(struct blast_shares *shares);

/* The calls of a group of an edge. */
double blast_calls(const struct topology *topology, const struct edge *edge,
                   const struct metric_group *calls);
/* Of the requests that a node serves; NAN: it serves none. */
double blast_node_share(const struct blast_shares *shares, uint32_t node);
/* Of the requests of one endpoint; 0 if it is not known. */
double blast_endpoint_share(const struct blast_shares *shares, uint32_t node,
                            struct slice endpoint);

#endif
