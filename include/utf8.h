/*
 * utf8 - one character of UTF-8 text.
 *
 * Purpose:   the only decoder and encoder of the program.
 * Ownership: the caller's memory.
 * Threads:   any.
 * Errors:    utf8_decode() returns 0 for bytes that are not UTF-8: truncated,
 *            overlong, a surrogate, or above U+10FFFF.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "slice.h"

enum { UTF8_MAX = 0x10ffff };

/* The character at `at`, which is before end; its length in bytes. */
static inline size_t utf8_decode(const uint8_t *at, const uint8_t *end,
                                 uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    uint32_t value;

    if (*at < 0x80) {
        *c = *at;
        return 1;
    }
    if (len == 0 || *at > 0xf4 || (size_t)(end - at) < len)
        return 0;
    value = *at & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3fU);
    }
    if (value < least[len] || value > UTF8_MAX ||
        (value >= 0xd800 && value < 0xe000))
        return 0;
    *c = value;
    return len;
}

/* True if all of the text is UTF-8. ASCII is looked at eight bytes at a time.
 */
static inline bool utf8_valid(struct slice text)
{
    const uint8_t *at = (const uint8_t *)(text.len > 0 ? text.ptr : "");
    const uint8_t *end = at + text.len;
    uint64_t eight;
    uint32_t c;

    while (at < end) {
        size_t len;

        if (end - at >= 8) {
            memcpy(&eight, at, 8);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                at += 8;
                continue;
            }
        }
        len = utf8_decode(at, end, &c);
        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

/* Writes c, which is at most UTF8_MAX; its length in bytes. */
static inline size_t utf8_encode(uint32_t c, uint8_t out[4])
{
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = len; i-- > 1; c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(lead[len] | c);
    return len;
}

#endif
