#include "tempo_sample.h"

#include "clock.h"
#include "tempo_search.h"

enum {
    MOST_RESOURCES = 5000,
    MOST_SPANS = 20000,
    MOST_TRACES = 50,
    SPANS_OF_TRACE = 200,
    SAMPLE_SECONDS = 2
};

#define FIRST_SLICE (10 * NS_PER_S)

static bool is_wanted(const struct tempo_sample *sample,
                      const struct traceql_subject *subject)
{
    return !sample->filter ||
           tempo_candidate(sample->filter, subject) != TRACEQL_NO;
}

static bool is_over(const struct tempo_sample *sample)
{
    return sample->visits >= MOST_SPANS ||
           clock_monotonic_ns() > sample->deadline_ns;
}

/* ---- resources ---- */

static void visit_resource(void *arg, uint32_t id,
                           const struct traceql_subject *subject)
{
    const struct tempo_sample *sample = arg;

    (void)id;
    if (is_wanted(sample, subject))
        sample->visit(sample->arg, subject);
}

/* ---- spans ---- */

static void visit_span(void *arg, const struct span *span)
{
    struct tempo_sample *sample = arg;
    struct traceql_subject subject = {.span = span, .attrs = true};
    const struct resource_info *info;

    if (sample->visits++ >= MOST_SPANS)
        return;
    info = reply_resource(sample->request, span->resource_id);
    if (!info)
        return;
    subject.resource = &info->resource;
    subject.identity = &info->identity;
    if (is_wanted(sample, &subject))
        sample->visit(sample->arg, &subject);
}

static enum status visit_spans(struct tempo_sample *sample)
{
    uint64_t end = sample->end_ns, length = FIRST_SLICE;
    enum status s = OK;

    while (s == OK && end > sample->start_ns && !is_over(sample)) {
        struct sample_range range = {sample->start_ns, end, SAMPLE_ALL};
        const struct sample_query query = {.ranges = &range,
                                           .range_count = 1,
                                           .resources = sample->resources,
                                           .attrs = true};

        if (end - sample->start_ns > length)
            range.start_ns = end - length;
        s = reader_sample_spans(sample->request->reader, &query, visit_span,
                                sample);
        end = range.start_ns;
        length *= 2;
    }
    return s;
}

/* ---- traces ---- */

static enum status visit_trace(struct tempo_sample *sample, struct arena *arena,
                               const uint8_t trace_id[16])
{
    struct query_request *request = sample->request;
    const struct span_query query = {.trace_id = trace_id,
                                     .visible = sample->visible,
                                     .whole = true,
                                     .ascending = true,
                                     .limit = SPANS_OF_TRACE};
    struct traceql_trace trace;
    enum status s = tempo_read_trace(request, &query, arena, &trace, NULL);

    for (uint32_t i = 0; s == OK && i < trace.count; i++) {
        struct traceql_subject subject = traceql_subject_at(&trace, i);

        if (is_wanted(sample, &subject))
            sample->visit(sample->arg, &subject);
    }
    return s;
}

static enum status visit_traces(struct tempo_sample *sample)
{
    struct query_request *request = sample->request;
    struct count_limit counting = {.most = 1};
    const struct trace_query query = {.start_ns = sample->start_ns,
                                      .end_ns = sample->end_ns,
                                      .resources = sample->resources,
                                      .visible = sample->visible,
                                      .limit = MOST_TRACES,
                                      .counting = &counting};
    struct trace_summary *traces;
    uint32_t count = 0;
    uint64_t total;
    enum status s = reader_query_traces(request->reader, &query, request->arena,
                                        &traces, &count, &total);

    for (uint32_t i = 0; s == OK && i < count && !is_over(sample); i++) {
        struct arena arena;

        arena_begin(&arena, request->arena);
        s = visit_trace(sample, &arena, traces[i].trace_id);
        arena_release(&arena);
    }
    return s;
}

enum status tempo_sample(struct tempo_sample *sample)
{
    static const struct scope_filter all = {.unassigned = false};
    struct query_request *request = sample->request;
    enum status s = params_visible(request, &sample->visible);

    if (s != OK)
        return s;
    sample->resources = registry_select(request->services->registry, &all,
                                        &request->viewer, request->arena);
    if (!sample->resources)
        return arena_status(request->arena);
    sample->deadline_ns = clock_monotonic_ns() + SAMPLE_SECONDS * NS_PER_S;
    if (sample->parts & SAMPLE_RESOURCES)
        s = tempo_each_resource(request, sample->resources, MOST_RESOURCES,
                                visit_resource, sample);
    if (s == OK && sample->parts & SAMPLE_SPANS)
        s = visit_spans(sample);
    if (s == OK && sample->parts & SAMPLE_TRACES)
        s = visit_traces(sample);
    return s == OK ? OK : query_fail_read(request, s);
}
