/*
 * scan - a cursor over stored bytes whose first error sticks.
 *
 * Reading past the end sets bad and yields zeros from then on, so a decoder
 * reads what it expects and looks at bad once, before it trusts a length.
 */
#ifndef BYTE_READER_H
#define BYTE_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "slice.h"

struct byte_reader {
    const char *at, *end;
    bool bad;
};

static inline struct byte_reader byte_reader_over(struct slice bytes)
{
    return (struct byte_reader){bytes.ptr, bytes.ptr + bytes.len, false};
}

static inline size_t byte_reader_left(const struct byte_reader *in)
{
    return (size_t)(in->end - in->at);
}

/* Ends the reading: everything after this is zero. */
static inline void byte_reader_fail(struct byte_reader *in)
{
    in->at = in->end;
    in->bad = true;
}

static inline struct slice byte_reader_bytes(struct byte_reader *in,
                                             uint64_t len)
{
    if (len > byte_reader_left(in)) {
        byte_reader_fail(in);
        return (struct slice){NULL, 0};
    }

    struct slice bytes = {in->at, (size_t)len};
    in->at += len;
    return bytes;
}

static inline uint8_t byte_reader_u8(struct byte_reader *in)
{
    if (in->at == in->end) {
        byte_reader_fail(in);
        return 0;
    }
    return (uint8_t)*in->at++;
}

static inline uint64_t byte_reader_varint(struct byte_reader *in)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        uint8_t byte = (uint8_t)*in->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    byte_reader_fail(in);
    return 0;
}

/* Little endian. */
static inline uint64_t byte_reader_fixed(struct byte_reader *in, size_t size)
{
    struct slice bytes = byte_reader_bytes(in, size);
    uint64_t value = 0;

    for (size_t i = bytes.len; i > 0; i--)
        value = value << 8 | (uint8_t)bytes.ptr[i - 1];
    return value;
}

/* A length in front of that many bytes. */
static inline struct slice byte_reader_slice(struct byte_reader *in)
{
    return byte_reader_bytes(in, byte_reader_varint(in));
}

#endif
