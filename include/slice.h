/*
 * slice - a pointer to bytes and their number.
 *
 * Purpose:   text and bytes are passed and returned by value, without copying
 *            and without a NUL at the end.
 * Ownership: a slice owns nothing; who returns one says how long it is valid.
 * Threads:   any.
 * Errors:    none.
 */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr; /* any value, NULL too, while len is zero */
    size_t len;
};

/* A literal as a slice: SLICE("service.name"). */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
/* The same in a table of constants. */
/* clang-format off */
#define SLICE_INIT(literal) {(literal), sizeof(literal) - 1}
/* clang-format on */

/* The two arguments of a "%.*s". */
#define SLICE_ARGS(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

/* Whether n bytes are the same. Keys and values are mostly shorter than what a
 * call of memcmp() costs: words that overlap do up to 32 bytes. */
static inline bool bytes_equal(const char *a, const char *b, size_t n)
{
    uint64_t x, y, v, w;
    uint32_t p, q, r, t;

    if (n >= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        memcpy(&v, a + n - 8, 8);
        memcpy(&w, b + n - 8, 8);
        if (((x ^ y) | (v ^ w)) != 0)
            return false;
        if (n <= 16)
            return true;
        if (n > 32)
            return memcmp(a + 8, b + 8, n - 16) == 0;
        memcpy(&x, a + 8, 8);
        memcpy(&y, b + 8, 8);
        memcpy(&v, a + n - 16, 8);
        memcpy(&w, b + n - 16, 8);
        return ((x ^ y) | (v ^ w)) == 0;
    }
    if (n >= 4) {
        memcpy(&p, a, 4);
        memcpy(&q, b, 4);
        memcpy(&r, a + n - 4, 4);
        memcpy(&t, b + n - 4, 4);
        return ((p ^ q) | (r ^ t)) == 0;
    }
    return n == 0 ||
           (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && bytes_equal(a.ptr, b.ptr, a.len);
}

/* Less than, equal to or greater than zero, like memcmp; a prefix is less. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* For qsort() of slices. */
static inline int slice_order(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len &&
           (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 ||
            memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* Without its first n bytes; n is at most s.len. NULL stays NULL. */
static inline struct slice slice_from(struct slice s, size_t n)
{
    return (struct slice){n > 0 ? s.ptr + n : s.ptr, s.len - n};
}

/* Without the bytes of blanks at its ends. */
static inline struct slice slice_trim(struct slice s, const char *blanks)
{
    while (s.len > 0 && s.ptr[0] && strchr(blanks, s.ptr[0]))
        s = slice_from(s, 1);
    while (s.len > 0 && s.ptr[s.len - 1] && strchr(blanks, s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* At most max bytes of s, not ending inside a UTF-8 character. */
static inline struct slice slice_truncate(struct slice s, size_t max)
{
    if (s.len <= max)
        return s;
    s.len = max;
    while (s.len > 0 && ((unsigned char)s.ptr[s.len] & 0xc0) == 0x80)
        s.len--;
    return s;
}

/* Removes the part up to a separator, and the separator, from the front. */
static inline struct slice slice_split(struct slice *rest, char separator)
{
    struct slice part = *rest;
    const char *end =
        part.len > 0 ? memchr(part.ptr, separator, part.len) : NULL;

    if (end)
        part.len = (size_t)(end - part.ptr);
    if (part.ptr) /* nothing may be added to NULL */
        *rest = slice_from(*rest, end ? part.len + 1 : part.len);
    return part;
}

/* Copies s to dst, which has room for s.len bytes; writes no NUL. */
static inline void slice_copy(char *dst, struct slice s)
{
    if (s.len > 0)
        memcpy(dst, s.ptr, s.len);
}

#endif
