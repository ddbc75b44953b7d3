/*
 * Rows of otel_traces, and of otel_traces_trace_id_ts: when each trace of the
 * writer was seen.
 *
 * Failed is what span_failed() says, whatever the status: a reader takes
 * struct span's `failed` from it where the status is not Error.
 */
#include "array.h"
#include "ch_attributes.h"
#include "ch_write.h"
#include "clock.h"

/* The columns, in this order, in ch_schema_tables.c. */
enum {
    TIMESTAMP,
    TRACE_ID,
    SPAN_ID,
    PARENT_SPAN_ID,
    TRACE_STATE,
    SPAN_NAME,
    SPAN_KIND,
    SERVICE_NAME,
    RESOURCE_ATTRIBUTES,
    SCOPE_NAME,
    SCOPE_VERSION,
    SPAN_ATTRIBUTES,
    DURATION,
    STATUS_CODE,
    STATUS_MESSAGE,
    EVENT_TIMES,
    EVENT_NAMES,
    EVENT_ATTRIBUTES,
    LINK_TRACE_IDS,
    LINK_SPAN_IDS,
    LINK_TRACE_STATES,
    LINK_ATTRIBUTES,
    LINK_FLAGS,
    NAMES,
    ENDPOINT = NAMES + CH_NAME_COLUMNS,
    OPERATION,
    FAILED,
    FLAGS,
    CORRECTED,
    DROPPED_ATTRIBUTES,
    DROPPED_EVENTS,
    DROPPED_LINKS,
    ATTRIBUTE_TYPES,
    EVENT_TYPES,
    LINK_TYPES,
    SCOPE_SCHEMA_URL,
    SCOPE_ATTRIBUTES,
    SCOPE_TYPES,
    ARRIVAL,
    COLUMNS
};

static const struct ch_column_def columns[COLUMNS] = {
    {"Timestamp", "DateTime64(9)"},
    {"TraceId", "String"},
    {"SpanId", "String"},
    {"ParentSpanId", "String"},
    {"TraceState", "String"},
    {"SpanName", "LowCardinality(String)"},
    {"SpanKind", "LowCardinality(String)"},
    {"ServiceName", "LowCardinality(String)"},
    {"ResourceAttributes", CH_REPEATED},
    {"ScopeName", "LowCardinality(String)"},
    {"ScopeVersion", "LowCardinality(String)"},
    {"SpanAttributes", "Map(LowCardinality(String), String)"},
    {"Duration", "UInt64"},
    {"StatusCode", "LowCardinality(String)"},
    {"StatusMessage", "String"},
    {"Events.Timestamp", "Array(DateTime64(9))"},
    {"Events.Name", "Array(LowCardinality(String))"},
    {"Events.Attributes", "Array(Map(LowCardinality(String), String))"},
    {"Links.TraceId", "Array(String)"},
    {"Links.SpanId", "Array(String)"},
    {"Links.TraceState", "Array(String)"},
    {"Links.Attributes", "Array(Map(LowCardinality(String), String))"},
    {"Links.Flags", "Array(UInt32)"},
    CH_NAME_DEFS,
    {"Endpoint", "LowCardinality(String)"},
    {"Operation", "LowCardinality(String)"},
    {"Failed", "Bool"},
    {"Flags", "UInt32"},
    {"Corrected", "UInt8"},
    {"DroppedAttributes", "UInt32"},
    {"DroppedEvents", "UInt32"},
    {"DroppedLinks", "UInt32"},
    {"AttributeTypes", "LowCardinality(String)"},
    {"EventTypes", "Array(LowCardinality(String))"},
    {"LinkTypes", "Array(LowCardinality(String))"},
    {"ScopeSchemaUrl", "LowCardinality(String)"},
    {"ScopeAttributes", CH_REPEATED},
    {"ScopeTypes", "LowCardinality(String)"},
    {"Arrival", "UInt64"},
};

static const struct ch_origin_columns origin_columns = {
    .service = SERVICE_NAME,
    .resource_attributes = RESOURCE_ATTRIBUTES,
    .scope_name = SCOPE_NAME,
    .scope_version = SCOPE_VERSION,
    .scope_schema_url = SCOPE_SCHEMA_URL,
    .scope_attributes = SCOPE_ATTRIBUTES,
    .scope_types = SCOPE_TYPES,
    .names = NAMES};

const struct ch_insert_def ch_spans_def = {"otel_traces", columns, COLUMNS};

/* The exporter's words. */
static const struct slice kinds[] = {
    SLICE_INIT("Unspecified"), SLICE_INIT("Internal"), SLICE_INIT("Server"),
    SLICE_INIT("Client"),      SLICE_INIT("Producer"), SLICE_INIT("Consumer")};
static const struct slice statuses[] = {SLICE_INIT("Unset"), SLICE_INIT("Ok"),
                                        SLICE_INIT("Error")};

static struct slice word(const struct slice *words, size_t count, uint8_t at)
{
    return at < count ? words[at] : (struct slice){NULL, 0};
}
#define WORD(words, at) word((words), sizeof(words) / sizeof(*(words)), (at))

static void put_events(struct ch_writer *writer, struct ch_column **c,
                       const struct span *span)
{
    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct span_event *event = &span->events[i];

        ch_put_ns(ch_element(c[EVENT_TIMES]), event->time_ns);
        ch_put_string(ch_element(c[EVENT_NAMES]), event->name);
        ch_put_attrs(writer, ch_element(c[EVENT_ATTRIBUTES]), &event->attrs);
        ch_put_types(writer, ch_element(c[EVENT_TYPES]), &event->attrs);
    }
}

static void put_links(struct ch_writer *writer, struct ch_column **c,
                      const struct span *span)
{
    for (uint32_t i = 0; i < span->link_count; i++) {
        const struct span_link *link = &span->links[i];

        ch_put_id(ch_element(c[LINK_TRACE_IDS]), link->trace_id, 16);
        ch_put_id(ch_element(c[LINK_SPAN_IDS]), link->span_id, 8);
        ch_put_string(ch_element(c[LINK_TRACE_STATES]), link->trace_state);
        ch_put_uint(ch_element(c[LINK_FLAGS]), link->flags);
        ch_put_attrs(writer, ch_element(c[LINK_ATTRIBUTES]), &link->attrs);
        ch_put_types(writer, ch_element(c[LINK_TYPES]), &link->attrs);
    }
}

static void put_ours(struct ch_writer *writer, struct ch_column **c,
                     const struct span *span)
{
    ch_put_string(c[ENDPOINT], span->endpoint);
    ch_put_string(c[OPERATION], span->operation);
    ch_put_uint(c[FAILED], span_failed(span));
    ch_put_uint(c[FLAGS], span->flags);
    ch_put_uint(c[CORRECTED], span->corrected);
    ch_put_uint(c[DROPPED_ATTRIBUTES], span->attrs.dropped);
    ch_put_uint(c[DROPPED_EVENTS], span->dropped_events);
    ch_put_uint(c[DROPPED_LINKS], span->dropped_links);
    ch_put_types(writer, c[ATTRIBUTE_TYPES], &span->attrs);
    ch_put_uint(c[ARRIVAL], ch_next_arrival(writer));
}

static void put_span(struct ch_writer *writer, struct ch_column **c,
                     const struct span *span)
{
    const struct ch_origin origin = {span->resource, span->scope,
                                     span->resource_id};

    ch_put_origin(writer, CH_WRITE_SPANS, &origin_columns, &origin);
    ch_put_ns(c[TIMESTAMP], span->start_ns);
    ch_put_id(c[TRACE_ID], span->trace_id, 16);
    ch_put_id(c[SPAN_ID], span->span_id, 8);
    ch_put_id(c[PARENT_SPAN_ID], span->parent_span_id, 8);
    ch_put_string(c[TRACE_STATE], span->trace_state);
    ch_put_string(c[SPAN_NAME], span->name);
    ch_put_string(c[SPAN_KIND], WORD(kinds, span->kind));
    ch_put_attrs(writer, c[SPAN_ATTRIBUTES], &span->attrs);
    ch_put_uint(c[DURATION], span->end_ns - span->start_ns);
    ch_put_string(c[STATUS_CODE], WORD(statuses, span->status));
    ch_put_string(c[STATUS_MESSAGE], span->status_message);
    put_events(writer, c, span);
    put_links(writer, c, span);
    put_ours(writer, c, span);
}

/* ---- when traces were seen ---- */

enum { TIME_TRACE_ID, TIME_START, TIME_END, TIME_COLUMNS };
enum { TIME_WEIGHT = 41 };

static const struct ch_column_def time_columns[TIME_COLUMNS] = {
    {"TraceId", "String"}, {"Start", "DateTime"}, {"End", "DateTime"}};

const struct ch_insert_def ch_trace_times_def = {"otel_traces_trace_id_ts",
                                                 time_columns, TIME_COLUMNS};

static struct ch_trace_time *find_trace(struct ch_writer *writer,
                                        const uint8_t trace_id[16],
                                        uint32_t second)
{
    uint32_t hash = map_hash(hash_bytes(trace_id, 16, 0));
    struct ch_trace_time *time;

    map_each(&writer->trace_index, hash, at)
        if (memcmp(writer->traces[at].trace_id, trace_id, 16) == 0)
            return &writer->traces[at];
    (void)map_add(&writer->trace_index, hash, writer->trace_count);
    array_append(&writer->traces, writer->trace_count, &writer->trace_room);
    time = &writer->traces[writer->trace_count++];
    memcpy(time->trace_id, trace_id, 16);
    time->first_s = time->last_s = second;
    return time;
}

static void note_trace(struct ch_writer *writer, const struct span *span)
{
    uint64_t second = span->start_ns / NS_PER_S;
    uint32_t second32 = second < UINT32_MAX ? (uint32_t)second : UINT32_MAX;
    struct ch_trace_time *time;

    if (id_is_zero(span->trace_id, 16))
        return;
    time = find_trace(writer, span->trace_id, second32);
    if (second32 < time->first_s)
        time->first_s = second32;
    if (second32 > time->last_s)
        time->last_s = second32;
}

void ch_write_trace_times(struct ch_writer *writer)
{
    struct ch_insert *insert = &writer->inserts[CH_WRITE_TRACE_TIMES];

    for (uint32_t i = 0; i < writer->trace_count; i++) {
        const struct ch_trace_time *time = &writer->traces[i];
        struct ch_column **c = ch_insert_columns(insert);

        ch_put_hex(c[TIME_TRACE_ID], time->trace_id, 16);
        ch_put_uint(c[TIME_START], time->first_s);
        ch_put_uint(c[TIME_END], time->last_s);
        ch_insert_row(insert, TIME_WEIGHT);
    }
    writer->trace_count = 0;
    map_clear(&writer->trace_index);
}

void ch_write_spans(struct ch_writer *writer, const struct batch *batch)
{
    struct ch_insert *insert = &writer->inserts[CH_WRITE_SPANS];

    for (uint32_t i = 0; i < batch->count; i++) {
        put_span(writer, ch_insert_columns(insert), &batch->spans[i]);
        ch_insert_row(insert, ch_row_weight(writer));
        note_trace(writer, &batch->spans[i]);
    }
}
