/* The graph as JSON. */
#include "topology_reply.h"
#include "reply_metrics.h"

static const struct reply_table node_identity_table = REPLY_TABLE(
    struct identity, REPLY_OPTIONAL(struct identity, "namespace", namespace),
    REPLY_OPTIONAL(struct identity, "project", project),
    REPLY_UID(struct identity, "projectUid", project_uid),
    REPLY_OPTIONAL(struct identity, "component", component),
    REPLY_UID(struct identity, "componentUid", component_uid));

static const struct reply_table node_members = REPLY_TABLE(
    struct node, REPLY_INLINE(struct node, identity, 0, &node_identity_table),
    REPLY_OPTIONAL(struct node, "service", service),
    REPLY_OPTIONAL(struct node, "name", name),
    REPLY_OPTIONAL(struct node, "host", host),
    REPLY_OPTIONAL(struct node, "externalKind", external),
    REPLY_OPTIONAL(struct node, "system", system));

struct edge_end {
    const char *kind;
    const struct node *node;
};
static const struct reply_table edge_end_table = REPLY_TABLE(
    struct edge_end, REPLY(struct edge_end, "kind", kind),
    REPLY_INLINE(struct edge_end, node, REPLY_POINTER, &node_members));

/* 0 where there were no requests. */
struct call_figures {
    double requests, unsuccessful, mean, p50, p90, p99;
};
static const struct reply_table call_figures_table = REPLY_TABLE(
    struct call_figures, REPLY(struct call_figures, "requestCount", requests),
    REPLY(struct call_figures, "unsuccessfulRequestCount", unsuccessful),
    REPLY(struct call_figures, "meanLatency", mean),
    REPLY(struct call_figures, "latencyP50", p50),
    REPLY(struct call_figures, "latencyP90", p90),
    REPLY(struct call_figures, "latencyP99", p99));

struct node_item {
    struct edge_end end;
    struct call_figures metrics;
};
static const struct reply_table node_table = REPLY_TABLE(
    struct node_item, REPLY_INLINE(struct node_item, end, 0, &edge_end_table),
    REPLY_OBJECT(struct node_item, "metrics", metrics, 0, &call_figures_table));

struct edge_item {
    struct slice id;
    struct edge_end source, target;
    const char *protocol;
    struct slice application_protocol;
    const char *via;
    const bool *declared, *observed; /* NULL: it cannot be */
    struct call_figures metrics;
};
static const struct reply_table edge_table = REPLY_TABLE(
    struct edge_item, REPLY(struct edge_item, "id", id),
    REPLY_OBJECT(struct edge_item, "source", source, 0, &edge_end_table),
    REPLY_OBJECT(struct edge_item, "target", target, 0, &edge_end_table),
    REPLY(struct edge_item, "protocol", protocol),
    REPLY_OPTIONAL(struct edge_item, "applicationProtocol",
                   application_protocol),
    REPLY_OPTIONAL(struct edge_item, "via", via),
    REPLY_ROW_OF(struct edge_item, "declared", declared, const bool *,
                 REPLY_TYPE_BOOL, REPLY_POINTER, NULL),
    REPLY_ROW_OF(struct edge_item, "observed", observed, const bool *,
                 REPLY_TYPE_BOOL, REPLY_POINTER, NULL),
    REPLY_OBJECT(struct edge_item, "metrics", metrics, 0, &call_figures_table));

struct topology_summary {
    uint64_t start_ns, end_ns, now_ns;
    uint32_t nodes_left_out, edges_left_out;
};
static const struct reply_table topology_summary_table = REPLY_TABLE(
    struct topology_summary,
    REPLY_TIME(struct topology_summary, "startTime", start_ns),
    REPLY_TIME(struct topology_summary, "endTime", end_ns),
    REPLY_TIME(struct topology_summary, "generatedAt", now_ns),
    REPLY_OPTIONAL(struct topology_summary, "nodesLeftOut", nodes_left_out),
    REPLY_OPTIONAL(struct topology_summary, "edgesLeftOut", edges_left_out));

struct topology_view {
    struct reply_list nodes, edges;
    struct topology_summary summary;
};
const struct reply_table topology_table =
    REPLY_TABLE(struct topology_view,
                REPLY_LIST(struct topology_view, "nodes", nodes, &node_table),
                REPLY_LIST(struct topology_view, "edges", edges, &edge_table),
                REPLY_OBJECT(struct topology_view, "summary", summary, 0,
                             &topology_summary_table));

/* ---- filling it ---- */

struct graph_list {
    struct topology *topology;
    struct metric_group **groups;
    struct node_item node;
    struct edge_item edge;
};

static struct edge_end end_of(const struct node *node)
{
    static const char *const kinds[] = {"component", "gateway", "external"};

    return (struct edge_end){kinds[node->kind], node};
}

static struct call_figures figures_of(const struct topology *t,
                                      const struct metric_table *table,
                                      const struct metric_group *group)
{
    const struct red *red = &t->out; /* of both tables */
    struct call_figures f = {
        .requests = metric_first(table, group, red->requests),
        .unsuccessful = metric_first(table, group, &red->unsuccessful)};

    if (f.requests > 0) {
        f.mean = metric_value(table, group, &red->rows[RED_MEAN], 0);
        f.p50 = metric_value(table, group, &red->rows[RED_P50], 0);
        f.p90 = metric_value(table, group, &red->rows[RED_P90], 0);
        f.p99 = metric_value(table, group, &red->rows[RED_P99], 0);
    }
    return f;
}

static const void *node_item(void *arg, uint32_t i)
{
    struct graph_list *list = arg;
    const struct node *node = list->groups[i]->item;

    list->node.end = end_of(node);
    list->node.metrics =
        figures_of(list->topology, &list->topology->nodes, list->groups[i]);
    return node->shown ? &list->node : NULL;
}

static void name_node(struct buf *out, const struct node *node)
{
    if (node->kind == NODE_GATEWAY)
        buf_add(out, SLICE("gateway:"));
    else if (node->kind == NODE_EXTERNAL)
        buf_add(out, SLICE("external:"));
    buf_add(out, node->kind == NODE_COMPONENT ? node->identity.component
                                              : node->name);
    if (node->kind == NODE_COMPONENT && node->service.len > 0) {
        buf_byte(out, ':');
        buf_add(out, node->service);
    }
}

static struct slice edge_id(struct topology *t, const struct edge *edge)
{
    struct slice id;
    struct buf text;

    buf_init(&text, 4096);
    name_node(&text, &edge->source);
    buf_add(&text, SLICE("->"));
    name_node(&text, &edge->target);
    id = arena_copy(t->request->arena, buf_slice(&text));
    buf_release(&text);
    return id;
}

static const void *edge_item(void *arg, uint32_t i)
{
    struct graph_list *list = arg;
    struct topology *t = list->topology;
    const struct edge *edge = list->groups[i]->item;
    struct edge_item *item = &list->edge;
    bool components = edge->source.kind == NODE_COMPONENT &&
                      edge->target.kind == NODE_COMPONENT;

    *item = (struct edge_item){
        .id = edge_id(t, edge),
        .source = end_of(&edge->source),
        .target = end_of(&edge->target),
        .protocol = "http", /* the only value in OpenChoreo's contract */
        .application_protocol = edge->protocol,
        .via = edge->queue ? "queue" : NULL,
        .metrics = figures_of(t, &t->edges, list->groups[i])};
    /* Dependencies are on endpoints, so a queue that is not declared is no
     * finding. */
    if (components && (edge->declared || !edge->queue))
        item->declared = &edge->declared;
    if (components)
        item->observed = &edge->observed;
    return edge->source.shown ? item : NULL;
}

enum status topology_reply(struct topology *t)
{
    struct graph_list nodes = {.topology = t}, edges = {.topology = t};
    struct topology_view view = {
        .summary = {t->start_ns, t->end_ns, t->request->now_ns,
                    t->nodes_left_out, t->edges_left_out}};

    nodes.groups = metric_sorted(&t->nodes, t->out.requests);
    edges.groups = metric_sorted(&t->edges, t->out.requests);
    if (!nodes.groups || !edges.groups)
        return arena_status(t->request->arena);
    view.nodes = (struct reply_list){
        .count = t->nodes.count, .item = node_item, .arg = &nodes};
    view.edges = (struct reply_list){
        .count = t->edges.count, .item = edge_item, .arg = &edges};
    reply_write(&t->request->json, &topology_table, &view);
    return OK;
}
