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

/* The identity of a resource, or the one with the number that an attribute has
 * (DERIVED_PEER_ID); empty texts if it is not known. NULL: the attribute is no
 * number, or the arena is full. */
const struct identity *identity_of_resource(struct identity_cache *cache,
                                            uint32_t resource_id);
const struct identity *identity_of_peer(struct identity_cache *cache,
                                        const struct attr *id);

#endif
