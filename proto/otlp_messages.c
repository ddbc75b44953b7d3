/*
 * The messages of traces and logs (opentelemetry/proto/trace/v1, logs/v1,
 * common/v1 and resource/v1). Those of metrics are in otlp_points.c.
 */
#include "otlp_messages.h"

/* ---- resource and scope ---- */

static const struct otlp_field resource_fields[] = {
    [1] = OTLP_FIELD(struct otlp_owner, attrs, "attributes", OTLP_ATTRS),
    [2] = OTLP_FIELD(struct otlp_owner, dropped, "droppedAttributesCount",
                     OTLP_UINT32),
};
const struct otlp_message otlp_resource = {
    OTLP_STRUCT(resource_fields, struct otlp_owner), .attrs = 1};

static const struct otlp_field scope_fields[] = {
    [1] = OTLP_FIELD(struct otlp_owner, name, "name", OTLP_TEXT),
    [2] = OTLP_FIELD(struct otlp_owner, version, "version", OTLP_TEXT),
    [3] = OTLP_FIELD(struct otlp_owner, attrs, "attributes", OTLP_ATTRS),
    [4] = OTLP_FIELD(struct otlp_owner, dropped, "droppedAttributesCount",
                     OTLP_UINT32),
};
const struct otlp_message otlp_scope = {
    OTLP_STRUCT(scope_fields, struct otlp_owner), .attrs = 3};

void otlp_set_scope(struct scope *scope, const struct otlp_owner *owner)
{
    scope->name = owner->name;
    scope->version = owner->version;
    scope->attrs = otlp_attrs(&owner->attrs, owner->dropped);
}

/* ---- spans ---- */

struct event_message {
    struct span_event event;
    struct otlp_list attrs;
    uint32_t dropped;
};

static const struct otlp_field event_fields[] = {
    [1] = OTLP_FIELD(struct event_message, event.time_ns, "timeUnixNano",
                     OTLP_FIXED64),
    [2] = OTLP_FIELD(struct event_message, event.name, "name", OTLP_TEXT),
    [3] = OTLP_FIELD(struct event_message, attrs, "attributes", OTLP_ATTRS),
    [4] = OTLP_FIELD(struct event_message, dropped, "droppedAttributesCount",
                     OTLP_UINT32),
};

static bool finish_event(struct otlp_decoder *d, const void *at, void *slot)
{
    const struct event_message *message = at;
    struct span_event *event = slot;

    (void)d;
    *event = message->event;
    event->attrs = otlp_attrs(&message->attrs, message->dropped);
    return true;
}

static const struct otlp_message event_message = {
    OTLP_STRUCT(event_fields, struct event_message), .attrs = 3,
    .max = SPAN_MAX_EVENTS, .slot_size = sizeof(struct span_event),
    .finish = finish_event};

struct link_message {
    struct span_link link;
    struct otlp_list attrs;
    uint32_t dropped;
};

static const struct otlp_field link_fields[] = {
    [1] = OTLP_FIELD(struct link_message, link.trace_id, "traceId",
                     OTLP_TRACE_ID),
    [2] = OTLP_FIELD(struct link_message, link.span_id, "spanId", OTLP_SPAN_ID),
    [3] = OTLP_FIELD(struct link_message, link.trace_state, "traceState",
                     OTLP_TEXT),
    [4] = OTLP_FIELD(struct link_message, attrs, "attributes", OTLP_ATTRS),
    [5] = OTLP_FIELD(struct link_message, dropped, "droppedAttributesCount",
                     OTLP_UINT32),
    [6] = OTLP_FIELD(struct link_message, link.flags, "flags", OTLP_FIXED32),
};

static bool finish_link(struct otlp_decoder *d, const void *at, void *slot)
{
    const struct link_message *message = at;
    struct span_link *link = slot;

    (void)d;
    *link = message->link;
    link->attrs = otlp_attrs(&message->attrs, message->dropped);
    return !id_is_zero(link->trace_id, 16) && !id_is_zero(link->span_id, 8);
}

static const struct otlp_message link_message = {
    OTLP_STRUCT(link_fields, struct link_message), .attrs = 4,
    .max = SPAN_MAX_EVENTS, .slot_size = sizeof(struct span_link),
    .finish = finish_link};

struct status_message {
    struct slice message;
    uint8_t code;
};

static const char *const status_codes[] = {"UNSET", "OK", "ERROR", NULL};
static const struct otlp_field status_fields[] = {
    [2] = OTLP_FIELD(struct status_message, message, "message", OTLP_TEXT),
    [3] = OTLP_ENUM_FIELD(struct status_message, code, "code", status_codes,
                          SPAN_ERROR),
};
static const struct otlp_message status_message = {
    OTLP_STRUCT(status_fields, struct status_message)};

struct span_message {
    struct span span;
    struct otlp_parent_id parent;
    struct status_message status;
    struct otlp_list attrs, events, links;
    uint32_t dropped;
};

static const char *const span_kinds[] = {"UNSPECIFIED", "INTERNAL", "SERVER",
                                         "CLIENT",      "PRODUCER", "CONSUMER",
                                         NULL};

static const struct otlp_field span_fields[] = {
    [1] = OTLP_FIELD(struct span_message, span.trace_id, "traceId",
                     OTLP_TRACE_ID),
    [2] = OTLP_FIELD(struct span_message, span.span_id, "spanId", OTLP_SPAN_ID),
    [3] = OTLP_FIELD(struct span_message, span.trace_state, "traceState",
                     OTLP_TEXT),
    [4] =
        OTLP_FIELD(struct span_message, parent, "parentSpanId", OTLP_PARENT_ID),
    [5] = OTLP_FIELD(struct span_message, span.name, "name", OTLP_TEXT),
    [6] = OTLP_ENUM_FIELD(struct span_message, span.kind, "kind", span_kinds,
                          SPAN_CONSUMER),
    [7] = OTLP_FIELD(struct span_message, span.start_ns, "startTimeUnixNano",
                     OTLP_FIXED64),
    [8] = OTLP_FIELD(struct span_message, span.end_ns, "endTimeUnixNano",
                     OTLP_FIXED64),
    [9] = OTLP_FIELD(struct span_message, attrs, "attributes", OTLP_ATTRS),
    [10] = OTLP_FIELD(struct span_message, dropped, "droppedAttributesCount",
                      OTLP_UINT32),
    [11] = OTLP_SUB_FIELD(struct span_message, events, "events", OTLP_ELEMENTS,
                          event_message),
    [12] = OTLP_FIELD(struct span_message, span.dropped_events,
                      "droppedEventsCount", OTLP_UINT32),
    [13] = OTLP_SUB_FIELD(struct span_message, links, "links", OTLP_ELEMENTS,
                          link_message),
    [14] = OTLP_FIELD(struct span_message, span.dropped_links,
                      "droppedLinksCount", OTLP_UINT32),
    [15] = OTLP_SUB_FIELD(struct span_message, status, "status", OTLP_MESSAGE,
                          status_message),
    [16] = OTLP_FIELD(struct span_message, span.flags, "flags", OTLP_FIXED32),
};

static bool finish_span(struct otlp_decoder *d, const void *at, void *slot)
{
    const struct span_message *message = at;
    struct span *span = slot;

    *span = message->span;
    memcpy(span->parent_span_id, message->parent.id, 8);
    span->status_message = message->status.message;
    span->status = message->status.code;
    span->attrs = otlp_attrs(&message->attrs, message->dropped);
    span->events = message->events.at;
    span->event_count = message->events.count;
    span->dropped_events =
        otlp_sum(span->dropped_events, message->events.truncated);
    span->links = message->links.at;
    span->link_count = message->links.count;
    span->dropped_links =
        otlp_sum(span->dropped_links, message->links.truncated);
    span->resource_id = RESOURCE_NONE;
    span->resource = d->resource;
    span->scope = d->scope;
    otlp_accept_span(d, span, message->parent.len);
    return true;
}

const struct otlp_message otlp_span = {
    OTLP_STRUCT(span_fields, struct span_message), .attrs = 9,
    .finish = finish_span};

/* ---- log records ---- */

struct log_message {
    struct log_record log;
    struct otlp_list attrs;
    uint32_t dropped;
};

static const char *const severities[] = {
    "UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2",
    "DEBUG3",      "DEBUG4", "INFO",   "INFO2",  "INFO3",  "INFO4",  "WARN",
    "WARN2",       "WARN3",  "WARN4",  "ERROR",  "ERROR2", "ERROR3", "ERROR4",
    "FATAL",       "FATAL2", "FATAL3", "FATAL4", NULL};

static const struct otlp_field log_fields[] = {
    [1] = OTLP_FIELD(struct log_message, log.time_ns, "timeUnixNano",
                     OTLP_FIXED64),
    [2] = OTLP_ENUM_FIELD(struct log_message, log.severity, "severityNumber",
                          severities, 24),
    [3] = OTLP_FIELD(struct log_message, log.severity_text, "severityText",
                     OTLP_TEXT),
    [5] = OTLP_FIELD(struct log_message, log.body, "body", OTLP_BODY),
    [6] = OTLP_FIELD(struct log_message, attrs, "attributes", OTLP_ATTRS),
    [7] = OTLP_FIELD(struct log_message, dropped, "droppedAttributesCount",
                     OTLP_UINT32),
    [8] = OTLP_FIELD(struct log_message, log.flags, "flags", OTLP_FIXED32),
    [9] =
        OTLP_FIELD(struct log_message, log.trace_id, "traceId", OTLP_TRACE_ID),
    [10] = OTLP_FIELD(struct log_message, log.span_id, "spanId", OTLP_SPAN_ID),
    [11] = OTLP_FIELD(struct log_message, log.observed_ns,
                      "observedTimeUnixNano", OTLP_FIXED64),
    [12] =
        OTLP_FIELD(struct log_message, log.event_name, "eventName", OTLP_TEXT),
};

static bool finish_log(struct otlp_decoder *d, const void *at, void *slot)
{
    const struct log_message *message = at;
    struct log_record *log = slot;

    *log = message->log;
    log->attrs = otlp_attrs(&message->attrs, message->dropped);
    log->resource_id = RESOURCE_NONE;
    log->resource = d->resource;
    log->scope = d->scope;
    otlp_accept_log(d, log);
    return true;
}

const struct otlp_message otlp_log = {
    OTLP_STRUCT(log_fields, struct log_message), .attrs = 6,
    .finish = finish_log};

_Static_assert(sizeof(struct span_message) <= OTLP_MAX_MESSAGE &&
                   sizeof(struct log_message) <= OTLP_MAX_MESSAGE,
               "messages fit the readers' buffers");
