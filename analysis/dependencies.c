/*
 * GET /api/v1/dependencies: what a component, a project or a namespace calls,
 * and what calls it, to a depth; as it is declared and as it was observed.
 *
 * Of a graph that is too large the nodes nearest to the scope are kept, and of
 * those the busiest, so that what is shown hangs together.
 */
#include <stdlib.h>

#include "empty_reply.h"
#include "graph_reply.h"
#include "page_link.h"
#include "routes.h"

enum { NODES_DEFAULT = 200, NODES_MAX = 1000 };

struct dependencies_summary {
    uint32_t components, projects, edges;
    uint32_t undeclared, undeclared_endpoints, unused, mismatches;
    uint32_t nodes_left_out, edges_left_out;
};

struct dependencies {
    struct dependency_graph graph;
    uint64_t limit;
    uint32_t *order;  /* nodes that are shown */
    bool *shown;      /* by node */
    uint32_t count;   /* of order */
    uint32_t reached; /* nodes */
    uint32_t *edges;  /* that are shown */
    uint32_t edge_count;
    struct node_view node;
    struct edge_view edge;
    struct dependencies_summary summary;
};

/* ---- which nodes ---- */

static uint32_t steps_to(const struct dependency_graph *g, uint32_t node)
{
    uint32_t callers = g->to_callers ? g->to_callers[node] : GRAPH_NONE;
    uint32_t callees = g->to_callees ? g->to_callees[node] : GRAPH_NONE;

    return callers < callees ? callers : callees;
}

/* A node, or an edge. */
struct ranked_part {
    uint32_t at, steps;
    double requests;
};

static int by_rank(const void *left, const void *right)
{
    const struct ranked_part *a = left, *b = right;

    if (a->steps != b->steps)
        return a->steps < b->steps ? -1 : 1;
    if (a->requests != b->requests)
        return a->requests > b->requests ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static enum status choose_nodes(struct dependencies *d)
{
    const struct dependency_graph *g = &d->graph;
    const struct topology *t = &g->topology;
    struct arena *arena = g->request->arena;
    struct ranked_part *ranked =
        arena_zero(arena, g->node_count + 1, sizeof(*ranked));

    d->order = arena_zero(arena, g->node_count + 1, sizeof(*d->order));
    d->shown = arena_zero(arena, g->node_count + 1, sizeof(*d->shown));
    if (!ranked || !d->order || !d->shown)
        return arena_status(arena);
    for (uint32_t i = 0; i < g->node_count; i++)
        if (steps_to(g, i) != GRAPH_NONE)
            ranked[d->reached++] = (struct ranked_part){
                i, steps_to(g, i),
                metric_first(&t->nodes, g->nodes[i].group, t->out.requests)};
    qsort(ranked, d->reached, sizeof(*ranked), by_rank);
    for (uint32_t i = 0; i < d->reached && d->count < d->limit; i++) {
        d->order[d->count++] = ranked[i].at;
        d->shown[ranked[i].at] = true;
    }
    return OK;
}

/* ---- which edges ---- */

static enum status choose_edges(struct dependencies *d)
{
    const struct dependency_graph *g = &d->graph;
    struct arena *arena = g->request->arena;
    struct ranked_part *ranked =
        arena_zero(arena, g->edge_count + 1, sizeof(*ranked));

    d->edges = arena_zero(arena, g->edge_count + 1, sizeof(*d->edges));
    if (!ranked || !d->edges)
        return arena_status(arena);
    for (uint32_t i = 0; i < g->edge_count; i++) {
        const struct graph_edge *edge = &g->edges[i];

        if (d->shown[edge->source] && d->shown[edge->target])
            ranked[d->edge_count++] =
                (struct ranked_part){i, 0, edge->requests};
        else if (steps_to(g, edge->source) != GRAPH_NONE &&
                 steps_to(g, edge->target) != GRAPH_NONE)
            d->summary.edges_left_out++;
    }
    qsort(ranked, d->edge_count, sizeof(*ranked), by_rank);
    for (uint32_t i = 0; i < d->edge_count; i++)
        d->edges[i] = ranked[i].at;
    return OK;
}

/* ---- what it sums up to ---- */

static bool is_first_of_project(const struct dependencies *d, uint32_t i)
{
    const struct identity *id = &d->graph.nodes[d->order[i]].node->identity;

    for (uint32_t k = 0; k < i; k++) {
        const struct node *node = d->graph.nodes[d->order[k]].node;

        if (node->kind == NODE_COMPONENT &&
            slice_equal(node->identity.namespace, id->namespace) &&
            slice_equal(node->identity.project, id->project))
            return false;
    }
    return true;
}

static void count_drift(struct dependencies_summary *sum, const char *drift)
{
    if (!drift)
        return;
    sum->undeclared += strcmp(drift, "undeclared") == 0;
    sum->undeclared_endpoints += strcmp(drift, "undeclaredEndpoint") == 0;
    sum->unused += strcmp(drift, "unused") == 0;
    sum->mismatches += strcmp(drift, "environmentMismatch") == 0;
}

static void sum_up(struct dependencies *d)
{
    struct dependencies_summary *sum = &d->summary;

    for (uint32_t i = 0; i < d->count; i++)
        if (d->graph.nodes[d->order[i]].node->kind == NODE_COMPONENT) {
            sum->components++;
            sum->projects += is_first_of_project(d, i);
        }
    sum->edges = d->edge_count;
    sum->nodes_left_out = d->reached - d->count;
    for (uint32_t i = 0; i < d->edge_count; i++)
        count_drift(sum, graph_drift(&d->graph, d->edges[i]));
}

/* ---- answering ---- */

static const struct reply_table summary_table = REPLY_TABLE(
    struct dependencies_summary,
    REPLY(struct dependencies_summary, "components", components),
    REPLY(struct dependencies_summary, "projects", projects),
    REPLY(struct dependencies_summary, "edges", edges),
    REPLY(struct dependencies_summary, "undeclared", undeclared),
    REPLY(struct dependencies_summary, "undeclaredEndpoints",
          undeclared_endpoints),
    REPLY(struct dependencies_summary, "unused", unused),
    REPLY(struct dependencies_summary, "environmentMismatches", mismatches),
    REPLY(struct dependencies_summary, "nodesLeftOut", nodes_left_out),
    REPLY(struct dependencies_summary, "edgesLeftOut", edges_left_out));

struct dependencies_view {
    struct reply_list nodes, edges;
    const struct dependencies_summary *summary;
    struct window window;
    const struct empty_reply *empty;
    struct slice link;
    int64_t took_ms;
};
static const struct reply_table dependencies_table = REPLY_TABLE(
    struct dependencies_view,
    REPLY_LIST(struct dependencies_view, "nodes", nodes, &node_view_table),
    REPLY_LIST(struct dependencies_view, "edges", edges, &edge_view_table),
    REPLY_OBJECT(struct dependencies_view, "summary", summary, REPLY_POINTER,
                 &summary_table),
    REPLY_OBJECT(struct dependencies_view, "window", window, 0, &window_table),
    REPLY_OBJECT(struct dependencies_view, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY_OPTIONAL(struct dependencies_view, "link", link),
    REPLY(struct dependencies_view, "tookMs", took_ms));

static const char *relation_of(const struct dependency_graph *g, uint32_t node)
{
    bool caller = g->to_callers && g->to_callers[node] != GRAPH_NONE;
    bool callee = g->to_callees && g->to_callees[node] != GRAPH_NONE;

    return steps_to(g, node) == 0 ? "self"
           : caller && callee     ? "both"
           : caller               ? "caller"
                                  : "callee";
}

static const void *node_item(void *arg, uint32_t i)
{
    struct dependencies *d = arg;

    node_view_fill(&d->node, &d->graph, d->order[i]);
    d->node.relation = relation_of(&d->graph, d->order[i]);
    d->node.depth = steps_to(&d->graph, d->order[i]);
    return &d->node;
}

static const void *edge_item(void *arg, uint32_t i)
{
    struct dependencies *d = arg;

    return edge_view_fill(&d->edge, &d->graph, d->edges[i]) ? &d->edge : NULL;
}

static void reply(struct dependencies *d)
{
    const struct dependency_graph *g = &d->graph;
    struct query_request *request = g->request;
    struct dependencies_view view = {
        .nodes = {.count = d->count, .item = node_item, .arg = d},
        .edges = {.count = d->edge_count, .item = edge_item, .arg = d},
        .summary = &d->summary,
        .window = {.start_ns = g->start_ns, .end_ns = g->end_ns},
        .link = page_link_text(
            request,
            &(struct page_link){.page = g->scope.component.len > 0 ? "component"
                                                                   : "project",
                                .scope = g->scope,
                                .start_ns = g->start_ns,
                                .end_ns = g->end_ns}),
        .took_ms = query_took_ms(request)};

    if (d->edge_count == 0)
        view.empty =
            empty_reply_of(request, &(struct empty_of){.scope = g->scope,
                                                       .start_ns = g->start_ns,
                                                       .end_ns = g->end_ns,
                                                       .what = "calls",
                                                       .signal = SIGNAL_SPANS});
    reply_write(&request->json, &dependencies_table, &view);
}

static enum status read_direction(struct dependency_graph *g)
{
    static const char *const words[] = {"callees", "callers", "both", NULL};
    int word = params_query_word(g->request, "direction", words);

    g->directions = word == 0   ? GRAPH_CALLEES
                    : word == 1 ? GRAPH_CALLERS
                                : GRAPH_CALLERS | GRAPH_CALLEES;
    return g->request->failed;
}

static enum status dependencies(struct query_request *request)
{
    struct dependencies *d = arena_zero(request->arena, 1, sizeof(*d));
    struct catalog_snapshot *snapshot;
    enum status s;

    if (!d)
        return arena_status(request->arena);
    d->graph.request = request;
    d->limit = NODES_DEFAULT;
    graph_params(&d->graph, 2);
    params_query_number(request, "limit", 1, NODES_MAX, &d->limit);
    if (read_direction(&d->graph) != OK)
        return request->failed;
    snapshot = catalog_get(request->services->catalog);
    d->graph.snapshot = snapshot;
    s = graph_read(&d->graph);
    if (s == OK)
        s = choose_nodes(d);
    if (s == OK)
        s = choose_edges(d);
    if (s == OK) {
        sum_up(d);
        reply(d);
    }
    catalog_release(snapshot);
    return s;
}

const struct route routes_dependencies[] = {
    {"GET", "/api/v1/dependencies", ACTION_METRICS_VIEW, SCOPE_NARROWED,
     dependencies, NULL, 0, 0, &dependencies_table},
    {0},
};
