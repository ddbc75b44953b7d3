/*
 * catalog_int - what the two files of the catalogue share.
 */
#ifndef CATALOG_INT_H
#define CATALOG_INT_H

#include <stdatomic.h>

#include "catalog.h"
#include "idmap.h"

/* Does not change once it is made, but for the count of references. */
struct catalog_snapshot {
    atomic_uint refs;
    uint64_t generation;
    struct arena arena; /* everything below but the map */
    struct catalog_component *components;
    uint32_t count;
    struct idmap by_name; /* hash of namespace, project, name to index */
};

uint64_t catalog_hash(struct slice namespace, struct slice project,
                      struct slice component);

/* Fills components, count and by_name. On failure *detail says why. */
MUST_CHECK enum status catalog_parse(struct catalog_snapshot *snapshot,
                                     struct slice json, struct arena *arena,
                                     struct slice *detail);

#endif
