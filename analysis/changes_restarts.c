/*
 * Restarts of containers that metrics count: where there are no events, these
 * are what is known.
 */
#include "changes.h"
#include "component.h"
#include "reply_metrics.h"

enum { CELLS = 60 }; /* when, to that part of the window */

/* The sum over the containers of a component. */
struct component_restarts {
    double cells[CELLS];
};

static bool add_group(struct change_list *list, struct metric_table *sums,
                      const struct metric_table *table,
                      const struct metric_expr *restarts,
                      const struct metric_group *group)
{
    const struct identity *identity =
        reply_resource_identity(list->request, group->resource_id);
    struct metric_group *sum;
    struct component_restarts *of;

    if (!identity || identity->component.len == 0 ||
        !part_is_seen(&list->metrics, identity))
        return identity;
    sum = metric_group_with(sums, key_identity(1, identity), sizeof(*of));
    if (!sum)
        return false;
    sum->resource_id = group->resource_id;
    of = sum->item;
    for (uint32_t i = 0; i < table->grid.count && i < CELLS; i++) {
        double more = metric_value(table, group, restarts, i);

        of->cells[i] += more > 0 ? more : 0;
    }
    return true;
}

static bool tell(struct change_list *list, const struct grid *grid,
                 const struct metric_group *sum)
{
    const struct component_restarts *of = sum->item;
    struct change_row row = {
        .identity = reply_resource_identity(list->request, sum->resource_id),
        .kind = SLICE("restart"),
        .type = SLICE("Warning"),
        .title = SLICE("its containers restarted"),
        .reason = SLICE("Restarted"),
        .source = "series"};
    double count = 0;

    for (uint32_t i = 0; i < grid->count && i < CELLS; i++) {
        if (of->cells[i] < 0.01)
            continue;
        count += of->cells[i];
        if (row.time_ns == 0)
            row.time_ns = grid_time(grid, i);
        row.last_ns = grid_time(grid, i);
    }
    row.count = (uint64_t)(count + 0.5);
    row.key = key_text(sum->key, row.reason);
    return row.count == 0 || !row.identity || changes_add(list, &row);
}

enum status changes_read_restarts(struct change_list *list)
{
    const struct metric_expr restarts = {EXPR_INCREASE,
                                         .select = {.first = METRIC_RESTARTS,
                                                    .last = METRIC_RESTARTS,
                                                    .pod_labels = true}};
    uint64_t step = (list->end_ns - list->start_ns) / CELLS;
    const struct grid grid =
        grid_make(list->start_ns, list->end_ns, step > 0 ? step : 1,
                  list->request->now_ns);
    struct metric_table table, *tables[] = {&table}, sums;
    enum status s;

    if (!changes_want(list, 1u << change_row_kind(SLICE("restart"))) ||
        grid.count == 0)
        return OK;
    metric_table_init(&table, list->request->arena, &grid, NULL);
    metric_table_init(&sums, list->request->arena, &grid, NULL);
    table.by_resource = true;
    (void)metric_table_add(&table, &restarts); /* one fits */
    s = read_metrics(list->request, list->resources, NULL, tables, 1);
    for (uint32_t i = 0; s == OK && i < table.count; i++)
        if (!add_group(list, &sums, &table, &restarts, table.groups[i]))
            s = arena_status(list->request->arena);
    for (uint32_t i = 0; s == OK && i < sums.count; i++)
        if (!tell(list, &grid, sums.groups[i]))
            s = arena_status(list->request->arena);
    return s;
}
