/*
 * dependency_graph - what calls what, as nodes and edges by number: what the
 * asker may see of it, from the components of a scope to a depth.
 *
 * A call through a queue is a path through the node of the queue, which counts
 * as one step. What may not be seen is one node (struct node.hidden), and no
 * path goes on behind it.
 */
#ifndef DEPENDENCY_GRAPH_H
#define DEPENDENCY_GRAPH_H

#include "topology.h"

#define GRAPH_NONE UINT32_MAX /* no edge; not reached */

enum { GRAPH_MAX_DEPTH = 8 };

struct graph_node {
    const struct node *node;
    const struct metric_group *group;  /* of topology.nodes; NULL: none */
    const struct component_info *info; /* NULL: never seen */
    const struct catalog_component *declared; /* NULL: not in the catalogue */
    uint32_t first_out, first_in;             /* edges */
};

struct graph_edge {
    const struct edge *edge;
    const struct metric_group *group; /* of topology.edges */
    uint32_t source, target;          /* nodes */
    uint32_t next_out, next_in;
    double requests; /* calls in the window */
};

enum { GRAPH_CALLERS = 1, GRAPH_CALLEES = 2 };

struct dependency_graph {
    /* What is asked for. */
    struct query_request *request;
    const struct catalog_snapshot *snapshot;
    struct scope_filter scope; /* of the roots; namespace is not empty */
    uint64_t start_ns, end_ns;
    int directions; /* bits */
    uint64_t depth; /* 1 to GRAPH_MAX_DEPTH */
    /* What there is. */
    struct topology topology;
    struct graph_node *nodes;
    struct graph_edge *edges;
    uint32_t node_count, node_room, edge_count, edge_room;
    struct map by_key; /* of groups */
    /* Steps from the nearest root, by node; GRAPH_NONE: not reached. */
    uint32_t *to_callers, *to_callees;
};

MUST_CHECK enum status graph_read(struct dependency_graph *graph);

/* Which edges a walk follows. */
enum {
    WALK_OBSERVED = 1,
    WALK_DECLARED = 2,
    WALK_CALLS = 4,  /* that are not through a queue */
    WALK_QUEUES = 8, /* into queues and out of them */
    WALK_ALL = 15
};

/* The steps of each node from the roots, at most graph->depth; direction:
 * GRAPH_CALLERS or GRAPH_CALLEES. NULL: the arena is full. */
uint32_t *graph_walk(const struct dependency_graph *graph, int direction,
                     int which);

bool graph_is_root(const struct dependency_graph *graph,
                   const struct graph_node *node);

static inline bool graph_is_queue(const struct node *node)
{
    return node->kind == NODE_EXTERNAL && !node->hidden &&
           strcmp(node->external, "queue") == 0;
}

/* component, gateway, database, queue, external, hidden */
const char *graph_kind(const struct node *node);

/* Names the node in this answer. */
struct slice graph_id(const struct dependency_graph *graph,
                      const struct node *node);

/* Reads namespace (which is required), project, component (which needs a
 * project), environment, times, depth. */
enum status graph_params(struct dependency_graph *graph, uint64_t depth);

#endif
