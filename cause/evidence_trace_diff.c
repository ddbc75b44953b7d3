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
static const uint64_t START = (uint64_t)(NO_INDEX - 1) << 1;

struct trace_event {
    uint64_t operation;       /* component and name */
    uint64_t event, previous; /* 2 * term, + 1 for an error */
    uint64_t time_ns;
    uint32_t trace, request;
    bool call; /* a span, not a log record */
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

static void add_event(struct trace_events *list, const struct trace_sample *s,
                      const struct rca_span *span, struct trace_event event)
{
    const struct rca_span *request = &s->spans[span->request];

    if (request->component == NO_INDEX)
        return;
    event.operation = (uint64_t)request->component << 32 | request->name;
    event.trace = span->trace;
    event.request = span->request;
    list->at[list->count++] = event;
}

static bool collect(const struct trace_samples *traces,
                    const struct trace_sample *s, struct trace_events *list)
{
    size_t all = (size_t)s->span_count + s->log_count + 1;

    list->at = arena_alloc(traces->arena, all * sizeof(*list->at));
    if (!list->at)
        return false;
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct rca_span *span = &s->spans[i];
        const struct interned_term *name = &traces->terms.at[span->name];
        uint64_t error = span->failed || name->is_error;
        struct trace_event event = {.event = (uint64_t)span->name << 1 | error,
                                    .time_ns = span->start_ns,
                                    .call = true};

        if (span->request == i)
            event = (struct trace_event){.event = START, .call = true};
        /* Names that are too many to be told apart are no event. */
        if (event.event == START ||
            !slice_equal(name->text, SLICE(DERIVED_OTHER)))
            add_event(list, s, span, event);
    }
    for (uint32_t i = 0; i < s->log_count; i++) {
        const struct rca_log *log = &s->logs[i];
        uint64_t error = log->level >= LEVEL_ERROR;

        if (log->level != LEVEL_WARN)
            add_event(list, s, &s->spans[log->span],
                      (struct trace_event){
                          .event = (uint64_t)log->fingerprint << 1 | error,
                          .time_ns = log->time_ns});
    }
    return true;
}

static int compare_keys(const uint64_t *a, const uint64_t *b, int count)
{
    for (int i = 0; i < count; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

/* In order of time, calls before log records. */
static int by_request(const void *left, const void *right)
{
    const struct trace_event *a = left, *b = right;
    const uint64_t x[] = {a->request, a->time_ns, a->event != START, !a->call,
                          a->event >> 1};
    const uint64_t y[] = {b->request, b->time_ns, b->event != START, !b->call,
                          b->event >> 1};

    return compare_keys(x, y, 5);
}

static int by_event(const void *left, const void *right)
{
    const struct trace_event *a = left, *b = right;
    const uint64_t x[] = {a->operation, a->event, a->trace, a->time_ns,
                          a->request};
    const uint64_t y[] = {b->operation, b->event, b->trace, b->time_ns,
                          b->request};

    return compare_keys(x, y, 5);
}

static bool same_event(const struct trace_event *a, const struct trace_event *b)
{
    return a->operation == b->operation && a->event == b->event;
}

static void arrange(struct trace_events *list)
{
    uint64_t previous = START;
    uint32_t kept = 0;

    if (list->count == 0)
        return;
    qsort(list->at, list->count, sizeof(*list->at), by_request);
    for (uint32_t i = 0; i < list->count; i++) {
        struct trace_event *e = &list->at[i];

        if (i == 0 || e->request != e[-1].request)
            previous = START;
        e->previous = previous;
        if (!(e->event & 1))
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

/* ---- parts of a list ---- */

static struct trace_events operation_at(const struct trace_events *list,
                                        uint32_t i)
{
    struct trace_events run = {&list->at[i], 0};

    while (i + run.count < list->count &&
           run.at[run.count].operation == run.at->operation)
        run.count++;
    return run;
}

static struct trace_events event_at(const struct trace_events *list, uint32_t i)
{
    struct trace_events run = {&list->at[i], 0};

    while (i + run.count < list->count &&
           same_event(&run.at[run.count], run.at))
        run.count++;
    return run;
}

/* Of a list of one operation. */
static struct trace_events find_event(const struct trace_events *list,
                                      uint64_t event)
{
    uint32_t low = 0, high = list->count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (list->at[mid].event < event)
            low = mid + 1;
        else
            high = mid;
    }
    return low < list->count && list->at[low].event == event
               ? event_at(list, low)
               : (struct trace_events){NULL, 0};
}

static int by_number(const void *left, const void *right)
{
    return compare_keys(left, right, 1);
}

/* The event that mostly came before, over both periods. */
static uint64_t usual_previous(struct arena *arena,
                               const struct trace_events runs[PERIODS])
{
    uint32_t n = 0, all = runs[BASELINE].count + runs[WINDOW].count, most = 0;
    uint64_t best = START, *list = arena_alloc(arena, (all + 1) * 8);

    if (!list)
        return START;
    for (int p = 0; p < PERIODS; p++)
        for (uint32_t i = 0; i < runs[p].count; i++)
            list[n++] = runs[p].at[i].previous;
    qsort(list, n, sizeof(*list), by_number);
    for (uint32_t i = 0, first = 0; i < n; i++) {
        if (list[i] != list[first])
            first = i;
        if (i + 1 - first > most) {
            most = i + 1 - first;
            best = list[i];
        }
    }
    return best;
}

/* In how many traces both happen. */
static uint32_t count_both(const struct trace_events *a,
                           const struct trace_events *b)
{
    uint32_t i = 0, k = 0, n = 0;

    while (i < a->count && k < b->count) {
        uint32_t x = a->at[i].trace, y = b->at[k].trace;

        n += x == y;
        i += x <= y;
        k += y <= x;
    }
    return n;
}

/* ---- one operation ---- */

struct operation_diff {
    const struct trace_samples *traces;
    struct arena *arena;
    struct trace_events period[PERIODS]; /* its events */
    double share[PERIODS]; /* traces that have a request of it, of all */
    struct cause_evidence gone, new; /* the strongest of either */
};

/* An event in both periods, and how many of the traces that got as far as the
 * event that usually comes before have it: k of n. */
struct event_diff {
    struct trace_events runs[PERIODS], before[PERIODS];
    uint64_t previous;
    double k[PERIODS], n[PERIODS];
};

/* A call is shown by its name, a log record by its text. */
static struct slice shown(const struct operation_diff *d, uint64_t event)
{
    const struct interned_term *term = &d->traces->terms.at[event >> 1];

    if (term->line.len == 0)
        return term->text;
    return text_format(d->arena, "\"%.*s\"", SLICE_ARGS(term->line));
}

static struct slice describe(const struct operation_diff *d,
                             const struct trace_event *event,
                             const struct event_diff *diff)
{
    struct slice what = shown(d, event->event), after = SLICE("");
    bool is_new = event->event & 1;
    const double *k = diff->k, *n = diff->n;

    if (diff->previous != START) {
        after = shown(d, diff->previous);
        after = text_format(d->arena, " (after %.*s)", SLICE_ARGS(after));
    }
    return text_format(
        d->arena, "%s%.*s%s%.0f of %.0f requests, %.0f of %.0f before%.*s",
        event->call ? "call " : "logs ", SLICE_ARGS(what),
        is_new        ? event->call ? " fails in " : " in "
        : event->call ? " succeeds in only "
                      : " in only ",
        k[WINDOW], n[WINDOW], k[BASELINE], n[BASELINE], SLICE_ARGS(after));
}

/* Requests with a new error, or those that got as far as the event before and
 * not to the one that is gone. */
static void add_examples(const struct operation_diff *d,
                         const struct event_diff *diff, bool is_new,
                         struct cause_evidence *e)
{
    const struct rca_span *spans = d->traces->period[WINDOW].spans;
    const struct trace_events *run = &diff->runs[WINDOW];
    const struct trace_events *list = is_new ? run : &diff->before[WINDOW];

    for (uint32_t i = 0, k = 0; i < list->count; i++) {
        const struct trace_event *event = &list->at[i];
        const struct rca_span *request = &spans[event->request];

        while (k < run->count && run->at[k].trace < event->trace)
            k++;
        if (is_new || k == run->count || run->at[k].trace != event->trace)
            evidence_add_example(e, request->trace_id,
                                 is_new ? event->time_ns : request->start_ns);
    }
}

/* 0: the event is neither gone nor a new error. */
static double score_of(const struct operation_diff *d,
                       const struct event_diff *diff, bool is_error)
{
    const double *k = diff->k, *n = diff->n;

    /* Of fewer than three nothing is usual. */
    if (n[BASELINE] < 3 || n[WINDOW] == 0)
        return 0;
    double before = k[BASELINE] / n[BASELINE], now = k[WINDOW] / n[WINDOW];
    bool is_gone = now < before && !is_error;
    if (!is_gone && !(now > before && is_error))
        return 0;
    /* A fault in the code hits every request that gets there; what hits some
     * of them is more often the mix of requests. An error that was known before
     * counts less, and so does an event that followed now and then only. */
    double complete = is_gone ? 1 - now / before : now - before;
    complete *= is_gone ? complete * before : complete * (1 - before / now);
    /* Requests of this kind became rarer: those that still come are others. */
    double fewer = fmin(1, d->share[WINDOW] / d->share[BASELINE]);
    return complete * fewer *
           proportion_score(k[BASELINE], n[BASELINE], k[WINDOW], n[WINDOW]);
}

static void compare_event(struct operation_diff *d, struct event_diff *diff)
{
    const struct trace_event *event = diff->runs[BASELINE].count > 0
                                          ? diff->runs[BASELINE].at
                                          : diff->runs[WINDOW].at;
    bool is_new = event->event & 1;
    struct cause_evidence *best = is_new ? &d->new : &d->gone;

    if (event->event == START)
        return;
    diff->previous = usual_previous(d->arena, diff->runs);
    for (int p = 0; p < PERIODS; p++) {
        diff->before[p] = find_event(&d->period[p], diff->previous);
        diff->n[p] = diff->before[p].count;
        diff->k[p] = count_both(&diff->before[p], &diff->runs[p]);
    }
    double score = score_of(d, diff, is_new);
    if (score <= best->score)
        return;
    const struct interned_term *term = &d->traces->terms.at[event->event >> 1];
    *best = (struct cause_evidence){
        .kind = EVIDENCE_BEHAVIOUR,
        .class = "code",
        .score = score,
        .text = describe(d, event, diff),
        .template = term->text,
        .line = term->line,
        .peer = NO_INDEX,
        .numbers = {diff->k[BASELINE], diff->k[WINDOW], diff->n[BASELINE],
                    diff->n[WINDOW], "requests"}};
    add_examples(d, diff, is_new, best);
}

/* A new error mostly explains why the other event is gone: its text and numbers
 * come first, unless it is much weaker. */
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
        text_format(d->arena, "%.*s: %.*s%s%.*s", SLICE_ARGS(name),
                    SLICE_ARGS(one), other.len ? "; " : "", SLICE_ARGS(other));
    evidence_add(evidence, (uint32_t)(operation >> 32), &both);
}

static void compare_operation(struct operation_diff *d)
{
    const struct trace_events *base = &d->period[BASELINE];
    const struct trace_events *window = &d->period[WINDOW];
    uint32_t i = 0, k = 0;

    while (i < base->count || k < window->count) {
        struct event_diff diff = {.previous = START};
        uint64_t a = i < base->count ? base->at[i].event : UINT64_MAX;
        uint64_t b = k < window->count ? window->at[k].event : UINT64_MAX;

        if (a <= b)
            diff.runs[BASELINE] = event_at(base, i);
        if (b <= a)
            diff.runs[WINDOW] = event_at(window, k);
        i += diff.runs[BASELINE].count;
        k += diff.runs[WINDOW].count;
        compare_event(d, &diff);
    }
}

static uint32_t count_judged(const struct trace_sample *s, uint64_t from_ns)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->trace_count; i++)
        count += s->traces[i].start_ns >= from_ns;
    return count;
}

void find_trace_diff(struct evidence_set *evidence,
                     const struct trace_diff *diff)
{
    const struct trace_sample *samples = diff->traces->period;
    const struct trace_events *base = &diff->period[BASELINE];
    double all[PERIODS] = {
        samples[BASELINE].trace_count,
        count_judged(&samples[WINDOW], evidence->times->from_ns)};
    struct trace_events window;
    uint32_t i = 0, k = 0;

    if (!select_judged(diff, evidence->times, &window))
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
            /* Each request has its start, so this counts traces. */
            d.share[p] = find_event(&d.period[p], START).count / all[p];
        compare_operation(&d);
        add_evidence(evidence, &d, a);
    }
}
