/*
 * OTLP/protobuf: what the three signals have in common.
 *
 * A request is resources that hold scopes that hold records, with the same
 * field numbers in all signals, so one walk serves them all and calls the
 * signal's own reader for each record. Before it a pass counts the messages by
 * jumping from length to length, so that each kind gets one array of the right
 * size.
 *
 * Protobuf lets a message be sent in pieces, its fields in any order and more
 * than once. Hence: scalars and the members of a oneof are overwritten, lists
 * go on where they stopped, and a reader is given the message as it is so far.
 */
#include "buf.h"
#include "otlp_parts.h"

bool otlp_wire_more(struct otlp *d, struct wire *w, struct list *list,
                    size_t size, uint32_t max)
{
    uint32_t expect = list->count < max ? wire_run(w, max - list->count) : 0;

    if (otlp_list_more(d, list, size, max, expect))
        return true;
    if (d->arena->status != OK)
        wire_fail(w, d->arena->status, status_text(d->arena->status));
    return false;
}

static void value_wire(struct otlp *d, struct wire *w, struct attr *value,
                       unsigned depth, size_t max_text);

/* The value of an AnyValue of less than 128 bytes: a text, or an integer of one
 * or two bytes. False: it is something else. */
static inline bool plain_value(const uint8_t *at, size_t len, struct attr *attr)
{
    if (len >= 2 && at[0] == WIRE_LEN(1) && at[1] == len - 2) {
        otlp_set_text(attr, VALUE_STRING,
                      (struct slice){(const char *)at + 2, len - 2});
        return true;
    }
    if (len < 2 || len > 3 || at[0] != WIRE_VARINT(3) ||
        (len == 2) != (at[1] < 0x80) || (len == 3 && at[2] >= 0x80))
        return false;
    attr->type = VALUE_INT;
    attr->i = len == 2 ? at[1] : (at[1] & 0x7f) | at[2] << 7;
    return true;
}

/* As nearly all are written: the key, then such a value, nothing else. False:
 * it has to be read field by field. */
static inline bool plain_key_value(const struct wire *w, struct attr *attr)
{
    const uint8_t *at = w->at;
    size_t len = (size_t)(w->end - at), key_len, value_len;

    _Static_assert(ATTR_MAX_KEY >= 127 && ATTR_MAX_VALUE >= 127,
                   "nothing is truncated");
    if (len < 5 || at[0] != WIRE_LEN(1))
        return false;
    key_len = at[1];
    if (key_len == 0 || key_len >= 0x80 || len < key_len + 4)
        return false;
    value_len = len - key_len - 4;
    if (at[2 + key_len] != WIRE_LEN(2) || value_len >= 0x80 ||
        at[3 + key_len] != value_len ||
        !plain_value(at + 4 + key_len, value_len, attr))
        return false;
    attr->key = (const char *)at + 2;
    attr->key_len = (uint16_t)key_len;
    return true;
}

static void key_value_wire(struct otlp *d, struct wire *w, struct list *attrs,
                           unsigned depth)
{
    struct attr *attr =
        otlp_wire_slot(d, w, attrs, sizeof(struct attr), ATTR_MAX_COUNT);
    struct wire sub = wire_sub(w);

    if (!attr || plain_key_value(&sub, attr))
        return;
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1): {
            struct slice key = otlp_text(d, wire_bytes(&sub), ATTR_MAX_KEY);

            attr->key = key.ptr;
            attr->key_len = (uint16_t)key.len;
            break;
        }
        case WIRE_LEN(2):
            value_wire(d, &sub, attr, depth, ATTR_MAX_VALUE);
            break;
        default:
            wire_skip(&sub, 1u << 1 | 1u << 2);
        }
    if (attr->key_len == 0)
        otlp_list_drop(d, attrs);
    wire_join(w, &sub);
}

/* ArrayValue or KeyValueList. */
static void items_wire(struct otlp *d, struct wire *w, struct attr *value,
                       enum value_type type, unsigned depth)
{
    struct list items = {0};
    struct wire sub = wire_sub(w);

    if (depth == ATTR_MAX_DEPTH) {
        d->batch->truncated++;
        value->type = VALUE_EMPTY;
        value->len = 0;
        return;
    }
    if (value->type == type)
        otlp_list_from(d, &items, value->items, value->len,
                       sizeof(struct attr));
    while (wire_next(&sub)) {
        struct attr *item;

        if (sub.tag != WIRE_LEN(1)) {
            wire_skip(&sub, 1u << 1);
        } else if (type == VALUE_MAP) {
            key_value_wire(d, &sub, &items, depth + 1);
        } else {
            item = otlp_wire_slot(d, &sub, &items, sizeof(struct attr),
                                  ATTR_MAX_COUNT);
            if (item)
                value_wire(d, &sub, item, depth + 1, ATTR_MAX_VALUE);
            else
                wire_bytes(&sub);
        }
    }
    value->type = (uint8_t)type;
    value->items = items.at;
    value->len =
        type == VALUE_MAP ? otlp_unique(items.at, items.count) : items.count;
    wire_join(w, &sub);
}

/* AnyValue */
static void value_wire(struct otlp *d, struct wire *w, struct attr *value,
                       unsigned depth, size_t max_text)
{
    struct wire sub = wire_sub(w);

    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            otlp_set_text(value, VALUE_STRING,
                          otlp_text(d, wire_bytes(&sub), max_text));
            break;
        case WIRE_VARINT(2):
            value->type = VALUE_BOOL;
            value->b = wire_bool(&sub);
            break;
        case WIRE_VARINT(3):
            value->type = VALUE_INT;
            value->i = (int64_t)wire_varint(&sub);
            break;
        case WIRE_I64(4):
            value->type = VALUE_DOUBLE;
            value->d = wire_double(&sub);
            break;
        case WIRE_LEN(5):
            items_wire(d, &sub, value, VALUE_ARRAY, depth);
            break;
        case WIRE_LEN(6):
            items_wire(d, &sub, value, VALUE_MAP, depth);
            break;
        case WIRE_LEN(7):
            otlp_set_text(value, VALUE_BYTES, otlp_bytes(d, wire_bytes(&sub)));
            break;
        case WIRE_VARINT(8): /* an index into a table that only profiles have */
            wire_varint(&sub);
            value->type = VALUE_EMPTY;
            break;
        default:
            wire_skip(&sub, 0x1fe);
        }
    wire_join(w, &sub);
}

void otlp_wire_attr(struct otlp *d, struct wire *w, struct list *attrs)
{
    key_value_wire(d, w, attrs, 0);
}

void otlp_wire_value(struct otlp *d, struct wire *w, struct attr *value,
                     size_t max_text)
{
    value_wire(d, w, value, 0, max_text);
}

static void resource_wire(struct otlp *d, struct wire *w, struct list *attrs,
                          uint32_t *dropped)
{
    struct wire sub = wire_sub(w);

    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            otlp_wire_attr(d, &sub, attrs);
            break;
        case WIRE_VARINT(2):
            *dropped = (uint32_t)wire_varint(&sub);
            break;
        default: /* entity_refs, 3, name keys that are attributes anyway */
            wire_skip(&sub, 1u << 1 | 1u << 2);
        }
    wire_join(w, &sub);
}

static void scope_wire(struct otlp *d, struct wire *w, struct list *attrs,
                       uint32_t *dropped)
{
    struct wire sub = wire_sub(w);

    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            d->scope->name = otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(2):
            d->scope->version = otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(3):
            otlp_wire_attr(d, &sub, attrs);
            break;
        case WIRE_VARINT(4):
            *dropped = (uint32_t)wire_varint(&sub);
            break;
        default:
            wire_skip(&sub, 0x1e);
        }
    wire_join(w, &sub);
}

static void record_wire(struct otlp *d, struct wire *w)
{
    d->where[2]++;
    switch (d->batch->signal) {
    case SIGNAL_SPANS:
        otlp_wire_span(d, w);
        break;
    case SIGNAL_LOGS:
        otlp_wire_log(d, w);
        break;
    default:
        otlp_wire_metric(d, w);
    }
}

/* ScopeSpans, ScopeLogs, ScopeMetrics. */
static void scope_records_wire(struct otlp *d, struct wire *w)
{
    struct wire sub = wire_sub(w);
    struct list attrs = {0};
    uint32_t dropped = 0;
    struct mark mark = otlp_mark(d);
    bool has_scope = false;

    d->scope = arena_zero(d->arena, 1, sizeof(struct scope));
    if (!d->scope)
        wire_fail(&sub, d->arena->status, status_text(d->arena->status));
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            scope_wire(d, &sub, &attrs, &dropped);
            has_scope = true;
            break;
        case WIRE_LEN(2):
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
        d->scope->attrs = otlp_attrs(&attrs, dropped);
        if (!has_scope)
            otlp_no_scope(d, &mark);
        d->where[2] = 0;
    }
    wire_join(w, &sub);
}

/* ResourceSpans, ResourceLogs, ResourceMetrics. */
static void resource_records_wire(struct otlp *d, struct wire *w)
{
    struct wire sub = wire_sub(w);
    struct list attrs = {0};
    uint32_t dropped = 0;

    d->resource = otlp_new_resource(d);
    if (!d->resource)
        wire_fail(&sub, ERR_INTERNAL, "more resources than were counted");
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            resource_wire(d, &sub, &attrs, &dropped);
            break;
        case WIRE_LEN(2):
            d->where[1]++;
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
        d->resource->attrs = otlp_attrs(&attrs, dropped);
        d->where[1] = 0;
    }
    wire_join(w, &sub);
}

/* The levels of messages to count, outermost first. Bit n: field n. */
enum { RESOURCES, SCOPES, RECORDS, METRIC_DATA, POINTS, LEVELS };
static const uint32_t level_fields[LEVELS] = {1u << 1, 1u << 2, 1u << 2, 0xea0,
                                              1u << 1};

/* Errors are met again, and reported, by the pass that reads. */
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

/* Where it was, what it was. */
static struct slice describe(struct otlp *d, const char *why)
{
    static const char *const names[SIGNAL_COUNT][3] = {
        {"resource_spans", "scope_spans", "spans"},
        {"resource_logs", "scope_logs", "log_records"},
        {"resource_metrics", "scope_metrics", "metrics"},
    };
    struct buf buf;
    struct slice text;

    buf_init(&buf, 512);
    for (int i = 0; i < 3 && d->where[i] > 0; i++)
        buf_format(&buf, "%s%s[%u]", i > 0 ? "." : "",
                   names[d->batch->signal][i], d->where[i] - 1);
    if (buf.len > 0)
        buf_add(&buf, SLICE(": "));
    buf_add(&buf, slice_of(why));
    text = arena_copy(d->arena, buf_slice(&buf));
    buf_release(&buf);
    return text.len > 0 ? text : slice_of(why);
}

enum status otlp_decode_wire(struct otlp *d, struct slice *detail)
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
            d->where[0]++;
            resource_records_wire(d, &w);
        } else {
            wire_skip(&w, 1u << 1);
        }
    if (w.status != OK)
        *detail = describe(d, w.why);
    return w.status;
}
