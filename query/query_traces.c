/*
 * Traces: the list, the spans of one, one span.
 *
 *   POST /api/v1alpha1/traces/query
 *   POST /api/v1alpha1/traces/{traceId}/spans/query
 *   GET, POST /api/v1alpha1/traces/{traceId}/spans/{spanId}
 *
 * A trace belongs to a scope if any of its spans does; then all of it is
 * shown that the scope's namespace sent, because half a trace explains nothing.
 * One that does not touch the scope is as good as not there.
 */
#include "hex.h"
#include "paging.h"

/* Spans of one answer: a trace is read in few pages, each within the bound of
 * an answer. */
enum { SPANS_MAX = 10000 };

static const char *kind_name(uint8_t kind)
{
    static const char *const names[] = {"",       "INTERNAL", "SERVER",
                                        "CLIENT", "PRODUCER", "CONSUMER"};

    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "";
}

/* ---- the list ---- */

/* Whose spans are shown of a trace in the scope. What other namespaces sent in
 * the same trace is none of the asker's. */
static enum status select_visible(struct query_request *request,
                                  const struct scope_filter *scope,
                                  const struct bitmap **visible)
{
    struct scope_filter all = {.namespace = scope->namespace};

    if (scope->workflow_run.len > 0)
        all = *scope;
    *visible =
        registry_select(request->services->registry, &all, request->arena);
    return *visible ? OK : arena_status(request->arena);
}

static enum status read_traces_request(struct query_request *request,
                                       struct trace_query *query,
                                       struct list_window *window)
{
    struct scope_filter scope;
    bool whole = false; /* of spans; a list of traces shows none */
    enum status s = params_scope(request, 0, &scope);

    if (s == OK)
        s = params_page(request, false, &query->limit, &query->ascending);
    if (s == OK)
        s = paging_window(request, LIST_TRACES, query->ascending, window);
    if (s == OK)
        s = params_bool(request, "includeAttributes", &whole);
    if (s == OK)
        s = params_attrs(request, "attributes", &query->attrs,
                         &query->attr_count);
    if (s == OK)
        s = params_duration(request, "minDuration", &query->min_duration_ns);
    if (s == OK)
        s = params_duration(request, "maxDuration", &query->max_duration_ns);
    if (s == OK)
        s = params_bool(request, "errorsOnly", &query->errors_only);
    if (s == OK)
        s = params_text(request, "operation", &query->operation);
    if (s != OK)
        return s;
    query->start_ns = window->start_ns;
    query->end_ns = window->end_ns;
    query->range = window->range;
    query->resources =
        registry_select(request->services->registry, &scope, request->arena);
    if (!query->resources)
        return arena_status(request->arena);
    return select_visible(request, &scope, &query->visible);
}

/* exact: its start names the place it has in the list. */
static void reply_trace(struct query_request *request,
                        const struct trace_summary *trace, bool exact)
{
    struct jsonw *json = &request->json;
    const struct resource_info *root =
        reply_resource(request, trace->root_resource_id);

    jsonw_open(json, '{');
    jsonw_member_hex(&request->json, "traceId", trace->trace_id,
                     sizeof(trace->trace_id));
    jsonw_member_text(json, "traceName", trace->root_name);
    jsonw_member_uint(json, "spanCount", trace->span_count);
    jsonw_member_hex(&request->json, "rootSpanId", trace->root_span_id,
                     sizeof(trace->root_span_id));
    jsonw_member_text(json, "rootSpanName", trace->root_name);
    reply_text(request, "rootSpanKind", slice_of(kind_name(trace->root_kind)));
    if (root) {
        reply_text(request, "rootComponent", root->identity.component);
        reply_text(request, "rootProject", root->identity.project);
    }
    paging_time(request, "startTime", trace->start_ns, exact,
                paging_number(trace->trace_id));
    jsonw_member_time(json, "endTime", trace->end_ns);
    jsonw_member_uint(json, "durationNs", trace->end_ns - trace->start_ns);
    jsonw_member_bool(json, "hasErrors", trace->has_errors);
    jsonw_close(json, '}');
}

static enum status reply_traces(struct query_request *request,
                                const struct trace_query *query,
                                const struct list_window *window,
                                const struct trace_summary *traces,
                                uint32_t known)
{
    uint32_t shown = known < query->limit ? known : query->limit;
    uint64_t *times = arena_zero(request->arena, known + 1, sizeof(*times));

    if (!times)
        return arena_status(request->arena);
    for (uint32_t i = 0; i < known; i++)
        times[i] = traces[i].start_ns;
    for (uint32_t i = 0; i < shown; i++)
        reply_trace(
            request, &traces[i],
            paging_exact(window, query->ascending, times, i, shown, known) ||
                (i + 1 == shown && known > shown));
    jsonw_close(&request->json, ']');
    if (known > shown) {
        struct list_place last = {.time_ns = times[shown - 1],
                                  .key_len = PLACE_KEY};

        memcpy(last.key, traces[shown - 1].trace_id, PLACE_KEY);
        paging_cursor(request, LIST_TRACES, query->ascending, &last);
    }
    return OK;
}

static enum status query_traces(struct query_request *request)
{
    struct count_limit counting = {.most = PAGING_TOTAL};
    struct trace_query query = {.counting = &counting}, one_more;
    struct list_window window;
    struct trace_summary *traces;
    uint32_t count;
    uint64_t total;
    enum status s = read_traces_request(request, &query, &window);

    if (s != OK)
        return s;
    one_more = query;
    one_more.limit++;
    s = reader_query_traces(request->reader, &one_more, request->arena, &traces,
                            &count, &total);
    if (s != OK)
        return query_fail_read(request, s);
    jsonw_open(&request->json, '{');
    jsonw_member_open(&request->json, "traces", '[');
    s = reply_traces(request, &query, &window, traces, count);
    if (s == OK)
        paging_end(request, total, counting.stopped);
    return s;
}

/* ---- one span ---- */

/* The verdict that hasErrors goes by, too: ERROR where the sender left the
 * status unset and its attributes say that the span failed. */
static void reply_status(struct query_request *request, const struct span *span)
{
    uint8_t code = span_failed(span)            ? SPAN_ERROR
                   : span->status <= SPAN_ERROR ? span->status
                                                : SPAN_UNSET;
    static const char *const codes[] = {"unset", "ok", "error"};
    struct jsonw *json = &request->json;

    jsonw_member_open(json, "status", '{');
    jsonw_member_text(json, "code", slice_of(codes[code]));
    reply_text(request, "message", span->status_message);
    jsonw_close(json, '}');
}

static void reply_events(struct query_request *request, const struct span *span)
{
    struct jsonw *json = &request->json;

    jsonw_member_open(json, "events", '[');
    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct span_event *event = &span->events[i];

        jsonw_open(json, '{');
        jsonw_member_time(json, "timestamp", event->time_ns);
        jsonw_member_text(json, "name", event->name);
        jsonw_key(json, "attributes");
        jsonw_attrs(json, &event->attrs);
        jsonw_close(json, '}');
    }
    jsonw_close(json, ']');
}

static void reply_links(struct query_request *request, const struct span *span)
{
    struct jsonw *json = &request->json;

    jsonw_member_open(json, "links", '[');
    for (uint32_t i = 0; i < span->link_count; i++) {
        const struct span_link *link = &span->links[i];

        jsonw_open(json, '{');
        jsonw_member_hex(&request->json, "traceId", link->trace_id,
                         sizeof(link->trace_id));
        jsonw_member_hex(&request->json, "spanId", link->span_id,
                         sizeof(link->span_id));
        jsonw_key(json, "attributes");
        jsonw_attrs(json, &link->attrs);
        jsonw_close(json, '}');
    }
    jsonw_close(json, ']');
}

/* What ingest had to correct; left out otherwise. */
static void reply_fixed(struct query_request *request, const struct span *span)
{
    if (span->corrected & CORRECTED_TIME)
        jsonw_member_bool(&request->json, "timeCorrected", true);
    if (span->corrected & CORRECTED_END)
        jsonw_member_bool(&request->json, "endBeforeStart", true);
}

/* exact: its start names the place it has in the list. */
static void reply_span(struct query_request *request, const struct span *span,
                       bool whole, bool exact)
{
    struct jsonw *json = &request->json;
    const struct resource_info *source =
        reply_resource(request, span->resource_id);

    if (!source)
        return;
    jsonw_open(json, '{');
    jsonw_member_hex(&request->json, "spanId", span->span_id,
                     sizeof(span->span_id));
    jsonw_member_text(json, "spanName", span->name);
    reply_text(request, "spanKind", slice_of(kind_name(span->kind)));
    paging_time(request, "startTime", span->start_ns, exact,
                paging_number(span->span_id));
    jsonw_member_time(json, "endTime", span->end_ns);
    jsonw_member_uint(json, "durationNs", span->end_ns - span->start_ns);
    reply_fixed(request, span);
    if (!id_is_zero(span->parent_span_id, sizeof(span->parent_span_id)))
        jsonw_member_hex(&request->json, "parentSpanId", span->parent_span_id,
                         sizeof(span->parent_span_id));
    reply_status(request, span);
    reply_text(request, "component", source->identity.component);
    reply_text(request, "project", source->identity.project);
    reply_text(request, "endpoint", span->endpoint);
    reply_text(request, "operation", span->operation);
    if (whole) {
        jsonw_key(json, "attributes");
        jsonw_attrs(json, &span->attrs);
        jsonw_key(json, "resourceAttributes");
        jsonw_attrs(json, &source->resource.attrs);
        reply_events(request, span);
        reply_links(request, span);
    }
    jsonw_close(json, '}');
}

/* ---- the spans of a trace ---- */

static enum status read_path_id(struct query_request *request, int part,
                                const char *name, uint8_t *id, size_t len)
{
    if (hex_bytes(request->parts[part], id, len))
        return OK;
    return query_fail(request, ERR_INVALID, NULL,
                      "%s must be %zu hexadecimal digits", name, 2 * len);
}

/* A trace that does not touch the scope is as good as not there. */
static enum status read_spans_request(struct query_request *request,
                                      struct span_query *query,
                                      uint8_t trace_id[16],
                                      struct list_window *window)
{
    struct scope_filter scope;
    enum status s = params_scope(request, 0, &scope);

    if (s == OK)
        s = params_page_of(request, SPANS_MAX, &query->limit,
                           &query->ascending);
    if (s == OK)
        s = paging_window(request, LIST_SPANS, query->ascending, window);
    if (s == OK)
        s = params_bool(request, "includeAttributes", &query->whole);
    if (s == OK)
        s = read_path_id(request, 0, "traceId", trace_id, 16);
    if (s != OK)
        return s;
    query->trace_id = trace_id;
    query->range = window->range; /* the trace is shown whole otherwise */
    query->resources =
        registry_select(request->services->registry, &scope, request->arena);
    if (!query->resources)
        return arena_status(request->arena);
    return select_visible(request, &scope, &query->visible);
}

static enum status reply_spans(struct query_request *request,
                               const struct span_query *query,
                               const struct list_window *window,
                               const struct span *spans, uint32_t known)
{
    uint32_t shown = known < query->limit ? known : query->limit;
    uint64_t *times = arena_zero(request->arena, known + 1, sizeof(*times));

    if (!times)
        return arena_status(request->arena);
    for (uint32_t i = 0; i < known; i++)
        times[i] = spans[i].start_ns;
    for (uint32_t i = 0; i < shown; i++)
        reply_span(
            request, &spans[i], query->whole,
            paging_exact(window, query->ascending, times, i, shown, known) ||
                (i + 1 == shown && known > shown));
    jsonw_close(&request->json, ']');
    if (known > shown) {
        struct list_place last = {.time_ns = times[shown - 1],
                                  .key_len = PLACE_NUMBER};

        memcpy(last.key, spans[shown - 1].span_id, PLACE_NUMBER);
        paging_cursor(request, LIST_SPANS, query->ascending, &last);
    }
    return OK;
}

static enum status query_spans(struct query_request *request)
{
    struct count_limit counting = {.most = PAGING_TOTAL};
    struct span_query query = {.counting = &counting}, one_more;
    struct list_window window;
    uint8_t trace_id[16];
    struct span *spans;
    uint32_t count;
    uint64_t total;
    enum status s = read_spans_request(request, &query, trace_id, &window);

    if (s != OK)
        return s;
    one_more = query;
    one_more.limit++;
    s = reader_query_spans(request->reader, &one_more, request->arena, &spans,
                           &count, &total);
    if (s != OK)
        return query_fail_read(request, s);
    jsonw_open(&request->json, '{');
    jsonw_member_open(&request->json, "spans", '[');
    s = reply_spans(request, &query, &window, spans, count);
    if (s == OK)
        paging_end(request, total, counting.stopped);
    return s;
}

/* Does the trace touch the scope? */
static enum status touches(struct query_request *request,
                           const uint8_t trace_id[16],
                           const struct scope_filter *scope, bool *yes)
{
    struct span_query query = {.trace_id = trace_id, .limit = 1};
    struct count_limit counting = {.most = 1};
    struct span *spans;
    uint32_t count;
    uint64_t total;

    query.counting = &counting;
    query.resources =
        registry_select(request->services->registry, scope, request->arena);
    if (!query.resources)
        return arena_status(request->arena);
    enum status s = reader_query_spans(request->reader, &query, request->arena,
                                       &spans, &count, &total);

    *yes = s == OK && count > 0;
    return s == OK ? OK : query_fail_read(request, s);
}

/* scope NULL: any. */
static enum status span_details(struct query_request *request,
                                const struct scope_filter *scope)
{
    uint8_t trace_id[16], id[8];
    const struct bitmap *visible = NULL;
    struct span span;
    bool shown = true;
    enum status s = read_path_id(request, 1, "spanId", id, sizeof(id));

    if (s == OK)
        s = read_path_id(request, 0, "traceId", trace_id, sizeof(trace_id));
    if (s == OK && scope)
        s = touches(request, trace_id, scope, &shown);
    if (s == OK && scope)
        s = select_visible(request, scope, &visible);
    if (s != OK)
        return s;
    s = shown ? reader_find_span(request->reader, trace_id, id, request->arena,
                                 &span)
              : ERR_NOT_FOUND;
    if (s == OK && visible && !bitmap_has(visible, span.resource_id))
        s = ERR_NOT_FOUND;
    if (s == ERR_NOT_FOUND)
        return query_fail(request, s, "OBS-V1-T-07", "Span not found");
    if (s != OK)
        return query_fail_read(request, s);
    reply_span(request, &span, true, false);
    return OK;
}

static enum status get_span(struct query_request *request)
{
    return span_details(request, NULL);
}

static enum status post_span(struct query_request *request)
{
    struct scope_filter scope;
    enum status s = params_scope(request, 0, &scope);

    return s == OK ? span_details(request, &scope) : s;
}

const struct route routes_traces[] = {
    {"POST", "/api/v1alpha1/traces/query", query_traces, "T", TAKES_JSON, 0},
    {"POST", "/api/v1alpha1/traces/{}/spans/query", query_spans, "T",
     TAKES_JSON, 0},
    {"GET", "/api/v1alpha1/traces/{}/spans/{}", get_span, "T", 0, 0},
    {"POST", "/api/v1alpha1/traces/{}/spans/{}", post_span, "T", TAKES_JSON, 0},
    {0},
};
