/*
 * excess - how much of the time that a component takes longer, and of the
 * requests that fail more often, is its own, and how much it got from those
 * that it calls.
 *
 * What callees take longer adds up in seconds: a caller's own part is what its
 * callees do not explain. So a large number at a caller is no evidence against
 * it, and a callee whose rise is a tiny part of its caller's explains nothing.
 *
 * The graph may lack calls. A component whose rise nobody explains probably
 * calls one that has the same rise since the same time, if that stands beside
 * it below the same caller (a load balancer and its target), or if nobody is
 * known to call it.
 */
#ifndef EXCESS_H
#define EXCESS_H

#include "component_flows.h"

struct excess_share {
    uint32_t caller, callee;
    enum flow_kind kind;
    double share; /* of the caller's rise that the callee explains */
};

struct excess {
    double *own[FLOW_KINDS]; /* by candidate: 0 to 1; 1 if not known */
    /* By candidate: the callee of which most calls fail, as who calls again or
     * waits for answers that do not come is slow; or NO_INDEX. */
    uint32_t *failing_callee;
    struct excess_share *shares;
    uint32_t share_count, share_room;
};

/* False: the arena is full. */
MUST_CHECK bool excess_find(struct excess *excess,
                            const struct flow_list *flows,
                            const struct call_graph *graph,
                            struct arena *arena);

#endif
