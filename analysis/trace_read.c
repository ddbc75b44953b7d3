/*
 * The spans of a trace. Two tenants may use one id: then the trace is that of
 * the namespace that was asked for, else of the one that has the first span,
 * and the answer names the others that may be seen.
 */
#include "hidden_spans.h"
#include "trace_tree.h"

enum { OTHERS_MAX = 10 };

static struct slice namespace_of(struct query_request *request,
                                 const struct span *span)
{
    const struct identity *identity =
        reply_resource_identity(request, span->resource_id);

    return identity ? identity->namespace : SLICE("");
}

static void add_other(struct trace_spans *trace, struct slice namespace)
{
    for (uint32_t i = 0; i < trace->other_count; i++)
        if (slice_equal(trace->others[i], namespace))
            return;
    if (trace->other_count < OTHERS_MAX)
        trace->others[trace->other_count++] = namespace;
}

/* Keeps those of one namespace. */
static enum status choose_namespace(struct query_request *request,
                                    struct trace_spans *trace)
{
    uint32_t kept = 0;

    trace->others =
        arena_zero(request->arena, OTHERS_MAX, sizeof(*trace->others));
    if (!trace->others)
        return arena_status(request->arena);
    if (trace->count > 0)
        trace->namespace = namespace_of(request, &trace->spans[0]);
    for (uint32_t i = 0; i < trace->count; i++) {
        struct slice namespace = namespace_of(request, &trace->spans[i]);

        if (slice_equal(namespace, trace->namespace))
            trace->spans[kept++] = trace->spans[i];
        else
            add_other(trace, namespace);
    }
    trace->total -= trace->count - kept;
    trace->count = kept;
    return OK;
}

static enum status select_visible(struct query_request *request,
                                  const struct trace_spans *trace,
                                  const struct bitmap **visible)
{
    const struct scope_filter scope = {.namespace = trace->namespace};

    return scope.namespace.len > 0 ? params_select(request, &scope, visible)
                                   : params_visible(request, visible);
}

enum status trace_read(struct query_request *request, struct trace_spans *trace)
{
    struct span_query query = {.trace_id = trace->trace_id,
                               .ascending = true,
                               .limit = TRACE_SPANS_MAX};
    struct span_page page;
    enum status s = select_visible(request, trace, &query.visible);

    if (s != OK)
        return s;
    s = reader_query_spans(request->reader, &query, request->arena,
                           &trace->spans, &trace->count, &trace->total);
    if (s == OK)
        s = choose_namespace(request, trace);
    if (s != OK)
        return query_fail_read(request, s);
    if (trace->count == 0)
        return query_fail(request, ERR_NOT_FOUND, NULL,
                          "no span of this trace is stored, or may be seen");
    trace->visible = query.visible;
    page = (struct span_page){trace->spans, trace->count, trace->total};
    if (query.visible)
        s = hidden_spans_add(request, &query, trace->namespace, &page);
    trace->spans = page.spans;
    trace->count = page.count;
    trace->total = page.total;
    return s;
}
