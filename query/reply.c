/*
 * Pieces that several answers are made of.
 */
#include <math.h>

#include "grid.h"
#include "route.h"

void reply_text(struct call *call, const char *key, struct slice text)
{
    if (text.len > 0)
        jsonw_member_text(&call->json, key, text);
}

bool reply_is_uuid(struct slice text)
{
    if (text.len != 36)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                   (c >= 'A' && c <= 'F');

        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

void reply_uid(struct call *call, const char *key, struct slice uid)
{
    if (reply_is_uuid(uid))
        jsonw_member_text(&call->json, key, uid);
}

void reply_identity(struct call *call, const struct identity *identity)
{
    reply_text(call, "componentName", identity->component);
    reply_text(call, "projectName", identity->project);
    reply_text(call, "environmentName", identity->environment);
    reply_text(call, "namespaceName", identity->namespace);
    reply_uid(call, "componentUid", identity->component_uid);
    reply_uid(call, "projectUid", identity->project_uid);
    reply_uid(call, "environmentUid", identity->environment_uid);
}

/* ---- resources, looked up once per call ---- */

static struct source **source_slot(struct source **table, uint32_t room,
                                   uint32_t resource_id)
{
    uint32_t at = resource_id & (room - 1);

    while (table[at] && table[at]->resource_id != resource_id)
        at = (at + 1) & (room - 1);
    return &table[at];
}

static bool grow_sources(struct call *call)
{
    uint32_t room = call->source_room ? 2 * call->source_room : 64;
    struct source **table = arena_zero(call->arena, room, sizeof(*table));

    if (!table)
        return false;
    for (uint32_t i = 0; i < call->source_room; i++)
        if (call->sources[i])
            *source_slot(table, room, call->sources[i]->resource_id) =
                call->sources[i];
    call->sources = table;
    call->source_room = room;
    return true;
}

const struct source *reply_source(struct call *call, uint32_t resource_id)
{
    struct source **slot, *source;

    if (2 * call->source_count >= call->source_room && !grow_sources(call))
        return NULL;
    slot = source_slot(call->sources, call->source_room, resource_id);
    if (*slot)
        return *slot;
    source = arena_zero(call->arena, 1, sizeof(*source));
    if (!source)
        return NULL;
    source->resource_id = resource_id;
    source->has_identity = registry_resource_identity(
        call->services->registry, resource_id, call->arena, &source->identity);
    if (!source->has_identity)
        memset(&source->identity, 0, sizeof(source->identity));
    if (reader_resource(call->reader, resource_id, call->arena,
                        &source->resource) != OK)
        memset(&source->resource, 0, sizeof(source->resource));
    call->source_count++;
    return *slot = source;
}

struct slice reply_attr(const struct attrs *attrs, const struct source *source,
                        const char *key)
{
    const struct attr *found = attrs_find(attrs, slice_of(key));

    if (!found)
        found = attrs_find(&source->resource.attrs, slice_of(key));
    return found ? attr_text(found) : (struct slice){NULL, 0};
}

struct slice reply_event_type(const struct log_record *log)
{
    if (slice_equal(log->severity_text, SLICE("Normal")) ||
        slice_equal(log->severity_text, SLICE("Warning")))
        return log->severity_text;
    return log->level >= LEVEL_WARN ? SLICE("Warning") : SLICE("Normal");
}

struct slice reply_value_text(struct call *call, const struct attr *value)
{
    struct slice text = attr_text(value);
    struct buf buf;
    struct jsonw json;

    if (value->type == VALUE_STRING || value->type == VALUE_EMPTY)
        return text;
    buf_init(&buf, call->out.cap);
    jsonw_init(&json, &buf);
    jsonw_value(&json, value);
    text = arena_copy(call->arena, buf_slice(&buf));
    buf_release(&buf);
    return text;
}

void reply_end(struct call *call, uint64_t total)
{
    jsonw_close(&call->json, ']');
    jsonw_member_uint(&call->json, "total", total);
    jsonw_member_int(&call->json, "tookMs", call_took_ms(call));
    jsonw_close(&call->json, '}');
}

void reply_row(struct call *call, const char *key, const struct grid *grid,
               const struct row *row)
{
    jsonw_member_open(&call->json, key, '[');
    for (uint32_t i = 0; i < grid->count; i++) {
        if (!row->known[i] || !isfinite(row->values[i]))
            continue;
        jsonw_open(&call->json, '{');
        jsonw_member_time(&call->json, "timestamp", grid_time(grid, i));
        jsonw_member_double(&call->json, "value", row->values[i]);
        jsonw_close(&call->json, '}');
    }
    jsonw_close(&call->json, ']');
}
