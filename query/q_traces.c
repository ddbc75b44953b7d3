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
static enum status select_visible(struct call *call,
                                  const struct scope_filter *scope,
                                  const struct idset **visible)
{
    struct scope_filter all = {.namespace = scope->namespace};

    if (scope->workflow_run.len > 0)
        all = *scope;
    *visible = registry_select(call->services->registry, &all, call->arena);
    return *visible ? OK : arena_status(call->arena);
}

static enum status read_traces_request(struct call *call,
                                       struct trace_query *query,
                                       struct list_window *window)
{
    struct scope_filter scope;
    bool whole = false; /* of spans; a list of traces shows none */
    enum status s = params_scope(call, 0, &scope);

    if (s == OK)
        s = params_page(call, false, &query->limit, &query->ascending);
    if (s == OK)
        s = paging_window(call, LIST_TRACES, query->ascending, window);
    if (s == OK)
        s = params_bool(call, "includeAttributes", &whole);
    if (s == OK)
        s = params_attrs(call, "attributes", &query->attrs, &query->attr_count);
    if (s == OK)
        s = params_duration(call, "minDuration", &query->min_duration_ns);
    if (s == OK)
        s = params_duration(call, "maxDuration", &query->max_duration_ns);
    if (s == OK)
        s = params_bool(call, "errorsOnly", &query->errors_only);
    if (s == OK)
        s = params_text(call, "operation", &query->operation);
    if (s != OK)
        return s;
    query->start_ns = window->start_ns;
    query->end_ns = window->end_ns;
    query->range = window->range;
    query->resources =
        registry_select(call->services->registry, &scope, call->arena);
    if (!query->resources)
        return arena_status(call->arena);
    return select_visible(call, &scope, &query->visible);
}

/* exact: its start names the place it has in the list. */
static void reply_trace(struct call *call, const struct trace_summary *trace,
                        bool exact)
{
    struct jsonw *json = &call->json;
    const struct source *root = reply_source(call, trace->root_resource_id);

    jsonw_open(json, '{');
    jsonw_member_hex(&call->json, "traceId", trace->trace_id,
                     sizeof(trace->trace_id));
    jsonw_member_text(json, "traceName", trace->root_name);
    jsonw_member_uint(json, "spanCount", trace->span_count);
    jsonw_member_hex(&call->json, "rootSpanId", trace->root_span_id,
                     sizeof(trace->root_span_id));
    jsonw_member_text(json, "rootSpanName", trace->root_name);
    reply_text(call, "rootSpanKind", slice_of(kind_name(trace->root_kind)));
    if (root) {
        reply_text(call, "rootComponent", root->identity.component);
        reply_text(call, "rootProject", root->identity.project);
    }
    paging_time(call, "startTime", trace->start_ns, exact,
                paging_number(trace->trace_id));
    jsonw_member_time(json, "endTime", trace->end_ns);
    jsonw_member_uint(json, "durationNs", trace->end_ns - trace->start_ns);
    jsonw_member_bool(json, "hasErrors", trace->has_errors);
    jsonw_close(json, '}');
}

static enum status reply_traces(struct call *call,
                                const struct trace_query *query,
                                const struct list_window *window,
                                const struct trace_summary *traces,
                                uint32_t known)
{
    uint32_t shown = known < query->limit ? known : query->limit;
    uint64_t *times = arena_zero(call->arena, known + 1, sizeof(*times));

    if (!times)
        return arena_status(call->arena);
    for (uint32_t i = 0; i < known; i++)
        times[i] = traces[i].start_ns;
    for (uint32_t i = 0; i < shown; i++)
        reply_trace(
            call, &traces[i],
            paging_exact(window, query->ascending, times, i, shown, known) ||
                (i + 1 == shown && known > shown));
    jsonw_close(&call->json, ']');
    if (known > shown) {
        struct list_place last = {.time_ns = times[shown - 1],
                                  .key_len = PLACE_KEY};

        memcpy(last.key, traces[shown - 1].trace_id, PLACE_KEY);
        paging_cursor(call, LIST_TRACES, query->ascending, &last);
    }
    return OK;
}

static enum status query_traces(struct call *call)
{
    struct count_limit counting = {.most = PAGING_TOTAL};
    struct trace_query query = {.counting = &counting}, one_more;
    struct list_window window;
    struct trace_summary *traces;
    uint32_t count;
    uint64_t total;
    enum status s = read_traces_request(call, &query, &window);

    if (s != OK)
        return s;
    one_more = query;
    one_more.limit++;
    s = reader_query_traces(call->reader, &one_more, call->arena, &traces,
                            &count, &total);
    if (s != OK)
        return call_fail_read(call, s);
    jsonw_open(&call->json, '{');
    jsonw_member_open(&call->json, "traces", '[');
    s = reply_traces(call, &query, &window, traces, count);
    if (s == OK)
        paging_end(call, total, counting.stopped);
    return s;
}

/* ---- one span ---- */

/* The verdict that hasErrors goes by, too: ERROR where the sender left the
 * status unset and its attributes say that the span failed. */
static void reply_status(struct call *call, const struct span *span)
{
    uint8_t code = span_failed(span)            ? SPAN_ERROR
                   : span->status <= SPAN_ERROR ? span->status
                                                : SPAN_UNSET;
    static const char *const codes[] = {"unset", "ok", "error"};
    struct jsonw *json = &call->json;

    jsonw_member_open(json, "status", '{');
    jsonw_member_text(json, "code", slice_of(codes[code]));
    reply_text(call, "message", span->status_message);
    jsonw_close(json, '}');
}

static void reply_events(struct call *call, const struct span *span)
{
    struct jsonw *json = &call->json;

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

static void reply_links(struct call *call, const struct span *span)
{
    struct jsonw *json = &call->json;

    jsonw_member_open(json, "links", '[');
    for (uint32_t i = 0; i < span->link_count; i++) {
        const struct span_link *link = &span->links[i];

        jsonw_open(json, '{');
        jsonw_member_hex(&call->json, "traceId", link->trace_id,
                         sizeof(link->trace_id));
        jsonw_member_hex(&call->json, "spanId", link->span_id,
                         sizeof(link->span_id));
        jsonw_key(json, "attributes");
        jsonw_attrs(json, &link->attrs);
        jsonw_close(json, '}');
    }
    jsonw_close(json, ']');
}

/* What ingest had to correct; left out otherwise. */
static void reply_fixed(struct call *call, const struct span *span)
{
    if (span->fixed & FIXED_TIME)
        jsonw_member_bool(&call->json, "timeCorrected", true);
    if (span->fixed & FIXED_END)
        jsonw_member_bool(&call->json, "endBeforeStart", true);
}

/* exact: its start names the place it has in the list. */
static void reply_span(struct call *call, const struct span *span, bool whole,
                       bool exact)
{
    struct jsonw *json = &call->json;
    const struct source *source = reply_source(call, span->resource_id);

    if (!source)
        return;
    jsonw_open(json, '{');
    jsonw_member_hex(&call->json, "spanId", span->span_id,
                     sizeof(span->span_id));
    jsonw_member_text(json, "spanName", span->name);
    reply_text(call, "spanKind", slice_of(kind_name(span->kind)));
    paging_time(call, "startTime", span->start_ns, exact,
                paging_number(span->span_id));
    jsonw_member_time(json, "endTime", span->end_ns);
    jsonw_member_uint(json, "durationNs", span->end_ns - span->start_ns);
    reply_fixed(call, span);
    if (!id_is_zero(span->parent_span_id, sizeof(span->parent_span_id)))
        jsonw_member_hex(&call->json, "parentSpanId", span->parent_span_id,
                         sizeof(span->parent_span_id));
    reply_status(call, span);
    reply_text(call, "component", source->identity.component);
    reply_text(call, "project", source->identity.project);
    reply_text(call, "endpoint", span->endpoint);
    reply_text(call, "operation", span->operation);
    if (whole) {
        jsonw_key(json, "attributes");
        jsonw_attrs(json, &span->attrs);
        jsonw_key(json, "resourceAttributes");
        jsonw_attrs(json, &source->resource.attrs);
        reply_events(call, span);
        reply_links(call, span);
    }
    jsonw_close(json, '}');
}

/* ---- the spans of a trace ---- */

static enum status read_path_id(struct call *call, int part, const char *name,
                                uint8_t *id, size_t len)
{
    if (hex_bytes(call->parts[part], id, len))
        return OK;
    return call_fail(call, ERR_INVALID, NULL,
                     "%s must be %zu hexadecimal digits", name, 2 * len);
}

/* A trace that does not touch the scope is as good as not there. */
static enum status read_spans_request(struct call *call,
                                      struct span_query *query,
                                      uint8_t trace_id[16],
                                      struct list_window *window)
{
    struct scope_filter scope;
    enum status s = params_scope(call, 0, &scope);

    if (s == OK)
        s = params_page_of(call, SPANS_MAX, &query->limit, &query->ascending);
    if (s == OK)
        s = paging_window(call, LIST_SPANS, query->ascending, window);
    if (s == OK)
        s = params_bool(call, "includeAttributes", &query->whole);
    if (s == OK)
        s = read_path_id(call, 0, "traceId", trace_id, 16);
    if (s != OK)
        return s;
    query->trace_id = trace_id;
    query->range = window->range; /* the trace is shown whole otherwise */
    query->resources =
        registry_select(call->services->registry, &scope, call->arena);
    if (!query->resources)
        return arena_status(call->arena);
    return select_visible(call, &scope, &query->visible);
}

static enum status reply_spans(struct call *call,
                               const struct span_query *query,
                               const struct list_window *window,
                               const struct span *spans, uint32_t known)
{
    uint32_t shown = known < query->limit ? known : query->limit;
    uint64_t *times = arena_zero(call->arena, known + 1, sizeof(*times));

    if (!times)
        return arena_status(call->arena);
    for (uint32_t i = 0; i < known; i++)
        times[i] = spans[i].start_ns;
    for (uint32_t i = 0; i < shown; i++)
        reply_span(
            call, &spans[i], query->whole,
            paging_exact(window, query->ascending, times, i, shown, known) ||
                (i + 1 == shown && known > shown));
    jsonw_close(&call->json, ']');
    if (known > shown) {
        struct list_place last = {.time_ns = times[shown - 1],
                                  .key_len = PLACE_NUMBER};

        memcpy(last.key, spans[shown - 1].span_id, PLACE_NUMBER);
        paging_cursor(call, LIST_SPANS, query->ascending, &last);
    }
    return OK;
}

static enum status query_spans(struct call *call)
{
    struct count_limit counting = {.most = PAGING_TOTAL};
    struct span_query query = {.counting = &counting}, one_more;
    struct list_window window;
    uint8_t trace_id[16];
    struct span *spans;
    uint32_t count;
    uint64_t total;
    enum status s = read_spans_request(call, &query, trace_id, &window);

    if (s != OK)
        return s;
    one_more = query;
    one_more.limit++;
    s = reader_query_spans(call->reader, &one_more, call->arena, &spans, &count,
                           &total);
    if (s != OK)
        return call_fail_read(call, s);
    jsonw_open(&call->json, '{');
    jsonw_member_open(&call->json, "spans", '[');
    s = reply_spans(call, &query, &window, spans, count);
    if (s == OK)
        paging_end(call, total, counting.stopped);
    return s;
}

/* Does the trace touch the scope? */
static enum status touches(struct call *call, const uint8_t trace_id[16],
                           const struct scope_filter *scope, bool *yes)
{
    struct span_query query = {.trace_id = trace_id, .limit = 1};
    struct count_limit counting = {.most = 1};
    struct span *spans;
    uint32_t count;
    uint64_t total;

    query.counting = &counting;
    query.resources =
        registry_select(call->services->registry, scope, call->arena);
    if (!query.resources)
        return arena_status(call->arena);
    enum status s = reader_query_spans(call->reader, &query, call->arena,
                                       &spans, &count, &total);

    *yes = s == OK && count > 0;
    return s == OK ? OK : call_fail_read(call, s);
}

/* scope NULL: any. */
static enum status span_details(struct call *call,
                                const struct scope_filter *scope)
{
    uint8_t trace_id[16], id[8];
    const struct idset *visible = NULL;
    struct span span;
    bool shown = true;
    enum status s = read_path_id(call, 1, "spanId", id, sizeof(id));

    if (s == OK)
        s = read_path_id(call, 0, "traceId", trace_id, sizeof(trace_id));
    if (s == OK && scope)
        s = touches(call, trace_id, scope, &shown);
    if (s == OK && scope)
        s = select_visible(call, scope, &visible);
    if (s != OK)
        return s;
    s = shown ? reader_find_span(call->reader, trace_id, id, call->arena, &span)
              : ERR_NOT_FOUND;
    if (s == OK && visible && !idset_has(visible, span.resource_id))
        s = ERR_NOT_FOUND;
    if (s == ERR_NOT_FOUND)
        return call_fail(call, s, "OBS-V1-T-07", "Span not found");
    if (s != OK)
        return call_fail_read(call, s);
    reply_span(call, &span, true, false);
    return OK;
}

static enum status get_span(struct call *call)
{
    return span_details(call, NULL);
}

static enum status post_span(struct call *call)
{
    struct scope_filter scope;
    enum status s = params_scope(call, 0, &scope);

    return s == OK ? span_details(call, &scope) : s;
}

const struct route routes_traces[] = {
    {"POST", "/api/v1alpha1/traces/query", query_traces, "T", TAKES_JSON, 0},
    {"POST", "/api/v1alpha1/traces/{}/spans/query", query_spans, "T",
     TAKES_JSON, 0},
    {"GET", "/api/v1alpha1/traces/{}/spans/{}", get_span, "T", 0, 0},
    {"POST", "/api/v1alpha1/traces/{}/spans/{}", post_span, "T", TAKES_JSON, 0},
    {0},
};
