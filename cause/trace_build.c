/*
 * Traces from spans in any order: sorted by trace and start, parents found by
 * an index over ids. A span belongs to a request: the nearest span above it, of
 * its own component, with which that component was called. Log records belong
 * to the request of their span.
 */
#include <stdlib.h>

#include "hash.h"
#include "trace_sample.h"

static bool same_trace(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

static int by_trace(const void *left, const void *right)
{
    const struct rca_span *a = left, *b = right;

    for (int i = 0; i < 2; i++)
        if (a->trace_id[i] != b->trace_id[i])
            return a->trace_id[i] < b->trace_id[i] ? -1 : 1;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* Keeps the traces that start in the period, and one of spans that were sent
 * twice. */
static bool group_traces(struct trace_sample *s,
                         const struct cause_window *period, struct arena *arena)
{
    uint32_t kept = 0, room = 0;

    qsort(s->spans, s->span_count, sizeof(*s->spans), by_trace);
    for (uint32_t i = 0; i < s->span_count;) {
        uint32_t end = i;
        struct rca_trace trace = {.first = kept,
                                  .start_ns = s->spans[i].start_ns};

        for (; end < s->span_count &&
               same_trace(s->spans[end].trace_id, s->spans[i].trace_id);
             end++) {
            if (end > i && s->spans[end].id == s->spans[end - 1].id)
                continue;
            if (s->spans[end].end_ns > trace.end_ns)
                trace.end_ns = s->spans[end].end_ns;
            s->spans[kept++] = s->spans[end];
        }
        i = end;
        if (trace.start_ns < period->start_ns ||
            trace.start_ns >= period->end_ns) {
            kept = trace.first;
            continue;
        }
        trace.count = kept - trace.first;
        struct rca_trace *to =
            arena_append(arena, &s->traces, s->trace_count, &room);
        if (!to)
            return false;
        *to = trace;
        s->trace_count++;
    }
    s->span_count = kept;
    return true;
}

/* ---- by trace and span id ---- */

static uint32_t hash_of(const uint64_t trace[2], uint64_t id)
{
    return map_hash(hash_mix(trace[0] ^ trace[1], id));
}

static uint32_t find_span(const struct trace_sample *s, const uint64_t trace[2],
                          uint64_t id)
{
    map_each(&s->index, hash_of(trace, id), at)
        if (s->spans[at].id == id && same_trace(s->spans[at].trace_id, trace))
            return at;
    return NO_INDEX;
}

static bool index_spans(struct trace_sample *s, struct arena *arena)
{
    s->index.arena = arena;
    if (!map_reserve(&s->index, s->span_count))
        return false;
    for (uint32_t n = 0; n < s->span_count; n++)
        if (!map_add(&s->index, hash_of(s->spans[n].trace_id, s->spans[n].id),
                     n))
            return false;
    return true;
}

/* ---- links ---- */

/* Children in order of their start, as the spans are in that order. */
static void link_parents(struct trace_sample *s)
{
    for (uint32_t t = 0; t < s->trace_count; t++)
        for (uint32_t i = s->traces[t].count; i > 0; i--) {
            uint32_t n = s->traces[t].first + i - 1;
            struct rca_span *span = &s->spans[n];
            uint32_t parent =
                span->parent_id ? find_span(s, span->trace_id, span->parent_id)
                                : NO_INDEX;

            span->trace = t;
            if (parent == n || parent == NO_INDEX)
                continue;
            span->parent = parent;
            span->next_sibling = s->spans[parent].first_child;
            s->spans[parent].first_child = n;
        }
}

/* Spans whose sender did not say their kind: one below a span of another
 * component is called, the other one calls, unless it is itself a call that is
 * served. */
static void infer_kinds(struct trace_sample *s)
{
    for (uint32_t n = 0; n < s->span_count; n++) {
        struct rca_span *span = &s->spans[n], *parent;

        if (span->kind == SPAN_UNSPECIFIED && span->parent_id == 0)
            span->kind = SPAN_SERVER;
        if (span->parent == NO_INDEX || span->kind > SPAN_INTERNAL)
            continue;
        parent = &s->spans[span->parent];
        if (parent->component == span->component)
            continue;
        span->kind = SPAN_SERVER;
        if (parent->kind <= SPAN_INTERNAL)
            parent->kind = SPAN_CLIENT;
    }
}

/* A chain of parents that never ends (ids sent twice) ends after so many. */
enum { MAX_DEPTH = 1000 };

static bool starts_request(const struct trace_sample *s,
                           const struct rca_span *span)
{
    return span_is_served(span) || span->parent == NO_INDEX ||
           s->spans[span->parent].component != span->component;
}

static void find_requests(struct trace_sample *s)
{
    for (uint32_t n = 0; n < s->span_count; n++) {
        uint32_t at = n;

        for (int depth = 0;
             depth < MAX_DEPTH && !starts_request(s, &s->spans[at]); depth++)
            at = s->spans[at].parent;
        s->spans[n].request = at;
    }
}

static int by_span(const void *left, const void *right)
{
    const struct rca_log *a = left, *b = right;

    if (a->span != b->span)
        return a->span < b->span ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (a->fingerprint > b->fingerprint) -
           (a->fingerprint < b->fingerprint);
}

static void assign_logs(struct trace_sample *s)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->log_count; i++) {
        struct rca_log *log = &s->logs[i];

        log->span = find_span(s, log->trace_id, log->span_id);
        if (log->span != NO_INDEX)
            s->logs[kept++] = *log;
    }
    s->log_count = kept;
    if (kept > 0)
        qsort(s->logs, kept, sizeof(*s->logs), by_span);
}

bool trace_build(struct trace_sample *s, const struct cause_window *period,
                 struct arena *arena)
{
    if (s->span_count == 0) {
        s->log_count = 0;
        return true;
    }
    if (!group_traces(s, period, arena) || !index_spans(s, arena))
        return false;
    link_parents(s);
    infer_kinds(s);
    find_requests(s);
    assign_logs(s);
    return true;
}
