/*
 * Rows of otel_logs, and of callboard_events: records of the events stream.
 *
 * BodyType says how the text of the body is read back; a text has none. But one
 * in which an ASCII letter is written as another character, that case_fold.h
 * makes it of (long s, the Kelvin sign), has 's': ClickHouse's functions do not
 * find its words (ch_log_filter.h).
 */
#include "ch_attributes.h"
#include "ch_write.h"

enum {
    TIMESTAMP,
    TRACE_ID,
    SPAN_ID,
    TRACE_FLAGS,
    SEVERITY_TEXT,
    SEVERITY_NUMBER,
    SERVICE_NAME,
    BODY,
    RESOURCE_SCHEMA_URL,
    RESOURCE_ATTRIBUTES,
    SCOPE_SCHEMA_URL,
    SCOPE_NAME,
    SCOPE_VERSION,
    SCOPE_ATTRIBUTES,
    LOG_ATTRIBUTES,
    EVENT_NAME,
    NAMES,
    LEVEL = NAMES + CH_NAME_COLUMNS,
    OBSERVED_TIMESTAMP,
    ARRIVAL,
    BODY_TYPE,
    ATTRIBUTE_TYPES,
    SCOPE_TYPES,
    DROPPED_ATTRIBUTES,
    CORRECTED,
    FLAGS,
    COLUMNS
};

static const struct ch_column_def columns[COLUMNS] = {
    {"Timestamp", "DateTime64(9)"},
    {"TraceId", "String"},
    {"SpanId", "String"},
    {"TraceFlags", "UInt8"},
    {"SeverityText", "LowCardinality(String)"},
    {"SeverityNumber", "UInt8"},
    {"ServiceName", "LowCardinality(String)"},
    {"Body", "String"},
    {"ResourceSchemaUrl", "LowCardinality(String)"},
    {"ResourceAttributes", CH_REPEATED},
    {"ScopeSchemaUrl", "LowCardinality(String)"},
    {"ScopeName", "LowCardinality(String)"},
    {"ScopeVersion", "LowCardinality(String)"},
    {"ScopeAttributes", CH_REPEATED},
    {"LogAttributes", "Map(LowCardinality(String), String)"},
    {"EventName", "String"},
    CH_NAME_DEFS,
    {"Level", "UInt8"},
    {"ObservedTimestamp", "DateTime64(9)"},
    {"Arrival", "UInt64"},
    {"BodyType", "LowCardinality(String)"},
    {"AttributeTypes", "LowCardinality(String)"},
    {"ScopeTypes", "LowCardinality(String)"},
    {"DroppedAttributes", "UInt32"},
    {"Corrected", "UInt8"},
    {"Flags", "UInt32"},
};

static const struct ch_origin_columns origin_columns = {
    .service = SERVICE_NAME,
    .resource_attributes = RESOURCE_ATTRIBUTES,
    .resource_schema_url = RESOURCE_SCHEMA_URL,
    .scope_name = SCOPE_NAME,
    .scope_version = SCOPE_VERSION,
    .scope_schema_url = SCOPE_SCHEMA_URL,
    .scope_attributes = SCOPE_ATTRIBUTES,
    .scope_types = SCOPE_TYPES,
    .names = NAMES};

const struct ch_insert_def ch_logs_def = {"otel_logs", columns, COLUMNS};
const struct ch_insert_def ch_events_def = {"callboard_events", columns,
                                            COLUMNS};

static bool has_bytes(struct slice text, struct slice part)
{
    while (text.len >= part.len) {
        const char *at = memchr(text.ptr, part.ptr[0], text.len - part.len + 1);

        if (!at)
            return false;
        text = slice_from(text, (size_t)(at - text.ptr));
        if (memcmp(at, part.ptr, part.len) == 0)
            return true;
        text = slice_from(text, 1);
    }
    return false;
}

static bool has_other_ascii(struct slice text)
{
    return has_bytes(text, SLICE("\xc5\xbf")) ||   /* long s */
           has_bytes(text, SLICE("\xe2\x84\xaa")); /* Kelvin sign */
}

static void put_body(struct ch_writer *writer, struct ch_column **c,
                     const struct attr *body)
{
    ch_put_string(c[BODY], ch_value_text(body, &writer->text));
    buf_reset(&writer->types);
    ch_value_types(&writer->types, body);
    if (body->type == VALUE_STRING && has_other_ascii(attr_text(body)))
        buf_byte(&writer->types, 's');
    ch_put_string(c[BODY_TYPE], buf_slice(&writer->types));
}

static void put_log(struct ch_writer *writer, struct ch_column **c,
                    const struct log_record *log)
{
    ch_put_ns(c[TIMESTAMP], log->time_ns);
    ch_put_id(c[TRACE_ID], log->trace_id, 16);
    ch_put_id(c[SPAN_ID], log->span_id, 8);
    ch_put_uint(c[TRACE_FLAGS], log->flags & 0xff);
    ch_put_string(c[SEVERITY_TEXT], log->severity_text);
    ch_put_uint(c[SEVERITY_NUMBER], log->severity);
    put_body(writer, c, &log->body);
    ch_put_attrs(writer, c[LOG_ATTRIBUTES], &log->attrs);
    ch_put_string(c[EVENT_NAME], log->event_name);
    ch_put_uint(c[LEVEL], log->level);
    ch_put_ns(c[OBSERVED_TIMESTAMP], log->observed_ns);
    ch_put_uint(c[ARRIVAL], ch_next_arrival(writer));
    ch_put_types(writer, c[ATTRIBUTE_TYPES], &log->attrs);
    ch_put_uint(c[DROPPED_ATTRIBUTES], log->attrs.dropped);
    ch_put_uint(c[CORRECTED], log->corrected);
    ch_put_uint(c[FLAGS], log->flags);
}

void ch_write_logs(struct ch_writer *writer, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct log_record *log = &batch->logs[i];
        const struct ch_origin origin = {log->resource, log->scope,
                                         log->resource_id};
        enum ch_write_table table =
            log->is_event ? CH_WRITE_EVENTS : CH_WRITE_LOGS;
        struct ch_insert *insert = &writer->inserts[table];

        ch_put_origin(writer, table, &origin_columns, &origin);
        put_log(writer, ch_insert_columns(insert), log);
        ch_insert_row(insert, ch_row_weight(writer));
    }
}
