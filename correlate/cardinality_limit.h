/*
 * cardinality_limit - names chosen by senders, with a limit per group.
 *
 * Endpoints of a component, operations of an endpoint, hosts that a component
 * calls and log templates all come from outside. Each belongs to a group with a
 * limit; a name above it becomes DERIVED_OTHER, one per group. The size of the
 * table bounds all names together: when cardinality_low() says so, the owner
 * clears the table, which ends all pointers to names.
 *
 * Two names are the same if their 64-bit hashes are equal within one identity:
 * whoever constructs a collision confuses only his own series.
 *
 * Threads: the correlator's.
 */
#ifndef CARDINALITY_LIMIT_H
#define CARDINALITY_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "map.h"
#include "slice.h"

enum {
    CARDINALITY_MAX_TEXT = 255,
    CARDINALITY_RESERVE = 64 /* names that fit while cardinality_low() */
};

/* Groups of an identity. A name can contain names: an endpoint contains its
 * operations. */
enum cardinality_group {
    CARDINALITY_ENDPOINTS,
    CARDINALITY_CALLS, /* operations of CLIENT and PRODUCER spans */
    CARDINALITY_PEERS,
    CARDINALITY_TEMPLATES,
    CARDINALITY_TEXTS, /* systems and hosts of peers */
    CARDINALITY_GROUPS
};

struct counted_name {
    uint64_t hash; /* of the name and of the groups above it */
    struct slice text;
    uint32_t identity;
    uint32_t members; /* as a group: number of names in it */
    uint32_t hint;    /* for derived_get() */
    float rest[2];    /* for cardinality_weight() */
    bool is_other;
    uint64_t copied;         /* number of the batch that has a copy */
    struct slice copy;       /* in the arena of that batch */
    uint32_t packed, number; /* for edges_pack() */
};

struct cardinality_limit {
    struct counted_name *names;
    struct map index;
    char *bytes;
    uint32_t count, max_names, len, max_bytes;
    uint32_t epoch;   /* times cleared: a pointer to a name is valid in one */
    uint64_t refused; /* names that became {other} in this epoch */
};

struct cardinality_limit *cardinality_new(uint32_t max_names,
                                          uint32_t max_bytes);
void cardinality_free(struct cardinality_limit *limit);

/* True if the table has to be cleared before the next record. */
bool cardinality_low(const struct cardinality_limit *limit);
void cardinality_clear(struct cardinality_limit *limit);

/* A group of an identity; NULL only if the reserve is used up. The functions
 * below accept NULL as a group and return NULL. */
struct counted_name *cardinality_group(struct cardinality_limit *limit,
                                       uint32_t identity,
                                       enum cardinality_group kind);

/* The name in this group, by the hash of its text; NULL if it is new. */
struct counted_name *cardinality_find(struct cardinality_limit *limit,
                                      const struct counted_name *group,
                                      uint64_t text_hash);

/* Adds a new name, cut at CARDINALITY_MAX_TEXT; the group's {other} if it has
 * max_members names. */
struct counted_name *cardinality_add(struct cardinality_limit *limit,
                                     struct counted_name *group,
                                     uint64_t text_hash, struct slice text,
                                     uint32_t max_members);

/* Finds or adds a name. */
struct counted_name *cardinality_get(struct cardinality_limit *limit,
                                     struct counted_name *group,
                                     struct slice text, uint32_t max_members);

/* The name in the arena of the batch with this number (from 1), copied once
 * per batch. */
struct slice cardinality_copy(struct counted_name *name, uint64_t batch,
                              struct arena *arena);

/*
 * A weight as an integer, since counts are integers. The fraction is carried
 * over to the next call for this name, so sums are right within one half.
 * Failures have a fraction of their own: otherwise failures or successes could
 * get all of them. name may be NULL.
 */
uint32_t cardinality_weight(struct counted_name *name, bool failed,
                            double weight);

#endif
