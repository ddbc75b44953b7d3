/*
 * Series to rows.
 *
 *   gauges    the value of a cell is its last sample, or the last before it
 *             while that still holds, weighted by how much of the cell the
 *             series was there. A series counts from its first sample until
 *             another one takes over: a pod that replaces another does not
 *             count twice.
 *   counters  their increase (counter_increase.h), spread over the time between
 *             two points; over a long gap it is unknown. From the newest point
 *             to now the last rate continues, or the last point of a live chart
 *             would always dip.
 *
 * Both are averages over the part of the cell that any series covers, so that
 * the first cell of a scope is not thinned by the time before it began.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "hash.h"
#include "series_int.h"

/* For the rank of an entity that has a source that is no last resort. */
#define ANY_FAMILY UINT32_MAX

static struct best_rank *find_rank(const struct series_set *set,
                                   const struct tracked_series *series,
                                   uint32_t family)
{
    uint64_t key = hash_mix(series->p.entity, family);

    map_each(&set->rank_index, map_hash_number(key), at)
        if (set->ranks[at].key == key)
            return &set->ranks[at];
    return NULL;
}

static bool note_rank(struct series_set *set,
                      const struct tracked_series *series, uint32_t family,
                      uint32_t rank)
{
    struct best_rank *best = find_rank(set, series, family);

    if (best) {
        best->rank = rank < best->rank ? rank : best->rank;
        return true;
    }
    best =
        arena_append(set->arena, &set->ranks, set->rank_count, &set->rank_room);
    if (!best)
        return false;
    *best = (struct best_rank){hash_mix(series->p.entity, family), rank};
    return map_add(&set->rank_index, map_hash_number(best->key),
                   set->rank_count++);
}

bool series_make_ranks(struct series_set *set)
{
    for (; set->ranked < set->count; set->ranked++) {
        const struct tracked_series *series = set->series[set->ranked];

        if (!note_rank(set, series, series->p.family, series->p.rank) ||
            (!series->p.last_resort && !note_rank(set, series, ANY_FAMILY, 0)))
            return false;
    }
    return true;
}

bool series_is_summed(const struct series_set *set, struct series_filter filter,
                      const struct tracked_series *series)
{
    const struct series_point *p = &series->p;

    if (!(p->tags & filter.tags) || p->group != filter.group ||
        find_rank(set, series, p->family)->rank != p->rank)
        return false;
    return !p->last_resort || !find_rank(set, series, ANY_FAMILY);
}

/* What is being summed; from and to: the part of each cell that is covered,
 * NULL for amounts, which are not averaged. */
struct sums {
    struct series_set *set;
    struct series_filter filter;
    struct grid_row *row;
    struct hist *hists;
    uint64_t *from_ns, *to_ns;
    uint64_t *begins; /* of gauges, in order */
    uint32_t begin_count;
    const struct tracked_series *series; /* whose increases are visited */
};

static void cover(struct sums *sums, uint32_t cell, uint64_t from_ns,
                  uint64_t to_ns)
{
    if (!sums->from_ns)
        return;
    if (sums->to_ns[cell] == 0 || from_ns < sums->from_ns[cell])
        sums->from_ns[cell] = from_ns;
    if (to_ns > sums->to_ns[cell])
        sums->to_ns[cell] = to_ns;
}

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return (double)(to_ns - from_ns) / (double)NS_PER_S;
}

/* Adds one sample to its cell and the next ones, until until_ns. */
static void hold_sample(struct sums *sums, const struct tracked_series *series,
                        uint32_t at, uint32_t next, uint64_t from_ns,
                        uint64_t until_ns)
{
    const struct grid *grid = &sums->set->grid;

    for (uint32_t slot = at ? at : 1; slot < next; slot++) {
        uint32_t cell = slot - 1;
        uint64_t begin = grid_time(grid, cell), end = begin + grid->step_ns;

        begin = begin < from_ns ? from_ns : begin;
        if (cell >= grid->count || begin >= until_ns)
            break; /* also if another series replaced it at once */
        end = min_u64(min_u64(end, until_ns), grid->now_ns);
        if (end <= begin)
            end = begin + 1; /* seen, if only just */
        grid_row_add(sums->row, cell,
                     series->samples[at].value * series->p.factor *
                         seconds_between(begin, end));
        cover(sums, cell, begin, end);
    }
}

/* ---- when one gauge replaces another ---- */
static int by_time(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static bool find_begins(struct sums *sums)
{
    struct series_set *set = sums->set;
    const struct tracked_series *series;
    uint32_t count;

    series = series_of_group(set, sums->filter.group, &count);
    if (count > set->begin_room) {
        set->begins = arena_zero(set->arena, 2 * count, sizeof(uint64_t));
        set->begin_room = set->begins ? 2 * count : 0;
    }
    sums->begins = set->begins;
    if (count > set->begin_room)
        return false;
    for (; series; series = series->next) {
        uint32_t at = series->mode == MODE_GAUGE &&
                              series_is_summed(set, sums->filter, series)
                          ? series_next_sample(set, series, 0)
                          : set->slots;

        if (at < set->slots)
            sums->begins[sums->begin_count++] = series->samples[at].first_ns;
    }
    qsort(sums->begins, sums->begin_count, sizeof(uint64_t), by_time);
    return true;
}

/* The first of sums->begins after a time; UINT64_MAX: there is none. */
static uint64_t begin_after(const struct sums *sums, uint64_t time_ns)
{
    uint32_t low = 0, high = sums->begin_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (sums->begins[middle] > time_ns)
            high = middle;
        else
            low = middle + 1;
    }
    return low < sums->begin_count ? sums->begins[low] : UINT64_MAX;
}

/* When another series began that may replace one that ended with this sample:
 * up to a gap before the sample, since a new pod starts before the old one
 * stops. Not before the sample itself. */
static uint64_t taken_over(const struct sums *sums,
                           const struct tracked_series *series,
                           const struct gauge_sample *sample, uint64_t gap_ns)
{
    uint32_t first = series_next_sample(sums->set, series, 0);
    uint64_t own = series->samples[first].first_ns, t = sample->time_ns;
    uint64_t since = t - min_u64(t, series_usual_gap(series, gap_ns));
    uint64_t begin = begin_after(sums, since > own ? since : own);

    return begin > t ? begin : t;
}

/* Until when the sample holds: until the next one, if that is in time. If not,
 * for a while, but not beside another series that began since the next one was
 * due: that replaces this one. */
static uint64_t holds_until(const struct sums *sums,
                            const struct tracked_series *series,
                            const struct gauge_sample *sample,
                            const struct gauge_sample *next)
{
    uint64_t gap = next ? next->first_ns - sample->time_ns : 0;
    uint64_t until = sample->time_ns + series_hold(series, gap);

    if (next && gap <= series_max_gap(sums->set))
        until = next->first_ns;
    else if (next || sample->time_ns + series_usual_gap(series, gap) <=
                         sums->set->grid.now_ns)
        until = min_u64(until, taken_over(sums, series, sample, gap));
    if (series->ended_ns > sample->time_ns)
        until = min_u64(until, series->ended_ns);
    return until;
}

static void sum_gauge(struct sums *sums, const struct tracked_series *series)
{
    const struct series_set *set = sums->set;
    uint32_t at = series_next_sample(set, series, 0);
    uint64_t held_ns = 0;

    while (at < set->slots - 1) {
        const struct gauge_sample *sample = &series->samples[at];
        uint32_t next = series_next_sample(set, series, at + 1);
        uint64_t begin = at ? grid_time(&set->grid, at - 1) : 0;
        uint64_t until =
            holds_until(sums, series, sample,
                        next < set->slots ? &series->samples[next] : NULL);

        /* The sample before was counted up to this cell. */
        hold_sample(sums, series, at, next,
                    held_ns >= sample->first_ns ? begin : sample->first_ns,
                    until);
        held_ns = until;
        at = next;
    }
}

/* ---- counters ---- */

static const struct histogram *histogram_of(const struct counter_point *point)
{
    return &((const struct stored_histogram *)point->extra)->h;
}

/* Adds the increase, spread over a time. weight: 1, or the part of it that is
 * added again after its end. */
static bool add_part(struct sums *sums, const struct counter_increase *increase,
                     uint64_t from_ns, uint64_t to_ns, double weight)
{
    const struct tracked_series *series = sums->series;
    const struct grid *grid = &sums->set->grid;
    struct grid_part part = grid_parts(grid, from_ns, to_ns);
    bool hist = series_is_histogram(series->type);
    double amount =
        counter_increase_amount(increase) * (hist ? 1 : series->p.factor);
    struct arena *arena = sums->set->arena;

    while (grid_next(grid, &part)) {
        struct hist *into = hist && sums->hists ? &sums->hists[part.cell] : 0;
        double share = part.share * weight;

        grid_row_add(sums->row, part.cell, amount * share);
        cover(sums, part.cell, part.begin_ns, part.at_ns);
        if (into &&
            !hist_add(into, arena, (enum metric_type)series->type,
                      histogram_of(increase->after), series->p.factor, share))
            return false;
        if (into && increase->before &&
            !hist_add(into, arena, (enum metric_type)series->type,
                      histogram_of(increase->before), series->p.factor, -share))
            return false;
    }
    return true;
}

static bool add_increase(void *arg, const struct counter_increase *increase)
{
    struct sums *sums = arg;
    const struct tracked_series *series = sums->series;
    uint64_t took = increase->to_ns - increase->from_ns;
    uint64_t end = increase->to_ns, now = sums->set->grid.now_ns;

    if (!add_part(sums, increase, increase->from_ns, end, 1))
        return false;
    /* The newest rate continues for a while. */
    if (increase->newest && now > end &&
        now - end < series_hold(series, took) && series->ended_ns < end)
        return add_part(sums, increase, end, now,
                        (double)(now - end) / (double)took);
    return true;
}

static bool sum_counter(struct sums *sums, const struct tracked_series *series)
{
    const struct counter_rules rules = {series_set_from(sums->set),
                                        series_max_gap(sums->set)};

    sums->series = series;
    return counter_walk(&series->counter, &rules, add_increase, sums);
}

static bool sum_deltas(struct sums *sums, const struct tracked_series *series)
{
    double factor = series_is_histogram(series->type) ? 1 : series->p.factor;

    for (uint32_t i = 0; i < sums->set->grid.count; i++) {
        if (!series->deltas.row.known[i])
            continue;
        grid_row_add(sums->row, i, series->deltas.row.values[i] * factor);
        cover(sums, i, grid_time(&sums->set->grid, i),
              min_u64(grid_time(&sums->set->grid, i + 1),
                      sums->set->grid.now_ns));
        if (sums->hists && series->deltas.hists &&
            !hist_merge(&sums->hists[i], sums->set->arena,
                        &series->deltas.hists[i], 1))
            return false;
    }
    return true;
}

static bool sum_series(struct sums *sums, const struct tracked_series *series)
{
    switch ((enum metric_mode)series->mode) {
    case MODE_DELTA:
        return sum_deltas(sums, series);
    case MODE_COUNTER:
        return sum_counter(sums, series);
    case MODE_GAUGE:
        if (sums->from_ns) /* a gauge has no amount */
            sum_gauge(sums, series);
        return true;
    }
    return true;
}

static bool sum_selected(struct sums *sums)
{
    struct series_set *set = sums->set;
    uint32_t count;

    if (set->count == 0)
        return true;
    if (!series_make_ranks(set) || !find_begins(sums))
        return false;
    for (const struct tracked_series *series =
             series_of_group(set, sums->filter.group, &count);
         series; series = series->next)
        if (series_is_summed(set, sums->filter, series) &&
            !sum_series(sums, series))
            return false;
    return true;
}

bool series_set_hists(struct series_set *set, struct series_filter filter,
                      struct hist *hists, struct grid_row *counts)
{
    struct sums sums = {
        .set = set, .filter = filter, .row = counts, .hists = hists};

    return sum_selected(&sums);
}

bool series_set_sum(struct series_set *set, struct series_filter filter,
                    struct grid_row *row)
{
    size_t cells = (size_t)set->grid.count + 1;
    struct sums sums = {.set = set, .filter = filter, .row = row};

    if (!set->cover)
        set->cover = arena_alloc(set->arena, 2 * cells * sizeof(uint64_t));
    if (!set->cover)
        return false;
    memset(set->cover, 0, 2 * cells * sizeof(uint64_t));
    sums.from_ns = set->cover;
    sums.to_ns = set->cover + cells;
    if (!sum_selected(&sums))
        return false;
    for (uint32_t i = 0; i < set->grid.count; i++)
        if (sums.to_ns[i] > sums.from_ns[i])
            row->values[i] /= seconds_between(sums.from_ns[i], sums.to_ns[i]);
    return true;
}

/* ---- buckets that are series of their own ---- */

/* The bounds of the selected series, ascending, each once. */
static double *find_bounds(struct series_set *set, struct series_filter filter,
                           uint32_t *count)
{
    double *bounds = arena_zero(set->arena, POINT_MAX_BUCKETS, sizeof(double));
    const struct tracked_series *series =
        series_of_group(set, filter.group, count);
    uint32_t n = 0;

    for (; bounds && series; series = series->next) {
        double bound = series->p.bound * series->p.factor;
        uint32_t at = n;

        if (!series_is_summed(set, filter, series) || isnan(bound))
            continue;
        while (at > 0 && bounds[at - 1] >= bound)
            at--;
        if ((at < n && bounds[at] <= bound) || n == POINT_MAX_BUCKETS)
            continue;
        memmove(&bounds[at + 1], &bounds[at], (n - at) * sizeof(*bounds));
        bounds[at] = bound;
        n++;
    }
    *count = n;
    return bounds;
}

/* Adds what each cell counted up to a bound to the row. */
static bool sum_bound(struct series_set *set, struct series_filter filter,
                      double bound, struct grid_row *row)
{
    struct sums sums = {.set = set, .row = row};

    const struct tracked_series *series;
    uint32_t count;

    series = series_of_group(set, filter.group, &count);
    for (; series; series = series->next) {
        double own = series->p.bound * series->p.factor;

        if (!series_is_summed(set, filter, series) || own < bound ||
            own > bound)
            continue;
        struct tracked_series plain = *series;

        plain.p.factor = 1; /* the factor is of the bound, not of the count */
        if (!sum_series(&sums, &plain))
            return false;
    }
    return true;
}

bool series_set_buckets(struct series_set *set, struct series_filter filter,
                        struct hist *hists)
{
    uint32_t n;
    double *bounds;
    struct grid_row *rows;

    if (set->count == 0)
        return true;
    if (!series_make_ranks(set))
        return false;
    bounds = find_bounds(set, filter, &n);
    rows = arena_zero(set->arena, n + 1, sizeof(*rows));
    if (!bounds || !rows)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!grid_row_init(&rows[i], &set->grid, set->arena) ||
            !sum_bound(set, filter, bounds[i], &rows[i]))
            return false;
    uint32_t finite = n > 0 && isinf(bounds[n - 1]) ? n - 1 : n;
    for (uint32_t cell = 0; n > 0 && cell < set->grid.count; cell++) {
        double counts[POINT_MAX_BUCKETS + 1] = {0}, below = 0;

        for (uint32_t i = 0; i < n; i++) {
            counts[i] = fmax(rows[i].values[cell] - below, 0);
            below = fmax(below, rows[i].values[cell]);
        }
        if (below > 0 &&
            !hist_add_buckets(&hists[cell], set->arena, bounds, counts, finite))
            return false;
    }
    return true;
}
