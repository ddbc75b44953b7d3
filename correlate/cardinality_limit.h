/*
 * limit - names that senders make up, with a bound on how many of a kind.
 *
 * Endpoints of a component, operations of an endpoint, hosts a component calls
 * and log templates all come from outside. Each belongs to a group with a cap;
 * a name that does not fit becomes DERIVED_OTHER, one per group. All names
 * together are bounded by the size of the table: before it runs out (see
 * cardinality_low()) its owner clears it, and pointers to names end there.
 *
 * Two names are taken for one if their 64-bit hashes are equal within one
 * identity: whoever makes that happen confuses his own series only.
 *
 * Threads  the correlator's.
 */
#ifndef CARDINALITY_LIMIT_H
#define CARDINALITY_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "slice.h"

enum {
    CARDINALITY_MAX_TEXT = 255,
    CARDINALITY_RESERVE =
        64 /* names that fit after cardinality_low() said no */
};

/* Groups of an identity; every name is a group of its own besides. */
enum cardinality_group {
    CARDINALITY_ENDPOINTS,
    CARDINALITY_CALLS, /* operations of CLIENT and PRODUCER spans */
    CARDINALITY_PEERS,
    CARDINALITY_TEMPLATES,
    CARDINALITY_TEXTS, /* systems and hosts of peers; as many as there are peers
                        */
    CARDINALITY_GROUPS
};

struct limited_name {
    uint64_t hash; /* of the name and of all above it */
    struct slice text;
    uint32_t identity;
    uint32_t members; /* as a group: how many names are in it */
    uint32_t other;   /* as a group: number of its {other} + 1; 0: none */
    uint32_t hint;    /* for derived_get() */
    float carry[2];   /* for cardinality_weight() */
    bool is_other;
    uint64_t copied;        /* the batch that has a copy, by its number */
    struct slice copy;      /* in that batch's arena */
    uint32_t saved, number; /* the save that has it, as which one */
};

struct cardinality_limit;

struct cardinality_limit *cardinality_new(uint32_t max_names,
                                          uint32_t max_bytes);
void cardinality_free(struct cardinality_limit *limit);

/* True if the table has to be cleared before the next record. */
bool cardinality_low(const struct cardinality_limit *limit);
void cardinality_clear(struct cardinality_limit *limit);
/* How often it was cleared: a pointer to a name is good in its round only. */
uint32_t cardinality_epoch(const struct cardinality_limit *limit);
/* Names made {other} since it was cleared. */
uint64_t cardinality_refused(const struct cardinality_limit *limit);

/* The head of a group of an identity. */
struct limited_name *cardinality_group(struct cardinality_limit *limit,
                                       uint32_t identity,
                                       enum cardinality_group kind);

/* The name in this group, by the hash of its text; NULL if it is new. */
struct limited_name *cardinality_find(struct cardinality_limit *limit,
                                      const struct limited_name *group,
                                      uint64_t text_hash);

/* Adds a name that cardinality_find() does not know. text is cut at
 * CARDINALITY_MAX_TEXT. The group's {other} if it has `cap` names already. */
struct limited_name *cardinality_add(struct cardinality_limit *limit,
                                     struct limited_name *group,
                                     uint64_t text_hash, struct slice text,
                                     uint32_t cap);

/* Both in one: finds or adds. */
struct limited_name *cardinality_get(struct cardinality_limit *limit,
                                     struct limited_name *group,
                                     struct slice text, uint32_t cap);

/* The name in the arena of the batch with this number (from 1), copied once
 * per batch. */
struct slice cardinality_copy(struct limited_name *name, uint64_t batch,
                              struct arena *arena);

/*
 * A weight as a whole number, since counts are. What it has beyond one is
 * carried over to the next of the name, so that sums are right within one half.
 * What failed carries on its own, lest all fractions go to one of both. name
 * may be NULL.
 */
uint32_t cardinality_weight(struct limited_name *name, bool failed,
                            double weight);

#endif
