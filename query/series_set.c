/*
 * Points to series; series_sum.c makes rows of them.
 *
 * A series is a row of samples: the newest one before the grid, the newest one
 * in each cell, the oldest one after the grid. Deltas need no memory of
 * samples: they are spread over the cells when they come.
 */
#include "hash.h"
#include "series_int.h"

enum { TABLE_FIRST = 64 };

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
    uint64_t key = hash_bytes(point->metric->name.ptr, point->metric->name.len,
                              point->resource_id);

    for (uint32_t i = 0; i < point->attrs.count; i++) {
        const struct attr *a = &point->attrs.at[i];

        key = hash_bytes(a->key, a->key_len, key);
        if (a->type == VALUE_STRING)
            key = hash_bytes(a->str, a->len, key);
        else
            key = hash_mix(key, a->type == VALUE_BOOL ? (uint64_t)a->b
                                                      : (uint64_t)a->i);
    }
    return key;
}

static struct series **find_slot(struct series **table, uint32_t size,
                                 uint64_t key)
{
    uint32_t at = (uint32_t)key & (size - 1);

    while (table[at] && table[at]->key != key)
        at = (at + 1) & (size - 1);
    return &table[at];
}

static bool grow_table(struct series_set *set)
{
    uint32_t size = set->table_size ? 2 * set->table_size : TABLE_FIRST;
    struct series **table = arena_zero(set->arena, size, sizeof(*table));
    struct series **order = arena_zero(set->arena, size, sizeof(*order));

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

static enum series_mode mode_of(const struct metric *metric)
{
    if (metric->type == METRIC_GAUGE ||
        (metric->type == METRIC_SUM && !metric->monotonic &&
         metric->temporality != DELTA))
        return MODE_LAST;
    return metric->temporality == DELTA ? MODE_DELTA : MODE_GROWTH;
}

static bool alloc_cells(struct series_set *set, struct series *series)
{
    if (series->mode != MODE_DELTA) {
        series->samples =
            arena_zero(set->arena, set->spots, sizeof(*series->samples));
        return series->samples;
    }
    if (series_is_histogram(series->type)) {
        series->delta_hists = arena_zero(set->arena, set->grid.count + 1,
                                         sizeof(*series->delta_hists));
        if (!series->delta_hists)
            return false;
    }
    return row_init(&series->deltas, &set->grid, set->arena);
}

static struct series *find_series(struct series_set *set,
                                  const struct series_point *p)
{
    const struct metric *metric = p->point->metric;
    /* A sender that changes its mind about the kind starts a new series. */
    uint64_t kind = (uint64_t)metric->type << 8 | mode_of(metric);
    uint64_t key = hash_mix(p->key, kind);
    struct series **slot, *series;

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
    series->family = p->family;
    series->rank = p->rank;
    series->tags = p->tags;
    series->resource_id = p->point->resource_id;
    series->factor = p->factor;
    series->mode = (uint8_t)mode_of(metric);
    series->type = metric->type;
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

static bool keep_arrays(struct arena *arena, struct kept *kept, uint32_t bounds,
                        uint32_t counts)
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

static bool keep_histogram(struct arena *arena, struct sample *sample,
                           const struct histogram *h)
{
    uint32_t n = h->positive.count;
    struct kept *kept = sample->kept;
    const uint64_t *from = h->positive.counts;

    if (h->counts) {
        n = h->bound_count + 1;
        from = h->counts;
    }
    if (!kept)
        kept = arena_zero(arena, 1, sizeof(*kept));
    if (!kept || !keep_arrays(arena, kept, h->bound_count, n))
        return false;
    kept->h = *h;
    for (uint32_t i = 0; i < n; i++)
        kept->counts[i] = from[i];
    for (uint32_t i = 0; i < h->bound_count; i++)
        kept->bounds[i] = h->bounds[i];
    kept->h.bounds = kept->bounds;
    kept->h.counts = h->counts ? kept->counts : NULL;
    kept->h.positive.counts = h->counts ? NULL : kept->counts;
    kept->h.positive.count = h->counts ? 0 : n;
    kept->h.values = NULL;
    kept->h.negative.count = 0;
    sample->kept = kept;
    return true;
}

static void note_gap(struct series *series, uint64_t a, uint64_t b)
{
    uint64_t gap = a > b ? a - b : b - a;

    if (gap > 0 && (series->gap_ns == 0 || gap < series->gap_ns))
        series->gap_ns = gap;
}

static uint32_t spot_of(const struct series_set *set, uint64_t time_ns)
{
    if (time_ns < set->grid.start_ns)
        return 0;
    if (time_ns >= grid_end(&set->grid))
        return set->spots - 1;
    return 1 + (uint32_t)((time_ns - set->grid.start_ns) / set->grid.step_ns);
}

static bool keep_sample(struct series_set *set, struct series *series,
                        const struct point *point)
{
    uint64_t t = point->time_ns;
    uint32_t spot = spot_of(set, t);
    struct sample *sample = &series->samples[spot];
    bool newer = t > sample->time_ns, after = spot == set->spots - 1;

    if (sample->time_ns)
        note_gap(series, t, sample->time_ns);
    if (!sample->time_ns || t < sample->first_ns)
        sample->first_ns = t;
    if (sample->time_ns && newer == after)
        return true;
    if (!series_is_histogram(series->type))
        sample->value = number_of(point);
    else if (!keep_histogram(set->arena, sample, point->histogram))
        return false;
    sample->time_ns = t;
    sample->start_ns = point->start_ns;
    return true;
}

static bool add_delta(struct series_set *set, struct series *series,
                      const struct point *point)
{
    uint64_t from = point->start_ns ? point->start_ns : point->time_ns;
    struct grid_part part = grid_parts(&set->grid, from, point->time_ns);
    bool hist = series_is_histogram(series->type);
    double amount = hist ? (double)point->histogram->count : number_of(point);

    while (grid_next(&set->grid, &part)) {
        row_add(&series->deltas, part.cell, amount * part.share);
        if (hist && !hist_add(&series->delta_hists[part.cell], set->arena,
                              (enum metric_type)series->type, point->histogram,
                              series->factor, part.share))
            return false;
    }
    return true;
}

bool series_set_add(struct series_set *set, const struct series_point *p)
{
    struct series *series;

    if (set->grid.count == 0 || p->point->metric->type == METRIC_SUMMARY ||
        p->point->flags & POINT_NO_VALUE)
        return true;
    series = find_series(set, p);
    if (!series)
        return false;
    return series->mode == MODE_DELTA ? add_delta(set, series, p->point)
                                      : keep_sample(set, series, p->point);
}

void series_set_regroup(struct series_set *set, series_group *group, void *arg)
{
    for (uint32_t i = 0; i < set->count; i++)
        set->order[i]->group =
            group(arg, set->order[i]->resource_id, set->order[i]->group);
}

bool series_set_has(const struct series_set *set, uint32_t tags)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->order[i]->tags & tags)
            return true;
    return false;
}
