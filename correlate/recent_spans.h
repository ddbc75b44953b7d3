/*
 * span_tree - what the spans seen last are, and which span is above each: a
 * table of small buckets in which the oldest span makes way.
 *
 * Threads  the correlator's.
 */
#ifndef SPAN_TREE_H
#define SPAN_TREE_H

#include "cardinality_limit.h"
#include "record.h"

enum span_role {
    ROLE_SERVER,
    ROLE_CONSUMER,
    ROLE_STEP,    /* neither called nor calling */
    ROLE_CALL,    /* CLIENT whose callee has to be found */
    ROLE_QUERY,   /* CLIENT of a database */
    ROLE_MESSAGE, /* PRODUCER, CLIENT of a queue */
    ROLE_MASK = 7
};

struct span_node {
    uint64_t span; /* span_key's hash; enum span_role in the lowest bits */
    union {
        struct capped_name *endpoint; /* SERVER, CONSUMER: the one served */
        uint8_t above[8];             /* the rest; zero: none */
    };
};

enum { SPAN_TREE_BUCKETS = 1 << 13, SPAN_TREE_EACH = 4 /* a cache line */ };

struct span_tree {
    /* of a bucket, newest first */
    struct span_node (*nodes)[SPAN_TREE_EACH];
    void *memory; /* they begin where a cache line does */
};

struct span_tree *span_tree_new(void);
void span_tree_free(struct span_tree *tree);
void span_tree_clear(struct span_tree *tree);

/* Adds a span; its key's hash and that of its parent. A step below a step, or
 * below a span that serves, becomes what that is. */
void span_tree_add(struct span_tree *tree, const struct span *span,
                   uint64_t hash, uint64_t parent_hash, enum span_role role,
                   struct capped_name *endpoint);

static inline const struct span_node *span_tree_bucket(
    const struct span_tree *tree, uint64_t hash)
{
    return tree->nodes[(hash >> 40) % SPAN_TREE_BUCKETS];
}

/* The span with this hash; NULL if it is not known, or not any more. */
static inline const struct span_node *span_tree_find(
    const struct span_tree *tree, uint64_t hash)
{
    const struct span_node *bucket = span_tree_bucket(tree, hash);

    for (int i = 0; i < SPAN_TREE_EACH; i++)
        if ((bucket[i].span | ROLE_MASK) == (hash | ROLE_MASK))
            return &bucket[i];
    return NULL;
}

static inline enum span_role span_node_role(const struct span_node *node)
{
    return (enum span_role)(node->span & ROLE_MASK);
}

/* Fetches what the two above will look at. */
static inline __attribute__((always_inline)) void span_tree_expect(
    const struct span_tree *tree, uint64_t hash)
{
    __builtin_prefetch(span_tree_bucket(tree, hash));
}

#endif
