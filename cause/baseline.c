/*
 * The baseline of a query that has none: a stretch three times as long as the
 * window that ends a minute before it. If an earlier incident lies there, seen
 * by the share of requests that fail, up to three stretches further back are
 * looked at, and the one with the fewest bad minutes is taken; of equal ones
 * the nearest.
 */
#include "clock.h"
#include "quantile.h"
#include "rca_context.h"
#include "red_series.h"

/* Faults begin earlier than they are noticed: the minute before the window is
 * in neither period. */
enum { GUARD_S = 60, TIMES_AS_LONG = 3, STRETCHES = 4 };
enum { MAX_MINUTES = 1440 }; /* looked at; longer windows take the nearest */
struct failure_minute {
    double requests, errors;
};

struct failure_history {
    struct failure_minute *at;
    uint32_t count;
    uint64_t from_ns;
};

static void count_point(void *arg, const struct red_point *p)
{
    struct failure_history *h = arg;
    uint64_t at = p->start_ns < h->from_ns
                      ? UINT64_MAX
                      : (p->start_ns - h->from_ns) / NS_PER_MIN;

    if (at >= h->count)
        return;
    h->at[at].requests += p->requests;
    h->at[at].errors += p->errors;
}

/* Failed requests of all; 0 if there are none. */
static double share_of(const struct failure_minute *m)
{
    return m->requests > 0 ? m->errors / m->requests : 0;
}

/* Of all minutes but those without requests. */
static double usual_share(const struct failure_history *h, double *room)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < h->count; i++)
        if (h->at[i].requests > 0)
            room[n++] = share_of(&h->at[i]);
    return n > 0 ? quantile(room, n, 0.5) : 0;
}

/* Minutes of a stretch with an incident, or with nothing at all. */
static uint32_t bad_minutes(const struct failure_history *h, uint32_t first,
                            uint32_t n, double usual)
{
    uint32_t bad = 0;

    for (uint32_t i = first; i < first + n && i < h->count; i++)
        bad +=
            h->at[i].requests <= 0 || share_of(&h->at[i]) > usual + FELT_SHARE;
    return bad;
}

enum status baseline_choose(struct rca_times *times,
                            struct candidates *candidates,
                            struct reader *reader, struct arena *arena)
{
    const struct cause_window *w = &times->period[WINDOW];
    struct cause_window *baseline = &times->period[BASELINE];
    uint64_t length = (w->end_ns - w->start_ns) * TIMES_AS_LONG;
    uint64_t to = w->start_ns - GUARD_S * NS_PER_S;
    uint32_t n = (uint32_t)(length / NS_PER_MIN), best = 0, least = UINT32_MAX;
    struct failure_history h = {.count = STRETCHES * n};

    *baseline = (struct cause_window){to > length ? to - length : 0, to};
    if (n == 0 || h.count > MAX_MINUTES || to < STRETCHES * length)
        return OK;
    h.from_ns = (to - STRETCHES * length) / NS_PER_MIN * NS_PER_MIN;
    h.at = arena_zero(arena, h.count + 1, sizeof(*h.at));
    double *room = arena_alloc(arena, (h.count + 1) * sizeof(*room));
    if (!h.at || !room)
        return arena_status(arena);
    enum status s = red_series_read(reader, candidates,
                                    (struct cause_window){h.from_ns, to}, false,
                                    count_point, &h);
    if (s != OK)
        return s;
    double usual = usual_share(&h, room);
    for (uint32_t i = 0; i < STRETCHES; i++) { /* nearest first */
        uint32_t bad = bad_minutes(&h, (STRETCHES - 1 - i) * n, n, usual);

        if (bad < least) {
            least = bad;
            best = i;
        }
    }
    baseline->start_ns -= best * length;
    baseline->end_ns -= best * length;
    return OK;
}
