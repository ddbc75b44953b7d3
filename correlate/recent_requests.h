/*
 * repeats - the requests that were taken last, by their hash, to know one that
 * comes again.
 *
 * The newest REPEATS_MAX are known; the oldest leaves for a new one.
 *
 * Threads  the correlator's.
 */
#ifndef REPEATS_H
#define REPEATS_H

#include "request_hash.h"

enum { REPEATS_MAX = 65536 };

struct repeats;

struct repeats *repeats_new(void);
void repeats_free(struct repeats *repeats);

/* lsn: where the journal has it. */
void repeats_add(struct repeats *repeats, struct request_hash hash,
                 uint64_t lsn);

/* True if a request with this hash has an lsn before this one. */
bool repeats_has(const struct repeats *repeats, struct request_hash hash,
                 uint64_t before);

#endif
