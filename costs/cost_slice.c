/*
 * Some hours of the window: the series of each pod become integrals, those what
 * it paid in each hour, and that is added to its component. The containers of a
 * pod are added up first, since the pod is what a node has to have room for.
 */
#include <math.h>

#include "clock.h"
#include "cost_nodes.h"
#include "cost_sizes.h"
#include "hash.h"

#define MEANING(meaning)           \
    {                              \
        EXPR_INTEGRAL, .select = { \
            .first = (meaning),    \
            .last = (meaning),     \
            .pod_labels = true     \
        }                          \
    }
static const struct metric_expr requests[PRICE_KINDS] = {
    MEANING(METRIC_CPU_REQUEST), MEANING(METRIC_MEMORY_REQUEST)};
static const struct metric_expr usages[PRICE_KINDS] = {
    MEANING(METRIC_CPU_USAGE), MEANING(METRIC_MEMORY_USAGE)};

/* ---- from series to pods ---- */

static enum status read_store(void *arg, const struct series_query *query,
                              point_visit *visit, void *visit_arg)
{
    struct cost_tables *reading = arg;

    return reader_query_series(reading->report->request->reader, query, visit,
                               visit_arg);
}

static uint64_t entity_of(void *arg, uint32_t resource)
{
    struct cost_tables *reading = arg;
    const struct cost_resource *known =
        cost_resource(reading->report, resource, reading->scratch);

    return known ? known->pod : (uint64_t)resource << 1;
}

enum status cost_read_tables(struct cost_report *report,
                             const struct bitmap *resources,
                             struct arena *scratch,
                             struct metric_table *const *tables, uint32_t count)
{
    struct cost_tables reading = {.report = report, .scratch = scratch};
    const struct metric_source source = {.read = read_store,
                                         .entity = entity_of,
                                         .arg = &reading,
                                         .resources = resources,
                                         .arena = scratch};

    return metric_read(tables, count, &source);
}

/* The pod that the point names, else that of its resource. */
static uint64_t pod_of(const struct metric_group *group,
                       const struct cost_resource *known, bool *named)
{
    for (uint32_t by = 0; by < 4; by += 2) {
        struct slice pod = metric_label(group, by);

        if (pod.len > 0) {
            *named = true;
            return metric_pod_entity(metric_label(group, by + 1), pod);
        }
    }
    *named = known->named;
    return known->pod;
}

struct metric_group *cost_pod_of(void *arg, const struct metric_group *group)
{
    struct cost_tables *reading = arg;
    struct cost_report *report = reading->report;
    const struct cost_resource *known =
        cost_resource(report, group->resource_id, reading->scratch);
    struct metric_group *target;
    struct cost_pod *pod;
    bool named = false;

    if (!known || known->component == COST_NONE)
        return NULL;
    target = metric_group_with(
        reading->pods,
        hash_mix(pod_of(group, known, &named), known->component) | 2,
        sizeof(*pod));
    if (!target)
        return NULL;
    pod = target->item;
    if (!pod->known)
        *pod =
            (struct cost_pod){known->component, COST_NONE, NULL, named, true};
    if (pod->node == COST_NONE)
        pod->node = known->node;
    if (pod->node == COST_NONE)
        pod->node = cost_node(report, metric_label(group, 4));
    if (!pod->row)
        pod->row = known->row;
    return target;
}

/* ---- from pods to components ---- */

static bool has_hour(const struct cost_report *report, const uint64_t *hours,
                     uint64_t time_ns)
{
    uint64_t hour = (time_ns - report->start_ns) / NS_PER_HOUR;

    return hours[hour >> 6] >> (hour & 63) & 1;
}

static void set_hour(const struct cost_report *report, uint64_t *hours,
                     uint64_t time_ns)
{
    uint64_t hour = (time_ns - report->start_ns) / NS_PER_HOUR;

    hours[hour >> 6] |= UINT64_C(1) << (hour & 63);
}

/* A pod whose name is not known may be one of those known by name, seen by
 * itself: in hours in which these have usage, it is left out. */
static bool counts(const struct cost_report *report, const struct cost_pod *pod,
                   int kind, uint64_t time_ns)
{
    return pod->named ||
           !has_hour(report, report->components[pod->component].named[kind],
                     time_ns);
}

static void note_named(struct cost_report *report,
                       const struct metric_table *pods)
{
    for (uint32_t i = 0; i < pods->count; i++) {
        const struct cost_pod *pod = pods->groups[i]->item;

        for (uint32_t cell = 0; pod->named && cell < pods->grid.count; cell++)
            for (int kind = 0; kind < PRICE_KINDS; kind++)
                if (!isnan(cost_amount(pods, pods->groups[i], &usages[kind],
                                       cell)))
                    set_hour(report,
                             report->components[pod->component].named[kind],
                             grid_time(&pods->grid, cell));
    }
}

/* What the pod pays of one kind in one hour. False: nothing is known. */
static bool pay(struct cost_report *report, const struct metric_table *pods,
                const struct metric_group *group, int kind, uint32_t cell)
{
    const struct cost_pod *pod = group->item;
    double unit = kind == PRICE_CPU ? 3600 : 3600 * COST_GIB;
    double request = cost_amount(pods, group, &requests[kind], cell) / unit;
    double used = cost_amount(pods, group, &usages[kind], cell) / unit;
    struct cost_component *component = &report->components[pod->component];
    struct cost_cell *to =
        &component->steps[cost_step(report, grid_time(&pods->grid, cell))];
    double price = cost_price(report, pod->node, pod->row, cell).of[kind];
    double paid;

    if ((isnan(request) && isnan(used)) ||
        !counts(report, pod, kind, grid_time(&pods->grid, cell)))
        return false;
    paid = fmax(request, used); /* the known one, if one is NAN */
    to->paid[kind] += paid;
    to->cost[kind] += paid * price;
    if (!isnan(request))
        to->requested |= (uint8_t)(1u << kind);
    if (!isnan(used)) {
        to->used[kind] += used;
        to->used_cost[kind] += used * price;
        to->measured |= (uint8_t)(1u << kind);
    }
    cost_node_pay(report, pod->node, kind, cell, paid, paid * price);
    return true;
}

static void note_hour(struct cost_report *report,
                      struct cost_component *component, uint64_t time_ns)
{
    struct cost_cell *cell = &component->steps[cost_step(report, time_ns)];

    cell->pod_hours++;
    cell->hours += !has_hour(report, component->seen, time_ns);
    set_hour(report, component->seen, time_ns);
    if (report->first_ns == 0 || time_ns < report->first_ns)
        report->first_ns = time_ns;
}

static void pay_all(struct cost_report *report, const struct metric_table *pods)
{
    note_named(report, pods);
    for (uint32_t i = 0; i < pods->count; i++) {
        const struct metric_group *group = pods->groups[i];
        const struct cost_pod *pod = group->item;

        for (uint32_t cell = 0; cell < pods->grid.count; cell++) {
            bool seen = pay(report, pods, group, PRICE_CPU, cell);

            seen |= pay(report, pods, group, PRICE_MEMORY, cell);
            if (seen)
                note_hour(report, &report->components[pod->component],
                          grid_time(&pods->grid, cell));
        }
    }
}

enum status cost_read_slice(struct cost_report *report, struct arena *scratch,
                            uint64_t start_ns, uint64_t end_ns)
{
    static const char *const by[] = {
        "exported_pod", "exported_namespace", "pod", "namespace", "node", NULL};
    /* The last hour of the window may be a part of one. */
    bool whole = (end_ns - start_ns) % NS_PER_HOUR == 0;
    const struct grid grid = {
        start_ns, NS_PER_HOUR, whole ? report->request->now_ns : end_ns,
        (uint32_t)((end_ns - start_ns + NS_PER_HOUR - 1) / NS_PER_HOUR)};
    struct metric_table raw, pods, *tables[1 + COST_SIZE_TABLES] = {&raw};
    struct cost_tables reading = {report, scratch, &pods};
    struct cost_sizes sizes;
    enum status status;

    metric_table_init(&raw, scratch, &grid, by);
    metric_table_init(&pods, scratch, &grid, NULL);
    for (int kind = 0; kind < PRICE_KINDS; kind++) {
        (void)(metric_table_add(&raw, &requests[kind]) && /* four fit */
               metric_table_add(&raw, &usages[kind]) &&
               metric_table_add(&pods, &requests[kind]) &&
               metric_table_add(&pods, &usages[kind]));
    }
    raw.by_resource = true;
    raw.sums = &pods;
    raw.target = cost_pod_of;
    raw.target_arg = &reading;
    if (report->sizes)
        cost_sizes_init(&sizes, report, scratch, &grid, by, tables + 1);
    status = cost_read_tables(report, report->resources, scratch, tables,
                              report->sizes ? 1 + COST_SIZE_TABLES : 1);
    if (status == OK && report->nodes)
        status = cost_nodes_read(report, scratch, &grid);
    if (status == OK)
        status = arena_status(scratch);
    if (status != OK)
        return status;
    pay_all(report, &pods);
    if (report->nodes)
        cost_nodes_sum(report, &grid);
    if (report->sizes)
        cost_sizes_add(&sizes);
    return OK;
}
