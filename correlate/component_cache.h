/*
 * component_cache - what the correlator caches for each identity.
 *
 * Threads: the correlator's.
 */
#ifndef COMPONENTS_H
#define COMPONENTS_H

#include "cardinality_limit.h"
#include "catalog.h"
#include "registry.h"

struct component {
    uint32_t identity;
    uint32_t resource;  /* of its derived series */
    uint64_t checked;   /* generation of the catalogue + 1; 0: never */
    uint8_t generation; /* registry_identity_generation() */
    bool unassigned;    /* it has no name */
    const struct catalog_component *declared; /* NULL: not declared */

    /* Caches, valid in one epoch of the names: the last endpoint found, and
     * the groups; NULL: not cached. */
    uint32_t epoch;
    struct counted_name *endpoint, *groups[CARDINALITY_GROUPS];
};

struct components;

struct components *components_new(struct registry *registry,
                                  struct catalog *catalog);
void components_free(struct components *components);

/* Uses a new catalogue; once per batch. */
void components_refresh(struct components *components);

/* A group of names of the component; NULL as for cardinality_group(). */
struct counted_name *component_group(struct component *component,
                                     struct cardinality_limit *limit,
                                     enum cardinality_group kind);

/* Valid until components_free(); `declared` until the next refresh. */
struct component *components_get(struct components *components,
                                 uint32_t identity);

#endif
