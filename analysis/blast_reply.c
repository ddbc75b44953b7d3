/* The answer of blast_radius.c as JSON. */
#include <math.h>
#include <stdlib.h>

#include "blast_radius.h"
#include "empty_reply.h"
#include "page_link.h"

struct caller_view {
    struct node_view node;
    struct reply_list path, endpoints; /* texts */
    double calls_per_request, share;
    const char *method;
    bool asynchronous;
};
static const struct reply_table caller_table = REPLY_TABLE(
    struct caller_view,
    REPLY_INLINE(struct caller_view, node, 0, &node_view_table),
    REPLY_LIST(struct caller_view, "path", path, &reply_texts),
    REPLY_LIST(struct caller_view, "endpoints", endpoints, &reply_texts),
    REPLY_NULLABLE(struct caller_view, "callsPerRequest", calls_per_request),
    REPLY_NULLABLE(struct caller_view, "share", share),
    REPLY(struct caller_view, "method", method),
    REPLY(struct caller_view, "asynchronous", asynchronous));

static const struct reply_table entry_table = REPLY_TABLE(
    struct entry_point, REPLY(struct entry_point, "gateway", gateway_name),
    REPLY(struct entry_point, "namespace", namespace),
    REPLY(struct entry_point, "project", project),
    REPLY(struct entry_point, "component", component_name),
    REPLY_OPTIONAL(struct entry_point, "endpoint", endpoint),
    REPLY(struct entry_point, "requestCount", requests),
    REPLY(struct entry_point, "requestRate", rate),
    REPLY(struct entry_point, "share", share),
    REPLY(struct entry_point, "shareWithQueues", with_queues),
    REPLY(struct entry_point, "method", method));

struct blast_summary {
    uint32_t components, asynchronous, declared, consumers, projects, endpoints,
        entry_points, left_out;
    double user_rate, user_share, user_share_with_queues;
    double sampled; /* requests of users */
    const char *method;
};
static const struct reply_table blast_summary_table = REPLY_TABLE(
    struct blast_summary, REPLY(struct blast_summary, "components", components),
    REPLY(struct blast_summary, "asynchronousComponents", asynchronous),
    REPLY(struct blast_summary, "declaredOnlyComponents", declared),
    REPLY(struct blast_summary, "consumers", consumers),
    REPLY(struct blast_summary, "projects", projects),
    REPLY(struct blast_summary, "endpoints", endpoints),
    REPLY(struct blast_summary, "entryPoints", entry_points),
    REPLY(struct blast_summary, "callersLeftOut", left_out),
    REPLY(struct blast_summary, "userRequestRate", user_rate),
    REPLY_NULLABLE(struct blast_summary, "userRequestShare", user_share),
    REPLY_NULLABLE(struct blast_summary, "userRequestShareWithQueues",
                   user_share_with_queues),
    REPLY(struct blast_summary, "method", method),
    REPLY(struct blast_summary, "sampledRequests", sampled));

struct blast_view {
    struct reply_list targets, callers, declared, consumers, needs, entries;
    struct slice endpoint;
    struct blast_summary summary;
    struct window window;
    const struct empty_reply *empty;
    struct slice link;
    int64_t took_ms;
};
const struct reply_table blast_radius_table = REPLY_TABLE(
    struct blast_view,
    REPLY_LIST(struct blast_view, "targets", targets, &node_view_table),
    REPLY_OPTIONAL(struct blast_view, "endpoint", endpoint),
    REPLY_LIST(struct blast_view, "callers", callers, &caller_table),
    REPLY_LIST(struct blast_view, "declaredCallers", declared,
               &node_view_table),
    REPLY_LIST(struct blast_view, "consumers", consumers, &node_view_table),
    REPLY_LIST(struct blast_view, "needs", needs, &node_view_table),
    REPLY_LIST(struct blast_view, "entryPoints", entries, &entry_table),
    REPLY_OBJECT(struct blast_view, "summary", summary, 0,
                 &blast_summary_table),
    REPLY_OBJECT(struct blast_view, "window", window, 0, &window_table),
    REPLY_OBJECT(struct blast_view, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY_OPTIONAL(struct blast_view, "link", link),
    REPLY(struct blast_view, "tookMs", took_ms));

/* ---- which nodes ---- */

struct part_list {
    struct blast_radius *blast;
    const uint32_t *steps;
    uint32_t *nodes; /* nearest first, then busiest */
    uint32_t count, left_out;
    struct node_view node;
    struct caller_view caller;
};

/* What is in a list: whether node i is, and how far away. */
typedef uint32_t part_steps(const struct blast_radius *blast, uint32_t node);

static uint32_t target_steps(const struct blast_radius *b, uint32_t i)
{
    return graph_is_root(&b->graph, &b->graph.nodes[i]) ? 0 : GRAPH_NONE;
}

static bool is_outer_component(const struct blast_radius *b, uint32_t i)
{
    return b->graph.nodes[i].node->kind == NODE_COMPONENT &&
           target_steps(b, i) == GRAPH_NONE;
}

/* Of one endpoint, only those whose calls lead there. */
static bool leads_there(const struct blast_radius *b, uint32_t i)
{
    for (uint32_t e = b->queued.first[i]; e != GRAPH_NONE;
         e = b->queued.endpoints[e].next)
        if (b->queued.endpoints[e].share > 0)
            return true;
    return b->endpoint.len == 0;
}

static bool is_hit_at_once(const struct blast_radius *b, uint32_t i)
{
    return b->called_steps[i] != GRAPH_NONE;
}

static uint32_t caller_steps(const struct blast_radius *b, uint32_t i)
{
    if (b->graph.nodes[i].node->hidden)
        return b->any_steps[i];
    if (!is_outer_component(b, i) || !leads_there(b, i))
        return GRAPH_NONE;
    return is_hit_at_once(b, i) ? b->called_steps[i] : b->any_steps[i];
}

static uint32_t declared_steps(const struct blast_radius *b, uint32_t i)
{
    return is_outer_component(b, i) && b->any_steps[i] == GRAPH_NONE
               ? b->declared_steps[i]
               : GRAPH_NONE;
}

static uint32_t consumer_steps(const struct blast_radius *b, uint32_t i)
{
    return is_outer_component(b, i) ? b->consumer_steps[i] : GRAPH_NONE;
}

static uint32_t needed_steps(const struct blast_radius *b, uint32_t i)
{
    return target_steps(b, i) == GRAPH_NONE ? b->needed_steps[i] : GRAPH_NONE;
}

struct part_rank {
    uint32_t node, steps;
    double requests;
};

static int by_rank(const void *left, const void *right)
{
    const struct part_rank *a = left, *b = right;

    if (a->steps != b->steps)
        return a->steps < b->steps ? -1 : 1;
    if (a->requests != b->requests)
        return a->requests > b->requests ? -1 : 1;
    return (a->node > b->node) - (a->node < b->node);
}

static struct part_list *list_of(struct blast_radius *b, part_steps *steps_of)
{
    const struct dependency_graph *g = &b->graph;
    struct arena *arena = g->request->arena;
    struct part_list *list = arena_zero(arena, 1, sizeof(*list));
    struct part_rank *ranks =
        arena_zero(arena, g->node_count + 1, sizeof(*ranks));
    uint32_t count = 0;

    if (!list || !ranks)
        return NULL;
    list->blast = b;
    list->nodes = arena_zero(arena, g->node_count + 1, sizeof(*list->nodes));
    if (!list->nodes)
        return NULL;
    for (uint32_t i = 0; i < g->node_count; i++)
        if (steps_of(b, i) != GRAPH_NONE)
            ranks[count++] = (struct part_rank){
                i, steps_of(b, i),
                metric_first(&g->topology.nodes, g->nodes[i].group,
                             g->topology.out.requests)};
    qsort(ranks, count, sizeof(*ranks), by_rank);
    list->count = count < b->limit ? count : (uint32_t)b->limit;
    list->left_out = count - list->count;
    for (uint32_t i = 0; i < list->count; i++)
        list->nodes[i] = ranks[i].node;
    return list;
}

/* ---- items ---- */

static void fill_node(struct node_view *view, const struct part_list *list,
                      uint32_t i, part_steps *steps_of)
{
    node_view_fill(view, &list->blast->graph, list->nodes[i]);
    view->depth = steps_of(list->blast, list->nodes[i]);
}

static const void *target_item(void *arg, uint32_t i)
{
    struct part_list *list = arg;

    fill_node(&list->node, list, i, target_steps);
    return &list->node;
}

static const void *declared_item(void *arg, uint32_t i)
{
    struct part_list *list = arg;

    fill_node(&list->node, list, i, declared_steps);
    return &list->node;
}

static const void *consumer_item(void *arg, uint32_t i)
{
    struct part_list *list = arg;

    fill_node(&list->node, list, i, consumer_steps);
    return &list->node;
}

static const void *needed_item(void *arg, uint32_t i)
{
    struct part_list *list = arg;

    fill_node(&list->node, list, i, needed_steps);
    return &list->node;
}

/* Ids of the nodes from the caller to the target. */
static struct reply_list path_of(const struct blast_radius *b, uint32_t node,
                                 bool queued)
{
    const struct dependency_graph *g = &b->graph;
    struct slice *ids =
        arena_zero(g->request->arena, 2 * GRAPH_MAX_DEPTH + 1, sizeof(*ids));
    uint32_t count = 0, edge;

    if (!ids)
        return (struct reply_list){0};
    ids[count++] = graph_id(g, g->nodes[node].node);
    while (count < 2 * GRAPH_MAX_DEPTH + 1 &&
           (edge = blast_next_edge(b, node, queued)) != GRAPH_NONE) {
        node = g->edges[edge].target;
        ids[count++] = graph_id(g, g->nodes[node].node);
    }
    return (struct reply_list){.count = count, .items = ids};
}

enum { ENDPOINTS_SHOWN = 32 };

/* Endpoints that are called along an edge. */
static struct reply_list endpoints_of(const struct blast_radius *b,
                                      uint32_t edge_at)
{
    const struct graph_edge *edge = &b->graph.edges[edge_at];
    struct slice *names =
        arena_zero(b->graph.request->arena, ENDPOINTS_SHOWN, sizeof(*names));
    uint32_t count = 0;

    for (const struct metric_group *calls = edge->edge->calls;
         names && calls && count < ENDPOINTS_SHOWN; calls = calls->next) {
        struct slice name = edge_endpoint(edge->edge, calls, true);
        uint32_t k = 0;

        while (k < count && !slice_equal(names[k], name))
            k++;
        if (k == count && name.len > 0)
            names[count++] = name;
    }
    return (struct reply_list){.count = count, .items = names};
}

static void set_share(struct caller_view *view, const struct blast_radius *b,
                      uint32_t node)
{
    double estimate =
        blast_node_share(view->asynchronous ? &b->queued : &b->direct, node);

    view->share = estimate;
    if (!b->sampled || !blast_is_sampled(&b->sample.nodes[node], estimate))
        return;
    view->method = "traces";
    view->share = blast_sampled_share(&b->sample.nodes[node],
                                      view->asynchronous, estimate);
}

static const void *caller_item(void *arg, uint32_t i)
{
    struct part_list *list = arg;
    struct blast_radius *b = list->blast;
    uint32_t node = list->nodes[i], edge;
    struct caller_view *view = &list->caller;
    double requests;

    *view = (struct caller_view){
        .calls_per_request = NAN, .share = NAN, .method = "series"};
    fill_node(&view->node, list, i, caller_steps);
    view->asynchronous = !is_hit_at_once(b, node);
    if (b->graph.nodes[node].node->hidden)
        return view;
    view->path = path_of(b, node, view->asynchronous);
    set_share(view, b, node);
    edge = blast_next_edge(b, node, view->asynchronous);
    if (edge == GRAPH_NONE)
        return view;
    view->endpoints = endpoints_of(b, edge);
    requests = view->node.figures.count;
    if (requests > 0)
        view->calls_per_request = b->graph.edges[edge].requests / requests;
    return view;
}

/* ---- what it sums up to ---- */

static uint32_t count_projects(const struct part_list *list)
{
    const struct graph_node *nodes = list->blast->graph.nodes;
    uint32_t projects = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct identity *id = &nodes[list->nodes[i]].node->identity;
        uint32_t k = 0;

        while (k < i &&
               !(slice_equal(nodes[list->nodes[k]].node->identity.project,
                             id->project) &&
                 slice_equal(nodes[list->nodes[k]].node->identity.namespace,
                             id->namespace)))
            k++;
        projects += k == i && id->project.len > 0;
    }
    return projects;
}

static uint32_t count_endpoints(const struct blast_radius *b)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < b->direct.endpoint_count; i++)
        count += b->direct.endpoints[i].is_target &&
                 b->direct.endpoints[i].endpoint.len > 0 &&
                 b->direct.endpoints[i].requests > 0;
    return count;
}

static void sum_users(const struct blast_radius *b, struct blast_summary *sum)
{
    double all = 0, passing = 0, queued = 0, sampled = 0;

    for (uint32_t i = 0; i < b->entry_count; i++) {
        const struct entry_point *entry = &b->entries[i];

        all += entry->requests;
        passing += entry->requests * entry->share;
        queued += entry->requests * entry->with_queues;
        sampled += strcmp(entry->method, "traces") == 0 ? entry->requests : 0;
        sum->user_rate += entry->rate;
        sum->entry_points += entry->share > 0;
    }
    sum->method = all > 0 && sampled > all / 2 ? "traces" : "series";
    sum->sampled = b->sampled ? b->sample.all.all : 0;
    sum->user_share = all > 0 ? passing / all : NAN;
    sum->user_share_with_queues = all > 0 ? queued / all : NAN;
}

static struct blast_summary sum_up(const struct blast_radius *b,
                                   const struct part_list *callers)
{
    struct blast_summary sum = {.projects = count_projects(callers),
                                .endpoints = count_endpoints(b),
                                .left_out = callers->left_out};

    for (uint32_t i = 0; i < b->graph.node_count; i++) {
        bool caller = caller_steps(b, i) != GRAPH_NONE;

        sum.components += caller && is_hit_at_once(b, i);
        sum.asynchronous += caller && !is_hit_at_once(b, i);
        sum.declared += declared_steps(b, i) != GRAPH_NONE;
        sum.consumers += consumer_steps(b, i) != GRAPH_NONE;
    }
    sum_users(b, &sum);
    return sum;
}

static int by_passing(const void *left, const void *right)
{
    const struct entry_point *a = left, *b = right;
    double of_a = a->requests * a->share, of_b = b->requests * b->share;

    if (of_a != of_b)
        return of_a > of_b ? -1 : 1;
    if (a->requests != b->requests)
        return a->requests > b->requests ? -1 : 1;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    int order = slice_compare(a->gateway_name, b->gateway_name);
    return order ? order : slice_compare(a->endpoint, b->endpoint);
}

static void finish_entries(struct blast_radius *b)
{
    double seconds = fmax(grid_seconds(&b->graph.topology.nodes.grid, 0), 1);

    for (uint32_t i = 0; i < b->entry_count; i++) {
        struct entry_point *entry = &b->entries[i];

        entry->rate = entry->requests / seconds;
        entry->gateway_name = entry->gateway->name;
        if (!entry->method)
            entry->method = "series";
        entry->namespace = entry->component->identity.namespace;
        entry->project = entry->component->identity.project;
        entry->component_name = entry->component->identity.component;
    }
    if (b->entry_count > 0)
        qsort(b->entries, b->entry_count, sizeof(*b->entries), by_passing);
}

/* ---- answering ---- */

static struct reply_list items(struct part_list *list, reply_item *item)
{
    return (struct reply_list){.count = list->count, .item = item, .arg = list};
}

static const struct empty_reply *why_empty(const struct dependency_graph *g)
{
    return empty_reply_of(g->request,
                          &(struct empty_of){.scope = g->scope,
                                             .start_ns = g->start_ns,
                                             .end_ns = g->end_ns,
                                             .what = "calls",
                                             .signal = SIGNAL_SPANS});
}

static bool is_called_by_users(const struct blast_radius *b)
{
    for (uint32_t i = 0; i < b->entry_count; i++)
        if (b->entries[i].share > 0 || b->entries[i].with_queues > 0)
            return true;
    return false;
}

enum status blast_radius_reply(struct blast_radius *b)
{
    const struct dependency_graph *g = &b->graph;
    struct part_list *targets = list_of(b, target_steps);
    struct part_list *callers = list_of(b, caller_steps);
    struct part_list *declared = list_of(b, declared_steps);
    struct part_list *consumers = list_of(b, consumer_steps);
    struct part_list *needs = list_of(b, needed_steps);

    if (!targets || !callers || !declared || !consumers || !needs)
        return arena_status(g->request->arena);
    finish_entries(b);
    struct blast_view view = {
        .targets = items(targets, target_item),
        .endpoint = b->endpoint,
        .callers = items(callers, caller_item),
        .declared = items(declared, declared_item),
        .consumers = items(consumers, consumer_item),
        .needs = items(needs, needed_item),
        .entries = {.count = b->entry_count < b->limit ? b->entry_count
                                                       : (uint32_t)b->limit,
                    .items = b->entries},
        .summary = sum_up(b, callers),
        .window = {.start_ns = g->start_ns, .end_ns = g->end_ns},
        .link = page_link_text(g->request,
                               &(struct page_link){.page = "component",
                                                   .scope = g->scope,
                                                   .start_ns = g->start_ns,
                                                   .end_ns = g->end_ns}),
        .took_ms = query_took_ms(g->request)};

    if (callers->count + needs->count + declared->count + consumers->count ==
            0 &&
        !is_called_by_users(b))
        view.empty = why_empty(g);
    reply_write(&g->request->json, &blast_radius_table, &view);
    return OK;
}
