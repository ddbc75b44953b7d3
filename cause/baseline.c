/*
 * What is usual, when the asker does not say: a slice three times as long as
 * the window that ends a minute before it. If an earlier incident lies there,
 * told by the share of requests that fail, up to three slices further back are
 * looked at, and the one with the fewest bad minutes is taken; of equal ones
 * the nearest.
 */
#include <stdlib.h>

#include "clock.h"
#include "derived.h"
#include "rca_context.h"

/* Faults begin earlier than they are noticed: the minute before the window is
 * in neither half. */
enum { GUARD_S = 60, TIMES_AS_LONG = 3, SLICES = 4 };
enum { MAX_MINUTES = 1440 }; /* looked at; longer windows take the nearest */
/* One request in twenty more than usual is an incident, as in evidence_red.c.
 */
static const double BAD_SHARE = 0.05;

struct minute {
    double requests, errors, share;
};

struct failure_history {
    struct minute *at;
    uint32_t count;
    uint64_t from_ns;
};

static void count(void *arg, const struct point *p)
{
    struct failure_history *h = arg;
    uint64_t at = p->start_ns < h->from_ns
                      ? UINT64_MAX
                      : (p->start_ns - h->from_ns) / NS_PER_MIN;
    int sign = derived_sign(p->metric->name);

    if (at >= h->count)
        return;
    if (p->metric->type == METRIC_EXP_HISTOGRAM)
        h->at[at].requests += sign * (double)p->histogram->count;
    else
        h->at[at].errors += sign * (p->is_int ? (double)p->i : p->d);
}

static int by_share(const void *left, const void *right)
{
    const struct minute *a = left, *b = right;

    return (a->share > b->share) - (a->share < b->share);
}

static enum status read_history(struct rca_context *facts,
                                struct failure_history *h, uint64_t end_ns)
{
    static const struct slice names[] = {
        {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
        {DERIVED_ERRORS, sizeof(DERIVED_ERRORS) - 1},
        {DERIVED_RETRACTED_DURATION, sizeof(DERIVED_RETRACTED_DURATION) - 1},
        {DERIVED_RETRACTED_ERRORS, sizeof(DERIVED_RETRACTED_ERRORS) - 1}};
    struct series_query query = {.start_ns = h->from_ns,
                                 .end_ns = end_ns,
                                 .resources = facts->resources,
                                 .names = names,
                                 .name_count = sizeof(names) / sizeof(*names)};

    h->at = arena_zero(facts->arena, h->count + 1, sizeof(*h->at));
    if (!h->at)
        return arena_status(facts->arena);
    enum status s =
        reader_query_series(facts->question->reader, &query, count, h);
    for (uint32_t i = 0; s == OK && i < h->count; i++)
        if (h->at[i].requests > 0)
            h->at[i].share = h->at[i].errors / h->at[i].requests;
    return s;
}

/* Of all minutes but those without requests. */
static double usual_share(struct rca_context *facts,
                          const struct failure_history *h)
{
    struct minute *copy =
        arena_alloc(facts->arena, (h->count + 1) * sizeof(*copy));
    uint32_t n = 0;

    for (uint32_t i = 0; copy && i < h->count; i++)
        if (h->at[i].requests > 0)
            copy[n++] = h->at[i];
    if (n == 0)
        return 0;
    qsort(copy, n, sizeof(*copy), by_share);
    return copy[n / 2].share;
}

/* Minutes of a slice in which an incident was, or nothing at all. */
static uint32_t bad_minutes(const struct failure_history *h, uint32_t first,
                            uint32_t n, double usual)
{
    uint32_t bad = 0;

    for (uint32_t i = first; i < first + n && i < h->count; i++)
        bad += h->at[i].requests <= 0 || h->at[i].share > usual + BAD_SHARE;
    return bad;
}

enum status baseline_choose(struct rca_context *facts)
{
    const struct cause_window *w = &facts->times[DURING];
    uint64_t slice = (w->end_ns - w->start_ns) * TIMES_AS_LONG;
    uint64_t to = w->start_ns - GUARD_S * NS_PER_S;
    uint32_t n = (uint32_t)(slice / NS_PER_MIN), best = 0, least = UINT32_MAX;
    struct failure_history h = {.count = SLICES * n};

    facts->times[BEFORE] =
        (struct cause_window){to > slice ? to - slice : 0, to};
    if (n == 0 || h.count > MAX_MINUTES || to < SLICES * slice)
        return OK;
    h.from_ns = (to - SLICES * slice) / NS_PER_MIN * NS_PER_MIN;
    enum status s = read_history(facts, &h, to);
    if (s != OK)
        return s;
    double usual = usual_share(facts, &h);
    for (uint32_t i = 0; i < SLICES; i++) { /* nearest first */
        uint32_t bad = bad_minutes(&h, (SLICES - 1 - i) * n, n, usual);

        if (bad < least) {
            least = bad;
            best = i;
        }
    }
    facts->times[BEFORE].start_ns -= best * slice;
    facts->times[BEFORE].end_ns -= best * slice;
    return OK;
}
