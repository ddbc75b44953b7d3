/*
 * Requests that take longer inside the component itself: the time of their
 * span without the calls of other components.
 */
#include "evidence_durations.h"
#include "evidence_finders.h"
#include "quantity.h"

/* Sweeps over calls in order of their start; those at the same time count
 * once. */
struct call_time {
    uint64_t until_ns, ns;
};

/* A CLIENT span counts with its whole time if it has an answer, or should have
 * one, or failed: waiting for a callee that does not answer is no work. Where
 * callers send no span of their calls, the answer counts. */
static bool is_remote(const struct trace_sample *s, const struct rca_span *span,
                      uint32_t component)
{
    if ((span->kind == SPAN_CLIENT && span->failed) || span->lost_answer ||
        span->component != component)
        return true;
    for (uint32_t i = span->first_child; i != NO_INDEX;
         i = s->spans[i].next_sibling)
        if (s->spans[i].component != span->component)
            return true;
    return false;
}

/* Time in calls of other components below a span, until end_ns. */
static void add_calls(const struct trace_sample *s, uint32_t n, uint64_t end_ns,
                      int depth, struct call_time *calls)
{
    const struct rca_span *top = &s->spans[n];

    for (uint32_t i = top->first_child; i != NO_INDEX && depth < 100;
         i = s->spans[i].next_sibling) {
        const struct rca_span *child = &s->spans[i];

        if (!is_remote(s, child, top->component)) {
            add_calls(s, i, end_ns, depth + 1, calls);
            continue;
        }
        uint64_t from = child->start_ns > calls->until_ns ? child->start_ns
                                                          : calls->until_ns;
        uint64_t to = child->end_ns < end_ns ? child->end_ns : end_ns;
        if (to > from) {
            calls->ns += to - from;
            calls->until_ns = to;
        }
    }
}

static bool own_time(const struct trace_sample *s, uint32_t n, uint64_t *key,
                     double *ns)
{
    const struct rca_span *span = &s->spans[n];
    struct call_time calls = {span->start_ns, 0};
    uint64_t took = span->end_ns - span->start_ns;

    if (!span_is_served(span) || span->component == NO_INDEX)
        return false;
    add_calls(s, n, span->end_ns, 0, &calls);
    *key = duration_key(span->component, span->name);
    *ns = took > calls.ns ? (double)(took - calls.ns) : 0;
    return true;
}

struct duration_sample *latency_measure(const struct trace_samples *traces)
{
    return durations_measure(traces, own_time);
}

void find_latency(struct evidence_set *evidence,
                  const struct duration_sample *own,
                  const double *usual_trace_ns)
{
    const struct trace_samples *traces = own->traces;
    uint32_t count;
    struct duration_pair *pairs =
        durations_compare(own, evidence->times, &count);

    for (uint32_t i = 0; i < count; i++) {
        const struct duration_pair *p = &pairs[i];
        uint32_t component = (uint32_t)(p->key >> 32);
        struct slice operation = traces->terms.at[(uint32_t)p->key].text;
        double usual_ms = p->usual_ns / NS_PER_MS_F;
        double now_ms = (p->usual_ns + p->rise_ns) / NS_PER_MS_F;

        /* Of fewer than three nothing is usual. */
        if (p->count[BASELINE] < 3 || p->rise_ns < SLOW_MARGIN_NS ||
            !more_are_slow(p))
            continue;
        struct slice takes = milliseconds_text(evidence->arena, now_ms);
        struct slice took = milliseconds_text(evidence->arena, usual_ms);
        struct cause_evidence e = {
            .kind = EVIDENCE_LATENCY,
            .class = "cpu",
            .score = certain_score(
                         proportion_score(p->slow[BASELINE], p->count[BASELINE],
                                          p->slow[WINDOW], p->count[WINDOW])) *
                     share_of_wait(p->rise_ns, usual_trace_ns[component]),
            .operation = operation,
            .peer = NO_INDEX,
            .numbers = {usual_ms, now_ms, 0, 0, "ms"},
            .text = arena_format(
                evidence->arena, "%.*s takes %.*s itself, %.*s before%s",
                SLICE_ARGS(operation), SLICE_ARGS(takes), SLICE_ARGS(took),
                durations_are_sampled(own) ? " (of a sample)" : "")};

        durations_describe(own, p, &e);
        evidence_add(evidence, component, &e);
    }
}
