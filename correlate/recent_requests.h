/*
 * recent_requests - hashes of the last RECENT_REQUESTS_MAX requests, to detect
 * a request that is sent again.
 *
 * Threads: the correlator's.
 */
#ifndef RECENT_REQUESTS_H
#define RECENT_REQUESTS_H

#include "buf.h"
#include "byte_reader.h"
#include "map.h"
#include "request_hash.h"

enum { RECENT_REQUESTS_MAX = 65536 };

/* All zero is empty. */
struct recent_requests {
    struct recent_request *at; /* a ring */
    struct map index;          /* places in the ring, by hash */
    uint32_t room;
    uint64_t count; /* requests ever added */
};

void recent_requests_release(struct recent_requests *requests);

/* lsn: that of the request in the journal. Replaces the oldest request if the
 * ring is full. */
void recent_requests_add(struct recent_requests *requests,
                         struct request_hash hash, uint64_t lsn);

/* True if a request with this hash has a smaller lsn than `before`. */
bool recent_requests_has(const struct recent_requests *requests,
                         struct request_hash hash, uint64_t before);

/* The last `most` as bytes, and back; malformed ones are dropped. */
void recent_requests_save(const struct recent_requests *requests, uint64_t most,
                          struct buf *out);
void recent_requests_load(struct recent_requests *requests,
                          struct byte_reader *in);

#endif
