/*
 * request_hash - a keyed 128-bit hash that recognises a request which is sent
 * again.
 *
 * Purpose:   a retried request is acknowledged and not stored twice. The key is
 *            random and never leaves the data directory, so nobody can craft a
 *            request with the hash of another one: two given bodies share one
 *            with a probability of 2^-64 over all keys. It is not a MAC: hashes
 *            must not be shown.
 * Ownership: plain values.
 * Threads:   any; a key is constant once it is made.
 * Errors:    none.
 */
#ifndef REQUEST_HASH_H
#define REQUEST_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

enum { REQUEST_SECRET = 16, REQUEST_BLOCK = 1024 };

struct request_key {
    uint64_t sip[2];
    uint64_t block[REQUEST_BLOCK / 8];
};

struct request_hash {
    uint64_t a, b; /* both 0: none */
};

void request_key_make(struct request_key *key,
                      const uint8_t secret[REQUEST_SECRET]);

/* Of a request: kind is a small number of the caller's, for signal and
 * encoding; `writer` is what else has to be equal. Never none. */
struct request_hash request_hash_of(const struct request_key *key,
                                    uint64_t kind, struct slice writer,
                                    struct slice body);

static inline bool request_hash_none(struct request_hash hash)
{
    return hash.a == 0 && hash.b == 0;
}

struct batch;

/* Sets the hash of a decoded batch, which includes its writer: what one sender
 * may not write is no duplicate when another sends it. None if another request
 * may have the same bytes: one without records, or with records that have no
 * time. */
void request_hash_batch(const struct request_key *key, struct batch *batch);

#endif
