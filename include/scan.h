/*
 * scan - a cursor over stored bytes whose first error sticks.
 *
 * Reading past the end sets bad and yields zeros from then on, so a decoder
 * reads what it expects and looks at bad once, before it trusts a length.
 */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "slice.h"

struct scan {
    const char *at, *end;
    bool bad;
};

static inline struct scan scan_over(struct slice bytes)
{
    return (struct scan){bytes.ptr, bytes.ptr + bytes.len, false};
}

static inline size_t scan_left(const struct scan *in)
{
    return (size_t)(in->end - in->at);
}

/* Ends the reading: everything after this is zero. */
static inline void scan_fail(struct scan *in)
{
    in->at = in->end;
    in->bad = true;
}

static inline struct slice scan_bytes(struct scan *in, uint64_t len)
{
    if (len > scan_left(in)) {
        scan_fail(in);
        return (struct slice){NULL, 0};
    }

    struct slice bytes = {in->at, (size_t)len};
    in->at += len;
    return bytes;
}

static inline uint8_t scan_byte(struct scan *in)
{
    if (in->at == in->end) {
        scan_fail(in);
        return 0;
    }
    return (uint8_t)*in->at++;
}

static inline uint64_t scan_varint(struct scan *in)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        uint8_t byte = (uint8_t)*in->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    scan_fail(in);
    return 0;
}

/* Little endian. */
static inline uint64_t scan_fixed(struct scan *in, size_t size)
{
    struct slice bytes = scan_bytes(in, size);
    uint64_t value = 0;

    for (size_t i = bytes.len; i > 0; i--)
        value = value << 8 | (uint8_t)bytes.ptr[i - 1];
    return value;
}

/* A length in front of that many bytes. */
static inline struct slice scan_slice(struct scan *in)
{
    return scan_bytes(in, scan_varint(in));
}

#endif
