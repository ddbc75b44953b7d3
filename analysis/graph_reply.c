/* Nodes and edges in answers; see graph_reply.h. */
#include "graph_reply.h"

/* ---- nodes ---- */

static const struct reply_table graph_names_table = REPLY_TABLE(
    struct node, REPLY_OPTIONAL(struct node, "namespace", identity.namespace),
    REPLY_OPTIONAL(struct node, "project", identity.project),
    REPLY_OPTIONAL(struct node, "component", identity.component),
    REPLY_OPTIONAL(struct node, "environment", identity.environment),
    REPLY_OPTIONAL(struct node, "name", name),
    REPLY_OPTIONAL(struct node, "host", host),
    REPLY_OPTIONAL(struct node, "system", system));

const struct reply_table node_view_table = REPLY_TABLE(
    struct node_view, REPLY(struct node_view, "id", id),
    REPLY(struct node_view, "kind", kind),
    REPLY_INLINE(struct node_view, node, REPLY_POINTER, &graph_names_table),
    REPLY_OPTIONAL(struct node_view, "relation", relation),
    REPLY(struct node_view, "depth", depth),
    REPLY_ROW_OF(struct node_view, "declared", declared, const bool *,
                 REPLY_TYPE_BOOL, REPLY_POINTER, NULL),
    REPLY_OPTIONAL_TIME(struct node_view, "lastSeen", last_seen_ns),
    REPLY_INLINE(struct node_view, figures, 0, &figures_table));

void node_view_fill(struct node_view *view, const struct dependency_graph *g,
                    uint32_t at)
{
    const struct graph_node *node = &g->nodes[at];
    const struct topology *t = &g->topology;

    *view = (struct node_view){
        .id = graph_id(g, node->node),
        .kind = graph_kind(node->node),
        .node = node->node,
        .catalogued = node->declared != NULL,
        .last_seen_ns =
            node->info ? component_last_seen(node->info, SIGNAL_COUNT) : 0};
    if (node->node->kind == NODE_COMPONENT)
        view->declared = &view->catalogued;
    figures_set(&view->figures, &t->out, &t->nodes, node->group);
}

/* ---- drift ---- */

/* Whether a dependency of the source covers this endpoint of the target; empty:
 * any, or not known which. */
static bool covers(const struct dependency_graph *g,
                   const struct graph_edge *edge, struct slice endpoint)
{
    const struct catalog_component *c = g->nodes[edge->source].declared;
    const struct identity *id = &g->nodes[edge->target].node->identity;

    for (uint32_t i = 0; c && i < c->dependency_count; i++) {
        const struct catalog_dependency *d = &c->dependencies[i];
        struct slice space = d->namespace.len ? d->namespace : c->namespace;
        struct slice project = d->project.len ? d->project : c->project;

        if (slice_equal(space, id->namespace) &&
            slice_equal(project, id->project) &&
            slice_equal(d->component, id->component) &&
            (endpoint.len == 0 || d->endpoint.len == 0 ||
             slice_equal(d->endpoint, endpoint)))
            return true;
    }
    return false;
}

static bool is_between_components(const struct dependency_graph *g,
                                  const struct graph_edge *edge)
{
    return g->nodes[edge->source].node->kind == NODE_COMPONENT &&
           g->nodes[edge->target].node->kind == NODE_COMPONENT;
}

static bool are_endpoints_covered(const struct dependency_graph *g,
                                  const struct graph_edge *edge)
{
    for (const struct metric_group *calls = edge->edge->calls; calls;
         calls = calls->next)
        if (!covers(g, edge, edge_endpoint(edge->edge, calls, true)))
            return false;
    return true;
}

/* It calls something that may not be seen, perhaps this. */
static bool calls_hidden(const struct dependency_graph *g, uint32_t source)
{
    for (uint32_t e = g->nodes[source].first_out; e != GRAPH_NONE;
         e = g->edges[e].next_out)
        if (g->nodes[g->edges[e].target].node->hidden)
            return true;
    return false;
}

const char *graph_drift(const struct dependency_graph *g, uint32_t at)
{
    const struct graph_edge *edge = &g->edges[at];
    const struct node *source = g->nodes[edge->source].node;
    const struct node *target = g->nodes[edge->target].node;

    if (!is_between_components(g, edge))
        return NULL;
    if (!edge->edge->observed)
        return g->nodes[edge->target].info || !calls_hidden(g, edge->source)
                   ? "unused"
                   : NULL;
    if (source->identity.environment.len > 0 &&
        target->identity.environment.len > 0 &&
        !slice_equal(source->identity.environment,
                     target->identity.environment))
        return "environmentMismatch";
    if (!g->nodes[edge->source].declared)
        return NULL; /* nothing of it is in the catalogue */
    if (!edge->edge->declared)
        return "undeclared";
    return are_endpoints_covered(g, edge) ? NULL : "undeclaredEndpoint";
}

/* ---- edges ---- */

static const struct reply_table endpoint_view_table = REPLY_TABLE(
    struct endpoint_view,
    REPLY_OPTIONAL(struct endpoint_view, "sourceEndpoint", from),
    REPLY_OPTIONAL(struct endpoint_view, "endpoint", to),
    REPLY_OPTIONAL(struct endpoint_view, "protocol", protocol),
    REPLY_ROW_OF(struct endpoint_view, "declared", declared, const bool *,
                 REPLY_TYPE_BOOL, REPLY_POINTER, NULL),
    REPLY_INLINE(struct endpoint_view, figures, 0, &figures_table));

const struct reply_table edge_view_table = REPLY_TABLE(
    struct edge_view, REPLY(struct edge_view, "source", source),
    REPLY(struct edge_view, "target", target),
    REPLY_OPTIONAL(struct edge_view, "protocol", protocol),
    REPLY_ROW_OF(struct edge_view, "declared", declared, const bool *,
                 REPLY_TYPE_BOOL, REPLY_POINTER, NULL),
    REPLY(struct edge_view, "observed", is_observed),
    REPLY_OPTIONAL(struct edge_view, "drift", drift),
    REPLY_OPTIONAL_TIME(struct edge_view, "lastSeen", last_seen_ns),
    REPLY_INLINE(struct edge_view, figures, 0, &figures_table),
    REPLY_LIST(struct edge_view, "endpoints", endpoints, &endpoint_view_table));

struct slice edge_endpoint(const struct edge *edge,
                           const struct metric_group *calls, bool of_target)
{
    const struct node *node = of_target ? &edge->target : &edge->source;
    bool own = edge->out != of_target;

    if (node->hidden)
        return (struct slice){NULL, 0};
    return metric_label(calls, own ? CALL_ENDPOINT : CALL_PEER_ENDPOINT);
}

/* Its calls by pairs of endpoints. */
struct endpoint_list {
    const struct dependency_graph *graph;
    const struct graph_edge *edge;
    struct metric_table table;
    struct metric_group **sorted;
    struct endpoint_view view;
};

static bool group_endpoints(struct endpoint_list *list)
{
    const struct dependency_graph *g = list->graph;
    const struct topology *t = &g->topology;
    const struct edge *edge = list->edge->edge;

    red_table_init(&list->table, g->request->arena, &t->edges.grid, NULL,
                   &t->out);
    for (struct metric_group *calls = edge->calls; calls; calls = calls->next) {
        uint64_t key = key_text(1, edge_endpoint(edge, calls, false));
        struct metric_group *group;

        key = key_text(key, edge_endpoint(edge, calls, true));
        key = key_text(key, metric_label(calls, CALL_PROTOCOL));
        group = metric_group_at(&list->table, key);
        if (!group || !metric_group_add(&list->table, group, calls))
            return false;
        group->item = calls;
    }
    list->sorted = metric_sorted(&list->table, t->out.requests);
    return list->sorted != NULL;
}

static const void *endpoint_item(void *arg, uint32_t i)
{
    struct endpoint_list *list = arg;
    const struct dependency_graph *g = list->graph;
    const struct metric_group *calls = list->sorted[i]->item;
    struct endpoint_view *view = &list->view;

    *view = (struct endpoint_view){
        .from = edge_endpoint(list->edge->edge, calls, false),
        .to = edge_endpoint(list->edge->edge, calls, true),
        .protocol = metric_label(calls, CALL_PROTOCOL)};
    view->covered = covers(g, list->edge, view->to);
    if (g->nodes[list->edge->source].declared &&
        is_between_components(g, list->edge))
        view->declared = &view->covered;
    figures_set(&view->figures, &g->topology.out, &list->table,
                list->sorted[i]);
    return &list->view;
}

static bool add_endpoints(struct edge_view *view,
                          const struct dependency_graph *g,
                          const struct graph_edge *edge)
{
    struct endpoint_list *list =
        arena_zero(g->request->arena, 1, sizeof(*list));

    if (!list)
        return false;
    list->graph = g;
    list->edge = edge;
    if (!group_endpoints(list))
        return false;
    view->endpoints = (struct reply_list){
        .count = list->table.count, .item = endpoint_item, .arg = list};
    return true;
}

bool edge_view_fill(struct edge_view *view, const struct dependency_graph *g,
                    uint32_t at)
{
    const struct graph_edge *edge = &g->edges[at];
    const struct topology *t = &g->topology;

    *view =
        (struct edge_view){.source = graph_id(g, g->nodes[edge->source].node),
                           .target = graph_id(g, g->nodes[edge->target].node),
                           .protocol = edge->edge->protocol,
                           .is_declared = edge->edge->declared,
                           .is_observed = edge->edge->observed,
                           .drift = graph_drift(g, at),
                           .last_seen_ns = edge->edge->last_ns};
    if (is_between_components(g, edge) &&
        (edge->edge->declared || g->nodes[edge->source].declared))
        view->declared = &view->is_declared;
    figures_set(&view->figures, &t->out, &t->edges, edge->group);
    return add_endpoints(view, g, edge);
}
