/*
 * Values as SQL literals; see ch_sql.h.
 *
 * ClickHouse's strings are in single quotes with backslash escapes: of quote,
 * backslash, NUL and bytes that are not UTF-8. All else stands for itself.
 * Identifiers are the same in backquotes. In a pattern of LIKE a backslash
 * takes the meaning of the three special characters away, and is one of them.
 */
#include "ch_sql.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "clock.h"
#include "hex.h"
#include "utf8.h"

void ch_sql_init(struct ch_sql *sql)
{
    buf_init(&sql->text, CH_SQL_MAX);
}

void ch_sql_release(struct ch_sql *sql)
{
    buf_release(&sql->text);
}

void ch_sql_reset(struct ch_sql *sql)
{
    buf_reset(&sql->text);
}

void ch_sql_cut(struct ch_sql *sql)
{
    if (sql->text.len > 0)
        sql->text.len--;
}

/* One character; a byte that is not UTF-8 by its number, so that the text of a
 * query is UTF-8 whatever is looked for. */
static void add_escaped(struct buf *text, char quote, const char **at,
                        const char *end)
{
    const uint8_t *bytes = (const uint8_t *)*at;
    uint32_t c;
    size_t len = utf8_decode(bytes, (const uint8_t *)end, &c);

    if (len == 0) {
        buf_format(text, "\\x%02x", *bytes);
        len = 1;
    } else if (c == 0) {
        buf_add(text, SLICE("\\0"));
    } else {
        if (c == (uint32_t)quote || c == '\\')
            buf_byte(text, '\\');
        buf_add(text, (struct slice){*at, len});
    }
    *at += len;
}

static void add_quoted(struct buf *text, char quote, const char *ptr,
                       size_t len)
{
    const char *end = len > 0 ? ptr + len : ptr;

    buf_byte(text, quote);
    while (ptr < end)
        add_escaped(text, quote, &ptr, end);
    buf_byte(text, quote);
}

static void add_like(struct buf *text, const char *ptr, size_t len)
{
    const char *end = len > 0 ? ptr + len : ptr;

    buf_add(text, SLICE("'%"));
    while (ptr < end) {
        if (*ptr == '%' || *ptr == '_' || *ptr == '\\')
            buf_add(text, SLICE("\\\\"));
        add_escaped(text, '\'', &ptr, end);
    }
    buf_add(text, SLICE("%'"));
}

static void add_hex(struct buf *text, const uint8_t *bytes, size_t len)
{
    char *at;

    buf_byte(text, '\'');
    at = buf_room(text, 2 * len);
    if (!at)
        return;
    hex_write(at, bytes, len);
    buf_grown(text, 2 * len);
    buf_byte(text, '\'');
}

/* In parentheses below zero: "a -?" would begin a comment. */
static void add_int(struct buf *text, int64_t value)
{
    buf_format(text, value < 0 ? "(%" PRId64 ")" : "%" PRId64, value);
}

static void add_float(struct buf *text, double value)
{
    if (isnan(value))
        buf_add(text, SLICE("nan"));
    else if (isinf(value))
        buf_add(text, value > 0 ? SLICE("inf") : SLICE("(-inf)"));
    else
        buf_format(text, value < 0 ? "(%.17g)" : "%.17g", value);
}

static void add_time_ns(struct buf *text, uint64_t ns)
{
    buf_format(text, "fromUnixTimestamp64Nano(toInt64(%" PRIu64 "))",
               ns < INT64_MAX ? ns : INT64_MAX);
}

static void add_time_s(struct buf *text, uint64_t ns)
{
    uint64_t seconds = ns / NS_PER_S;

    buf_format(text, "toDateTime(%" PRIu64 ")",
               seconds < UINT32_MAX ? seconds : UINT32_MAX);
}

/* ---- lists ---- */

static void add_element(struct buf *text, const struct ch_term *list, size_t i)
{
    if (list->kind == CH_TERM_UINTS)
        buf_format(text, "%" PRIu64, ((const uint64_t *)list->ptr)[i]);
    else if (list->kind == CH_TERM_STRINGS)
        add_quoted(text, '\'', ((const struct slice *)list->ptr)[i].ptr,
                   ((const struct slice *)list->ptr)[i].len);
    else
        add_hex(text, (const uint8_t *)list->ptr + i * list->number,
                list->number);
}

static void add_list(struct buf *text, const struct ch_term *list)
{
    buf_byte(text, '(');
    for (size_t i = 0; i < list->count && text->status == OK; i++) {
        if (i > 0)
            buf_byte(text, ',');
        add_element(text, list, i);
    }
    if (list->count == 0)
        buf_add(text, SLICE("NULL"));
    buf_byte(text, ')');
}

/* ---- all ---- */

/* A part that failed makes the whole fail. */
static void add_part(struct buf *text, const struct ch_sql *part)
{
    buf_add(text, buf_slice(&part->text));
    if (text->status == OK)
        text->status = part->text.status;
}

static void add_term(struct buf *text, const struct ch_term *term)
{
    switch (term->kind) {
    case CH_TERM_STRING:
        add_quoted(text, '\'', term->ptr, term->count);
        break;
    case CH_TERM_LIKE:
        add_like(text, term->ptr, term->count);
        break;
    case CH_TERM_HEX:
        add_hex(text, term->ptr, term->count);
        break;
    case CH_TERM_NAME:
        add_quoted(text, '`', term->ptr, term->count);
        break;
    case CH_TERM_UINT:
        buf_format(text, "%" PRIu64, term->number);
        break;
    case CH_TERM_INT:
        add_int(text, (int64_t)term->number);
        break;
    case CH_TERM_FLOAT:
        add_float(text, term->real);
        break;
    case CH_TERM_TIME_NS:
        add_time_ns(text, term->number);
        break;
    case CH_TERM_TIME_S:
        add_time_s(text, term->number);
        break;
    case CH_TERM_UINTS:
    case CH_TERM_STRINGS:
    case CH_TERM_HEXES:
        add_list(text, term);
        break;
    case CH_TERM_SQL:
        add_part(text, term->ptr);
        break;
    }
}

void ch_sql_add(struct ch_sql *sql, const char *literal,
                const struct ch_term *values, size_t count)
{
    struct slice rest = slice_of(literal);
    const char *mark;

    for (size_t i = 0; i < count; i++) {
        mark = memchr(rest.ptr, '?', rest.len);
        assert(mark); /* a question mark for each value */
        buf_add(&sql->text,
                (struct slice){rest.ptr, (size_t)(mark - rest.ptr)});
        add_term(&sql->text, &values[i]);
        rest = slice_from(rest, (size_t)(mark - rest.ptr) + 1);
    }
    assert(!memchr(rest.ptr, '?', rest.len));
    buf_add(&sql->text, rest);
}
