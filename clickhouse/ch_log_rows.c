#include "ch_log_rows.h"

#include "ch_attributes.h"

/* ---- maps ---- */

struct slice ch_read_map(struct byte_reader *in)
{
    const char *from = in->at;

    ch_skip_map(in);
    return in->bad ? (struct slice){NULL, 0}
                   : (struct slice){from, (size_t)(in->at - from)};
}

void ch_take_attrs(struct slice map, struct slice types, struct arena *arena,
                   struct attrs *attrs)
{
    struct byte_reader in = byte_reader_over(arena_copy(arena, map));

    *attrs = (struct attrs){0};
    ch_attributes_read(&in, types, arena, attrs);
}

const struct scope *ch_take_scope(const struct slice texts[3], struct slice map,
                                  struct slice types, struct arena *arena)
{
    struct scope *scope;

    /* A map without pairs is one byte. */
    if (texts[0].len + texts[1].len + texts[2].len + types.len == 0 &&
        map.len <= 1)
        return NULL;
    scope = arena_zero(arena, 1, sizeof(*scope));
    if (!scope)
        return NULL;
    scope->name = arena_copy(arena, texts[0]);
    scope->version = arena_copy(arena, texts[1]);
    scope->schema_url = arena_copy(arena, texts[2]);
    ch_take_attrs(map, types, arena, &scope->attrs);
    return scope;
}

/* ---- rows ---- */

void ch_log_columns(struct ch_sql *sql, const struct ch_log_row *row,
                    const struct ch_sql *certain)
{
    CH_SQL_WITH(sql,
                "toUInt8(?), Timestamp, Arrival, InsertedAt, ResourceId, "
                "TraceId, SpanId, Level, Body, BodyType",
                CH_PART(certain));
    if (!row->brief || row->attrs)
        CH_SQL(sql, ", LogAttributes, AttributeTypes");
    if (!row->brief)
        CH_SQL(sql, ", ObservedTimestamp, SeverityNumber, Corrected, Flags, "
                    "SeverityText, EventName, ScopeName, ScopeVersion, "
                    "ScopeSchemaUrl, ScopeAttributes, ScopeTypes");
}

void ch_log_decode(void *arg, struct byte_reader *in)
{
    struct ch_log_row *row = arg;

    row->certain = ch_read_u8(in);
    row->time_ns = ch_read_time64(in);
    row->arrival = ch_read_u64(in);
    row->inserted_ns = ch_read_time64(in);
    row->key = ch_read_u64(in);
    (void)ch_read_id(in, row->trace_id, sizeof(row->trace_id));
    (void)ch_read_id(in, row->span_id, sizeof(row->span_id));
    row->level = ch_read_u8(in);
    row->body = ch_read_string(in);
    row->body_types = ch_read_string(in);
    if (!row->brief || row->attrs) {
        row->attr_map = ch_read_map(in);
        row->attr_types = ch_read_string(in);
    }
    if (row->brief)
        return;
    row->observed_ns = ch_read_time64(in);
    row->severity = ch_read_u8(in);
    row->corrected = ch_read_u8(in);
    row->flags = ch_read_u32(in);
    row->severity_text = ch_read_string(in);
    row->event_name = ch_read_string(in);
    row->scope_name = ch_read_string(in);
    row->scope_version = ch_read_string(in);
    row->scope_url = ch_read_string(in);
    row->scope_map = ch_read_map(in);
    row->scope_types = ch_read_string(in);
}

static void take_rest(const struct ch_log_row *row, struct arena *arena,
                      struct log_record *log)
{
    const struct slice scope[] = {row->scope_name, row->scope_version,
                                  row->scope_url};

    log->observed_ns = row->observed_ns;
    log->severity = row->severity;
    log->corrected = row->corrected;
    log->flags = row->flags;
    log->severity_text = arena_copy(arena, row->severity_text);
    log->event_name = arena_copy(arena, row->event_name);
    log->scope = ch_take_scope(scope, row->scope_map, row->scope_types, arena);
}

enum status ch_log_take(const struct ch_log_row *row,
                        struct ch_resource_ids *ids, struct arena *arena,
                        struct log_record *log)
{
    *log = (struct log_record){.time_ns = row->time_ns,
                               .arrival = row->arrival,
                               .level = row->level < LEVEL_COUNT ? row->level
                                                                 : LEVEL_UNSET,
                               .resource_id = ch_resource_id(ids, row->key),
                               .body.key = ""};
    memcpy(log->trace_id, row->trace_id, sizeof(log->trace_id));
    memcpy(log->span_id, row->span_id, sizeof(log->span_id));
    if (!ch_value_read(arena_copy(arena, row->body), row->body_types, arena,
                       &log->body))
        return arena_status(arena);
    if (!row->brief || row->attrs)
        ch_take_attrs(row->attr_map, row->attr_types, arena, &log->attrs);
    if (!row->brief)
        take_rest(row, arena, log);
    return arena_status(arena);
}
