/*
 * candidates - what may be the cause: the components in the scope, numbered in
 * the order of the registry, then the peers that they call (databases, queues,
 * external hosts), in the order in which they are met.
 */
#ifndef CANDIDATES_H
#define CANDIDATES_H

#include "rca_times.h"

enum { MAX_PEERS = 256 };

struct candidates {
    struct arena *arena;
    struct registry *registry;
    struct scope_filter scope; /* of all components */
    const struct viewer *viewer;
    struct identity *identities;     /* of a peer: a name only */
    uint8_t *kinds;                  /* enum candidate_kind */
    uint32_t component_count, count; /* without, with peers */
    struct bitmap *resources;        /* of all components */
    struct bitmap *reporting;        /* without those of derived series */
    uint32_t *by_resource;           /* component + 1 or a mark, see the .c */
};

/* False: the arena is full. */
MUST_CHECK bool candidates_find(struct candidates *candidates,
                                struct registry *registry,
                                const struct scope_filter *scope,
                                const struct viewer *viewer,
                                struct arena *arena);

/* These return NO_INDEX if there is none. */
uint32_t candidate_of_resource(struct candidates *candidates,
                               uint32_t resource);
uint32_t candidate_of_identity(struct candidates *candidates,
                               uint32_t identity);
uint32_t candidate_of_dependency(const struct candidates *candidates,
                                 uint32_t from,
                                 const struct catalog_dependency *dependency);
uint32_t candidate_find_peer(const struct candidates *candidates,
                             struct slice kind, struct slice name);
/* A new peer becomes a candidate, up to MAX_PEERS. */
uint32_t candidate_of_peer(struct candidates *candidates, struct slice kind,
                           struct slice name);

/* The resources of one component; NULL: the arena is full. */
struct bitmap *candidate_resources(const struct candidates *candidates,
                                   uint32_t component);
/* Of those of all components the ones of the wanted ones, likewise. */
struct bitmap *candidates_resources(struct candidates *candidates,
                                    const bool *wanted);

static inline struct slice candidate_name(const struct candidates *candidates,
                                          uint32_t candidate)
{
    return candidates->identities[candidate].component;
}

/* Peers are known from their callers only. */
static inline bool candidate_is_peer(const struct candidates *candidates,
                                     uint32_t candidate)
{
    return candidates->kinds[candidate] != CANDIDATE_COMPONENT;
}

#endif
