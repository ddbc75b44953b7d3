/*
 * base64url - RFC 4648 section 5, as JWS uses it: without padding, and strict,
 * so that a token has one spelling only.
 */
#ifndef BASE64URL_H
#define BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

/* Room that base64url_decode() needs for a text of this length. */
static inline size_t base64url_room(size_t len)
{
    return len / 4 * 3 + 2;
}

/* False: a byte outside the alphabet, an impossible length, or bits after the
 * last byte that are not zero. */
bool base64url_decode(struct slice text, uint8_t *out, size_t *len);

#endif
