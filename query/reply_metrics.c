#include "reply_metrics.h"

#include <math.h>

static enum status read_store(void *arg, const struct series_query *query,
                              point_visit *visit, void *visit_arg)
{
    struct query_request *request = arg;
    enum status s =
        reader_query_series(request->reader, query, visit, visit_arg);

    return s == OK ? OK : query_fail_read(request, s);
}

struct metric_source stored_metrics(struct query_request *request,
                                    const struct bitmap *resources,
                                    series_entity *entity)
{
    return (struct metric_source){.read = read_store,
                                  .entity = entity,
                                  .arg = request,
                                  .resources = resources,
                                  .arena = request->arena};
}

enum status read_metrics(struct query_request *request,
                         const struct bitmap *resources, series_entity *entity,
                         struct metric_table *const *tables, uint32_t count)
{
    const struct metric_source source =
        stored_metrics(request, resources, entity);

    return metric_read(tables, count, &source);
}

struct cell {
    uint64_t time_ns;
    double value;
};
const struct reply_table cell_table =
    REPLY_TABLE(struct cell, REPLY_TIME(struct cell, "timestamp", time_ns),
                REPLY(struct cell, "value", value));

struct cell_list {
    const struct metric_table *table;
    const struct metric_group *group;
    const struct metric_expr *expr;
    struct cell cell;
};

static const void *cell_item(void *arg, uint32_t i)
{
    struct cell_list *list = arg;

    list->cell.time_ns = grid_time(&list->table->grid, i);
    list->cell.value = metric_value(list->table, list->group, list->expr, i);
    return isfinite(list->cell.value) ? &list->cell : NULL;
}

struct reply_list reply_cells(const struct metric_table *table,
                              const struct metric_group *group,
                              const struct metric_expr *expr)
{
    struct cell_list *list = arena_alloc(table->arena, sizeof(*list));

    if (!list || !group) /* the arena is full: this answer is replaced */
        return (struct reply_list){0};
    *list = (struct cell_list){table, group, expr, {0}};
    return (struct reply_list){
        .count = table->grid.count, .item = cell_item, .arg = list};
}
