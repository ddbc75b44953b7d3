/*
 * jsonw - a JSON writer on a buf, member by member.
 *
 *   jsonw_open(&w, '{'); jsonw_name(&w, "total"); jsonw_int(&w, 3);
 *   jsonw_close(&w, '}');
 *
 * Purpose:   answers of the query API. The writer adds commas and escapes. Its
 *            output is always valid JSON: bytes that are not UTF-8 become
 *            U+FFFD; NaN and the infinities become null.
 * Ownership: the buf is the caller's.
 * Threads:   one at a time.
 * Errors:    the status of the buf.
 */
#ifndef JSONW_H
#define JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "record.h"
#include "slice.h"

struct jsonw {
    struct buf *out;
    bool comma; /* before the next value */
};

void jsonw_init(struct jsonw *w, struct buf *out);
void jsonw_open(struct jsonw *w, char bracket);  /* '{' or '[' */
void jsonw_close(struct jsonw *w, char bracket); /* '}' or ']' */
/* A key in ASCII without quotes, backslashes and control characters. */
void jsonw_name(struct jsonw *w, const char *name);
void jsonw_text(struct jsonw *w, struct slice text);
void jsonw_cstr(struct jsonw *w, const char *text);
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_uint(struct jsonw *w, uint64_t v);
void jsonw_double(struct jsonw *w,
                  double v); /* the shortest that reads back as v */
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_hex(struct jsonw *w, const uint8_t *bytes, size_t len);
void jsonw_base64(struct jsonw *w, struct slice bytes);
/* RFC 3339 in UTC, without trailing zeros in the fraction. */
void jsonw_time(struct jsonw *w, uint64_t ns);
/* A value that is JSON already. */
void jsonw_raw(struct jsonw *w, struct slice json);
/* An attribute's value in its native JSON type; bytes as base64. */
void jsonw_value(struct jsonw *w, const struct attr *value);
/* {"key": value, ...}; the first of equal keys. */
void jsonw_attrs(struct jsonw *w, const struct attrs *attrs);

/* Key and value in one call. */
void jsonw_member_text(struct jsonw *w, const char *key, struct slice text);
void jsonw_member_int(struct jsonw *w, const char *key, int64_t v);

#endif
