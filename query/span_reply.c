/* The tables of a span; see span_reply.h. */
#include "span_reply.h"

const char *span_kind_name(uint8_t kind)
{
    static const char *const names[] = {"",       "INTERNAL", "SERVER",
                                        "CLIENT", "PRODUCER", "CONSUMER"};

    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "";
}

static const struct reply_table status_table = REPLY_TABLE(
    struct span_status_reply, REPLY(struct span_status_reply, "code", code),
    REPLY_OPTIONAL(struct span_status_reply, "message", message));

static const struct reply_table event_table = REPLY_TABLE(
    struct span_event, REPLY_TIME(struct span_event, "timestamp", time_ns),
    REPLY(struct span_event, "name", name),
    REPLY(struct span_event, "attributes", attrs));

static const struct reply_table link_table =
    REPLY_TABLE(struct span_link, REPLY(struct span_link, "traceId", trace_id),
                REPLY(struct span_link, "spanId", span_id),
                REPLY(struct span_link, "attributes", attrs));

static const struct reply_table details_table = REPLY_TABLE(
    struct span_details, REPLY_ATTRS(struct span_details, "attributes", attrs),
    REPLY_ATTRS(struct span_details, "resourceAttributes", resource_attrs),
    REPLY_LIST(struct span_details, "events", events, &event_table),
    REPLY_LIST(struct span_details, "links", links, &link_table));

static const struct reply_table head_table =
    REPLY_TABLE(struct span, REPLY(struct span, "spanId", span_id),
                REPLY(struct span, "spanName", name),
                REPLY_TIME(struct span, "endTime", end_ns),
                REPLY_OPTIONAL(struct span, "parentSpanId", parent_span_id),
                REPLY_OPTIONAL(struct span, "endpoint", endpoint),
                REPLY_OPTIONAL(struct span, "operation", operation));

const struct reply_table span_table = REPLY_TABLE(
    struct span_view,
    REPLY_INLINE(struct span_view, span, REPLY_POINTER, &head_table),
    REPLY_OPTIONAL(struct span_view, "spanKind", kind),
    REPLY(struct span_view, "startTime", start),
    REPLY(struct span_view, "durationNs", duration_ns),
    /* What ingest had to correct. */
    REPLY_OPTIONAL(struct span_view, "timeCorrected", time_corrected),
    REPLY_OPTIONAL(struct span_view, "endBeforeStart", end_before_start),
    REPLY_OBJECT(struct span_view, "status", status, 0, &status_table),
    REPLY_OPTIONAL(struct span_view, "component", component),
    REPLY_OPTIONAL(struct span_view, "project", project),
    REPLY_INLINE(struct span_view, details, REPLY_POINTER, &details_table));

/* Agrees with hasErrors of the trace: ERROR too where the sender left the
 * status unset and its attributes say that the span failed. */
static const char *status_name(const struct span *span)
{
    if (span_failed(span))
        return "error";
    return span->status == SPAN_OK ? "ok" : "unset";
}

const struct span_view *span_view_fill(struct span_view *view,
                                       struct query_request *request,
                                       const struct span *span,
                                       struct list_time start, bool details)
{
    const struct resource_info *resource =
        reply_resource(request, span->resource_id);

    if (!resource)
        return NULL;
    *view =
        (struct span_view){.start = start,
                           .kind = span_kind_name(span->kind),
                           .time_corrected = span->corrected & CORRECTED_TIME,
                           .end_before_start = span->corrected & CORRECTED_END,
                           .duration_ns = span->end_ns - span->start_ns,
                           .status = {status_name(span), span->status_message},
                           .component = resource->identity.component,
                           .project = resource->identity.project,
                           .span = span};
    if (details) {
        view->with_details = (struct span_details){
            .attrs = &span->attrs,
            .resource_attrs = &resource->resource.attrs,
            .events = {span->event_count, span->events, NULL, NULL},
            .links = {span->link_count, span->links, NULL, NULL}};
        view->details = &view->with_details;
    }
    return view;
}
