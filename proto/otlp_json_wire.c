/*
 * OTLP/JSON as OTLP/protobuf, by the tables that both are read with: a member
 * that has a row becomes the field of that number. Nothing is decoded, so what
 * decoding would correct or reject is still in the result.
 *
 * A list that occurs twice in one object is refused: protobuf would join the
 * two, and the decoder of JSON takes the last one.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "otlp.h"
#include "otlp_encode.h"
#include "otlp_json.h"

struct json_rewrite {
    struct json j;
    struct buf out;
    struct batch *batch;
    size_t charged;
};

static void put_message(struct json_rewrite *r,
                        const struct otlp_message *message);

/* ---- the levels above the records ---- */

#define LIST(json, sub)                                          \
    {                                                            \
        .name = (json), .type = OTLP_ELEMENTS, .message = &(sub) \
    }
#define SUB(json, sub)                                          \
    {                                                           \
        .name = (json), .type = OTLP_MESSAGE, .message = &(sub) \
    }
#define TEXT(json)                        \
    {                                     \
        .name = (json), .type = OTLP_TEXT \
    }
#define MESSAGE(rows)                                             \
    {                                                             \
        .fields = (rows), .count = sizeof(rows) / sizeof(*(rows)) \
    }
/* A scope group and a resource group of a signal. */
#define GROUPS(signal, records, scopes, sub)                      \
    static const struct otlp_field signal##_scope_fields[] = {    \
        [1] = SUB("scope", otlp_scope),                           \
        [2] = LIST(records, sub),                                 \
        [3] = TEXT("schemaUrl"),                                  \
    };                                                            \
    static const struct otlp_message signal##_scope_group =       \
        MESSAGE(signal##_scope_fields);                           \
    static const struct otlp_field signal##_resource_fields[] = { \
        [1] = SUB("resource", otlp_resource),                     \
        [2] = LIST(scopes, signal##_scope_group),                 \
        [3] = TEXT("schemaUrl"),                                  \
    };                                                            \
    static const struct otlp_message signal##_resource_group =    \
        MESSAGE(signal##_resource_fields)

static const char *const temporalities[] = {"UNSPECIFIED", "DELTA",
                                            "CUMULATIVE", NULL};
#define POINTS(type) [1] = LIST("dataPoints", otlp_points[type])
#define TEMPORALITY_ROW                      \
    [2] = {.name = "aggregationTemporality", \
           .type = OTLP_ENUM,                \
           .names = temporalities,           \
           .max = CUMULATIVE}

static const struct otlp_field gauge_fields[] = {POINTS(METRIC_GAUGE)};
static const struct otlp_field sum_fields[] = {
    POINTS(METRIC_SUM), TEMPORALITY_ROW,
    [3] = {.name = "isMonotonic", .type = OTLP_UINT32, .max = 1}};
static const struct otlp_field histogram_fields[] = {POINTS(METRIC_HISTOGRAM),
                                                     TEMPORALITY_ROW};
static const struct otlp_field exp_fields[] = {POINTS(METRIC_EXP_HISTOGRAM),
                                               TEMPORALITY_ROW};
static const struct otlp_field summary_fields[] = {POINTS(METRIC_SUMMARY)};
static const struct otlp_message gauge = MESSAGE(gauge_fields);
static const struct otlp_message sum = MESSAGE(sum_fields);
static const struct otlp_message histogram = MESSAGE(histogram_fields);
static const struct otlp_message exp_histogram = MESSAGE(exp_fields);
static const struct otlp_message summary = MESSAGE(summary_fields);
static const struct otlp_field metric_fields[] = {
    [1] = TEXT("name"),
    [2] = TEXT("description"),
    [3] = TEXT("unit"),
    [5] = SUB("gauge", gauge),
    [7] = SUB("sum", sum),
    [9] = SUB("histogram", histogram),
    [10] = SUB("exponentialHistogram", exp_histogram),
    [11] = SUB("summary", summary),
};
static const struct otlp_message metric = MESSAGE(metric_fields);

GROUPS(spans, "spans", "scopeSpans", otlp_span);
GROUPS(logs, "logRecords", "scopeLogs", otlp_log);
GROUPS(metrics, "metrics", "scopeMetrics", metric);

static const struct otlp_field top_fields[SIGNAL_COUNT][2] = {
    {[1] = LIST("resourceSpans", spans_resource_group)},
    {[1] = LIST("resourceLogs", logs_resource_group)},
    {[1] = LIST("resourceMetrics", metrics_resource_group)}};

/* ---- values ---- */

static void put_text(struct json_rewrite *r, uint32_t field, struct slice text)
{
    buf_varint(&r->out, WIRE_LEN(field));
    buf_sized(&r->out, text);
}

static void put_fixed64(struct json_rewrite *r, uint32_t field, uint64_t number)
{
    buf_varint(&r->out, WIRE_I64(field));
    buf_fixed(&r->out, number, 8);
}

static void put_varint(struct json_rewrite *r, uint32_t field, uint64_t number)
{
    buf_varint(&r->out, WIRE_VARINT(field));
    buf_varint(&r->out, number);
}

static uint64_t bits_of(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

/* An id of a wrong length stays one: a byte, which no reader accepts. */
static void put_id(struct json_rewrite *r, uint32_t field, size_t size)
{
    uint8_t id[16] = {0};
    size_t len = json_id(&r->j, id, size);

    if (len > 0)
        put_text(r, field, (struct slice){(char *)id, len == size ? size : 1});
}

static void put_value(struct json_rewrite *r, uint32_t field, unsigned depth);

static void put_key_values(struct json_rewrite *r, uint32_t field,
                           unsigned depth)
{
    static const char *const names[] = {"key", "value", NULL};
    int member;

    json_enter_array(&r->j);
    while (json_element(&r->j)) {
        size_t begin = otlp_message_begin(&r->out, field);

        json_enter_object(&r->j);
        while ((member = json_field(&r->j, names)) >= 0)
            if (member == 0)
                put_text(r, 1, json_text(&r->j));
            else
                put_value(r, 2, depth);
        otlp_message_end(&r->out, begin);
    }
}

/* ArrayValue or KeyValueList. */
static void put_items(struct json_rewrite *r, bool map, unsigned depth)
{
    static const char *const names[] = {"values", NULL};
    size_t begin = otlp_message_begin(&r->out, map ? 6 : 5);

    json_enter_object(&r->j);
    while (json_field(&r->j, names) >= 0)
        if (depth == ATTR_MAX_DEPTH) {
            json_skip(&r->j);
        } else if (map) {
            put_key_values(r, 1, depth + 1);
        } else {
            json_enter_array(&r->j);
            while (json_element(&r->j))
                put_value(r, 1, depth + 1);
        }
    otlp_message_end(&r->out, begin);
}

static void put_value(struct json_rewrite *r, uint32_t field, unsigned depth)
{
    static const char *const names[] = {
        [1] = "stringValue", [2] = "boolValue",  [3] = "intValue",
        [4] = "doubleValue", [5] = "arrayValue", [6] = "kvlistValue",
        [7] = "bytesValue"};
    size_t begin = otlp_message_begin(&r->out, field);
    int member;

    json_enter_object(&r->j);
    while ((member = json_row(&r->j, names, sizeof(*names), 8)) >= 0)
        switch (member) {
        case 1:
            put_text(r, 1, json_text(&r->j));
            break;
        case 2:
            put_varint(r, 2, json_bool(&r->j));
            break;
        case 3:
            put_varint(r, 3, (uint64_t)json_int64(&r->j));
            break;
        case 4:
            put_fixed64(r, 4, bits_of(json_double(&r->j)));
            break;
        case 7:
            put_text(r, 7, json_bytes(&r->j));
            break;
        default:
            put_items(r, member == 6, depth);
        }
    otlp_message_end(&r->out, begin);
}

/* ---- messages ---- */

static void put_sub(struct json_rewrite *r, uint32_t field,
                    const struct otlp_message *message)
{
    size_t begin = otlp_message_begin(&r->out, field);

    put_message(r, message);
    otlp_message_end(&r->out, begin);
}

/* A packed list. */
static void put_numbers(struct json_rewrite *r, uint32_t field,
                        enum otlp_type type)
{
    size_t begin = otlp_message_begin(&r->out, field);

    json_enter_array(&r->j);
    while (json_element(&r->j))
        if (type == OTLP_VARINTS)
            buf_varint(&r->out, json_uint64(&r->j));
        else if (type == OTLP_DOUBLES)
            buf_fixed(&r->out, bits_of(json_double(&r->j)), 8);
        else
            buf_fixed(&r->out, json_uint64(&r->j), 8);
    otlp_message_end(&r->out, begin);
}

static void put_number(struct json_rewrite *r, uint32_t i,
                       const struct otlp_field *field)
{
    switch ((enum otlp_type)field->type) {
    case OTLP_FIXED64:
        put_fixed64(r, i, json_uint64(&r->j));
        break;
    case OTLP_DOUBLE:
    case OTLP_AS_DOUBLE:
        put_fixed64(r, i, bits_of(json_double(&r->j)));
        break;
    case OTLP_AS_INT:
        put_fixed64(r, i, (uint64_t)json_int64(&r->j));
        break;
    case OTLP_UINT32: /* max: a boolean */
        put_varint(r, i, field->max ? json_bool(&r->j) : json_uint32(&r->j));
        break;
    case OTLP_SINT32:
        put_varint(r, i, zigzag(json_int32(&r->j)));
        break;
    case OTLP_ENUM:
        put_varint(r, i, otlp_enum(json_enum(&r->j, field->names), field->max));
        break;
    default: /* OTLP_FIXED32 */
        buf_varint(&r->out, WIRE_I32(i));
        buf_fixed(&r->out, json_uint32(&r->j), 4);
    }
}

static void put_field(struct json_rewrite *r, uint32_t i,
                      const struct otlp_field *field)
{
    switch ((enum otlp_type)field->type) {
    case OTLP_NONE: /* has no name */
    case OTLP_TEXT:
        put_text(r, i, json_text(&r->j));
        break;
    case OTLP_TRACE_ID:
    case OTLP_SPAN_ID:
    case OTLP_PARENT_ID:
        put_id(r, i, field->type == OTLP_TRACE_ID ? 16 : 8);
        break;
    case OTLP_ATTRS:
        put_key_values(r, i, 0);
        break;
    case OTLP_BODY:
        put_value(r, i, 0);
        break;
    case OTLP_MESSAGE:
        put_sub(r, i, field->message);
        break;
    case OTLP_ELEMENTS:
        json_enter_array(&r->j);
        while (json_element(&r->j))
            put_sub(r, i, field->message);
        break;
    case OTLP_FIXED64S:
    case OTLP_DOUBLES:
    case OTLP_VARINTS:
        put_numbers(r, i, field->type);
        break;
    default:
        put_number(r, i, field);
    }
}

static bool is_list(const struct otlp_field *field)
{
    return field->type == OTLP_ELEMENTS || field->type == OTLP_ATTRS ||
           field->type == OTLP_FIXED64S || field->type == OTLP_DOUBLES ||
           field->type == OTLP_VARINTS;
}

/* What the buffer has grown to. */
static void charge(struct json_rewrite *r)
{
    if (r->out.room <= r->charged || r->j.status != OK)
        return;
    if (!budget_take(r->batch->budget, r->out.room - r->charged))
        json_fail(&r->j, ERR_BUSY, status_text(ERR_BUSY));
    else
        r->charged = r->out.room;
}

static void put_fields(struct json_rewrite *r, const struct otlp_field *fields,
                       uint32_t count)
{
    uint32_t lists = 0;
    int i;

    json_enter_object(&r->j);
    while ((i = json_row(&r->j, fields, sizeof(*fields), count)) >= 0) {
        if (is_list(&fields[i]) && lists >> i & 1) {
            json_fail(&r->j, ERR_MALFORMED, "a list occurs twice");
            return;
        }
        lists |= 1u << i;
        put_field(r, (uint32_t)i, &fields[i]);
    }
}

static void put_message(struct json_rewrite *r,
                        const struct otlp_message *message)
{
    put_fields(r, message->fields, message->count);
    charge(r);
}

enum status otlp_to_protobuf(struct batch *batch, struct slice *detail)
{
    struct json_rewrite r = {
        .j = json_over((struct slice){batch->body, batch->body_len},
                       &batch->arena),
        .batch = batch,
    };

    buf_init(&r.out, UINT32_MAX / 2);
    put_fields(&r, top_fields[batch->signal], 2);
    if (r.j.status == OK)
        json_end(&r.j);
    if (r.j.status == OK && r.out.status != OK)
        json_fail(&r.j, r.out.status, status_text(r.out.status));
    charge(&r);
    if (r.j.status != OK) {
        *detail = json_describe(&r.j);
        budget_give(batch->budget, r.charged);
        buf_release(&r.out);
        return r.j.status;
    }
    budget_give(batch->budget, batch->body_len);
    free(batch->body);
    batch->body = buf_detach(&r.out, &batch->body_len);
    batch->body = mem_resize(batch->body, batch->body_len + 1, 1);
    budget_give(batch->budget, r.charged - batch->body_len);
    batch->encoding = BATCH_PROTOBUF;
    return OK;
}
