/*
 * export_int - the parts of `callboard export`.
 *
 *   export.c            opens both stores, copies what is beside the signals,
 *                       compares the counts
 *   export_resources.c  ids of the folder's store -> ids of the registry that
 *                       instances share
 *   export_pieces.c     piece by piece into blocks
 */
#ifndef EXPORT_INT_H
#define EXPORT_INT_H

#include "config.h"
#include "registry.h"
#include "store_block.h"
#include "store_pieces.h"

/* ---- export_resources.c ---- */

struct export_resource {
    uint32_t to; /* its id there; RESOURCE_NONE: none yet */
    bool synthetic, derived;
};

struct export_resources {
    struct store *store; /* the folder's */
    struct registry *from, *to;
    struct export_resource *at; /* by id of the folder's store */
    uint32_t count, room;
    uint32_t *identities; /* by present identity there: a resource of `to` that
                             has it, RESOURCE_NONE */
    uint32_t identity_count, identity_room;
    struct component_info *components; /* of `from` */
    uint32_t component_count;
    uint64_t now_ns;
    struct arena arena;
};

/* Gives all stored resources to the registry `to`. */
MUST_CHECK enum status export_resources_open(struct export_resources *r);
void export_resources_close(struct export_resources *r);

/* RESOURCE_NONE for what is not known. */
uint32_t export_resource_id(const struct export_resources *r, uint32_t id);
uint32_t export_identity_id(struct export_resources *r, uint32_t identity);

/* ---- export_pieces.c ---- */

enum { EXPORT_ID_SIZE = 17 };

struct export_pieces {
    struct store *from, *to;
    struct export_resources *resources;
    struct budget *budget;
    uint64_t block_bytes;
    char id[EXPORT_ID_SIZE]; /* of the folder's store */
    uint64_t records, bytes; /* that it has */
    uint64_t written[STREAM_COUNT];
};

/* Goes on after the last piece that is noted in the store `to`. */
MUST_CHECK enum status export_pieces(struct export_pieces *x);

#endif
