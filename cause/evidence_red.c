/*
 * Evidence from the counts of requests, errors and durations: operations that
 * fail more often, components that are called and do not answer any more, and
 * peers (databases, queues, hosts, which send no spans) that take longer.
 */
#include <math.h>

#include "clock.h"
#include "evidence_finders.h"
#include "quantity.h"

static void add_errors(struct evidence_set *evidence, const struct red_count *c)
{
    double n1 = c->requests.baseline, k1 = fmin(c->errors.baseline, n1);
    double n2 = c->requests.window[evidence->times->attempt];
    double k2 = fmin(c->errors.window[evidence->times->attempt], n2);
    double before = n1 > 0 ? k1 / n1 : 0, now = n2 > 0 ? k2 / n2 : 0;

    if (now <= before || n1 < 1)
        return;
    double new = 1 - before / now;
    struct slice share = share_text(evidence->arena, k2, n2, "requests");
    struct slice was = share_before_text(evidence->arena, k1, n1);
    struct cause_evidence e = {
        .kind = EVIDENCE_ERRORS,
        .class = "errors",
        .score = proportion_score(k1, n1, k2, n2) *
                 new *new *fmin(1, now / FELT_SHARE),
        .operation = c->operation,
        .peer = NO_INDEX,
        .numbers = {k1, k2, n1, n2, "requests"},
        .text = arena_format(evidence->arena, "%.*s fails in %.*s, %.*s before",
                             SLICE_ARGS(c->operation), SLICE_ARGS(share),
                             SLICE_ARGS(was))};
    evidence_add(evidence, c->candidate, &e);
}

/* Calls to a peer take longer. */
static void add_durations(struct evidence_set *evidence,
                          const struct red_count *c)
{
    const struct hist *base = &c->durations->baseline;
    const struct hist *window = &c->durations->window[evidence->times->attempt];
    double n1 = base->count, n2 = window->count;

    if (n1 < 3 || n2 < 1)
        return;
    double usual_s = hist_quantile(base, 0.5);
    double now_s = hist_quantile(window, 0.5);
    double limit_s =
        fmax(hist_quantile(base, 0.95), usual_s + SLOW_MARGIN_NS / NS_PER_S);
    if (now_s < usual_s + SLOW_MARGIN_NS / NS_PER_S)
        return;
    struct slice takes = milliseconds_text(evidence->arena, now_s * 1000);
    struct slice took = milliseconds_text(evidence->arena, usual_s * 1000);
    struct cause_evidence e = {
        .kind = EVIDENCE_LATENCY,
        .class = "latency",
        .score = proportion_score(hist_count_above(base, limit_s), n1,
                                  hist_count_above(window, limit_s), n2) *
                 (1 - usual_s / now_s),
        .peer = NO_INDEX,
        .numbers = {usual_s * 1000, now_s * 1000, 0, 0, "ms"},
        .text = arena_format(evidence->arena, "calls take %.*s, %.*s before",
                             SLICE_ARGS(takes), SLICE_ARGS(took))};
    evidence_add(evidence, c->candidate, &e);
}

/* It is called, and does not answer, although it did before. Calls that go well
 * were answered: only the spans of the answers are missing. */
static void add_silence(struct evidence_set *evidence,
                        const struct red_counts *counts, uint32_t component)
{
    const struct red_amounts *called = &counts->called[component];
    const struct red_amounts *answered = &counts->answered[component];
    double n1 = called->baseline, n2 = called->window[evidence->times->attempt];
    const struct red_amounts *failed = &counts->failed_calls[component];
    double k1 = fmax(0, fmin(n1 - answered->baseline, failed->baseline));
    double k2 = fmax(0, fmin(n2 - answered->window[evidence->times->attempt],
                             failed->window[evidence->times->attempt]));

    if (n1 < 1 || n2 < 1 || !is_larger_share(k1, n1, k2, n2))
        return;
    double more = k2 / n2 - k1 / n1;
    struct slice share = share_text(evidence->arena, k2, n2, "calls");
    struct slice was = share_before_text(evidence->arena, k1, n1);
    struct cause_evidence e = {
        .kind = EVIDENCE_SILENCE,
        .class = "availability",
        .score = proportion_score(k1, n1, k2, n2) * more * more,
        .peer = NO_INDEX,
        .numbers = {k1, k2, n1, n2, "calls"},
        .text = arena_format(evidence->arena, "%.*s get no answer, %.*s before",
                             SLICE_ARGS(share), SLICE_ARGS(was))};
    evidence_add(evidence, component, &e);
}

void find_red(struct evidence_set *evidence, const struct red_counts *counts)
{
    for (uint32_t i = 0; i < counts->keys.count; i++) {
        add_errors(evidence, &counts->at[i]);
        if (counts->at[i].durations)
            add_durations(evidence, &counts->at[i]);
    }
    for (uint32_t i = 0; i < counts->component_count; i++)
        add_silence(evidence, counts, i);
}
