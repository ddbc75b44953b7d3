/*
 * cost_nodes - the nodes that pods run on: their capacity, the attributes that
 * rows of the price table are chosen by, and prices that OpenCost sent.
 *
 * Purpose:   the price of a pod's hour, and what of a node nobody uses.
 * Ownership: all is in the arena of the request.
 * Threads:   one request, one thread.
 * Errors:    a status, which cost_read() answers.
 */
#ifndef COST_NODES_H
#define COST_NODES_H

#include "cost_read.h"

enum { COST_NODE_SETS = 8 };

struct cost_node {
    struct slice name;
    struct attrs sets[COST_NODE_SETS]; /* of its resource, its labels */
    uint64_t set_keys[COST_NODE_SETS];
    uint32_t set_count;
    const struct price_row *row; /* NULL: none by these attributes */
    /* Of the present slice. */
    struct metric_group *groups; /* list */
    double *paid[PRICE_KINDS];   /* by hour: core or GiB hours of pods */
    bool reported;               /* its capacity was seen in the window */
};

/* Of the whole window, by kind. */
struct cost_node_totals {
    double cost[PRICE_KINDS];      /* of the capacity */
    double idle[PRICE_KINDS];      /* of what no pod was charged for */
    double over[PRICE_KINDS];      /* charged beyond the capacity */
    double elsewhere[PRICE_KINDS]; /* of pods whose node did not report */
};

struct cost_nodes {
    struct cost_node *at;
    uint32_t count, room;
    struct map index;         /* of names */
    struct bitmap *resources; /* whose series are of nodes */
    struct cost_node_totals totals;
    struct metric_table table; /* of the present slice */
    double cores, gib;         /* hours, of all nodes */
};

/* Looks for nodes in the window. */
MUST_CHECK enum status cost_nodes_find(struct cost_report *report);

/* The number of a node by its name; COST_NONE: the name is empty, or the arena
 * is full. */
uint32_t cost_node(struct cost_report *report, struct slice name);

/* Reads the hours of a slice. */
MUST_CHECK enum status cost_nodes_read(struct cost_report *report,
                                       struct arena *scratch,
                                       const struct grid *grid);

/* What a pod on this node (or COST_NONE) pays in a cell of the slice; row: by
 * the attributes of the pod. */
struct price cost_price(const struct cost_report *report, uint32_t node,
                        const struct price_row *row, uint32_t cell);

/* A pod paid for this much on it. */
void cost_node_pay(struct cost_report *report, uint32_t node, int kind,
                   uint32_t cell, double hours, double cost);

/* After all pods of the slice. */
void cost_nodes_sum(struct cost_report *report, const struct grid *grid);

#endif
