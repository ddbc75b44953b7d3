/*
 * One malloc'ed block that doubles. Each writer asks buf_room() first, which
 * is the only place that grows, refuses and turns the status.
 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

enum { ROOM_FIRST = 256, VARINT_MAX = 10 };

void buf_init(struct buf *buf, size_t cap)
{
    *buf = (struct buf){.cap = cap};
}

void buf_release(struct buf *buf)
{
    free(buf->ptr);
    buf_init(buf, buf->cap);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->status = OK;
}

static char *grow(struct buf *buf, size_t len)
{
    size_t room = buf->room > ROOM_FIRST ? buf->room : ROOM_FIRST;

    if (buf->status != OK || len > buf->cap - buf->len) {
        buf->status = ERR_TOO_BIG;
        return NULL;
    }
    while (room - buf->len < len)
        room = room > SIZE_MAX / 2 ? SIZE_MAX : 2 * room;
    if (room > buf->cap)
        room = buf->cap;
    buf->ptr = mem_resize(buf->ptr, room, 1);
    buf->room = room;
    return buf->ptr + buf->len;
}

char *buf_room(struct buf *buf, size_t len)
{
    if (buf->status == OK && buf->ptr && len <= buf->room - buf->len)
        return buf->ptr + buf->len;
    return grow(buf, len);
}

void buf_grown(struct buf *buf, size_t len)
{
    buf->len += len;
}

void buf_add(struct buf *buf, struct slice s)
{
    char *to = buf_room(buf, s.len);

    if (!to)
        return;
    slice_copy(to, s);
    buf->len += s.len;
}

void buf_byte(struct buf *buf, char byte)
{
    char *to = buf_room(buf, 1);

    if (!to)
        return;
    *to = byte;
    buf->len++;
}

void buf_fixed(struct buf *buf, uint64_t v, size_t size)
{
    char *to = buf_room(buf, size);

    if (!to)
        return;
    store_le(to, v, size);
    buf->len += size;
}

void buf_sized(struct buf *buf, struct slice s)
{
    buf_varint(buf, s.len);
    buf_add(buf, s);
}

static size_t put_varint(char *to, uint64_t v)
{
    size_t len = 0;

    while (v >= 0x80) {
        to[len++] = (char)(v | 0x80);
        v >>= 7;
    }
    to[len++] = (char)v;
    return len;
}

void buf_varint(struct buf *buf, uint64_t v)
{
    char bytes[VARINT_MAX];

    if (buf->status == OK && buf->room - buf->len >= VARINT_MAX)
        buf->len += put_varint(buf->ptr + buf->len, v);
    else
        buf_add(buf, (struct slice){bytes, put_varint(bytes, v)});
}

void buf_label(struct buf *buf, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '"' || c == '\\' || c == '\n')
            buf_byte(buf, '\\');
        buf_byte(buf, c == '\n' ? 'n' : c);
    }
}

void buf_format(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    char *to = buf_room(buf, 1);
    int len;

    if (!to)
        return;
    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(to, buf->room - buf->len, format, args);
    va_end(args);
    /* vsnprintf() needs a byte for its NUL, which is not counted in. */
    if (len > 0 && (size_t)len >= buf->room - buf->len) {
        char *text = mem_alloc((size_t)len + 1);

        vsnprintf(text, (size_t)len + 1, format, again);
        buf_add(buf, (struct slice){text, (size_t)len});
        free(text);
    } else if (len > 0) {
        buf->len += (size_t)len;
    }
    va_end(again);
}

struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf->ptr, buf->len};
}

char *buf_detach(struct buf *buf, size_t *len)
{
    char *ptr = buf->ptr;

    *len = buf->len;
    buf_init(buf, buf->cap);
    return ptr;
}
