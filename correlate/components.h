/*
 * components - what the correlator keeps at hand of each identity.
 *
 * Threads  the correlator's.
 */
#ifndef COMPONENTS_H
#define COMPONENTS_H

#include "cardinality_limit.h"
#include "catalog.h"
#include "registry.h"

struct component {
    uint32_t identity;
    uint32_t resource; /* of its derived series */
    uint64_t checked;  /* generation of the catalogue + 1; 0: never */
    const struct catalog_component *declared; /* NULL: it is not */

    struct limited_name *endpoint; /* the one found last, */
    uint32_t endpoint_epoch;       /* in this round */
    uint32_t changes; /* evidence_change.c: its state + 1; 0: none */
    uint8_t
        life; /* registry_identity_generation(); another: another identity */
};

struct components;

struct components *components_new(struct registry *registry,
                                  struct catalog *catalog);
void components_free(struct components *components);

/* Takes up a new catalogue; once per batch. */
void components_refresh(struct components *components);

/* Good until components_free(); `declared` until the next refresh. */
struct component *components_get(struct components *components,
                                 uint32_t identity);

#endif
