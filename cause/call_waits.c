/*
 * A caller that sees a callee slow may be right. But if all that it calls is
 * slow, and nobody else finds so, it is slow itself: it lacks CPU, threads or
 * connections. And if the callee says that it answers as usual, the time is
 * lost between them.
 */
#include "call_waits.h"

#include <math.h>
#include <stdlib.h>

#include "evidence.h"
#include "metric_history.h"
#include "quantity.h"

/* Of the callees of a component this share is slow if the component is. */
static const double NEARLY_ALL = 0.75;
/* Calls of which a callee's own numbers must show something: this share of all
 * its requests, and a rise of the mean by so many times its usual spread. */
static const double LARGE_PART = 0.25, VISIBLE = 3;

enum symptom_kind { IS_SLOW, IS_FAILING, NO_SYMPTOM };

/* The calls of one callee by one caller, of one kind. */
struct call_edge {
    uint32_t caller, callee;
    uint8_t kind; /* enum symptom_kind */
    bool stands_out;
};

/* Of a candidate, for each kind. */
struct edge_counts {
    uint32_t callees, bad_callees, confirmed;
    uint32_t bad_callers;
    bool own_checked, own_bad;
};

struct call_judge {
    struct timeseries_list *list;
    const struct rca_times *times;
    struct call_edge *edges;
    uint32_t edge_count;
    struct edge_counts *counts[NO_SYMPTOM]; /* by candidate */
    double *room;
};

static enum symptom_kind kind_of(const struct timeseries *t)
{
    return t->before < 3                                           ? NO_SYMPTOM
           : t->class == CLASS_LATENCY                             ? IS_SLOW
           : t->class == CLASS_ERRORS || t->class == CLASS_SUCCESS ? IS_FAILING
                                                                   : NO_SYMPTOM;
}

static double score_of(const struct call_judge *j, const struct timeseries *t)
{
    static const struct component_load usual = {.ratio = 1};
    struct deviation d = history_deviation(
        t, j->times, t->less_is_worse ? -1 : 1, &usual, j->room);

    return fmin(d.score, history_count_score(t, &d));
}

/* ---- edges ---- */

static int by_edge(const void *left, const void *right)
{
    const struct call_edge *a = left, *b = right;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->caller != b->caller)
        return a->caller < b->caller ? -1 : 1;
    if (a->callee != b->callee)
        return a->callee < b->callee ? -1 : 1;
    return b->stands_out - a->stands_out;
}

static bool find_edges(struct call_judge *j, struct arena *arena)
{
    uint32_t n = 0, kept = 0;
    struct call_edge *edges =
        arena_alloc(arena, (j->list->count + 1) * sizeof(*edges));

    if (!edges)
        return false;
    for (uint32_t i = 0; i < j->list->count; i++) {
        struct timeseries *t = &j->list->at[i];

        t->waits = WAITS_AT_CALLEE;
        if (t->caller != NO_INDEX && kind_of(t) != NO_SYMPTOM)
            edges[n++] =
                (struct call_edge){t->caller, t->component, (uint8_t)kind_of(t),
                                   score_of(j, t) >= CONFIDENT_SCORE};
    }
    if (n > 0)
        qsort(edges, n, sizeof(*edges), by_edge);
    for (uint32_t i = 0; i < n; i++) /* of several metrics the worst */
        if (kept == 0 || edges[kept - 1].kind != edges[i].kind ||
            edges[kept - 1].caller != edges[i].caller ||
            edges[kept - 1].callee != edges[i].callee)
            edges[kept++] = edges[i];
    j->edges = edges;
    j->edge_count = kept;
    return true;
}

/* Does a component say itself that it is bad? Its series stand together. */
static bool says_bad(const struct call_judge *j, uint32_t component,
                     enum symptom_kind kind)
{
    for (uint32_t i = 0; i < j->list->count; i++) {
        const struct timeseries *t = &j->list->at[i];

        if (t->component == component && t->caller == NO_INDEX &&
            kind_of(t) == kind && score_of(j, t) >= MIN_NAMED_SCORE)
            return true;
    }
    return false;
}

/* Others know of it: the callee, another caller, or a callee of the callee is
 * bad. */
static bool is_confirmed(const struct call_judge *j, const struct call_edge *e)
{
    struct edge_counts *callee = &j->counts[e->kind][e->callee];

    if (callee->bad_callers > 1 ||
        j->counts[IS_SLOW][e->callee].bad_callees > 0 ||
        j->counts[IS_FAILING][e->callee].bad_callees > 0)
        return true;
    if (!callee->own_checked) {
        callee->own_checked = true;
        callee->own_bad = says_bad(j, e->callee, (enum symptom_kind)e->kind);
    }
    return callee->own_bad;
}

static bool count_edges(struct call_judge *j, uint32_t candidates,
                        struct arena *arena)
{
    for (int kind = 0; kind < NO_SYMPTOM; kind++) {
        j->counts[kind] =
            arena_zero(arena, candidates + 1, sizeof(struct edge_counts));
        if (!j->counts[kind])
            return false;
    }
    for (uint32_t i = 0; i < j->edge_count; i++) {
        const struct call_edge *e = &j->edges[i];

        j->counts[e->kind][e->caller].callees++;
        j->counts[e->kind][e->caller].bad_callees += e->stands_out;
        j->counts[e->kind][e->callee].bad_callers += e->stands_out;
    }
    for (uint32_t i = 0; i < j->edge_count; i++)
        if (j->edges[i].stands_out)
            j->counts[j->edges[i].kind][j->edges[i].caller].confirmed +=
                is_confirmed(j, &j->edges[i]);
    return true;
}

/* All that it calls is bad, and nobody else finds so. */
static bool is_callers(const struct edge_counts *caller)
{
    return caller->bad_callees > 1 && caller->confirmed == 0 &&
           caller->bad_callees >= NEARLY_ALL * caller->callees;
}

/* ---- time between caller and callee ---- */

static double mean_now(const struct call_judge *j, const struct timeseries *t)
{
    double sum = 0;
    uint32_t n = 0;

    for (uint32_t i = t->before; i < t->count; i++)
        if (t->at[i].time_ns > j->times->from_ns) {
            sum += t->at[i].value;
            n++;
        }
    return n > 0 ? sum / n : 0;
}

/* Requests per second now, that a histogram counts which the callee reports, or
 * a caller. */
static double rate_now(const struct call_judge *j, uint32_t component,
                       uint32_t caller)
{
    double most = 0;

    for (uint32_t i = 0; i < j->list->count; i++) {
        const struct timeseries *t = &j->list->at[i];
        double sum = 0;

        if (t->component != component || t->caller != caller ||
            t->class != CLASS_TRAFFIC || !t->is_rate)
            continue;
        for (uint32_t k = i; k < j->list->count; k++)
            if (j->list->at[k].component == component &&
                j->list->at[k].caller == caller &&
                j->list->at[k].sort == t->sort)
                sum += mean_now(j, &j->list->at[k]);
        most = fmax(most, sum);
    }
    return most;
}

/* The callee answers as usual, although its own numbers would show it if these
 * calls took longer there. */
static bool is_between(const struct call_judge *j, const struct timeseries *t)
{
    double rise = quantity_seconds(t) * (mean_now(j, t) - t->median);
    bool known = false;

    for (uint32_t i = 0; i < j->list->count; i++) {
        const struct timeseries *own = &j->list->at[i];
        double factor = quantity_seconds(own);

        if (own->component != t->component || own->caller != NO_INDEX ||
            kind_of(own) != IS_SLOW)
            continue;
        known = true;
        if (own->is_new_pod ||
            factor * (mean_now(j, own) - own->median) >
                LARGE_PART * LARGE_PART * rise ||
            LARGE_PART * rise < VISIBLE * factor * own->spread)
            return false;
    }
    return known && rate_now(j, t->component, t->caller) >=
                        LARGE_PART * rate_now(j, t->component, NO_INDEX);
}

bool call_waits_find(struct timeseries_list *list,
                     const struct rca_times *times, uint32_t candidates,
                     struct arena *arena, double *room)
{
    struct call_judge j = {.list = list, .times = times, .room = room};

    if (!find_edges(&j, arena) || !count_edges(&j, candidates, arena))
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        struct timeseries *t = &list->at[i];
        enum symptom_kind kind = kind_of(t);

        if (t->caller == NO_INDEX || kind == NO_SYMPTOM)
            continue;
        struct call_edge edge = {t->caller, t->component, (uint8_t)kind, true};
        if (j.counts[kind][t->caller].bad_callees == 0 ||
            score_of(&j, t) < CONFIDENT_SCORE)
            continue;
        if (is_callers(&j.counts[kind][t->caller]))
            t->waits = WAITS_AT_CALLER;
        else if (kind == IS_SLOW && !is_confirmed(&j, &edge) &&
                 is_between(&j, t))
            t->waits = WAITS_BETWEEN;
    }
    return true;
}
