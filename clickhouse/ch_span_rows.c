#include "ch_span_rows.h"

#include "ch_attributes.h"
#include "ch_log_rows.h"

/* ---- columns ---- */

void ch_span_columns(struct ch_sql *sql, bool whole)
{
    CH_SQL(sql,
           "Timestamp, Duration, ResourceId, TraceId, SpanId, ParentSpanId, "
           "SpanName, SpanKind, StatusCode, StatusMessage, Endpoint, "
           "Operation, Failed, Corrected");
    if (whole)
        CH_SQL(sql,
               ", TraceState, SpanAttributes, AttributeTypes, Flags, "
               "DroppedEvents, DroppedLinks, ScopeName, ScopeVersion, "
               "ScopeSchemaUrl, ScopeAttributes, ScopeTypes, "
               "Events.Timestamp, Events.Name, Events.Attributes, EventTypes, "
               "Links.TraceId, Links.SpanId, Links.TraceState, "
               "Links.Attributes, LinkTypes, Links.Flags");
}

typedef void skip_element(struct byte_reader *in);

static void skip_u64(struct byte_reader *in)
{
    (void)ch_read_u64(in);
}

static void skip_u32(struct byte_reader *in)
{
    (void)ch_read_u32(in);
}

static void skip_string(struct byte_reader *in)
{
    (void)ch_read_string(in);
}

static struct ch_array read_array(struct byte_reader *in, skip_element *skip)
{
    struct ch_array array = {.count = ch_read_count(in)};
    const char *from = in->at;

    for (uint64_t i = 0; i < array.count && !in->bad; i++)
        skip(in);
    if (in->bad)
        return (struct ch_array){0};
    array.bytes = (struct slice){from, (size_t)(in->at - from)};
    return array;
}

static void decode_whole(struct ch_span_row *row, struct byte_reader *in)
{
    row->trace_state = ch_read_string(in);
    row->attr_map = ch_read_map(in);
    row->attr_types = ch_read_string(in);
    row->flags = ch_read_u32(in);
    row->dropped_events = ch_read_u32(in);
    row->dropped_links = ch_read_u32(in);
    row->scope_name = ch_read_string(in);
    row->scope_version = ch_read_string(in);
    row->scope_url = ch_read_string(in);
    row->scope_map = ch_read_map(in);
    row->scope_types = ch_read_string(in);
    row->event_times = read_array(in, skip_u64);
    row->event_names = read_array(in, skip_string);
    row->event_attrs = read_array(in, ch_skip_map);
    row->event_types = read_array(in, skip_string);
    row->link_traces = read_array(in, skip_string);
    row->link_spans = read_array(in, skip_string);
    row->link_states = read_array(in, skip_string);
    row->link_attrs = read_array(in, ch_skip_map);
    row->link_types = read_array(in, skip_string);
    row->link_flags = read_array(in, skip_u32);
}

void ch_span_decode(void *arg, struct byte_reader *in)
{
    struct ch_span_row *row = arg;

    row->start_ns = ch_read_time64(in);
    row->duration_ns = ch_read_u64(in);
    row->key = ch_read_u64(in);
    (void)ch_read_id(in, row->trace_id, sizeof(row->trace_id));
    (void)ch_read_id(in, row->span_id, sizeof(row->span_id));
    (void)ch_read_id(in, row->parent_span_id, sizeof(row->parent_span_id));
    row->name = ch_read_string(in);
    row->kind = ch_read_string(in);
    row->status = ch_read_string(in);
    row->status_message = ch_read_string(in);
    row->endpoint = ch_read_string(in);
    row->operation = ch_read_string(in);
    row->failed = ch_read_u8(in);
    row->corrected = ch_read_u8(in);
    if (row->whole)
        decode_whole(row, in);
}

/* ---- words of the exporter ---- */

static uint8_t word_index(struct slice word, const char *const words[],
                          uint8_t count)
{
    for (uint8_t i = 0; i < count; i++)
        if (slice_equal(word, slice_of(words[i])))
            return i;
    return 0;
}

static uint8_t kind_of(struct slice word)
{
    static const char *const words[] = {
        [SPAN_UNSPECIFIED] = "Unspecified", [SPAN_INTERNAL] = "Internal",
        [SPAN_SERVER] = "Server",           [SPAN_CLIENT] = "Client",
        [SPAN_PRODUCER] = "Producer",       [SPAN_CONSUMER] = "Consumer"};

    return word_index(word, words, SPAN_CONSUMER + 1);
}

static uint8_t status_of(struct slice word)
{
    static const char *const words[] = {
        [SPAN_UNSET] = "Unset", [SPAN_OK] = "Ok", [SPAN_ERROR] = "Error"};

    return word_index(word, words, SPAN_ERROR + 1);
}

/* ---- events and links ---- */

/* One element after another; nothing where an array has fewer. */
static struct byte_reader elements(const struct ch_array *array)
{
    return byte_reader_over(array->bytes);
}

static struct slice next_string(struct byte_reader *in)
{
    return byte_reader_left(in) > 0 ? ch_read_string(in)
                                    : (struct slice){NULL, 0};
}

static void next_attrs(struct byte_reader *maps, struct byte_reader *types,
                       struct arena *arena, struct attrs *attrs)
{
    *attrs = (struct attrs){0};
    if (byte_reader_left(maps) > 0) {
        struct slice map = ch_read_map(maps);

        ch_take_attrs(map, next_string(types), arena, attrs);
    }
}

static bool fits(const struct ch_array *array, uint64_t count)
{
    return array->count == count;
}

/* More than decoding lets through were not written by us. */
static enum status take_events(const struct ch_span_row *row,
                               struct arena *arena, struct span *span)
{
    uint64_t count = row->event_times.count;
    struct byte_reader times = elements(&row->event_times),
                       names = elements(&row->event_names),
                       maps = elements(&row->event_attrs),
                       types = elements(&row->event_types);
    struct span_event *events;

    if (!fits(&row->event_names, count) || !fits(&row->event_attrs, count))
        return ERR_CORRUPT;
    if (count > SPAN_MAX_EVENTS) {
        span->dropped_events += (uint32_t)(count - SPAN_MAX_EVENTS);
        count = SPAN_MAX_EVENTS;
    }
    if (count == 0)
        return OK;
    events = arena_zero(arena, count, sizeof(*events));
    if (!events)
        return arena_status(arena);
    for (uint64_t i = 0; i < count; i++) {
        events[i].time_ns = ch_read_time64(&times);
        events[i].name = arena_copy(arena, next_string(&names));
        next_attrs(&maps, &types, arena, &events[i].attrs);
    }
    span->events = events;
    span->event_count = (uint32_t)count;
    return OK;
}

static enum status take_links(const struct ch_span_row *row,
                              struct arena *arena, struct span *span)
{
    uint64_t count = row->link_traces.count;
    struct byte_reader traces = elements(&row->link_traces),
                       spans = elements(&row->link_spans),
                       states = elements(&row->link_states),
                       maps = elements(&row->link_attrs),
                       types = elements(&row->link_types),
                       flags = elements(&row->link_flags);
    struct span_link *links;

    if (!fits(&row->link_spans, count) || !fits(&row->link_states, count) ||
        !fits(&row->link_attrs, count))
        return ERR_CORRUPT;
    if (count > SPAN_MAX_EVENTS) {
        span->dropped_links += (uint32_t)(count - SPAN_MAX_EVENTS);
        count = SPAN_MAX_EVENTS;
    }
    if (count == 0)
        return OK;
    links = arena_zero(arena, count, sizeof(*links));
    if (!links)
        return arena_status(arena);
    for (uint64_t i = 0; i < count; i++) {
        (void)ch_read_id(&traces, links[i].trace_id, 16);
        (void)ch_read_id(&spans, links[i].span_id, 8);
        links[i].trace_state = arena_copy(arena, next_string(&states));
        next_attrs(&maps, &types, arena, &links[i].attrs);
        if (byte_reader_left(&flags) > 0)
            links[i].flags = ch_read_u32(&flags);
    }
    span->links = links;
    span->link_count = (uint32_t)count;
    return OK;
}

/* ---- the span ---- */

static enum status take_whole(const struct ch_span_row *row,
                              struct arena *arena, struct span *span)
{
    const struct slice scope[] = {row->scope_name, row->scope_version,
                                  row->scope_url};
    enum status status;

    span->trace_state = arena_copy(arena, row->trace_state);
    span->flags = row->flags;
    span->dropped_events = row->dropped_events;
    span->dropped_links = row->dropped_links;
    span->scope = ch_take_scope(scope, row->scope_map, row->scope_types, arena);
    ch_take_attrs(row->attr_map, row->attr_types, arena, &span->attrs);
    status = take_events(row, arena, span);
    return status == OK ? take_links(row, arena, span) : status;
}

enum status ch_span_take(const struct ch_span_row *row,
                         struct ch_resource_ids *ids, struct arena *arena,
                         struct span *span)
{
    enum status status = OK;

    *span = (struct span){
        .start_ns = row->start_ns,
        .end_ns = row->start_ns + row->duration_ns,
        .resource_id = ch_resource_id(ids, row->key),
        .name = arena_copy(arena, row->name),
        .status_message = arena_copy(arena, row->status_message),
        .endpoint = arena_copy(arena, row->endpoint),
        .operation = arena_copy(arena, row->operation),
        .kind = kind_of(row->kind),
        .status = status_of(row->status),
        .corrected = row->corrected,
        .failed = row->failed && status_of(row->status) != SPAN_ERROR};
    if (span->end_ns < span->start_ns)
        span->end_ns = span->start_ns;
    memcpy(span->trace_id, row->trace_id, sizeof(span->trace_id));
    memcpy(span->span_id, row->span_id, sizeof(span->span_id));
    memcpy(span->parent_span_id, row->parent_span_id,
           sizeof(span->parent_span_id));
    if (row->whole)
        status = take_whole(row, arena, span);
    return status == OK ? arena_status(arena) : status;
}
