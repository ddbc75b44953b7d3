/*
 * ch_selection - the resources of a query as SQL.
 *
 * Rows of a resource begin with the names that it had when they were written,
 * and the sort key begins with them: all names under which the resources have
 * rows find the ranges of the key, the keys of the resources decide. Of most
 * of all resources the names are left out: almost all ranges have to be read
 * anyway, and a thousand names take as long to analyse as a query to run.
 */
#ifndef CH_SELECTION_H
#define CH_SELECTION_H

#include "bitmap.h"
#include "ch_reader.h"

/* Adds " AND (...)" for these resources, nothing if they are NULL. derived: as
 * in store_resources.h. *none: they have no rows, and nothing was added. */
MUST_CHECK enum status ch_selection_add(struct ch_reader *reader,
                                        struct ch_sql *sql,
                                        const struct bitmap *resources,
                                        bool derived, struct arena *work,
                                        bool *none);

/* The same by their names alone: rows of others may have them, too. */
MUST_CHECK enum status ch_selection_add_names(struct ch_reader *reader,
                                              struct ch_sql *sql,
                                              const struct bitmap *resources,
                                              bool derived, struct arena *work,
                                              bool *none);

/* The resource of a row, RESOURCE_NONE if this instance does not know it yet.
 * Rows of a resource come together, so the last one is kept. */
struct ch_resource_ids {
    const struct store_resources *resources;
    uint64_t key;
    uint32_t id;
    bool kept;
};
uint32_t ch_resource_id(struct ch_resource_ids *ids, uint64_t key);

#endif
