#include "identity_cache.h"

#include "array.h"

#define RESOURCE_KEY (UINT64_C(1) << 32) /* numbers of resources */

static const struct identity *look_up(struct identity_cache *cache,
                                      uint64_t key)
{
    struct arena *arena = cache->request->arena;
    struct registry *registry = cache->request->services->registry;
    struct identity *identity = arena_zero(arena, 1, sizeof(*identity));

    if (!identity)
        return NULL;
    if (!(key & RESOURCE_KEY
              ? registry_resource_identity(registry, (uint32_t)key, arena,
                                           identity)
              : registry_identity(registry, (uint32_t)key, arena, identity)))
        *identity = (struct identity){.rule = RULE_NONE};
    return identity;
}

static const struct identity *find(struct identity_cache *cache, uint64_t key)
{
    uint32_t hash = map_hash_number(key);
    struct cached_identity *last;

    map_each(&cache->index, hash, at)
        if (cache->at[at].key == key)
            return cache->at[at].identity;
    last = arena_append(cache->request->arena, &cache->at, cache->count,
                        &cache->room);
    if (!last || !map_add(&cache->index, hash, cache->count))
        return NULL;
    cache->count++;
    *last = (struct cached_identity){key, look_up(cache, key)};
    return last->identity;
}

const struct identity *identity_of_resource(struct identity_cache *cache,
                                            uint32_t resource_id)
{
    return find(cache, RESOURCE_KEY | resource_id);
}

const struct identity *identity_of_peer(struct identity_cache *cache,
                                        const struct attr *id)
{
    return id->type == VALUE_INT ? find(cache, (uint32_t)id->i) : NULL;
}
