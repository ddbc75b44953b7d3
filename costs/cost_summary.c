/*
 * GET /api/v1/costs: costs summed by component, project, environment or
 * namespace, largest first, and what of the nodes nobody uses.
 *
 *   paid by pods + idle = nodes + overcommitted + outside
 *
 * Idle is only known to who sees all pods: of others a part of the nodes would
 * seem to be idle.
 */
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "cost_nodes.h"
#include "cost_params.h"
#include "cost_routes.h"
#include "hash.h"

enum group_by { BY_COMPONENT, BY_PROJECT, BY_ENVIRONMENT, BY_NAMESPACE };

struct cost_sums {
    double cost, cpu, memory, used, unused, efficiency;
};
static const struct reply_table cost_sums_table =
    REPLY_TABLE(struct cost_sums, REPLY(struct cost_sums, "cost", cost),
                REPLY(struct cost_sums, "cpuCost", cpu),
                REPLY(struct cost_sums, "memoryCost", memory),
                REPLY(struct cost_sums, "usedCost", used),
                REPLY(struct cost_sums, "unusedCost", unused),
                REPLY(struct cost_sums, "efficiency", efficiency));

struct cost_group {
    struct slice namespace, project, component, environment;
    struct cost_cell cell;
    struct cost_sums sums;
    double share, idle;
};
static const struct reply_table cost_group_table = REPLY_TABLE(
    struct cost_group, REPLY(struct cost_group, "namespace", namespace),
    REPLY_OPTIONAL(struct cost_group, "project", project),
    REPLY_OPTIONAL(struct cost_group, "component", component),
    REPLY_OPTIONAL(struct cost_group, "environment", environment),
    REPLY_INLINE(struct cost_group, sums, 0, &cost_sums_table),
    REPLY(struct cost_group, "share", share),
    REPLY_NULLABLE(struct cost_group, "idleCost", idle));

struct cost_node_sums {
    uint32_t count;
    double cores, gib;
    double cost, cpu, memory, idle, idle_cpu, idle_memory, over, outside;
};
static const struct reply_table cost_node_sums_table = REPLY_TABLE(
    struct cost_node_sums, REPLY(struct cost_node_sums, "count", count),
    REPLY(struct cost_node_sums, "coreHours", cores),
    REPLY(struct cost_node_sums, "gibHours", gib),
    REPLY(struct cost_node_sums, "cost", cost),
    REPLY(struct cost_node_sums, "cpuCost", cpu),
    REPLY(struct cost_node_sums, "memoryCost", memory),
    REPLY(struct cost_node_sums, "idleCost", idle),
    REPLY(struct cost_node_sums, "idleCpuCost", idle_cpu),
    REPLY(struct cost_node_sums, "idleMemoryCost", idle_memory),
    REPLY(struct cost_node_sums, "overcommittedCost", over),
    REPLY(struct cost_node_sums, "outsideCost", outside));

struct summary {
    struct reply_list groups;
    uint32_t total;
    struct cost_sums totals;
    const struct cost_sums *unattributed;
    const struct cost_node_sums *nodes;
    const struct empty_reply *empty;
    struct cost_window window;
    uint64_t first_ns;
    struct cost_prices prices;
    int64_t took_ms;
};
static const struct reply_table summary_table = REPLY_TABLE(
    struct summary,
    REPLY_LIST(struct summary, "groups", groups, &cost_group_table),
    REPLY(struct summary, "total", total),
    REPLY_OBJECT(struct summary, "totals", totals, 0, &cost_sums_table),
    REPLY_OBJECT(struct summary, "unattributed", unattributed, REPLY_POINTER,
                 &cost_sums_table),
    REPLY_OBJECT(struct summary, "nodes", nodes, REPLY_POINTER,
                 &cost_node_sums_table),
    REPLY_OBJECT(struct summary, "empty", empty, REPLY_POINTER, &empty_table),
    REPLY_OBJECT(struct summary, "window", window, 0, &cost_window_table),
    REPLY_OPTIONAL_TIME(struct summary, "dataStartTime", first_ns),
    REPLY_OBJECT(struct summary, "prices", prices, 0, &cost_prices_table),
    REPLY(struct summary, "tookMs", took_ms));

/* ---- groups ---- */

struct cost_groups {
    struct cost_group *at;
    uint32_t count;
    struct map index;
    struct cost_cell total;
};

static struct cost_sums sums_of(const struct cost_cell *cell)
{
    double cpu = cell->cost[PRICE_CPU], memory = cell->cost[PRICE_MEMORY];
    double used = cell->used_cost[PRICE_CPU] + cell->used_cost[PRICE_MEMORY];

    return (struct cost_sums){.cost = cpu + memory,
                              .cpu = cpu,
                              .memory = memory,
                              .used = used,
                              .unused = cpu + memory - used,
                              .efficiency = cost_efficiency(cell)};
}

static struct cost_group names_of(const struct identity *identity,
                                  enum group_by by)
{
    struct cost_group group = {.namespace = identity->namespace};

    if (by == BY_COMPONENT || by == BY_PROJECT)
        group.project = identity->project;
    if (by == BY_COMPONENT)
        group.component = identity->component;
    if (by == BY_COMPONENT || by == BY_ENVIRONMENT)
        group.environment = identity->environment;
    return group;
}

static bool is_same(const struct cost_group *a, const struct cost_group *b)
{
    return slice_equal(a->namespace, b->namespace) &&
           slice_equal(a->project, b->project) &&
           slice_equal(a->component, b->component) &&
           slice_equal(a->environment, b->environment);
}

static struct cost_group *group_at(struct cost_groups *groups,
                                   const struct cost_group *wanted)
{
    const struct slice *names[] = {&wanted->namespace, &wanted->project,
                                   &wanted->component, &wanted->environment};
    uint64_t hash = 0;

    for (int i = 0; i < 4; i++)
        hash = hash_bytes(names[i]->ptr, names[i]->len, hash);
    map_each(&groups->index, map_hash(hash), at)
        if (is_same(&groups->at[at], wanted))
            return &groups->at[at];
    if (!map_add(&groups->index, map_hash(hash), groups->count))
        return NULL;
    groups->at[groups->count] = *wanted;
    return &groups->at[groups->count++];
}

/* By cost, largest first, then by name. */
static int by_cost(const void *left, const void *right)
{
    const struct cost_group *a = left, *b = right;
    const struct identity one = {.namespace = a->namespace,
                                 .project = a->project,
                                 .component = a->component,
                                 .environment = a->environment};
    const struct identity other = {.namespace = b->namespace,
                                   .project = b->project,
                                   .component = b->component,
                                   .environment = b->environment};

    if (a->sums.cost != b->sums.cost)
        return a->sums.cost > b->sums.cost ? -1 : 1;
    return identity_compare(&one, &other);
}

/* unattributed: what is of no component. */
static bool make_groups(const struct cost_report *report, enum group_by by,
                        struct cost_groups *groups,
                        struct cost_cell *unattributed)
{
    struct arena *arena = report->request->arena;

    groups->index.arena = arena;
    groups->at = arena_zero(arena, report->count + 1, sizeof(*groups->at));
    for (uint32_t i = 0; groups->at && i < report->count; i++) {
        const struct identity *identity = &report->components[i].identity;
        struct cost_cell cell = cost_total(report, &report->components[i]);
        struct cost_group names = names_of(identity, by), *group;

        cost_cell_add(&groups->total, &cell);
        if (identity->component.len == 0) {
            cost_cell_add(unattributed, &cell);
            continue;
        }
        if (cell.hours == 0)
            continue;
        group = group_at(groups, &names);
        if (!group)
            return false;
        cost_cell_add(&group->cell, &cell);
    }
    for (uint32_t i = 0; groups->at && i < groups->count; i++)
        groups->at[i].sums = sums_of(&groups->at[i].cell);
    if (groups->at)
        qsort(groups->at, groups->count, sizeof(*groups->at), by_cost);
    return groups->at;
}

/* ---- nodes ---- */

static struct cost_node_sums cost_node_sums_of(const struct cost_nodes *nodes)
{
    const struct cost_node_totals *t = &nodes->totals;
    struct cost_node_sums sums = {
        .cores = nodes->cores,
        .gib = nodes->gib,
        .cpu = t->cost[PRICE_CPU],
        .memory = t->cost[PRICE_MEMORY],
        .cost = t->cost[PRICE_CPU] + t->cost[PRICE_MEMORY],
        .idle_cpu = t->idle[PRICE_CPU],
        .idle_memory = t->idle[PRICE_MEMORY],
        .idle = t->idle[PRICE_CPU] + t->idle[PRICE_MEMORY],
        .over = t->over[PRICE_CPU] + t->over[PRICE_MEMORY],
        .outside = t->elsewhere[PRICE_CPU] + t->elsewhere[PRICE_MEMORY]};

    for (uint32_t i = 0; i < nodes->count; i++)
        sums.count += nodes->at[i].reported;
    return sums;
}

/* Idle is shared by what is paid, as OpenCost does. */
static void share(struct cost_groups *groups,
                  const struct cost_node_sums *nodes)
{
    double all =
        groups->total.cost[PRICE_CPU] + groups->total.cost[PRICE_MEMORY];

    for (uint32_t i = 0; i < groups->count; i++) {
        struct cost_group *group = &groups->at[i];

        group->share = all > 0 ? group->sums.cost / all : 0;
        group->idle = nodes ? nodes->idle * group->share : (double)NAN;
    }
}

/* ---- the route ---- */

struct summary_request {
    struct cost_report report;
    enum group_by by;
    uint64_t limit;
};

static enum status answer(struct summary_request *args)
{
    struct cost_report *report = &args->report;
    struct query_request *request = report->request;
    struct cost_groups groups = {.count = 0};
    struct cost_cell unattributed = {.hours = 0};
    struct cost_node_sums nodes;
    struct cost_sums rest;
    enum status status = cost_nodes_find(report);

    if (status != OK)
        return query_fail_read(request, status);
    status = cost_read(report);
    if (status != OK)
        return status;
    if (!make_groups(report, args->by, &groups, &unattributed))
        return arena_status(request->arena);
    nodes = cost_node_sums_of(report->nodes);
    rest = sums_of(&unattributed);
    bool known = report->unassigned && nodes.count > 0;
    share(&groups, known ? &nodes : NULL);
    const struct summary view = {
        .groups = {.count = (uint32_t)min_u64(groups.count, args->limit),
                   .items = groups.at},
        .total = groups.count,
        .totals = sums_of(&groups.total),
        .unattributed = report->unassigned ? &rest : NULL,
        .nodes = known ? &nodes : NULL,
        .empty = cost_empty(report),
        .window = {report->start_ns, report->end_ns},
        .first_ns = report->first_ns,
        .prices = cost_prices_view(report),
        .took_ms = query_took_ms(request)};
    reply_write(&request->json, &summary_table, &view);
    return OK;
}

static enum status read_by(struct query_request *request, enum group_by *by)
{
    static const char *const names[] = {"component", "project", "environment",
                                        "namespace", NULL};
    int word = params_query_word(request, "groupBy", names);

    *by = word < 0 ? BY_COMPONENT : (enum group_by)word;
    return request->failed;
}

static enum status cost_summary(struct query_request *request)
{
    struct summary_request args = {.report = {.request = request},
                                   .limit = 100};
    struct scope_filter *scope = &args.report.scope;
    enum status status = params_query_scope(request, scope);

    if (status == OK)
        status = read_by(request, &args.by);
    if (status == OK)
        status = params_query_number(request, "limit", 1, 1000, &args.limit);
    if (status == OK)
        status = cost_params_since(request, NS_PER_DAY, &args.report);
    if (status == OK)
        status = params_select(request, scope, &args.report.resources);
    if (status != OK)
        return status;
    args.report.unassigned =
        viewer_sees_all(&request->viewer) && scope->namespace.len == 0 &&
        scope->project.len == 0 && scope->component.len == 0 &&
        scope->environment.len == 0;
    args.report.prices = prices_get(request->services->prices);
    status = answer(&args);
    price_table_release(args.report.prices);
    return status;
}

const struct route routes_cost_summary[] = {
    {"GET", "/api/v1/costs", ACTION_FINOPS_VIEW, SCOPE_NARROWED, cost_summary,
     NULL, 0, 0, &summary_table},
    {0},
};
