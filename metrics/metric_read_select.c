/* What a pass reads: names, times, and series by their attributes. */
#include "array.h"
#include "derived.h"
#include "metric_read_int.h"

bool metric_counts_suffice(const struct metric_reading *r)
{
    for (uint32_t i = 0; i < r->name_count; i++)
        if (!r->names[i].derived)
            return false;
    for (uint32_t i = 0; i < r->table_count; i++)
        for (uint32_t leaf = 0; leaf < r->tables[i]->leaf_count; leaf++)
            if (r->tables[i]->leaves[leaf]->op != EXPR_INCREASE)
                return false;
    return true;
}

bool metric_visits(const struct metric_reading *r)
{
    for (uint32_t i = 0; i < r->table_count; i++)
        if (r->tables[i]->visit)
            return true;
    return false;
}

static struct selected_name *name_at(struct metric_reading *r,
                                     struct slice name)
{
    struct arena *arena = r->source->arena;
    struct selected_name *at;

    for (uint32_t i = 0; i < r->name_count; i++)
        if (slice_equal(r->names[i].name, name))
            return &r->names[i];
    at = arena_append(arena, &r->names, r->name_count, &r->name_room);
    if (!at)
        return NULL;
    *at = (struct selected_name){
        .name = name,
        .known = metric_name_find(name),
        .derived = slice_starts(name, SLICE("callboard.")),
        .leaves = arena_zero(arena, r->table_count, sizeof(*at->leaves))};
    if (!at->leaves)
        return NULL;
    r->name_count++;
    return at;
}

static bool select_leaf(struct metric_reading *r, uint32_t table, uint32_t leaf)
{
    const struct metric_selector *select =
        &r->tables[table]->leaves[leaf]->select;
    const struct slice *names = select->names;
    uint32_t count = select->name_count;

    if (count == 0)
        names = metric_names_of(select->first, select->last, r->source->arena,
                                &count);
    for (uint32_t i = 0; names && i < count; i++) {
        struct selected_name *name = name_at(r, names[i]);

        if (!name)
            return false;
        name->leaves[table] |= 1u << leaf;
    }
    return names;
}

static void widen(struct metric_reading *r, uint64_t start_ns, uint64_t end_ns)
{
    if (start_ns < r->start_ns)
        r->start_ns = start_ns;
    if (end_ns > r->end_ns)
        r->end_ns = end_ns;
}

bool metric_prepare(struct metric_reading *r, uint32_t table)
{
    struct metric_table *t = r->tables[table];
    bool derived = false;

    for (uint32_t leaf = 0; leaf < t->leaf_count; leaf++)
        if (!select_leaf(r, table, leaf))
            return false;
    for (uint32_t i = 0; i < r->name_count; i++) {
        if (r->names[i].leaves[table] && !r->names[i].derived && !t->set) {
            t->set = series_set_new(t->arena, &t->grid);
            if (!t->set)
                return false;
        }
        derived |= r->names[i].leaves[table] && r->names[i].derived;
    }
    for (uint32_t leaf = 0; t->set && leaf < t->leaf_count; leaf++)
        if (t->leaves[leaf]->op == EXPR_INTEGRAL)
            series_set_integrate(t->set);
    if (derived) /* a minute is found by its end */
        widen(r, t->grid.start_ns,
              grid_end(&t->grid) + DERIVED_MINUTE_S * UINT64_C(1000000000));
    if (t->set)
        widen(r, series_set_from(t->set), series_set_until(t->set));
    return true;
}

bool metric_has_attributes(const struct metric_selector *select,
                           const struct point *point)
{
    if (select->label.len > 0 &&
        !slice_equal(attrs_text(&point->attrs, select->label), select->value))
        return false;
    return select->outcomes == 0 ||
           select->outcomes >> metric_outcome(&point->attrs) & 1;
}

const struct selected_name *metric_name_of(struct metric_reading *r,
                                           struct slice text)
{
    const struct selected_name *name = &r->names[r->last_name];

    for (uint32_t i = 0; !slice_equal(name->name, text); i++) {
        if (i == r->name_count)
            return NULL;
        r->last_name = i;
        name = &r->names[i];
    }
    return name;
}

bool metric_wants_series(void *arg, const struct point *head)
{
    struct metric_reading *r = arg;
    const struct selected_name *name = metric_name_of(r, head->metric->name);

    if (!name || !name->derived)
        return name;
    for (uint32_t i = 0; i < r->table_count; i++)
        for (uint32_t leaf = 0; name->leaves[i] >> leaf; leaf++)
            if (name->leaves[i] >> leaf & 1 &&
                metric_has_attributes(&r->tables[i]->leaves[leaf]->select,
                                      head))
                return true;
    return false;
}

bool metric_selects_by_label(const struct metric_reading *r)
{
    for (uint32_t i = 0; i < r->table_count; i++)
        for (uint32_t leaf = 0; leaf < r->tables[i]->leaf_count; leaf++)
            if (r->tables[i]->leaves[leaf]->select.label.len > 0)
                return true;
    return false;
}
