/*
 * GET /api/v1alpha1/costs/namespaces/{}/environments/{}, of the Observer API:
 * what the components of an environment cost, in each step of the window.
 */
#include "cost_nodes.h"
#include "cost_params.h"
#include "cost_routes.h"

/* What is not known of an item: clients would take 0 for a fact. */
struct missing {
    struct slice at[4];
    uint32_t count;
};

struct cost_item {
    const struct identity *identity;
    struct slice component_uid, environment_uid, project_uid;
    uint64_t start_ns, end_ns;
    double cpu, memory, efficiency;
    double cpu_used, memory_used;
    uint32_t hours;
    struct missing missing;
    struct reply_list missing_list;
};

static const struct reply_table cost_item_table = REPLY_TABLE(
    struct cost_item, REPLY(struct cost_item, "componentUid", component_uid),
    REPLY(struct cost_item, "environmentUid", environment_uid),
    REPLY(struct cost_item, "projectUid", project_uid),
    REPLY_INLINE(struct cost_item, identity, REPLY_POINTER, &cost_names_table),
    REPLY_TIME(struct cost_item, "startTime", start_ns),
    REPLY_TIME(struct cost_item, "endTime", end_ns),
    REPLY(struct cost_item, "cpuCost", cpu),
    REPLY(struct cost_item, "memoryCost", memory),
    REPLY(struct cost_item, "efficiency", efficiency),
    REPLY(struct cost_item, "cpuUsedCost", cpu_used),
    REPLY(struct cost_item, "memoryUsedCost", memory_used),
    REPLY(struct cost_item, "hours", hours),
    REPLY_OPTIONAL_LIST(struct cost_item, "missing", missing_list,
                        &reply_texts));

/* Behind the items. */
struct cost_tail {
    const struct empty_reply *empty;
    struct cost_window window;
    uint64_t first_ns;
    struct cost_prices prices;
    int64_t took_ms;
};
static const struct reply_table cost_tail_table = REPLY_TABLE(
    struct cost_tail,
    REPLY_OBJECT(struct cost_tail, "empty", empty, REPLY_POINTER, &empty_table),
    REPLY_OBJECT(struct cost_tail, "window", window, 0, &cost_window_table),
    REPLY_OPTIONAL_TIME(struct cost_tail, "dataStartTime", first_ns),
    REPLY_OBJECT(struct cost_tail, "prices", prices, 0, &cost_prices_table),
    REPLY(struct cost_tail, "tookMs", took_ms));

struct cost_answer {
    struct reply_list items;
    struct cost_tail tail;
};
static const struct reply_table cost_answer_table = REPLY_TABLE(
    struct cost_answer,
    REPLY_LIST(struct cost_answer, "items", items, &cost_item_table),
    REPLY_INLINE(struct cost_answer, tail, 0, &cost_tail_table));

struct item_list {
    const struct cost_report *report;
    struct cost_item item;
};

static void note_missing(struct missing *missing, const struct cost_cell *cell)
{
    static const char *const requests[] = {"cpuRequest", "memoryRequest"};
    static const char *const usages[] = {"cpuUsage", "memoryUsage"};

    missing->count = 0;
    for (int kind = 0; kind < PRICE_KINDS; kind++) {
        if (!(cell->requested >> kind & 1))
            missing->at[missing->count++] = slice_of(requests[kind]);
        if (!(cell->measured >> kind & 1))
            missing->at[missing->count++] = slice_of(usages[kind]);
    }
}

/* Steps of a component one after the other; those without data are left out. */
static const void *cost_item(void *arg, uint32_t i)
{
    struct item_list *list = arg;
    const struct cost_report *report = list->report;
    const struct cost_component *component =
        &report->components[i / report->steps];
    uint32_t step = i % report->steps;
    const struct cost_cell *cell = &component->steps[step];
    struct cost_item *item = &list->item;

    if (cell->hours == 0)
        return NULL;
    *item = (struct cost_item){
        .identity = &component->identity,
        .component_uid = cost_uid(component->identity.component_uid),
        .environment_uid = cost_uid(component->identity.environment_uid),
        .project_uid = cost_uid(component->identity.project_uid),
        .start_ns = report->start_ns + step * report->step_ns,
        .end_ns = cost_step_end(report, step),
        .cpu = cell->cost[PRICE_CPU],
        .memory = cell->cost[PRICE_MEMORY],
        .efficiency = cost_efficiency(cell),
        .cpu_used = cell->used_cost[PRICE_CPU],
        .memory_used = cell->used_cost[PRICE_MEMORY],
        .hours = cell->hours};
    note_missing(&item->missing, cell);
    item->missing_list =
        (struct reply_list){item->missing.count, item->missing.at, NULL, NULL};
    return item;
}

/* A month by the day of a thousand components is larger than an answer may be
 * in memory: it is made in pieces, from what is in the arena. */
struct cost_stream {
    struct cost_report report;
    struct item_list list;
    struct cost_tail tail;
    uint32_t next, count;
    bool begun, any;
};

static bool produce(void *arg, struct buf *out)
{
    struct cost_stream *s = arg;
    size_t start = out->len;
    struct jsonw w;

    if (!s->begun)
        buf_format(out, "{\"items\":[");
    s->begun = true;
    while (s->next < s->count && out->len - start < QUERY_PIECE) {
        const void *item = cost_item(&s->list, s->next++);

        if (!item)
            continue;
        if (s->any)
            buf_byte(out, ',');
        s->any = true;
        jsonw_init(&w, out);
        reply_write(&w, &cost_item_table, item);
    }
    if (s->next < s->count)
        return true;
    buf_byte(out, ']');
    start = out->len;
    jsonw_init(&w, out);
    reply_write(&w, &cost_tail_table, &s->tail);
    if (out->len > start)
        out->ptr[start] = ','; /* its members go on in the same object */
    return false;
}

static enum status answer(struct cost_report *report)
{
    struct query_request *request = report->request;
    enum status status = cost_nodes_find(report);
    struct cost_stream *stream;

    if (status != OK)
        return query_fail_read(request, status);
    status = cost_read(report);
    stream = arena_zero(request->arena, 1, sizeof(*stream));
    if (status != OK || !stream)
        return status != OK ? status : arena_status(request->arena);
    cost_sort_components(report);
    stream->report = *report;
    stream->list.report = &stream->report;
    stream->count = report->count * report->steps;
    stream->tail =
        (struct cost_tail){.empty = cost_empty(report),
                           .window = {report->start_ns, report->end_ns},
                           .first_ns = report->first_ns,
                           .prices = cost_prices_view(report),
                           .took_ms = query_took_ms(request)};
    request->produce = produce;
    request->produce_arg = stream;
    return OK;
}

static enum status component_costs(struct query_request *request)
{
    struct cost_report report = {.request = request};
    enum status status = cost_params_observer(request, &report);

    if (status == OK)
        status = cost_params_steps(request, &report);
    if (status != OK)
        return status;
    report.prices = prices_get(request->services->prices);
    status = answer(&report);
    price_table_release(report.prices);
    return status;
}

const struct route routes_component_costs[] = {
    {"GET", "/api/v1alpha1/costs/namespaces/{}/environments/{}",
     ACTION_FINOPS_VIEW, SCOPE_PATH_SPACE, component_costs, NULL, 0, 0,
     &cost_answer_table},
    {0},
};
