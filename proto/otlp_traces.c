/*
 * OTLP/protobuf: spans, one function per message.
 */
#include "otlp_parts.h"

/* Span.Event */
static void event_wire(struct otlp *d, struct wire *w, struct list *events)
{
    struct span_event *event = otlp_wire_slot(
        d, w, events, sizeof(struct span_event), SPAN_MAX_EVENTS);
    struct wire sub = wire_sub(w);
    struct list attrs = {0};
    uint32_t dropped = 0;

    if (!event)
        return;
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_I64(1):
            event->time_ns = wire_fixed64(&sub);
            break;
        case WIRE_LEN(2):
            event->name = otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(3):
            otlp_wire_attr(d, &sub, &attrs);
            break;
        case WIRE_VARINT(4):
            dropped = (uint32_t)wire_varint(&sub);
            break;
        default:
            wire_skip(&sub, 0x1e);
        }
    event->attrs = otlp_attrs(&attrs, dropped);
    wire_join(w, &sub);
}

/* Span.Link */
static void link_wire(struct otlp *d, struct wire *w, struct list *links)
{
    struct span_link *link =
        otlp_wire_slot(d, w, links, sizeof(struct span_link), SPAN_MAX_EVENTS);
    struct wire sub = wire_sub(w);
    struct list attrs = {0};
    uint32_t dropped = 0;

    if (!link)
        return;
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            otlp_id(link->trace_id, 16, wire_bytes(&sub));
            break;
        case WIRE_LEN(2):
            otlp_id(link->span_id, 8, wire_bytes(&sub));
            break;
        case WIRE_LEN(3):
            link->trace_state = otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(4):
            otlp_wire_attr(d, &sub, &attrs);
            break;
        case WIRE_VARINT(5):
            dropped = (uint32_t)wire_varint(&sub);
            break;
        case WIRE_I32(6):
            link->flags = wire_fixed32(&sub);
            break;
        default:
            wire_skip(&sub, 0x7e);
        }
    link->attrs = otlp_attrs(&attrs, dropped);
    if (!otlp_link_good(link))
        otlp_list_drop(d, links);
    wire_join(w, &sub);
}

/* Status */
static void status_wire(struct otlp *d, struct wire *w, struct span *span)
{
    struct wire sub = wire_sub(w);

    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(2):
            span->status_message =
                otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_VARINT(3):
            span->status = otlp_enum(wire_int32(&sub), SPAN_ERROR);
            break;
        default:
            wire_skip(&sub, 1u << 2 | 1u << 3);
        }
    wire_join(w, &sub);
}

/* What of a span has no place of its own in the record while it is read. */
struct parts {
    struct list attrs, events, links;
    uint32_t dropped_attrs;
    size_t parent_len;
};

/* The fields that most spans have come first. */
static void span_field(struct otlp *d, struct wire *w, struct span *span,
                       struct parts *parts)
{
    struct slice id;

    switch (w->tag) {
    case WIRE_LEN(9):
        otlp_wire_attr(d, w, &parts->attrs);
        break;
    case WIRE_LEN(1):
        otlp_id(span->trace_id, 16, wire_bytes(w));
        break;
    case WIRE_LEN(2):
        otlp_id(span->span_id, 8, wire_bytes(w));
        break;
    case WIRE_LEN(3):
        span->trace_state = otlp_text(d, wire_bytes(w), ATTR_MAX_VALUE);
        break;
    case WIRE_LEN(4):
        id = wire_bytes(w);
        parts->parent_len = id.len;
        otlp_id(span->parent_span_id, 8, id);
        break;
    case WIRE_LEN(5):
        span->name = otlp_text(d, wire_bytes(w), ATTR_MAX_VALUE);
        break;
    case WIRE_VARINT(6):
        span->kind = otlp_enum(wire_int32(w), SPAN_CONSUMER);
        break;
    case WIRE_I64(7):
        span->start_ns = wire_fixed64(w);
        break;
    case WIRE_I64(8):
        span->end_ns = wire_fixed64(w);
        break;
    case WIRE_VARINT(10):
        parts->dropped_attrs = (uint32_t)wire_varint(w);
        break;
    case WIRE_LEN(11):
        event_wire(d, w, &parts->events);
        break;
    case WIRE_VARINT(12):
        span->dropped_events = (uint32_t)wire_varint(w);
        break;
    case WIRE_LEN(13):
        link_wire(d, w, &parts->links);
        break;
    case WIRE_VARINT(14):
        span->dropped_links = (uint32_t)wire_varint(w);
        break;
    case WIRE_LEN(15):
        status_wire(d, w, span);
        break;
    case WIRE_I32(16):
        span->flags = wire_fixed32(w);
        break;
    default:
        wire_skip(w, 0x1fffe);
    }
}

void otlp_wire_span(struct otlp *d, struct wire *w)
{
    struct wire sub = wire_sub(w);
    struct span *span = otlp_new_span(d);
    struct parts parts = {0};

    if (!span) {
        wire_fail(w, ERR_INTERNAL, "more records than were counted");
        return;
    }
    while (wire_next(&sub))
        span_field(d, &sub, span, &parts);
    span->attrs = otlp_attrs(&parts.attrs, parts.dropped_attrs);
    span->events = parts.events.at;
    span->event_count = parts.events.count;
    span->dropped_events =
        otlp_sum(span->dropped_events, parts.events.truncated);
    span->links = parts.links.at;
    span->link_count = parts.links.count;
    span->dropped_links = otlp_sum(span->dropped_links, parts.links.truncated);
    if (sub.status == OK)
        otlp_take_span(d, span, parts.parent_len);
    wire_join(w, &sub);
}
