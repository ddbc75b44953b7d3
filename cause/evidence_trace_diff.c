/*
 * What happens inside the requests to an operation: log records and calls, each
 * with the event before it. Compared per trace, because requests of one trace
 * are not independent: a page that asks for 200 seats is one observation.
 *
 * A normal event that used to follow and is gone counts, and an error that is
 * new. Warnings, errors that are gone and new log lines without an error do not
 * count: more detail or fewer errors are no cause.
 */
#include <math.h>
#include <stdlib.h>

#include "derived.h"
#include "evidence_finders.h"

/* The start of a request, before its first event. */
static const uint32_t START = NO_INDEX - 1;

struct trace_event {
    uint64_t operation; /* component and name */
    uint32_t trace, request, event, previous;
    uint64_t time_ns;
    bool call; /* a span, not a log record */
    bool is_error;
};

/* By operation and event: each event of a trace once. */
struct trace_events {
    struct trace_event *at;
    uint32_t count;
};

struct trace_diff {
    const struct trace_samples *traces;
    struct trace_events period[PERIODS];
};

/* ---- collecting ---- */

/* Of a span; false: it is none. */
static bool event_of_span(const struct trace_samples *traces,
                          const struct trace_sample *s, uint32_t n,
                          struct trace_event *event)
{
    const struct rca_span *span = &s->spans[n];
    const struct interned_term *name = &traces->terms.at[span->name];

    event->call = true;
    event->event = START;
    if (span->request == n)
        return true;
    event->event = span->name;
    event->time_ns = span->start_ns;
    event->is_error = span->failed || name->is_error;
    /* Names that are too many to be told apart are no event. */
    return !slice_equal(name->text, SLICE(DERIVED_OTHER));
}

static bool collect(const struct trace_samples *traces,
                    const struct trace_sample *s, struct trace_events *list)
{
    uint32_t all = s->span_count + s->log_count;

    list->at = arena_alloc(traces->arena, (all + 1) * sizeof(*list->at));
    if (!list->at)
        return false;
    for (uint32_t i = 0; i < all; i++) {
        const struct rca_log *log =
            i < s->span_count ? NULL : &s->logs[i - s->span_count];
        const struct rca_span *span = &s->spans[log ? log->span : i];
        const struct rca_span *request = &s->spans[span->request];
        struct trace_event event = {
            .operation = (uint64_t)request->component << 32 | request->name,
            .trace = span->trace,
            .request = span->request};

        if (log) {
            event.event = log->fingerprint;
            event.time_ns = log->time_ns;
            event.is_error = log->level >= LEVEL_ERROR;
        }
        if (request->component != NO_INDEX &&
            (log ? log->level != LEVEL_WARN
                 : event_of_span(traces, s, i, &event)))
            list->at[list->count++] = event;
    }
    return true;
}

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_request(const void *left, const void *right)
{
    const struct trace_event *a = left, *b = right;
    int o = order(a->request, b->request);

    if (o == 0)
        o = order(a->time_ns, b->time_ns);
    if (o == 0)
        o = order(a->event != START, b->event != START);
    if (o == 0)
        o = order(b->call, a->call);
    return o ? o : order(a->event, b->event);
}

static int by_event(const void *left, const void *right)
{
    const struct trace_event *a = left, *b = right;
    int o = order(a->operation, b->operation);

    if (o == 0)
        o = order(a->event, b->event);
    if (o == 0)
        o = order(a->is_error, b->is_error);
    if (o == 0)
        o = order(a->trace, b->trace);
    if (o == 0)
        o = order(a->time_ns, b->time_ns);
    return o ? o : order(a->request, b->request);
}

static bool same_event(const struct trace_event *a, const struct trace_event *b)
{
    return a->operation == b->operation && a->event == b->event &&
           a->is_error == b->is_error;
}

static void arrange(struct trace_events *list)
{
    uint32_t previous = START, kept = 0;

    if (list->count == 0)
        return;
    qsort(list->at, list->count, sizeof(*list->at), by_request);
    for (uint32_t i = 0; i < list->count; i++) {
        struct trace_event *e = &list->at[i];

        if (i == 0 || e->request != e[-1].request)
            previous = START;
        e->previous = previous;
        if (!e->is_error)
            previous = e->event;
    }
    qsort(list->at, list->count, sizeof(*list->at), by_event);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct trace_event *e = &list->at[i];

        if (kept == 0 || !same_event(&list->at[kept - 1], e) ||
            list->at[kept - 1].trace != e->trace)
            list->at[kept++] = *e;
    }
    list->count = kept;
}

struct trace_diff *trace_diff_collect(const struct trace_samples *traces)
{
    struct trace_diff *diff = arena_zero(traces->arena, 1, sizeof(*diff));

    for (int p = 0; diff && p < PERIODS; p++) {
        diff->traces = traces;
        if (!collect(traces, &traces->period[p], &diff->period[p]))
            return NULL;
        arrange(&diff->period[p]);
    }
    return diff;
}

/* Those of the judged part of the window. */
static bool select_judged(const struct trace_diff *diff,
                          const struct rca_times *times,
                          struct trace_events *out)
{
    const struct trace_events *all = &diff->period[WINDOW];
    const struct rca_trace *traces = diff->traces->period[WINDOW].traces;

    *out = *all;
    if (times->attempt == 0)
        return true;
    out->count = 0;
    out->at =
        arena_alloc(diff->traces->arena, (all->count + 1) * sizeof(*out->at));
    for (uint32_t i = 0; out->at && i < all->count; i++)
        if (traces[all->at[i].trace].start_ns >= times->from_ns)
            out->at[out->count++] = all->at[i];
    return out->at;
}

/* ---- runs of one event ---- */

struct event_run {
    const struct trace_event *at;
    uint32_t count;
};

static struct event_run run_at(const struct trace_events *list, uint32_t i)
{
    struct event_run run = {&list->at[i], 0};

    while (i + run.count < list->count &&
           same_event(&run.at[run.count], run.at))
        run.count++;
    return run;
}

static int compare_events(const struct trace_event *a,
                          const struct trace_event *b)
{
    int o = order(a->event, b->event);

    return o ? o : order(a->is_error, b->is_error);
}

static int by_number(const void *left, const void *right)
{
    return order(*(const uint32_t *)left, *(const uint32_t *)right);
}

/* The event that mostly came before, over both periods. */
static uint32_t usual_previous(struct arena *arena,
                               const struct event_run runs[PERIODS])
{
    uint32_t n = runs[0].count + runs[1].count, most = 0, best = START;
    uint32_t *all = arena_alloc(arena, (n + 1) * sizeof(*all));

    if (!all)
        return START;
    for (uint32_t i = 0; i < n; i++)
        all[i] = i < runs[0].count ? runs[0].at[i].previous
                                   : runs[1].at[i - runs[0].count].previous;
    qsort(all, n, sizeof(*all), by_number);
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i;

        while (end < n && all[end] == all[i])
            end++;
        if (end - i > most) {
            most = end - i;
            best = all[i];
        }
        i = end;
    }
    return best;
}

/* ---- one operation ---- */

struct operation_diff {
    const struct trace_samples *traces;
    struct arena *arena;
    struct trace_events period[PERIODS]; /* its events */
    double share[PERIODS]; /* traces that have a request of it, of all */
    struct cause_evidence gone, new; /* the strongest of either */
};

/* A call is shown by its name, a log record by its text. */
static struct slice shown(const struct operation_diff *d, uint32_t event)
{
    const struct interned_term *term = &d->traces->terms.at[event];

    if (term->line.len == 0)
        return term->text;
    return text_format(d->arena, "\"%.*s\"", (int)term->line.len,
                       term->line.ptr);
}

/* The run of an event that is no error. */
static struct event_run find_run(const struct trace_events *list,
                                 uint32_t event)
{
    uint32_t low = 0, high = list->count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (list->at[mid].event < event)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == list->count || list->at[low].event != event ||
        list->at[low].is_error)
        return (struct event_run){NULL, 0};
    return run_at(list, low);
}

/* In how many traces both happen. */
static uint32_t both_in(const struct event_run *a, const struct event_run *b)
{
    uint32_t i = 0, k = 0, n = 0;

    while (i < a->count && k < b->count) {
        int o = order(a->at[i].trace, b->at[k].trace);

        n += o == 0;
        i += o <= 0;
        k += o >= 0;
    }
    return n;
}

/* How many of the traces that got as far as the event before (k of n). */
struct event_rate {
    double k[PERIODS], n[PERIODS];
};

static struct event_rate rate_after(const struct operation_diff *d,
                                    const struct event_run runs[PERIODS],
                                    uint32_t previous)
{
    struct event_rate rate;

    for (int p = 0; p < PERIODS; p++) {
        struct event_run prior = find_run(&d->period[p], previous);

        rate.n[p] = prior.count;
        rate.k[p] = both_in(&prior, &runs[p]);
    }
    return rate;
}

static struct slice describe(const struct operation_diff *d,
                             const struct trace_event *event, bool is_new,
                             uint32_t previous, const struct event_rate *rate)
{
    struct slice what = shown(d, event->event), after = SLICE("");

    if (previous != START) {
        after = shown(d, previous);
        after =
            text_format(d->arena, " (after %.*s)", (int)after.len, after.ptr);
    }
    return text_format(d->arena,
                       "%s%.*s%s%.0f of %.0f requests, %.0f of %.0f "
                       "before%.*s",
                       event->call ? "call " : "logs ", (int)what.len, what.ptr,
                       is_new        ? event->call ? " fails in " : " in "
                       : event->call ? " goes well in only "
                                     : " in only ",
                       rate->k[WINDOW], rate->n[WINDOW], rate->k[BASELINE],
                       rate->n[BASELINE], (int)after.len, after.ptr);
}

static void add_examples(const struct operation_diff *d,
                         const struct event_run *run, struct cause_evidence *e)
{
    const struct trace_sample *s = &d->traces->period[WINDOW];

    for (uint32_t i = 0; i < run->count; i++)
        evidence_add_example(e, s->spans[run->at[i].request].trace_id,
                             run->at[i].time_ns);
}

/* Requests that got as far as the event before, and not here. */
static void add_missing(const struct operation_diff *d,
                        const struct event_run *prior,
                        const struct event_run *run, struct cause_evidence *e)
{
    const struct trace_sample *s = &d->traces->period[WINDOW];

    for (uint32_t i = 0, k = 0; i < prior->count; i++) {
        const struct trace_event *event = &prior->at[i];
        const struct rca_span *request = &s->spans[event->request];

        while (k < run->count && run->at[k].trace < event->trace)
            k++;
        if (k == run->count || run->at[k].trace != event->trace)
            evidence_add_example(e, request->trace_id, request->start_ns);
    }
}

/* 0: the event is neither gone nor a new error. */
static double score_of(const struct operation_diff *d,
                       const struct event_rate *rate, bool is_error)
{
    const double *k = rate->k, *n = rate->n;

    /* Of fewer than three nothing is usual. */
    if (n[BASELINE] < 3 || n[WINDOW] == 0)
        return 0;
    double before = k[BASELINE] / n[BASELINE], now = k[WINDOW] / n[WINDOW];
    bool is_gone = now < before && !is_error;
    if (!is_gone && !(now > before && is_error))
        return 0;
    /* A fault in the code hits every request that gets there; what hits some
     * of them is more often the mix of requests. An error that was known
     * before says less, and so does what followed now and then only. */
    double complete = is_gone ? 1 - now / before : now - before;
    complete *= is_gone ? complete * before : complete * (1 - before / now);
    /* Requests of this kind became rarer: those that still come are others. */
    double fewer = fmin(1, d->share[WINDOW] / d->share[BASELINE]);
    return complete * fewer *
           proportion_score(k[BASELINE], n[BASELINE], k[WINDOW], n[WINDOW]);
}

static void compare_event(struct operation_diff *d,
                          const struct event_run runs[PERIODS])
{
    const struct trace_event *event =
        runs[BASELINE].count > 0 ? runs[BASELINE].at : runs[WINDOW].at;
    bool is_new = event->is_error;
    struct cause_evidence *best = is_new ? &d->new : &d->gone;

    if (event->event == START)
        return;
    uint32_t previous = usual_previous(d->arena, runs);
    struct event_rate rate = rate_after(d, runs, previous);
    double score = score_of(d, &rate, event->is_error);
    if (score <= best->score)
        return;
    const struct interned_term *term = &d->traces->terms.at[event->event];
    *best = (struct cause_evidence){
        .kind = EVIDENCE_BEHAVIOUR,
        .class = "code",
        .score = score,
        .text = describe(d, event, is_new, previous, &rate),
        .template = term->text,
        .line = term->line,
        .peer = NO_INDEX,
        .numbers = {rate.k[BASELINE], rate.k[WINDOW], rate.n[BASELINE],
                    rate.n[WINDOW], "requests"}};
    if (is_new) {
        add_examples(d, &runs[WINDOW], best);
    } else {
        struct event_run prior = find_run(&d->period[WINDOW], previous);

        add_missing(d, &prior, &runs[WINDOW], best);
    }
}

/* A new error mostly says why the other event is gone: it is told first, with
 * its numbers, unless it is much weaker. */
static void add_evidence(struct evidence_set *evidence,
                         const struct operation_diff *d, uint64_t operation)
{
    bool new_first = 2 * d->new.score > d->gone.score;
    const struct cause_evidence *second = new_first ? &d->gone : &d->new;
    struct cause_evidence both = new_first ? d->new : d->gone;
    struct slice name = d->traces->terms.at[(uint32_t)operation].text;
    struct slice one = both.text, other = second->text;

    both.score = fmax(d->gone.score, d->new.score);
    if (both.score <= 0)
        return;
    /* A call that fails is a call that does not go well: once is enough. */
    if (slice_equal(both.template, second->template))
        other = SLICE("");
    both.operation = name;
    if (both.line.len == 0)
        both.line = second->line;
    both.text =
        text_format(d->arena, "%.*s: %.*s%s%.*s", (int)name.len, name.ptr,
                    (int)one.len, one.ptr, other.len ? "; " : "",
                    (int)other.len, other.ptr ? other.ptr : "");
    evidence_add(evidence, (uint32_t)(operation >> 32), &both);
}

/* Each request has its start, so this counts traces. */
static uint32_t traces_of(const struct trace_events *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->at[i].event == START)
            return run_at(list, i).count;
    return 0;
}

static void compare_operation(struct operation_diff *d)
{
    const struct trace_events *b = &d->period[BASELINE],
                              *w = &d->period[WINDOW];
    uint32_t i = 0, k = 0;

    while (i < b->count || k < w->count) {
        struct event_run runs[PERIODS] = {{NULL, 0}, {NULL, 0}};
        int o = i == b->count   ? 1
                : k == w->count ? -1
                                : compare_events(&b->at[i], &w->at[k]);

        if (o <= 0)
            runs[BASELINE] = run_at(b, i);
        if (o >= 0)
            runs[WINDOW] = run_at(w, k);
        i += runs[BASELINE].count;
        k += runs[WINDOW].count;
        compare_event(d, runs);
    }
}

static struct trace_events operation_at(const struct trace_events *list,
                                        uint32_t i)
{
    struct trace_events one = {&list->at[i], 0};

    while (i + one.count < list->count &&
           one.at[one.count].operation == one.at->operation)
        one.count++;
    return one;
}

static uint32_t count_judged(const struct trace_sample *s, uint64_t from_ns)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->trace_count; i++)
        count += s->traces[i].start_ns >= from_ns;
    return count;
}

void find_trace_diff(struct evidence_set *evidence,
                     const struct rca_times *times,
                     const struct trace_diff *diff)
{
    const struct trace_sample *samples = diff->traces->period;
    const struct trace_events *base = &diff->period[BASELINE];
    double all[PERIODS] = {samples[BASELINE].trace_count,
                           count_judged(&samples[WINDOW], times->from_ns)};
    struct trace_events window;
    uint32_t i = 0, k = 0;

    if (!select_judged(diff, times, &window))
        return;
    while (i < base->count && k < window.count) {
        struct operation_diff d = {.traces = diff->traces,
                                   .arena = evidence->arena};
        uint64_t a = base->at[i].operation, b = window.at[k].operation;

        if (a <= b)
            d.period[BASELINE] = operation_at(base, i);
        if (b <= a)
            d.period[WINDOW] = operation_at(&window, k);
        i += d.period[BASELINE].count;
        k += d.period[WINDOW].count;
        if (a != b)
            continue;
        for (int p = 0; p < PERIODS; p++)
            d.share[p] = traces_of(&d.period[p]) / all[p];
        compare_operation(&d);
        add_evidence(evidence, &d, a);
    }
}
