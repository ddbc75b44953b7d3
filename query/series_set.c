/*
 * A series is a row of samples: the newest one before the grid, the newest one
 * in each cell, the oldest one after the grid. That is enough for
 *
 *   gauges    the value of a cell is its last sample, or the last before it
 *             while that still holds;
 *   counters  the growth between the samples of two cells, spread over the
 *             time between them. A counter that got smaller, or has a new
 *             start, began again at zero. Growth over a long gap is not
 *             guessed at. From the newest sample to now the last rate goes on,
 *             or the last point of a live chart would always dip.
 *
 * Deltas need no memory of samples: they are spread when they come.
 */
#include "series_set.h"

#include "clock.h"
#include "hash.h"

/* How far outside the grid a sample still says something about it. */
static const uint64_t reach_ns = 5 * NS_PER_MIN;

enum { TABLE_FIRST = 64 };

/* A histogram that is kept, with room to be overwritten by a newer one. */
struct kept {
    struct histogram h;
    double *bounds;
    uint64_t *counts;
    uint32_t bounds_room, counts_room;
};

struct sample {
    uint64_t time_ns, start_ns; /* time 0: none */
    union {
        double value;
        struct kept *kept;
    };
};

enum series_mode { MODE_LAST, MODE_GROWTH, MODE_DELTA };

struct series {
    uint64_t key, group;
    uint32_t family, rank, tags, resource_id;
    double factor;
    uint64_t gap_ns;    /* smallest distance of two samples seen; 0: unknown */
    uint8_t mode, type; /* enum series_mode, enum metric_type */
    struct sample *samples; /* LAST, GROWTH */
    struct row deltas;      /* DELTA */
    struct hist *delta_hists;
};

struct series_set {
    struct arena *arena;
    struct grid grid;
    uint32_t spots; /* samples of a series: before, each cell, after */
    struct series **table;
    struct series **order; /* as they came, so that sums are the same twice */
    uint32_t table_size, count;
};

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
    return set->grid.start_ns > reach_ns ? set->grid.start_ns - reach_ns : 0;
}

uint64_t series_set_until(const struct series_set *set)
{
    return grid_end(&set->grid) + reach_ns;
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

static bool is_histogram(uint8_t type)
{
    return type == METRIC_HISTOGRAM || type == METRIC_EXP_HISTOGRAM;
}

static bool alloc_cells(struct series_set *set, struct series *series)
{
    if (series->mode != MODE_DELTA) {
        series->samples =
            arena_zero(set->arena, set->spots, sizeof(*series->samples));
        return series->samples;
    }
    if (is_histogram(series->type)) {
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
    if (sample->time_ns && newer == after)
        return true;
    if (!is_histogram(series->type))
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
    bool hist = is_histogram(series->type);
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

/* ---- asking ---- */

/* The lowest rank of each group and family, in a table of its own. */
struct wanted {
    uint64_t *groups;
    uint32_t *ranks; /* one more than it is; 0: free */
    uint32_t size, tag;
};

static uint32_t group_slot(const struct wanted *wanted,
                           const struct series *series)
{
    uint64_t group = hash_mix(series->group, series->family);
    uint32_t at = (uint32_t)group & (wanted->size - 1);

    while (wanted->ranks[at] && wanted->groups[at] != group)
        at = (at + 1) & (wanted->size - 1);
    wanted->groups[at] = group;
    return at;
}

static bool wanted_init(struct wanted *wanted, struct series_set *set,
                        uint32_t tag)
{
    *wanted = (struct wanted){.size = set->table_size, .tag = tag};
    wanted->groups =
        arena_zero(set->arena, wanted->size, sizeof(*wanted->groups));
    wanted->ranks =
        arena_zero(set->arena, wanted->size, sizeof(*wanted->ranks));
    if (!wanted->groups || !wanted->ranks)
        return false;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct series *series = set->order[i];
        uint32_t *rank = &wanted->ranks[group_slot(wanted, series)];

        if (*rank == 0 || series->rank + 1 < *rank)
            *rank = series->rank + 1;
    }
    return true;
}

static bool is_wanted(const struct wanted *wanted, const struct series *series)
{
    return series->tags & wanted->tag &&
           wanted->ranks[group_slot(wanted, series)] == series->rank + 1;
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

/* The longest time between two samples over which a series is taken to have
 * gone on. */
static uint64_t max_gap(const struct series_set *set)
{
    return 2 * set->grid.step_ns > reach_ns ? 2 * set->grid.step_ns : reach_ns;
}

/* How long the newest sample holds. */
static uint64_t hold_ns(const struct series *series, uint64_t before_ns)
{
    uint64_t gap = series->gap_ns ? series->gap_ns : before_ns;

    if (gap == 0)
        gap = NS_PER_MIN;
    return 2 * gap < reach_ns ? 2 * gap : reach_ns;
}

static uint32_t next_sample(const struct series_set *set,
                            const struct series *series, uint32_t from)
{
    while (from < set->spots && !series->samples[from].time_ns)
        from++;
    return from;
}

static void sum_gauge(const struct series_set *set, const struct series *series,
                      struct row *row)
{
    uint32_t at = next_sample(set, series, 0);
    uint64_t before_ns = 0;

    while (at < set->spots - 1) {
        const struct sample *sample = &series->samples[at];
        uint32_t next = next_sample(set, series, at + 1);
        uint64_t until = sample->time_ns + hold_ns(series, before_ns);

        if (next < set->spots) {
            uint64_t then = series->samples[next].time_ns;

            before_ns = then - sample->time_ns;
            if (before_ns <= max_gap(set))
                until = then;
        }
        for (uint32_t spot = at ? at : 1; spot < next; spot++)
            if (spot < set->spots - 1 &&
                (spot == at || grid_time(&set->grid, spot - 1) < until))
                row_add(row, spot - 1, sample->value * series->factor);
        at = next;
    }
}

/* Growth from one sample to the next; before is NULL for what grew since a
 * start. */
struct growth {
    const struct sample *before, *after;
    uint64_t from_ns, to_ns;
};

static double sample_count(const struct series *series,
                           const struct sample *sample)
{
    return is_histogram(series->type) ? (double)sample->kept->h.count
                                      : sample->value;
}

/* False if nothing can be said. */
static bool growth_between(const struct series_set *set,
                           const struct series *series,
                           const struct sample *before,
                           const struct sample *after, struct growth *growth)
{
    uint64_t from = before ? before->time_ns : after->start_ns;
    bool restarted =
        before && (sample_count(series, after) < sample_count(series, before) ||
                   after->start_ns >= before->time_ns);

    if (restarted && after->start_ns > from)
        from = after->start_ns;
    *growth =
        (struct growth){restarted ? NULL : before, after, from, after->time_ns};
    return from > 0 && from < after->time_ns &&
           after->time_ns - from <= max_gap(set);
}

typedef bool growth_visit(void *arg, const struct series *series,
                          const struct growth *growth, uint64_t from_ns,
                          uint64_t to_ns, double weight);

static bool visit_growth(struct series_set *set, const struct series *series,
                         growth_visit *visit, void *arg)
{
    uint32_t at = next_sample(set, series, 0);
    const struct sample *before = NULL;
    struct growth growth = {0};
    bool known = false;

    for (; at < set->spots; at = next_sample(set, series, at + 1)) {
        const struct sample *after = &series->samples[at];

        known = growth_between(set, series, before, after, &growth);
        if (known &&
            !visit(arg, series, &growth, growth.from_ns, growth.to_ns, 1))
            return false;
        before = after;
    }
    if (known) { /* the newest: its rate goes on for a while */
        uint64_t took = growth.to_ns - growth.from_ns, now = set->grid.now_ns;

        if (now > growth.to_ns && now - growth.to_ns < hold_ns(series, took))
            return visit(arg, series, &growth, growth.to_ns, now,
                         (double)(now - growth.to_ns) / (double)took);
    }
    return true;
}

struct sums {
    struct series_set *set;
    struct row *row;
    struct hist *hists;
};

static bool add_growth(void *arg, const struct series *series,
                       const struct growth *growth, uint64_t from_ns,
                       uint64_t to_ns, double weight)
{
    struct sums *sums = arg;
    double amount = sample_count(series, growth->after);

    if (growth->before)
        amount -= sample_count(series, growth->before);
    if (!is_histogram(series->type))
        amount *= series->factor;
    row_spread(sums->row, &sums->set->grid, from_ns, to_ns, weight * amount);
    return true;
}

static bool add_growth_hist(void *arg, const struct series *series,
                            const struct growth *growth, uint64_t from_ns,
                            uint64_t to_ns, double weight)
{
    struct sums *sums = arg;
    const struct grid *grid = &sums->set->grid;
    struct grid_part part = grid_parts(grid, from_ns, to_ns);
    enum metric_type type = (enum metric_type)series->type;

    add_growth(arg, series, growth, from_ns, to_ns, weight);
    while (grid_next(grid, &part)) {
        struct hist *hist = &sums->hists[part.cell];
        struct arena *arena = sums->set->arena;
        double share = part.share * weight;

        if (!hist_add(hist, arena, type, &growth->after->kept->h,
                      series->factor, share))
            return false;
        if (growth->before &&
            !hist_add(hist, arena, type, &growth->before->kept->h,
                      series->factor, -share))
            return false;
    }
    return true;
}

static bool sum_deltas(struct sums *sums, const struct series *series)
{
    double factor = is_histogram(series->type) ? 1 : series->factor;

    for (uint32_t i = 0; i < sums->set->grid.count; i++) {
        if (!series->deltas.known[i])
            continue;
        row_add(sums->row, i, series->deltas.values[i] * factor);
        if (sums->hists && series->delta_hists &&
            !hist_merge(&sums->hists[i], sums->set->arena,
                        &series->delta_hists[i], 1))
            return false;
    }
    return true;
}

static bool sum_growth(struct series_set *set, const struct wanted *wanted,
                       struct hist *hists, struct row *row)
{
    struct sums sums = {set, row, hists};

    for (uint32_t i = 0; i < set->count; i++) {
        const struct series *series = set->order[i];
        bool hist = hists && is_histogram(series->type);

        if (series->mode == MODE_LAST || !is_wanted(wanted, series))
            continue;
        if (series->mode == MODE_DELTA
                ? !sum_deltas(&sums, series)
                : !visit_growth(set, series,
                                hist ? add_growth_hist : add_growth, &sums))
            return false;
    }
    return true;
}

bool series_set_hists(struct series_set *set, uint32_t tag, struct hist *hists,
                      struct row *counts)
{
    struct wanted wanted;

    return set->count == 0 || (wanted_init(&wanted, set, tag) &&
                               sum_growth(set, &wanted, hists, counts));
}

bool series_set_sum(struct series_set *set, uint32_t tag, struct row *row)
{
    struct wanted wanted;

    if (set->count == 0)
        return true;
    if (!wanted_init(&wanted, set, tag) || !sum_growth(set, &wanted, NULL, row))
        return false;
    row_per_second(row, &set->grid);
    for (uint32_t i = 0; i < set->count; i++)
        if (set->order[i]->mode == MODE_LAST &&
            is_wanted(&wanted, set->order[i]))
            sum_gauge(set, set->order[i], row);
    return true;
}
