/*
 * The numbers behind the evidence, to be drawn: a point a minute from the
 * beginning of the baseline to the end of the window, or as many minutes apart
 * as keep them few. What the finders judged is measured again, minute by
 * minute: in the sample, in the gauges, or in the derived series, which are
 * read once more for all that need them.
 */
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "derived.h"
#include "rca_context.h"

enum { PICTURES = CAUSE_CHARTED_SUSPECTS * CAUSE_CHARTS_PER_SUSPECT };
static const double MS = 1e6;

struct chart_sample {
    uint32_t step;
    double value;
};

struct evidence_chart {
    struct cause_evidence *evidence;
    uint32_t component;
    struct chart_sample *seen; /* medians of these, or else */
    uint32_t seen_count, seen_room;
    double *parts, *wholes; /* part of a whole, by step */
    bool counted;           /* from derived series */
};

struct chart_builder {
    struct rca_context *facts;
    uint64_t start_ns, step_ns;
    uint32_t steps;
    struct evidence_chart pictures[PICTURES];
    uint32_t count;
};

static bool choose_steps(struct chart_builder *d)
{
    const struct cause_window *w = d->facts->times;
    uint64_t minutes;

    d->start_ns = w[BEFORE].start_ns / NS_PER_MIN * NS_PER_MIN;
    minutes = (w[DURING].end_ns - d->start_ns + NS_PER_MIN - 1) / NS_PER_MIN;
    d->step_ns =
        (minutes + CAUSE_MAX_CHART_POINTS - 1) / CAUSE_MAX_CHART_POINTS;
    d->steps = (uint32_t)((minutes + d->step_ns - 1) / d->step_ns);
    d->step_ns *= NS_PER_MIN;
    return d->steps > 0;
}

/* The step of a time; of one outside, none that there is. */
static uint32_t step_of(const struct chart_builder *d, uint64_t time_ns)
{
    uint64_t step = time_ns < d->start_ns
                        ? UINT32_MAX
                        : (time_ns - d->start_ns) / d->step_ns;

    return step < d->steps ? (uint32_t)step : UINT32_MAX;
}

static void see(struct chart_builder *d, struct evidence_chart *p,
                uint64_t time_ns, double value)
{
    uint32_t step = step_of(d, time_ns);
    struct chart_sample *seen;

    if (step == UINT32_MAX)
        return;
    seen = facts_append(d->facts, &p->seen, p->seen_count, &p->seen_room);
    if (!seen)
        return;
    *seen = (struct chart_sample){step, value};
    p->seen_count++;
}

static void count(struct chart_builder *d, struct evidence_chart *p,
                  uint64_t time_ns, double part, double whole)
{
    uint32_t step = step_of(d, time_ns);

    if (step == UINT32_MAX)
        return;
    p->parts[step] += part;
    p->wholes[step] += whole;
}

/* ---- from the sample ---- */

static bool is_asked(const struct rca_span *p)
{
    return p->kind == SPAN_SERVER || p->kind == SPAN_CONSUMER;
}

static bool is_named(const struct rca_context *facts, uint32_t name,
                     struct slice text)
{
    return slice_equal(facts->terms.at[name].text, text);
}

static void draw_own_time(struct chart_builder *d, struct evidence_chart *p,
                          const struct trace_sample *s)
{
    for (uint32_t n = 0; n < s->part_count; n++) {
        const struct rca_span *part = &s->parts[n];

        if (is_asked(part) && part->component == p->component &&
            is_named(d->facts, part->name, p->evidence->operation))
            see(d, p, part->start_ns, waits_own_ns(s, n) / MS);
    }
}

static void draw_gaps(struct chart_builder *d, struct evidence_chart *p,
                      const struct trace_sample *s)
{
    uint32_t peer = p->evidence->peer;

    for (uint32_t n = 0; n < s->part_count; n++) {
        const struct rca_span *part = &s->parts[n], *up;

        if (!is_asked(part) || part->up == NOBODY)
            continue;
        up = &s->parts[part->up];
        if (up->kind != SPAN_CLIENT ||
            !((part->component == p->component && up->component == peer) ||
              (part->component == peer && up->component == p->component)))
            continue;
        see(d, p, part->start_ns,
            ((double)(up->end_ns - up->start_ns) -
             (double)(part->end_ns - part->start_ns)) /
                MS);
    }
}

/* Marks the requests in which the event is. */
static void mark_event(struct chart_builder *d, const struct evidence_chart *p,
                       const struct trace_sample *s, bool *hit)
{
    const struct cause_evidence *e = p->evidence;
    const struct cause_numbers *n = &e->numbers;
    bool is_new = n->after * n->before_of > n->before * n->after_of;
    const struct interned_term *terms = d->facts->terms.at;

    for (uint32_t i = 0; i < s->part_count; i++) {
        const struct rca_span *part = &s->parts[i];
        bool bad = part->failed || terms[part->name].bad;

        if (part->owner != i && bad == is_new &&
            is_named(d->facts, part->name, e->template))
            hit[part->owner] = true;
    }
    for (uint32_t i = 0; i < s->line_count; i++)
        if (is_named(d->facts, s->lines[i].event, e->template))
            hit[s->parts[s->lines[i].part].owner] = true;
}

static void draw_event(struct chart_builder *d, struct evidence_chart *p,
                       const struct trace_sample *s)
{
    bool *hit = arena_zero(d->facts->arena, s->part_count + 1, sizeof(*hit));

    if (!hit)
        return;
    mark_event(d, p, s, hit);
    for (uint32_t n = 0; n < s->part_count; n++) {
        const struct rca_span *part = &s->parts[n];

        if (part->owner == n && part->component == p->component &&
            is_named(d->facts, part->name, p->evidence->operation))
            count(d, p, part->start_ns, hit[n], 1);
    }
}

static void draw_sample(struct chart_builder *d, struct evidence_chart *p)
{
    for (int half = 0; half < HALVES; half++) {
        const struct trace_sample *s = &d->facts->halves[half];

        if (p->evidence->kind == EVIDENCE_BEHAVIOUR)
            draw_event(d, p, s);
        else if (p->evidence->kind == EVIDENCE_NETWORK)
            draw_gaps(d, p, s);
        else
            draw_own_time(d, p, s);
    }
}

/* ---- from metrics ---- */

static void draw_metric(struct chart_builder *d, struct evidence_chart *p)
{
    const struct cause_evidence *e = p->evidence;

    for (uint32_t i = 0; i < e->meter->count; i++)
        see(d, p, e->meter->at[i].time_ns,
            e->base + e->scale * e->meter->at[i].value);
}

/* ---- from derived series ---- */

static struct slice text_of(const struct point *point, const char *key)
{
    const struct attr *a = attrs_find(&point->attrs, slice_of(key));

    return a ? attr_text(a) : (struct slice){NULL, 0};
}

static bool is_about(struct chart_builder *d, const struct evidence_chart *p,
                     const struct point *point, bool called)
{
    const struct attr *id = attrs_find(&point->attrs, SLICE(DERIVED_PEER_ID));

    if (p->evidence->kind == EVIDENCE_SILENCE && called)
        return id && id->type == VALUE_INT &&
               facts_identity(d->facts, (uint32_t)id->i) == p->component;
    if (d->facts->component_kinds[p->component] != CANDIDATE_COMPONENT)
        return called && facts_find_peer(
                             d->facts, text_of(point, DERIVED_PEER_KIND),
                             text_of(point, DERIVED_PEER_NAME)) == p->component;
    return !called &&
           facts_component(d->facts, point->resource_id) == p->component &&
           (p->evidence->kind == EVIDENCE_SILENCE ||
            slice_equal(text_of(point, DERIVED_OPERATION),
                        p->evidence->operation));
}

static void count_point(struct chart_builder *d, struct evidence_chart *p,
                        const struct point *point, bool called)
{
    const struct metric *m = point->metric;
    uint64_t at = point->start_ns;
    double n = m->type == METRIC_EXP_HISTOGRAM ? (double)point->histogram->count
               : point->is_int                 ? (double)point->i
                                               : point->d;
    bool errors = slice_equal(m->name, SLICE(DERIVED_ERRORS)) ||
                  slice_equal(m->name, SLICE(DERIVED_RETRACTED_ERRORS)) ||
                  slice_equal(m->name, SLICE(DERIVED_OUT_ERRORS));
    int sign = derived_sign(m->name);

    n *= sign;
    if (p->evidence->kind == EVIDENCE_SILENCE) {
        if (!errors) /* calls less answers */
            count(d, p, at, called ? n : -n, called ? n : 0);
    } else if (p->evidence->kind == EVIDENCE_ERRORS) {
        count(d, p, at, errors ? n : 0, errors ? 0 : n);
    } else if (!errors && m->type == METRIC_EXP_HISTOGRAM) {
        count(d, p, at, sign * point->histogram->sum * 1000, n);
    }
}

static void read_point(void *arg, const struct point *point)
{
    struct chart_builder *d = arg;
    bool called =
        slice_equal(point->metric->name, SLICE(DERIVED_OUT_DURATION)) ||
        slice_equal(point->metric->name, SLICE(DERIVED_OUT_ERRORS));

    for (uint32_t i = 0; i < d->count; i++)
        if (d->pictures[i].counted &&
            is_about(d, &d->pictures[i], point, called))
            count_point(d, &d->pictures[i], point, called);
}

static enum status read_counts(struct chart_builder *d)
{
    static const struct slice names[] = {
        {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
        {DERIVED_ERRORS, sizeof(DERIVED_ERRORS) - 1},
        {DERIVED_RETRACTED_DURATION, sizeof(DERIVED_RETRACTED_DURATION) - 1},
        {DERIVED_RETRACTED_ERRORS, sizeof(DERIVED_RETRACTED_ERRORS) - 1},
        {DERIVED_OUT_DURATION, sizeof(DERIVED_OUT_DURATION) - 1},
        {DERIVED_OUT_ERRORS, sizeof(DERIVED_OUT_ERRORS) - 1}};
    struct series_query query = {.start_ns = d->start_ns,
                                 .end_ns = d->start_ns + d->steps * d->step_ns,
                                 .resources = d->facts->resources,
                                 .names = names,
                                 .name_count = sizeof(names) / sizeof(*names)};
    bool any = false;

    for (uint32_t i = 0; i < d->count; i++)
        any = any || d->pictures[i].counted;
    return any ? reader_query_series(d->facts->question->reader, &query,
                                     read_point, d)
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

static void add_point(const struct chart_builder *d, struct cause_chart *series,
                      uint32_t step, double value)
{
    series->points[series->count++] =
        (struct cause_chart_point){d->start_ns + step * d->step_ns, value};
}

static void make_points(struct chart_builder *d, struct evidence_chart *p)
{
    struct cause_chart *series = &p->evidence->series;

    series->points =
        arena_alloc(d->facts->arena, d->steps * sizeof(*series->points));
    if (!series->points)
        return;
    if (p->seen_count > 0)
        qsort(p->seen, p->seen_count, sizeof(*p->seen), by_step);
    for (uint32_t i = 0; i < p->seen_count;) {
        uint32_t end = i;

        while (end < p->seen_count && p->seen[end].step == p->seen[i].step)
            end++;
        add_point(d, series, p->seen[i].step, p->seen[(i + end) / 2].value);
        i = end;
    }
    bool mean = p->evidence->kind == EVIDENCE_LATENCY;
    for (uint32_t i = 0; p->seen_count == 0 && i < d->steps; i++)
        if (p->wholes[i] > 0)
            add_point(d, series, i,
                      (mean ? 1 : 100) * fmax(0, p->parts[i]) / p->wholes[i]);
}

/* ---- all of it ---- */

static void name(struct evidence_chart *p)
{
    static const char *const shows[EVIDENCE_KINDS] = {
        [EVIDENCE_RESOURCE] = "usage, of the limit",
        [EVIDENCE_METRIC] = "usage, of the limit",
        [EVIDENCE_NETWORK] = "calls on the way, median",
        [EVIDENCE_BEHAVIOUR] = "requests in which it happens",
        [EVIDENCE_LATENCY] = "time of its own, median",
        [EVIDENCE_ERRORS] = "requests that fail",
        [EVIDENCE_SILENCE] = "calls without an answer"};
    uint8_t kind = p->evidence->kind;

    if (p->evidence->series.count == 0)
        return;
    /* Shares of a limit are drawn in percent, others as they are. */
    if (p->evidence->drift) {
        p->evidence->series.shows = "the metric";
        p->evidence->series.unit = p->evidence->numbers.unit;
        return;
    }
    p->evidence->series.shows = p->counted && kind == EVIDENCE_LATENCY
                                    ? "duration of calls, mean"
                                    : shows[kind];
    p->evidence->series.unit =
        kind == EVIDENCE_NETWORK || kind == EVIDENCE_LATENCY ? "ms" : "%";
}

static bool add_picture(struct chart_builder *d, struct cause_evidence *e,
                        uint32_t component)
{
    struct evidence_chart *p = &d->pictures[d->count];
    bool peer = d->facts->component_kinds[component] != CANDIDATE_COMPONENT;

    if (e->kind == EVIDENCE_CHANGE)
        return true;
    *p = (struct evidence_chart){.evidence = e, .component = component};
    p->counted = !e->meter && (e->kind == EVIDENCE_ERRORS ||
                               e->kind == EVIDENCE_SILENCE || peer);
    p->parts = arena_zero(d->facts->arena, d->steps, sizeof(*p->parts));
    p->wholes = arena_zero(d->facts->arena, d->steps, sizeof(*p->wholes));
    if (!p->parts || !p->wholes)
        return false;
    d->count++;
    if (e->meter)
        draw_metric(d, p);
    else if (!p->counted)
        draw_sample(d, p);
    return true;
}

enum status draw(struct rca_context *facts, struct cause_report *report)
{
    struct chart_builder *d = arena_zero(facts->arena, 1, sizeof(*d));
    enum status s;

    if (!d)
        return arena_status(facts->arena);
    d->facts = facts;
    if (!choose_steps(d))
        return OK;
    for (uint32_t i = 0;
         i < report->suspect_count && i < CAUSE_CHARTED_SUSPECTS; i++) {
        const struct cause_suspect *suspect = &report->suspects[i];

        for (uint32_t k = 0;
             k < suspect->evidence_count && k < CAUSE_CHARTS_PER_SUSPECT; k++)
            if (!add_picture(d, &suspect->evidence[k], suspect->component))
                return arena_status(facts->arena);
    }
    s = read_counts(d);
    for (uint32_t i = 0; i < d->count && s == OK; i++) {
        make_points(d, &d->pictures[i]);
        onset_find(facts, d->pictures[i].evidence, d->step_ns);
        name(&d->pictures[i]);
    }
    for (uint32_t i = 0;
         i < report->suspect_count && i < CAUSE_CHARTED_SUSPECTS; i++)
        onset_of_suspect(&report->suspects[i]);
    return s == OK ? arena_status(facts->arena) : s;
}
