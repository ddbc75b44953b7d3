/*
 * One pass over the store that fills the leaves of many tables.
 *
 * Points of derived series (derived.h) are minutes of counts: they are spread
 * over the cells at once, and memory goes by groups. All other points go
 * through a series_set, which knows what a counter's reset is, and become
 * cells when all were read.
 */
#include <math.h>

#include "derived.h"
#include "hash.h"
#include "metric_read_int.h"

/* Which part of a histogram a series is. Each leaf has four bits of the tags
 * of a series_set. */
enum { PART_VALUE = 1, PART_SUM = 2, PART_COUNT = 4, PART_BUCKETS = 8 };

static uint64_t tags_of(uint32_t leaf, uint64_t parts)
{
    return parts << 4 * leaf;
}

/* The table whose groups have cells. */
static struct metric_table *sums_of(struct metric_table *table)
{
    return table->sums ? table->sums : table;
}

/* ---- points of derived series ---- */

/* series_group: that of the series, once it was looked up. */
static bool add_derived(struct metric_table *table, uint32_t leaf,
                        const struct point *point,
                        struct metric_group **series_group)
{
    struct grid_part part =
        grid_parts(&table->grid, point->start_ns, point->time_ns);
    struct metric_group *group = NULL;
    struct series_cells *cells = NULL;
    int sign = derived_sign(point->metric->name);

    while (grid_next(&table->grid, &part)) {
        if (!group) {
            if (!*series_group)
                *series_group = metric_group_of(table, point);
            group = *series_group;
            if (group && !group->target)
                return true; /* left out */
            cells = group ? metric_cells_at(sums_of(table), group->target, leaf)
                          : NULL;
            if (!cells)
                return false;
        }
        if (!series_add_delta(cells, point, 1, &part, sign, table->arena))
            return false;
    }
    if (group && table->visit)
        table->visit(table->visit_arg, group, point);
    return true;
}

/* ---- all other points ---- */

/* The parts of a leaf that the point is, as its name has it; 0: none. */
static uint64_t parts_of(const struct metric_expr *leaf,
                         const struct metric_name *known,
                         const struct point *point)
{
    bool histogram = point->metric->type >= METRIC_HISTOGRAM;
    uint32_t kind = known->kind;

    /* A histogram's name with a number: the requests alone are counted. */
    if (kind == KIND_HISTOGRAM && !histogram)
        kind = KIND_COUNT;
    if (histogram != (kind == KIND_HISTOGRAM))
        return 0;
    if (leaf->op == EXPR_HISTOGRAM) {
        if (kind == KIND_SUM)
            return PART_SUM;
        if (kind == KIND_BUCKET)
            return PART_BUCKETS;
        if (!(known->has & HAS_LATENCY))
            return 0;
        return histogram ? PART_VALUE : PART_COUNT;
    }
    if (kind == KIND_GAUGE || kind == KIND_COUNTER)
        return PART_VALUE;
    return kind != KIND_SUM && kind != KIND_BUCKET && known->has & HAS_COUNT
               ? PART_VALUE
               : 0;
}

/* 0: the point does not say which pod it is about. */
static uint64_t labelled_pod(const struct attrs *attrs)
{
    struct metric_pod pod = metric_labelled_pod(attrs);

    return pod.name.len > 0 ? metric_pod_entity(pod.namespace, pod.name) : 0;
}

/* What a point is by one row of metric_names. */
static void set_meaning(struct series_point *p, const struct metric_name *row,
                        const struct point *point)
{
    p->family = row->meaning;
    p->rank = row->rank;
    p->last_resort = row->meaning == METRIC_PROXY_SERVER;
    /* A count has no unit, whatever its name says. */
    if (row->kind != KIND_HISTOGRAM || point->metric->type >= METRIC_HISTOGRAM)
        p->factor = metric_factor(row, point->metric);
    if (row->kind == KIND_BUCKET)
        p->bound = metric_bucket_bound(&point->attrs);
}

/* The series of the point for the leaves that select its meaning by this row,
 * or, without a row, its name. */
static void add_meaning(struct metric_table *table, uint32_t leaves,
                        struct last_series *last, const struct metric_name *row,
                        const struct point *point)
{
    struct series_point p = {.known = row, .factor = 1};
    bool histogram = point->metric->type >= METRIC_HISTOGRAM;

    if (row)
        set_meaning(&p, row, point);
    else
        p.known = metric_name_find(point->metric->name);
    for (uint32_t i = 0; i < table->leaf_count; i++) {
        const struct metric_expr *leaf = table->leaves[i];
        const struct metric_selector *select = &leaf->select;

        if (!(leaves >> i & 1) || (select->name_count == 0) != (row != NULL) ||
            !metric_has_attributes(select, point))
            continue;
        if (!row)
            p.tags |= tags_of(
                i, leaf->op != EXPR_HISTOGRAM || histogram ? PART_VALUE : 0);
        else if (row->meaning >= select->first && row->meaning <= select->last)
            p.tags |= tags_of(i, parts_of(leaf, row, point));
        if (select->pod_labels)
            p.entity = labelled_pod(&point->attrs);
    }
    if (p.tags && last->count < MAX_MEANINGS) {
        p.key = hash_mix(last->key, p.family);
        last->at[last->count++] = p;
    }
}

/* The series of a point and the group they are summed in; found once for
 * points that come in a row. */
static bool find_series(struct metric_table *table, uint32_t leaves,
                        struct last_series *last, const struct metric_name *row,
                        const struct point *point)
{
    uint64_t key = hash_mix(series_key(point), point->metric->type);
    struct metric_group *group;

    if (last->any && last->key == key)
        return true;
    *last = (struct last_series){.key = key, .any = true};
    add_meaning(table, leaves, last, NULL, point);
    for (; row; row = metric_name_next(row))
        if (metric_fits(row, &point->attrs))
            add_meaning(table, leaves, last, row, point);
    if (last->count == 0)
        return true;
    group = metric_group_of(table, point);
    if (group && !group->target)
        last->count = 0; /* left out */
    for (uint32_t i = 0; group && i < last->count; i++)
        last->at[i].group = group->target->key;
    return group;
}

static bool add_series(struct metric_table *table, uint32_t leaves,
                       struct last_series *last, const struct metric_name *row,
                       const struct point *point)
{
    if (!find_series(table, leaves, last, row, point))
        return false;
    for (uint32_t i = 0; i < last->count; i++) {
        last->at[i].point = point;
        if (!series_set_add(table->set, &last->at[i]))
            return false;
    }
    return true;
}

/* ---- the pass ---- */

/* Groups go by attributes and resource, which the points of a series share. */
static void next_series(void *arg)
{
    struct metric_reading *r = arg;

    for (uint32_t i = 0; i < r->table_count; i++)
        r->last[i].group = NULL;
}

static void visit(void *arg, const struct point *point)
{
    struct metric_reading *r = arg;
    const struct selected_name *name = metric_name_of(r, point->metric->name);

    if (r->source->also)
        r->source->also(r->source->also_arg, point);
    if (!name)
        return;
    for (uint32_t i = 0; i < r->table_count && !r->full; i++) {
        struct metric_table *table = r->tables[i];
        uint32_t leaves = name->leaves[i];

        if (leaves && !name->derived)
            r->full =
                !add_series(table, leaves, &r->last[i], name->known, point);
        for (uint32_t leaf = 0; name->derived && leaves >> leaf; leaf++)
            if (leaves >> leaf & 1 &&
                metric_has_attributes(&table->leaves[leaf]->select, point) &&
                !add_derived(table, leaf, point, &r->last[i].group))
                r->full = true;
    }
}

/* ---- from series to cells ---- */

/* Sum, count and buckets of histograms that are not sent as one. */
static bool add_parts(struct metric_table *table, struct series_filter filter,
                      uint32_t leaf, struct series_cells *cells)
{
    struct series_filter sum = filter, count = filter, buckets = filter;
    struct grid_row counts, sums;

    sum.tags = tags_of(leaf, PART_SUM);
    count.tags = tags_of(leaf, PART_COUNT);
    buckets.tags = tags_of(leaf, PART_BUCKETS);
    if (!grid_row_init(&counts, &table->grid, table->arena) ||
        !grid_row_init(&sums, &table->grid, table->arena) ||
        !series_set_hists(table->set, count, NULL, &counts) ||
        !series_set_hists(table->set, sum, NULL, &sums) ||
        !series_set_buckets(table->set, buckets, cells->hists))
        return false;
    for (uint32_t i = 0; i < table->grid.count; i++) {
        struct hist *hist = &cells->hists[i];

        if (!counts.known[i])
            continue;
        grid_row_add(&cells->row, i, counts.values[i]);
        hist->count += counts.values[i];
        if (!sums.known[i])
            continue;
        hist->sum += sums.values[i];
        hist->sum_count += counts.values[i];
    }
    return true;
}

static bool sum_leaf(struct metric_table *table, struct metric_group *group,
                     uint32_t leaf)
{
    struct series_filter filter = {group->key, tags_of(leaf, PART_VALUE)};
    struct series_filter any = {group->key, tags_of(leaf, 15)};
    struct series_cells *cells;

    if (!series_set_has(table->set, any))
        return true;
    cells = metric_cells_at(sums_of(table), group, leaf);
    if (!cells)
        return false;
    if (table->leaves[leaf]->op == EXPR_AVERAGE)
        return series_set_sum(table->set, filter, &cells->row);
    if (table->leaves[leaf]->op == EXPR_INTEGRAL)
        return series_set_integral(table->set, filter, &cells->row);
    return series_set_hists(table->set, filter, cells->hists, &cells->row) &&
           (!cells->hists || add_parts(table, filter, leaf, cells));
}

static uint64_t resource_entity(void *arg, uint32_t resource_id)
{
    (void)arg;
    return (uint64_t)resource_id << 1;
}

static bool finish(struct metric_table *table,
                   const struct metric_source *source)
{
    struct metric_table *sums = sums_of(table);

    if (table->set)
        series_set_entities(table->set,
                            source->entity ? source->entity : resource_entity,
                            source->arg);
    for (uint32_t i = 0; i < sums->count; i++)
        for (uint32_t leaf = 0; leaf < table->leaf_count; leaf++) {
            struct metric_group *group = sums->groups[i];

            if (table->set && !sum_leaf(table, group, leaf))
                return false;
            if (table->leaves[leaf]->fill_gaps && group->cells[leaf].row.values)
                grid_row_fill_gaps(&group->cells[leaf].row, &table->grid);
        }
    return true;
}

/* What is full: the arena of reading, or that of a table. */
static enum status full_status(const struct metric_reading *r)
{
    enum status s = arena_status(r->source->arena);

    for (uint32_t i = 0; s == OK && i < r->table_count; i++)
        s = arena_status(r->tables[i]->arena);
    return s;
}

enum status metric_read(struct metric_table *const *tables, uint32_t count,
                        const struct metric_source *source)
{
    struct metric_reading r = {.source = source,
                               .tables = tables,
                               .table_count = count,
                               .start_ns = UINT64_MAX};
    struct series_query query = {.resources = source->resources};
    struct slice *names;
    enum status s;

    r.last = arena_zero(source->arena, count, sizeof(*r.last));
    for (uint32_t i = 0; r.last && i < count; i++)
        if (!metric_prepare(&r, i))
            return full_status(&r);
    if (r.name_count == 0)
        return r.last ? OK : arena_status(source->arena);
    names = arena_alloc(source->arena, r.name_count * sizeof(*names));
    if (!names)
        return arena_status(source->arena);
    for (uint32_t i = 0; i < r.name_count; i++)
        names[i] = r.names[i].name;
    query.names = names;
    query.name_count = r.name_count;
    query.counts_only = metric_counts_suffice(&r);
    query.no_exemplars = !metric_visits(&r);
    query.start_ns = r.start_ns;
    query.end_ns = r.end_ns;
    query.series = next_series;
    query.wants_series =
        metric_selects_by_label(&r) ? metric_wants_series : NULL;
    s = source->read(source->arg, &query, visit, &r);
    if (s != OK)
        return s;
    for (uint32_t i = 0; i < count && !r.full; i++)
        r.full = !finish(tables[i], source);
    return r.full ? full_status(&r) : OK;
}
