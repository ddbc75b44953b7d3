/*
 * OTLP/protobuf: log records.
 */
#include "otlp_parts.h"

static void log_field(struct otlp *d, struct wire *w, struct log_record *log,
                      struct list *attrs, uint32_t *dropped)
{
    switch (w->tag) {
    case WIRE_I64(1):
        log->time_ns = wire_fixed64(w);
        break;
    case WIRE_VARINT(2):
        log->severity = otlp_enum(wire_int32(w), 24);
        break;
    case WIRE_LEN(3):
        log->severity_text = otlp_text(d, wire_bytes(w), ATTR_MAX_VALUE);
        break;
    case WIRE_LEN(5):
        otlp_wire_value(d, w, &log->body, LOG_MAX_BODY);
        break;
    case WIRE_LEN(6):
        otlp_wire_attr(d, w, attrs);
        break;
    case WIRE_VARINT(7):
        *dropped = (uint32_t)wire_varint(w);
        break;
    case WIRE_I32(8):
        log->flags = wire_fixed32(w);
        break;
    case WIRE_LEN(9):
        otlp_id(log->trace_id, 16, wire_bytes(w));
        break;
    case WIRE_LEN(10):
        otlp_id(log->span_id, 8, wire_bytes(w));
        break;
    case WIRE_I64(11):
        log->observed_ns = wire_fixed64(w);
        break;
    case WIRE_LEN(12):
        log->event_name = otlp_text(d, wire_bytes(w), ATTR_MAX_VALUE);
        break;
    default: /* 4 is reserved */
        wire_skip(w, 0x1fee);
    }
}

void otlp_wire_log(struct otlp *d, struct wire *w)
{
    struct wire sub = wire_sub(w);
    struct log_record *log = otlp_new_log(d);
    struct list attrs = {0};
    uint32_t dropped = 0;

    if (!log) {
        wire_fail(w, ERR_INTERNAL, "more records than were counted");
        return;
    }
    while (wire_next(&sub))
        log_field(d, &sub, log, &attrs, &dropped);
    log->attrs = otlp_attrs(&attrs, dropped);
    if (sub.status == OK)
        otlp_take_log(d, log);
    wire_join(w, &sub);
}
