/*
 * Tables, their groups, and the values of expressions. metric_read.c fills the
 * leaves.
 */
#include "metric_expr.h"

#include <math.h>
#include <stdlib.h>

#include "array.h"
#include "attr_hash.h"
#include "hash.h"
#include "metric_expr_int.h"

void metric_table_init(struct metric_table *table, struct arena *arena,
                       const struct grid *grid, const char *const *by)
{
    *table = (struct metric_table){
        .arena = arena, .grid = *grid, .by = by, .index = {.arena = arena}};
    while (by && by[table->by_count] && table->by_count < METRIC_MAX_BY)
        table->by_count++;
}

bool metric_table_add(struct metric_table *table,
                      const struct metric_expr *expr)
{
    if (expr->op > EXPR_HISTOGRAM)
        return metric_table_add(table, expr->args[0]) &&
               (!expr->args[1] || metric_table_add(table, expr->args[1]));
    for (uint32_t i = 0; i < table->leaf_count; i++)
        if (table->leaves[i] == expr)
            return true;
    if (table->leaf_count == METRIC_MAX_LEAVES)
        return false;
    table->leaves[table->leaf_count++] = expr;
    return true;
}

static uint32_t leaf_number(const struct metric_table *table,
                            const struct metric_expr *leaf)
{
    uint32_t i = 0;

    while (i < table->leaf_count && table->leaves[i] != leaf)
        i++;
    return i;
}

/* ---- groups ---- */

static struct metric_group *find_group(const struct metric_table *table,
                                       uint64_t key)
{
    map_each(&table->index, map_hash_number(key), at)
        if (table->groups[at]->key == key)
            return table->groups[at];
    return NULL;
}

const struct metric_group *metric_group_find(const struct metric_table *table,
                                             uint64_t key)
{
    return find_group(table, key);
}

static struct metric_group *add_group(struct metric_table *table, uint64_t key)
{
    struct metric_group **last, *group;

    last =
        arena_append(table->arena, &table->groups, table->count, &table->room);
    group = arena_zero(table->arena, 1, sizeof(*group));
    if (!last || !group)
        return NULL;
    group->key = key;
    if (!table->sums)
        group->cells = arena_zero(table->arena, table->leaf_count + 1,
                                  sizeof(*group->cells));
    if ((!group->cells && !table->sums) ||
        !map_add(&table->index, map_hash_number(key), table->count))
        return NULL;
    table->count++;
    return *last = group;
}

struct metric_group *metric_group_at(struct metric_table *table, uint64_t key)
{
    struct metric_group *group = find_group(table, key);

    return group ? group : add_group(table, key);
}

/* The item first: a table never has a group without one. */
struct metric_group *metric_group_with(struct metric_table *table, uint64_t key,
                                       size_t item_size)
{
    struct metric_group *group = find_group(table, key);
    void *item;

    if (group && group->item)
        return group;
    item = arena_zero(table->arena, 1, item_size);
    if (item && !group)
        group = add_group(table, key);
    if (item && group)
        group->item = item;
    return item ? group : NULL;
}

/* The values of the attributes that the table groups by; a missing one is an
 * empty text. */
static uint64_t read_labels(const struct metric_table *table,
                            const struct point *point, struct attr *labels)
{
    uint64_t key = METRIC_TOTAL_KEY;

    for (uint32_t i = 0; i < table->by_count; i++) {
        const struct attr *a =
            attrs_find(&point->attrs, slice_of(table->by[i]));

        labels[i] = a ? *a : (struct attr){.str = "", .type = VALUE_STRING};
        key = hash_mix(key, attr_value_hash(&labels[i]));
    }
    return table->by_resource ? hash_mix(key, point->resource_id) : key;
}

/* Points are good during their visit only, so their texts are copied. */
static bool copy_labels(struct metric_table *table, struct metric_group *group,
                        const struct attr *labels)
{
    uint32_t count = table->by_count;
    struct attr *copy = arena_alloc(table->arena, (count + 1) * sizeof(*copy));

    for (uint32_t i = 0; copy && i < count; i++) {
        struct slice text = arena_copy(table->arena, attr_text(&labels[i]));

        copy[i] = labels[i];
        if (labels[i].type == VALUE_STRING)
            copy[i].str = text.ptr;
        else if (labels[i].type >= VALUE_BYTES)
            copy[i] = (struct attr){.type = VALUE_EMPTY};
    }
    group->labels = copy;
    return copy && arena_status(table->arena) == OK;
}

struct metric_group *metric_group_of(struct metric_table *table,
                                     const struct point *point)
{
    struct attr labels[METRIC_MAX_BY];
    uint64_t key = read_labels(table, point, labels);
    struct metric_group *group = metric_group_at(table, key);

    if (group && !group->labels) {
        group->resource_id = point->resource_id;
        if (!copy_labels(table, group, labels))
            return NULL;
        group->target =
            table->sums ? table->target(table->target_arg, group) : group;
        if (arena_status(table->arena) != OK)
            return NULL;
    }
    return group;
}

struct series_cells *metric_cells_at(struct metric_table *table,
                                     struct metric_group *group, uint32_t leaf)
{
    struct series_cells *cells = &group->cells[leaf];

    return cells->row.values ||
                   series_cells_init(cells, &table->grid,
                                     table->leaves[leaf]->op == EXPR_HISTOGRAM,
                                     table->arena)
               ? cells
               : NULL;
}

bool metric_group_add(struct metric_table *table, struct metric_group *to,
                      const struct metric_group *from)
{
    if (!to->labels) {
        to->labels = from->labels;
        to->resource_id = from->resource_id;
    }
    for (uint32_t leaf = 0; leaf < table->leaf_count; leaf++) {
        const struct series_cells *own = &from->cells[leaf];
        struct series_cells *cells;

        if (!own->row.values)
            continue;
        cells = metric_cells_at(table, to, leaf);
        if (!cells)
            return false;
        for (uint32_t i = 0; i < table->grid.count; i++) {
            if (!own->row.known[i])
                continue;
            grid_row_add(&cells->row, i, own->row.values[i]);
            if (cells->hists &&
                !hist_merge(&cells->hists[i], table->arena, &own->hists[i], 1))
                return false;
        }
    }
    return true;
}

struct metric_group *metric_total(struct metric_table *table)
{
    return metric_group_at(table, METRIC_TOTAL_KEY);
}

bool metric_regroup(struct metric_table *to, const struct metric_table *from,
                    metric_group_key *key, void *arg)
{
    for (uint32_t i = 0; i < from->count; i++) {
        uint64_t new_key = key ? key(arg, from->groups[i]) : METRIC_TOTAL_KEY;
        struct metric_group *group =
            new_key ? metric_group_at(to, new_key) : NULL;

        if (new_key &&
            (!group || !metric_group_add(to, group, from->groups[i])))
            return false;
    }
    return true;
}

struct slice metric_label(const struct metric_group *group, uint32_t by)
{
    return attr_text(&group->labels[by]);
}

/* ---- values ---- */

bool metric_seen(const struct metric_table *table,
                 const struct metric_expr *leaf)
{
    uint32_t number = leaf_number(table, leaf);

    for (uint32_t i = 0; i < table->count; i++)
        if (table->groups[i]->cells[number].row.values)
            return true;
    return false;
}

static double leaf_value(const struct series_cells *cells, uint32_t cell)
{
    return cells->row.values && cells->row.known[cell] ? cells->row.values[cell]
                                                       : (double)NAN;
}

static double known_or_zero(double value)
{
    return isnan(value) ? 0 : value;
}

const struct hist *metric_hist(const struct metric_table *table,
                               const struct metric_group *group,
                               const struct metric_expr *leaf, uint32_t cell)
{
    const struct hist *hists = group->cells[leaf_number(table, leaf)].hists;

    return hists ? &hists[cell] : NULL;
}

static double of_hist(const struct metric_table *table,
                      const struct metric_group *group,
                      const struct metric_expr *expr, uint32_t cell)
{
    const struct hist *hist = metric_hist(table, group, expr->args[0], cell);

    if (!hist)
        return NAN;
    return expr->op == EXPR_MEAN ? hist_mean(hist)
                                 : hist_quantile(hist, expr->number);
}

static double of_two(enum metric_op op, double a, double b)
{
    switch (op) {
    case EXPR_ADD:
        return isnan(a) ? b : a + known_or_zero(b);
    case EXPR_SUBTRACT:
        return isnan(a) ? a : fmax(a - known_or_zero(b), 0);
    case EXPR_DIVIDE:
        return b > 0 ? a / b : (double)NAN;
    default: /* EXPR_OR_ZERO */
        return isnan(b) ? a : known_or_zero(a);
    }
}

double metric_value(const struct metric_table *table,
                    const struct metric_group *group,
                    const struct metric_expr *expr, uint32_t cell)
{
    double value, seconds;

    switch (expr->op) {
    case EXPR_INCREASE:
    case EXPR_AVERAGE:
    case EXPR_INTEGRAL:
    case EXPR_HISTOGRAM:
        return leaf_value(&group->cells[leaf_number(table, expr)], cell);
    case EXPR_QUANTILE:
    case EXPR_MEAN:
        return of_hist(table, group, expr, cell);
    default:
        break;
    }
    value = metric_value(table, group, expr->args[0], cell);
    if (expr->op != EXPR_PER_SECOND)
        return of_two(expr->op, value,
                      metric_value(table, group, expr->args[1], cell));
    seconds = grid_seconds(&table->grid, cell);
    return seconds > 0 ? value / seconds : (double)NAN;
}

/* ---- order ---- */

double metric_first(const struct metric_table *table,
                    const struct metric_group *group,
                    const struct metric_expr *expr)
{
    return group ? known_or_zero(metric_value(table, group, expr, 0)) : 0;
}

struct label_value {
    struct slice text;
    double value;
};

static int by_text(const void *left, const void *right)
{
    const struct label_value *a = left, *b = right;

    return slice_compare(a->text, b->text);
}

struct slice metric_top_label(const struct metric_table *table,
                              const struct metric_group *group, uint32_t by,
                              const struct metric_expr *expr)
{
    struct slice best = {NULL, 0};
    struct label_value *at = NULL;
    uint32_t count = 0, room = 0;
    double most = 0, sum = 0;

    for (; group; group = group->next) {
        struct label_value *last =
            arena_append(table->arena, &at, count, &room);

        if (!last)
            return best;
        *last = (struct label_value){metric_label(group, by),
                                     metric_first(table, group, expr)};
        count += last->text.len > 0;
    }
    if (count > 0)
        qsort(at, count, sizeof(*at), by_text);
    for (uint32_t i = 0; i < count; i++) {
        bool same = i > 0 && slice_equal(at[i].text, at[i - 1].text);

        sum = same ? sum + at[i].value : at[i].value;
        if (sum > most) {
            most = sum;
            best = at[i].text;
        }
    }
    return best;
}

struct sorted_group {
    double value;
    struct metric_group *group;
};

static int by_value(const void *left, const void *right)
{
    const struct sorted_group *a = left, *b = right;

    return metric_group_order(a->group, a->value, b->group, b->value);
}

struct metric_group **metric_sorted(const struct metric_table *table,
                                    const struct metric_expr *expr)
{
    struct sorted_group *sorted =
        arena_alloc(table->arena, (table->count + 1) * sizeof(*sorted));
    struct metric_group **groups =
        arena_zero(table->arena, table->count + 1, sizeof(*groups));

    if (!sorted || !groups)
        return NULL;
    for (uint32_t i = 0; i < table->count; i++) {
        sorted[i].group = table->groups[i];
        sorted[i].value = metric_first(table, table->groups[i], expr);
    }
    qsort(sorted, table->count, sizeof(*sorted), by_value);
    for (uint32_t i = 0; i < table->count; i++)
        groups[i] = sorted[i].group;
    return groups;
}
