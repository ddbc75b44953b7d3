/*
 * store_resources - what an engine that several instances share asks the
 * registry.
 *
 * Ids of resources and identities are numbers of this instance. In the shared
 * tables a resource has a key of 64 bits, the same on every instance. An
 * identity is named by the key of an anchor, a received resource that had it
 * when the row was written: who reads the row asks for the identity that this
 * resource has now, so rows follow when a resource is re-tagged.
 *
 * Purpose:   functions that the registry gives to the engine.
 * Ownership: texts are copied into the caller's arena.
 * Threads:   any.
 * Errors:    RESOURCE_NONE, IDENTITY_NONE, key 0: unknown.
 */
#ifndef STORE_RESOURCES_H
#define STORE_RESOURCES_H

#include "arena.h"
#include "bitmap.h"
#include "identity.h"
#include "store.h"

/* A resource, as its rows are written. */
struct resource_names {
    uint64_t key;             /* of a derived resource: of its anchor */
    struct identity identity; /* at this moment */
};

/* What a query selects: the keys of the resources, and all names under which
 * rows of them may have been written: present and former ones. */
struct resource_selection {
    const uint64_t *keys; /* ascending, each once */
    uint32_t key_count;
    /* Each once; the first IDENTITY_NAMES count. None are listed if there are
     * many and few others: they would not narrow a search. */
    const struct identity *names;
    uint32_t name_count;
};

struct store_resources {
    void *arg;
    bool (*describe)(void *arg, uint32_t resource, struct arena *arena,
                     struct resource_names *out);
    uint32_t (*find)(void *arg, uint64_t key);
    /* The derived resource of the identity that the anchor has now. */
    uint32_t (*find_derived)(void *arg, uint64_t anchor);
    /* The same, but senders without a component are told apart: the resource
     * itself if it has none now. */
    uint32_t (*find_sender)(void *arg, uint64_t key);
    uint64_t (*identity_anchor)(void *arg, uint32_t identity);
    uint32_t (*find_identity)(void *arg, uint64_t anchor);
    /* derived: of the derived resources among them, by their anchors; else of
     * the received ones. NULL: the arena is full. */
    const struct resource_selection *(*select)(void *arg,
                                               const struct bitmap *resources,
                                               bool derived,
                                               struct arena *arena);
};

/* Before the first query and the first block. The embedded engine needs none.
 */
void store_set_resources(struct store *store,
                         const struct store_resources *resources);

#endif
