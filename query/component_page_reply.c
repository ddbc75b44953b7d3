/*
 * The page as JSON: tables of its members, and functions that fill one item of
 * a list after the other. Lists are in order of requests, most first.
 */
#include "component_page.h"
#include "event_reply.h"
#include "reply_metrics.h"

/* ---- component, summary ---- */

static const struct reply_table dependency_table = REPLY_TABLE(
    struct catalog_dependency,
    REPLY(struct catalog_dependency, "project", project),
    REPLY(struct catalog_dependency, "component", component),
    REPLY_OPTIONAL(struct catalog_dependency, "endpoint", endpoint));

static const void *dependency_item(void *arg, uint32_t i)
{
    struct component_page *page = arg;
    struct catalog_dependency *item = &page->dependency;

    *item = page->declared->dependencies[i];
    if (item->project.len == 0)
        item->project = page->declared->project;
    return item;
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
    const struct page_buckets *buckets; /* NULL: not asked for */
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
    REPLY_CELLS(struct page_series, "memoryLimits", usage[METRIC_MEMORY_LIMIT]),
    REPLY_OBJECT(struct page_series, "latencyBuckets", buckets, REPLY_POINTER,
                 &page_buckets_table));

static void set_series(struct component_page *page, struct page_series *series)
{
    struct usage *usage = &page->usage;
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

/* ---- lists of groups ---- */

/* The groups of a table, most requests first, one after the other as the item
 * of a list. */
struct group_list {
    struct component_page *page;
    const struct red *red;
    const struct metric_table *table;
    struct metric_group **groups;
    void *item;
};

static struct reply_list list_groups(struct component_page *page,
                                     const struct red *red,
                                     const struct metric_table *table,
                                     reply_item *fill, size_t item_size)
{
    struct arena *arena = table->arena;
    struct group_list *list = arena_zero(arena, 1, sizeof(*list));

    if (!list)
        return (struct reply_list){0};
    *list = (struct group_list){
        page, red, table,
        metric_sorted(table, red ? red->requests : &page->templates.logged),
        arena_zero(arena, 1, item_size)};
    return (struct reply_list){
        .count = list->groups && list->item ? table->count : 0,
        .item = fill,
        .arg = list};
}

/* ---- endpoints ---- */

struct operation_item {
    struct slice endpoint, operation, kind;
    struct figures figures, previous;
    const struct spark_view *spark; /* NULL: not asked for */
    struct spark_view of_spark;
};
static const struct reply_table operation_table = REPLY_TABLE(
    struct operation_item, REPLY(struct operation_item, "operation", operation),
    REPLY(struct operation_item, "kind", kind),
    REPLY_INLINE(struct operation_item, figures, 0, &figures_table),
    REPLY_OBJECT(struct operation_item, "previous", previous, 0,
                 &figures_table),
    REPLY_OBJECT(struct operation_item, "spark", spark, REPLY_POINTER,
                 &spark_table));

static const void *operation_item(void *arg, uint32_t i)
{
    struct group_list *list = arg;
    const struct metric_group *group = list->groups[i];
    const struct component_page *page = list->page;
    struct operation_item *item = list->item;

    if (!slice_equal(metric_label(group, BY_ENDPOINT), item->endpoint))
        return NULL;
    item->operation = metric_label(group, BY_OPERATION);
    item->kind = metric_label(group, BY_KIND);
    figures_set(&item->figures, list->red, list->table, group);
    figures_set(&item->previous, list->red, &page->operations_before,
                metric_group_find(&page->operations_before, group->key));
    if (page->steps > 0) {
        spark_view_fill(&item->of_spark, &page->spark, &page->spark.table,
                        metric_group_find(&page->spark.table, group->key));
        item->spark = &item->of_spark;
    }
    return item;
}

struct endpoint_item {
    struct slice endpoint;
    bool declared;
    struct slice type, base_path;
    uint32_t port;
    struct figures figures, previous;
    const struct spark_view *spark; /* NULL: not asked for */
    struct spark_view of_spark;
    struct reply_list operations;
};
static const struct reply_table endpoint_table = REPLY_TABLE(
    struct endpoint_item, REPLY(struct endpoint_item, "endpoint", endpoint),
    REPLY(struct endpoint_item, "declared", declared),
    REPLY_OPTIONAL(struct endpoint_item, "type", type),
    REPLY_OPTIONAL(struct endpoint_item, "port", port),
    REPLY_OPTIONAL(struct endpoint_item, "basePath", base_path),
    REPLY_INLINE(struct endpoint_item, figures, 0, &figures_table),
    REPLY_OBJECT(struct endpoint_item, "previous", previous, 0, &figures_table),
    REPLY_OBJECT(struct endpoint_item, "spark", spark, REPLY_POINTER,
                 &spark_table),
    REPLY_LIST(struct endpoint_item, "operations", operations,
               &operation_table));

static bool has_requests(const struct group_list *list, struct slice name)
{
    for (uint32_t i = 0; i < list->table->count; i++)
        if (slice_equal(metric_label(list->groups[i], BY_ENDPOINT), name))
            return true;
    return false;
}

static void set_declared(struct endpoint_item *item,
                         const struct catalog_component *c)
{
    item->declared = false;
    item->type = item->base_path = (struct slice){NULL, 0};
    item->port = 0;
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

/* Before the window, and step by step. */
static void set_endpoint_times(struct endpoint_item *item,
                               const struct group_list *list)
{
    uint64_t key = page_endpoint_key(item->endpoint);
    const struct component_page *page = list->page;
    const struct metric_table *before = &page->endpoints_before;
    const struct metric_table *spark = &page->spark_endpoints;

    figures_set(&item->previous, list->red, before,
                metric_group_find(before, key));
    if (page->steps == 0)
        return;
    spark_view_fill(&item->of_spark, &page->spark, spark,
                    metric_group_find(spark, key));
    item->spark = &item->of_spark;
}

/* Those with requests, then those that are only declared. */
static const void *endpoint_item(void *arg, uint32_t i)
{
    struct group_list *list = arg, *operations;
    uint32_t seen = list->table->count;
    const struct metric_group *group = i < seen ? list->groups[i] : NULL;
    struct endpoint_item *item = list->item;

    item->endpoint = group ? metric_label(group, BY_ENDPOINT)
                           : list->page->declared->endpoints[i - seen].name;
    if (!group && has_requests(list, item->endpoint))
        return NULL;
    set_declared(item, list->page->declared);
    figures_set(&item->figures, list->red, list->table, group);
    set_endpoint_times(item, list);
    operations = item->operations.arg;
    if (item->operations.count > 0)
        ((struct operation_item *)operations->item)->endpoint = item->endpoint;
    return item;
}

static struct reply_list list_endpoints(struct component_page *page)
{
    const struct catalog_component *c = page->declared;
    struct reply_list list =
        list_groups(page, &page->served, &page->endpoints, endpoint_item,
                    sizeof(struct endpoint_item));

    if (arena_status(page->request->arena) != OK)
        return list;
    ((struct endpoint_item *)((struct group_list *)list.arg)->item)
        ->operations =
        list_groups(page, &page->served, &page->operations, operation_item,
                    sizeof(struct operation_item));
    list.count += c ? c->endpoint_count : 0;
    return list;
}

/* ---- log templates, traces ---- */

static const void *template_item(void *arg, uint32_t i)
{
    struct group_list *list = arg;
    struct template_item *item = list->item;

    return template_item_fill(item, &list->page->templates, list->groups[i])
               ? item
               : NULL;
}

struct page_traces {
    struct reply_list slowest, failed;
    const struct reply_list *exemplars; /* NULL: not asked for */
};
static const struct reply_table page_traces_table = REPLY_TABLE(
    struct page_traces,
    REPLY_LIST(struct page_traces, "slowest", slowest, &page_example_table),
    REPLY_LIST(struct page_traces, "failed", failed, &page_example_table),
    REPLY_LIST_AT(struct page_traces, "exemplars", exemplars,
                  &page_exemplar_table));

/* ---- changes, pods ---- */

static const void *change_item(void *arg, uint32_t i)
{
    struct component_page *page = arg;

    change_item_fill(page->change, page->request, &page->changes[i]);
    return page->change;
}

static enum status read_changes(struct component_page *page,
                                struct reply_list *changes)
{
    struct query_request *request = page->request;
    const struct log_query query = {.start_ns = page->window.start_ns,
                                    .end_ns = page->window.end_ns,
                                    .resources = page->resources,
                                    .events = true,
                                    .limit = PAGE_CHANGES};
    uint64_t total;
    enum status s = reader_query_logs(request->reader, &query, request->arena,
                                      &page->changes, &changes->count, &total);

    changes->item = change_item;
    changes->arg = page;
    return s == OK ? OK : query_fail_read(request, s);
}

static const struct reply_table pod_table = REPLY_TABLE(
    struct pod_usage, REPLY(struct pod_usage, "name", name),
    REPLY_OPTIONAL(struct pod_usage, "namespace", namespace),
    REPLY_OPTIONAL(struct pod_usage, "ip", ip),
    REPLY_OPTIONAL(struct pod_usage, "version", version),
    REPLY_ROW_OF(struct pod_usage, "cpuUsage", known_cpu, const double *,
                 REPLY_TYPE_DOUBLE, REPLY_POINTER, NULL),
    REPLY_ROW_OF(struct pod_usage, "memoryUsage", known_memory, const double *,
                 REPLY_TYPE_DOUBLE, REPLY_POINTER, NULL),
    REPLY_OPTIONAL_TIME(struct pod_usage, "lastSeen", seen_ns));

static const void *pod_item(void *arg, uint32_t i)
{
    struct component_page *page = arg;
    struct pod_usage *pod = &page->pods.at[i];

    pod->known_cpu = pod->cpu_ns ? &pod->cpu : NULL;
    pod->known_memory = pod->memory_ns ? &pod->memory : NULL;
    pod->seen_ns = pod->cpu_ns > pod->memory_ns ? pod->cpu_ns : pod->memory_ns;
    return pod;
}

/* ---- the page ---- */

struct page_reply {
    struct page_component component;
    const struct window *window;
    struct page_summary summary;
    struct page_series series;
    struct reply_list endpoints, callers, callees, templates;
    struct page_traces traces;
    struct page_buckets buckets;
    struct reply_list exemplars;
    struct reply_list changes, pods;
    const struct reply_list *shown_templates, *shown_changes;
    const struct page_traces *shown_traces; /* NULL: withheld */
    struct reply_list withheld;
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
    REPLY_LIST(struct page_reply, "callers", callers, &page_peer_table),
    REPLY_LIST(struct page_reply, "callees", callees, &page_peer_table),
    REPLY_LIST_AT(struct page_reply, "logTemplates", shown_templates,
                  &template_table),
    REPLY_OBJECT(struct page_reply, "traces", shown_traces, REPLY_POINTER,
                 &page_traces_table),
    REPLY_LIST_AT(struct page_reply, "changes", shown_changes, &change_table),
    REPLY_LIST(struct page_reply, "pods", pods, &pod_table),
    REPLY_OPTIONAL_LIST(struct page_reply, "withheld", withheld, &reply_texts),
    REPLY(struct page_reply, "tookMs", took_ms));

static uint32_t at_most(uint32_t most, uint32_t count)
{
    return count < most ? count : most;
}

static void set_lists(struct component_page *page, struct page_reply *reply)
{
    const struct catalog_component *c = page->declared;

    reply->component.dependencies =
        (struct reply_list){.count = c ? c->dependency_count : 0,
                            .item = dependency_item,
                            .arg = page};
    reply->endpoints = list_endpoints(page);
    reply->callers = page_peers_list(&page->callers);
    reply->callees = page_peers_list(&page->callees);
    reply->templates = list_groups(page, NULL, &page->templates.now,
                                   template_item, sizeof(struct template_item));
    reply->templates.count = at_most(PAGE_TEMPLATES, reply->templates.count);
    reply->traces.slowest = (struct reply_list){.count = page->slowest.count,
                                                .items = page->slowest.list};
    reply->traces.failed = (struct reply_list){.count = page->failed.count,
                                               .items = page->failed.list};
    if (page->with_exemplars) {
        reply->exemplars = page_exemplars_list(page);
        reply->traces.exemplars = &reply->exemplars;
    }
    reply->pods =
        (struct reply_list){.count = at_most(PAGE_PODS, page->pods.count),
                            .item = pod_item,
                            .arg = page};
}

static void withhold(const struct component_page *page,
                     struct page_reply *reply)
{
    if (page->shows[PAGE_LOG_TEMPLATES])
        reply->shown_templates = &reply->templates;
    if (page->shows[PAGE_EXAMPLES])
        reply->shown_traces = &reply->traces;
    if (page->shows[PAGE_EVENTS])
        reply->shown_changes = &reply->changes;
    reply->withheld = (struct reply_list){.count = page->withheld_count,
                                          .items = page->withheld};
}

enum status page_reply(struct component_page *page)
{
    struct query_request *request = page->request;
    struct change_item change;
    struct page_reply reply = {
        .component.component =
            component_view(&page->identity, page->declared != NULL, page->info),
        .window = &page->window};
    enum status s = OK;

    if (page->shows[PAGE_EVENTS])
        s = read_changes(page, &reply.changes);
    if (s != OK)
        return s;
    page->change = &change;
    figures_set(&reply.summary.now, &page->served, &page->total,
                metric_total(&page->total));
    figures_set(&reply.summary.previous, &page->served, &page->before,
                metric_total(&page->before));
    set_series(page, &reply.series);
    if (page->with_heat) {
        page_buckets_fill(page, &reply.buckets);
        reply.series.buckets = &reply.buckets;
    }
    set_lists(page, &reply);
    withhold(page, &reply);
    if (arena_status(request->arena) != OK)
        return arena_status(request->arena);
    reply.took_ms = query_took_ms(request);
    reply_write(&request->json, &component_page_table, &reply);
    return OK;
}
