/*
 * Pieces that several answers are made of.
 */
#include "query_request.h"

const struct reply_table identity_table =
    REPLY_TABLE(struct identity,
                REPLY_OPTIONAL(struct identity, "componentName", component),
                REPLY_OPTIONAL(struct identity, "projectName", project),
                REPLY_OPTIONAL(struct identity, "environmentName", environment),
                REPLY_OPTIONAL(struct identity, "namespaceName", namespace),
                REPLY_UID(struct identity, "componentUid", component_uid),
                REPLY_UID(struct identity, "projectUid", project_uid),
                REPLY_UID(struct identity, "environmentUid", environment_uid));

/* ---- resources, looked up once per request ---- */

static struct resource_info **source_slot(struct resource_info **table,
                                          uint32_t room, uint32_t resource_id)
{
    uint32_t at = resource_id & (room - 1);

    while (table[at] && table[at]->resource_id != resource_id)
        at = (at + 1) & (room - 1);
    return &table[at];
}

static bool grow_sources(struct query_request *request)
{
    uint32_t room = request->source_room ? 2 * request->source_room : 64;
    struct resource_info **table =
        arena_zero(request->arena, room, sizeof(*table));

    if (!table)
        return false;
    for (uint32_t i = 0; i < request->source_room; i++)
        if (request->sources[i])
            *source_slot(table, room, request->sources[i]->resource_id) =
                request->sources[i];
    request->sources = table;
    request->source_room = room;
    return true;
}

const struct resource_info *reply_resource(struct query_request *request,
                                           uint32_t resource_id)
{
    struct resource_info **slot, *source;

    if (2 * request->source_count >= request->source_room &&
        !grow_sources(request))
        return NULL;
    slot = source_slot(request->sources, request->source_room, resource_id);
    if (*slot)
        return *slot;
    source = arena_zero(request->arena, 1, sizeof(*source));
    if (!source)
        return NULL;
    source->resource_id = resource_id;
    source->has_identity =
        registry_resource_identity(request->services->registry, resource_id,
                                   request->arena, &source->identity);
    if (!source->has_identity)
        memset(&source->identity, 0, sizeof(source->identity));
    if (reader_resource(request->reader, resource_id, request->arena,
                        &source->resource) != OK)
        memset(&source->resource, 0, sizeof(source->resource));
    request->source_count++;
    return *slot = source;
}

struct slice reply_attr(const struct attrs *attrs,
                        const struct resource_info *source, const char *key)
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

struct slice reply_value_text(struct query_request *request,
                              const struct attr *value)
{
    struct slice text = attr_text(value);
    struct buf buf;
    struct jsonw json;

    if (value->type == VALUE_STRING || value->type == VALUE_EMPTY)
        return text;
    buf_init(&buf, request->out.cap);
    jsonw_init(&json, &buf);
    jsonw_value(&json, value);
    text = arena_copy(request->arena, buf_slice(&buf));
    buf_release(&buf);
    return text;
}
