/*
 * Points are stored by series; series_sum.c turns them into rows.
 *
 * Of a gauge the newest value before the grid and in each cell and the oldest
 * one after the grid are stored, of a counter a track of points
 * (counter_increase.h). Deltas are spread over the cells when they arrive.
 */
#include "array.h"
#include "attr_hash.h"
#include "hash.h"
#include "series_int.h"

enum { MORE_POINTS = 64 }; /* of a counter, besides one per slot: resets */

struct series_set *series_set_new(struct arena *arena, const struct grid *grid)
{
    struct series_set *set = arena_zero(arena, 1, sizeof(*set));
    if (!set)
        return NULL;
    set->arena = arena;
    set->grid = *grid;
    set->slots = grid->count + 2;
    set->index.arena = set->rank_index.arena = arena;
    set->group_index.arena = arena;
    return set;
}

void series_set_integrate(struct series_set *set)
{
    set->integrates = true;
}

uint64_t series_set_from(const struct series_set *set)
{
    uint64_t reach = series_reach(set);

    return set->grid.start_ns > reach ? set->grid.start_ns - reach : 0;
}

uint64_t series_set_until(const struct series_set *set)
{
    return grid_end(&set->grid) + series_reach(set);
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

static bool alloc_cells(struct series_set *set, struct tracked_series *series)
{
    if (series->mode == MODE_GAUGE) {
        series->samples =
            arena_zero(set->arena, set->slots, sizeof(*series->samples));
        if (set->integrates)
            series->integrals =
                arena_zero(set->arena, set->slots, sizeof(*series->integrals));
        return series->samples && (series->integrals || !set->integrates);
    }
    if (series->mode == MODE_COUNTER) {
        series->counter.max = 4 * set->slots + MORE_POINTS;
        series->counter.cells = set->slots;
        series->counter.after = set->slots - 1;
        return true;
    }
    return series_cells_init(&series->deltas, &set->grid,
                             series_is_histogram(series->type), set->arena);
}

/* Points of another type or temporality are another series. */
static uint64_t key_of(const struct series_point *p, enum metric_mode mode)
{
    return hash_mix(p->key, (uint64_t)p->point->metric->type << 8 | mode);
}

static struct tracked_series *find_series(const struct series_set *set,
                                          uint64_t key)
{
    map_each(&set->index, map_hash_number(key), at)
        if (set->series[at]->key == key)
            return set->series[at];
    return NULL;
}

/* NULL: the arena is full. */
static struct series_group *group_of(struct series_set *set, uint64_t key)
{
    struct series_group *group;

    map_each(&set->group_index, map_hash_number(key), at)
        if (set->groups[at].key == key)
            return &set->groups[at];
    group = arena_append(set->arena, &set->groups, set->group_count,
                         &set->group_room);
    if (!group ||
        !map_add(&set->group_index, map_hash_number(key), set->group_count))
        return NULL;
    set->group_count++;
    *group = (struct series_group){.key = key};
    return group;
}

static bool join_group(struct series_set *set, struct tracked_series *series)
{
    struct series_group *group = group_of(set, series->p.group);

    if (!group)
        return false;
    if (group->last)
        group->last->next = series;
    else
        group->first = series;
    group->last = series;
    group->count++;
    return true;
}

static struct tracked_series *add_series(struct series_set *set, uint64_t key,
                                         const struct series_point *p,
                                         enum metric_mode mode)
{
    struct tracked_series *series = arena_zero(set->arena, 1, sizeof(*series));
    struct tracked_series **last =
        arena_append(set->arena, &set->series, set->count, &set->room);

    if (!series || !last)
        return NULL;
    *series = (struct tracked_series){.key = key,
                                      .p = *p,
                                      .resource_id = p->point->resource_id,
                                      .mode = (uint8_t)mode,
                                      .type = p->point->metric->type};
    series->p.point = NULL; /* good during its visit only */
    if (!alloc_cells(set, series) ||
        !map_add(&set->index, map_hash_number(key), set->count) ||
        !join_group(set, series))
        return NULL;
    set->count++;
    return *last = series;
}

/* ---- storing points ---- */

static double number_of(const struct point *point)
{
    return point->is_int ? (double)point->i : point->d;
}

static bool reserve_arrays(struct arena *arena, struct stored_histogram *stored,
                           uint32_t bounds, uint32_t counts)
{
    if (bounds > stored->bounds_room) {
        stored->bounds = arena_zero(arena, bounds, sizeof(*stored->bounds));
        stored->bounds_room = stored->bounds ? bounds : 0;
    }
    if (counts > stored->counts_room) {
        stored->counts = arena_zero(arena, counts, sizeof(*stored->counts));
        stored->counts_room = stored->counts ? counts : 0;
    }
    return stored->bounds_room >= bounds && stored->counts_room >= counts;
}

/* Without buckets of values below zero (they count as zero) and quantiles of
 * summaries. */
static bool store_histogram(struct arena *arena, struct counter_point *slot,
                            const struct histogram *h, bool buckets)
{
    uint32_t n = h->positive.count, bounds = h->bound_count;
    struct stored_histogram *stored = slot->extra;
    const uint64_t *from = h->positive.counts;

    if (h->counts) {
        n = h->bound_count + 1;
        from = h->counts;
    }
    if (!buckets)
        n = bounds = 0;
    if (!stored)
        stored = arena_zero(arena, 1, sizeof(*stored));
    slot->extra = stored;
    if (!stored || !reserve_arrays(arena, stored, bounds, n))
        return false;
    stored->h = *h;
    for (uint32_t i = 0; i < n; i++)
        stored->counts[i] = from[i];
    for (uint32_t i = 0; i < bounds; i++)
        stored->bounds[i] = h->bounds[i];
    stored->h.bound_count = bounds;
    stored->h.bounds = stored->bounds;
    stored->h.counts = h->counts && buckets ? stored->counts : NULL;
    stored->h.positive.counts = h->counts ? NULL : stored->counts;
    stored->h.positive.count = h->counts ? 0 : n;
    stored->h.values = NULL;
    for (uint32_t i = 0; i < h->negative.count; i++)
        stored->h.zero_count += h->negative.counts[i];
    stored->h.negative.count = 0;
    return true;
}

static void note_gap(struct tracked_series *series, uint64_t t)
{
    uint64_t last = series->last_ns, gap = t > last ? t - last : last - t;

    if (last && gap > 0 && (series->gap_ns == 0 || gap < series->gap_ns))
        series->gap_ns = gap;
    series->last_ns = t;
}

static uint32_t slot_of(const struct series_set *set, uint64_t time_ns)
{
    if (time_ns < set->grid.start_ns)
        return 0;
    if (time_ns >= grid_end(&set->grid))
        return set->slots - 1;
    return 1 + (uint32_t)((time_ns - set->grid.start_ns) / set->grid.step_ns);
}

static void store_sample(struct series_set *set, struct tracked_series *series,
                         const struct point *point)
{
    uint64_t t = point->time_ns;
    uint32_t slot = slot_of(set, t);
    struct gauge_sample *sample = &series->samples[slot];
    bool newer = t > sample->time_ns, after = slot == set->slots - 1;

    note_gap(series, t);
    if (series->integrals)
        series_integrate_sample(set, series, slot, t, number_of(point));
    if (!sample->time_ns || t < sample->first_ns)
        sample->first_ns = t;
    if (sample->time_ns && newer == after)
        return;
    sample->value = number_of(point);
    sample->time_ns = t;
}

static bool store_total(struct series_set *set, struct tracked_series *series,
                        const struct point *point)
{
    bool hist = series_is_histogram(series->type);
    /* A start time has no meaning for a gauge. */
    struct counter_point p = {
        .time_ns = point->time_ns,
        .start_ns = series->type == METRIC_GAUGE ? 0 : point->start_ns,
        .value = hist ? (double)point->histogram->count : number_of(point),
        .cell = slot_of(set, point->time_ns)};
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
    return !hist || store_histogram(set->arena, slot, point->histogram,
                                    series->type != METRIC_SUMMARY);
}

/* From when a delta counts. Intervals may overlap (two writers), but a very
 * long one has the start of the process: it counts since the previous point. */
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

bool series_cells_init(struct series_cells *cells, const struct grid *grid,
                       bool hists, struct arena *arena)
{
    if (hists) {
        cells->hists =
            arena_zero(arena, grid->count + 1, sizeof(*cells->hists));
        if (!cells->hists)
            return false;
    }
    return grid_row_init(&cells->row, grid, arena);
}

bool series_add_delta(struct series_cells *cells, const struct point *point,
                      double factor, const struct grid_part *part, double sign,
                      struct arena *arena)
{
    enum metric_type type = (enum metric_type)point->metric->type;
    bool histogram = series_is_histogram(point->metric->type);
    double amount =
        histogram ? (double)point->histogram->count : number_of(point);

    grid_row_add(&cells->row, part->cell, sign * amount * part->share);
    return !histogram || !cells->hists ||
           hist_add(&cells->hists[part->cell], arena, type, point->histogram,
                    factor, sign * part->share);
}

static bool add_delta(struct series_set *set, struct tracked_series *series,
                      const struct point *point)
{
    struct grid_part part =
        grid_parts(&set->grid, delta_from(set, series, point), point->time_ns);

    while (grid_next(&set->grid, &part))
        if (!series_add_delta(&series->deltas, point, series->p.factor, &part,
                              1, set->arena))
            return false;
    return true;
}

bool series_set_add(struct series_set *set, const struct series_point *p)
{
    const struct point *point = p->point;
    enum metric_mode mode = metric_mode(point->metric, p->known);
    uint64_t key = key_of(p, mode);
    struct tracked_series *series;

    if (set->grid.count == 0)
        return true;
    series = find_series(set, key);
    if (point->flags & POINT_NO_VALUE) { /* a staleness marker */
        if (series && point->time_ns > series->ended_ns)
            series->ended_ns = point->time_ns;
        return true;
    }
    if (!series)
        series = add_series(set, key, p, mode);
    if (!series)
        return false;
    switch (mode) {
    case MODE_GAUGE:
        store_sample(set, series, point);
        return true;
    case MODE_DELTA:
        return add_delta(set, series, point);
    case MODE_COUNTER:
        return store_total(set, series, point);
    }
    return true;
}

void series_set_entities(struct series_set *set, series_entity *entity,
                         void *arg)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (!set->series[i]->p.entity)
            set->series[i]->p.entity = entity(arg, set->series[i]->resource_id);
}

bool series_set_has(const struct series_set *set, struct series_filter filter)
{
    uint32_t count;

    for (const struct tracked_series *series =
             series_of_group(set, filter.group, &count);
         series; series = series->next)
        if (series->p.tags & filter.tags)
            return true;
    return false;
}
