/*
 * failure_rate - how often an address may show a wrong credential.
 *
 * A valid credential is never slowed down, so an attacker behind a shared
 * address cannot lock others out.
 */
#ifndef FAILURE_RATE_H
#define FAILURE_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FAILURES_PER_S = 10, /* of one address, an IPv6 network of /64 */
    FAILURES_BURST = 50,
    FAILURES_OF_ALL = 500, /* within a second */
};

struct failure_rate;

struct failure_rate *failure_rate_new(void);
void failure_rate_free(struct failure_rate *rate); /* NULL is fine */

/* False: this address has shown too many. address: 16 bytes. Any thread. */
bool failure_rate_take(struct failure_rate *rate, const uint8_t *address,
                       uint64_t now_ns);

/* The same without counting: another failure would be one too many. There is a
 * limit for all addresses together, too, as verifying a signature takes up to a
 * millisecond. */
bool failure_rate_is_over(struct failure_rate *rate, const uint8_t *address,
                          uint64_t now_ns);

#endif
