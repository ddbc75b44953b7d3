/*
 * Integrals of series over time, for what is paid by the hour.
 *
 * A sample of a gauge counts from its own time to that of the next one. In a
 * cell that is added up when a sample arrives, so the newest and the oldest of
 * the cell are enough; a sample that comes late, between two others, is left
 * out. A series is paused where the next sample is more than a few distances
 * away: then its last value holds a little longer than usual, and no more.
 */
#include "series_int.h"

/* The longest distance of two samples without a pause. A series that is sampled
 * once an hour has no pauses of an hour. */
static uint64_t longest_gap(const struct tracked_series *series)
{
    uint64_t gap = 3 * series->gap_ns;

    return gap > SERIES_REACH_NS ? gap : SERIES_REACH_NS;
}

/* How long a sample counts if the next one comes after this time. */
static uint64_t counted(const struct tracked_series *series, uint64_t gap_ns)
{
    return gap_ns <= longest_gap(series) ? gap_ns : series_hold(series, gap_ns);
}

static double seconds(uint64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

/* What a value adds from its time on, but nothing after now. */
static double added(const struct series_set *set,
                    const struct tracked_series *series, double value,
                    uint64_t time_ns, uint64_t next_ns)
{
    uint64_t until =
        min_u64(time_ns + counted(series, next_ns - time_ns), set->grid.now_ns);

    return until > time_ns ? value * seconds(until - time_ns) : 0;
}

void series_integrate_sample(const struct series_set *set,
                             struct tracked_series *series, uint32_t slot,
                             uint64_t time_ns, double value)
{
    const struct gauge_sample *sample = &series->samples[slot];
    double *sum = &series->integrals[slot].value_seconds;

    if (!sample->time_ns)
        return; /* the first one of its slot */
    if (time_ns > sample->time_ns)
        *sum += added(set, series, sample->value, sample->time_ns, time_ns);
    else if (time_ns < sample->first_ns)
        *sum += added(set, series, value, time_ns, sample->first_ns);
}

/* Until when the newest sample of a slot counts; next: NULL if there is none.
 */
static uint64_t counts_until(const struct series_set *set,
                             const struct tracked_series *series,
                             const struct gauge_sample *sample,
                             const struct gauge_sample *next)
{
    uint64_t until =
        sample->time_ns +
        (next ? counted(series, next->first_ns - sample->time_ns)
         : longest_gap(series) > SERIES_REACH_NS ? series->gap_ns
                                                 : series_hold(series, 0));

    if (series->ended_ns > sample->time_ns)
        until = min_u64(until, series->ended_ns);
    return min_u64(until, set->grid.now_ns);
}

static void add_gauge(const struct series_set *set,
                      const struct tracked_series *series, struct grid_row *row)
{
    const struct grid *grid = &set->grid;
    uint32_t at = series_next_sample(set, series, 0);

    while (at < set->slots - 1) {
        const struct gauge_sample *sample = &series->samples[at];
        uint32_t next = series_next_sample(set, series, at + 1);
        uint64_t until =
            counts_until(set, series, sample,
                         next < set->slots ? &series->samples[next] : NULL);
        struct grid_part part = grid_parts(grid, sample->time_ns, until);

        if (at > 0)
            grid_row_add(row, at - 1,
                         series->integrals[at].value_seconds *
                             series->p.factor);
        while (until > sample->time_ns && grid_next(grid, &part))
            grid_row_add(row, part.cell,
                         sample->value * series->p.factor *
                             seconds(part.at_ns - part.begin_ns));
        at = next;
    }
}

bool series_set_integral(struct series_set *set, struct series_filter filter,
                         struct grid_row *row)
{
    uint32_t count;

    if (!series_set_hists(set, filter, NULL, row)) /* counters */
        return false;
    if (set->count > 0 && !series_make_ranks(set))
        return false;
    for (const struct tracked_series *series =
             series_of_group(set, filter.group, &count);
         series; series = series->next)
        if (series->mode == MODE_GAUGE && series_is_summed(set, filter, series))
            add_gauge(set, series, row);
    return true;
}
