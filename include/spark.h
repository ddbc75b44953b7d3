/*
 * spark - requests over time in a few steps, of many groups: components of a
 * list, endpoints and operations of a page.
 *
 *   spark_init(&spark, request, &window, steps, by);
 *   s = read_metrics(request, resources, NULL, tables with &spark.table, n);
 *   spark_view_fill(&view, &spark, &spark.table, group);
 *
 * Purpose: one meaning of `spark` in all answers.
 * Ownership: the struct is the handler's and must not move; cells are in the
 *   request's arena.
 * Threads: one request, one thread.
 * Errors: none of its own.
 */
#ifndef SPARK_H
#define SPARK_H

#include "component.h"

enum { SPARK_STEPS_MAX = 120 };

struct spark {
    struct red red;
    struct metric_expr errors, error_rate;
    struct metric_table table;
};

/* Steps of whole minutes, as derived series have, up to the end of the window,
 * that cover it at least. */
struct grid spark_grid(const struct window *window, uint64_t steps,
                       uint64_t now_ns);

/* by: what spark.table is grouped by. */
void spark_init(struct spark *spark, struct query_request *request,
                const struct window *window, uint64_t steps,
                const char *const *by);

/* A table of the same expressions and steps. */
void spark_table_init(struct metric_table *table, const struct spark *spark,
                      const char *const *by);

/* One row of a spark; it points into itself. */
struct spark_row {
    double values[SPARK_STEPS_MAX]; /* NAN: not known */
    struct reply_list list;
};
/* group NULL: nothing is known. */
void spark_row_fill(struct spark_row *row, const struct metric_table *table,
                    const struct metric_group *group,
                    const struct metric_expr *expr);

struct spark_view {
    double step_seconds;
    struct spark_row requests, errors, p99, of_log_errors;
    const struct reply_list *log_errors; /* NULL: not asked for */
};
extern const struct reply_table spark_table;

/* All but log_errors, which is NULL. */
void spark_view_fill(struct spark_view *view, const struct spark *spark,
                     const struct metric_table *table,
                     const struct metric_group *group);

#endif
