/*
 * The numbers of the evidence over time: a point a minute from the beginning of
 * the baseline to the end of the window, or as many minutes apart as keep them
 * few. They come from what was measured already, or from the derived series,
 * which are read once more for all charts that need them.
 *
 * The onset of evidence is read off its chart: more reliable than the first
 * request beyond a limit, as a few healthy requests are beyond it, too.
 */
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "evidence_durations.h"
#include "quantile.h"
#include "red_series.h"
#include "report.h"

enum { MAX_CHARTS = CAUSE_CHARTED_SUSPECTS * CAUSE_CHARTS_PER_SUSPECT };

struct chart_sample {
    uint32_t step;
    double value;
};

/* A point is the median of samples, or a part of a whole. */
struct evidence_chart {
    struct cause_evidence *evidence;
    uint32_t candidate;
    struct chart_sample *samples;
    uint32_t sample_count, sample_room;
    double *parts, *wholes; /* by step */
    bool is_counted;        /* from derived series */
};

struct chart_builder {
    struct rca_context *rca;
    uint64_t start_ns, step_ns;
    uint32_t steps;
    struct evidence_chart charts[MAX_CHARTS];
    uint32_t count;
};

static bool choose_steps(struct chart_builder *b)
{
    const struct cause_window *period = b->rca->times.period;
    uint64_t minutes;

    b->start_ns = period[BASELINE].start_ns / NS_PER_MIN * NS_PER_MIN;
    minutes =
        (period[WINDOW].end_ns - b->start_ns + NS_PER_MIN - 1) / NS_PER_MIN;
    b->step_ns =
        (minutes + CAUSE_MAX_CHART_POINTS - 1) / CAUSE_MAX_CHART_POINTS;
    b->steps = (uint32_t)((minutes + b->step_ns - 1) / b->step_ns);
    b->step_ns *= NS_PER_MIN;
    return b->steps > 0;
}

/* False: the time is not in the chart. */
static bool step_of(const struct chart_builder *b, uint64_t time_ns,
                    uint32_t *step)
{
    uint64_t at = (time_ns - b->start_ns) / b->step_ns;

    *step = (uint32_t)at;
    return time_ns >= b->start_ns && at < b->steps;
}

static void add_sample(struct chart_builder *b, struct evidence_chart *c,
                       uint64_t time_ns, double value)
{
    struct chart_sample *to;
    uint32_t step;

    if (!step_of(b, time_ns, &step))
        return;
    to = arena_append(b->rca->arena, &c->samples, c->sample_count,
                      &c->sample_room);
    if (!to)
        return;
    *to = (struct chart_sample){step, value};
    c->sample_count++;
}

static void add_part(const struct chart_builder *b, struct evidence_chart *c,
                     uint64_t time_ns, double part, double whole)
{
    uint32_t step;

    if (!step_of(b, time_ns, &step))
        return;
    c->parts[step] += part;
    c->wholes[step] += whole;
}

/* ---- from what was measured ---- */

static void add_timeseries(struct chart_builder *b, struct evidence_chart *c)
{
    const struct cause_evidence *e = c->evidence;

    for (uint32_t i = 0; i < e->timeseries->count; i++)
        add_sample(b, c, e->timeseries->at[i].time_ns,
                   e->chart_base + e->chart_scale * e->timeseries->at[i].value);
}

static void add_durations(struct chart_builder *b, struct evidence_chart *c)
{
    const struct cause_evidence *e = c->evidence;

    for (int p = 0; p < PERIODS; p++) {
        const struct durations *list = &e->durations->period[p];
        const struct rca_span *spans = b->rca->traces.period[p].spans;

        for (uint32_t i = 0; i < list->count; i++)
            if (list->at[i].key == e->duration_key)
                add_sample(b, c, spans[list->at[i].span].start_ns,
                           list->at[i].ns / NS_PER_MS_F);
    }
}

static bool is_named(const struct chart_builder *b, uint32_t term,
                     struct slice text)
{
    return slice_equal(b->rca->traces.terms.at[term].text, text);
}

/* Marks the requests in which the event is. */
static void mark_event(const struct chart_builder *b,
                       const struct cause_evidence *e,
                       const struct trace_sample *s, bool *marked)
{
    const struct cause_numbers *n = &e->numbers;
    bool is_new =
        is_larger_share(n->before, n->before_of, n->after, n->after_of);
    const struct interned_term *terms = b->rca->traces.terms.at;

    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct rca_span *span = &s->spans[i];
        bool is_error = span->failed || terms[span->name].is_error;

        if (span->request != i && is_error == is_new &&
            is_named(b, span->name, e->template))
            marked[span->request] = true;
    }
    for (uint32_t i = 0; i < s->log_count; i++)
        if (is_named(b, s->logs[i].fingerprint, e->template))
            marked[s->spans[s->logs[i].span].request] = true;
}

static void add_events(struct chart_builder *b, struct evidence_chart *c,
                       const struct trace_sample *s)
{
    bool *marked =
        arena_zero(b->rca->arena, s->span_count + 1, sizeof(*marked));

    if (!marked)
        return;
    mark_event(b, c->evidence, s, marked);
    for (uint32_t n = 0; n < s->span_count; n++) {
        const struct rca_span *span = &s->spans[n];

        if (span->request == n && span->component == c->candidate &&
            is_named(b, span->name, c->evidence->operation))
            add_part(b, c, span->start_ns, marked[n], 1);
    }
}

/* ---- from derived series ---- */

static bool is_about(const struct evidence_chart *c, const struct red_point *p,
                     const struct candidates *candidates)
{
    bool is_silence = c->evidence->kind == EVIDENCE_SILENCE;

    if (p->callee != NO_INDEX)
        return p->callee == c->candidate &&
               (is_silence || candidate_is_peer(candidates, c->candidate));
    return p->component == c->candidate &&
           (is_silence || slice_equal(p->operation, c->evidence->operation));
}

static void count_point(void *arg, const struct red_point *p)
{
    struct chart_builder *b = arg;

    for (uint32_t i = 0; i < b->count; i++) {
        struct evidence_chart *c = &b->charts[i];
        bool call = p->callee != NO_INDEX;

        if (!c->is_counted || !is_about(c, p, &b->rca->candidates))
            continue;
        if (c->evidence->kind == EVIDENCE_SILENCE) /* calls less answers */
            add_part(b, c, p->start_ns, call ? p->requests : -p->requests,
                     call ? p->requests : 0);
        else if (c->evidence->kind == EVIDENCE_ERRORS ||
                 c->evidence->kind == EVIDENCE_BEHAVIOUR)
            add_part(b, c, p->start_ns, p->errors, p->requests);
        else
            add_part(b, c, p->start_ns, p->seconds * 1000, p->requests);
    }
}

/* Calls are about a component whose callers see it, and about a peer. */
static bool needs_calls(const struct chart_builder *b,
                        const struct evidence_chart *c)
{
    return c->evidence->kind == EVIDENCE_SILENCE ||
           candidate_is_peer(&b->rca->candidates, c->candidate);
}

static enum status read_counts(struct chart_builder *b)
{
    struct candidates *candidates = &b->rca->candidates;
    const struct bitmap *resources = candidates->resources;
    struct cause_window time = {b->start_ns,
                                b->start_ns + b->steps * b->step_ns};
    bool *wanted =
        arena_zero(b->rca->arena, candidates->count + 1, sizeof(*wanted));
    bool any = false, calls = false;

    for (uint32_t i = 0; wanted && i < b->count; i++)
        if (b->charts[i].is_counted) {
            any = wanted[b->charts[i].candidate] = true;
            calls = calls || needs_calls(b, &b->charts[i]);
        }
    if (wanted && any && !calls)
        resources = candidates_resources(candidates, wanted);
    if (!wanted || !resources)
        return arena_status(b->rca->arena);
    return any ? red_series_read(b->rca->query->reader, candidates, resources,
                                 time, calls, count_point, b)
               : OK;
}

/* ---- points ---- */

static int by_step(const void *left, const void *right)
{
    const struct chart_sample *a = left, *b = right;

    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static void add_point(const struct chart_builder *b, struct cause_chart *chart,
                      uint32_t step, double value)
{
    chart->points[chart->count++] =
        (struct cause_chart_point){b->start_ns + step * b->step_ns, value};
}

static void make_points(const struct chart_builder *b, struct evidence_chart *c)
{
    struct cause_chart *chart = &c->evidence->chart;
    double scale = c->evidence->kind == EVIDENCE_LATENCY ? 1 : 100;

    chart->points =
        arena_alloc(b->rca->arena, b->steps * sizeof(*chart->points));
    if (!chart->points)
        return;
    if (c->sample_count > 0)
        qsort(c->samples, c->sample_count, sizeof(*c->samples), by_step);
    for (uint32_t i = 0; i < c->sample_count;) {
        uint32_t end = i;

        while (end < c->sample_count &&
               c->samples[end].step == c->samples[i].step)
            end++;
        add_point(b, chart, c->samples[i].step,
                  c->samples[(i + end) / 2].value);
        i = end;
    }
    for (uint32_t i = 0; c->sample_count == 0 && i < b->steps; i++)
        if (c->wholes[i] > 0)
            add_point(b, chart, i, scale * fmax(0, c->parts[i]) / c->wholes[i]);
}

/* Shares of a limit are charted in percent, other metrics as they are. */
static void set_title(struct evidence_chart *c)
{
    struct cause_evidence *e = c->evidence;

    if (e->chart.count == 0)
        return;
    e->chart.title = evidence_kinds[e->kind].chart_title;
    e->chart.unit = evidence_kinds[e->kind].chart_unit;
    if (e->is_anomaly) {
        e->chart.title = "the metric";
        e->chart.unit = e->numbers.unit;
    } else if (c->is_counted && e->kind == EVIDENCE_LATENCY) {
        e->chart.title = "duration of calls, mean";
    }
}

/* ---- onset ---- */

/* Of the values of one time, or NAN. */
static double median_of(const struct cause_chart *chart,
                        struct cause_window time)
{
    double values[CAUSE_MAX_CHART_POINTS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < chart->count; i++)
        if (chart->points[i].time_ns >= time.start_ns &&
            chart->points[i].time_ns < time.end_ns)
            values[n++] = chart->points[i].value;
    values_sort(values, n);
    return n > 0 ? values[n / 2] : (double)NAN;
}

/* In the window, and an incident before it is not over: another one. */
static bool is_before_incident(const struct rca_times *times, uint64_t time_ns)
{
    return !rca_judges_all(times) &&
           times->over_ns > times->period[WINDOW].start_ns &&
           time_ns <= times->over_ns;
}

/* The largest distance from what was usual, in the window. */
static double largest_change(const struct cause_chart *chart,
                             struct cause_window window, double usual)
{
    double most = 0;

    for (uint32_t i = 0; i < chart->count; i++)
        if (chart->points[i].time_ns >= window.start_ns)
            most = fmax(most, fabs(chart->points[i].value - usual));
    return most;
}

/* How it ends is judged by the last part of the window, which may begin long
 * before the fault; by all that is judged, if too few came last to show the
 * change. */
static double end_of(const struct rca_times *times,
                     const struct cause_chart *chart, double usual)
{
    uint64_t end_ns = times->period[WINDOW].end_ns;
    struct cause_window last = {rca_last_part(times), end_ns};
    struct cause_window judged = {times->from_ns, end_ns};
    double now = median_of(chart, last);

    if (isnan(now) ||
        4 * fabs(now - usual) < largest_change(chart, judged, usual))
        now = median_of(chart, judged);
    return now;
}

/* From the first point on that is nearer to how it ends than to how it was,
 * and stays so for the next as well. */
static void set_evidence_onset(const struct rca_times *times,
                               struct cause_evidence *e, uint64_t step_ns)
{
    const struct cause_window *period = times->period;
    double usual = median_of(&e->chart, period[BASELINE]);
    double now = end_of(times, &e->chart, usual), halfway = (usual + now) / 2;

    if (isnan(usual) || isnan(now))
        return;
    for (uint32_t i = 0; i < e->chart.count; i++) {
        const struct cause_chart_point *p = &e->chart.points[i];
        bool more = i + 1 < e->chart.count;

        if (p->time_ns + step_ns <= period[BASELINE].end_ns ||
            is_before_incident(times, p->time_ns + step_ns) ||
            p->time_ns >= period[WINDOW].end_ns ||
            (p->value > halfway) != (now > usual) ||
            (more && (p[1].value > halfway) != (now > usual)))
            continue;
        /* The onset of the finder is more exact if it is in that minute. */
        if (e->onset_ns < p->time_ns || e->onset_ns >= p->time_ns + step_ns)
            e->onset_ns = p->time_ns;
        return;
    }
}

/* The earliest onset of its symptoms. */
static void set_suspect_onset(struct cause_suspect *s)
{
    uint64_t first = 0;

    for (uint32_t i = 0; i < s->evidence_count; i++) {
        const struct cause_evidence *e = &s->evidence[i];

        if (e->onset_ns && evidence_is_symptom(e) &&
            (first == 0 || e->onset_ns < first))
            first = e->onset_ns;
    }
    if (first)
        s->onset_ns = first;
}

/* ---- all of it ---- */

static bool add_chart(struct chart_builder *b, struct cause_evidence *e,
                      uint32_t candidate)
{
    struct arena *arena = b->rca->arena;
    struct evidence_chart *c = &b->charts[b->count];
    bool is_event = e->kind == EVIDENCE_BEHAVIOUR && e->template.len > 0;

    if (!evidence_kinds[e->kind].chart_title)
        return true;
    *c = (struct evidence_chart){
        .evidence = e,
        .candidate = candidate,
        .parts = arena_zero(arena, b->steps, sizeof(*c->parts)),
        .wholes = arena_zero(arena, b->steps, sizeof(*c->wholes))};
    if (!c->parts || !c->wholes)
        return false;
    b->count++;
    if (e->timeseries)
        add_timeseries(b, c);
    else if (e->durations)
        add_durations(b, c);
    else if (!is_event)
        c->is_counted = true;
    for (int p = 0; is_event && p < PERIODS; p++)
        add_events(b, c, &b->rca->traces.period[p]);
    return true;
}

enum status report_charts(struct rca_context *rca, struct cause_report *report)
{
    struct chart_builder *b = arena_zero(rca->arena, 1, sizeof(*b));
    uint32_t suspects = report->suspect_count < CAUSE_CHARTED_SUSPECTS
                            ? report->suspect_count
                            : CAUSE_CHARTED_SUSPECTS;
    enum status s;

    if (!b)
        return arena_status(rca->arena);
    b->rca = rca;
    if (!choose_steps(b))
        return OK;
    for (uint32_t i = 0; i < suspects; i++) {
        const struct cause_suspect *suspect = &report->suspects[i];

        for (uint32_t k = 0;
             k < suspect->evidence_count && k < CAUSE_CHARTS_PER_SUSPECT; k++)
            if (!add_chart(b, &suspect->evidence[k], suspect->component))
                return arena_status(rca->arena);
    }
    s = read_counts(b);
    for (uint32_t i = 0; i < b->count && s == OK; i++) {
        make_points(b, &b->charts[i]);
        set_evidence_onset(&rca->times, b->charts[i].evidence, b->step_ns);
        set_title(&b->charts[i]);
    }
    for (uint32_t i = 0; i < suspects; i++)
        set_suspect_onset(&report->suspects[i]);
    return s == OK ? arena_status(rca->arena) : s;
}
