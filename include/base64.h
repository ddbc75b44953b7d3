/*
 * base64 - bytes as base64 (RFC 4648, section 4) and back.
 *
 * Purpose:   bytes inside JSON.
 * Ownership: the caller's memory.
 * Threads:   any; there is no state.
 * Errors:    SIZE_MAX for text that is not base64.
 */
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "slice.h"

/* The length of the text of len bytes, with its padding. */
static inline size_t base64_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Writes base64_len(bytes.len) characters, no NUL. */
void base64_write(char *to, struct slice bytes);

/* Room for what base64_read() may write. */
static inline size_t base64_room(size_t text_len)
{
    return text_len / 4 * 3 + 3;
}

/* The number of bytes, or SIZE_MAX. Padding may be missing as a whole; the
 * characters of base64url are read, too. */
size_t base64_read(char *bytes, struct slice text);

#endif
