/*
 * One pass over the derived series of a component fills all tables of the page;
 * they are grouped again by peers and endpoints afterwards.
 */
#include "component_page.h"
#include "derived.h"
#include "reply_metrics.h"

/* ---- endpoints, operations, examples ---- */

bool page_is_wanted(const struct component_page *page,
                    const struct metric_group *group)
{
    const struct page_filter *filter = &page->filter;

    return (filter->endpoint.len == 0 ||
            slice_equal(filter->endpoint, metric_label(group, BY_ENDPOINT))) &&
           (filter->operation.len == 0 ||
            slice_equal(filter->operation, metric_label(group, BY_OPERATION)));
}

static void add_example(struct trace_examples *examples,
                        const struct trace_example *example)
{
    uint32_t at = examples->count;

    if (at == PAGE_TRACES && example->seconds <= examples->list[at - 1].seconds)
        return;
    for (uint32_t i = 0; i < examples->count; i++)
        if (memcmp(examples->list[i].span_id, example->span_id, 8) == 0)
            return;
    if (at < PAGE_TRACES)
        examples->count++;
    else
        at--;
    for (; at > 0 && examples->list[at - 1].seconds < example->seconds; at--)
        examples->list[at] = examples->list[at - 1];
    examples->list[at] = *example;
}

/* Exemplars of the durations that go into the table of operations. */
static void visit_operation(void *arg, struct metric_group *group,
                            const struct point *point)
{
    struct component_page *page = arg;

    for (uint32_t i = 0; i < point->exemplar_count; i++) {
        const struct exemplar *e = &point->exemplars[i];
        const struct attr *error = attrs_find(&e->attrs, SLICE(DERIVED_ERROR));
        struct trace_example example = {
            .endpoint = metric_label(group, BY_ENDPOINT),
            .operation = metric_label(group, BY_OPERATION),
            .seconds = e->value,
            .time_ns = e->time_ns,
            .has_failed = error && error->type == VALUE_BOOL && error->b};

        if (e->time_ns < page->window.start_ns ||
            e->time_ns >= page->window.end_ns || !page_is_wanted(page, group))
            continue;
        memcpy(example.trace_id, e->trace_id, sizeof(example.trace_id));
        memcpy(example.span_id, e->span_id, sizeof(example.span_id));
        add_example(&page->slowest, &example);
        if (example.has_failed)
            add_example(&page->failed, &example);
        if (page->exemplars)
            page_add_exemplar(page, &example);
    }
}

uint64_t page_endpoint_key(struct slice endpoint)
{
    return key_text(1, endpoint);
}

static uint64_t endpoint_key(void *arg, const struct metric_group *group)
{
    (void)arg;
    return page_endpoint_key(metric_label(group, BY_ENDPOINT));
}

/* All requests that are asked for are in the total. */
static uint64_t total_key(void *arg, const struct metric_group *group)
{
    return page_is_wanted(arg, group) ? METRIC_TOTAL_KEY : 0;
}

static struct metric_group *chart_total(void *arg,
                                        const struct metric_group *group)
{
    struct component_page *page = arg;

    return page_is_wanted(page, group) ? metric_total(&page->chart) : NULL;
}

/* ---- the pass ---- */

static const char *const operation_labels[] = {[BY_ENDPOINT] = DERIVED_ENDPOINT,
                                               [BY_OPERATION] =
                                                   DERIVED_OPERATION,
                                               [BY_KIND] = DERIVED_KIND,
                                               NULL};

static void init_tables(struct component_page *page)
{
    struct arena *arena = page->request->arena;
    const struct grid *now = &page->window.now, *before = &page->window.before;
    const struct red *served = &page->served;

    red_init(&page->served, RED_SERVED);
    red_init(&page->charted, RED_SERVED);
    red_table_init(&page->operations, arena, now, operation_labels, served);
    red_table_init(&page->endpoints, arena, now, NULL, served);
    red_table_init(&page->total, arena, now, NULL, served);
    red_table_init(&page->operations_before, arena, before, operation_labels,
                   served);
    red_table_init(&page->endpoints_before, arena, before, NULL, served);
    red_table_init(&page->before, arena, before, NULL, served);
    red_table_init(&page->chart, arena, &page->grid, NULL, &page->charted);
    page_peers_init(page, &page->callers, RED_IN);
    page_peers_init(page, &page->callees, RED_OUT);
    page->operations.visit = visit_operation;
    page->operations.visit_arg = page;
    if (page->with_exemplars)
        page->exemplars = arena_zero(arena, (size_t)page->grid.count * 2 + 1,
                                     sizeof(*page->exemplars));
    if (page->steps > 0) {
        spark_init(&page->spark, page->request, &page->window, page->steps,
                   operation_labels);
        spark_table_init(&page->spark_endpoints, &page->spark, NULL);
    }
    log_templates_init(&page->templates, page->request, &page->window);
}

/* Fills the charts by what is asked for, from points by operation. */
static void init_chosen(struct component_page *page,
                        struct metric_table *chosen)
{
    red_table_init(chosen, page->request->arena, &page->grid, operation_labels,
                   &page->charted);
    chosen->sums = &page->chart;
    chosen->target = chart_total;
    chosen->target_arg = page;
}

static bool group_tables(struct component_page *page)
{
    return metric_regroup(&page->total, &page->operations, total_key, page) &&
           metric_regroup(&page->before, &page->operations_before, total_key,
                          page) &&
           metric_regroup(&page->endpoints, &page->operations, endpoint_key,
                          NULL) &&
           metric_regroup(&page->endpoints_before, &page->operations_before,
                          endpoint_key, NULL) &&
           (page->steps == 0 ||
            metric_regroup(&page->spark_endpoints, &page->spark.table,
                           endpoint_key, NULL)) &&
           page_peers_group(page, &page->callers) &&
           page_peers_group(page, &page->callees);
}

enum status page_read_series(struct component_page *page)
{
    struct metric_table chosen, *chart = &page->chart;
    bool whole =
        page->filter.endpoint.len == 0 && page->filter.operation.len == 0;
    enum status s;

    init_tables(page);
    if (!whole) {
        init_chosen(page, &chosen);
        chart = &chosen;
    }
    struct metric_table *tables[] = {&page->operations,
                                     &page->operations_before,
                                     chart,
                                     &page->callers.calls,
                                     &page->callers.calls_before,
                                     &page->callees.calls,
                                     &page->callees.calls_before,
                                     &page->templates.now,
                                     &page->templates.before,
                                     &page->spark.table};
    uint32_t count = sizeof(tables) / sizeof(*tables);
    s = read_metrics(page->request, page->resources, NULL, tables,
                     page->steps > 0 ? count : count - 1);
    /* No spans: the charts come from the metrics of SDKs, if any. */
    if (s == OK && whole && !metric_seen(&page->chart, &page->charted.latency))
        s = red_query_sdk(page->request, page->resources, &page->grid,
                          &page->charted, &page->chart);
    if (s != OK)
        return s;
    return group_tables(page) ? OK : arena_status(page->request->arena);
}
