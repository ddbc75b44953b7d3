/*
 * GET /api/v1/blast-radius: who is hit if a component, or one of its endpoints,
 * fails or is moved: its callers to a depth, with the share of their requests
 * and of users' requests that pass it; and what it needs itself.
 */
#include "blast_radius.h"

#include "array.h"
#include "component.h"
#include "routes.h"

enum { LIST_DEFAULT = 200, LIST_MAX = 1000 };

/* ---- entry points ---- */

static void take_sampled(const struct blast_radius *b,
                         struct entry_point *entry)
{
    const struct sampled_requests *sampled =
        blast_sampled_entry(&b->sample, entry->node, entry->endpoint);

    entry->method = blast_is_sampled(sampled, entry->share) ? "traces" : NULL;
    entry->share = blast_sampled_share(sampled, false, entry->share);
    entry->with_queues = blast_sampled_share(sampled, true, entry->with_queues);
}

static bool add_entry(struct blast_radius *b, const struct graph_edge *edge,
                      const struct metric_group *calls)
{
    const struct dependency_graph *g = &b->graph;
    struct slice endpoint = edge_endpoint(edge->edge, calls, true);
    double requests = blast_calls(&g->topology, edge->edge, calls);
    struct entry_point *entry = NULL;

    for (uint32_t i = 0; i < b->entry_count && !entry; i++)
        if (b->entries[i].node == edge->target &&
            b->entries[i].gateway == g->nodes[edge->source].node &&
            slice_equal(b->entries[i].endpoint, endpoint))
            entry = &b->entries[i];
    if (!entry) {
        entry = arena_append(g->request->arena, &b->entries, b->entry_count,
                             &b->entry_room);
        if (!entry)
            return false;
        *entry = (struct entry_point){
            .gateway = g->nodes[edge->source].node,
            .component = g->nodes[edge->target].node,
            .endpoint = endpoint,
            .node = edge->target,
            .share = blast_endpoint_share(&b->direct, edge->target, endpoint),
            .with_queues =
                blast_endpoint_share(&b->queued, edge->target, endpoint)};
        if (b->sampled)
            take_sampled(b, entry);
        b->entry_count++;
    }
    entry->requests += requests;
    return true;
}

/* In the namespace and environment of the target, or of a component from which
 * calls lead to it. */
static bool is_near(const struct blast_radius *b, const struct node *node)
{
    const struct dependency_graph *g = &b->graph;

    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct identity *id = &g->nodes[i].node->identity;

        if ((graph_is_root(g, &g->nodes[i]) || b->any_steps[i] != GRAPH_NONE) &&
            slice_equal(id->namespace, node->identity.namespace) &&
            (id->environment.len == 0 ||
             slice_equal(id->environment, node->identity.environment)))
            return true;
    }
    return false;
}

static enum status find_entries(struct blast_radius *b)
{
    const struct dependency_graph *g = &b->graph;

    for (uint32_t i = 0; i < g->edge_count; i++) {
        const struct graph_edge *edge = &g->edges[i];

        if (g->nodes[edge->source].node->kind != NODE_GATEWAY ||
            !is_near(b, g->nodes[edge->target].node))
            continue;
        for (const struct metric_group *calls = edge->edge->calls; calls;
             calls = calls->next)
            if (!add_entry(b, edge, calls))
                return arena_status(g->request->arena);
    }
    return OK;
}

/* ---- the way to the target ---- */

uint32_t blast_next_edge(const struct blast_radius *b, uint32_t node,
                         bool queued)
{
    const struct dependency_graph *g = &b->graph;
    const uint32_t *steps = queued ? b->any_steps : b->called_steps;
    const double *flows = queued ? b->queued.flows : b->direct.flows;
    uint32_t best = GRAPH_NONE;

    for (uint32_t e = g->nodes[node].first_out;
         e != GRAPH_NONE && steps[node] > 0; e = g->edges[e].next_out) {
        uint32_t to = g->edges[e].target;
        bool queue = graph_is_queue(g->nodes[to].node);
        bool nearer =
            steps[to] != GRAPH_NONE && (steps[to] + 1 == steps[node] ||
                                        (queue && steps[to] == steps[node]));

        if (nearer && g->edges[e].edge->observed && (queued || !queue) &&
            (best == GRAPH_NONE || flows[e] > flows[best]))
            best = e;
    }
    return best;
}

/* ---- reading ---- */

static enum status find_shares(struct blast_radius *b)
{
    enum status s;

    b->direct =
        (struct blast_shares){.graph = &b->graph, .endpoint = b->endpoint};
    b->queued = b->direct;
    b->queued.queues = true;
    s = blast_shares_find(&b->direct);
    return s == OK ? blast_shares_find(&b->queued) : s;
}

/* Traces may be seen by those who have the action for it. */
static enum status find_sample(struct blast_radius *b)
{
    struct query_request *request = b->graph.request;
    enum status s =
        params_may_see(request, ACTION_TRACES_VIEW, &b->graph.scope);

    b->sample =
        (struct blast_sample){.graph = &b->graph, .endpoint = b->endpoint};
    if (s == ERR_FORBIDDEN && request->failed == OK)
        return OK;
    if (s == OK)
        s = blast_sample_read(&b->sample);
    b->sampled = s == OK && b->sample.all.all > 0;
    return s;
}

static enum status find_steps(struct blast_radius *b)
{
    const struct dependency_graph *g = &b->graph;

    b->called_steps = graph_walk(g, GRAPH_CALLERS, WALK_OBSERVED | WALK_CALLS);
    b->any_steps =
        graph_walk(g, GRAPH_CALLERS, WALK_OBSERVED | WALK_CALLS | WALK_QUEUES);
    b->declared_steps = graph_walk(g, GRAPH_CALLERS, WALK_ALL);
    b->consumer_steps =
        graph_walk(g, GRAPH_CALLEES, WALK_OBSERVED | WALK_QUEUES);
    b->needed_steps = graph_walk(g, GRAPH_CALLEES, WALK_OBSERVED | WALK_CALLS);
    return arena_status(g->request->arena);
}

static enum status answer(struct blast_radius *b)
{
    uint64_t depth = b->graph.depth;
    enum status s;

    /* Users may be further away than what is listed. */
    b->graph.depth = GRAPH_MAX_DEPTH;
    s = graph_read(&b->graph);
    b->graph.depth = depth;
    if (s == OK)
        s = find_steps(b);
    if (s == OK)
        s = find_shares(b);
    if (s == OK)
        s = find_sample(b);
    if (s == OK)
        s = find_entries(b);
    return s == OK ? blast_radius_reply(b) : s;
}

static enum status blast_radius(struct query_request *request)
{
    struct blast_radius *b = arena_zero(request->arena, 1, sizeof(*b));
    struct catalog_snapshot *snapshot;
    enum status s;

    if (!b)
        return arena_status(request->arena);
    b->graph.request = request;
    b->graph.directions = GRAPH_CALLERS | GRAPH_CALLEES;
    b->limit = LIST_DEFAULT;
    b->endpoint = query_param(request, "endpoint");
    graph_params(&b->graph, 3);
    params_query_number(request, "limit", 1, LIST_MAX, &b->limit);
    if (request->failed == OK && b->graph.scope.component.len == 0)
        query_invalid(request, "component is required");
    if (request->failed != OK)
        return request->failed;
    snapshot = catalog_get(request->services->catalog);
    b->graph.snapshot = snapshot;
    s = answer(b);
    catalog_release(snapshot);
    return s;
}

const struct route routes_blast_radius[] = {
    {"GET", "/api/v1/blast-radius", ACTION_METRICS_VIEW, SCOPE_NARROWED,
     blast_radius, NULL, 0, 0, &blast_radius_table},
    {0},
};
