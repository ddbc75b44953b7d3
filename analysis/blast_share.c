/* The share of requests that pass a component; see blast_share.h. */
#include "blast_share.h"

#include <math.h>

#include "array.h"
#include "component.h"
#include "graph_reply.h"

/* Calls from one endpoint to another. */
struct endpoint_call {
    uint32_t to, edge;
    double calls;
    uint32_t next;
};

enum { ITERATIONS = 64 };

/* ---- endpoints and their calls ---- */

static uint32_t endpoint_of(struct blast_shares *s, uint32_t node,
                            struct slice name)
{
    uint32_t hash = map_hash(key_text(node + 1, name));
    struct served_endpoint *added;

    map_each(&s->index, hash, at)
        if (s->endpoints[at].node == node &&
            slice_equal(s->endpoints[at].endpoint, name))
            return at;
    added = arena_append(s->graph->request->arena, &s->endpoints,
                         s->endpoint_count, &s->endpoint_room);
    if (!added || !map_add(&s->index, hash, s->endpoint_count))
        return GRAPH_NONE;
    *added = (struct served_endpoint){.node = node,
                                      .endpoint = name,
                                      .first_call = GRAPH_NONE,
                                      .next = s->first[node]};
    added->is_target = graph_is_root(s->graph, &s->graph->nodes[node]) &&
                       (s->endpoint.len == 0 || slice_equal(s->endpoint, name));
    s->first[node] = s->endpoint_count;
    return s->endpoint_count++;
}

static bool add_served(struct blast_shares *s, uint32_t node)
{
    const struct topology *t = &s->graph->topology;

    for (const struct metric_group *served = s->graph->nodes[node].node->served;
         served; served = served->next) {
        uint32_t at =
            endpoint_of(s, node, metric_label(served, SERVED_ENDPOINT));

        if (at == GRAPH_NONE)
            return false;
        s->endpoints[at].requests +=
            metric_first(&t->requests, served, t->served.requests);
    }
    return true;
}

double blast_calls(const struct topology *t, const struct edge *edge,
                   const struct metric_group *calls)
{
    return edge->out ? metric_first(&t->out_calls, calls, t->out.requests)
                     : metric_first(&t->in_calls, calls, t->in.requests);
}

static bool add_call(struct blast_shares *s, uint32_t at,
                     const struct metric_group *calls)
{
    const struct graph_edge *edge = &s->graph->edges[at];
    uint32_t from =
        endpoint_of(s, edge->source, edge_endpoint(edge->edge, calls, false));
    uint32_t to =
        endpoint_of(s, edge->target, edge_endpoint(edge->edge, calls, true));
    struct endpoint_call *call = arena_append(
        s->graph->request->arena, &s->calls, s->call_count, &s->call_room);

    if (from == GRAPH_NONE || to == GRAPH_NONE || !call)
        return false;
    *call = (struct endpoint_call){
        .to = to,
        .edge = at,
        .calls = blast_calls(&s->graph->topology, edge->edge, calls),
        .next = s->endpoints[from].first_call};
    /* A queue serves the messages that are taken out of it. */
    if (graph_is_queue(s->graph->nodes[edge->source].node))
        s->endpoints[from].requests += call->calls;
    s->endpoints[from].first_call = s->call_count++;
    return true;
}

/* Whether calls along the edge can lead to the target. */
static bool leads_on(const struct blast_shares *s,
                     const struct graph_edge *edge)
{
    const struct node *from = s->graph->nodes[edge->source].node;
    const struct node *to = s->graph->nodes[edge->target].node;
    bool queue = graph_is_queue(from) || graph_is_queue(to);

    return edge->edge->observed && !from->hidden && !to->hidden &&
           from->kind != NODE_GATEWAY && (s->queues || !queue) &&
           (to->kind == NODE_COMPONENT || queue);
}

static bool gather(struct blast_shares *s)
{
    const struct dependency_graph *g = s->graph;

    for (uint32_t i = 0; i < g->node_count; i++)
        if (!add_served(s, i))
            return false;
    for (uint32_t i = 0; i < g->edge_count; i++) {
        if (!leads_on(s, &g->edges[i]))
            continue;
        for (const struct metric_group *calls = g->edges[i].edge->calls; calls;
             calls = calls->next)
            if (!add_call(s, i, calls))
                return false;
    }
    return true;
}

/* ---- shares ---- */

/* Calls of an endpoint that lead to the target. */
static double passing(const struct blast_shares *s,
                      const struct served_endpoint *endpoint)
{
    double sum = 0;

    for (uint32_t c = endpoint->first_call; c != GRAPH_NONE;
         c = s->calls[c].next)
        sum += s->calls[c].calls * s->endpoints[s->calls[c].to].share;
    return sum;
}

/* Of a node: what its requests are altogether, and calls that lead to the
 * target but belong to no request. */
struct node_sums {
    double requests, passing_requests, loose;
};

static struct node_sums sums_of(const struct blast_shares *s, uint32_t node)
{
    struct node_sums sums = {0};

    for (uint32_t e = s->first[node]; e != GRAPH_NONE;
         e = s->endpoints[e].next) {
        const struct served_endpoint *endpoint = &s->endpoints[e];

        sums.requests += endpoint->requests;
        sums.passing_requests += endpoint->requests * endpoint->share;
        if (!(endpoint->requests > 0))
            sums.loose += passing(s, endpoint);
    }
    return sums;
}

/* One step for all endpoints of a node; the largest change. */
static double improve(struct blast_shares *s, uint32_t node)
{
    struct node_sums sums = sums_of(s, node);
    double loose = sums.requests > 0 ? sums.loose / sums.requests : 0;
    double change = 0;

    for (uint32_t e = s->first[node]; e != GRAPH_NONE;
         e = s->endpoints[e].next) {
        struct served_endpoint *endpoint = &s->endpoints[e];
        double share;

        if (endpoint->is_target)
            share = 1;
        else if (endpoint->requests > 0)
            share = passing(s, endpoint) / endpoint->requests + loose;
        else if (sums.requests > 0) /* called, it is not known where */
            share = sums.passing_requests / sums.requests;
        else /* it serves nothing, it only calls */
            share = passing(s, endpoint) > 0;
        share = fmin(1, share);
        change = fmax(change, fabs(share - endpoint->share));
        endpoint->share = share;
    }
    return change;
}

static bool find_flows(struct blast_shares *s)
{
    const struct dependency_graph *g = s->graph;

    s->flows =
        arena_zero(g->request->arena, g->edge_count + 1, sizeof(*s->flows));
    for (uint32_t i = 0; s->flows && i < s->call_count; i++)
        s->flows[s->calls[i].edge] +=
            s->calls[i].calls * s->endpoints[s->calls[i].to].share;
    return s->flows != NULL;
}

enum status blast_shares_find(struct blast_shares *s)
{
    const struct dependency_graph *g = s->graph;
    struct arena *arena = g->request->arena;
    size_t size = (g->node_count + 1) * sizeof(*s->first);
    double change = 1;

    s->index.arena = arena;
    s->first = arena_alloc(arena, size);
    if (!s->first)
        return arena_status(arena);
    memset(s->first, 0xff, size);
    if (!gather(s))
        return arena_status(arena);
    for (int i = 0; i < ITERATIONS && change > 1e-9; i++) {
        change = 0;
        for (uint32_t node = 0; node < g->node_count; node++)
            change = fmax(change, improve(s, node));
    }
    return find_flows(s) ? OK : arena_status(arena);
}

double blast_node_share(const struct blast_shares *s, uint32_t node)
{
    struct node_sums sums = sums_of(s, node);

    return sums.requests > 0 ? sums.passing_requests / sums.requests : NAN;
}

double blast_endpoint_share(const struct blast_shares *s, uint32_t node,
                            struct slice endpoint)
{
    for (uint32_t e = s->first[node]; e != GRAPH_NONE; e = s->endpoints[e].next)
        if (slice_equal(s->endpoints[e].endpoint, endpoint))
            return s->endpoints[e].share;
    return 0;
}
