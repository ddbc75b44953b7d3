/*
 * identity_cache - identities that one request met, looked up once each.
 */
#ifndef IDENTITY_CACHE_H
#define IDENTITY_CACHE_H

#include "map.h"
#include "query_request.h"

struct cached_identity {
    uint64_t key;
    const struct identity *identity;
};

/* All zero but for request and index.arena: empty. */
struct identity_cache {
    struct query_request *request;
    struct cached_identity *at;
    uint32_t count, room;
    struct map index;
};

/* The identity with this number, or of this resource; empty texts if it is not
 * known. NULL: the arena is full. */
const struct identity *identity_by_number(struct identity_cache *cache,
                                          uint32_t number);
const struct identity *identity_by_resource(struct identity_cache *cache,
                                            uint32_t resource_id);

#endif
