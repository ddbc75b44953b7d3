/*
 * A value is read along its types. Inside JSON only what ch_attributes.c writes
 * is read; anything else does not fit, and the whole value stays a string.
 */
#include <math.h>
#include <stdlib.h>

#include "ascii.h"
#include "base64.h"
#include "ch_attributes.h"
#include "decimal.h"
#include "hex.h"
#include "json_scan.h"

/* Where the reading of one record's values is. */
struct typed_reader {
    const char *at, *end; /* of the types */
    struct arena *arena;
};

static char next_type(struct typed_reader *r)
{
    return r->at < r->end ? *r->at++ : 's';
}

static struct typed_reader typed_reader_over(struct slice types,
                                             struct arena *arena)
{
    const char *at = types.len > 0 ? types.ptr : "";

    return (struct typed_reader){at, at + types.len, arena};
}

/* A decimal of 32 bits and ';'. False if it is none. */
static bool next_count(struct typed_reader *r, uint32_t *count)
{
    const char *begin = r->at;
    uint64_t n = 0;

    while (r->at < r->end && is_digit(*r->at) && r->at - begin < 10)
        n = n * 10 + (uint64_t)(*r->at++ - '0');
    *count = (uint32_t)n;
    return r->at > begin && n <= UINT32_MAX && r->at < r->end &&
           *r->at++ == ';';
}

/* ---- scalars ---- */

static bool read_int(struct slice text, int64_t *v)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    uint64_t most = (uint64_t)INT64_MAX + negative, n = 0;

    text = slice_from(text, negative);
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)(text.ptr[i] - '0');

        if (!is_digit(text.ptr[i]) || n > (most - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *v = (int64_t)(negative ? 0 - n : n);
    return true;
}

static bool read_not_finite(struct slice text, double *v)
{
    if (slice_equal(text, SLICE("NaN")))
        *v = (double)NAN;
    else if (slice_equal(text, SLICE("+Inf")))
        *v = (double)INFINITY;
    else if (slice_equal(text, SLICE("-Inf")))
        *v = -(double)INFINITY;
    else
        return false;
    return true;
}

static bool read_double(struct slice text, double *v)
{
    char copy[DECIMAL_TEXT + 1], *end;

    if (text.len == 0 || text.len > DECIMAL_TEXT)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.ptr[i]) && !strchr("+-.e", text.ptr[i]))
            return false;
    slice_copy(copy, text);
    copy[text.len] = '\0';
    *v = strtod(copy, &end);
    return end == copy + text.len && isfinite(*v);
}

static bool read_bool(struct slice text, bool *v)
{
    *v = slice_equal(text, SLICE("true"));
    return *v || slice_equal(text, SLICE("false"));
}

static bool read_base64(struct typed_reader *r, struct slice text,
                        struct slice *bytes)
{
    char *to = arena_alloc(r->arena, base64_room(text.len));
    size_t len = to ? base64_read(to, text) : SIZE_MAX;

    *bytes = (struct slice){to, len};
    return len != SIZE_MAX;
}

/* ---- texts inside JSON ---- */

/* The character behind a backslash; *at is behind it then. -1: none of ours. */
static int escaped_char(const char **at, const char *end)
{
    static const char from[] = "\"\\nrt", into[] = "\"\\\n\r\t";
    const char *found;
    int high, low;

    if (*at == end)
        return -1;
    found = memchr(from, **at, sizeof(from) - 1);
    if (found) {
        ++*at;
        return into[found - from];
    }
    if (end - *at < 5 || memcmp(*at, "u00", 3) != 0)
        return -1;
    high = hex_digit((*at)[3]);
    low = hex_digit((*at)[4]);
    *at += 5;
    return high < 0 || high > 7 || low < 0 ? -1 : high * 16 + low;
}

static bool unescape(struct typed_reader *r, struct slice raw,
                     struct slice *text)
{
    const char *at = raw.len > 0 ? raw.ptr : "", *end = at + raw.len;
    char *begin, *to;

    *text = raw;
    if (!memchr(at, '\\', raw.len))
        return true;
    begin = to = arena_alloc(r->arena, raw.len);
    if (!begin)
        return false;
    while (at < end) {
        int c = *at++;

        if (c == '\\') {
            c = escaped_char(&at, end);
            if (c < 0)
                return false;
        }
        *to++ = (char)c;
    }
    *text = (struct slice){begin, (size_t)(to - begin)};
    return true;
}

static void set_bytes(struct attr *value, enum value_type type,
                      struct slice bytes)
{
    value->type = (uint8_t)type;
    value->str = bytes.ptr;
    value->len = (uint32_t)bytes.len;
}

/* ---- values ---- */

static bool read_items(struct typed_reader *r, struct slice text, bool map,
                       unsigned depth, struct attr *value);

/* A number, a literal or an empty value. */
static bool read_scalar(char letter, struct slice text, struct attr *value)
{
    switch (letter) {
    case 'i':
        value->type = VALUE_INT;
        return read_int(text, &value->i);
    case 'd':
        value->type = VALUE_DOUBLE;
        return read_double(text, &value->d);
    case 'b':
        value->type = VALUE_BOOL;
        return read_bool(text, &value->b);
    default:
        return false;
    }
}

/* The text of a quoted member by its letter. */
static bool read_quoted(struct typed_reader *r, char letter, struct slice raw,
                        struct attr *value)
{
    struct slice text;

    switch (letter) {
    case 's':
        if (!unescape(r, raw, &text))
            return false;
        break;
    case 'r':
    case 'y':
        if (!read_base64(r, raw, &text))
            return false;
        break;
    case 'd':
        value->type = VALUE_DOUBLE;
        return read_not_finite(raw, &value->d);
    default:
        return false;
    }
    set_bytes(value, letter == 'y' ? VALUE_BYTES : VALUE_STRING, text);
    return true;
}

static bool read_key(struct typed_reader *r, bool is_base64, struct slice raw,
                     struct attr *value)
{
    struct slice key;

    if (!(is_base64 ? read_base64(r, raw, &key) : unescape(r, raw, &key)) ||
        key.len > UINT16_MAX)
        return false;
    value->key = key.ptr;
    value->key_len = (uint16_t)key.len;
    return true;
}

static bool read_member(struct typed_reader *r,
                        const struct json_member *member, bool map,
                        unsigned depth, struct attr *value)
{
    char letter = next_type(r);
    bool key_is_base64 = map && letter == 'k';

    if (key_is_base64)
        letter = next_type(r);
    if (map && !read_key(r, key_is_base64, member->key, value))
        return false;
    switch (member->kind) {
    case '"':
        return read_quoted(r, letter, member->value, value);
    case '[':
    case '{':
        return letter == (member->kind == '[' ? 'a' : 'm') &&
               read_items(r, member->value, letter == 'm', depth + 1, value);
    default:
        value->type = VALUE_EMPTY;
        return letter == 'e' ? slice_equal(member->value, SLICE("null"))
                             : read_scalar(letter, member->value, value);
    }
}

static bool read_items(struct typed_reader *r, struct slice text, bool map,
                       unsigned depth, struct attr *value)
{
    struct json_member member;
    struct json_scan scan;
    struct attr *items;
    uint32_t count;

    /* An item has a character and a comma, but the last one. */
    if (depth > ATTR_MAX_DEPTH || !next_count(r, &count) ||
        count > text.len / 2 || !json_scan_open(&scan, text, map ? '{' : '['))
        return false;
    items = arena_zero(r->arena, count, sizeof(*items));
    if (!items)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!json_scan_next(&scan, &member) ||
            !read_member(r, &member, map, depth, &items[i]))
            return false;
    if (scan.end - scan.at != 1 || *scan.at != (map ? '}' : ']'))
        return false;
    value->type = map ? VALUE_MAP : VALUE_ARRAY;
    value->items = items;
    value->len = count;
    return true;
}

static bool read_bytes(struct typed_reader *r, struct slice text,
                       struct attr *value)
{
    struct slice bytes;

    if (!read_base64(r, text, &bytes))
        return false;
    set_bytes(value, VALUE_BYTES, bytes);
    return true;
}

/* False if the text does not fit. */
static bool read_typed(struct typed_reader *r, char letter, struct slice text,
                       struct attr *value)
{
    struct slice prefix = SLICE(CH_NOT_FINITE);

    switch (letter) {
    case 'e':
        value->type = VALUE_EMPTY;
        value->len = 0;
        return text.len == 0;
    case 'y':
        return read_bytes(r, text, value);
    case 'a':
    case 'm':
        return read_items(r, text, letter == 'm', 1, value);
    case 'd':
        if (slice_starts(text, prefix)) {
            value->type = VALUE_DOUBLE;
            return read_not_finite(slice_from(text, prefix.len), &value->d);
        }
        return read_scalar(letter, text, value);
    default:
        return read_scalar(letter, text, value);
    }
}

/* What does not fit stays a string; from there on nothing is known of the
 * types, so all is. */
static void read_value(struct typed_reader *r, struct slice text,
                       struct attr *value)
{
    char letter = next_type(r);

    if (letter == 's' || !read_typed(r, letter, text, value)) {
        if (letter != 's')
            r->at = r->end;
        set_bytes(value, VALUE_STRING, text);
    }
}

bool ch_value_read(struct slice text, struct slice types, struct arena *arena,
                   struct attr *value)
{
    struct typed_reader r = typed_reader_over(types, arena);

    read_value(&r, text, value);
    return arena_status(arena) == OK;
}

void ch_attributes_read(struct byte_reader *in, struct slice types,
                        struct arena *arena, struct attrs *attrs)
{
    struct typed_reader r = typed_reader_over(types, arena);
    uint64_t count = byte_reader_varint(in);
    struct attr *at = NULL;

    *attrs = (struct attrs){NULL, 0, 0};
    if (count > byte_reader_left(in) / 2) { /* a length each, at least */
        byte_reader_fail(in);
        return;
    }
    if (r.at < r.end && is_digit(*r.at) && !next_count(&r, &attrs->dropped))
        r.at = r.end;
    if (count > 0)
        at = arena_zero(arena, (size_t)count, sizeof(*at));
    for (uint64_t i = 0; at && i < count; i++) {
        struct slice key = slice_truncate(byte_reader_slice(in), ATTR_MAX_KEY);

        at[i].key = key.ptr;
        at[i].key_len = (uint16_t)key.len;
        read_value(&r, byte_reader_slice(in), &at[i]);
    }
    if (arena_status(arena) != OK)
        byte_reader_fail(in);
    if (in->bad)
        return;
    attrs->at = at;
    attrs->count = (uint32_t)count;
}
