/*
 * spans - a bounded table of spans of calls, by a span's ids and by age.
 *
 *   heads[hash]  ─► end ─► end         spans of one bucket, by `chain`
 *   oldest ⇄ end ⇄ end ⇄ newest        the same spans, by age
 *   free   ─► end ─► end               the rest, by `chain`
 *
 * Any number of spans may have one key, up to the bound on a bucket: a sender
 * can give them all the same one.
 *
 * Threads  the correlator's.
 */
#ifndef UNPAIRED_SPANS_H
#define UNPAIRED_SPANS_H

#include "call_target.h"
#include "hash.h"

#define UNPAIRED_NONE UINT32_MAX

/* A span's: made by span_key(). */
struct span_key {
    uint8_t trace_id[16], span_id[8];
    uint64_t hash;
};

enum {
    /* of callers */
    UNPAIRED_ENCLOSES = 1,   /* a CLIENT below it is the call */
    UNPAIRED_IN_QUERY = 2,   /* part of a call of a database */
    UNPAIRED_IN_MESSAGE = 4, /* part of a call of a queue */
    UNPAIRED_HOST_INHERITED =
        16, /* from a CLIENT above it: it named nobody itself */
    /* of a CONSUMER under its own key, found through its links */
    UNPAIRED_LINKED = 8
};

enum { UNPAIRED_MAX_CALLERS = 4 };

struct unpaired_span {
    struct span_key key;
    uint32_t chain, older, newer; /* beside the key: looked at with it */
    uint8_t kind;                 /* enum span_kind */
    uint8_t flags;
    uint8_t above[8]; /* of a caller: the next span above to be known; zero:
                         all are */
    uint64_t arrived_ns;
    union {
        struct call_span call;  /* this end */
        struct span_key reader; /* of a link: the CONSUMER that has it */
    };
    struct limited_name *operation; /* served; NULL: not known */
    struct component *own;          /* call.component may be that of a CLIENT
                                       above; NULL: the same */
    uint32_t
        met[UNPAIRED_MAX_CALLERS]; /* of a callee: identities that called it,
                             + 1; 0: none */
};

enum { UNPAIRED_PARTS = 256 };

struct unpaired_spans {
    struct unpaired_span *at;
    struct call_target *targets; /* one for each end; NULL: they have none */
    uint32_t *heads;             /* number + 1; 0: none */
    uint32_t max_spans, max_per_bucket, mask, free, fresh, oldest, newest, open;
    /* How many are open by the high byte of their hash: while there are few,
     * this spares a look into `heads`, which is not in the cache. */
    uint32_t parts[UNPAIRED_PARTS];
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
    return a->hash == b->hash && memcmp(a->span_id, b->span_id, 8) == 0 &&
           memcmp(a->trace_id, b->trace_id, 16) == 0;
}

/* The first one with this key, or the next one behind `at`. */
uint32_t unpaired_find(const struct unpaired_spans *spans,
                       const struct span_key *key);
uint32_t unpaired_next(const struct unpaired_spans *spans, uint32_t at);

/* False if there is none for sure: a look at what unpaired_find() begins with.
 */
static inline bool unpaired_may_have(const struct unpaired_spans *spans,
                                     uint64_t hash)
{
    return spans->parts[hash >> 56] > 0 &&
           spans->heads[(hash >> 32) & spans->mask] != 0;
}

/* Fetches what unpaired_find() will look at: first, and somewhat later, then
 * soon, what that leads to. gcc takes a function that only fetches for one
 * without effect and removes calls of it, unless it is inlined before. */
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

/* True if no more can have this key. */
bool unpaired_crowded(const struct unpaired_spans *spans,
                      const struct span_key *key);
static inline bool unpaired_full(const struct unpaired_spans *spans)
{
    return spans->open == spans->max_spans;
}

/* Puts copies in, as the newest, or as the oldest. There must be room. */
void unpaired_put(struct unpaired_spans *spans, const struct unpaired_span *end,
                  const struct call_target *target, bool oldest);
void unpaired_take(struct unpaired_spans *spans, uint32_t at);

#endif
