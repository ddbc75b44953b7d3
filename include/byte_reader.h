/*
 * byte_reader - a cursor over stored bytes whose first error sticks.
 *
 *   struct byte_reader in = byte_reader_over(bytes);
 *   uint64_t count = byte_reader_varint(&in);
 *   struct slice name = byte_reader_slice(&in);
 *
 *   if (in.bad || count > limit)
 *       return ERR_MALFORMED;
 *
 * Purpose:   decoders read what they expect and check once, before they use
 *            what they read. What buf.h writes is read here: buf_varint() by
 *            byte_reader_varint(), buf_fixed() by byte_reader_fixed(),
 *            buf_sized() by byte_reader_slice().
 * Ownership: reads bytes of the caller's; slices point into them.
 * Threads:   one at a time.
 * Errors:    reading past the end, or a varint of more than 64 bits, sets
 *            `bad`; from then on everything reads as 0 or empty.
 */
#ifndef BYTE_READER_H
#define BYTE_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "buf.h"
#include "slice.h"

struct byte_reader {
    const char *at, *end;
    bool bad;
};

static inline struct byte_reader byte_reader_over(struct slice bytes)
{
    const char *at = bytes.len > 0 ? bytes.ptr : "";

    return (struct byte_reader){at, at + bytes.len, false};
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

        if (shift == 63 && byte > 1) /* more than 64 bits */
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    byte_reader_fail(in);
    return 0;
}

static inline int64_t byte_reader_zigzag(struct byte_reader *in)
{
    return unzigzag(byte_reader_varint(in));
}

/* `size` bytes, at most 8, little endian. */
static inline uint64_t byte_reader_fixed(struct byte_reader *in, size_t size)
{
    struct slice bytes = byte_reader_bytes(in, size);

    return load_le(bytes.ptr, bytes.len);
}

/* A varint, and as many bytes. */
static inline struct slice byte_reader_slice(struct byte_reader *in)
{
    return byte_reader_bytes(in, byte_reader_varint(in));
}

#endif
