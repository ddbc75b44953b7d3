/*
 * OTLP/JSON: spans.
 */
#include "otlp_json.h"

static bool event_json(struct otlp *d, struct json *j, void *at)
{
    static const struct member members[] = {
        MEMBER(struct span_event, time_ns, "timeUnixNano", otlp_json_uint64),
        MEMBER(struct span_event, name, "name", otlp_json_text),
        MEMBER(struct span_event, attrs, "attributes", otlp_json_attrs),
        MEMBER(struct span_event, attrs, "droppedAttributesCount",
               otlp_json_dropped),
        {0},
    };

    otlp_json_members(d, j, members, at);
    return true;
}

static void events_json(struct otlp *d, struct json *j, void *at)
{
    struct span *span = at;
    struct list list;

    otlp_json_array(d, j, &list, sizeof(struct span_event), SPAN_MAX_EVENTS,
                    event_json);
    span->events = list.at;
    span->event_count = list.count;
    span->dropped_events = otlp_sum(span->dropped_events, list.truncated);
}

static bool link_json(struct otlp *d, struct json *j, void *at)
{
    static const struct member members[] = {
        MEMBER(struct span_link, trace_id, "traceId", otlp_json_trace_id),
        MEMBER(struct span_link, span_id, "spanId", otlp_json_span_id),
        MEMBER(struct span_link, trace_state, "traceState", otlp_json_text),
        MEMBER(struct span_link, attrs, "attributes", otlp_json_attrs),
        MEMBER(struct span_link, attrs, "droppedAttributesCount",
               otlp_json_dropped),
        MEMBER(struct span_link, flags, "flags", otlp_json_uint32),
        {0},
    };

    otlp_json_members(d, j, members, at);
    return otlp_link_good(at);
}

static void links_json(struct otlp *d, struct json *j, void *at)
{
    struct span *span = at;
    struct list list;

    otlp_json_array(d, j, &list, sizeof(struct span_link), SPAN_MAX_EVENTS,
                    link_json);
    span->links = list.at;
    span->link_count = list.count;
    span->dropped_links = otlp_sum(span->dropped_links, list.truncated);
}

/* Adds to what was truncated, which may have been read before or after it. */
static void dropped_json(struct otlp *d, struct json *j, void *at)
{
    uint32_t *dropped = at;

    (void)d;
    *dropped = otlp_sum(*dropped, json_uint32(j));
}

/* A span, and the length of its parent's id as sent. */
struct whole {
    struct span span;
    size_t parent_len;
};

static void parent_json(struct otlp *d, struct json *j, void *at)
{
    struct whole *whole = at;

    (void)d;
    whole->parent_len = json_id(j, whole->span.parent_span_id, 8);
}

static void kind_json(struct otlp *d, struct json *j, void *at)
{
    static const char *const kinds[] = {"UNSPECIFIED", "INTERNAL", "SERVER",
                                        "CLIENT",      "PRODUCER", "CONSUMER",
                                        NULL};

    (void)d;
    *(uint8_t *)at = otlp_enum(json_enum(j, kinds), SPAN_CONSUMER);
}

static void code_json(struct otlp *d, struct json *j, void *at)
{
    static const char *const codes[] = {"UNSET", "OK", "ERROR", NULL};

    (void)d;
    *(uint8_t *)at = otlp_enum(json_enum(j, codes), SPAN_ERROR);
}

static void status_json(struct otlp *d, struct json *j, void *at)
{
    static const struct member members[] = {
        MEMBER(struct span, status_message, "message", otlp_json_text),
        MEMBER(struct span, status, "code", code_json),
        {0},
    };
    struct span *span = at;

    span->status = SPAN_UNSET;
    span->status_message = (struct slice){NULL, 0};
    otlp_json_members(d, j, members, span);
}

static const struct member span_members[] = {
    MEMBER(struct whole, span.trace_id, "traceId", otlp_json_trace_id),
    MEMBER(struct whole, span.span_id, "spanId", otlp_json_span_id),
    MEMBER(struct whole, span, "parentSpanId", parent_json),
    MEMBER(struct whole, span.name, "name", otlp_json_text),
    MEMBER(struct whole, span.kind, "kind", kind_json),
    MEMBER(struct whole, span.start_ns, "startTimeUnixNano", otlp_json_uint64),
    MEMBER(struct whole, span.end_ns, "endTimeUnixNano", otlp_json_uint64),
    MEMBER(struct whole, span.attrs, "attributes", otlp_json_attrs),
    MEMBER(struct whole, span, "events", events_json),
    MEMBER(struct whole, span, "links", links_json),
    MEMBER(struct whole, span, "status", status_json),
    MEMBER(struct whole, span.flags, "flags", otlp_json_uint32),
    MEMBER(struct whole, span.trace_state, "traceState", otlp_json_text),
    MEMBER(struct whole, span.attrs, "droppedAttributesCount",
           otlp_json_dropped),
    MEMBER(struct whole, span.dropped_events, "droppedEventsCount",
           dropped_json),
    MEMBER(struct whole, span.dropped_links, "droppedLinksCount", dropped_json),
    {0},
};

void otlp_json_span(struct otlp *d, struct json *j)
{
    struct span *span = otlp_new_span(d);
    struct whole whole = {.parent_len = 0};

    if (!span) {
        json_fail(j, ERR_INTERNAL, "more records than were counted");
        return;
    }
    whole.span = *span;
    otlp_json_members(d, j, span_members, &whole);
    *span = whole.span;
    if (j->status == OK)
        otlp_take_span(d, span, whole.parent_len);
}
