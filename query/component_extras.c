#include "component_extras.h"

#include <math.h>

#include "clock.h"
#include "reply_metrics.h"

const struct reply_table usage_table = REPLY_TABLE(
    struct usage_view, REPLY_NULLABLE(struct usage_view, "cpuUsage", cpu),
    REPLY_NULLABLE(struct usage_view, "cpuLimits", cpu_limit),
    REPLY_NULLABLE(struct usage_view, "memoryUsage", memory),
    REPLY_NULLABLE(struct usage_view, "memoryLimits", memory_limit),
    REPLY_NULLABLE(struct usage_view, "restarts", restarts));

enum status extras_params(struct query_request *request,
                          const struct scope_filter *scope,
                          struct component_extras *extras)
{
    params_query_bool(request, "usage", &extras->with_usage);
    if (params_query_number(request, "spark", 0, SPARK_STEPS_MAX,
                            &extras->steps) != OK)
        return request->failed;
    return details_params(request, scope, &extras->details);
}

/* ---- reading ---- */

/* Metrics are of resources; several may be of one component. */
static uint64_t component_key(void *arg, const struct metric_group *group)
{
    struct query_request *request = arg;
    struct identity identity;

    return registry_resource_identity(request->services->registry,
                                      group->resource_id, request->arena,
                                      &identity)
               ? key_identity(1, &identity)
               : 0;
}

static enum status read_usage(struct component_extras *extras,
                              struct query_request *request,
                              const struct bitmap *resources,
                              const struct grid *grid)
{
    enum status s =
        usage_query_by(request, resources, grid, NULL, true, &extras->usage);

    if (s != OK)
        return s;
    metric_table_init(&extras->used, request->arena, grid, NULL);
    for (int i = 0; i < USAGE_ROWS; i++)
        (void)metric_table_add(&extras->used, &extras->usage.rows[i]);
    return metric_regroup(&extras->used, &extras->usage.table, component_key,
                          request)
               ? OK
               : arena_status(request->arena);
}

static enum status read_restarts(struct component_extras *extras,
                                 struct query_request *request,
                                 const struct bitmap *resources,
                                 const struct grid *grid)
{
    struct metric_table table, *tables[] = {&table};
    enum status s;

    extras->restarts =
        (struct metric_expr){EXPR_INCREASE, .select = {.first = METRIC_RESTARTS,
                                                       .last = METRIC_RESTARTS,
                                                       .pod_labels = true}};
    metric_table_init(&table, request->arena, grid, NULL);
    metric_table_init(&extras->restarted, request->arena, grid, NULL);
    table.by_resource = true;
    (void)metric_table_add(&table, &extras->restarts);
    (void)metric_table_add(&extras->restarted, &extras->restarts);
    s = read_metrics(request, resources, NULL, tables, 1);
    if (s != OK)
        return s;
    return metric_regroup(&extras->restarted, &table, component_key, request)
               ? OK
               : arena_status(request->arena);
}

static enum status read_spark(struct component_extras *extras,
                              struct query_request *request,
                              const struct bitmap *resources,
                              const struct window *window)
{
    struct component_sums sums;
    struct metric_table *tables[] = {&sums.resources};

    spark_init(&extras->spark, request, window, extras->steps, NULL);
    component_sums_init(&sums, request, &extras->spark.table);
    return extras->spark.table.grid.count > 0
               ? read_metrics(request, resources, NULL, tables, 1)
               : OK;
}

enum status extras_read(struct component_extras *extras,
                        struct query_request *request,
                        const struct bitmap *resources,
                        const struct window *window)
{
    enum status s = OK;

    if (extras->with_usage)
        s = read_usage(extras, request, resources, &window->now);
    if (s == OK && extras->with_usage)
        s = read_restarts(extras, request, resources, &window->now);
    if (s == OK && extras->steps > 0)
        s = read_spark(extras, request, resources, window);
    if (s == OK && extras->details.wanted)
        s = details_read(&extras->details, request, resources, window,
                         extras->steps);
    return s;
}

/* ---- answering ---- */

static double value_of(const struct metric_table *table,
                       const struct metric_group *group,
                       const struct metric_expr *expr, uint32_t cell)
{
    return group && cell < table->grid.count
               ? metric_value(table, group, expr, cell)
               : NAN;
}

void extras_usage(const struct component_extras *extras, uint64_t key,
                  struct usage_view *view)
{
    const struct metric_table *used = &extras->used;
    const struct metric_expr *rows = extras->usage.rows;
    const struct metric_group *group = metric_group_find(used, key);

    *view = (struct usage_view){
        .cpu = value_of(used, group, &rows[METRIC_CPU_USAGE], 0),
        .cpu_limit = value_of(used, group, &rows[METRIC_CPU_LIMIT], 0),
        .memory = value_of(used, group, &rows[METRIC_MEMORY_USAGE], 0),
        .memory_limit = value_of(used, group, &rows[METRIC_MEMORY_LIMIT], 0),
        .restarts = value_of(&extras->restarted,
                             metric_group_find(&extras->restarted, key),
                             &extras->restarts, 0)};
}

void extras_spark(const struct component_extras *extras, uint64_t key,
                  struct spark_view *view)
{
    const struct metric_table *table = &extras->spark.table;

    spark_view_fill(view, &extras->spark, table, metric_group_find(table, key));
}
