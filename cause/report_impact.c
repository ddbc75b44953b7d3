/*
 * What users see of it. Users come in at the components that no other calls; of
 * these, the operations that fail or take longer than they used to since the
 * first suspect shows something.
 */
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "evidence_durations.h"
#include "quantile.h"
#include "red_series.h"
#include "report.h"

struct impact_builder {
    struct rca_context *rca;
    bool *is_entry; /* by candidate */
    uint64_t since_ns;
    struct cause_impact *at; /* by number of the operation in rca->red */
    double *took_ns;         /* room for the spans of either period */
};

static void count_point(void *arg, const struct red_point *p)
{
    struct impact_builder *b = arg;
    const struct cause_window *period = b->rca->times.period;
    bool before = p->start_ns >= period[BASELINE].start_ns &&
                  p->start_ns < period[BASELINE].end_ns;
    uint32_t n;

    if (p->component == NO_INDEX || !b->is_entry[p->component] ||
        (!before &&
         (p->start_ns < b->since_ns || p->start_ns >= period[WINDOW].end_ns)))
        return;
    n = red_count_find(&b->rca->red, p->component, p->operation);
    if (n == NO_INDEX)
        return;
    /* Below 0 where a count is taken back: the sums are not. */
    struct cause_impact *impact = &b->at[n];
    *(before ? &impact->failed_before : &impact->failed) +=
        (uint64_t)(int64_t)p->errors;
    *(before ? &impact->requests_before : &impact->requests) +=
        (uint64_t)(int64_t)p->requests;
}

/* ---- how long they take ---- */

/* Durations of an operation's requests in a period; how many. */
static uint32_t durations_of(const struct impact_builder *b,
                             enum rca_period period,
                             const struct cause_impact *impact)
{
    const struct trace_samples *traces = &b->rca->traces;
    const struct trace_sample *s = &traces->period[period];
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct rca_span *span = &s->spans[i];

        if (span->request == i && span->component == impact->component &&
            (period == BASELINE || span->start_ns >= b->since_ns) &&
            slice_equal(traces->terms.at[span->name].text, impact->operation))
            b->took_ns[n++] = (double)(span->end_ns - span->start_ns);
    }
    return n;
}

static double count_above(const double *values, uint32_t count, double limit)
{
    double above = 0;

    for (uint32_t i = 0; i < count; i++)
        above += values[i] > limit;
    return above;
}

/* Of the requests looked at a share is slow; so it is of all. */
static void judge_time(const struct impact_builder *b,
                       struct cause_impact *impact)
{
    uint32_t n1 = durations_of(b, BASELINE, impact), n2;

    if (n1 == 0)
        return;
    values_sort(b->took_ns, n1);
    double limit = b->took_ns[(uint32_t)(0.95 * (n1 - 1))] + SLOW_MARGIN_NS;
    double slow1 = count_above(b->took_ns, n1, limit);
    n2 = durations_of(b, WINDOW, impact);
    double slow2 = count_above(b->took_ns, n2, limit);
    if (!is_larger_share(slow1, n1, slow2, n2) ||
        proportion_score(slow1, n1, slow2, n2) < CONFIDENT_SCORE)
        return;
    impact->slow_limit_ns = (uint64_t)limit;
    impact->slow = (uint64_t)round(slow2 / n2 * (double)impact->requests);
}

static bool is_failing(const struct cause_impact *i)
{
    double k1 = (double)i->failed_before, n1 = (double)i->requests_before;
    double k2 = (double)i->failed, n2 = (double)i->requests;

    return is_larger_share(k1, n1, k2, n2) &&
           proportion_score(k1, n1, k2, n2) >= CONFIDENT_SCORE;
}

static int worst_first(const void *left, const void *right)
{
    const struct cause_impact *a = left, *b = right;
    uint64_t x = a->failed + a->slow, y = b->failed + b->slow;

    if (x != y)
        return x > y ? -1 : 1;
    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    return slice_compare(a->operation, b->operation);
}

static void judge_operations(struct impact_builder *b,
                             struct cause_report *report)
{
    const struct red_counts *red = &b->rca->red;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < red->keys.count; i++) {
        struct cause_impact *impact = &b->at[i];

        if (impact->requests == 0 && impact->requests_before == 0)
            continue;
        impact->component = red->at[i].candidate;
        impact->operation = red->at[i].operation;
        judge_time(b, impact);
        if (is_failing(impact) || impact->slow_limit_ns > 0)
            b->at[kept++] = *impact;
    }
    if (kept == 0)
        return;
    qsort(b->at, kept, sizeof(*b->at), worst_first);
    report->impact_count = kept < CAUSE_MAX_IMPACT ? kept : CAUSE_MAX_IMPACT;
    memcpy(report->impacts, b->at, report->impact_count * sizeof(*b->at));
}

enum status report_impact(struct rca_context *rca, struct cause_report *report,
                          const uint32_t *candidates, uint32_t count)
{
    struct arena *arena = rca->arena;
    const struct cause_window *period = rca->times.period;
    const struct trace_sample *samples = rca->traces.period;
    uint32_t spans = samples[BASELINE].span_count + samples[WINDOW].span_count;
    uint64_t onset = report->suspects[0].onset_ns / NS_PER_MIN * NS_PER_MIN;
    struct impact_builder b = {
        .rca = rca,
        .at = arena_zero(arena, rca->red.keys.count + 1, sizeof(*b.at)),
        .is_entry = arena_zero(arena, rca->candidates.count, sizeof(bool)),
        .took_ns = arena_alloc(arena, (1 + spans) * sizeof(double)),
        .since_ns = period[WINDOW].start_ns};
    struct cause_window time = {period[BASELINE].start_ns,
                                period[WINDOW].end_ns + NS_PER_MIN};

    if (!b.at || !b.is_entry || !b.took_ns)
        return arena_status(arena);
    if (onset > b.since_ns && onset < period[WINDOW].end_ns)
        b.since_ns = onset;
    for (uint32_t i = 0; i < count; i++)
        b.is_entry[candidates[i]] =
            call_graph_is_entry(&rca->graph, &rca->candidates, candidates[i]);
    enum status s = red_series_read(rca->query->reader, &rca->candidates, time,
                                    false, count_point, &b);
    if (s != OK)
        return s;
    judge_operations(&b, report);
    return arena_status(arena);
}
