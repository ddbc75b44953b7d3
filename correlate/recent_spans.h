/*
 * span_tree - what the spans seen last are, and which span is above each: a
 * table of small buckets in which the oldest span makes way.
 *
 * Threads  the correlator's.
 */
#ifndef RECENT_SPANS_H
#define RECENT_SPANS_H

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

struct recent_span {
    uint64_t span; /* span_key's hash; enum span_role in the lowest bits */
    union {
        struct limited_name *endpoint; /* SERVER, CONSUMER: the one served */
        uint8_t above[8];              /* the rest; zero: none */
    };
};

enum {
    RECENT_SPANS_BUCKETS = 1 << 13,
    RECENT_SPANS_PER_BUCKET = 4 /* a cache line */
};

struct recent_spans {
    /* of a bucket, newest first */
    struct recent_span (*nodes)[RECENT_SPANS_PER_BUCKET];
    void *memory; /* they begin where a cache line does */
};

struct recent_spans *recent_spans_new(void);
void recent_spans_free(struct recent_spans *tree);
void recent_spans_clear(struct recent_spans *tree);

/* Adds a span; its key's hash and that of its parent. A step below a step, or
 * below a span that serves, becomes what that is. */
void recent_spans_add(struct recent_spans *tree, const struct span *span,
                      uint64_t hash, uint64_t parent_hash, enum span_role role,
                      struct limited_name *endpoint);

static inline const struct recent_span *recent_spans_bucket(
    const struct recent_spans *tree, uint64_t hash)
{
    return tree->nodes[(hash >> 40) % RECENT_SPANS_BUCKETS];
}

/* The span with this hash; NULL if it is not known, or not any more. */
static inline const struct recent_span *recent_spans_find(
    const struct recent_spans *tree, uint64_t hash)
{
    const struct recent_span *bucket = recent_spans_bucket(tree, hash);

    for (int i = 0; i < RECENT_SPANS_PER_BUCKET; i++)
        if ((bucket[i].span | ROLE_MASK) == (hash | ROLE_MASK))
            return &bucket[i];
    return NULL;
}

static inline enum span_role recent_span_role(const struct recent_span *node)
{
    return (enum span_role)(node->span & ROLE_MASK);
}

/* Fetches what the two above will look at. */
static inline __attribute__((always_inline)) void recent_spans_prefetch(
    const struct recent_spans *tree, uint64_t hash)
{
    __builtin_prefetch(recent_spans_bucket(tree, hash));
}

#endif
