/* graph_reply - nodes and edges of a call graph, as answers show them. */
#ifndef GRAPH_REPLY_H
#define GRAPH_REPLY_H

#include "component.h"
#include "dependency_graph.h"

struct node_view {
    struct slice id;
    const char *kind;
    const struct node *node;
    const char *relation; /* self, caller, callee, both; NULL: not said */
    uint32_t depth;
    bool catalogued;
    const bool *declared; /* of a component */
    uint64_t last_seen_ns;
    struct figures figures;
};
extern const struct reply_table node_view_table;

/* Without relation and depth. The view must not move. */
void node_view_fill(struct node_view *view,
                    const struct dependency_graph *graph, uint32_t node);

/* Calls between two endpoints. Empty texts are left out: not known. */
struct endpoint_view {
    struct slice from, to, protocol;
    bool covered;
    const bool *declared; /* NULL: the catalogue says nothing of the caller */
    struct figures figures;
};

struct edge_view {
    struct slice source, target, protocol;
    bool is_declared, is_observed;
    const bool *declared; /* NULL: it cannot be */
    const char *drift;    /* NULL: none */
    uint64_t last_seen_ns;
    struct figures figures;
    struct reply_list endpoints;
};
extern const struct reply_table edge_view_table;

/* False: the arena is full. */
bool edge_view_fill(struct edge_view *view,
                    const struct dependency_graph *graph, uint32_t edge);

/* undeclared, undeclaredEndpoint, unused, environmentMismatch; NULL: none */
const char *graph_drift(const struct dependency_graph *graph, uint32_t edge);

/* The endpoints of callees that these calls use, without those that may not be
 * seen: texts. */
struct slice edge_endpoint(const struct edge *edge,
                           const struct metric_group *calls, bool of_target);

#endif
