/* Capacity and prices of nodes, hour by hour of a slice. */
#include <math.h>

#include "clock.h"
#include "cost_nodes.h"

#define CPU    .label = SLICE_INIT("resource"), .value = SLICE_INIT("cpu")
#define MEMORY .label = SLICE_INIT("resource"), .value = SLICE_INIT("memory")
#define NAMES(...)                                \
    .names = (const struct slice[]){__VA_ARGS__}, \
    .name_count =                                 \
        sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice)

/* Of what is sent the first counts: the whole node is paid for, so what there
 * is comes before what pods may have of it. */
enum { SOURCES = 4 };
static const struct metric_expr capacity[SOURCES][PRICE_KINDS] = {
    {{EXPR_INTEGRAL,
      .select = {NAMES(SLICE_INIT("kube_node_status_capacity")), CPU}},
     {EXPR_INTEGRAL,
      .select = {NAMES(SLICE_INIT("kube_node_status_capacity")), MEMORY}}},
    {{EXPR_INTEGRAL, .select = {NAMES(SLICE_INIT("machine_cpu_cores"))}},
     {EXPR_INTEGRAL, .select = {NAMES(SLICE_INIT("machine_memory_bytes"))}}},
    {{EXPR_INTEGRAL,
      .select = {NAMES(SLICE_INIT("kube_node_status_allocatable")), CPU}},
     {EXPR_INTEGRAL,
      .select = {NAMES(SLICE_INIT("kube_node_status_allocatable")), MEMORY}}},
    {{EXPR_INTEGRAL, .select = {NAMES(SLICE_INIT("k8s.node.allocatable_cpu"),
                                      SLICE_INIT("k8s.node.cpu.allocatable"))}},
     {EXPR_INTEGRAL,
      .select = {NAMES(SLICE_INIT("k8s.node.allocatable_memory"),
                       SLICE_INIT("k8s.node.memory.allocatable"))}}},
};
/* As OpenCost sends them: per core hour, per GiB hour. */
static const struct metric_expr sent[PRICE_KINDS] = {
    {EXPR_AVERAGE, .select = {NAMES(SLICE_INIT("node_cpu_hourly_cost"))}},
    {EXPR_AVERAGE, .select = {NAMES(SLICE_INIT("node_ram_hourly_cost"))}}};

static struct slice name_of(struct cost_report *report,
                            const struct metric_group *group,
                            struct arena *scratch)
{
    struct resource resource;

    for (uint32_t by = 0; by < 2; by++)
        if (metric_label(group, by).len > 0)
            return metric_label(group, by);
    return reader_resource(report->request->reader, group->resource_id, scratch,
                           &resource) == OK
               ? attrs_text(&resource.attrs, SLICE("k8s.node.name"))
               : (struct slice){NULL, 0};
}

enum status cost_nodes_read(struct cost_report *report, struct arena *scratch,
                            const struct grid *grid)
{
    static const char *const by[] = {"exported_node", "node", NULL};
    struct cost_nodes *nodes = report->nodes;
    struct metric_table *table = &nodes->table;
    enum status status;

    for (uint32_t i = 0; i < nodes->count; i++)
        nodes->at[i].groups = NULL;
    metric_table_init(table, scratch, grid, by);
    table->by_resource = true;
    for (int kind = 0; kind < PRICE_KINDS; kind++) {
        (void)metric_table_add(table, &sent[kind]); /* ten fit */
        for (int i = 0; i < SOURCES; i++)
            (void)metric_table_add(table, &capacity[i][kind]);
    }
    if (nodes->count == 0)
        return OK;
    status = cost_read_tables(report, nodes->resources, scratch, &table, 1);
    for (uint32_t i = 0; status == OK && i < table->count; i++) {
        uint32_t at =
            cost_node(report, name_of(report, table->groups[i], scratch));

        if (at == COST_NONE)
            continue;
        table->groups[i]->next = nodes->at[at].groups;
        nodes->at[at].groups = table->groups[i];
        for (int kind = 0; kind < PRICE_KINDS; kind++)
            nodes->at[at].paid[kind] =
                arena_zero(scratch, grid->count + 1, sizeof(double));
    }
    return status == OK ? arena_status(scratch) : status;
}

/* The largest of what was sent of a node, perhaps by several; NAN: nothing. */
static double value_of(const struct cost_nodes *nodes,
                       const struct cost_node *node,
                       const struct metric_expr *expr, uint32_t cell)
{
    double value = NAN;

    for (const struct metric_group *g = node->groups; g; g = g->next)
        value = fmax(value, metric_value(&nodes->table, g, expr, cell));
    return value;
}

/* In cores or GiB times hours; 0: not known. */
static double capacity_of(const struct cost_nodes *nodes,
                          const struct cost_node *node, int kind, uint32_t cell)
{
    double unit = kind == PRICE_CPU ? 3600 : 3600 * COST_GIB;

    for (int i = 0; i < SOURCES; i++) {
        double value = value_of(nodes, node, &capacity[i][kind], cell);

        if (!isnan(value))
            return value / unit;
    }
    return 0;
}

struct price cost_price(const struct cost_report *report, uint32_t at,
                        const struct price_row *row, uint32_t cell)
{
    const struct cost_nodes *nodes = report->nodes;
    const struct cost_node *node =
        nodes && at != COST_NONE ? &nodes->at[at] : NULL;
    struct price price;

    if (!node)
        return price_at(report->prices, row, 0, 0);
    price = price_at(report->prices, node->row ? node->row : row,
                     capacity_of(nodes, node, PRICE_CPU, cell),
                     capacity_of(nodes, node, PRICE_MEMORY, cell));
    for (int kind = 0; kind < PRICE_KINDS; kind++) {
        double value = value_of(nodes, node, &sent[kind], cell);

        if (value >= 0)
            price.of[kind] = value;
    }
    return price;
}

void cost_node_pay(struct cost_report *report, uint32_t at, int kind,
                   uint32_t cell, double hours, double cost)
{
    struct cost_nodes *nodes = report->nodes;

    if (!nodes)
        return;
    if (at != COST_NONE && capacity_of(nodes, &nodes->at[at], kind, cell) > 0)
        nodes->at[at].paid[kind][cell] += hours;
    else
        nodes->totals.elsewhere[kind] += cost;
}

void cost_nodes_sum(struct cost_report *report, const struct grid *grid)
{
    struct cost_nodes *nodes = report->nodes;
    struct cost_node_totals *totals = &nodes->totals;

    for (uint32_t i = 0; i < nodes->count; i++)
        for (uint32_t cell = 0; cell < grid->count; cell++) {
            struct cost_node *node = &nodes->at[i];
            struct price price = cost_price(report, i, NULL, cell);

            for (int kind = 0; kind < PRICE_KINDS; kind++) {
                double has = capacity_of(nodes, node, kind, cell);
                double left = has > 0 ? has - node->paid[kind][cell] : 0;

                if (has <= 0)
                    continue;
                node->reported = true;
                *(kind == PRICE_CPU ? &nodes->cores : &nodes->gib) += has;
                totals->cost[kind] += has * price.of[kind];
                totals->idle[kind] += fmax(left, 0) * price.of[kind];
                totals->over[kind] += fmax(-left, 0) * price.of[kind];
            }
        }
}
