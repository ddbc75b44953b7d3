/*
 * The baseline of a query that has none: a stretch three times as long as the
 * window that ends a minute before it. If a component fails or is slow there
 * (the fault itself, which began before the window, or an earlier incident),
 * the stretch ends earlier: where the fewest such minutes are in it, of equal
 * ones the nearest. If nothing is known before the window, what is known in it
 * before its last incident is the baseline, and the window begins with that.
 */
#include "clock.h"
#include "rca_context.h"
#include "symptom_minutes.h"

/* Faults begin earlier than they are noticed: the minute before the window is
 * in neither period. */
enum { GUARD_S = 60, TIMES_AS_LONG = 3 };
/* What a stretch costs: minutes in which two components or more have symptoms,
 * minutes without data, and to be an hour earlier, when the load was another.
 */
static const double SYMPTOM_COST = 1, EMPTY_COST = 0.5, HOUR_COST = 3;
/* Of what is known of the nearest. */
static const double MIN_KNOWN = 0.33;

static double cost_of(const struct symptom_minutes *m, uint32_t minute)
{
    uint32_t symptoms = 0;

    for (uint32_t r = 0; r < m->row_count && symptoms < 2; r++)
        symptoms += m->rows[r].symptoms[minute] != 0;
    return m->known[minute] ? SYMPTOM_COST * symptoms / 2 : EMPTY_COST;
}

/* ---- hardly anything is known before the window ---- */

/* Known minutes before an incident that it can be compared with. */
enum { MIN_USUAL = 5 };

bool baseline_inside(struct rca_times *times, const struct symptom_minutes *m,
                     const struct incident_list *incidents)
{
    struct cause_window *w = &times->period[WINDOW];
    uint32_t first = 0;

    while (first < m->count && !m->known[first])
        first++;
    if (first == m->count || incidents->count == 0 ||
        minutes_are_enough(m, minute_of(m, w->start_ns)))
        return false;
    uint32_t begins = incidents->at[incidents->count - 1].first;
    if (begins < first + MIN_USUAL ||
        m->from_ns + begins * NS_PER_MIN <= w->start_ns)
        return false;
    w->start_ns = m->from_ns + begins * NS_PER_MIN;
    times->period[BASELINE] = (struct cause_window){
        m->from_ns + first * NS_PER_MIN, w->start_ns - GUARD_S * NS_PER_S};
    return true;
}

/* ---- a stretch before the window ---- */

/* Up to each minute, of those before it. */
struct minute_sums {
    double cost, known;
};

static struct minute_sums *sum_up(const struct symptom_minutes *m,
                                  struct arena *arena)
{
    struct minute_sums *sums = arena_zero(arena, m->count + 1, sizeof(*sums));

    for (uint32_t i = 0; sums && i < m->count; i++)
        sums[i + 1] = (struct minute_sums){sums[i].cost + cost_of(m, i),
                                           sums[i].known + m->known[i]};
    return sums;
}

static struct minute_sums sums_of(const struct symptom_minutes *m,
                                  const struct minute_sums *sums,
                                  const struct cause_window *stretch,
                                  uint64_t back_ns)
{
    const struct minute_sums *from =
        &sums[minute_of(m, stretch->start_ns - back_ns)];
    const struct minute_sums *to =
        &sums[minute_of(m, stretch->end_ns - back_ns - 1) + 1];

    return (struct minute_sums){to->cost - from->cost, to->known - from->known};
}

enum status baseline_choose(struct rca_times *times,
                            const struct symptom_minutes *minutes,
                            struct arena *arena)
{
    const struct cause_window *w = &times->period[WINDOW];
    struct cause_window *baseline = &times->period[BASELINE];
    uint64_t length = (w->end_ns - w->start_ns) * TIMES_AS_LONG, back = 0;
    uint64_t to = w->start_ns - GUARD_S * NS_PER_S;
    const struct minute_sums *sums = sum_up(minutes, arena);

    *baseline = (struct cause_window){to > length ? to - length : 0, to};
    if (!sums)
        return arena_status(arena);
    if (minutes->row_count == 0 || baseline->start_ns < minutes->from_ns)
        return OK;
    struct minute_sums nearest = sums_of(minutes, sums, baseline, 0);
    double least = nearest.cost;
    for (uint64_t ns = NS_PER_MIN; baseline->start_ns >= minutes->from_ns + ns;
         ns += NS_PER_MIN) {
        struct minute_sums at = sums_of(minutes, sums, baseline, ns);
        double cost = at.cost + HOUR_COST * (double)ns / (double)NS_PER_HOUR;

        if (cost < least && at.known >= MIN_KNOWN * nearest.known) {
            least = cost;
            back = ns;
        }
    }
    baseline->start_ns -= back;
    baseline->end_ns -= back;
    return OK;
}
