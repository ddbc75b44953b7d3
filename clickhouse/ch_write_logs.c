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

static void put_scope(struct ch_writer *writer, struct ch_column **c,
                      const struct scope *scope)
{
    ch_write_scope(writer, scope);
    if (!scope)
        return;
    ch_put_string(c[SCOPE_SCHEMA_URL], scope->schema_url);
    ch_put_string(c[SCOPE_NAME], scope->name);
    ch_put_string(c[SCOPE_VERSION], scope->version);
    ch_put_repeated(writer, c[SCOPE_ATTRIBUTES], &writer->scope_pairs);
    ch_put_string(c[SCOPE_TYPES], buf_slice(&writer->scope_pairs.types));
}

static void put_log(struct ch_writer *writer, struct ch_column **c,
                    const struct log_record *log)
{
    ch_write_resource(writer, log->resource);
    ch_put_ns(c[TIMESTAMP], log->time_ns);
    ch_put_id(c[TRACE_ID], log->trace_id, 16);
    ch_put_id(c[SPAN_ID], log->span_id, 8);
    ch_put_uint(c[TRACE_FLAGS], log->flags & 0xff);
    ch_put_string(c[SEVERITY_TEXT], log->severity_text);
    ch_put_uint(c[SEVERITY_NUMBER], log->severity);
    ch_put_resource(writer, c[SERVICE_NAME], c[RESOURCE_ATTRIBUTES]);
    put_body(writer, c, &log->body);
    if (log->resource)
        ch_put_string(c[RESOURCE_SCHEMA_URL], log->resource->schema_url);
    put_scope(writer, c, log->scope);
    ch_put_attrs(writer, c[LOG_ATTRIBUTES], &log->attrs);
    ch_put_string(c[EVENT_NAME], log->event_name);

    ch_put_names(c + NAMES, ch_names(writer, log->resource_id));
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
        struct ch_insert *insert =
            &writer->inserts[batch->logs[i].is_event ? CH_WRITE_EVENTS
                                                     : CH_WRITE_LOGS];

        put_log(writer, ch_insert_columns(insert), &batch->logs[i]);
        ch_insert_row(insert, ch_row_weight(writer));
    }
}
