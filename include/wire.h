/*
 * wire - a cursor over protobuf's wire format that copies nothing.
 *
 * wire_next() goes to the next field and leaves its tag (number and wire type
 * together) in `tag`; a switch over tags then says which value to read.
 * wire_skip() handles other fields, and rejects a known number with a wrong
 * wire type:
 *
 *   while (wire_next(&w))
 *       switch (w.tag) {
 *       case WIRE_LEN(1): span->name = wire_bytes(&w); break;
 *       case WIRE_I64(7): span->start_ns = wire_fixed64(&w); break;
 *       default: wire_skip(&w, 1u << 1 | 1u << 7);
 *       }
 *
 * A submessage has a cursor of its own, wire_sub(), and passes its error on
 * with wire_join().
 *
 * Purpose:   reads protobuf without a tree and without copies.
 * Ownership: slices point into the message.
 * Threads:   one at a time.
 * Errors:    the first one sticks: wire_next() returns false from then on,
 * every read yields zero, `status` and `why` say what was wrong. So nothing is
 * checked inside the loop.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>

#include "slice.h"
#include "status.h"

struct wire {
    const uint8_t *at, *end;
    uint32_t tag;
    enum status status;
    const char *why; /* static text, if status is not OK */
};

enum { WIRE_MAX_GROUPS = 32 }; /* unknown groups inside each other */

/* Tags, by field number. */
#define WIRE_VARINT(field) ((uint32_t)(field) << 3)
#define WIRE_I64(field)    ((uint32_t)(field) << 3 | 1u)
#define WIRE_LEN(field)    ((uint32_t)(field) << 3 | 2u)
#define WIRE_I32(field)    ((uint32_t)(field) << 3 | 5u)

/* Ends the walk. Only the first failure counts. */
void wire_fail(struct wire *w, enum status status, const char *why);

/* The rare parts of the functions below. */
uint64_t wire_varint_long(struct wire *w);
bool wire_tag_long(struct wire *w);
struct slice wire_bytes_long(struct wire *w);

/* Skips the field. known: bit n is set if the caller knows field n; then this
 * one has the wrong wire type, which is an error. */
void wire_skip(struct wire *w, uint32_t known);

/* How many fields with this tag follow in a row, including this one, whose
 * value is not yet read; at most limit. For length-delimited tags of one byte.
 * A hint for the size of an array. */
uint32_t wire_run(const struct wire *w, uint32_t limit);

static inline struct wire wire_over(struct slice message)
{
    const uint8_t *at = (const uint8_t *)message.ptr;

    /* NULL + 0 is undefined, so an empty message gets an address. */
    if (message.len == 0)
        at = (const uint8_t *)"";
    return (struct wire){at, at + message.len, 0, OK, NULL};
}

/* False at the end and after an error. */
static inline bool wire_next(struct wire *w)
{
    if (w->at == w->end)
        return false;
    w->tag = *w->at;
    if (w->tag < 8 || w->tag >= 0x80)
        return wire_tag_long(w);
    w->at++;
    return true;
}

static inline uint64_t wire_varint(struct wire *w)
{
    if (w->at < w->end && *w->at < 0x80)
        return *w->at++;
    return wire_varint_long(w);
}

static inline bool wire_bool(struct wire *w)
{
    return wire_varint(w) != 0;
}

/* int32 and enum: truncated to 32 bits, as protobuf specifies. */
static inline int32_t wire_int32(struct wire *w)
{
    return (int32_t)(uint32_t)wire_varint(w);
}

static inline int32_t wire_sint32(struct wire *w)
{
    uint32_t v = (uint32_t)wire_varint(w);

    return (int32_t)(v >> 1 ^ (0 - (v & 1)));
}

static inline uint64_t wire_fixed(struct wire *w, int size)
{
    uint64_t v = 0;

    if (w->end - w->at < size) {
        wire_fail(w, ERR_MALFORMED, "truncated");
        return 0;
    }
    for (int i = 0; i < size; i++)
        v |= (uint64_t)w->at[i] << (8 * i);
    w->at += size;
    return v;
}

static inline uint64_t wire_fixed64(struct wire *w)
{
    return wire_fixed(w, 8);
}

static inline uint32_t wire_fixed32(struct wire *w)
{
    return (uint32_t)wire_fixed(w, 4);
}

static inline double wire_double(struct wire *w)
{
    uint64_t bits = wire_fixed64(w);
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

/* A string, bytes, packed or submessage field. */
static inline struct slice wire_bytes(struct wire *w)
{
    if (w->end - w->at > 0 && *w->at < 0x80 && w->end - w->at - 1 >= *w->at) {
        size_t len = *w->at;
        const char *ptr = (const char *)w->at + 1;

        w->at += len + 1;
        return (struct slice){ptr, len};
    }
    return wire_bytes_long(w);
}

/* A cursor over a submessage. */
static inline struct wire wire_sub(struct wire *w)
{
    return wire_over(wire_bytes(w));
}

/* Adopts the submessage's error, if it has one. */
static inline void wire_join(struct wire *w, const struct wire *sub)
{
    if (sub->status != OK)
        wire_fail(w, sub->status, sub->why);
}

#endif
