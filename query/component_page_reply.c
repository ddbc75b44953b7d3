/*
 * The page as JSON. Lists are sorted by requests, most first; what has none
 * is left out.
 */
#include <stdlib.h>

#include "component_page.h"
#include "derived.h"
#include "reply_metrics.h"
#include "usage.h"

/* ---- component, summary ---- */

static const struct reply_table dependency_table = REPLY_TABLE(
    struct catalog_dependency,
    REPLY(struct catalog_dependency, "project", project),
    REPLY(struct catalog_dependency, "component", component),
    REPLY_OPTIONAL(struct catalog_dependency, "endpoint", endpoint));

struct dependency_list {
    const struct catalog_component *declared;
    struct catalog_dependency item;
};

static const void *dependency_item(void *arg, uint32_t i)
{
    struct dependency_list *list = arg;

    list->item = list->declared->dependencies[i];
    if (list->item.project.len == 0)
        list->item.project = list->declared->project;
    return &list->item;
}

struct page_component {
    struct component_view component;
    struct reply_list dependencies;
};
static const struct reply_table page_component_table = REPLY_TABLE(
    struct page_component,
    REPLY_INLINE(struct page_component, component, 0, &component_table),
    REPLY_LIST(struct page_component, "dependencies", dependencies,
               &dependency_table));

struct page_summary {
    struct figures now, previous;
};
static const struct reply_table page_summary_table = REPLY_TABLE(
    struct page_summary,
    REPLY_INLINE(struct page_summary, now, 0, &figures_table),
    REPLY_OBJECT(struct page_summary, "previous", previous, 0, &figures_table));

/* ---- series ---- */

struct page_series {
    struct reply_list error_rate, client_error_rate;
    struct reply_list red[RED_ROWS], usage[USAGE_ROWS];
};
static const struct reply_table page_series_table = REPLY_TABLE(
    struct page_series,
    REPLY_CELLS(struct page_series, "errorRate", error_rate),
    REPLY_CELLS(struct page_series, "clientErrorRate", client_error_rate),
    REPLY_CELLS(struct page_series, "requestRate", red[RED_REQUESTS]),
    REPLY_CELLS(struct page_series, "meanLatency", red[RED_MEAN]),
    REPLY_CELLS(struct page_series, "latencyP50", red[RED_P50]),
    REPLY_CELLS(struct page_series, "latencyP90", red[RED_P90]),
    REPLY_CELLS(struct page_series, "latencyP99", red[RED_P99]),
    REPLY_CELLS(struct page_series, "cpuUsage", usage[METRIC_CPU_USAGE]),
    REPLY_CELLS(struct page_series, "cpuRequests", usage[METRIC_CPU_REQUEST]),
    REPLY_CELLS(struct page_series, "cpuLimits", usage[METRIC_CPU_LIMIT]),
    REPLY_CELLS(struct page_series, "memoryUsage", usage[METRIC_MEMORY_USAGE]),
    REPLY_CELLS(struct page_series, "memoryRequests",
                usage[METRIC_MEMORY_REQUEST]),
    REPLY_CELLS(struct page_series, "memoryLimits",
                usage[METRIC_MEMORY_LIMIT]));

static void set_series(struct component_page *page, struct usage *usage,
                       struct page_series *series)
{
    const struct metric_table *chart = &page->chart;
    const struct metric_group *all = metric_total(&page->chart);

    series->error_rate = reply_cells(chart, all, &page->charted.error_rate);
    series->client_error_rate =
        reply_cells(chart, all, &page->charted.client_error_rate);
    for (int i = 0; i < RED_ROWS; i++)
        series->red[i] = reply_cells(chart, all, &page->charted.rows[i]);
    for (int i = 0; i < USAGE_ROWS; i++)
        series->usage[i] = reply_cells(
            &usage->table, metric_total(&usage->table), &usage->rows[i]);
}

/* ---- endpoints ---- */

struct operation_item {
    struct slice operation, kind;
    struct figures figures;
};
static const struct reply_table operation_table = REPLY_TABLE(
    struct operation_item, REPLY(struct operation_item, "operation", operation),
    REPLY(struct operation_item, "kind", kind),
    REPLY_INLINE(struct operation_item, figures, 0, &figures_table));

struct endpoint_item {
    struct slice endpoint;
    bool declared;
    struct slice type, base_path;
    uint32_t port;
    struct figures figures;
    struct reply_list operations;
};
static const struct reply_table endpoint_table = REPLY_TABLE(
    struct endpoint_item, REPLY(struct endpoint_item, "endpoint", endpoint),
    REPLY(struct endpoint_item, "declared", declared),
    REPLY_OPTIONAL(struct endpoint_item, "type", type),
    REPLY_OPTIONAL(struct endpoint_item, "port", port),
    REPLY_OPTIONAL(struct endpoint_item, "basePath", base_path),
    REPLY_INLINE(struct endpoint_item, figures, 0, &figures_table),
    REPLY_LIST(struct endpoint_item, "operations", operations,
               &operation_table));

/* Those with requests, then those that are only declared. */
struct endpoint_list {
    struct component_page *page;
    struct metric_group **endpoints, **operations;
    struct endpoint_item item;
    struct operation_item operation;
};

static const void *operation_item(void *arg, uint32_t i)
{
    struct endpoint_list *list = arg;
    struct component_page *page = list->page;
    const struct metric_group *group = list->operations[i];

    if (!slice_equal(metric_label(group, BY_ENDPOINT), list->item.endpoint))
        return NULL;
    list->operation.operation = metric_label(group, BY_OPERATION);
    list->operation.kind = metric_label(group, BY_KIND);
    figures_set(&list->operation.figures, &page->served, &page->operations,
                group);
    return &list->operation;
}

static bool has_requests(const struct endpoint_list *list, struct slice name)
{
    for (struct metric_group **e = list->endpoints; *e; e++)
        if (slice_equal(metric_label(*e, BY_ENDPOINT), name))
            return true;
    return false;
}

static void set_declared(struct endpoint_item *item,
                         const struct catalog_component *c)
{
    for (uint32_t i = 0; c && i < c->endpoint_count && !item->declared; i++) {
        const struct catalog_endpoint *e = &c->endpoints[i];

        if (!slice_equal(e->name, item->endpoint))
            continue;
        item->declared = true;
        item->type = e->type;
        item->port = e->port;
        item->base_path = e->base_path;
    }
}

static const void *endpoint_item(void *arg, uint32_t i)
{
    struct endpoint_list *list = arg;
    struct component_page *page = list->page;
    uint32_t seen = page->endpoints.count;
    const struct metric_group *group = i < seen ? list->endpoints[i] : NULL;

    list->item = (struct endpoint_item){
        .endpoint = group ? metric_label(group, BY_ENDPOINT)
                          : page->declared->endpoints[i - seen].name,
        .operations = {.count = page->operations.count,
                       .item = operation_item,
                       .arg = list}};
    if (!group && has_requests(list, list->item.endpoint))
        return NULL;
    set_declared(&list->item, page->declared);
    figures_set(&list->item.figures, &page->served, &page->endpoints, group);
    return &list->item;
}

/* ---- callers and callees ---- */

struct peer_item {
    const struct call_peer *peer;
    const char *via;
    struct figures figures;
};
static const struct reply_table peer_identity_table = REPLY_TABLE(
    struct identity, REPLY_OPTIONAL(struct identity, "namespace", namespace),
    REPLY_OPTIONAL(struct identity, "project", project),
    REPLY_OPTIONAL(struct identity, "component", component),
    REPLY_OPTIONAL(struct identity, "environment", environment),
    REPLY_UID(struct identity, "componentUid", component_uid));
static const struct reply_table call_peer_table = REPLY_TABLE(
    struct call_peer, REPLY(struct call_peer, "kind", kind),
    REPLY_INLINE(struct call_peer, identity, 0, &peer_identity_table),
    REPLY_OPTIONAL(struct call_peer, "name", name),
    REPLY_OPTIONAL(struct call_peer, "system", system),
    REPLY_OPTIONAL(struct call_peer, "host", host),
    REPLY_OPTIONAL(struct call_peer, "endpoint", endpoint),
    REPLY_OPTIONAL(struct call_peer, "peerEndpoint", peer_endpoint),
    REPLY_OPTIONAL(struct call_peer, "protocol", protocol));
static const struct reply_table peer_table = REPLY_TABLE(
    struct peer_item,
    REPLY_INLINE(struct peer_item, peer, REPLY_POINTER, &call_peer_table),
    REPLY_OPTIONAL(struct peer_item, "via", via),
    REPLY_INLINE(struct peer_item, figures, 0, &figures_table));

struct peer_list {
    const struct red *red;
    const struct metric_table *table;
    struct metric_group **sorted;
    struct peer_item item;
};

static const void *peer_item(void *arg, uint32_t i)
{
    struct peer_list *list = arg;
    const struct call_peer *peer = list->sorted[i]->item;

    figures_set(&list->item.figures, list->red, list->table, list->sorted[i]);
    if (list->item.figures.count < RED_NONE)
        return NULL;
    list->item.peer = peer;
    list->item.via =
        peer->queue && peer->identity.component.len > 0 ? "queue" : NULL;
    return &list->item;
}

/* ---- log templates, traces ---- */

struct template_item {
    struct slice template, id, level;
    double count;
    bool new;
    struct template_times times;
};
static const struct reply_table template_table = REPLY_TABLE(
    struct template_item, REPLY(struct template_item, "template", template),
    REPLY(struct template_item, "templateId", id),
    REPLY(struct template_item, "level", level),
    REPLY(struct template_item, "count", count),
    REPLY(struct template_item, "new", new),
    REPLY_TIME(struct template_item, "firstSeen", times.first_ns),
    REPLY_TIME(struct template_item, "lastSeen", times.last_ns));

struct template_list {
    struct component_page *page;
    struct metric_group **sorted;
    struct template_item item;
};

static const void *template_item(void *arg, uint32_t i)
{
    struct template_list *list = arg;
    struct component_page *page = list->page;
    const struct metric_group *group = list->sorted[i];
    const struct metric_group *before =
        metric_group_at(&page->templates_before, group->key);

    list->item = (struct template_item){
        metric_label(group, BY_TEMPLATE),
        metric_label(group, BY_TEMPLATE_ID),
        metric_label(group, BY_LEVEL),
        metric_first(&page->templates, group, &page->logged),
        metric_first(&page->templates_before, before, &page->logged) <= 0,
        {0, 0}};
    if (list->item.count <= 0)
        return NULL;
    if (group->item)
        list->item.times = *(const struct template_times *)group->item;
    return &list->item;
}

static const struct reply_table example_table = REPLY_TABLE(
    struct trace_example, REPLY(struct trace_example, "traceId", trace_id),
    REPLY(struct trace_example, "spanId", span_id),
    REPLY(struct trace_example, "endpoint", endpoint),
    REPLY(struct trace_example, "operation", operation),
    REPLY(struct trace_example, "duration", seconds),
    REPLY_TIME(struct trace_example, "timestamp", time_ns));

struct page_traces {
    struct reply_list slowest, failed;
};
static const struct reply_table page_traces_table = REPLY_TABLE(
    struct page_traces,
    REPLY_LIST(struct page_traces, "slowest", slowest, &example_table),
    REPLY_LIST(struct page_traces, "failed", failed, &example_table));

/* ---- changes, pods ---- */

struct change_item {
    uint64_t time_ns;
    struct slice type, kind, from, to, release, commit, phase, reason, message;
};
static const struct reply_table change_table = REPLY_TABLE(
    struct change_item, REPLY_TIME(struct change_item, "timestamp", time_ns),
    REPLY(struct change_item, "type", type),
    REPLY(struct change_item, "kind", kind),
    REPLY_OPTIONAL(struct change_item, "from", from),
    REPLY_OPTIONAL(struct change_item, "to", to),
    REPLY_OPTIONAL(struct change_item, "release", release),
    REPLY_OPTIONAL(struct change_item, "commit", commit),
    REPLY_OPTIONAL(struct change_item, "phase", phase),
    REPLY_OPTIONAL(struct change_item, "reason", reason),
    REPLY(struct change_item, "message", message));

struct change_list {
    struct query_request *request;
    const struct log_record *logs;
    struct change_item item;
};

static const void *change_item(void *arg, uint32_t i)
{
    struct change_list *list = arg;
    const struct log_record *log = &list->logs[i];
    struct change_item *item = &list->item;
    const struct {
        struct slice *to;
        const char *key;
    } texts[] = {{&item->kind, DERIVED_CHANGE_KIND},
                 {&item->from, DERIVED_CHANGE_FROM},
                 {&item->to, DERIVED_CHANGE_TO},
                 {&item->release, DERIVED_CHANGE_RELEASE},
                 {&item->commit, DERIVED_CHANGE_COMMIT},
                 {&item->phase, DERIVED_CHANGE_PHASE},
                 {&item->reason, "k8s.event.reason"}};

    *item = (struct change_item){
        .time_ns = log->time_ns,
        .type = reply_event_type(log),
        .message = reply_value_text(list->request, &log->body)};
    for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
        const struct attr *a = attrs_find(&log->attrs, slice_of(texts[k].key));

        if (a)
            *texts[k].to = attr_text(a);
        else if (k == 0)
            item->kind = SLICE("kubernetes");
    }
    return item;
}

static enum status read_changes(struct component_page *page,
                                struct reply_list *changes,
                                struct change_list *list)
{
    struct query_request *request = page->request;
    const struct log_query query = {.start_ns = page->window.start_ns,
                                    .end_ns = page->window.end_ns,
                                    .resources = page->resources,
                                    .events = true,
                                    .limit = PAGE_CHANGES};
    struct log_record *logs;
    uint32_t count;
    uint64_t total;
    enum status s = reader_query_logs(request->reader, &query, request->arena,
                                      &logs, &count, &total);

    if (s != OK)
        return query_fail_read(request, s);
    *list = (struct change_list){.request = request, .logs = logs};
    *changes =
        (struct reply_list){.count = count, .item = change_item, .arg = list};
    return OK;
}

struct pod_item {
    const struct pod_usage *pod;
    const double *cpu, *memory; /* NULL: not known */
    uint64_t seen_ns;
};
static const struct reply_table pod_names_table =
    REPLY_TABLE(struct pod_usage, REPLY(struct pod_usage, "name", name),
                REPLY_OPTIONAL(struct pod_usage, "namespace", namespace),
                REPLY_OPTIONAL(struct pod_usage, "ip", ip),
                REPLY_OPTIONAL(struct pod_usage, "version", version));
static const struct reply_table pod_table = REPLY_TABLE(
    struct pod_item,
    REPLY_INLINE(struct pod_item, pod, REPLY_POINTER, &pod_names_table),
    REPLY_ROW_OF(struct pod_item, "cpuUsage", cpu, const double *,
                 REPLY_TYPE_DOUBLE, REPLY_POINTER, NULL),
    REPLY_ROW_OF(struct pod_item, "memoryUsage", memory, const double *,
                 REPLY_TYPE_DOUBLE, REPLY_POINTER, NULL),
    REPLY_OPTIONAL_TIME(struct pod_item, "lastSeen", seen_ns));

struct pod_list {
    const struct pod_usage *pods;
    struct pod_item item;
};

static const void *pod_item(void *arg, uint32_t i)
{
    struct pod_list *list = arg;
    const struct pod_usage *pod = &list->pods[i];

    list->item = (struct pod_item){
        pod, pod->cpu_ns ? &pod->cpu : NULL,
        pod->memory_ns ? &pod->memory : NULL,
        pod->cpu_ns > pod->memory_ns ? pod->cpu_ns : pod->memory_ns};
    return &list->item;
}

/* ---- the page ---- */

struct page_reply {
    struct page_component component;
    const struct window *window;
    struct page_summary summary;
    struct page_series series;
    struct reply_list endpoints, callers, callees, templates;
    struct page_traces traces;
    struct reply_list changes, pods;
    int64_t took_ms;
};
const struct reply_table component_page_table = REPLY_TABLE(
    struct page_reply,
    REPLY_OBJECT(struct page_reply, "component", component, 0,
                 &page_component_table),
    REPLY_OBJECT(struct page_reply, "window", window, REPLY_POINTER,
                 &window_steps_table),
    REPLY_OBJECT(struct page_reply, "summary", summary, 0, &page_summary_table),
    REPLY_OBJECT(struct page_reply, "series", series, 0, &page_series_table),
    REPLY_LIST(struct page_reply, "endpoints", endpoints, &endpoint_table),
    REPLY_LIST(struct page_reply, "callers", callers, &peer_table),
    REPLY_LIST(struct page_reply, "callees", callees, &peer_table),
    REPLY_LIST(struct page_reply, "logTemplates", templates, &template_table),
    REPLY_OBJECT(struct page_reply, "traces", traces, 0, &page_traces_table),
    REPLY_LIST(struct page_reply, "changes", changes, &change_table),
    REPLY_LIST(struct page_reply, "pods", pods, &pod_table),
    REPLY(struct page_reply, "tookMs", took_ms));

static struct reply_list list_of(uint32_t count, uint32_t most,
                                 reply_item *item, void *arg)
{
    return (struct reply_list){
        .count = count < most ? count : most, .item = item, .arg = arg};
}

/* What the lists of the page are filled from. */
struct page_lists {
    struct dependency_list dependencies;
    struct endpoint_list endpoints;
    struct peer_list callers, callees;
    struct template_list templates;
    struct change_list changes;
    struct pod_list pods;
    struct usage usage;
};

static bool sort_lists(struct component_page *page, struct page_lists *lists)
{
    const struct metric_expr *served = page->served.requests;

    lists->endpoints = (struct endpoint_list){
        .page = page,
        .endpoints = metric_sorted(&page->endpoints, served),
        .operations = metric_sorted(&page->operations, served)};
    lists->callers = (struct peer_list){
        .red = &page->in,
        .table = &page->callers,
        .sorted = metric_sorted(&page->callers, page->in.requests)};
    lists->callees = (struct peer_list){
        .red = &page->out,
        .table = &page->callees,
        .sorted = metric_sorted(&page->callees, page->out.requests)};
    lists->templates = (struct template_list){
        .page = page, .sorted = metric_sorted(&page->templates, &page->logged)};
    return arena_status(page->request->arena) == OK;
}

static void set_reply(struct component_page *page, struct page_lists *lists,
                      struct page_reply *reply)
{
    const struct catalog_component *c = page->declared;

    lists->dependencies.declared = c;
    lists->pods.pods = page->pods;
    reply->window = &page->window;
    reply->component.component =
        component_view(&page->identity, c != NULL, page->info);
    reply->component.dependencies =
        list_of(c ? c->dependency_count : 0, UINT32_MAX, dependency_item,
                &lists->dependencies);
    reply->endpoints =
        list_of(page->endpoints.count + (c ? c->endpoint_count : 0), UINT32_MAX,
                endpoint_item, &lists->endpoints);
    reply->callers =
        list_of(page->callers.count, UINT32_MAX, peer_item, &lists->callers);
    reply->callees =
        list_of(page->callees.count, UINT32_MAX, peer_item, &lists->callees);
    reply->templates = list_of(page->templates.count, PAGE_TEMPLATES,
                               template_item, &lists->templates);
    reply->traces.slowest = (struct reply_list){.count = page->slowest.count,
                                                .items = page->slowest.list};
    reply->traces.failed = (struct reply_list){.count = page->failed.count,
                                               .items = page->failed.list};
    reply->pods = list_of(page->pod_count, PAGE_PODS, pod_item, &lists->pods);
    figures_set(&reply->summary.now, &page->served, &page->total,
                metric_total(&page->total));
    figures_set(&reply->summary.previous, &page->served, &page->before,
                metric_total(&page->before));
    set_series(page, &lists->usage, &reply->series);
}

enum status page_reply(struct component_page *page)
{
    struct query_request *request = page->request;
    struct page_lists *lists = arena_zero(request->arena, 1, sizeof(*lists));
    struct page_reply *reply = arena_zero(request->arena, 1, sizeof(*reply));
    enum status s;

    if (!lists || !reply || !sort_lists(page, lists))
        return arena_status(request->arena);
    s = usage_query(request, page->resources, &page->grid, &lists->usage);
    if (s == OK)
        s = read_changes(page, &reply->changes, &lists->changes);
    if (s != OK)
        return s;
    set_reply(page, lists, reply);
    reply->took_ms = query_took_ms(request);
    reply_write(&request->json, &component_page_table, reply);
    return OK;
}
