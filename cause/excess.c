#include "excess.h"

#include <math.h>

#include "array.h"
#include "clock.h"

/* Rises that differ by that part may be the same: means of few requests; and
 * those of a component that is a proxy by its name. */
static const double SAME_PART = 0.25, SAME_PART_OF_PROXY = 0.5;
/* A rise of which callees explain less than that is not explained. */
static const double EXPLAINED = 0.5;
/* Requests and latency of a proxy and its target, as logarithms of ratios. */
static const double SAME_REQUESTS = 0.15, SAME_LATENCY = 0.3;
/* The same onset: points of five minutes are told apart. */
#define SAME_ONSET_NS (7 * NS_PER_MIN)

struct excess_finder {
    struct excess *excess;
    const struct component_flows *flows;
    const struct call_graph *graph;
    uint32_t count;
    struct arena *arena;
    uint32_t *callees, callee_count; /* of one component */
    uint32_t *waiting;
    uint32_t *target; /* of a proxy, by candidate; or NO_INDEX */
    bool *visited, *has_caller;
};

/* ---- calls ---- */

/* The first callee from a number on; a proxy has one. */
static uint32_t next_callee(const struct excess_finder *f, uint32_t c,
                            uint32_t from)
{
    if (f->target[c] != NO_INDEX)
        return f->target[c] >= from ? f->target[c] : NO_INDEX;
    return call_graph_callee(f->graph, c, from);
}

/* Callees whose flow is known, also behind those whose flow is not. */
static void find_callees(struct excess_finder *f, uint32_t c,
                         enum flow_kind kind)
{
    uint32_t waiting = 0;

    memset(f->visited, 0, f->count * sizeof(*f->visited));
    f->visited[c] = true;
    f->callee_count = 0;
    f->waiting[waiting++] = c;
    while (waiting > 0) {
        uint32_t at = f->waiting[--waiting], d = 0;

        for (; (d = next_callee(f, at, d)) != NO_INDEX; d++) {
            if (f->visited[d])
                continue;
            f->visited[d] = true;
            if (f->flows[d].of[kind].known)
                f->callees[f->callee_count++] = d;
            else
                f->waiting[waiting++] = d;
        }
    }
}

static bool same_counting(const struct component_flows *a,
                          const struct component_flows *b)
{
    return a->requests > 0 && b->requests > 0 &&
           (a->sort == b->sort || (a->is_rate && b->is_rate));
}

/* How often a request to c calls d, at most: others may call d, too, and the
 * calls of one request take no longer than it. */
static double most_calls(const struct component_flows *c,
                         const struct component_flows *d)
{
    const struct flow *x = &c->of[FLOW_LATENCY], *y = &d->of[FLOW_LATENCY];
    double calls = INFINITY;

    if (x->known && y->known && x->usual > 0 && y->usual > 0)
        calls = fmax(1, x->usual / y->usual);
    if (same_counting(c, d))
        calls = fmin(calls, d->requests / c->requests);
    return isfinite(calls) ? calls : 1;
}

/* ---- shares ---- */

static bool add_share(struct excess_finder *f, uint32_t caller, uint32_t callee,
                      enum flow_kind kind, double share)
{
    struct excess *e = f->excess;
    struct excess_share *at;

    if (!(share > 0.01))
        return true;
    at = arena_append(f->arena, &e->shares, e->share_count, &e->share_room);
    if (!at)
        return false;
    *at = (struct excess_share){caller, callee, kind, share};
    e->share_count++;
    return true;
}

static double explained_rise(const struct excess_finder *f, uint32_t c,
                             uint32_t d, enum flow_kind kind)
{
    const struct flow *flow = &f->flows[d].of[kind];

    return most_calls(&f->flows[c], &f->flows[d]) * flow->rise *
           flow->certainty;
}

static bool find_shares(struct excess_finder *f, uint32_t c,
                        enum flow_kind kind)
{
    const struct flow *flow = &f->flows[c].of[kind];
    double sum = 0;

    f->excess->own[kind][c] = 1;
    if (!flow->known || !(flow->rise > 0))
        return true;
    find_callees(f, c, kind);
    for (uint32_t i = 0; i < f->callee_count; i++)
        sum += explained_rise(f, c, f->callees[i], kind);
    double all = fmax(sum, flow->rise);
    f->excess->own[kind][c] = 1 - sum / all;
    for (uint32_t i = 0; i < f->callee_count; i++)
        if (!add_share(f, c, f->callees[i], kind,
                       explained_rise(f, c, f->callees[i], kind) / all))
            return false;
    return true;
}

static void find_failing_callee(struct excess_finder *f, uint32_t c)
{
    double most = 0;

    f->excess->failing_callee[c] = NO_INDEX;
    if (!(f->flows[c].of[FLOW_LATENCY].rise > 0))
        return;
    find_callees(f, c, FLOW_FAILURES);
    for (uint32_t i = 0; i < f->callee_count; i++) {
        double rise = explained_rise(f, c, f->callees[i], FLOW_FAILURES);

        if (rise > most) {
            most = rise;
            f->excess->failing_callee[c] = f->callees[i];
        }
    }
}

/* ---- calls that the graph lacks ---- */

static bool has_callee(const struct excess_finder *f, uint32_t c)
{
    return call_graph_callee(f->graph, c, 0) != NO_INDEX;
}

static void find_callers(struct excess_finder *f)
{
    for (uint32_t c = 0; c < f->count; c++)
        for (uint32_t d = 0;
             (d = call_graph_callee(f->graph, c, d)) != NO_INDEX; d++)
            f->has_caller[d] = true;
}

static bool have_common_caller(const struct excess_finder *f, uint32_t a,
                               uint32_t b)
{
    for (uint32_t c = 0; c < f->count; c++)
        if (call_graph_calls(f->graph, c, a) &&
            call_graph_calls(f->graph, c, b))
            return true;
    return false;
}

/* Where calls may be missing: from c, in a part of the graph that is known, to
 * d, which stands beside c and c calls nobody, or which nobody calls. */
static bool may_call(const struct excess_finder *f, uint32_t c, uint32_t d)
{
    if (d == c || call_graph_reaches(f->graph, c, d) ||
        call_graph_reaches(f->graph, d, c))
        return false;
    if (f->flows[d].is_proxy && !f->flows[c].is_proxy)
        return false;
    if (!has_callee(f, c) && have_common_caller(f, c, d))
        return true;
    return !f->has_caller[d] && (f->has_caller[c] || has_callee(f, c));
}

/* Who waits for another so often takes longer than these calls. */
static bool may_wait_for(const struct component_flows *caller,
                         const struct component_flows *callee, double calls)
{
    const struct flow *own = &caller->of[FLOW_LATENCY];
    const struct flow *its = &callee->of[FLOW_LATENCY];

    return !own->known || !its->known || own->usual >= calls * its->usual;
}

/* How different the usual requests and latencies of a proxy and of another are,
 * as the sum of logarithms; INFINITY: it is not its target. */
static double distance(const struct component_flows *proxy,
                       const struct component_flows *target)
{
    const struct flow *own = &proxy->of[FLOW_LATENCY];
    const struct flow *its = &target->of[FLOW_LATENCY];

    if (target->is_proxy || !same_counting(proxy, target) || !own->known ||
        !its->known || !(own->usual > 0) || !(its->usual > 0))
        return INFINITY;
    double requests = fabs(log(target->requests / proxy->requests));
    double latency = fabs(log(its->usual / own->usual));

    return requests < SAME_REQUESTS && latency < SAME_LATENCY
               ? requests + latency
               : INFINITY;
}

/* A proxy of which no callee is known speaks for who has as many requests, and
 * usually takes as long. */
static void find_targets(struct excess_finder *f)
{
    memset(f->target, 0xff, f->count * sizeof(*f->target)); /* NO_INDEX */
    for (uint32_t c = 0; c < f->count; c++) {
        double least = INFINITY;

        if (!f->flows[c].is_proxy || has_callee(f, c))
            continue;
        for (uint32_t d = 0; d < f->count; d++) {
            double far = distance(&f->flows[c], &f->flows[d]);

            if (far < least && may_call(f, c, d)) {
                least = far;
                f->target[c] = d;
            }
        }
    }
}

/* How far the rise of d, as c would see it, is from what is unexplained of that
 * of c, as a part of it; 1: c does not call d. */
static double mismatch(const struct excess_finder *f, uint32_t c, uint32_t d,
                       enum flow_kind kind)
{
    const struct component_flows *caller = &f->flows[c], *callee = &f->flows[d];
    const struct flow *x = &caller->of[kind], *y = &callee->of[kind];
    bool stands_for = caller->is_proxy && !callee->is_proxy;
    double limit = stands_for ? SAME_PART_OF_PROXY : SAME_PART;
    double calls =
        same_counting(caller, callee) ? callee->requests / caller->requests : 1;
    double left = f->excess->own[kind][c] * x->rise, off = 1;

    if (!y->known || y->certainty < 1 || !(y->rise > 0) ||
        (x->onset_ns > y->onset_ns ? x->onset_ns - y->onset_ns
                                   : y->onset_ns - x->onset_ns) > SAME_ONSET_NS)
        return 1;
    const double often[] = {fmin(1, calls), calls};

    for (int i = 0; i < 2; i++)
        if (stands_for || may_wait_for(caller, callee, often[i]))
            off = fmin(off, fabs(left - often[i] * y->rise) / left);
    return off < limit ? off : 1;
}

/* The component that explains the rise of c best, if the graph lacks a call. */
static bool find_missing(struct excess_finder *f, uint32_t c,
                         enum flow_kind kind)
{
    const struct flow *flow = &f->flows[c].of[kind];
    double own = f->excess->own[kind][c], least = 1;
    uint32_t best = 0;

    if (!flow->known || flow->certainty < 1 || !(flow->rise > 0) ||
        own <= EXPLAINED || f->target[c] != NO_INDEX)
        return true;
    for (uint32_t d = 0; d < f->count; d++) {
        double off = mismatch(f, c, d, kind);

        if (off < least && may_call(f, c, d)) {
            least = off;
            best = d;
        }
    }
    if (least >= 1)
        return true;
    f->excess->own[kind][c] = own * least;
    return add_share(f, c, best, kind, own * (1 - least));
}

bool excess_find(struct excess *e, const struct flow_list *flows,
                 const struct call_graph *graph, struct arena *arena)
{
    uint32_t n = flows->count;
    struct excess_finder f = {.excess = e,
                              .flows = flows->at,
                              .graph = graph,
                              .count = n,
                              .arena = arena};

    *e = (struct excess){0};
    f.callees = arena_alloc(arena, (n + 1) * sizeof(*f.callees));
    f.waiting = arena_alloc(arena, (n + 1) * sizeof(*f.waiting));
    f.target = arena_alloc(arena, (n + 1) * sizeof(*f.target));
    f.visited = arena_zero(arena, n + 1, sizeof(*f.visited));
    f.has_caller = arena_zero(arena, n + 1, sizeof(*f.has_caller));
    for (int kind = 0; kind < FLOW_KINDS; kind++)
        e->own[kind] = arena_alloc(arena, (n + 1) * sizeof(double));
    e->failing_callee = arena_alloc(arena, (n + 1) * sizeof(uint32_t));
    if (!e->failing_callee || !f.callees || !f.waiting || !f.target ||
        !f.visited || !f.has_caller || !e->own[FLOW_LATENCY] ||
        !e->own[FLOW_FAILURES])
        return false;
    find_callers(&f);
    find_targets(&f);
    for (uint32_t c = 0; c < n; c++)
        find_failing_callee(&f, c);
    for (int kind = 0; kind < FLOW_KINDS; kind++)
        for (uint32_t c = 0; c < n; c++)
            if (!find_shares(&f, c, (enum flow_kind)kind) ||
                !find_missing(&f, c, (enum flow_kind)kind))
                return false;
    return true;
}
