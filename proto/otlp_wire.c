/*
 * OTLP/protobuf: the walk over resources, scopes and records.
 *
 * The three signals have the same structure and field numbers down to the
 * record, so one walk serves all. A pass before it counts the messages, jumping
 * from length to length, so that each array is allocated once with the right
 * size. Fields are read in otlp_wire_fields.c.
 */
#include "otlp_wire.h"
#include "buf.h"

/* Reads a span, a log record or a metric point. */
static void record_wire(struct otlp_decoder *d, struct wire *w)
{
    const struct otlp_message *message = otlp_record_message(d);
    _Alignas(8) char buffer[OTLP_MAX_MESSAGE];
    struct wire sub = wire_sub(w);
    void *slot = otlp_new_record(d);

    if (!slot) {
        wire_fail(w, ERR_INTERNAL, "more records than were counted");
        return;
    }
    memset(buffer, 0, message->size);
    otlp_wire_message(d, &sub, message, buffer);
    if (sub.status == OK && !message->finish(d, buffer, slot))
        otlp_wire_arena_full(d, &sub);
    wire_join(w, &sub);
}

/* Gauge, Sum, Histogram, ExponentialHistogram or Summary, as metric->type. */
static void data_wire(struct otlp_decoder *d, struct wire *w,
                      struct metric *metric)
{
    bool has_temporality = metric->type == METRIC_SUM ||
                           metric->type == METRIC_HISTOGRAM ||
                           metric->type == METRIC_EXP_HISTOGRAM;
    struct wire sub = wire_sub(w);

    while (wire_next(&sub))
        if (sub.tag == WIRE_LEN(1))
            record_wire(d, &sub);
        else if (sub.tag == WIRE_VARINT(2) && has_temporality)
            metric->temporality = otlp_enum(wire_int32(&sub), CUMULATIVE);
        else if (sub.tag == WIRE_VARINT(3) && metric->type == METRIC_SUM)
            metric->monotonic = wire_bool(&sub);
        else
            wire_skip(&sub, 1u << 1 | (has_temporality ? 1u << 2 : 0) |
                                (metric->type == METRIC_SUM ? 1u << 3 : 0));
    wire_join(w, &sub);
}

/* The points are in a submessage per type, a oneof: the last type sent wins,
 * and points of another one before it are removed. */
static void metric_wire(struct otlp_decoder *d, struct wire *w)
{
    static const uint8_t types[] = {
        [5] = METRIC_GAUGE,     [7] = METRIC_SUM,
        [9] = METRIC_HISTOGRAM, [10] = METRIC_EXP_HISTOGRAM,
        [11] = METRIC_SUMMARY,
    };
    struct wire sub = wire_sub(w);
    struct metric *metric = otlp_new_metric(d);
    struct otlp_mark mark = otlp_mark(d);
    uint32_t data = 0; /* the field number of the oneof's member */

    if (!metric) {
        wire_fail(w, ERR_INTERNAL, "more metrics than were counted");
        return;
    }
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            metric->name = otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(2):
            metric->description =
                otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(3):
            metric->unit = otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(5):
        case WIRE_LEN(7):
        case WIRE_LEN(9):
        case WIRE_LEN(10):
        case WIRE_LEN(11):
            if (data != sub.tag >> 3) {
                otlp_back(d, &mark);
                data = sub.tag >> 3;
                otlp_set_type(metric, types[data]);
            }
            data_wire(d, &sub, metric);
            break;
        default: /* metadata, 12, is not stored */
            wire_skip(&sub, 0xeae);
        }
    wire_join(w, &sub);
}

static void owner_wire(struct otlp_decoder *d, struct wire *w,
                       const struct otlp_message *message,
                       struct otlp_owner *owner)
{
    struct wire sub = wire_sub(w);

    otlp_wire_message(d, &sub, message, owner);
    wire_join(w, &sub);
}

/* ScopeSpans, ScopeLogs, ScopeMetrics. */
static void scope_records_wire(struct otlp_decoder *d, struct wire *w)
{
    struct wire sub = wire_sub(w);
    struct otlp_owner owner = {.dropped = 0};
    struct otlp_mark mark = otlp_mark(d);
    bool has_scope = false;

    d->scope = arena_zero(d->arena, 1, sizeof(struct scope));
    if (!d->scope)
        otlp_wire_arena_full(d, &sub);
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            owner_wire(d, &sub, &otlp_scope, &owner);
            has_scope = true;
            break;
        case WIRE_LEN(2):
            d->path[2]++;
            if (d->batch->signal == SIGNAL_METRICS)
                metric_wire(d, &sub);
            else
                record_wire(d, &sub);
            break;
        case WIRE_LEN(3):
            d->scope->schema_url =
                otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            has_scope = true;
            break;
        default:
            wire_skip(&sub, 0xe);
        }
    if (sub.status == OK) {
        otlp_set_scope(d->scope, &owner);
        if (!has_scope)
            otlp_no_scope(d, &mark);
        d->path[2] = 0;
    }
    wire_join(w, &sub);
}

/* ResourceSpans, ResourceLogs, ResourceMetrics. */
static void resource_records_wire(struct otlp_decoder *d, struct wire *w)
{
    struct wire sub = wire_sub(w);
    struct otlp_owner owner = {.dropped = 0};

    d->resource = otlp_new_resource(d);
    if (!d->resource)
        wire_fail(&sub, ERR_INTERNAL, "more resources than were counted");
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            owner_wire(d, &sub, &otlp_resource, &owner);
            break;
        case WIRE_LEN(2):
            d->path[1]++;
            scope_records_wire(d, &sub);
            break;
        case WIRE_LEN(3):
            d->resource->schema_url =
                otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        default:
            wire_skip(&sub, 0xe);
        }
    if (sub.status == OK) {
        d->resource->attrs = otlp_attrs(&owner.attrs, owner.dropped);
        d->path[1] = 0;
    }
    wire_join(w, &sub);
}

/* The levels of messages to count, outermost first. Bit n: field n. */
enum { RESOURCES, SCOPES, RECORDS, METRIC_DATA, POINTS, LEVELS };
static const uint32_t level_fields[LEVELS] = {1u << 1, 1u << 2, 1u << 2, 0xea0,
                                              1u << 1};

/* Errors are reported by the pass that reads. */
static void count_wire(struct wire w, unsigned level, unsigned deepest,
                       uint64_t *counts)
{
    while (wire_next(&w)) {
        if ((w.tag & 7) != 2 || w.tag >= WIRE_LEN(32) ||
            !(level_fields[level] >> (w.tag >> 3) & 1)) {
            wire_skip(&w, 0);
            continue;
        }
        counts[level]++;
        if (level == deepest)
            wire_bytes(&w);
        else
            count_wire(wire_sub(&w), level + 1, deepest, counts);
    }
}

/* The path of the message, and what is wrong with it. */
static struct slice describe(struct otlp_decoder *d, const char *why)
{
    static const char *const names[SIGNAL_COUNT][3] = {
        {"resource_spans", "scope_spans", "spans"},
        {"resource_logs", "scope_logs", "log_records"},
        {"resource_metrics", "scope_metrics", "metrics"},
    };
    struct buf buf;
    struct slice text;

    buf_init(&buf, 512);
    for (int i = 0; i < 3 && d->path[i] > 0; i++)
        buf_format(&buf, "%s%s[%u]", i > 0 ? "." : "",
                   names[d->batch->signal][i], d->path[i] - 1);
    if (buf.len > 0)
        buf_add(&buf, SLICE(": "));
    buf_add(&buf, slice_of(why));
    text = arena_copy(d->arena, buf_slice(&buf));
    buf_release(&buf);
    return text.len > 0 ? text : slice_of(why);
}

enum status otlp_decode_wire(struct otlp_decoder *d, struct slice *detail)
{
    struct wire w =
        wire_over((struct slice){d->batch->body, d->batch->body_len});
    uint64_t counts[LEVELS] = {0};
    enum status status;

    count_wire(w, RESOURCES,
               d->batch->signal == SIGNAL_METRICS ? POINTS : RECORDS, counts);
    status =
        otlp_make_room(d, counts[RESOURCES], counts[RECORDS], counts[POINTS]);
    if (status != OK)
        wire_fail(&w, status, status_text(status));
    while (wire_next(&w))
        if (w.tag == WIRE_LEN(1)) {
            d->path[0]++;
            resource_records_wire(d, &w);
        } else {
            wire_skip(&w, 1u << 1);
        }
    if (w.status != OK)
        *detail = describe(d, w.why);
    return w.status;
}
