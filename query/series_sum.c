/*
 * Series to rows.
 *
 *   gauges    the value of a cell is its last sample, or the last before it
 *             while that still holds, weighted by how much of the cell the
 *             series was there: a pod that took over from another does not
 *             count twice;
 *   counters  the growth between the samples of two cells, spread over the
 *             time between them. A counter that got smaller, or has a new
 *             start, began again at zero. Growth over a long gap is not
 *             guessed at. From the newest sample to now the last rate goes on,
 *             or the last point of a live chart would always dip.
 *
 * Both are averages over the part of the cell that any series covers, so that
 * the first cell of a scope is not thinned by the time before it began.
 */
#include "hash.h"
#include "series_int.h"

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

/* The longest time between two samples over which a series is taken to have
 * gone on. */
static uint64_t max_gap(const struct series_set *set)
{
    return 2 * set->grid.step_ns > SERIES_REACH_NS ? 2 * set->grid.step_ns
                                                   : SERIES_REACH_NS;
}

/* The usual distance of samples, as far as it shows. */
static uint64_t usual_gap(const struct series *series, uint64_t seen_ns)
{
    uint64_t gap = series->gap_ns ? series->gap_ns : seen_ns;

    if (gap == 0)
        return NS_PER_MIN;
    return gap < SERIES_REACH_NS ? gap : SERIES_REACH_NS;
}

/* How long the newest sample holds: a little longer than until the next one
 * would be due. */
static uint64_t hold_ns(const struct series *series, uint64_t seen_ns)
{
    return usual_gap(series, seen_ns) * 3 / 2;
}

static uint32_t next_sample(const struct series_set *set,
                            const struct series *series, uint32_t from)
{
    while (from < set->spots && !series->samples[from].time_ns)
        from++;
    return from;
}

/* What is being summed; from and to: the part of each cell that is covered,
 * NULL where amounts are wanted and no averages. */
struct sums {
    struct series_set *set;
    struct row *row;
    struct hist *hists;
    uint64_t *from_ns, *to_ns;
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

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* One sample, from its cell on, until the next one or until it does not hold
 * any more. */
static void hold_sample(struct sums *sums, const struct series *series,
                        uint32_t at, uint32_t next, uint64_t from_ns,
                        uint64_t until_ns)
{
    const struct grid *grid = &sums->set->grid;

    for (uint32_t spot = at ? at : 1; spot < next; spot++) {
        uint32_t cell = spot - 1;
        uint64_t begin = grid_time(grid, cell), end = begin + grid->step_ns;

        if (cell >= grid->count || (spot != at && begin >= until_ns))
            break;
        begin = begin < from_ns ? from_ns : begin;
        end = min_u64(min_u64(end, until_ns), grid->now_ns);
        if (end <= begin)
            end = begin + 1; /* seen, if only just */
        row_add(sums->row, cell,
                series->samples[at].value * series->factor *
                    seconds_between(begin, end));
        cover(sums, cell, begin, end);
    }
}

static void sum_gauge(struct sums *sums, const struct series *series)
{
    const struct series_set *set = sums->set;
    uint32_t at = next_sample(set, series, 0);
    uint64_t gap_ns = 0, held_ns = 0;

    while (at < set->spots - 1) {
        const struct sample *sample = &series->samples[at];
        uint32_t next = next_sample(set, series, at + 1);
        uint64_t begin = at ? grid_time(&set->grid, at - 1) : 0;
        uint64_t from = sample->first_ns, until;

        if (next < set->spots)
            gap_ns = series->samples[next].first_ns - sample->time_ns;
        until = sample->time_ns + hold_ns(series, gap_ns);
        if (next < set->spots && gap_ns <= max_gap(set))
            until = series->samples[next].first_ns;
        /* The sample before was counted up to this cell; a first one speaks
         * for the time since one could have been due. */
        if (held_ns >= from)
            from = begin;
        else
            from -= min_u64(from, usual_gap(series, gap_ns));
        hold_sample(sums, series, at, next, from > begin ? from : begin, until);
        held_ns = until;
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
    return series_is_histogram(series->type) ? (double)sample->kept->h.count
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

static bool add_growth(void *arg, const struct series *series,
                       const struct growth *growth, uint64_t from_ns,
                       uint64_t to_ns, double weight)
{
    struct sums *sums = arg;
    struct grid_part part;
    double amount = sample_count(series, growth->after);

    if (growth->before)
        amount -= sample_count(series, growth->before);
    if (!series_is_histogram(series->type))
        amount *= series->factor;
    part = grid_parts(&sums->set->grid, from_ns, to_ns);
    while (grid_next(&sums->set->grid, &part)) {
        row_add(sums->row, part.cell, weight * amount * part.share);
        cover(sums, part.cell, part.begin_ns, part.at_ns);
    }
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
    double factor = series_is_histogram(series->type) ? 1 : series->factor;

    for (uint32_t i = 0; i < sums->set->grid.count; i++) {
        if (!series->deltas.known[i])
            continue;
        row_add(sums->row, i, series->deltas.values[i] * factor);
        cover(sums, i, grid_time(&sums->set->grid, i),
              min_u64(grid_time(&sums->set->grid, i + 1),
                      sums->set->grid.now_ns));
        if (sums->hists && series->delta_hists &&
            !hist_merge(&sums->hists[i], sums->set->arena,
                        &series->delta_hists[i], 1))
            return false;
    }
    return true;
}

static bool sum_series(struct sums *sums, const struct series *series)
{
    bool hist = sums->hists && series_is_histogram(series->type);

    switch ((enum series_mode)series->mode) {
    case MODE_DELTA:
        return sum_deltas(sums, series);
    case MODE_GROWTH:
        return visit_growth(sums->set, series,
                            hist ? add_growth_hist : add_growth, sums);
    case MODE_LAST:
        if (sums->from_ns) /* a gauge has no amount */
            sum_gauge(sums, series);
        return true;
    }
    return true;
}

static bool sum_wanted(struct sums *sums, uint32_t tag)
{
    struct series_set *set = sums->set;
    struct wanted wanted;

    if (set->count == 0)
        return true;
    if (!wanted_init(&wanted, set, tag))
        return false;
    for (uint32_t i = 0; i < set->count; i++)
        if (is_wanted(&wanted, set->order[i]) &&
            !sum_series(sums, set->order[i]))
            return false;
    return true;
}

bool series_set_hists(struct series_set *set, uint32_t tag, struct hist *hists,
                      struct row *counts)
{
    struct sums sums = {.set = set, .row = counts, .hists = hists};

    return sum_wanted(&sums, tag);
}

bool series_set_sum(struct series_set *set, uint32_t tag, struct row *row)
{
    size_t cells = (size_t)set->grid.count + 1;
    struct sums sums = {
        .set = set,
        .row = row,
        .from_ns = arena_zero(set->arena, cells, sizeof(*sums.from_ns)),
        .to_ns = arena_zero(set->arena, cells, sizeof(*sums.to_ns)),
    };

    if (!sums.from_ns || !sums.to_ns || !sum_wanted(&sums, tag))
        return false;
    for (uint32_t i = 0; i < set->grid.count; i++)
        if (sums.to_ns[i] > sums.from_ns[i])
            row->values[i] /= seconds_between(sums.from_ns[i], sums.to_ns[i]);
    return true;
}
