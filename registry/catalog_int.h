/*
 * catalog_int - what the two files of the catalogue share.
 *
 * Threads  a snapshot is filled by one thread, and does not change once readers
 *          have it.
 */
#ifndef CATALOG_INT_H
#define CATALOG_INT_H

#include <stdatomic.h>

#include "catalog.h"
#include "map.h"

struct catalog_snapshot {
    atomic_uint refs;
    uint64_t generation;
    struct arena arena; /* holds everything below */
    struct catalog_component *components;
    uint32_t count;
    struct map by_name; /* by namespace, project, name; in the arena */
};

uint32_t catalog_hash(struct slice namespace, struct slice project,
                      struct slice component);

/* Fills components, count and by_name. On failure *detail says why. */
MUST_CHECK enum status catalog_parse(struct catalog_snapshot *snapshot,
                                     struct slice json, struct arena *arena,
                                     struct slice *detail);

/* ---- catalog_part.c ---- */

/* The entries that the viewer may see, of the namespace (empty: of any). */
enum status catalog_part_seen(struct slice text, const struct viewer *viewer,
                              struct slice namespace, struct buf *out);
/* The document with the entries of the namespace replaced by those of part. */
enum status catalog_part_replace(struct slice text, struct slice part,
                                 struct slice namespace, struct buf *out);
/* All entries are of this namespace. */
bool catalog_part_is_of(struct slice text, struct slice namespace);

#endif
