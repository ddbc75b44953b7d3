/* memory_metadata - metadata.h over the store in memory (memory_store.h). */
#ifndef MEMORY_METADATA_H
#define MEMORY_METADATA_H

#include "memory_state.h"
#include "metadata.h"

struct metadata *store_metadata(struct store *store)
{
    return (struct metadata *)store;
}

static inline struct store *memory_store_of(struct metadata *metadata)
{
    return (struct store *)metadata;
}

/* ---- metadata.h: saving ---- */

void metadata_save_identity(struct metadata *metadata,
                            const struct identity *identity)
{
    struct store *store = memory_store_of(metadata);
    struct arena *arena = &store->arena;

    if (store->drop_metadata)
        return;
    array_reserve(&store->identity, identity->id + 1, &store->identity_room);
    while (store->identities <= identity->id)
        store->identity[store->identities++].id = IDENTITY_NONE;
    store->identity[identity->id] = (struct identity){
        .id = identity->id,
        .rule = identity->rule,
        .namespace = arena_copy(arena, identity->namespace),
        .project = arena_copy(arena, identity->project),
        .component = arena_copy(arena, identity->component),
        .environment = arena_copy(arena, identity->environment),
        .project_uid = arena_copy(arena, identity->project_uid),
        .component_uid = arena_copy(arena, identity->component_uid),
        .environment_uid = arena_copy(arena, identity->environment_uid)};
}

/* Texts, maps and arrays are copied, which is all that tests send. */
static inline const struct attr *memory_copy_attrs(struct arena *arena,
                                                   const struct attr *from,
                                                   uint32_t count)
{
    struct attr *to = arena_zero(arena, count + 1, sizeof(*to));

    for (uint32_t i = 0; i < count; i++) {
        to[i] = from[i];
        to[i].key = arena_copy(arena, attr_key(&from[i])).ptr;
        if (from[i].type == VALUE_STRING)
            to[i].str = arena_copy(arena, attr_text(&from[i])).ptr;
        else if (from[i].type == VALUE_MAP || from[i].type == VALUE_ARRAY)
            to[i].items = memory_copy_attrs(arena, from[i].items, from[i].len);
    }
    return to;
}

static inline void memory_resource_room(struct store *store, uint32_t id)
{
    array_reserve(&store->resource, id + 1, &store->resource_room);
    array_reserve(&store->identity_of, id + 1, &store->identity_of_room);
    array_reserve(&store->hash, id + 1, &store->hash_room);
    while (store->resources <= id)
        store->resource[store->resources++].id = RESOURCE_NONE;
}

void metadata_save_resource(struct metadata *metadata, uint32_t id,
                            uint32_t identity, uint64_t hash,
                            const struct resource *resource)
{
    struct store *store = memory_store_of(metadata);

    if (store->drop_metadata)
        return;
    memory_resource_room(store, id);
    store->resource[id] = (struct resource){.attrs = resource->attrs, .id = id};
    store->resource[id].attrs.at = memory_copy_attrs(
        &store->arena, resource->attrs.at, resource->attrs.count);
    store->identity_of[id] = identity;
    store->hash[id] = hash;
}

void metadata_save_resource_identity(struct metadata *metadata, uint32_t id,
                                     uint32_t identity)
{
    struct store *store = memory_store_of(metadata);

    if (store->drop_metadata)
        return;
    memory_resource_room(store, id);
    store->identity_of[id] = identity;
    store->repointed++;
}

void metadata_save_value(struct metadata *metadata, const char *name,
                         struct slice value)
{
    struct store *store = memory_store_of(metadata);
    uint32_t at = 0;

    while (at < store->value_count && strcmp(store->values[at].name, name) != 0)
        at++;
    array_reserve(&store->values, at + 1, &store->value_room);
    if (at == store->value_count)
        store->values[store->value_count++].name = name;
    store->values[at].value = arena_copy(&store->arena, value);
}

enum status metadata_sync(struct metadata *metadata)
{
    return memory_store_of(metadata)->health;
}

/* ---- metadata.h: loading ---- */

enum status metadata_load(struct metadata *metadata,
                          metadata_identity_visit *identity,
                          metadata_resource_visit *resource, void *arg)
{
    struct store *store = memory_store_of(metadata);

    for (uint32_t i = 0; i < store->identities; i++)
        if (store->identity[i].id != IDENTITY_NONE)
            identity(arg, &store->identity[i]);
    for (uint32_t i = store->resources; i-- > 0;)
        if (store->resource[i].id != RESOURCE_NONE)
            resource(arg, i, store->identity_of[i], store->hash[i],
                     &store->resource[i]);
    return OK;
}

enum status metadata_load_value(struct metadata *metadata, const char *name,
                                struct arena *arena, struct slice *value)
{
    const struct store *store = memory_store_of(metadata);

    *value = (struct slice){NULL, 0};
    for (uint32_t i = 0; i < store->value_count; i++)
        if (strcmp(store->values[i].name, name) == 0)
            *value = arena_copy(arena, store->values[i].value);
    return OK;
}

enum status metadata_load_derived_state(struct metadata *metadata,
                                        struct arena *arena,
                                        struct slice *state)
{
    const struct store *store = memory_store_of(metadata);

    *state = (struct slice){NULL, 0};
    for (uint32_t i = 0; i < store->count; i++)
        if (store->batches[i]->derived)
            *state = arena_copy(arena, store->batches[i]->state);
    return OK;
}

enum status metadata_load_requests(struct metadata *metadata,
                                   metadata_request_visit *visit, void *arg)
{
    const struct store *store = memory_store_of(metadata);

    for (uint32_t i = 0; i < store->count; i++)
        if (!request_hash_none(store->batches[i]->hash))
            visit(arg, store->batches[i]->hash, store->batches[i]->lsn);
    return OK;
}

#endif
