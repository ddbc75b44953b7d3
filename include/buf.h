/*
 * buf - output that grows, with a cap and a sticky status.
 *
 * Write as much as you like and look at the status once, at the end: after the
 * first refusal (cap) nothing is appended any more.
 */
#ifndef BUF_H
#define BUF_H

#include <stddef.h>
#include <stdint.h>

#include "slice.h"
#include "status.h"

struct buf {
    char *ptr;
    size_t len, room, cap;
    enum status status;
};

/* cap: the most bytes it may hold; allocates nothing yet. */
void buf_init(struct buf *buf, size_t cap);
void buf_release(struct buf *buf);
void buf_reset(struct buf *buf); /* empty, OK, memory kept */

void buf_add(struct buf *buf, struct slice s);
void buf_byte(struct buf *buf, char byte);
void buf_u32(struct buf *buf, uint32_t v);    /* little endian */
void buf_u64(struct buf *buf, uint64_t v);    /* little endian */
void buf_varint(struct buf *buf, uint64_t v); /* LEB128 */
void buf_format(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for len more bytes at the end, NULL if the cap forbids; buf_grown()
 * then says how many of them were used. */
char *buf_room(struct buf *buf, size_t len);
void buf_grown(struct buf *buf, size_t len);

struct slice buf_slice(const struct buf *buf);

/* Gives the bytes (from malloc, NULL if there are none) away; buf is empty
 * afterwards. */
char *buf_detach(struct buf *buf, size_t *len);

static inline uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

#endif
