/*
 * Time: what calls wait outside of the span that answers them (the network, a
 * queue in front of the callee), and what a component takes for itself.
 *
 * A call's gap is the caller's span less the callee's. An edge has two ends,
 * and the one whose other edges wait, too, is the slow one.
 */
#include <math.h>
#include <stdlib.h>

#include "hash.h"
#include "rca_context.h"

static const double MS = 1e6;
/* Calls above the 95th percentile of before and this much more: below, clocks
 * and schedulers differ from minute to minute. */
static const double FLOOR_NS = 5e6;
/* A median that rose by less is no wait that anybody would look for. */
static const double EDGE_RISE_NS = 1e7;

struct timing { /* one call, or one request */
    uint64_t key;
    double ns;
    uint32_t part;
};

struct timings {
    struct timing *at;
    uint32_t count;
};

/* At most one per part. */
static bool room_for(struct rca_context *facts, const struct trace_sample *s,
                     struct timings *list)
{
    list->at = arena_alloc(facts->arena, s->part_count * sizeof(*list->at) + 1);
    return list->at;
}

static void push(struct timings *list, uint64_t key, double ns, uint32_t part)
{
    list->at[list->count++] = (struct timing){key, ns, part};
}

static int by_key(const void *left, const void *right)
{
    const struct timing *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->ns < b->ns || a->ns > b->ns)
        return a->ns < b->ns ? -1 : 1;
    return (a->part > b->part) - (a->part < b->part);
}

static void sort(struct timings *list)
{
    if (list->count > 0)
        qsort(list->at, list->count, sizeof(*list->at), by_key);
}

static double quantile(const struct timing *at, uint32_t count, double q)
{
    double place = q * (count - 1);
    uint32_t low = (uint32_t)place, high = low + 1 < count ? low + 1 : low;

    return at[low].ns + (place - low) * (at[high].ns - at[low].ns);
}

/* The same key in both halves. */
struct pair {
    uint64_t key;
    const struct timing *at[HALVES];
    uint32_t count[HALVES];
    double above[HALVES]; /* how many took longer than usual */
    double limit, usual, rise;
};

static uint32_t end_of(const struct timings *list, uint32_t i)
{
    uint32_t end = i;

    while (end < list->count && list->at[end].key == list->at[i].key)
        end++;
    return end;
}

static double count_above(struct pair *p, double limit)
{
    p->limit = limit;
    for (int h = 0; h < HALVES; h++) {
        p->above[h] = 0;
        for (uint32_t i = 0; i < p->count[h]; i++)
            p->above[h] += p->at[h][i].ns > limit;
    }
    return nats_of(p->above[BEFORE], p->count[BEFORE], p->above[DURING],
                   p->count[DURING]);
}

/* What is slow: above almost all of before; or, where a few slow ones of
 * before would hide it, nearer to the middle of now than to that of before. */
static void compare(struct pair *p)
{
    p->usual = quantile(p->at[BEFORE], p->count[BEFORE], 0.5);
    p->rise = quantile(p->at[DURING], p->count[DURING], 0.5) - p->usual;
    double almost_all =
        quantile(p->at[BEFORE], p->count[BEFORE], 0.95) + FLOOR_NS;
    double halfway = p->usual + p->rise / 2;
    double nats = count_above(p, almost_all);

    if (halfway < p->usual + FLOOR_NS || halfway >= almost_all ||
        count_above(p, halfway) <= nats)
        (void)count_above(p, almost_all);
}

/* More of them took longer than before. */
static bool more_above(const struct pair *p)
{
    return p->above[DURING] * p->count[BEFORE] >
           p->above[BEFORE] * p->count[DURING];
}

/* Pairs of keys that are in both; when the arena is full, the first of them. */
static struct pair *pair_up(struct rca_context *facts,
                            const struct timings lists[HALVES], uint32_t *count)
{
    uint32_t i = 0, k = 0, room = 0;
    struct pair *pairs = NULL, *pair;

    *count = 0;
    while (i < lists[BEFORE].count && k < lists[DURING].count) {
        uint64_t a = lists[BEFORE].at[i].key, b = lists[DURING].at[k].key;
        uint32_t i_end = a <= b ? end_of(&lists[BEFORE], i) : i;
        uint32_t k_end = b <= a ? end_of(&lists[DURING], k) : k;

        if (a == b) {
            pair = facts_append(facts, &pairs, *count, &room);
            if (!pair)
                break;
            *pair = (struct pair){
                .key = a,
                .at = {&lists[BEFORE].at[i], &lists[DURING].at[k]},
                .count = {i_end - i, k_end - k}};
            compare(pair);
            ++*count;
        }
        i = i_end;
        k = k_end;
    }
    return pairs;
}

/* What part of the time that a user waits it is: 0 to 1. */
static double felt(double rise, double whole)
{
    return rise > 0 && whole > 0 ? rise / (rise + whole) : 0;
}

/* Usual duration of the traces that pass a component. */
static double *usual_traces(struct rca_context *facts)
{
    const struct trace_sample *s = &facts->halves[BEFORE];
    double *usual =
        arena_zero(facts->arena, facts->component_count, sizeof(*usual));
    uint32_t *seen =
        arena_zero(facts->arena, facts->component_count, sizeof(*seen));
    struct timings list = {NULL, 0};

    if (!usual || !seen || !room_for(facts, s, &list))
        return NULL;
    for (uint32_t n = 0; n < s->part_count; n++) {
        const struct rca_span *p = &s->parts[n];
        const struct rca_trace *t = &s->trees[p->tree];

        if (p->component == NOBODY || seen[p->component] == p->tree + 1)
            continue;
        seen[p->component] = p->tree + 1;
        push(&list, p->component, (double)(t->end_ns - t->start_ns), n);
    }
    sort(&list);
    for (uint32_t i = 0; i < list.count;) {
        uint32_t end = end_of(&list, i);

        usual[list.at[i].key] = quantile(&list.at[i], end - i, 0.5);
        i = end;
    }
    return usual;
}

/* ---- gaps ---- */

static bool gaps_of(struct rca_context *facts, enum rca_period half,
                    struct timings *list)
{
    const struct trace_sample *s = &facts->halves[half];

    if (!room_for(facts, s, list))
        return false;
    for (uint32_t n = 0; n < s->part_count; n++) {
        const struct rca_span *p = &s->parts[n], *up;

        if ((p->kind != SPAN_SERVER && p->kind != SPAN_CONSUMER) ||
            p->up == NOBODY || p->component == NOBODY ||
            !facts_judged(facts, half, p))
            continue;
        up = &s->parts[p->up];
        if (up->kind != SPAN_CLIENT || up->component == NOBODY ||
            up->component == p->component)
            continue;
        double gap = (double)(up->end_ns - up->start_ns) -
                     (double)(p->end_ns - p->start_ns);
        push(list, (uint64_t)up->component << 32 | p->component, gap, n);
    }
    sort(list);
    return true;
}

static uint32_t caller(const struct pair *p)
{
    return (uint32_t)(p->key >> 32);
}

static uint32_t callee(const struct pair *p)
{
    return (uint32_t)p->key;
}

static bool waits(const struct pair *p)
{
    return p->rise >= EDGE_RISE_NS && more_above(p);
}

/* Of the other edges of an end the part that waits, too, by calls; -1: there
 * are none. */
static double others_wait(const struct pair *pairs, uint32_t count,
                          const struct pair *of, bool of_callee)
{
    double all = 0, hit = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct pair *p = &pairs[i];
        bool same =
            of_callee ? callee(p) == callee(of) : caller(p) == caller(of);

        if (p == of || !same)
            continue;
        all += p->count[DURING];
        hit += waits(p) ? p->count[DURING] : 0;
    }
    return all > 0 ? hit / all : -1;
}

struct blame {
    double k[HALVES], n[HALVES], weight, covered;
    const struct pair *worst;
    double worst_rise;
};

static void add_blame(struct blame *b, const struct pair *p, double share)
{
    for (int h = 0; h < HALVES; h++)
        b->k[h] += share * p->above[h];
    b->n[BEFORE] += share * p->count[BEFORE];
    b->n[DURING] += share * p->count[DURING];
    b->weight += share * p->count[DURING];
    if (!b->worst || share * p->rise > b->worst_rise) {
        b->worst = p;
        b->worst_rise = share * p->rise;
    }
}

static void first_slow(struct rca_context *facts, const struct pair *p,
                       struct cause_evidence *e)
{
    const struct trace_sample *s = &facts->halves[DURING];

    for (uint32_t i = p->count[DURING]; i > 0; i--) { /* slowest first */
        const struct timing *t = &p->at[DURING][i - 1];
        const struct rca_span *part = &s->parts[t->part];

        if (t->ns <= p->limit)
            break;
        if (e->trace_count < CAUSE_MAX_EXAMPLES)
            memcpy(e->traces[e->trace_count++], part->trace, 16);
        if (e->onset_ns == 0 || part->start_ns < e->onset_ns)
            e->onset_ns = part->start_ns;
    }
}

static void blame_component(struct rca_context *facts, uint32_t c,
                            const struct blame *b, double usual)
{
    const struct pair *p = b->worst;

    if (b->weight <= 0)
        return;
    double cover = fmin(1, b->weight / fmax(1, b->covered));
    bool called = callee(p) == c;
    struct slice peer =
        facts->components[called ? caller(p) : callee(p)].component;
    struct cause_evidence e = {
        .kind = EVIDENCE_NETWORK,
        .class = "network",
        .nats =
            nats_of(b->k[BEFORE], b->n[BEFORE], b->k[DURING], b->n[DURING]) *
            cover * felt(p->rise, usual),
        .peer = called ? caller(p) : callee(p),
        .numbers = {p->usual / MS, (p->usual + p->rise) / MS, 0, 0, "ms"},
        .text = facts_text(
            facts,
            "calls %s %.*s wait %.0f ms on the way, %.0f ms before "
            "(%.0f%% of its calls wait)",
            called ? "from" : "to", (int)peer.len, peer.ptr,
            (p->usual + p->rise) / MS, fmax(0, p->usual / MS), 100 * cover)};

    first_slow(facts, p, &e);
    evidence_add(facts, c, &e);
}

/* Timings of both halves; those of the baseline stay as they are. */
typedef bool timings_of(struct rca_context *facts, enum rca_period half,
                        struct timings *list);

static bool both_halves(struct rca_context *facts, timings_of *of,
                        struct timings **usual, struct timings lists[HALVES])
{
    if (!*usual) {
        struct timings *made = arena_zero(facts->arena, 1, sizeof(*made));

        if (!made || !of(facts, BEFORE, made))
            return false;
        *usual = made;
    }
    lists[BEFORE] = **usual;
    lists[DURING] = (struct timings){NULL, 0};
    return of(facts, DURING, &lists[DURING]);
}

static bool find_network(struct rca_context *facts, const double *usual)
{
    struct timings lists[HALVES];
    struct blame *blames =
        arena_zero(facts->arena, facts->component_count, sizeof(*blames));
    uint32_t count;

    if (!blames || !both_halves(facts, gaps_of, &facts->usual_gaps, lists))
        return false;
    struct pair *pairs = pair_up(facts, lists, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct pair *p = &pairs[i];
        double to_caller = 0;

        if (waits(p)) {
            double at_callee = others_wait(pairs, count, p, true);
            double at_caller = others_wait(pairs, count, p, false);

            /* The callee if nothing speaks for either. */
            to_caller = fmax(at_caller, 0) * (1 - fmax(at_callee, 0));
            add_blame(&blames[callee(p)], p, 1 - to_caller);
            add_blame(&blames[caller(p)], p, to_caller);
        }
        blames[callee(p)].covered += p->count[DURING];
        if (to_caller > 0.5)
            blames[caller(p)].covered += p->count[DURING];
    }
    for (uint32_t c = 0; c < facts->component_count; c++)
        blame_component(facts, c, &blames[c], usual[c]);
    return !facts->full;
}

/* ---- own time ---- */

struct busy { /* sweeps over children in order of their start */
    uint64_t edge, ns;
};

/* Time in calls of other components, below a span of this one. A CLIENT span
 * counts with its whole time if it has an answer, or failed: waiting for who
 * does not answer is no work. Where callers send none, the answer counts. */
static void sweep(const struct trace_sample *s, uint32_t n, uint64_t end,
                  int depth, struct busy *busy)
{
    const struct rca_span *top = &s->parts[n];

    for (uint32_t k = top->kid; k != NOBODY && depth < 100;
         k = s->parts[k].next) {
        const struct rca_span *kid = &s->parts[k];
        bool remote = (kid->kind == SPAN_CLIENT && kid->failed) ||
                      kid->component != top->component;

        for (uint32_t j = kid->kid; j != NOBODY; j = s->parts[j].next)
            remote = remote || s->parts[j].component != kid->component;
        if (!remote) {
            sweep(s, k, end, depth + 1, busy);
            continue;
        }
        uint64_t from = kid->start_ns > busy->edge ? kid->start_ns : busy->edge;
        uint64_t to = kid->end_ns < end ? kid->end_ns : end;
        if (to > from) {
            busy->ns += to - from;
            busy->edge = to;
        }
    }
}

double waits_own_ns(const struct trace_sample *sample, uint32_t part)
{
    const struct rca_span *p = &sample->parts[part];
    struct busy busy = {p->start_ns, 0};
    uint64_t took = p->end_ns - p->start_ns;

    sweep(sample, part, p->end_ns, 0, &busy);
    return took > busy.ns ? (double)(took - busy.ns) : 0;
}

static bool own_times(struct rca_context *facts, enum rca_period half,
                      struct timings *list)
{
    const struct trace_sample *s = &facts->halves[half];

    if (!room_for(facts, s, list))
        return false;
    for (uint32_t n = 0; n < s->part_count; n++) {
        const struct rca_span *p = &s->parts[n];

        if ((p->kind != SPAN_SERVER && p->kind != SPAN_CONSUMER) ||
            p->component == NOBODY || !facts_judged(facts, half, p))
            continue;
        push(list, (uint64_t)p->component << 32 | p->name, waits_own_ns(s, n),
             n);
    }
    sort(list);
    return true;
}

static bool find_latency(struct rca_context *facts, const double *usual)
{
    struct timings lists[HALVES];
    uint32_t count;

    if (!both_halves(facts, own_times, &facts->usual_own, lists))
        return false;
    struct pair *pairs = pair_up(facts, lists, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct pair *p = &pairs[i];
        uint32_t c = caller(p);
        struct slice op = facts->terms.at[callee(p)].text;

        /* Of fewer than three nothing is usual. */
        if (p->count[BEFORE] < 3 || p->rise < FLOOR_NS || !more_above(p))
            continue;
        struct cause_evidence e = {
            .kind = EVIDENCE_LATENCY,
            .class = "cpu",
            .nats = nats_of(p->above[BEFORE], p->count[BEFORE],
                            p->above[DURING], p->count[DURING]) *
                    felt(p->rise, usual[c]),
            .operation = op,
            .peer = NOBODY,
            .numbers = {p->usual / MS, (p->usual + p->rise) / MS, 0, 0, "ms"},
            .text = facts_text(
                facts, "%.*s takes %.0f ms itself, %.0f ms before", (int)op.len,
                op.ptr, (p->usual + p->rise) / MS, p->usual / MS)};
        first_slow(facts, p, &e);
        evidence_add(facts, c, &e);
    }
    return !facts->full;
}

bool waits_find(struct rca_context *facts)
{
    if (!facts->usual_traces)
        facts->usual_traces = usual_traces(facts);
    return facts->usual_traces && find_network(facts, facts->usual_traces) &&
           find_latency(facts, facts->usual_traces);
}
