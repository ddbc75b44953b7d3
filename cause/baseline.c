/*
 * The baseline of a query that has none: a stretch three times as long as the
 * window that ends a minute before it. If a component fails or is slow there
 * (the fault itself, which began before the window, or an earlier incident),
 * the stretch ends earlier: where the fewest such minutes are in it, of equal
 * ones the nearest.
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

static double cost_of(const struct symptom_minutes *m, uint32_t minute)
{
    uint32_t symptoms = 0;

    for (uint32_t r = 0; r < m->row_count && symptoms < 2; r++)
        symptoms += m->rows[r].symptoms[minute] != 0;
    return m->known[minute] ? SYMPTOM_COST * symptoms / 2 : EMPTY_COST;
}

/* Sums up to each minute of the cost of those before. */
static double *sum_costs(const struct symptom_minutes *m, struct arena *arena)
{
    double *sums = arena_zero(arena, m->count + 1, sizeof(*sums));

    for (uint32_t i = 0; sums && i < m->count; i++)
        sums[i + 1] = sums[i] + cost_of(m, i);
    return sums;
}

enum status baseline_choose(struct rca_times *times,
                            const struct symptom_minutes *minutes,
                            struct arena *arena)
{
    const struct cause_window *w = &times->period[WINDOW];
    struct cause_window *baseline = &times->period[BASELINE];
    uint64_t length = (w->end_ns - w->start_ns) * TIMES_AS_LONG, back = 0;
    uint64_t to = w->start_ns - GUARD_S * NS_PER_S;
    double *sums = sum_costs(minutes, arena), least = 0;

    *baseline = (struct cause_window){to > length ? to - length : 0, to};
    if (!sums)
        return arena_status(arena);
    if (minutes->row_count == 0)
        return OK;
    for (uint64_t ns = 0; baseline->start_ns >= minutes->from_ns + ns;
         ns += NS_PER_MIN) {
        uint32_t first = minute_of(minutes, baseline->start_ns - ns);
        uint32_t end = minute_of(minutes, baseline->end_ns - ns - 1) + 1;
        double cost = sums[end] - sums[first] +
                      HOUR_COST * (double)ns / (double)NS_PER_HOUR;

        if (ns == 0 || cost < least) {
            least = cost;
            back = ns;
        }
    }
    baseline->start_ns -= back;
    baseline->end_ns -= back;
    return OK;
}
