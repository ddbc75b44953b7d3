/*
 * Traces: the list, the spans of one, one span.
 *
 *   POST /api/v1alpha1/traces/query
 *   POST /api/v1alpha1/traces/{traceId}/spans/query
 *   GET, POST /api/v1alpha1/traces/{traceId}/spans/{spanId}
 *
 * A trace belongs to a scope if any of its spans does; then all of it is
 * shown, because half a trace explains nothing. One that does not touch the
 * scope is as good as not there.
 */
#include "hex.h"
#include "route.h"

static const char *kind_name(uint8_t kind)
{
    static const char *const names[] = {"",       "INTERNAL", "SERVER",
                                        "CLIENT", "PRODUCER", "CONSUMER"};

    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "";
}

/* ---- the list ---- */

static enum status read_traces_request(struct call *call,
                                       struct trace_query *query)
{
    struct scope_filter scope;
    bool whole = false; /* of spans; a list of traces shows none */
    enum status s = params_scope(call, 0, &scope);

    if (s == OK)
        s = params_range(call, &query->start_ns, &query->end_ns);
    if (s == OK)
        s = params_bool(call, "includeAttributes", &whole);
    if (s == OK)
        s = params_page(call, false, &query->limit, &query->ascending);
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
    query->resources =
        registry_select(call->services->registry, &scope, call->arena);
    return query->resources ? OK : arena_status(call->arena);
}

static void reply_trace(struct call *call, const struct trace_summary *trace)
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
    jsonw_member_time(json, "startTime", trace->start_ns);
    jsonw_member_time(json, "endTime", trace->end_ns);
    jsonw_member_uint(json, "durationNs", trace->end_ns - trace->start_ns);
    jsonw_member_bool(json, "hasErrors", trace->has_errors);
    jsonw_close(json, '}');
}

static enum status query_traces(struct call *call)
{
    struct trace_query query = {.limit = 0};
    struct trace_summary *traces;
    uint32_t count;
    uint64_t total;
    enum status s = read_traces_request(call, &query);

    if (s != OK)
        return s;
    s = reader_query_traces(call->reader, &query, call->arena, &traces, &count,
                            &total);
    if (s != OK)
        return call_fail_read(call, s);
    jsonw_open(&call->json, '{');
    jsonw_member_open(&call->json, "traces", '[');
    for (uint32_t i = 0; i < count; i++)
        reply_trace(call, &traces[i]);
    reply_end(call, total);
    return OK;
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

static void reply_span(struct call *call, const struct span *span, bool whole)
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
    jsonw_member_time(json, "startTime", span->start_ns);
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

struct trace {
    struct span *spans;
    uint32_t count;
};

static enum status read_path_id(struct call *call, int part, const char *name,
                                uint8_t *id, size_t len)
{
    if (hex_bytes(call->parts[part], id, len))
        return OK;
    return call_fail(call, ERR_INVALID, NULL,
                     "%s must be %zu hexadecimal digits", name, 2 * len);
}

static bool touches(const struct trace *trace, const struct idset *scope)
{
    for (uint32_t i = 0; i < trace->count; i++)
        if (idset_has(scope, trace->spans[i].resource_id))
            return true;
    return false;
}

/* The trace named in the path; empty if it is not there, or not in the scope.
 * scope NULL: any. */
static enum status load_trace(struct call *call,
                              const struct scope_filter *scope, bool whole,
                              struct trace *trace)
{
    uint8_t id[16];
    struct idset *resources;
    enum status s = read_path_id(call, 0, "traceId", id, sizeof(id));

    *trace = (struct trace){NULL, 0};
    if (s != OK)
        return s;
    s = reader_query_trace(call->reader, id, whole, call->arena, &trace->spans,
                           &trace->count);
    if (s == ERR_NOT_FOUND)
        trace->count = 0;
    else if (s != OK)
        return call_fail_read(call, s);
    if (!scope || trace->count == 0)
        return OK;
    resources = registry_select(call->services->registry, scope, call->arena);
    if (!resources)
        return arena_status(call->arena);
    if (!touches(trace, resources))
        trace->count = 0;
    return OK;
}

static enum status query_spans(struct call *call)
{
    struct scope_filter scope;
    uint64_t start_ns, end_ns;
    uint32_t limit;
    bool ascending, whole = false;
    struct trace trace;
    enum status s = params_scope(call, 0, &scope);

    if (s == OK)
        s = params_range(call, &start_ns, &end_ns);
    if (s == OK)
        s = params_page(call, false, &limit, &ascending);
    if (s == OK)
        s = params_bool(call, "includeAttributes", &whole);
    if (s == OK)
        s = load_trace(call, &scope, whole, &trace);
    if (s != OK)
        return s;
    jsonw_open(&call->json, '{');
    jsonw_member_open(&call->json, "spans", '[');
    for (uint32_t i = 0; i < trace.count && i < limit; i++)
        reply_span(call, &trace.spans[ascending ? i : trace.count - 1 - i],
                   whole);
    reply_end(call, trace.count);
    return OK;
}

static enum status span_details(struct call *call,
                                const struct scope_filter *scope)
{
    uint8_t id[8];
    struct trace trace;
    enum status s = read_path_id(call, 1, "spanId", id, sizeof(id));

    if (s == OK)
        s = load_trace(call, scope, true, &trace);
    if (s != OK)
        return s;
    for (uint32_t i = 0; i < trace.count; i++)
        if (memcmp(trace.spans[i].span_id, id, sizeof(id)) == 0) {
            reply_span(call, &trace.spans[i], true);
            return OK;
        }
    return call_fail(call, ERR_NOT_FOUND, "OBS-V1-T-07", "Span not found");
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
