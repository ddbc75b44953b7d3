/*
 * What users see of it. Users come in with requests that no component of the
 * scope sent: server spans without a parent that is known. Of their operations
 * those that fail or take longer than they used to since the first suspect
 * shows something. One operation may stand for many (all routes of a gateway):
 * then those of its requests are compared whose trace passes the suspect.
 */
#include "report_impact.h"

#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "evidence_durations.h"
#include "hash.h"
#include "hist.h"
#include "quantile.h"
#include "quantity.h"
#include "red_series.h"

/* Of fewer nothing is usual. */
enum { MIN_REQUESTS = 3 };

struct request_sample { /* of one operation, in one period */
    double *took_ns;
    uint32_t count, room, failed;
};

struct entry_operation {
    uint32_t candidate, name; /* name: a term */
    struct request_sample all[PERIODS], passing[PERIODS];
    struct hist durations[PERIODS]; /* of all that are counted, in seconds */
    struct cause_impact impact;
};

struct impact_builder {
    struct rca_context *rca;
    const bool *is_caller; /* by candidate: the suspect or above it */
    uint32_t suspect;      /* or NO_INDEX */
    struct cause_window period[PERIODS]; /* whole minutes */
    struct entry_operation *at;
    uint32_t count, room;
    struct interned_terms keys;
    bool *passes; /* by trace of one period */
};

/* ---- entries, from the sample ---- */

static bool is_from_outside(const struct trace_sample *s,
                            const struct rca_span *span)
{
    return span->kind == SPAN_SERVER && span->component != NO_INDEX &&
           (span->parent == NO_INDEX ||
            s->spans[span->parent].component == NO_INDEX);
}

static uint64_t operation_key(uint32_t candidate, uint32_t name)
{
    return hash_mix(candidate, (uint64_t)name + 1);
}

static struct entry_operation *operation_of(struct impact_builder *b,
                                            uint32_t candidate, uint32_t name)
{
    struct arena *arena = b->rca->arena;
    uint32_t known = b->keys.count;
    uint32_t n = terms_add_key(&b->keys, operation_key(candidate, name));
    struct entry_operation *o =
        n == NO_INDEX ? NULL : arena_append(arena, &b->at, n, &b->room);

    if (o && n == known) {
        *o = (struct entry_operation){.candidate = candidate, .name = name};
        b->count = b->keys.count;
    }
    return o;
}

static void take_request(struct impact_builder *b, struct request_sample *to,
                         const struct rca_span *span)
{
    double *took =
        arena_append(b->rca->arena, &to->took_ns, to->count, &to->room);

    if (!took)
        return;
    *took = (double)(span->end_ns - span->start_ns);
    to->failed += span->failed;
    to->count++;
}

static void mark_passing(struct impact_builder *b, const struct trace_sample *s)
{
    memset(b->passes, 0, (s->trace_count + 1) * sizeof(*b->passes));
    for (uint32_t i = 0; i < s->span_count; i++)
        if (s->spans[i].component == b->suspect && b->suspect != NO_INDEX)
            b->passes[s->spans[i].trace] = true;
}

static bool take_requests(struct impact_builder *b)
{
    struct arena *arena = b->rca->arena;

    for (int p = 0; p < PERIODS; p++) {
        const struct trace_sample *s = &b->rca->traces.period[p];
        const struct cause_window *time = &b->period[p];

        b->passes = arena_zero(arena, s->trace_count + 1, sizeof(*b->passes));
        if (!b->passes)
            return false;
        mark_passing(b, s);
        for (uint32_t i = 0; i < s->span_count; i++) {
            const struct rca_span *span = &s->spans[i];

            if (!is_from_outside(s, span) || !b->is_caller[span->component] ||
                span->start_ns < time->start_ns ||
                span->start_ns >= time->end_ns)
                continue;
            struct entry_operation *o =
                operation_of(b, span->component, span->name);
            if (!o)
                return false;
            take_request(b, &o->all[p], span);
            if (b->passes[span->trace])
                take_request(b, &o->passing[p], span);
        }
    }
    return true;
}

/* ---- exact counts, from derived series ---- */

static struct slice name_of(const struct impact_builder *b,
                            const struct entry_operation *o)
{
    return b->rca->traces.terms.at[o->name].text;
}

static void count_point(void *arg, const struct red_point *p)
{
    struct impact_builder *b = arg;
    bool before = p->start_ns < b->period[BASELINE].end_ns;
    const struct cause_window *time = &b->period[before ? BASELINE : WINDOW];

    if (p->component == NO_INDEX || !b->is_caller[p->component] ||
        p->start_ns < time->start_ns || p->start_ns >= time->end_ns)
        return;
    uint32_t name =
        terms_find(&b->rca->traces.terms, span_name_key(p->operation));
    uint32_t n = terms_find(&b->keys, operation_key(p->component, name));
    if (name == NO_INDEX || n == NO_INDEX)
        return;
    /* Below 0 where a count is taken back: the sums are not. */
    struct cause_impact *impact = &b->at[n].impact;
    if (p->durations)
        (void)hist_add(&b->at[n].durations[before ? BASELINE : WINDOW],
                       b->rca->arena, METRIC_EXP_HISTOGRAM, p->durations, 1,
                       p->requests < 0 ? -1 : 1);
    *(before ? &impact->failed_before : &impact->failed) +=
        (uint64_t)(int64_t)p->errors;
    *(before ? &impact->requests_before : &impact->requests) +=
        (uint64_t)(int64_t)p->requests;
}

/* ---- what is worse than before ---- */

static bool is_more(double k1, double n1, double k2, double n2)
{
    return n1 >= MIN_REQUESTS && n2 > 0 && is_larger_share(k1, n1, k2, n2) &&
           proportion_score(k1, n1, k2, n2) >= CONFIDENT_SCORE;
}

/* Durations of requests in both periods, in ns: of those that were looked at,
 * or of all, by the buckets of derived series. */
struct compared_durations {
    const struct request_sample *samples;
    const struct hist *buckets; /* NULL: the samples count */
};

static double count_of(const struct compared_durations *d, enum rca_period p)
{
    return d->buckets ? d->buckets[p].count : d->samples[p].count;
}

static double duration_at(const struct compared_durations *d, enum rca_period p,
                          double q)
{
    const struct request_sample *s = &d->samples[p];

    return d->buckets ? hist_quantile(&d->buckets[p], q) * NS_PER_S
                      : s->took_ns[(uint32_t)(q * (s->count - 1))];
}

static double count_above(const struct compared_durations *d, enum rca_period p,
                          double limit_ns)
{
    const struct request_sample *s = &d->samples[p];
    double above = 0;

    if (d->buckets)
        return round(hist_count_above(&d->buckets[p], limit_ns / NS_PER_S));
    for (uint32_t i = 0; i < s->count; i++)
        above += s->took_ns[i] > limit_ns;
    return above;
}

/* Are more above the limit than before? Then it counts, if it tells more than
 * the one before it. */
static double try_limit(const struct compared_durations *d, double limit_ns,
                        double least, struct cause_impact *impact)
{
    double n1 = count_of(d, BASELINE), n2 = count_of(d, WINDOW);
    double slow1 = count_above(d, BASELINE, limit_ns);
    double slow2 = count_above(d, WINDOW, limit_ns);

    if (!is_more(slow1, n1, slow2, n2) ||
        proportion_score(slow1, n1, slow2, n2) <= least)
        return least;
    impact->slow_limit_ns = (uint64_t)limit_ns;
    impact->is_slow_estimate = d->buckets != NULL;
    impact->slow_looked_at = (uint32_t)slow2;
    impact->slow_of = (uint32_t)n2;
    impact->slow_before = (uint32_t)slow1;
    impact->slow_before_of = (uint32_t)n1;
    impact->slow = (uint64_t)round(slow2 / n2 * (double)impact->requests);
    return proportion_score(slow1, n1, slow2, n2);
}

/* Slower than almost all used to be, or than halfway from what was usual to
 * what is: a few slow ones before would hide the others. */
static void judge_time(const struct compared_durations *d,
                       struct cause_impact *impact)
{
    if (count_of(d, BASELINE) < MIN_REQUESTS || count_of(d, WINDOW) < 1)
        return;
    for (int p = 0; p < PERIODS && !d->buckets; p++)
        values_sort(d->samples[p].took_ns, d->samples[p].count);
    double almost_all = duration_at(d, BASELINE, 0.95) + SLOW_MARGIN_NS;
    double usual = duration_at(d, BASELINE, 0.5);
    double halfway = (usual + duration_at(d, WINDOW, 0.5)) / 2;
    double score = try_limit(d, rounded_up_ns(almost_all), 0, impact);

    if (halfway > usual + SLOW_MARGIN_NS && halfway < almost_all)
        (void)try_limit(d, rounded_up_ns(halfway), score, impact);
}

static void judge_failures(struct cause_impact *i)
{
    i->is_failing =
        is_more((double)i->failed_before, (double)i->requests_before,
                (double)i->failed, (double)i->requests);
}

static bool is_part(const struct rca_context *rca)
{
    return rca->traces.period[BASELINE].is_part ||
           rca->traces.period[WINDOW].is_part;
}

/* By what was sampled. */
static struct cause_impact sampled_impact(const struct impact_builder *b,
                                          const struct entry_operation *o,
                                          const struct request_sample *s)
{
    return (struct cause_impact){
        .component = o->candidate,
        .operation = name_of(b, o),
        .through = NO_INDEX,
        .is_sample = is_part(b->rca),
        .requests = s[WINDOW].count,
        .failed = s[WINDOW].failed,
        .requests_before = s[BASELINE].count,
        .failed_before = s[BASELINE].failed,
    };
}

/* Those of its requests whose trace passes the suspect, if they suffer and all
 * together do not. */
static bool judge_passing(const struct impact_builder *b,
                          struct entry_operation *o)
{
    struct cause_impact part = sampled_impact(b, o, o->passing);

    part.through = b->suspect;
    judge_failures(&part);
    judge_time(&(struct compared_durations){o->passing, NULL}, &part);
    if (!part.is_failing && part.slow_limit_ns == 0)
        return false;
    o->impact = part;
    return true;
}

static bool judge_operation(const struct impact_builder *b,
                            struct entry_operation *o)
{
    struct cause_impact sampled = sampled_impact(b, o, o->all);
    const struct rca_context *rca = b->rca;

    /* Derived series count all requests, those of other components, too. */
    if (call_graph_is_entry(&rca->graph, &rca->candidates, o->candidate)) {
        sampled.is_sample = false;
        sampled.requests = o->impact.requests;
        sampled.failed = o->impact.failed;
        sampled.requests_before = o->impact.requests_before;
        sampled.failed_before = o->impact.failed_before;
    }
    o->impact = sampled;
    judge_failures(&o->impact);
    bool counted = !o->impact.is_sample && is_part(rca);
    const struct compared_durations d = {o->all, counted ? o->durations : NULL};
    judge_time(&d, &o->impact);
    return o->impact.is_failing || o->impact.slow_limit_ns > 0 ||
           judge_passing(b, o);
}

static int worst_first(const void *left, const void *right)
{
    const struct cause_impact *a = left, *b = right;
    uint64_t x = a->failed + a->slow, y = b->failed + b->slow;

    if (a->is_failing != b->is_failing)
        return a->is_failing ? -1 : 1;
    if (x != y)
        return x > y ? -1 : 1;
    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    return slice_compare(a->operation, b->operation);
}

static void judge_operations(struct impact_builder *b,
                             struct cause_report *report)
{
    struct cause_impact *found =
        arena_zero(b->rca->arena, b->count + 1, sizeof(*found));
    uint32_t kept = 0;

    for (uint32_t i = 0; found && i < b->count; i++)
        if (judge_operation(b, &b->at[i]))
            found[kept++] = b->at[i].impact;
    if (!found || kept == 0)
        return;
    qsort(found, kept, sizeof(*found), worst_first);
    report->impact_count = kept < CAUSE_MAX_IMPACT ? kept : CAUSE_MAX_IMPACT;
    report->impact_total = kept;
    memcpy(report->impacts, found, report->impact_count * sizeof(*found));
}

/* ---- all of it ---- */

/* The whole minutes of a time, which derived series count; if it has none,
 * those that it touches. */
static struct cause_window minutes_of(struct cause_window time)
{
    struct cause_window w = {(time.start_ns + NS_PER_MIN - 1) / NS_PER_MIN *
                                 NS_PER_MIN,
                             time.end_ns / NS_PER_MIN * NS_PER_MIN};

    if (w.end_ns <= w.start_ns)
        w = (struct cause_window){time.start_ns / NS_PER_MIN * NS_PER_MIN,
                                  (time.end_ns + NS_PER_MIN - 1) / NS_PER_MIN *
                                      NS_PER_MIN};
    return w;
}

/* The window from the onset on, if it is in it. */
static struct cause_window suffering_time(const struct rca_context *rca,
                                          const struct cause_report *report)
{
    struct cause_window w = rca->times.period[WINDOW];
    uint64_t onset =
        report->suspect_count > 0 && report->found
            ? report->suspects[0].onset_ns / NS_PER_MIN * NS_PER_MIN
            : 0;

    if (onset > w.start_ns && onset + NS_PER_MIN <= w.end_ns)
        w.start_ns = onset;
    return minutes_of(w);
}

/* Of the components that have operations of users. */
static struct bitmap *entry_resources(const struct impact_builder *b)
{
    struct candidates *candidates = &b->rca->candidates;
    bool *wanted =
        arena_zero(b->rca->arena, candidates->count + 1, sizeof(*wanted));

    for (uint32_t i = 0; wanted && i < b->count; i++)
        wanted[b->at[i].candidate] = true;
    return wanted ? candidates_resources(candidates, wanted) : NULL;
}

enum status report_impact(struct rca_context *rca, struct cause_report *report,
                          const bool *is_caller)
{
    struct impact_builder b = {
        .rca = rca,
        .is_caller = is_caller,
        .suspect = report->found ? report->suspects[0].component : NO_INDEX,
        .period = {minutes_of(rca->times.period[BASELINE]),
                   suffering_time(rca, report)}};
    struct cause_window time = {b.period[BASELINE].start_ns,
                                b.period[WINDOW].end_ns};

    report->impact_at = NO_INDEX;
    report->impact_from_ns = b.period[WINDOW].start_ns;
    if (!terms_init(&b.keys, rca->arena) || !take_requests(&b))
        return arena_status(rca->arena);
    if (b.count > 0) {
        struct bitmap *resources = entry_resources(&b);
        enum status s =
            resources ? red_series_read(rca->query->reader, &rca->candidates,
                                        resources, time, false, count_point, &b)
                      : arena_status(rca->arena);

        if (s != OK)
            return s;
        report->impact_known = true;
        judge_operations(&b, report);
    }
    if (report->impact_count > 0)
        report->impact_at = report->impacts[0].component;
    else
        impact_of_metrics(rca, report, is_caller);
    return arena_status(rca->arena);
}
