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

#include "peers.h"

#define ENDS_NONE UINT32_MAX

/* A span's. */
struct span_key {
    uint8_t trace_id[16], span_id[8];
};

struct end {
    struct span_key key;
    uint8_t above[8]; /* span whose endpoint the caller serves; zero: none */
    uint64_t arrived_ns;
    struct call call;     /* this end */
    struct target target; /* of a caller: what was counted, or is to be */
    uint32_t chain, older, newer;
    uint8_t kind; /* enum span_kind */
};

struct ends {
    struct end *at;
    uint32_t *heads; /* number + 1; 0: none */
    uint32_t max_ends, max_chain, mask, free, fresh, oldest, newest, open;
};

void ends_init(struct ends *ends, uint32_t max_ends, uint32_t max_chain);
void ends_release(struct ends *ends);
void ends_clear(struct ends *ends);

uint64_t span_hash(const struct span_key *key);

/* The first one with this key, or the next one behind `at`. */
uint32_t ends_find(const struct ends *ends, const struct span_key *key);
uint32_t ends_next(const struct ends *ends, uint32_t at);

/* Fetches what ends_find() will look at: first, and somewhat later, then soon,
 * what that leads to. */
void ends_expect(const struct ends *ends, const struct span_key *key,
                 bool soon);

/* True if no more can have this key. */
bool ends_crowded(const struct ends *ends, const struct span_key *key);
static inline bool ends_full(const struct ends *ends)
{
    return ends->open == ends->max_ends;
}

/* Puts a copy of the model in, as the newest, or as the oldest. There must be
 * room. */
void ends_put(struct ends *ends, const struct end *model, bool oldest);
void ends_take(struct ends *ends, uint32_t at);

#endif
