/*
 * unpaired_spans - a bounded table of spans that wait for another span of their
 * call, found by span id and ordered by age.
 *
 *   heads[hash]  ─► span ─► span         one bucket, linked by `chain`
 *   oldest ⇄ span ⇄ span ⇄ newest        all spans, by age
 *   free   ─► span ─► span               unused entries, linked by `chain`
 *
 * Several spans may have one key, up to the limit of a bucket: a sender can
 * give the same ids to all its spans.
 *
 * Threads: the correlator's.
 */
#ifndef UNPAIRED_SPANS_H
#define UNPAIRED_SPANS_H

#include "call_target.h"
#include "hash.h"

#define UNPAIRED_NONE UINT32_MAX

/* Ids of a span; made by span_key(). */
struct span_key {
    uint8_t trace_id[16], span_id[8];
    uint64_t hash;
};

enum {
    /* of callers */
    UNPAIRED_ENCLOSES = 1,        /* a CLIENT below it is the call */
    UNPAIRED_IN_QUERY = 2,        /* part of a call of a database */
    UNPAIRED_IN_MESSAGE = 4,      /* part of a call of a queue */
    UNPAIRED_HOST_INHERITED = 16, /* the host is that of a CLIENT above */
    /* of a CONSUMER under its own key, found through its links */
    UNPAIRED_LINKED = 8
};

enum { UNPAIRED_MAX_CALLERS = 4 };

struct unpaired_span {
    struct span_key key;
    uint32_t chain, older, newer; /* next to the key: same cache line */
    uint8_t kind;                 /* enum span_kind */
    uint8_t flags;
    uint8_t ancestor[8]; /* of a caller: the next ancestor that has not arrived;
                            zero: none is missing */
    uint64_t arrived_ns;
    union {
        struct call_span call;    /* this span's side of the call */
        struct span_key consumer; /* of a link: the CONSUMER that has it */
    };
    struct counted_name *operation; /* served; NULL: unknown */
    struct component *own;          /* if call.component is that of a CLIENT
                                       above; else NULL */
    uint32_t callers[UNPAIRED_MAX_CALLERS]; /* of a callee: identities that
                                               called it, + 1; 0: unused */
};

enum { UNPAIRED_COUNTERS = 256 };

struct unpaired_spans {
    struct unpaired_span *at;
    struct call_target *targets; /* one per span; NULL: the table has none */
    uint32_t *heads;             /* number + 1; 0: empty bucket */
    uint32_t max_spans, max_per_bucket, mask, free, fresh, oldest, newest, open;
    /* Open spans by the high byte of their hash. While there are few, this
     * saves a look into `heads`, which is not in the cache. */
    uint32_t open_by_byte[UNPAIRED_COUNTERS];
};

void unpaired_init(struct unpaired_spans *spans, uint32_t max_spans,
                   uint32_t max_per_bucket, bool targets);
void unpaired_release(struct unpaired_spans *spans);
void unpaired_clear(struct unpaired_spans *spans);

static inline uint64_t span_hash(const uint8_t trace_id[16],
                                 const uint8_t span_id[8])
{
    uint64_t a, b, c;

    memcpy(&a, trace_id, 8);
    memcpy(&b, trace_id + 8, 8);
    memcpy(&c, span_id, 8);
    return hash_mix(hash_mix(a, b), c);
}

static inline struct span_key span_key(const uint8_t trace_id[16],
                                       const uint8_t span_id[8])
{
    struct span_key key;

    memcpy(key.trace_id, trace_id, 16);
    memcpy(key.span_id, span_id, 8);
    key.hash = span_hash(trace_id, span_id);
    return key;
}

static inline bool span_key_equal(const struct span_key *a,
                                  const struct span_key *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* False if the table certainly has no span with this hash. */
static inline bool unpaired_may_have(const struct unpaired_spans *spans,
                                     uint64_t hash)
{
    return spans->open_by_byte[hash >> 56] > 0 &&
           spans->heads[(hash >> 32) & spans->mask] != 0;
}

/* The first span from `at` on in its bucket that has this key. */
uint32_t unpaired_find_from(const struct unpaired_spans *spans, uint32_t at,
                            const struct span_key *key);

/* The first span with this key; the next one with the same key. */
static inline uint32_t unpaired_find(const struct unpaired_spans *spans,
                                     const struct span_key *key)
{
    return unpaired_may_have(spans, key->hash)
               ? unpaired_find_from(
                     spans, spans->heads[(key->hash >> 32) & spans->mask] - 1,
                     key)
               : UNPAIRED_NONE;
}

static inline uint32_t unpaired_next(const struct unpaired_spans *spans,
                                     uint32_t at)
{
    return unpaired_find_from(spans, spans->at[at].chain, &spans->at[at].key);
}

/* Prefetches what unpaired_find() reads; somewhat later and with `soon`, what
 * that refers to. gcc removes calls of a function that only prefetches, unless
 * it is inlined. */
static inline __attribute__((always_inline)) void unpaired_prefetch(
    const struct unpaired_spans *spans, uint64_t hash, bool soon)
{
    const uint32_t *head = &spans->heads[(hash >> 32) & spans->mask];

    if (!soon) {
        __builtin_prefetch(head);
    } else if (*head) {
        __builtin_prefetch(&spans->at[*head - 1]);
        __builtin_prefetch((const char *)&spans->at[*head - 1] + 64);
    }
}

/* True if the bucket of this key is full. */
bool unpaired_crowded(const struct unpaired_spans *spans,
                      const struct span_key *key);
static inline bool unpaired_full(const struct unpaired_spans *spans)
{
    return spans->open == spans->max_spans;
}

/* Adds copies, as the newest or as the oldest. The table must have room. */
void unpaired_put(struct unpaired_spans *spans,
                  const struct unpaired_span *span,
                  const struct call_target *target, bool oldest);
/* Removes a span. Its content stays as it is until the next put. */
void unpaired_take(struct unpaired_spans *spans, uint32_t at);

#endif
