#include "trace_events.h"

#include <stdlib.h>

#include "derived.h"
#include "evidence_finders.h"
#include "hash.h"

/* When each pod logged for the last time in a period. */
struct last_logs {
    struct interned_terms pods;
    uint64_t *time_ns; /* by number of the pod */
};

static uint64_t pod_key(const struct rca_span *span)
{
    return hash_mix(span->resource, 11);
}

static bool find_last_logs(const struct trace_sample *s, struct arena *arena,
                           struct last_logs *last)
{
    last->time_ns = arena_zero(arena, s->log_count + 1, sizeof(uint64_t));
    if (!last->time_ns || !terms_init(&last->pods, arena))
        return false;
    for (uint32_t i = 0; i < s->log_count; i++) {
        const struct rca_log *log = &s->logs[i];
        uint32_t pod =
            terms_add_key(&last->pods, pod_key(&s->spans[log->span]));

        if (pod == NO_INDEX)
            return false;
        if (log->time_ns > last->time_ns[pod])
            last->time_ns[pod] = log->time_ns;
    }
    return true;
}

/* A pod whose log records are lost and one that writes no more cannot be told
 * apart: its requests are no evidence that a statement is gone. */
static bool is_silent(const struct last_logs *last, const struct rca_span *span)
{
    uint32_t pod = terms_find(&last->pods, pod_key(span));

    return pod == NO_INDEX || span->start_ns > last->time_ns[pod];
}

static void add_event(struct trace_events *list, const struct trace_sample *s,
                      const struct last_logs *last, const struct rca_span *span,
                      struct trace_event event)
{
    const struct rca_span *request = &s->spans[span->request];

    if (request->component == NO_INDEX)
        return;
    event.operation = (uint64_t)request->component << 32 | request->name;
    event.trace = span->trace;
    event.request = span->request;
    event.silent = is_silent(last, request);
    list->at[list->count++] = event;
}

static bool collect(const struct trace_samples *traces,
                    const struct trace_sample *s, struct trace_events *list)
{
    size_t all = (size_t)s->span_count + s->log_count + 1;

    struct last_logs last;

    list->at = arena_alloc(traces->arena, all * sizeof(*list->at));
    if (!list->at || !find_last_logs(s, traces->arena, &last))
        return false;
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct rca_span *span = &s->spans[i];
        const struct interned_term *name = &traces->terms.at[span->name];
        uint64_t error = span->failed || name->is_error;
        struct trace_event event = {.event = (uint64_t)span->name << 1 | error,
                                    .time_ns = span->start_ns,
                                    .call = true};

        if (span->request == i)
            event = (struct trace_event){.event = EVENT_START, .call = true};
        /* Names that are too many to be told apart are no event. */
        if (event.event == EVENT_START ||
            !slice_equal(name->text, SLICE(DERIVED_OTHER)))
            add_event(list, s, &last, span, event);
    }
    for (uint32_t i = 0; i < s->log_count; i++) {
        const struct rca_log *log = &s->logs[i];
        uint64_t error = log->level >= LEVEL_ERROR;

        if (log->level != LEVEL_WARN)
            add_event(list, s, &last, &s->spans[log->span],
                      (struct trace_event){
                          .event = (uint64_t)log->fingerprint << 1 | error,
                          .time_ns = log->time_ns,
                          .level = log->level});
    }
    return true;
}

int trace_events_compare(const uint64_t *a, const uint64_t *b, int count)
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

    if (a->request != b->request)
        return a->request < b->request ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;

    const uint64_t x[] = {a->event != EVENT_START, !a->call, a->event >> 1};
    const uint64_t y[] = {b->event != EVENT_START, !b->call, b->event >> 1};

    return trace_events_compare(x, y, 3);
}

static int by_event(const void *left, const void *right)
{
    const struct trace_event *a = left, *b = right;

    if (a->operation != b->operation)
        return a->operation < b->operation ? -1 : 1;
    if (a->event != b->event)
        return a->event < b->event ? -1 : 1;

    const uint64_t x[] = {a->trace, a->time_ns, a->request};
    const uint64_t y[] = {b->trace, b->time_ns, b->request};

    return trace_events_compare(x, y, 3);
}

static bool same_event(const struct trace_event *a, const struct trace_event *b)
{
    return a->operation == b->operation && a->event == b->event;
}

static void arrange(struct trace_events *list)
{
    uint64_t previous = EVENT_START;
    uint32_t kept = 0;

    if (list->count == 0)
        return;
    qsort(list->at, list->count, sizeof(*list->at), by_request);
    for (uint32_t i = 0; i < list->count; i++) {
        struct trace_event *e = &list->at[i];

        if (i == 0 || e->request != e[-1].request)
            previous = EVENT_START;
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

struct trace_events trace_events_operation(const struct trace_events *list,
                                           uint32_t i)
{
    struct trace_events run = {&list->at[i], 0};

    while (i + run.count < list->count &&
           run.at[run.count].operation == run.at->operation)
        run.count++;
    return run;
}

struct trace_events trace_events_at(const struct trace_events *list, uint32_t i)
{
    struct trace_events run = {&list->at[i], 0};

    while (i + run.count < list->count &&
           same_event(&run.at[run.count], run.at))
        run.count++;
    return run;
}

struct trace_events trace_events_find(const struct trace_events *list,
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
               ? trace_events_at(list, low)
               : (struct trace_events){NULL, 0};
}
