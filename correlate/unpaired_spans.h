/*
 * ends - a bounded table of ends of calls, by a span's ids and by age.
 *
 *   heads[hash]  ─► end ─► end         ends of one bucket, by `chain`
 *   oldest ⇄ end ⇄ end ⇄ newest        the same ends, by age
 *   free   ─► end ─► end               the rest, by `chain`
 *
 * Any number of ends may have one key, up to the bound on a bucket: a sender
 * can give them all the same one.
 *
 * Threads  the correlator's.
 */
#ifndef ENDS_H
#define ENDS_H

#include "call_target.h"
#include "hash.h"

#define ENDS_NONE UINT32_MAX

/* A span's: made by span_key(). */
struct span_key {
    uint8_t trace_id[16], span_id[8];
    uint64_t hash;
};

enum {
    /* of callers */
    END_ENCLOSES = 1,    /* a CLIENT below it is the call */
    END_OF_QUERY = 2,    /* part of a call of a database */
    END_OF_MESSAGE = 4,  /* part of a call of a queue */
    END_HOST_TAKEN = 16, /* from a CLIENT above it: it named nobody itself */
    /* of a CONSUMER under its own key, found through its links */
    END_READER = 8
};

enum { END_MAX_MET = 4 };

struct end {
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
    struct capped_name *operation; /* served; NULL: not known */
    struct component *own;         /* call.component may be that of a CLIENT
                                      above; NULL: the same */
    uint32_t met[END_MAX_MET];     /* of a callee: identities that called it,
                                      + 1; 0: none */
};

enum { ENDS_PARTS = 256 };

struct ends {
    struct end *at;
    struct target *targets; /* one for each end; NULL: they have none */
    uint32_t *heads;        /* number + 1; 0: none */
    uint32_t max_ends, max_chain, mask, free, fresh, oldest, newest, open;
    /* How many are open by the high byte of their hash: while there are few,
     * this spares a look into `heads`, which is not in the cache. */
    uint32_t parts[ENDS_PARTS];
};

void ends_init(struct ends *ends, uint32_t max_ends, uint32_t max_chain,
               bool targets);
void ends_release(struct ends *ends);
void ends_clear(struct ends *ends);

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
uint32_t ends_find(const struct ends *ends, const struct span_key *key);
uint32_t ends_next(const struct ends *ends, uint32_t at);

/* False if there is none for sure: a look at what ends_find() begins with. */
static inline bool ends_may_have(const struct ends *ends, uint64_t hash)
{
    return ends->parts[hash >> 56] > 0 &&
           ends->heads[(hash >> 32) & ends->mask] != 0;
}

/* Fetches what ends_find() will look at: first, and somewhat later, then soon,
 * what that leads to. gcc takes a function that only fetches for one without
 * effect and removes calls of it, unless it is inlined before. */
static inline __attribute__((always_inline)) void ends_expect(
    const struct ends *ends, uint64_t hash, bool soon)
{
    const uint32_t *head = &ends->heads[(hash >> 32) & ends->mask];

    if (!soon) {
        __builtin_prefetch(head);
    } else if (*head) {
        __builtin_prefetch(&ends->at[*head - 1]);
        __builtin_prefetch((const char *)&ends->at[*head - 1] + 64);
    }
}

/* True if no more can have this key. */
bool ends_crowded(const struct ends *ends, const struct span_key *key);
static inline bool ends_full(const struct ends *ends)
{
    return ends->open == ends->max_ends;
}

/* Puts copies in, as the newest, or as the oldest. There must be room. */
void ends_put(struct ends *ends, const struct end *end,
              const struct target *target, bool oldest);
void ends_take(struct ends *ends, uint32_t at);

#endif
