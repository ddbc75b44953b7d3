/*
 * reply_metrics - metric tables (metric_expr.h) of a request: filled from its
 * store, and as members of its answer.
 *
 * Purpose: from the store to cells, and from cells to JSON.
 * Ownership: all is in the arena of the request.
 * Threads: one request, one thread.
 * Errors: what is wrong is answered with query_fail.
 */
#ifndef REPLY_METRICS_H
#define REPLY_METRICS_H

#include "metric_expr.h"
#include "query_request.h"

/* Fills the tables. entity, with the request as arg: see struct metric_source;
 * may be NULL. Has answered with query_fail if the store failed. */
MUST_CHECK enum status read_metrics(struct query_request *request,
                                    const struct bitmap *resources,
                                    series_entity *entity,
                                    struct metric_table *const *tables,
                                    uint32_t count);

/* What it reads, for metric_read(). */
struct metric_source stored_metrics(struct query_request *request,
                                    const struct bitmap *resources,
                                    series_entity *entity);

/* [{"timestamp", "value"}, ...] of the cells whose value is known. */
extern const struct reply_table cell_table;
struct reply_list reply_cells(const struct metric_table *table,
                              const struct metric_group *group,
                              const struct metric_expr *expr);
#define REPLY_CELLS(view, name, field) \
    REPLY_LIST(view, name, field, &cell_table)

#endif
