/*
 * Points to series; series_sum.c makes rows of them.
 *
 * A gauge is a row of samples: the newest one before the grid, the newest one
 * in each cell, the oldest one after the grid. A counter is a track of points
 * (counter_increase.h). Deltas need no memory of points: they are spread over
 * the cells when they come.
 */
#include "attr_hash.h"
#include "hash.h"
#include "series_int.h"

enum { TABLE_FIRST = 64, MORE_POINTS = 64 };

struct series_set *series_set_new(struct arena *arena, const struct grid *grid)
{
    struct series_set *set = arena_zero(arena, 1, sizeof(*set));
    if (!set)
        return NULL;
    set->arena = arena;
    set->grid = *grid;
    set->spots = grid->count + 2;
    return set;
}

uint64_t series_set_from(const struct series_set *set)
{
    return set->grid.start_ns > SERIES_REACH_NS
               ? set->grid.start_ns - SERIES_REACH_NS
               : 0;
}

uint64_t series_set_until(const struct series_set *set)
{
    return grid_end(&set->grid) + SERIES_REACH_NS;
}

/* ---- the table ---- */

uint64_t series_key(const struct point *point)
{
    const struct metric *metric = point->metric;
    const struct scope *scope = metric->scope;
    uint64_t key =
        hash_bytes(metric->name.ptr, metric->name.len, point->resource_id);

    key = hash_bytes(metric->unit.ptr, metric->unit.len, key);
    if (scope) {
        key = hash_bytes(scope->name.ptr, scope->name.len, key);
        key = hash_bytes(scope->version.ptr, scope->version.len, key);
        key = hash_mix(key, attrs_hash(&scope->attrs));
    }
    return hash_mix(key, attrs_hash(&point->attrs));
}

static struct tracked_series **find_slot(struct tracked_series **table,
                                         uint32_t size, uint64_t key)
{
    uint32_t at = (uint32_t)key & (size - 1);

    while (table[at] && table[at]->key != key)
        at = (at + 1) & (size - 1);
    return &table[at];
}

static bool grow_table(struct series_set *set)
{
    uint32_t size = set->table_size ? 2 * set->table_size : TABLE_FIRST;
    struct tracked_series **table =
        arena_zero(set->arena, size, sizeof(*table));
    struct tracked_series **order =
        arena_zero(set->arena, size, sizeof(*order));

    if (!table || !order)
        return false;
    for (uint32_t i = 0; i < set->count; i++) {
        *find_slot(table, size, set->order[i]->key) = set->order[i];
        order[i] = set->order[i];
    }
    set->table = table;
    set->order = order;
    set->table_size = size;
    return true;
}

static bool alloc_cells(struct series_set *set, struct tracked_series *series)
{
    if (series->mode == MODE_GAUGE) {
        series->samples =
            arena_zero(set->arena, set->spots, sizeof(*series->samples));
        return series->samples;
    }
    if (series->mode == MODE_COUNTER) {
        series->counter.max = 4 * set->spots + MORE_POINTS;
        series->counter.cells = set->spots;
        series->counter.after = set->spots - 1;
        return true;
    }
    if (series_is_histogram(series->type)) {
        series->delta_hists = arena_zero(set->arena, set->grid.count + 1,
                                         sizeof(*series->delta_hists));
        if (!series->delta_hists)
            return false;
    }
    return grid_row_init(&series->deltas, &set->grid, set->arena);
}

/* A sender that changes its mind about the kind starts a new series. */
static uint64_t key_of(const struct series_point *p, enum metric_mode mode)
{
    return hash_mix(p->key, (uint64_t)p->point->metric->type << 8 | mode);
}

static struct tracked_series *find_series(struct series_set *set,
                                          const struct series_point *p,
                                          enum metric_mode mode)
{
    uint64_t key = key_of(p, mode);
    struct tracked_series **slot, *series;

    if (2 * set->count >= set->table_size && !grow_table(set))
        return NULL;
    slot = find_slot(set->table, set->table_size, key);
    if (*slot)
        return *slot;
    series = arena_zero(set->arena, 1, sizeof(*series));
    if (!series)
        return NULL;
    series->key = key;
    series->group = p->group;
    series->entity = p->entity;
    series->family = p->family;
    series->rank = p->rank;
    series->tags = p->tags;
    series->resource_id = p->point->resource_id;
    series->factor = p->factor;
    series->bound = p->bound;
    series->last_resort = p->last_resort;
    series->mode = (uint8_t)mode;
    series->type = p->point->metric->type;
    if (!alloc_cells(set, series))
        return NULL;
    set->order[set->count++] = series;
    return *slot = series;
}

/* ---- keeping samples ---- */

static double number_of(const struct point *point)
{
    return point->is_int ? (double)point->i : point->d;
}

static bool keep_arrays(struct arena *arena, struct stored_histogram *kept,
                        uint32_t bounds, uint32_t counts)
{
    if (bounds > kept->bounds_room) {
        kept->bounds = arena_zero(arena, bounds, sizeof(*kept->bounds));
        kept->bounds_room = kept->bounds ? bounds : 0;
    }
    if (counts > kept->counts_room) {
        kept->counts = arena_zero(arena, counts, sizeof(*kept->counts));
        kept->counts_room = kept->counts ? counts : 0;
    }
    return kept->bounds_room >= bounds && kept->counts_room >= counts;
}

/* Buckets of values below zero are left out, and quantiles of summaries. */
static bool keep_histogram(struct arena *arena, struct counter_point *slot,
                           const struct histogram *h, bool buckets)
{
    uint32_t n = h->positive.count, bounds = h->bound_count;
    struct stored_histogram *kept = slot->extra;
    const uint64_t *from = h->positive.counts;

    if (h->counts) {
        n = h->bound_count + 1;
        from = h->counts;
    }
    if (!buckets)
        n = bounds = 0;
    if (!kept)
        kept = arena_zero(arena, 1, sizeof(*kept));
    slot->extra = kept;
    if (!kept || !keep_arrays(arena, kept, bounds, n))
        return false;
    kept->h = *h;
    for (uint32_t i = 0; i < n; i++)
        kept->counts[i] = from[i];
    for (uint32_t i = 0; i < bounds; i++)
        kept->bounds[i] = h->bounds[i];
    kept->h.bound_count = bounds;
    kept->h.bounds = kept->bounds;
    kept->h.counts = h->counts && buckets ? kept->counts : NULL;
    kept->h.positive.counts = h->counts ? NULL : kept->counts;
    kept->h.positive.count = h->counts ? 0 : n;
    kept->h.values = NULL;
    for (uint32_t i = 0; i < h->negative.count; i++)
        kept->h.zero_count += h->negative.counts[i];
    kept->h.negative.count = 0;
    return true;
}

static void note_gap(struct tracked_series *series, uint64_t t)
{
    uint64_t last = series->last_ns, gap = t > last ? t - last : last - t;

    if (last && gap > 0 && (series->gap_ns == 0 || gap < series->gap_ns))
        series->gap_ns = gap;
    series->last_ns = t;
}

static uint32_t spot_of(const struct series_set *set, uint64_t time_ns)
{
    if (time_ns < set->grid.start_ns)
        return 0;
    if (time_ns >= grid_end(&set->grid))
        return set->spots - 1;
    return 1 + (uint32_t)((time_ns - set->grid.start_ns) / set->grid.step_ns);
}

static void keep_sample(struct series_set *set, struct tracked_series *series,
                        const struct point *point)
{
    uint64_t t = point->time_ns;
    uint32_t spot = spot_of(set, t);
    struct gauge_sample *sample = &series->samples[spot];
    bool newer = t > sample->time_ns, after = spot == set->spots - 1;

    note_gap(series, t);
    if (!sample->time_ns || t < sample->first_ns)
        sample->first_ns = t;
    if (sample->time_ns && newer == after)
        return;
    sample->value = number_of(point);
    sample->time_ns = t;
}

static bool keep_total(struct series_set *set, struct tracked_series *series,
                       const struct point *point)
{
    bool hist = series_is_histogram(series->type);
    /* The start of a gauge says nothing about its value. */
    struct counter_point p = {
        .time_ns = point->time_ns,
        .start_ns = series->type == METRIC_GAUGE ? 0 : point->start_ns,
        .value = hist ? (double)point->histogram->count : number_of(point),
        .cell = spot_of(set, point->time_ns)};
    struct counter_point *slot;

    note_gap(series, p.time_ns);
    switch (counter_add(&series->counter, set->arena, &p, &slot)) {
    case COUNTER_FULL:
        return false;
    case COUNTER_IGNORED:
        return true;
    case COUNTER_STORED:
        break;
    }
    return !hist || keep_histogram(set->arena, slot, point->histogram,
                                   series->type != METRIC_SUMMARY);
}

/* When a delta began to be counted. Intervals may overlap (two writers), but
 * one that is very long has the start of the process: it is of the time since
 * the point before. */
static uint64_t delta_from(const struct series_set *set,
                           struct tracked_series *series,
                           const struct point *point)
{
    uint64_t from = point->start_ns ? point->start_ns : point->time_ns;
    uint64_t last = series->last_ns;

    if (point->time_ns - from > series_max_gap(set) && last > from &&
        last < point->time_ns)
        from = last;
    series->last_ns = point->time_ns;
    return from;
}

bool series_add_delta(struct grid_row *row, struct hist *hists,
                      struct arena *arena, const struct point *point,
                      double factor, const struct grid_part *part, double sign)
{
    enum metric_type type = (enum metric_type)point->metric->type;
    bool histogram = series_is_histogram(point->metric->type);
    double amount =
        histogram ? (double)point->histogram->count : number_of(point);

    grid_row_add(row, part->cell, sign * amount * part->share);
    return !histogram || !hists ||
           hist_add(&hists[part->cell], arena, type, point->histogram, factor,
                    sign * part->share);
}

static bool add_delta(struct series_set *set, struct tracked_series *series,
                      const struct point *point)
{
    struct grid_part part =
        grid_parts(&set->grid, delta_from(set, series, point), point->time_ns);

    while (grid_next(&set->grid, &part))
        if (!series_add_delta(&series->deltas, series->delta_hists, set->arena,
                              point, series->factor, &part, 1))
            return false;
    return true;
}

/* A staleness marker: the series ends there. */
static void end_series(struct series_set *set, const struct series_point *p,
                       enum metric_mode mode)
{
    struct tracked_series *series =
        set->count > 0
            ? *find_slot(set->table, set->table_size, key_of(p, mode))
            : NULL;

    if (series && p->point->time_ns > series->ended_ns)
        series->ended_ns = p->point->time_ns;
}

bool series_set_add(struct series_set *set, const struct series_point *p)
{
    enum metric_mode mode = metric_mode(p->point->metric, p->known);
    struct tracked_series *series;

    if (set->grid.count == 0)
        return true;
    if (p->point->flags & POINT_NO_VALUE) {
        end_series(set, p, mode);
        return true;
    }
    series = find_series(set, p, mode);
    if (!series)
        return false;
    if (mode == MODE_GAUGE)
        keep_sample(set, series, p->point);
    return mode == MODE_GAUGE   ? true
           : mode == MODE_DELTA ? add_delta(set, series, p->point)
                                : keep_total(set, series, p->point);
}

void series_set_entities(struct series_set *set, series_entity *entity,
                         void *arg)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (!set->order[i]->entity)
            set->order[i]->entity = entity(arg, set->order[i]->resource_id);
}

bool series_set_has(const struct series_set *set, struct series_filter filter)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->order[i]->tags & filter.tags &&
            set->order[i]->group == filter.group)
            return true;
    return false;
}
