/* Requests over time of many groups; see spark.h. */
#include "spark.h"

#include <math.h>

#include "clock.h"

static const struct reply_table number_table = REPLY_TABLE(
    double, {NULL, 0, sizeof(double), REPLY_TYPE_DOUBLE, REPLY_NULL, NULL});

const struct reply_table spark_table = REPLY_TABLE(
    struct spark_view, REPLY(struct spark_view, "stepSeconds", step_seconds),
    REPLY_LIST(struct spark_view, "requestRate", requests.list, &number_table),
    REPLY_LIST(struct spark_view, "errorRate", errors.list, &number_table),
    REPLY_LIST(struct spark_view, "p99", p99.list, &number_table),
    REPLY_LIST_AT(struct spark_view, "logErrorRate", log_errors,
                  &number_table));

struct grid spark_grid(const struct window *window, uint64_t steps,
                       uint64_t now_ns)
{
    uint64_t length = window->end_ns - window->start_ns;
    uint64_t minutes = (length + steps * NS_PER_MIN - 1) / (steps * NS_PER_MIN);
    uint64_t step = (minutes ? minutes : 1) * NS_PER_MIN;
    uint64_t back = (steps - 1) * step;

    return grid_make(window->end_ns > back ? window->end_ns - 1 - back : 0,
                     window->end_ns, step, now_ns);
}

void spark_init(struct spark *spark, struct query_request *request,
                const struct window *window, uint64_t steps,
                const char *const *by)
{
    struct grid grid = spark_grid(window, steps, request->now_ns);

    red_init(&spark->red, RED_SERVED);
    spark->errors = (struct metric_expr){
        EXPR_OR_ZERO, .args = {&spark->red.errors, spark->red.requests}};
    spark->error_rate =
        (struct metric_expr){EXPR_PER_SECOND, .args = {&spark->errors}};
    spark->table = (struct metric_table){.arena = request->arena, .grid = grid};
    spark_table_init(&spark->table, spark, by);
}

void spark_table_init(struct metric_table *table, const struct spark *spark,
                      const char *const *by)
{
    const struct metric_table *like = &spark->table;

    metric_table_init(table, like->arena, &like->grid, by);
    (void)metric_table_add(table, &spark->red.rows[RED_P99]); /* two leaves */
    (void)metric_table_add(table, &spark->errors);
}

void spark_row_fill(struct spark_row *row, const struct metric_table *table,
                    const struct metric_group *group,
                    const struct metric_expr *expr)
{
    uint32_t count = table->grid.count < SPARK_STEPS_MAX ? table->grid.count
                                                         : SPARK_STEPS_MAX;

    for (uint32_t i = 0; i < count; i++)
        row->values[i] =
            group ? metric_value(table, group, expr, i) : (double)NAN;
    row->list = (struct reply_list){.count = count, .items = row->values};
}

void spark_view_fill(struct spark_view *view, const struct spark *spark,
                     const struct metric_table *table,
                     const struct metric_group *group)
{
    const struct metric_expr *rows = spark->red.rows;

    view->step_seconds = (double)table->grid.step_ns / (double)NS_PER_S;
    spark_row_fill(&view->requests, table, group, &rows[RED_REQUESTS]);
    spark_row_fill(&view->errors, table, group, &spark->error_rate);
    spark_row_fill(&view->p99, table, group, &rows[RED_P99]);
    view->log_errors = NULL;
}
