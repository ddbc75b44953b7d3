/*
 * fake_store - the few functions of store.h that the registry calls, kept in
 * memory. A test that includes this runs without the real store (symbols of
 * the test win over those of the library); a second registry on the same fake
 * sees what a restart would see.
 */
#ifndef FAKE_STORE_H
#define FAKE_STORE_H

#include <stdlib.h>

#include "mem.h"
#include "store.h"

enum { FAKE_MAX = 300000 };

struct store {
    struct arena arena;
    struct identity identity[FAKE_MAX];
    struct resource resource[FAKE_MAX];
    uint32_t identity_of[FAKE_MAX];
    uint64_t hash[FAKE_MAX];
    uint32_t identities, resources; /* highest number and id, plus one */
    uint32_t repointed;             /* calls of save_resource_identity */
    struct slice text;
    uint64_t oldest_ns;
};

static inline struct store *fake_store_new(void)
{
    struct store *store = calloc(1, sizeof(*store));

    arena_init(&store->arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < FAKE_MAX; i++) {
        store->identity[i].id = IDENTITY_NONE;
        store->resource[i].id = RESOURCE_NONE;
    }
    return store;
}

static inline void fake_store_free(struct store *store)
{
    arena_release(&store->arena);
    free(store);
}

uint64_t store_oldest_ns(struct store *store)
{
    return store->oldest_ns;
}

struct metadata *store_metadata(struct store *store)
{
    return (struct metadata *)store;
}

static inline struct store *fake_of(struct metadata *metadata)
{
    return (struct store *)metadata;
}

void metadata_save_identity(struct metadata *metadata,
                            const struct identity *identity)
{
    struct store *store = fake_of(metadata);
    struct identity *to = &store->identity[identity->id];

    *to = *identity;
    to->namespace = arena_copy(&store->arena, identity->namespace);
    to->project = arena_copy(&store->arena, identity->project);
    to->component = arena_copy(&store->arena, identity->component);
    to->environment = arena_copy(&store->arena, identity->environment);
    to->project_uid = arena_copy(&store->arena, identity->project_uid);
    to->component_uid = arena_copy(&store->arena, identity->component_uid);
    to->environment_uid = arena_copy(&store->arena, identity->environment_uid);
    if (identity->id >= store->identities)
        store->identities = identity->id + 1;
}

/* Strings and maps of strings are copied, that is all the tests send. */
static inline const struct attr *fake_copy(struct arena *arena,
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
            to[i].items = fake_copy(arena, from[i].items, from[i].len);
    }
    return to;
}

void metadata_save_resource(struct metadata *metadata, uint32_t id,
                            uint32_t identity, uint64_t hash,
                            const struct resource *resource)
{
    struct store *store = fake_of(metadata);
    struct resource *to = &store->resource[id];

    to->attrs = resource->attrs;
    to->attrs.at =
        fake_copy(&store->arena, resource->attrs.at, resource->attrs.count);
    to->id = id;
    store->identity_of[id] = identity;
    store->hash[id] = hash;
    if (id >= store->resources)
        store->resources = id + 1;
}

void metadata_save_resource_identity(struct metadata *metadata, uint32_t id,
                                     uint32_t identity)
{
    struct store *store = fake_of(metadata);
    store->identity_of[id] = identity;
    store->repointed++;
}

void metadata_save_value(struct metadata *metadata, const char *name,
                         struct slice text)
{
    struct store *store = fake_of(metadata);
    (void)name;
    store->text = arena_copy(&store->arena, text);
}

enum status metadata_load(struct metadata *metadata,
                          metadata_identity_visit *identity,
                          metadata_resource_visit *resource, void *arg)
{
    struct store *store = fake_of(metadata);
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
                                struct arena *arena, struct slice *text)
{
    struct store *store = fake_of(metadata);
    (void)name;
    *text = arena_copy(arena, store->text);
    return OK;
}

#endif
