/*
 * One trace as a trace frame: spans with their attributes as tags, events as
 * logs, links as references. Spans that may not be seen are shown as the query
 * API does (hidden_spans.h).
 */
#include "clock.h"
#include "grafana_columns.h"
#include "grafana_handlers.h"
#include "grafana_records.h"
#include "hex.h"
#include "hidden_spans.h"
#include "span_reply.h"

enum { SPANS = 10000 };

enum {
    SPAN_TRACE_ID,
    SPAN_ID,
    SPAN_PARENT,
    SPAN_NAME,
    SPAN_SERVICE,
    SPAN_SERVICE_NAMESPACE,
    SPAN_SERVICE_TAGS,
    SPAN_START,
    SPAN_DURATION,
    SPAN_KIND,
    SPAN_STATUS,
    SPAN_STATUS_TEXT,
    SPAN_LIBRARY,
    SPAN_LIBRARY_VERSION,
    SPAN_TRACE_STATE,
    SPAN_TAGS,
    SPAN_LOGS,
    SPAN_REFERENCES,
    SPAN_WARNINGS,
    SPAN_COLUMNS
};
static const struct column span_columns[SPAN_COLUMNS] = {
    {"traceID", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"spanID", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"parentSpanID", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"operationName", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"serviceName", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"serviceNamespace", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"serviceTags", FIELD_OTHER, NULL, NULL, NULL, NULL},
    /* Milliseconds with a fraction, so no time. */
    {"startTime", FIELD_NUMBER, "dateTimeAsIso", NULL, NULL, NULL},
    {"duration", FIELD_NUMBER, "ms", NULL, NULL, NULL},
    {"kind", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"statusCode", FIELD_NUMBER, "none", NULL, NULL, NULL},
    {"statusMessage", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"instrumentationLibraryName", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"instrumentationLibraryVersion", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"traceState", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"tags", FIELD_OTHER, NULL, NULL, NULL, NULL},
    {"logs", FIELD_OTHER, NULL, NULL, NULL, NULL},
    {"references", FIELD_OTHER, NULL, NULL, NULL, NULL},
    {"warnings", FIELD_OTHER, NULL, NULL, NULL, NULL},
};

static double milliseconds(uint64_t ns)
{
    return (double)(ns / NS_PER_US) / 1e3;
}

/* ---- JSON of a cell ---- */

static void write_tag(struct jsonw *w, struct slice key,
                      const struct attr *value)
{
    jsonw_open(w, '{');
    jsonw_member_text(w, "key", key);
    jsonw_name(w, "value");
    jsonw_value(w, value);
    jsonw_close(w, '}');
}

static void write_text_tag(struct jsonw *w, const char *key, struct slice text)
{
    const struct attr value = attr_string(key, text);

    if (text.len > 0)
        write_tag(w, slice_of(key), &value);
}

static void write_tags(struct jsonw *w, const struct attrs *attrs)
{
    for (uint32_t i = 0; i < attrs->count; i++)
        write_tag(w, attr_key(&attrs->at[i]), &attrs->at[i]);
}

/* [{"key", "value"}, ...]: who sent it. */
static struct slice service_tags(struct grafana_query *q,
                                 const struct resource_info *resource)
{
    const struct identity *identity = &resource->identity;
    struct json_text text;
    struct jsonw *w = json_text_begin(&text, q->request);

    jsonw_open(w, '[');
    write_text_tag(w, "namespace", identity->namespace);
    write_text_tag(w, "project", identity->project);
    write_text_tag(w, "environment", identity->environment);
    write_text_tag(w, "component", identity->component);
    write_tags(w, &resource->resource.attrs);
    jsonw_close(w, ']');
    return json_text_take(&text, q->request->arena);
}

static struct slice span_tags(struct grafana_query *q, const struct span *span)
{
    static const struct attr yes = {.type = VALUE_BOOL, .b = true};
    struct json_text text;
    struct jsonw *w = json_text_begin(&text, q->request);

    jsonw_open(w, '[');
    write_text_tag(w, "endpoint", span->endpoint);
    write_text_tag(w, "operation", span->operation);
    if (span_failed(span)) /* what colours the span */
        write_tag(w, SLICE("error"), &yes);
    for (uint32_t i = 0; i < span->attrs.count; i++) {
        const struct attr *attr = &span->attrs.at[i];

        if (!span_failed(span) || !slice_equal(attr_key(attr), SLICE("error")))
            write_tag(w, attr_key(attr), attr);
    }
    jsonw_close(w, ']');
    return json_text_take(&text, q->request->arena);
}

/* [{"timestamp", "name", "fields": [...]}, ...] */
static struct slice span_logs(struct grafana_query *q, const struct span *span)
{
    struct json_text text;
    struct jsonw *w = json_text_begin(&text, q->request);

    jsonw_open(w, '[');
    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct span_event *event = &span->events[i];

        jsonw_open(w, '{');
        jsonw_name(w, "timestamp");
        jsonw_double(w, milliseconds(event->time_ns));
        jsonw_member_text(w, "name", event->name);
        jsonw_name(w, "fields");
        jsonw_open(w, '[');
        write_text_tag(w, "event", event->name);
        write_tags(w, &event->attrs);
        jsonw_close(w, ']');
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    return json_text_take(&text, q->request->arena);
}

/* [{"traceID", "spanID", "tags": [...]}, ...] */
static struct slice span_references(struct grafana_query *q,
                                    const struct span *span)
{
    struct json_text text;
    struct jsonw *w = json_text_begin(&text, q->request);

    jsonw_open(w, '[');
    for (uint32_t i = 0; i < span->link_count; i++) {
        const struct span_link *link = &span->links[i];

        jsonw_open(w, '{');
        jsonw_name(w, "traceID");
        jsonw_hex(w, link->trace_id, sizeof(link->trace_id));
        jsonw_name(w, "spanID");
        jsonw_hex(w, link->span_id, sizeof(link->span_id));
        jsonw_name(w, "tags");
        jsonw_open(w, '[');
        write_tags(w, &link->attrs);
        jsonw_close(w, ']');
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    return json_text_take(&text, q->request->arena);
}

/* What ingest corrected, and what is missing. */
static struct slice span_warnings(struct grafana_query *q,
                                  const struct span *span)
{
    struct json_text text;
    struct jsonw *w = json_text_begin(&text, q->request);

    jsonw_open(w, '[');
    if (span->corrected & CORRECTED_TIME)
        jsonw_cstr(w, "the start time was missing or in the future: it is the "
                      "time of arrival");
    if (span->corrected & CORRECTED_END)
        jsonw_cstr(w, "the span ended before it started: its duration is 0");
    if (span->attrs.dropped > 0)
        jsonw_cstr(w, "some attributes were dropped");
    if (span->dropped_events > 0)
        jsonw_cstr(w, "some events were dropped");
    if (span->dropped_links > 0)
        jsonw_cstr(w, "some links were dropped");
    jsonw_close(w, ']');
    return json_text_take(&text, q->request->arena);
}

/* ---- rows ---- */

/* Lower case, as Grafana shows kinds. */
static const char *kind_text(uint8_t kind)
{
    static const char *const names[] = {"unspecified", "internal", "server",
                                        "client",      "producer", "consumer"};

    return names[kind < sizeof(names) / sizeof(*names) ? kind : 0];
}

static double status_code(const struct span *span)
{
    return span_failed(span) ? SPAN_ERROR : span->status;
}

/* service.name, as the sender calls itself; else the component. */
static struct slice service_name(const struct resource_info *resource)
{
    struct slice name = resource->identity.component;

    return name.len > 0
               ? name
               : attrs_text(&resource->resource.attrs, SLICE("service.name"));
}

static void add_ids(struct grafana_query *q, struct grafana_field **f,
                    const struct span *span)
{
    struct arena *arena = q->request->arena;

    field_text(f[SPAN_TRACE_ID],
               hex_text(arena, span->trace_id, sizeof(span->trace_id)));
    field_text(f[SPAN_ID],
               hex_text(arena, span->span_id, sizeof(span->span_id)));
    if (!id_is_zero(span->parent_span_id, sizeof(span->parent_span_id)))
        field_text(f[SPAN_PARENT], hex_text(arena, span->parent_span_id,
                                            sizeof(span->parent_span_id)));
}

static void add_span(struct grafana_query *q, struct grafana_field **f,
                     const struct span *span, struct slice *tags_of_service,
                     uint32_t *last_resource)
{
    const struct resource_info *resource =
        reply_resource(q->request, span->resource_id);

    if (!resource)
        return; /* the arena is full: this answer is replaced */
    if (*last_resource != span->resource_id || !tags_of_service->ptr)
        *tags_of_service = service_tags(q, resource);
    *last_resource = span->resource_id;
    add_ids(q, f, span);
    field_text(f[SPAN_NAME], span->name);
    field_text(f[SPAN_SERVICE], service_name(resource));
    field_text(f[SPAN_SERVICE_NAMESPACE], resource->identity.project);
    field_json(f[SPAN_SERVICE_TAGS], *tags_of_service);
    field_number(f[SPAN_START], milliseconds(span->start_ns));
    field_number(f[SPAN_DURATION],
                 (double)(span->end_ns - span->start_ns) / 1e6);
    field_text(f[SPAN_KIND], slice_of(kind_text(span->kind)));
    field_number(f[SPAN_STATUS], status_code(span));
    field_text(f[SPAN_STATUS_TEXT], span->status_message);
    if (span->scope) {
        field_text(f[SPAN_LIBRARY], span->scope->name);
        field_text(f[SPAN_LIBRARY_VERSION], span->scope->version);
    }
    field_text(f[SPAN_TRACE_STATE], span->trace_state);
    field_json(f[SPAN_TAGS], span_tags(q, span));
    field_json(f[SPAN_LOGS], span_logs(q, span));
    field_json(f[SPAN_REFERENCES], span_references(q, span));
    field_json(f[SPAN_WARNINGS], span_warnings(q, span));
}

/* ---- the trace ---- */

/* The namespace whose hidden spans keep the shape of the trace: that of the
 * scope, else of the first span. */
static struct slice space_of(struct grafana_query *q,
                             const struct span_page *page)
{
    const struct identity *identity;

    if (q->scope.namespace.len > 0)
        return q->scope.namespace;
    identity = reply_resource_identity(q->request, page->spans[0].resource_id);
    return identity ? identity->namespace : (struct slice){NULL, 0};
}

/* It is found by its id alone. */
static enum status read_spans(struct grafana_query *q, const uint8_t id[16],
                              struct span_page *page)
{
    struct query_request *request = q->request;
    struct count_limit counting = {.most = SPANS};
    struct span_query query = {.trace_id = id,
                               .whole = true,
                               .ascending = true,
                               .limit = SPANS,
                               .counting = &counting};
    enum status s = params_visible(request, &query.visible);

    if (s != OK)
        return s;
    query.resources = query.visible;
    s = reader_query_spans(request->reader, &query, request->arena,
                           &page->spans, &page->count, &page->total);
    if (s != OK)
        return query_fail_read(request, s);
    return page->count > 0
               ? hidden_spans_add(request, &query, space_of(q, page), page)
               : OK;
}

enum status grafana_trace(struct grafana_query *q)
{
    struct slice text = slice_trim(payload_text(q, "trace_id"), PARAMS_BLANKS);
    struct slice tags = {NULL, 0};
    struct grafana_field *f[SPAN_COLUMNS];
    uint32_t resource = RESOURCE_NONE;
    struct grafana_frame *frame;
    struct span_page page;
    uint8_t id[16];
    enum status s;

    frame = FRAME_COLUMNS(q, "trace", span_columns, f);
    if (!frame)
        return OK; /* the arena is full */
    frame->visual = "trace";
    if (text.len == 0) {
        frame_notice(frame, NOTICE_INFO,
                     "no trace is chosen: give its id, or open one from the "
                     "list of traces");
        return OK;
    }
    if (!hex_trace_id(text, id))
        return query_refuse(q,
                            "trace_id must be 32 hexadecimal digits; \"%.*s\" "
                            "is not",
                            (int)min_u64(text.len, 64), text.ptr);
    s = read_spans(q, id, &page);
    if (s != OK)
        return s;
    for (uint32_t i = 0; i < page.count; i++) {
        frame_row(frame);
        add_span(q, f, &page.spans[i], &tags, &resource);
    }
    if (page.count == 0)
        frame_notice(frame, NOTICE_WARNING,
                     "there is no trace %.*s: it is not stored any more, was "
                     "never received, or may not be seen",
                     (int)min_u64(text.len, 64), text.ptr);
    if (page.total > page.count)
        frame_notice(frame, NOTICE_WARNING,
                     "the trace has more spans: the first %u are shown",
                     page.count);
    return OK;
}
