/*
 *   rca_context ──► evidence_X, for each attempt ──► rank ──► report_X
 */
#include "cause.h"

#include "call_waits.h"
#include "evidence_durations.h"
#include "excess.h"
#include "report.h"

enum {
    /* Memory for one span of the sample with all that is made of it; measured
     * on the shop: 700 to 830. */
    SPAN_BYTES = 800,
    MAX_SHRINKS = 5,
    /* Left for what the caller makes of the report: as much as one that is
     * kept may have. */
    ANSWER_BYTES = 64 << 10,
};
/* A shorter part of the window has to be better by what three attempts may win
 * by chance (ln 3). */
static const double ATTEMPT_SCORE = 1.1;

/* What is measured once for all attempts. */
struct measures {
    struct duration_sample *own, *gaps;
    double *usual_trace_ns; /* by candidate */
    struct trace_diff *events;
    struct own_failures *failures;
};

static bool measure(const struct rca_context *rca, struct measures *m)
{
    m->own = latency_measure(&rca->traces);
    m->gaps = network_measure(&rca->traces);
    m->usual_trace_ns =
        durations_of_traces(&rca->traces, rca->candidates.count);
    m->events = trace_diff_collect(&rca->traces);
    m->failures = failures_measure(&rca->traces);
    return m->own && m->gaps && m->usual_trace_ns && m->events && m->failures;
}

/* Metrics against their history; whose latency and failures they are. */
static bool find_metrics(struct rca_context *rca, struct evidence_set *evidence)
{
    struct arena *arena = rca->arena;
    struct flow_list *flows = arena_zero(arena, 1, sizeof(*flows));
    struct excess *excess = arena_zero(arena, 1, sizeof(*excess));
    uint32_t longest = timeseries_longest(&rca->timeseries);
    double *room = arena_alloc(arena, 2 * (longest + 1) * sizeof(*room));

    if (!flows || !excess || !room ||
        !call_waits_find(&rca->timeseries, &rca->times, rca->candidates.count,
                         arena, room) ||
        !flows_measure(flows, &rca->timeseries, &rca->candidates, &rca->graph,
                       &rca->times, arena, room) ||
        !excess_find(excess, flows, &rca->graph, arena))
        return false;
    evidence->flows = flows;
    evidence->excess = excess;
    find_metric_anomalies(evidence, &rca->timeseries, flows, &rca->red, room);
    find_traffic(evidence, &rca->timeseries, flows, room);
    return true;
}

/* Each kind of evidence, in the judged part of the window. */
static bool find_evidence(struct rca_context *rca, const struct measures *m,
                          struct evidence_set *evidence)
{
    find_limits(evidence, &rca->timeseries);
    find_network(evidence, m->gaps, &rca->candidates, m->usual_trace_ns);
    find_latency(evidence, m->own, m->usual_trace_ns);
    find_trace_diff(evidence, m->events);
    find_failures(evidence, m->failures, &rca->red);
    find_red(evidence, &rca->red);
    if (!find_metrics(rca, evidence))
        return false;
    find_replaced_pods(evidence, &rca->timeseries);
    find_changes(evidence, &rca->changes, &rca->graph, &rca->red,
                 &rca->timeseries, rca->candidates.count);
    return true;
}

static enum status judge(struct rca_context *rca, const struct measures *m,
                         uint32_t attempt, struct evidence_set *evidence,
                         struct cause_report *report)
{
    rca_times_judge(&rca->times, attempt);
    *evidence = (struct evidence_set){
        .arena = rca->arena,
        .times = &rca->times,
        .of = arena_zero(rca->arena, rca->candidates.count + 1,
                         sizeof(*evidence->of))};
    if (!evidence->of)
        return arena_status(rca->arena);
    if (!find_evidence(rca, m, evidence))
        return arena_status(rca->arena);
    return arena_status(rca->arena) == OK &&
                   rank_suspects(rca, evidence, report)
               ? OK
               : arena_status(rca->arena);
}

static double first_score(const struct cause_report *report)
{
    return report->suspect_count > 0 ? report->suspects[0].score : 0;
}

/* Of the parts from the one of `first` on that with the strongest first
 * suspect; the whole window only if none stands out in them. */
static enum status judge_best(struct rca_context *rca,
                              struct evidence_set *best,
                              struct cause_report *report)
{
    struct measures measures;
    uint32_t first = rca_first_attempt(&rca->times), chosen = first;
    enum status s;

    if (!measure(rca, &measures))
        return arena_status(rca->arena);
    s = judge(rca, &measures, first, best, report);
    for (uint32_t i = first + 1; i < rca->times.attempt_count && s == OK; i++) {
        struct cause_report other = {0};
        struct evidence_set evidence;

        s = judge(rca, &measures, i, &evidence, &other);
        if (s == OK &&
            first_score(&other) > first_score(report) + ATTEMPT_SCORE) {
            *report = other;
            *best = evidence;
            chosen = i;
        }
    }
    if (s == OK)
        confidence_judge(rca, best, report);
    if (s == OK && first > 0 && !report->found) {
        *report = (struct cause_report){0};
        s = judge(rca, &measures, chosen = 0, best, report);
        if (s == OK)
            confidence_judge(rca, best, report);
    }
    rca_times_judge(&rca->times, chosen);
    report->judged_from_ns = rca->times.from_ns;
    return s;
}

static enum status write_report(struct rca_context *rca,
                                struct cause_report *report)
{
    const struct trace_sample *samples = rca->traces.period;
    struct evidence_set evidence;
    enum status s = judge_best(rca, &evidence, report);

    if (s == OK) {
        report_judged_part(rca, report);
        s = report_charts(rca, report);
    }
    if (s == OK)
        s = report_propagation(rca, &evidence, report);
    if (s == OK && report->found)
        s = report_logs(rca, report);
    if (s == OK && report->found)
        s = report_correlations(rca, report);
    if (s == OK)
        s = report_summary(rca, &evidence, report);
    if (s == OK)
        s = report_incidents(rca, report);
    if (s == OK)
        s = report_remarks(rca, report);
    report->window = rca->times.period[WINDOW];
    report->baseline = rca->times.period[BASELINE];
    report->components = rca->candidates.identities;
    report->component_kinds = rca->candidates.kinds;
    report->component_count = rca->candidates.count;
    report->traces_before = samples[BASELINE].trace_count;
    report->traces_during = samples[WINDOW].trace_count;
    for (int p = 0; p < PERIODS; p++) {
        report->spans_read += samples[p].span_count;
        report->logs_read += samples[p].log_count;
    }
    return s;
}

static enum status find_with_spans(const struct cause_query *query,
                                   uint32_t max_spans, struct arena *arena,
                                   struct cause_report **out)
{
    struct rca_context *rca = arena_zero(arena, 1, sizeof(*rca));
    struct cause_report *report = arena_zero(arena, 1, sizeof(*report));
    enum status s;

    if (!rca || !report)
        return arena_status(arena);
    s = rca_context_read(rca, query, max_spans, arena);
    if (s == OK)
        s = write_report(rca, report);
    *out = report;
    return s;
}

/* The sample that is likely to fit; smaller ones when it does not. Memory that
 * others hold (ERR_BUSY) is worth waiting for, and no reason for less. */
enum status cause_find(const struct cause_query *query, struct arena *arena,
                       struct cause_report **report)
{
    size_t fit = arena->cap / (2 * SPAN_BYTES);
    uint32_t max_spans =
        fit < CAUSE_MAX_SPANS ? (uint32_t)fit : CAUSE_MAX_SPANS;
    struct arena attempt;
    enum status s = ERR_TOO_BIG;

    for (int i = 0; i < MAX_SHRINKS && s == ERR_TOO_BIG; i++, max_spans /= 2) {
        arena_begin(&attempt, arena);
        attempt.cap -= attempt.cap / 8 < ANSWER_BYTES ? attempt.cap / 8
                                                      : (size_t)ANSWER_BYTES;
        s = find_with_spans(query, max_spans, &attempt, report);
        if (s == OK)
            arena_adopt(arena, &attempt);
        else
            arena_release(&attempt);
    }
    return s;
}
