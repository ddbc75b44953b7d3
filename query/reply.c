/*
 * Parts that several answers have: identities, resources, texts of records.
 */
#include "array.h"
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

static struct resource_info *look_up(struct query_request *request,
                                     uint32_t resource_id)
{
    struct resource_info *info = arena_zero(request->arena, 1, sizeof(*info));

    if (!info)
        return NULL;
    info->resource_id = resource_id;
    info->has_identity =
        registry_resource_identity(request->services->registry, resource_id,
                                   request->arena, &info->identity);
    if (!info->has_identity)
        info->identity = (struct identity){0};
    if (reader_resource(request->reader, resource_id, request->arena,
                        &info->resource) != OK)
        info->resource = (struct resource){0};
    return info;
}

const struct resource_info *reply_resource(struct query_request *request,
                                           uint32_t resource_id)
{
    struct resource_cache *cache = &request->resources;
    uint32_t hash = map_hash_number(resource_id);
    struct resource_info **last;

    map_each(&cache->index, hash, at)
        if (cache->at[at]->resource_id == resource_id)
            return cache->at[at];
    cache->index.arena = request->arena;
    last = arena_append(request->arena, &cache->at, cache->count, &cache->room);
    if (last)
        *last = look_up(request, resource_id);
    if (!last || !*last || !map_add(&cache->index, hash, cache->count))
        return NULL;
    cache->count++;
    return *last;
}

struct slice reply_attr(const struct attrs *attrs,
                        const struct resource_info *resource, const char *key)
{
    const struct attr *found = attrs_find(attrs, slice_of(key));

    if (!found)
        found = attrs_find(&resource->resource.attrs, slice_of(key));
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
