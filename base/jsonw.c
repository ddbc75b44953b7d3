/*
 * The only state is whether the next value needs a comma: opening brackets and
 * keys clear it, the end of a value sets it.
 *
 * Text is written in runs. A run of plain ASCII is found eight bytes at a time
 * and copied as a whole. The byte that ends it is escaped, or is copied as part
 * of a UTF-8 character, or is replaced by U+FFFD.
 */
#include "jsonw.h"

#include <math.h>

#include "base64.h"
#include "clock.h"
#include "decimal.h"
#include "hex.h"
#include "utf8.h"

void jsonw_init(struct jsonw *w, struct buf *out)
{
    *w = (struct jsonw){.out = out};
}

/* Before each value. */
static void value_starts(struct jsonw *w)
{
    if (w->comma)
        buf_byte(w->out, ',');
    w->comma = true;
}

void jsonw_open(struct jsonw *w, char bracket)
{
    value_starts(w);
    buf_byte(w->out, bracket);
    w->comma = false;
}

void jsonw_close(struct jsonw *w, char bracket)
{
    buf_byte(w->out, bracket);
    w->comma = true;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The high bit of each byte of v that is zero. Bytes above a zero byte may be
 * marked as well; then the eight are looked at one by one. */
static uint64_t zero_bytes(uint64_t v)
{
    return (v - EACH_BYTE(1)) & ~v & EACH_BYTE(0x80);
}

/* True if none of eight bytes is a control byte, a quote, a backslash or not
 * ASCII. */
static bool eight_plain(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return !((v & EACH_BYTE(0x80)) |
             ((v - EACH_BYTE(0x20)) & ~v & EACH_BYTE(0x80)) |
             zero_bytes(v ^ EACH_BYTE('"')) | zero_bytes(v ^ EACH_BYTE('\\')));
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static size_t plain_run(struct slice s)
{
    size_t i = 0;

    while (i + 8 <= s.len && eight_plain(s.ptr + i))
        i += 8;
    while (i < s.len && is_plain((unsigned char)s.ptr[i]))
        i++;
    return i;
}

/* Of text that does not start with ASCII: the length of the character, or 0. */
static size_t utf8_length(struct slice s)
{
    const uint8_t *at = (const uint8_t *)s.ptr;
    uint32_t c;

    return utf8_decode(at, at + s.len, &c);
}

static void add_escape(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', (char)c, '0', '0', hex[c >> 4], hex[c & 15]};
    size_t len = 2;

    switch (c) {
    case '"':
    case '\\':
        break;
    case '\n':
        escape[1] = 'n';
        break;
    case '\r':
        escape[1] = 'r';
        break;
    case '\t':
        escape[1] = 't';
        break;
    default:
        escape[1] = 'u';
        len = 6;
    }
    buf_add(out, (struct slice){escape, len});
}

static void add_string(struct buf *out, struct slice s)
{
    buf_byte(out, '"');
    while (s.len > 0) {
        size_t len = plain_run(s);

        buf_add(out, (struct slice){s.ptr, len});
        s = slice_from(s, len);
        if (s.len == 0)
            break;
        len = (unsigned char)s.ptr[0] < 0x80 ? 0 : utf8_length(s);
        if (len > 0)
            buf_add(out, (struct slice){s.ptr, len});
        else if ((unsigned char)s.ptr[0] < 0x80)
            add_escape(out, (unsigned char)s.ptr[0]);
        else
            buf_add(out, SLICE("\xef\xbf\xbd"));
        s = slice_from(s, len > 0 ? len : 1);
    }
    buf_byte(out, '"');
}

void jsonw_name(struct jsonw *w, const char *name)
{
    size_t len = strlen(name);
    char *to = buf_room(w->out, len + 4), *at = to;

    if (!to)
        return;
    if (w->comma)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, name, len);
    at += len;
    *at++ = '"';
    *at++ = ':';
    buf_grown(w->out, (size_t)(at - to));
    w->comma = false;
}

void jsonw_text(struct jsonw *w, struct slice text)
{
    value_starts(w);
    add_string(w->out, text);
}

void jsonw_raw(struct jsonw *w, struct slice json)
{
    value_starts(w);
    buf_add(w->out, json);
}

void jsonw_cstr(struct jsonw *w, const char *text)
{
    jsonw_text(w, slice_of(text));
}

void jsonw_uint(struct jsonw *w, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);

    value_starts(w);
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    buf_add(w->out, (struct slice){digits + at, sizeof(digits) - at});
}

void jsonw_int(struct jsonw *w, int64_t v)
{
    if (v >= 0) {
        jsonw_uint(w, (uint64_t)v);
        return;
    }
    value_starts(w);
    buf_byte(w->out, '-');
    w->comma = false;
    jsonw_uint(w, 0 - (uint64_t)v);
}

void jsonw_double(struct jsonw *w, double v)
{
    char *to;

    if (!isfinite(v)) {
        jsonw_null(w);
        return;
    }
    value_starts(w);
    to = buf_room(w->out, DECIMAL_TEXT);
    if (to)
        buf_grown(w->out, decimal_format(to, v));
}

void jsonw_bool(struct jsonw *w, bool v)
{
    value_starts(w);
    buf_add(w->out, v ? SLICE("true") : SLICE("false"));
}

void jsonw_null(struct jsonw *w)
{
    value_starts(w);
    buf_add(w->out, SLICE("null"));
}

void jsonw_hex(struct jsonw *w, const uint8_t *bytes, size_t len)
{
    char *to;

    value_starts(w);
    to = buf_room(w->out, 2 * len + 2);
    if (!to)
        return;
    to[0] = '"';
    hex_write(to + 1, bytes, len);
    to[2 * len + 1] = '"';
    buf_grown(w->out, 2 * len + 2);
}

void jsonw_base64(struct jsonw *w, struct slice bytes)
{
    size_t len = base64_len(bytes.len);
    char *to;

    value_starts(w);
    to = buf_room(w->out, len + 2);
    if (!to)
        return;
    to[0] = '"';
    base64_write(to + 1, bytes);
    to[len + 1] = '"';
    buf_grown(w->out, len + 2);
}

void jsonw_time(struct jsonw *w, uint64_t ns)
{
    char text[CLOCK_TEXT];

    jsonw_text(w, (struct slice){text, clock_format_rfc3339(text, ns)});
}

void jsonw_value(struct jsonw *w, const struct attr *value)
{
    switch ((enum value_type)value->type) {
    case VALUE_EMPTY:
        jsonw_null(w);
        break;
    case VALUE_STRING:
        jsonw_text(w, attr_text(value));
        break;
    case VALUE_BOOL:
        jsonw_bool(w, value->b);
        break;
    case VALUE_INT:
        jsonw_int(w, value->i);
        break;
    case VALUE_DOUBLE:
        jsonw_double(w, value->d);
        break;
    case VALUE_BYTES:
        jsonw_base64(w, (struct slice){value->str, value->len});
        break;
    case VALUE_ARRAY:
        jsonw_open(w, '[');
        for (uint32_t i = 0; i < value->len; i++)
            jsonw_value(w, &value->items[i]);
        jsonw_close(w, ']');
        break;
    case VALUE_MAP:
        jsonw_attrs(w, &(struct attrs){value->items, value->len, 0});
        break;
    }
}

void jsonw_attrs(struct jsonw *w, const struct attrs *attrs)
{
    jsonw_open(w, '{');
    for (uint32_t i = 0; i < attrs->count; i++) {
        const struct attr *attr = &attrs->at[i];

        if (attrs_find(attrs, attr_key(attr)) != attr)
            continue;
        jsonw_text(w, attr_key(attr));
        buf_byte(w->out, ':');
        w->comma = false;
        jsonw_value(w, attr);
    }
    jsonw_close(w, '}');
}

void jsonw_member_text(struct jsonw *w, const char *key, struct slice text)
{
    jsonw_name(w, key);
    jsonw_text(w, text);
}

void jsonw_member_int(struct jsonw *w, const char *key, int64_t v)
{
    jsonw_name(w, key);
    jsonw_int(w, v);
}
