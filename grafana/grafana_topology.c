/*
 * The call graph as a node graph: a frame of nodes and one of edges.
 *
 * A node of a component has the requests that it served; a database, a queue,
 * a host those of the calls to it. Its ring shows which part of them failed.
 */
#include <math.h>

#include "clock.h"
#include "component.h"
#include "grafana_columns.h"
#include "grafana_handlers.h"
#include "grafana_records.h"
#include "hash.h"
#include "topology.h"

enum { NODES_MAX = 500, EDGES_MAX = 2000 };

struct graph {
    struct grafana_query *q;
    struct topology *topology;
    double seconds;
    uint32_t node_count, nodes_cut, edges_cut;
    uint64_t *keys; /* of the nodes that are shown */
};

/* What nodes and edges have: shares sum to 1. */
struct call_numbers {
    double rate, good, client_errors, errors; /* NAN, 0: no requests */
    double p95;                               /* seconds */
};

static struct call_numbers numbers_of(const struct graph *graph,
                                      const struct metric_table *table,
                                      const struct metric_group *group)
{
    const struct red *red = &graph->topology->out; /* of both tables */
    const struct metric_expr p95 = {EXPR_QUANTILE, .number = 0.95,
                                    .args = {&red->latency}};
    double all = metric_first(table, group, red->requests);
    struct call_numbers n = {.rate = all / graph->seconds, .p95 = NAN};

    if (all < RED_NONE)
        return (struct call_numbers){.p95 = NAN};
    n.errors = fmin(metric_first(table, group, &red->errors) / all, 1);
    n.client_errors = fmin(
        metric_first(table, group, &red->client_errors) / all, 1 - n.errors);
    n.good = 1 - n.errors - n.client_errors;
    n.p95 = metric_value(table, group, &p95, 0);
    return n;
}

/* ---- names ---- */

static struct slice title_of(const struct node *node)
{
    return node->kind == NODE_COMPONENT ? node->identity.component : node->name;
}

static struct slice kind_of(const struct node *node)
{
    return node->hidden                   ? SLICE("hidden")
           : node->kind == NODE_GATEWAY   ? SLICE("gateway")
           : node->kind == NODE_COMPONENT ? SLICE("component")
                                          : slice_of(node->external);
}

static struct slice subtitle_of(const struct graph *graph,
                                const struct node *node)
{
    struct arena *arena = graph->q->request->arena;
    struct slice project = node->identity.project;
    struct slice environment = node->identity.environment;

    if (node->kind != NODE_COMPONENT)
        return node->system.len > 0 ? node->system : kind_of(node);
    if (graph->q->scope.environment.len > 0 || environment.len == 0)
        return project;
    return arena_format(arena, "%.*s / %.*s", (int)project.len, project.ptr,
                        (int)environment.len, environment.ptr);
}

static const char *icon_of(const struct node *node)
{
    static const struct {
        const char *kind, *icon;
    } icons[] = {{"database", "database"}, {"queue", "envelope"},
                 {"gateway", "cloud"},     {"host", "globe"},
                 {"hidden", "eye-slash"},  {NULL, NULL}};
    size_t i = 0;

    while (icons[i].kind &&
           !slice_equal(kind_of(node), slice_of(icons[i].kind)))
        i++;
    return icons[i].icon;
}

static const char *health_color(const struct call_numbers *n)
{
    return n->rate <= 0        ? "gray"
           : n->errors >= 0.05 ? "red"
           : n->errors >= 0.01 ? "orange"
                               : "green";
}

/* Its key, in hexadecimal: names may be equal. */
static struct slice id_of(const struct graph *graph, uint64_t key)
{
    return arena_format(graph->q->request->arena, "%016llx",
                        (unsigned long long)key);
}

/* ---- nodes ---- */

enum {
    NODE_ID,
    NODE_TITLE,
    NODE_SUBTITLE,
    NODE_RATE,
    NODE_P95,
    NODE_GOOD,
    NODE_CLIENT_ERRORS,
    NODE_ERRORS,
    NODE_IDLE,
    NODE_COLOR,
    NODE_ICON,
    NODE_NAMESPACE,
    NODE_PROJECT,
    NODE_ENVIRONMENT,
    NODE_NAME,
    NODE_TYPE,
    NODE_ERROR_RATIO,
    NODE_COLUMNS
};
static const struct column node_columns[NODE_COLUMNS] = {
    {"id", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"title", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"subtitle", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"mainstat", FIELD_NUMBER, "reqps", "Requests", NULL, NULL},
    {"secondarystat", FIELD_NUMBER, "s", "p95", NULL, NULL},
    {"arc__ok", FIELD_NUMBER, "percentunit", "Without errors", "green", NULL},
    {"arc__client_error", FIELD_NUMBER, "percentunit", "Client errors",
     "yellow", "HTTP 4xx and the like"},
    {"arc__error", FIELD_NUMBER, "percentunit", "Errors", "red", NULL},
    {"arc__idle", FIELD_NUMBER, "percentunit", "No requests", "gray", NULL},
    {"color", FIELD_STRING, NULL, "Health", NULL, NULL},
    {"icon", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"detail__namespace", FIELD_STRING, NULL, "Namespace", NULL, NULL},
    {"detail__project", FIELD_STRING, NULL, "Project", NULL, NULL},
    {"detail__environment", FIELD_STRING, NULL, "Environment", NULL, NULL},
    {"detail__component", FIELD_STRING, NULL, "Component", NULL, NULL},
    {"detail__kind", FIELD_STRING, NULL, "Kind", NULL, NULL},
    {"detail__errors", FIELD_NUMBER, "percentunit", "Error ratio", NULL, NULL},
};

static void add_numbers(struct grafana_field **f, const struct call_numbers *n)
{
    field_number(f[NODE_RATE], n->rate);
    field_number(f[NODE_P95], n->p95);
    field_number(f[NODE_GOOD], n->good);
    field_number(f[NODE_CLIENT_ERRORS], n->client_errors);
    field_number(f[NODE_ERRORS], n->errors);
    field_number(f[NODE_IDLE], n->rate > 0 ? 0 : 1);
    field_text(f[NODE_COLOR], slice_of(health_color(n)));
    field_number(f[NODE_ERROR_RATIO], n->errors);
}

static void add_node(struct graph *graph, struct grafana_field **f,
                     const struct metric_group *group)
{
    const struct node *node = group->item;
    const struct call_numbers numbers =
        numbers_of(graph, &graph->topology->nodes, group);
    const char *icon = icon_of(node);

    if (!node->shown)
        return;
    if (graph->node_count == NODES_MAX) {
        graph->nodes_cut++;
        return;
    }
    graph->keys[graph->node_count++] = group->key;
    frame_row(f[NODE_ID] ? f[NODE_ID]->frame : NULL);
    field_text(f[NODE_ID], id_of(graph, group->key));
    field_text(f[NODE_TITLE], title_of(node));
    field_text(f[NODE_SUBTITLE], subtitle_of(graph, node));
    add_numbers(f, &numbers);
    if (icon)
        field_text(f[NODE_ICON], slice_of(icon));
    field_text(f[NODE_NAMESPACE], node->identity.namespace);
    field_text(f[NODE_PROJECT], node->identity.project);
    field_text(f[NODE_ENVIRONMENT], node->identity.environment);
    field_text(f[NODE_NAME], node->identity.component);
    field_text(f[NODE_TYPE], kind_of(node));
}

/* ---- edges ---- */

enum {
    EDGE_ID,
    EDGE_SOURCE,
    EDGE_TARGET,
    EDGE_RATE,
    EDGE_P95,
    EDGE_THICKNESS,
    EDGE_COLOR,
    EDGE_DASHES,
    EDGE_ERRORS,
    EDGE_CLIENT_ERRORS,
    EDGE_PROTOCOL,
    EDGE_DRIFT,
    EDGE_COLUMNS
};
static const struct column edge_columns[EDGE_COLUMNS] = {
    {"id", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"source", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"target", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"mainstat", FIELD_NUMBER, "reqps", "Requests", NULL, NULL},
    {"secondarystat", FIELD_NUMBER, "s", "p95", NULL, NULL},
    {"thickness", FIELD_NUMBER, "none", NULL, NULL, NULL},
    {"color", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"strokedasharray", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"detail__errors", FIELD_NUMBER, "percentunit", "Errors", NULL, NULL},
    {"detail__client_errors", FIELD_NUMBER, "percentunit", "Client errors",
     NULL, NULL},
    {"detail__protocol", FIELD_STRING, NULL, "Protocol", NULL, NULL},
    {"detail__drift", FIELD_STRING, NULL, "Declaration", NULL,
     "Whether the dependency is declared in the catalogue"},
};

/* Dependencies are on endpoints, so a queue that is not declared is no
 * finding; nor is any component of which nothing is declared. */
static const char *drift_of(const struct edge *edge, bool catalogued)
{
    bool components = edge->source.kind == NODE_COMPONENT &&
                      edge->target.kind == NODE_COMPONENT;

    if (!components || !catalogued)
        return NULL;
    if (edge->declared)
        return edge->observed ? "declared" : "declared, not used";
    return edge->queue ? NULL : "used, not declared";
}

static bool is_shown_node(const struct graph *graph, uint64_t key)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->keys[i] == key)
            return true;
    return false;
}

/* Whether anything is declared of the source. */
static bool is_catalogued(const struct node *source,
                          const struct catalog_snapshot *snapshot)
{
    return catalog_component(snapshot, source->identity.namespace,
                             source->identity.project,
                             source->identity.component) != NULL;
}

static void add_edge(struct graph *graph, struct grafana_field **f,
                     const struct metric_group *group,
                     const struct catalog_snapshot *snapshot)
{
    const struct edge *edge = group->item;
    const struct call_numbers n =
        numbers_of(graph, &graph->topology->edges, group);
    const char *drift = drift_of(edge, is_catalogued(&edge->source, snapshot));
    bool failing = n.errors >= 0.01;

    if (!edge->source.shown)
        return;
    if (!is_shown_node(graph, edge->from) || !is_shown_node(graph, edge->to) ||
        (f[EDGE_ID] && f[EDGE_ID]->frame->rows == EDGES_MAX)) {
        graph->edges_cut++;
        return;
    }
    frame_row(f[EDGE_ID] ? f[EDGE_ID]->frame : NULL);
    field_text(f[EDGE_ID], id_of(graph, group->key));
    field_text(f[EDGE_SOURCE], id_of(graph, edge->from));
    field_text(f[EDGE_TARGET], id_of(graph, edge->to));
    field_number(f[EDGE_RATE], n.rate);
    field_number(f[EDGE_P95], n.p95);
    field_number(f[EDGE_THICKNESS], 1 + fmin(4, round(log10(1 + n.rate * 10))));
    field_text(f[EDGE_COLOR], slice_of(failing                    ? "red"
                                       : drift && !edge->declared ? "orange"
                                                                  : "gray"));
    if (edge->queue || !edge->observed)
        field_text(f[EDGE_DASHES], edge->queue ? SLICE("2 4") : SLICE("8 6"));
    field_number(f[EDGE_ERRORS], n.errors);
    field_number(f[EDGE_CLIENT_ERRORS], n.client_errors);
    field_text(f[EDGE_PROTOCOL], edge->protocol);
    if (drift)
        field_text(f[EDGE_DRIFT], slice_of(drift));
}

/* ---- the graph ---- */

static struct grafana_frame *graph_frame(struct grafana_query *q,
                                         const char *name,
                                         const struct column *columns,
                                         uint32_t count,
                                         struct grafana_field **f)
{
    struct grafana_frame *frame = frame_columns(q, name, columns, count, f);

    if (frame)
        frame->visual = "nodeGraph";
    return frame;
}

static void notices(const struct graph *graph, struct grafana_frame *frame)
{
    if (graph->node_count == 0)
        query_empty(graph->q, frame, "requests", SIGNAL_SPANS);
    note_narrowed(graph->q, frame);
    if (graph->nodes_cut + graph->edges_cut > 0)
        frame_notice(frame, NOTICE_WARNING,
                     "the %d nodes with most requests are shown; %u nodes and "
                     "%u edges are left out: choose a project or a component",
                     NODES_MAX, graph->nodes_cut, graph->edges_cut);
}

static void add_graph(struct graph *graph,
                      const struct catalog_snapshot *snapshot)
{
    struct topology *t = graph->topology;
    struct grafana_field *nodes[NODE_COLUMNS], *edges[EDGE_COLUMNS];
    struct grafana_frame *frame =
        graph_frame(graph->q, "nodes", node_columns, NODE_COLUMNS, nodes);
    struct metric_group **sorted = metric_sorted(&t->nodes, t->out.requests);

    graph->keys =
        arena_zero(graph->q->request->arena, NODES_MAX, sizeof(uint64_t));
    for (uint32_t i = 0; graph->keys && sorted && i < t->nodes.count; i++)
        add_node(graph, nodes, sorted[i]);
    link_node_component(nodes[NODE_ID]);
    (void)graph_frame(graph->q, "edges", edge_columns, EDGE_COLUMNS, edges);
    sorted = metric_sorted(&t->edges, t->out.requests);
    for (uint32_t i = 0; graph->keys && sorted && i < t->edges.count; i++)
        add_edge(graph, edges, sorted[i], snapshot);
    notices(graph, frame);
}

/* The component of the payload is what the graph is about: its callers and
 * callees are shown, too. So it does not narrow what is read. */
static enum status read_graph(struct grafana_query *q, struct topology *t)
{
    struct scope_filter scope = q->scope;

    *t = (struct topology){.request = q->request,
                           .scope = q->scope,
                           .resources = q->resources,
                           .component = q->scope.component,
                           .start_ns = q->start_ns,
                           .end_ns = q->end_ns,
                           .gateways = payload_bool(q, "gateways", true),
                           .external = payload_bool(q, "external", true),
                           .declared = payload_bool(q, "declared", true)};
    t->scope.component = scope.component = (struct slice){NULL, 0};
    return t->component.len > 0
               ? params_select(q->request, &scope, &t->resources)
               : OK;
}

enum status grafana_topology(struct grafana_query *q)
{
    struct topology *t = arena_zero(q->request->arena, 1, sizeof(*t));
    const struct grid grid = {q->start_ns, q->end_ns - q->start_ns,
                              q->request->now_ns, 1};
    struct graph graph = {.q = q, .topology = t};
    struct catalog_snapshot *snapshot;
    enum status s;

    if (!t)
        return OK; /* the arena is full */
    s = read_graph(q, t);
    if (s != OK)
        return s;
    graph.seconds = fmax(grid_seconds(&grid, 0), 1);
    snapshot = catalog_get(q->request->services->catalog);
    s = topology_read(t, snapshot);
    if (s == OK)
        add_graph(&graph, snapshot);
    catalog_release(snapshot);
    return s;
}
