/* blast_radius - what the files of this answer share. */
#ifndef BLAST_RADIUS_H
#define BLAST_RADIUS_H

#include "blast_share.h"
#include "blast_traces.h"
#include "graph_reply.h"

/* Requests that users send, as they arrive at an endpoint. */
struct entry_point {
    const struct node *gateway, *component;
    struct slice gateway_name, namespace, project, component_name, endpoint;
    uint32_t node;
    double requests, rate;
    double share;       /* that passes the target */
    const char *method; /* traces; NULL: series */
    double with_queues; /* or ends in a queue that leads to it */
};

struct blast_radius {
    struct dependency_graph graph;
    struct slice endpoint;              /* empty: all */
    uint64_t limit;                     /* of each list */
    struct blast_shares direct, queued; /* without and with queues */
    struct blast_sample sample;
    bool sampled; /* there is a sample: shares are from traces */
    /* Steps by node, or GRAPH_NONE. */
    uint32_t *called_steps; /* to the target, by calls that wait for it */
    uint32_t *any_steps;    /* and through queues */
    uint32_t *declared_steps;
    uint32_t *consumer_steps; /* from it, through queues alone */
    uint32_t *needed_steps;
    struct entry_point *entries;
    uint32_t entry_count, entry_room;
};

/* The next node and edge on the way with most calls to the target; GRAPH_NONE:
 * it is the target. */
uint32_t blast_next_edge(const struct blast_radius *blast, uint32_t node,
                         bool queued);

extern const struct reply_table blast_radius_table;
MUST_CHECK enum status blast_radius_reply(struct blast_radius *blast);

#endif
