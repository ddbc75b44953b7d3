/*
 * repeats - the requests that were taken last, by their hash, to know one that
 * comes again.
 *
 * The newest RECENT_REQUESTS_MAX are known; the oldest leaves for a new one.
 *
 * Threads  the correlator's.
 */
#ifndef RECENT_REQUESTS_H
#define RECENT_REQUESTS_H

#include "request_hash.h"

enum { RECENT_REQUESTS_MAX = 65536 };

struct recent_requests;

struct recent_requests *recent_requests_new(void);
void recent_requests_free(struct recent_requests *repeats);

/* lsn: where the journal has it. */
void recent_requests_add(struct recent_requests *repeats,
                         struct request_hash hash, uint64_t lsn);

/* True if a request with this hash has an lsn before this one. */
bool recent_requests_has(const struct recent_requests *repeats,
                         struct request_hash hash, uint64_t before);

#endif
