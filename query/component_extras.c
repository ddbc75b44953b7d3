#include "component_extras.h"

#include <math.h>

#include "clock.h"
#include "reply_metrics.h"

static const struct reply_table number_table = REPLY_TABLE(
    double, {NULL, 0, sizeof(double), REPLY_TYPE_DOUBLE, REPLY_NULL, NULL});

const struct reply_table usage_table = REPLY_TABLE(
    struct usage_view, REPLY_NULLABLE(struct usage_view, "cpuUsage", cpu),
    REPLY_NULLABLE(struct usage_view, "cpuLimits", cpu_limit),
    REPLY_NULLABLE(struct usage_view, "memoryUsage", memory),
    REPLY_NULLABLE(struct usage_view, "memoryLimits", memory_limit),
    REPLY_NULLABLE(struct usage_view, "restarts", restarts));

const struct reply_table spark_table = REPLY_TABLE(
    struct spark_view, REPLY(struct spark_view, "stepSeconds", step_seconds),
    REPLY_LIST(struct spark_view, "requestRate", requests, &number_table),
    REPLY_LIST(struct spark_view, "errorRate", errors, &number_table),
    REPLY_LIST(struct spark_view, "p99", p99, &number_table),
    REPLY_LIST_AT(struct spark_view, "logErrorRate", shown_log_errors,
                  &number_table));

const struct reply_table last_change_table = REPLY_TABLE(
    struct last_change, REPLY_TIME(struct last_change, "timestamp", time_ns),
    REPLY(struct last_change, "kind", kind),
    REPLY_OPTIONAL(struct last_change, "to", to));

enum status extras_params(struct query_request *request,
                          struct component_extras *extras)
{
    params_query_bool(request, "usage", &extras->with_usage);
    return params_query_number(request, "spark", 0, EXTRAS_STEPS_MAX,
                               &extras->steps);
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

static struct metric_group *spark_of(void *arg,
                                     const struct metric_group *group)
{
    void **args = arg;
    struct component_extras *extras = args[0];
    uint64_t key = component_key(args[1], group);

    return key ? metric_group_at(&extras->spark, key) : NULL;
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

/* Steps of whole minutes, as derived series have, up to the end of the
 * window. */
static struct grid spark_grid(const struct window *window, uint64_t steps,
                              uint64_t now_ns)
{
    uint64_t length = window->end_ns - window->start_ns;
    uint64_t minutes = (length + steps * NS_PER_MIN - 1) / (steps * NS_PER_MIN);
    uint64_t step = (minutes ? minutes : 1) * NS_PER_MIN;
    uint64_t back = (steps - 1) * step;

    return grid_make(window->end_ns > back ? window->end_ns - 1 - back : 0,
                     window->end_ns, step, now_ns);
}

static enum status read_spark(struct component_extras *extras,
                              struct query_request *request,
                              const struct bitmap *resources,
                              const struct window *window)
{
    struct grid grid = spark_grid(window, extras->steps, request->now_ns);
    struct metric_table table, *tables[] = {&table};
    const struct metric_table *spark = &extras->spark;
    void *args[] = {extras, request};

    red_init(&extras->red, RED_SERVED);
    extras->requests = extras->red.latency;
    extras->requests.op = EXPR_INCREASE;
    extras->request_rate =
        (struct metric_expr){EXPR_PER_SECOND, .args = {&extras->requests}};
    extras->errors = (struct metric_expr){
        EXPR_OR_ZERO, .args = {&extras->red.errors, &extras->requests}};
    extras->error_rate =
        (struct metric_expr){EXPR_PER_SECOND, .args = {&extras->errors}};
    metric_table_init(&extras->spark, request->arena, &grid, NULL);
    (void)metric_table_add(&extras->spark, &extras->requests);
    (void)metric_table_add(&extras->spark, &extras->red.errors);
    metric_table_init(&table, request->arena, &spark->grid, NULL);
    (void)metric_table_add(&table, &extras->requests);
    (void)metric_table_add(&table, &extras->red.errors);
    table.by_resource = true;
    table.sums = &extras->spark;
    table.target = spark_of;
    table.target_arg = args;
    return grid.count > 0 ? read_metrics(request, resources, NULL, tables, 1)
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
    return s;
}

/* ---- answering ---- */

static const struct metric_group *find_group(const struct metric_table *table,
                                             uint64_t key)
{
    map_each(&table->index, map_hash_number(key), at)
        if (table->groups[at]->key == key)
            return table->groups[at];
    return NULL;
}

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
    const struct metric_group *group = find_group(used, key);

    *view = (struct usage_view){
        .cpu = value_of(used, group, &rows[METRIC_CPU_USAGE], 0),
        .cpu_limit = value_of(used, group, &rows[METRIC_CPU_LIMIT], 0),
        .memory = value_of(used, group, &rows[METRIC_MEMORY_USAGE], 0),
        .memory_limit = value_of(used, group, &rows[METRIC_MEMORY_LIMIT], 0),
        .restarts =
            value_of(&extras->restarted, find_group(&extras->restarted, key),
                     &extras->restarts, 0)};
}

void extras_spark(const struct component_extras *extras, uint64_t key,
                  struct spark_view *view)
{
    const struct metric_table *spark = &extras->spark;
    const struct metric_group *group = find_group(spark, key);
    uint32_t count = spark->grid.count < EXTRAS_STEPS_MAX ? spark->grid.count
                                                          : EXTRAS_STEPS_MAX;

    view->step_seconds = (double)spark->grid.step_ns / (double)NS_PER_S;
    for (uint32_t i = 0; i < count; i++) {
        view->request_rates[i] =
            value_of(spark, group, &extras->request_rate, i);
        view->error_rates[i] = value_of(spark, group, &extras->error_rate, i);
        view->p99s[i] = NAN;
    }
    view->requests =
        (struct reply_list){.count = count, .items = view->request_rates};
    view->errors =
        (struct reply_list){.count = count, .items = view->error_rates};
    view->p99 = (struct reply_list){.count = count, .items = view->p99s};
    view->shown_log_errors = NULL;
}
