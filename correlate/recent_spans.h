/*
 * recent_spans - role and parent of the last spans seen: a table of small
 * buckets in which a new span replaces the oldest.
 *
 * Threads: the correlator's.
 */
#ifndef RECENT_SPANS_H
#define RECENT_SPANS_H

#include "cardinality_limit.h"
#include "record.h"

enum span_role {
    ROLE_SERVER,
    ROLE_CONSUMER,
    ROLE_INTERNAL, /* neither serves nor calls */
    ROLE_CALL,     /* CLIENT that has a callee */
    ROLE_QUERY,    /* CLIENT of a database */
    ROLE_MESSAGE,  /* PRODUCER, CLIENT of a queue */
    ROLE_MASK = 7
};

struct recent_span {
    uint64_t span; /* hash of the span_key; enum span_role in the lowest bits */
    union {
        struct counted_name *endpoint; /* served by a SERVER or CONSUMER */
        uint8_t parent[8];             /* of the others; zero: none */
    };
};

enum { RECENT_SPANS_BUCKETS = 1 << 13, RECENT_SPANS_PER_BUCKET = 4 };

struct recent_spans {
    /* newest first; a bucket is a cache line */
    struct recent_span (*buckets)[RECENT_SPANS_PER_BUCKET];
    void *memory; /* holds the buckets, which are aligned */
};

struct recent_spans *recent_spans_new(void);
void recent_spans_free(struct recent_spans *spans);
void recent_spans_clear(struct recent_spans *spans);

/* Adds a span, by the hashes of its key and its parent's. An INTERNAL span
 * below another one, or below a span that serves, gets that one's entry. */
void recent_spans_add(struct recent_spans *spans, const struct span *span,
                      uint64_t hash, uint64_t parent_hash, enum span_role role,
                      struct counted_name *endpoint);

static inline struct recent_span *recent_spans_bucket(
    const struct recent_spans *spans, uint64_t hash)
{
    return spans->buckets[(hash >> 40) % RECENT_SPANS_BUCKETS];
}

/* The span with this hash; NULL if it is unknown or was replaced. */
static inline const struct recent_span *recent_spans_find(
    const struct recent_spans *spans, uint64_t hash)
{
    const struct recent_span *bucket = recent_spans_bucket(spans, hash);

    for (int i = 0; i < RECENT_SPANS_PER_BUCKET; i++)
        if ((bucket[i].span | ROLE_MASK) == (hash | ROLE_MASK))
            return &bucket[i];
    return NULL;
}

static inline enum span_role recent_span_role(const struct recent_span *span)
{
    return (enum span_role)(span->span & ROLE_MASK);
}

/* Prefetches what the two above read. */
static inline __attribute__((always_inline)) void recent_spans_prefetch(
    const struct recent_spans *spans, uint64_t hash)
{
    __builtin_prefetch(recent_spans_bucket(spans, hash));
}

#endif
