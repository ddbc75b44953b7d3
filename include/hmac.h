/*
 * hmac - HMAC-SHA256 of several pieces in a row.
 *
 * Purpose:   signatures with a key that only we have.
 * Ownership: none.
 * Threads:   any.
 * Errors:    false if the library fails.
 */
#ifndef HMAC_H
#define HMAC_H

#include <stdint.h>

#include "slice.h"
#include "status.h"

enum { HMAC_SIZE = 32 };

MUST_CHECK bool hmac_sha256(struct slice key, const struct slice *pieces,
                            size_t count, uint8_t mac[HMAC_SIZE]);

/* In a time that does not depend on where they differ. */
bool hmac_equal(const uint8_t a[HMAC_SIZE], const uint8_t b[HMAC_SIZE]);

#endif
