/*
 * request_hash - a keyed hash of 128 bits that tells whether the same request
 * came again.
 *
 * The key is random and never leaves the data folder, so nobody can make a
 * request that has the hash of somebody else's: two given bodies have the same
 * one with a probability of 2^-64 over all keys. Not a MAC: hashes are not to
 * be shown.
 *
 * Threads  any; a key does not change once it is made.
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

/* Of a body under what else tells requests apart: kind is a small number of
 * the caller's; the tenant is empty as long as there are none. Never none. */
struct request_hash request_hash_of(const struct request_key *key,
                                    uint64_t kind, struct slice tenant,
                                    struct slice body);

static inline bool request_hash_none(struct request_hash hash)
{
    return hash.a == 0 && hash.b == 0;
}

struct batch;

/* Sets the hash of a decoded batch, if the same bytes in another request can
 * only be the same request again: it has records, and each has a time of its
 * own. */
void request_hash_batch(const struct request_key *key, struct batch *batch);

#endif
