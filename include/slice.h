/*
 * slice - bytes that belong to somebody else.
 *
 * A slice is passed and returned by value, never owns what it points at and
 * need not end in NUL. Whoever hands one out says how long it stays good.
 */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *ptr; /* any value, NULL too, while len is zero */
    size_t len;
};

/* A literal as a slice: SLICE("service.name"). */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Less than, equal to or greater than zero, like memcmp; a prefix is less. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len &&
           (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Without its first n bytes; n is at most s.len. */
static inline struct slice slice_from(struct slice s, size_t n)
{
    return (struct slice){s.ptr + n, s.len - n};
}

/* Copies s to dst, which has room for s.len bytes; writes no NUL. */
static inline void slice_copy(char *dst, struct slice s)
{
    if (s.len > 0)
        memcpy(dst, s.ptr, s.len);
}

#endif
