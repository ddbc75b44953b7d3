/*
 * Where a trace failed: the first failed span below which nothing failed. The
 * spans of each trace have to be read, so that only some are looked into.
 */
#include "clock.h"
#include "find_traces.h"

enum { FAILURES = 100, SPANS = 2000 };

/* Of all that are looked into. */
#define FAILURES_NS NS_PER_S

struct failed_spans {
    const struct span *spans;
    uint32_t count;
    struct map ids;
    bool *below; /* one below it has failed */
};

static uint32_t id_hash(const uint8_t id[8])
{
    return map_hash(hash_bytes(id, 8, 0));
}

static uint32_t parent_of(const struct failed_spans *f, uint32_t at)
{
    const uint8_t *id = f->spans[at].parent_span_id;

    map_each(&f->ids, id_hash(id), k)
        if (memcmp(f->spans[k].span_id, id, 8) == 0)
            return k;
    return f->count;
}

/* The first to end; count: there is none. */
static uint32_t origin_of(struct failed_spans *f)
{
    uint32_t origin = f->count;

    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t at = span_failed(&f->spans[i]) ? parent_of(f, i) : f->count;

        while (at < f->count && !f->below[at]) {
            f->below[at] = true;
            at = parent_of(f, at);
        }
    }
    for (uint32_t i = 0; i < f->count; i++)
        if (span_failed(&f->spans[i]) && !f->below[i] &&
            (origin == f->count ||
             f->spans[i].end_ns < f->spans[origin].end_ns))
            origin = i;
    return origin;
}

static enum status look_into(struct found_traces *found,
                             struct found_trace *trace, struct arena *work)
{
    struct query_request *request = found->request;
    struct arena *arena = request->arena;
    const struct span_query query = {.trace_id = trace->summary.trace_id,
                                     .visible = found->query.visible,
                                     .ascending = true,
                                     .limit = SPANS};
    struct failed_spans f = {.ids.arena = work};
    struct span *spans;
    uint64_t total;
    enum status s = reader_query_spans(request->reader, &query, work, &spans,
                                       &f.count, &total);

    if (s != OK)
        return s;
    f.spans = spans;
    f.below = arena_zero(work, f.count, sizeof(*f.below));
    for (uint32_t i = 0; f.below && i < f.count; i++)
        if (!map_add(&f.ids, id_hash(spans[i].span_id), i))
            return arena_status(work);
    if (!f.below)
        return arena_status(work);
    uint32_t at = origin_of(&f);
    if (at == f.count)
        return OK;
    trace->failing = reply_resource_identity(request, spans[at].resource_id);
    trace->failing_name = arena_copy(arena, spans[at].name);
    trace->failing_message = arena_copy(arena, spans[at].status_message);
    memcpy(trace->failing_id, spans[at].span_id, sizeof(trace->failing_id));
    return arena_status(arena);
}

enum status find_trace_failures(struct found_traces *found,
                                struct found_trace *traces, uint32_t count)
{
    uint64_t until = clock_monotonic_ns() + FAILURES_NS;
    uint32_t looked = 0, failures = 0;
    enum status s = OK;

    for (uint32_t i = 0; i < count && s == OK; i++) {
        struct arena work;

        if (!traces[i].summary.has_errors)
            continue;
        failures++;
        if (looked == FAILURES || clock_monotonic_ns() > until)
            continue;
        arena_begin(&work, found->request->arena);
        s = look_into(found, &traces[i], &work);
        arena_release(&work);
        looked++;
    }
    if (traces == found->examined) {
        found->failures = failures;
        found->failures_examined = looked;
    }
    return s;
}

enum status find_trace_exception(struct found_traces *found,
                                 struct trace_group *group)
{
    const struct found_trace *trace = group->first;
    struct query_request *request = found->request;
    struct arena work;
    struct span span;
    enum status s;

    if (trace->failing_name.len == 0)
        return OK;
    arena_begin(&work, request->arena);
    s = reader_find_span(request->reader, trace->summary.trace_id,
                         trace->failing_id, found->query.visible, &work, &span);
    for (uint32_t i = 0; s == OK && i < span.event_count; i++)
        if (slice_equal(span.events[i].name, SLICE("exception")))
            group->exception_type =
                arena_copy(request->arena, attrs_text(&span.events[i].attrs,
                                                      SLICE("exception.type")));
    arena_release(&work);
    return s == ERR_NOT_FOUND ? OK : s;
}
