/*
 * Where a trace failed: the first failed span below which nothing failed. The
 * spans of each trace have to be read, so that only some are looked into, many
 * in one pass.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "find_traces.h"

enum {
    FAILURES = 100,
    TOGETHER = 50, /* traces in one pass */
    SPANS = 2000,  /* in one pass; of a trace with more the first ones */
    SPANS_SENT = 2 * SPANS /* in one pass, with those that were sent twice */
};

/* Of all that are looked into. */
#define FAILURES_NS NS_PER_S

/* What is needed of a span; texts if it failed. */
struct looked_span {
    uint64_t start_ns, end_ns;
    struct slice name, message;
    uint32_t trace; /* of the pass */
    uint32_t resource;
    uint8_t id[8], parent_id[8];
    bool failed;
    bool below; /* one below it has failed */
};

struct failing_pass {
    struct found_traces *found;
    struct found_trace *traces[TOGETHER];
    uint8_t ids[TOGETHER][16];
    uint32_t count, spans; /* as the traces' summaries say */

    struct arena work;
    struct looked_span *looked;
    uint32_t looked_count, looked_room;
    bool too_many;
};

/* ---- one trace ---- */

struct failing_trace {
    struct looked_span *at; /* by start */
    uint32_t count;
    struct map ids;
};

static uint32_t id_hash(const uint8_t id[8])
{
    return map_hash(hash_bytes(id, 8, 0));
}

static struct looked_span *parent_of(const struct failing_trace *t,
                                     const struct looked_span *span)
{
    map_each(&t->ids, id_hash(span->parent_id), k)
        if (memcmp(t->at[k].id, span->parent_id, 8) == 0)
            return &t->at[k];
    return NULL;
}

/* The first to end; NULL: there is none. */
static const struct looked_span *origin_of(struct failing_trace *t)
{
    const struct looked_span *origin = NULL;

    for (uint32_t i = 0; i < t->count; i++) {
        struct looked_span *above =
            t->at[i].failed ? parent_of(t, &t->at[i]) : NULL;

        while (above && !above->below) {
            above->below = true;
            above = parent_of(t, above);
        }
    }
    for (uint32_t i = 0; i < t->count; i++)
        if (t->at[i].failed && !t->at[i].below &&
            (!origin || t->at[i].end_ns < origin->end_ns))
            origin = &t->at[i];
    return origin;
}

static enum status judge_trace(struct failing_pass *pass,
                               struct failing_trace *part)
{
    struct query_request *request = pass->found->request;
    struct found_trace *trace = pass->traces[part->at->trace];
    const struct looked_span *origin;

    part->ids.arena = &pass->work;
    for (uint32_t i = 0; i < part->count; i++)
        if (!map_add(&part->ids, id_hash(part->at[i].id), i))
            return arena_status(&pass->work);
    origin = origin_of(part);
    if (!origin)
        return OK;
    trace->failing = reply_resource_identity(request, origin->resource);
    trace->failing_name = arena_copy(request->arena, origin->name);
    trace->failing_message = arena_copy(request->arena, origin->message);
    memcpy(trace->failing_id, origin->id, sizeof(trace->failing_id));
    return arena_status(request->arena);
}

/* ---- a pass ---- */

static enum status take_span(void *arg, uint32_t trace, const struct span *span)
{
    struct failing_pass *pass = arg;
    struct arena *work = &pass->work;
    bool failed = span_failed(span);
    struct looked_span *to;

    if (pass->looked_count == SPANS_SENT) {
        pass->too_many = true;
        return OK;
    }
    to = arena_append(work, &pass->looked, pass->looked_count,
                      &pass->looked_room);
    if (!to)
        return arena_status(work);
    *to = (struct looked_span){.start_ns = span->start_ns,
                               .end_ns = span->end_ns,
                               .trace = trace,
                               .resource = span->resource_id,
                               .failed = failed};
    if (failed) {
        to->name = arena_copy(work, span->name);
        to->message = arena_copy(work, span->status_message);
    }
    memcpy(to->id, span->span_id, sizeof(to->id));
    memcpy(to->parent_id, span->parent_span_id, sizeof(to->parent_id));
    pass->looked_count++;
    return arena_status(work);
}

/* The first spans of a trace. */
static enum status read_first(struct failing_pass *pass, uint32_t trace)
{
    const struct span_query query = {.trace_id = pass->ids[trace],
                                     .visible = pass->found->query.visible,
                                     .ascending = true,
                                     .limit = SPANS};
    struct span *spans;
    uint32_t count;
    uint64_t total;
    enum status s = reader_query_spans(pass->found->request->reader, &query,
                                       &pass->work, &spans, &count, &total);

    for (uint32_t i = 0; s == OK && i < count; i++)
        s = take_span(pass, trace, &spans[i]);
    return s;
}

static int by_trace(const void *left, const void *right)
{
    const struct looked_span *a = left, *b = right;

    if (a->trace != b->trace)
        return a->trace < b->trace ? -1 : 1;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return memcmp(a->id, b->id, sizeof(a->id));
}

/* One of those that were sent twice. */
static void sort_spans(struct failing_pass *pass)
{
    uint32_t kept = 0;

    if (pass->looked_count == 0)
        return;
    qsort(pass->looked, pass->looked_count, sizeof(*pass->looked), by_trace);
    for (uint32_t i = 0; i < pass->looked_count; i++)
        if (kept == 0 ||
            by_trace(&pass->looked[kept - 1], &pass->looked[i]) != 0)
            pass->looked[kept++] = pass->looked[i];
    pass->looked_count = kept;
}

static enum status judge_traces(struct failing_pass *pass)
{
    enum status s = OK;

    sort_spans(pass);
    for (uint32_t i = 0; s == OK && i < pass->looked_count;) {
        struct failing_trace part = {.at = &pass->looked[i]};

        while (i < pass->looked_count &&
               pass->looked[i].trace == part.at->trace)
            i++;
        part.count = (uint32_t)(&pass->looked[i] - part.at);
        s = judge_trace(pass, &part);
    }
    return s;
}

static void forget_spans(struct failing_pass *pass)
{
    arena_reset(&pass->work);
    pass->looked = NULL;
    pass->looked_count = pass->looked_room = 0;
}

static enum status look_into_each(struct failing_pass *pass)
{
    enum status s = OK;

    for (uint32_t i = 0; s == OK && i < pass->count; i++) {
        forget_spans(pass);
        s = read_first(pass, i);
        if (s == OK)
            s = judge_traces(pass);
    }
    return s;
}

static enum status look_into(struct failing_pass *pass)
{
    struct query_request *request = pass->found->request;
    const struct traces_query query = {.trace_ids = pass->ids,
                                       .count = pass->count,
                                       .visible = pass->found->query.visible};
    enum status s = OK;

    if (pass->count == 0)
        return OK;
    arena_begin(&pass->work, request->arena);
    forget_spans(pass);
    pass->too_many = pass->spans > SPANS;
    if (!pass->too_many)
        s = reader_visit_traces(request->reader, &query, take_span, pass);
    if (s == OK)
        s = pass->too_many ? look_into_each(pass) : judge_traces(pass);
    arena_release(&pass->work);
    pass->count = pass->spans = 0;
    return s;
}

static bool has_room(const struct failing_pass *pass,
                     const struct found_trace *trace)
{
    return pass->count < TOGETHER &&
           pass->spans + (uint64_t)trace->summary.span_count <= SPANS;
}

enum status find_trace_failures(struct found_traces *found,
                                struct found_trace *traces, uint32_t count)
{
    uint64_t until = clock_monotonic_ns() + FAILURES_NS;
    struct failing_pass pass = {.found = found};
    uint32_t looked = 0, failures = 0;
    enum status s = OK;

    for (uint32_t i = 0; i < count && s == OK; i++) {
        if (!traces[i].summary.has_errors)
            continue;
        failures++;
        if (!has_room(&pass, &traces[i]))
            s = look_into(&pass);
        if (s != OK || looked == FAILURES ||
            (pass.count == 0 && clock_monotonic_ns() > until))
            continue;
        memcpy(pass.ids[pass.count], traces[i].summary.trace_id, 16);
        pass.traces[pass.count++] = &traces[i];
        pass.spans += traces[i].summary.span_count;
        looked++;
    }
    if (s == OK)
        s = look_into(&pass);
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
