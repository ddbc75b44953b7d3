/*
 * Calls that wait outside of the span that answers them: the network, or a
 * queue in front of the callee. The gap of a call is the caller's span less the
 * callee's. An edge has two ends: the slow one is the end whose other edges
 * wait, too.
 */
#include <math.h>

#include "evidence_durations.h"
#include "evidence_finders.h"
#include "quantity.h"

/* A median that rose by less is no wait that anybody would look for. */
static const double MIN_RISE_NS = 1e7;

static bool gap(const struct trace_sample *s, uint32_t n, uint64_t *key,
                double *ns)
{
    const struct rca_span *span = &s->spans[n], *parent;

    if (!span_is_served(span) || span->parent == NO_INDEX ||
        span->component == NO_INDEX)
        return false;
    parent = &s->spans[span->parent];
    if (parent->kind != SPAN_CLIENT || parent->component == NO_INDEX ||
        parent->component == span->component)
        return false;
    *key = duration_key(parent->component, span->component);
    *ns = (double)(parent->end_ns - parent->start_ns) -
          (double)(span->end_ns - span->start_ns);
    return true;
}

struct duration_sample *network_measure(const struct trace_samples *traces)
{
    return durations_measure(traces, gap);
}

static uint32_t caller(const struct duration_pair *p)
{
    return (uint32_t)(p->key >> 32);
}

static uint32_t callee(const struct duration_pair *p)
{
    return (uint32_t)p->key;
}

static bool waits(const struct duration_pair *p)
{
    return p->rise_ns >= MIN_RISE_NS && more_are_slow(p);
}

/* Of the other edges of one end the share that waits, too, by calls; 0 if there
 * are none. */
static double others_wait(const struct duration_pair *pairs, uint32_t count,
                          const struct duration_pair *of, bool of_callee)
{
    double all = 0, waiting = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct duration_pair *p = &pairs[i];
        bool same =
            of_callee ? callee(p) == callee(of) : caller(p) == caller(of);

        if (p == of || !same)
            continue;
        all += p->count[WINDOW];
        waiting += waits(p) ? p->count[WINDOW] : 0;
    }
    return all > 0 ? waiting / all : 0;
}

/* The waiting edges of a candidate, each by the share that it is blamed for. */
struct blame {
    double slow[PERIODS], calls[PERIODS];
    double all_calls; /* of all its edges, in the window */
    const struct duration_pair *worst;
    double worst_rise_ns;
};

static void add_blame(struct blame *b, const struct duration_pair *p,
                      double share)
{
    for (int period = 0; period < PERIODS; period++) {
        b->slow[period] += share * p->slow[period];
        b->calls[period] += share * p->count[period];
    }
    if (!b->worst || share * p->rise_ns > b->worst_rise_ns) {
        b->worst = p;
        b->worst_rise_ns = share * p->rise_ns;
    }
}

static void blame_edges(struct duration_pair *pairs, uint32_t count,
                        struct blame *blames)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct duration_pair *p = &pairs[i];
        double to_caller = 0;

        if (waits(p)) {
            /* The callee, if neither end has other edges that wait. */
            to_caller = others_wait(pairs, count, p, false) *
                        (1 - others_wait(pairs, count, p, true));
            add_blame(&blames[callee(p)], p, 1 - to_caller);
            add_blame(&blames[caller(p)], p, to_caller);
        }
        blames[callee(p)].all_calls += p->count[WINDOW];
        if (to_caller > 0.5)
            blames[caller(p)].all_calls += p->count[WINDOW];
    }
}

/* How many calls take longer than a limit. */
static uint32_t count_above(const struct duration_pair *p, double limit_ns)
{
    uint32_t above = 0;

    for (uint32_t i = 0; i < p->count[WINDOW]; i++)
        above += p->at[WINDOW][i].ns > limit_ns;
    return above;
}

static void add_network(struct evidence_set *evidence,
                        const struct duration_sample *gaps,
                        const struct candidates *candidates, uint32_t c,
                        const struct blame *b, double usual_trace_ns)
{
    const struct duration_pair *p = b->worst;

    if (b->calls[WINDOW] <= 0)
        return;
    double share = fmin(1, b->calls[WINDOW] / fmax(1, b->all_calls));
    double usual_ms = fmax(0, p->usual_ns / NS_PER_MS_F);
    double now_ms = (p->usual_ns + p->rise_ns) / NS_PER_MS_F;
    bool is_callee = callee(p) == c;
    uint32_t peer = is_callee ? caller(p) : callee(p);
    struct slice name = candidate_name(candidates, peer);
    struct slice takes = milliseconds_text(evidence->arena, now_ms);
    struct slice took = milliseconds_text(evidence->arena, usual_ms);
    double limit_ns = rounded_up_ns(p->limit_ns);
    struct slice limit =
        milliseconds_text(evidence->arena, limit_ns / NS_PER_MS_F);
    struct cause_evidence e = {
        .kind = EVIDENCE_NETWORK,
        .class = "network",
        .score = proportion_score(b->slow[BASELINE], b->calls[BASELINE],
                                  b->slow[WINDOW], b->calls[WINDOW]) *
                 share * share_of_wait(p->rise_ns, usual_trace_ns),
        .peer = peer,
        .numbers = {usual_ms, now_ms, 0, 0, "ms"},
        .text = arena_format(
            evidence->arena,
            "calls %s %.*s take %.*s in transit, %.*s before "
            "(%u of %u%s above %.*s)",
            is_callee ? "from" : "to", SLICE_ARGS(name), SLICE_ARGS(takes),
            SLICE_ARGS(took), count_above(p, limit_ns), p->count[WINDOW],
            durations_are_sampled(gaps) ? " sampled" : "", SLICE_ARGS(limit))};

    durations_describe(gaps, p, &e);
    evidence_add(evidence, c, &e);
}

void find_network(struct evidence_set *evidence,
                  const struct duration_sample *gaps,
                  const struct candidates *candidates,
                  const double *usual_trace_ns)
{
    uint32_t count;
    struct duration_pair *pairs =
        durations_compare(gaps, evidence->times, &count);
    struct blame *blames =
        arena_zero(evidence->arena, candidates->count, sizeof(*blames));

    if (!blames)
        return;
    blame_edges(pairs, count, blames);
    for (uint32_t c = 0; c < candidates->count; c++)
        add_network(evidence, gaps, candidates, c, &blames[c],
                    usual_trace_ns[c]);
}
