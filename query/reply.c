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

/* ---- resources and identities, looked up once per request ---- */

enum cached_kind { CACHED_RESOURCE, CACHED_RESOURCE_IDENTITY, CACHED_IDENTITY };

struct cached_value {
    uint64_t key;
    const void *value; /* NULL: the arena was full */
};

const struct identity identity_hidden = {.rule = RULE_NONE};

static bool find_identity(struct query_request *request, enum cached_kind kind,
                          uint32_t id, struct identity *identity)
{
    struct registry *registry = request->services->registry;

    return kind == CACHED_IDENTITY
               ? registry_identity(registry, id, request->arena, identity)
               : registry_resource_identity(registry, id, request->arena,
                                            identity);
}

/* A resource that was selected may be seen, whatever it is called: a pod of a
 * workflow has no names. */
static bool is_seen(const struct query_request *request, enum cached_kind kind,
                    uint32_t id, const struct identity *identity)
{
    return viewer_sees(&request->viewer, identity) ||
           (kind != CACHED_IDENTITY && request->selected &&
            bitmap_has(request->selected, id));
}

static const void *look_up_identity(struct query_request *request,
                                    enum cached_kind kind, uint32_t id)
{
    struct identity *identity =
        arena_zero(request->arena, 1, sizeof(*identity));

    if (!identity)
        return NULL;
    if (!find_identity(request, kind, id, identity))
        *identity = (struct identity){.rule = RULE_NONE};
    else if (!is_seen(request, kind, id, identity))
        return &identity_hidden;
    return identity;
}

static const void *look_up_resource(struct query_request *request,
                                    uint32_t resource_id)
{
    struct resource_info *info = arena_zero(request->arena, 1, sizeof(*info));

    if (!info)
        return NULL;
    if (!find_identity(request, CACHED_RESOURCE, resource_id, &info->identity))
        info->identity = (struct identity){0};
    if (!is_seen(request, CACHED_RESOURCE, resource_id, &info->identity))
        info->identity = identity_hidden;
    else if (reader_resource(request->reader, resource_id, request->arena,
                             &info->resource) != OK)
        info->resource = (struct resource){0};
    return info;
}

static const void *look_up(struct query_request *request, enum cached_kind kind,
                           uint32_t id)
{
    struct reply_cache *cache = &request->cache;
    uint64_t key = (uint64_t)kind << 32 | id;
    uint32_t hash = map_hash_number(key);
    struct cached_value *last;

    map_each(&cache->index, hash, at)
        if (cache->at[at].key == key)
            return cache->at[at].value;
    cache->index.arena = request->arena;
    last = arena_append(request->arena, &cache->at, cache->count, &cache->room);
    if (!last || !map_add(&cache->index, hash, cache->count))
        return NULL;
    cache->count++;
    *last = (struct cached_value){
        key, kind == CACHED_RESOURCE ? look_up_resource(request, id)
                                     : look_up_identity(request, kind, id)};
    return last->value;
}

const struct resource_info *reply_resource(struct query_request *request,
                                           uint32_t resource_id)
{
    return look_up(request, CACHED_RESOURCE, resource_id);
}

const struct identity *reply_resource_identity(struct query_request *request,
                                               uint32_t resource_id)
{
    return look_up(request, CACHED_RESOURCE_IDENTITY, resource_id);
}

const struct identity *reply_peer_identity(struct query_request *request,
                                           const struct attr *id)
{
    return id->type == VALUE_INT
               ? look_up(request, CACHED_IDENTITY, (uint32_t)id->i)
               : NULL;
}

struct slice reply_attr(const struct attrs *attrs,
                        const struct resource_info *resource, const char *key)
{
    const struct attr *found = attrs_find(attrs, slice_of(key));

    return found ? attr_text(found)
                 : attrs_text(&resource->resource.attrs, slice_of(key));
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
