/*
 * buf - bytes appended to memory that grows, up to a cap.
 *
 * Purpose:   output of unknown length, text or binary. byte_reader.h reads
 *            what is written here.
 * Ownership: the buffer is from malloc: buf_release() frees it, buf_detach()
 *            hands it to the caller. buf_slice() is valid until the next call.
 * Threads:   one at a time.
 * Errors:    at the cap `status` becomes ERR_TOO_BIG and nothing more is
 * appended, so it is checked once, at the end.
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
void buf_varint(struct buf *buf, uint64_t v);             /* LEB128 */
void buf_fixed(struct buf *buf, uint64_t v, size_t size); /* little endian */
void buf_sized(struct buf *buf, struct slice s); /* its length as a varint,
                                                    then its bytes */
void buf_label(struct buf *buf,
               struct slice s); /* as the value of a label of /metrics */
void buf_format(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for len more bytes at the end, or NULL at the cap; buf_grown() appends
 * the first of them. */
char *buf_room(struct buf *buf, size_t len);
void buf_grown(struct buf *buf, size_t len);

struct slice buf_slice(const struct buf *buf);

/* Gives the bytes (from malloc, NULL if there are none) away; buf is empty
 * afterwards. */
char *buf_detach(struct buf *buf, size_t *len);

/* ---- how numbers are coded ---- */

/* Small numbers of either sign become small unsigned ones. */
static inline uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* `size` bytes, at most 8, little endian. */
static inline uint64_t load_le(const char *at, size_t size)
{
    uint64_t v = 0;

    for (size_t i = 0; i < size; i++) /* compiled to one load */
        v |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return v;
}

static inline void store_le(char *at, uint64_t v, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (char)(v >> (8 * i));
}

#endif
