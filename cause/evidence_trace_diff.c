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

#include "event_sentence.h"
#include "evidence_finders.h"
#include "log_flow.h"
#include "log_shown.h"

enum { MAX_LINE = 100 /* bytes of a log line in a sentence */ };

/* Those of the judged part of the window. */
static bool select_judged(const struct trace_diff *diff,
                          const struct rca_times *times,
                          struct trace_events *out)
{
    const struct trace_events *all = &diff->period[WINDOW];
    const struct rca_trace *traces = diff->traces->period[WINDOW].traces;

    *out = *all;
    if (rca_judges_all(times))
        return true;
    out->count = 0;
    out->at =
        arena_alloc(diff->traces->arena, (all->count + 1) * sizeof(*out->at));
    for (uint32_t i = 0; out->at && i < all->count; i++)
        if (traces[all->at[i].trace].start_ns >= times->from_ns)
            out->at[out->count++] = all->at[i];
    return out->at;
}

static int by_number(const void *left, const void *right)
{
    return trace_events_compare(left, right, 1);
}

/* What came before more than half of them, if one event did: the only one that
 * is left when each is struck out with another one. */
static bool majority_previous(const struct trace_events runs[PERIODS],
                              uint64_t *event)
{
    uint32_t left = 0, of = 0, all = runs[BASELINE].count + runs[WINDOW].count;

    for (int p = 0; p < PERIODS; p++)
        for (uint32_t i = 0; i < runs[p].count; i++) {
            if (left == 0)
                *event = runs[p].at[i].previous;
            left = runs[p].at[i].previous == *event ? left + 1 : left - 1;
        }
    for (int p = 0; left > 0 && p < PERIODS; p++)
        for (uint32_t i = 0; i < runs[p].count; i++)
            of += runs[p].at[i].previous == *event;
    return of > all / 2;
}

/* The event that mostly came before, over both periods. */
static uint64_t usual_previous(struct arena *arena,
                               const struct trace_events runs[PERIODS])
{
    uint32_t n = 0, all = runs[BASELINE].count + runs[WINDOW].count, most = 0;
    uint64_t best = EVENT_START, *list;

    if (majority_previous(runs, &best))
        return best;
    best = EVENT_START;
    list = arena_alloc(arena, (all + 1) * 8);
    if (!list)
        return EVENT_START;
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

static uint32_t count_heard(const struct trace_events *list)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < list->count; i++)
        n += !list->at[i].silent;
    return n;
}

/* ---- one operation ---- */

struct operation_diff {
    const struct trace_samples *traces;
    struct arena *arena;
    const struct log_flow *flow;
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
    double heard[PERIODS]; /* of the n, those of which log records arrive */
    double flow;           /* the part of log records that still arrives */
};

/* A call is shown by its name, a log record by its text. */
static struct slice shown(const struct operation_diff *d, uint64_t event)
{
    const struct interned_term *term = &d->traces->terms.at[event >> 1];

    if (term->line.len == 0)
        return term->text;
    struct slice line = text_cut(d->arena, term->line, MAX_LINE);
    return arena_format(d->arena, "\"%.*s\"", SLICE_ARGS(line));
}

/* Is a call that no longer succeeds made at all? */
static bool is_still_made(const struct operation_diff *d,
                          const struct trace_event *event)
{
    return trace_events_find(&d->period[WINDOW], event->event | 1).count > 0;
}

static struct slice describe(const struct operation_diff *d,
                             const struct trace_event *event,
                             const struct event_diff *diff)
{
    const struct trace_sample *samples = d->traces->period;
    struct event_words words = {
        .what = shown(d, event->event),
        .after = diff->previous != EVENT_START ? shown(d, diff->previous)
                                               : SLICE(""),
        .is_call = event->call,
        .is_error = event->event & 1,
        .still_made = is_still_made(d, event),
        .is_sample = samples[WINDOW].is_part || samples[BASELINE].is_part,
        .before = diff->k[BASELINE],
        .before_of = diff->n[BASELINE],
        .now = diff->k[WINDOW],
        .now_of = diff->n[WINDOW]};

    return event_sentence(d->arena, &words);
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
    const double *k = diff->k;
    /* Records that do not arrive are no evidence that they are not written. */
    double n[PERIODS] = {diff->heard[BASELINE],
                         fmax(k[WINDOW], fmin(diff->heard[WINDOW],
                                              diff->flow * diff->n[WINDOW]))};

    /* Of fewer than three nothing is usual. */
    if (n[BASELINE] < 3 || !(n[WINDOW] > 0))
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

    if (event->event == EVENT_START)
        return;
    diff->previous = usual_previous(d->arena, diff->runs);
    for (int p = 0; p < PERIODS; p++) {
        diff->before[p] = trace_events_find(&d->period[p], diff->previous);
        diff->n[p] = diff->before[p].count;
        diff->k[p] = count_both(&diff->before[p], &diff->runs[p]);
        diff->heard[p] = event->call || is_new
                             ? diff->n[p]
                             : fmax(diff->k[p], count_heard(&diff->before[p]));
    }
    diff->flow = event->call || is_new ? 1 : log_flow_of(d->flow, event);
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
                    diff->n[WINDOW], "traces"}};
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
        arena_format(d->arena, "%.*s: %.*s%s%.*s", SLICE_ARGS(name),
                     SLICE_ARGS(one), other.len ? "; " : "", SLICE_ARGS(other));
    evidence_add(evidence, (uint32_t)(operation >> 32), &both);
}

static void compare_operation(struct operation_diff *d)
{
    const struct trace_events *base = &d->period[BASELINE];
    const struct trace_events *window = &d->period[WINDOW];
    uint32_t i = 0, k = 0;

    while (i < base->count || k < window->count) {
        struct event_diff diff = {.previous = EVENT_START};
        uint64_t a = i < base->count ? base->at[i].event : UINT64_MAX;
        uint64_t b = k < window->count ? window->at[k].event : UINT64_MAX;

        if (a <= b)
            diff.runs[BASELINE] = trace_events_at(base, i);
        if (b <= a)
            diff.runs[WINDOW] = trace_events_at(window, k);
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
    const struct log_flow *flow =
        log_flow_measure(base, &window, evidence->arena);
    if (!flow)
        return;
    while (i < base->count && k < window.count) {
        struct operation_diff d = {
            .traces = diff->traces, .arena = evidence->arena, .flow = flow};
        uint64_t a = base->at[i].operation, b = window.at[k].operation;

        if (a <= b)
            d.period[BASELINE] = trace_events_operation(base, i);
        if (b <= a)
            d.period[WINDOW] = trace_events_operation(&window, k);
        i += d.period[BASELINE].count;
        k += d.period[WINDOW].count;
        if (a != b)
            continue;
        for (int p = 0; p < PERIODS; p++)
            /* Each request has its start, so this counts traces. */
            d.share[p] =
                trace_events_find(&d.period[p], EVENT_START).count / all[p];
        compare_operation(&d);
        add_evidence(evidence, &d, a);
    }
}
