/*
 * OTLP/JSON: spans. Members stand in the order of the names.
 */
#include "otlp_json.h"

static void event_json(struct otlp *d, struct json *j, struct span_event *event)
{
    enum { TIME, NAME, ATTRS, DROPPED };
    static const char *const names[] = {"timeUnixNano", "name", "attributes",
                                        "droppedAttributesCount", NULL};
    struct list attrs = {0};
    uint32_t dropped = 0;
    int field;

    json_object(j);
    while ((field = json_field(j, names)) >= 0)
        switch (field) {
        case TIME:
            event->time_ns = json_uint64(j);
            break;
        case NAME:
            event->name = otlp_json_text(d, j);
            break;
        case ATTRS:
            otlp_json_attrs(d, j, &attrs);
            break;
        default:
            dropped = json_uint32(j);
        }
    event->attrs = otlp_attrs(&attrs, dropped);
}

static void events_json(struct otlp *d, struct json *j, struct list *events)
{
    *events = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        struct span_event *event = otlp_json_slot(
            d, j, events, sizeof(struct span_event), SPAN_MAX_EVENTS);

        if (event)
            event_json(d, j, event);
        else
            json_skip(j);
    }
}

static void link_json(struct otlp *d, struct json *j, struct span_link *link)
{
    enum { TRACE_ID, SPAN_ID, TRACE_STATE, ATTRS, DROPPED, FLAGS };
    static const char *const names[] = {"traceId",
                                        "spanId",
                                        "traceState",
                                        "attributes",
                                        "droppedAttributesCount",
                                        "flags",
                                        NULL};
    struct list attrs = {0};
    uint32_t dropped = 0;
    int field;

    json_object(j);
    while ((field = json_field(j, names)) >= 0)
        switch (field) {
        case TRACE_ID:
            json_id(j, link->trace_id, 16);
            break;
        case SPAN_ID:
            json_id(j, link->span_id, 8);
            break;
        case TRACE_STATE:
            link->trace_state = otlp_json_text(d, j);
            break;
        case ATTRS:
            otlp_json_attrs(d, j, &attrs);
            break;
        case DROPPED:
            dropped = json_uint32(j);
            break;
        default:
            link->flags = json_uint32(j);
        }
    link->attrs = otlp_attrs(&attrs, dropped);
}

static void links_json(struct otlp *d, struct json *j, struct list *links)
{
    *links = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        struct span_link *link = otlp_json_slot(
            d, j, links, sizeof(struct span_link), SPAN_MAX_EVENTS);

        if (!link) {
            json_skip(j);
            continue;
        }
        link_json(d, j, link);
        if (!otlp_link_good(link))
            otlp_list_drop(d, links);
    }
}

static void status_json(struct otlp *d, struct json *j, struct span *span)
{
    static const char *const names[] = {"message", "code", NULL};
    static const char *const codes[] = {"UNSET", "OK", "ERROR", NULL};
    int field;

    span->status = SPAN_UNSET;
    span->status_message = (struct slice){NULL, 0};
    json_object(j);
    while ((field = json_field(j, names)) >= 0)
        if (field == 0)
            span->status_message = otlp_json_text(d, j);
        else
            span->status = otlp_enum(json_enum(j, codes), SPAN_ERROR);
}

enum field {
    TRACE_ID,
    SPAN_ID,
    PARENT,
    NAME,
    KIND,
    START,
    END,
    ATTRS,
    EVENTS,
    LINKS,
    STATUS,
    FLAGS,
    TRACE_STATE,
    DROPPED_ATTRS,
    DROPPED_EVENTS,
    DROPPED_LINKS,
};

static const char *const span_names[] = {
    [TRACE_ID] = "traceId",
    [SPAN_ID] = "spanId",
    [PARENT] = "parentSpanId",
    [NAME] = "name",
    [KIND] = "kind",
    [START] = "startTimeUnixNano",
    [END] = "endTimeUnixNano",
    [ATTRS] = "attributes",
    [EVENTS] = "events",
    [LINKS] = "links",
    [STATUS] = "status",
    [FLAGS] = "flags",
    [TRACE_STATE] = "traceState",
    [DROPPED_ATTRS] = "droppedAttributesCount",
    [DROPPED_EVENTS] = "droppedEventsCount",
    [DROPPED_LINKS] = "droppedLinksCount",
    NULL,
};

/* What of a span has no place of its own in the record while it is read. */
struct parts {
    struct list attrs, events, links;
    uint32_t dropped_attrs;
    size_t parent_len;
};

static void span_field(struct otlp *d, struct json *j, enum field field,
                       struct span *span, struct parts *parts)
{
    static const char *const kinds[] = {"UNSPECIFIED", "INTERNAL", "SERVER",
                                        "CLIENT",      "PRODUCER", "CONSUMER",
                                        NULL};

    switch (field) {
    case TRACE_ID:
        json_id(j, span->trace_id, 16);
        break;
    case SPAN_ID:
        json_id(j, span->span_id, 8);
        break;
    case PARENT:
        parts->parent_len = json_id(j, span->parent_span_id, 8);
        break;
    case NAME:
        span->name = otlp_json_text(d, j);
        break;
    case KIND:
        span->kind = otlp_enum(json_enum(j, kinds), SPAN_CONSUMER);
        break;
    case START:
        span->start_ns = json_uint64(j);
        break;
    case END:
        span->end_ns = json_uint64(j);
        break;
    case ATTRS:
        otlp_json_attrs(d, j, &parts->attrs);
        break;
    case EVENTS:
        events_json(d, j, &parts->events);
        break;
    case LINKS:
        links_json(d, j, &parts->links);
        break;
    case STATUS:
        status_json(d, j, span);
        break;
    case FLAGS:
        span->flags = json_uint32(j);
        break;
    case TRACE_STATE:
        span->trace_state = otlp_json_text(d, j);
        break;
    case DROPPED_ATTRS:
        parts->dropped_attrs = json_uint32(j);
        break;
    case DROPPED_EVENTS:
        span->dropped_events = json_uint32(j);
        break;
    case DROPPED_LINKS:
        span->dropped_links = json_uint32(j);
        break;
    }
}

void otlp_json_span(struct otlp *d, struct json *j)
{
    struct span *span = otlp_new_span(d);
    struct parts parts = {0};
    int field;

    if (!span) {
        json_fail(j, ERR_INTERNAL, "more records than were counted");
        return;
    }
    json_object(j);
    while ((field = json_field(j, span_names)) >= 0)
        span_field(d, j, (enum field)field, span, &parts);
    span->attrs = otlp_attrs(&parts.attrs, parts.dropped_attrs);
    span->events = parts.events.at;
    span->event_count = parts.events.count;
    span->dropped_events = otlp_sum(span->dropped_events, parts.events.cut);
    span->links = parts.links.at;
    span->link_count = parts.links.count;
    span->dropped_links = otlp_sum(span->dropped_links, parts.links.cut);
    if (j->status == OK)
        otlp_take_span(d, span, parts.parent_len);
}
