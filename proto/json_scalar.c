/*
 * Numbers, bytes, ids and enums, in all the ways of proto3's JSON mapping:
 * numbers may be in quotes, whole ones may have an exponent (1e3), doubles may
 * be "NaN" or "Infinity".
 *
 * A number is read as sign, digits and power of ten. Whole numbers follow from
 * that without rounding. Doubles do as long as digits and power are both
 * exact in a double (then one operation rounds once); strtod() has the rest.
 */
#include <math.h>
#include <stdlib.h>

#include "ascii.h"
#include "base64.h"
#include "hex.h"
#include "json.h"

enum { MAX_NUMBER = 400 }; /* characters of a number that strtod() gets */

struct decimal {
    uint64_t digits;
    int64_t power; /* of ten */
    bool negative;
    bool exact; /* all digits are in `digits` */
};

/* Behind the digits at `at`. */
static const char *scan_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at))
        at++;
    return at;
}

/* Where the number at `at` ends; `at` itself if there is none. */
static const char *scan_number(const char *at, const char *end)
{
    const char *digits = at < end && *at == '-' ? at + 1 : at;
    const char *next = scan_digits(digits, end), *more;

    if (next == digits || (*digits == '0' && next > digits + 1))
        return at;
    if (next < end && *next == '.') {
        more = scan_digits(next + 1, end);
        if (more == next + 1)
            return at;
        next = more;
    }
    if (next < end && (*next | 0x20) == 'e') {
        digits = next + 1;
        if (digits < end && (*digits == '+' || *digits == '-'))
            digits++;
        more = scan_digits(digits, end);
        if (more == digits)
            return at;
        next = more;
    }
    return next;
}

struct slice json_number(struct json *j)
{
    const char *start, *end;

    json_peek(j);
    start = j->at;
    end = scan_number(start, j->end);
    if (end == start) {
        json_fail(j, ERR_MALFORMED, "not a number");
        return (struct slice){NULL, 0};
    }
    j->at = end;
    return (struct slice){start, (size_t)(end - start)};
}

/* A number with or without quotes, as it is written; `word` may be any text
 * that was in quotes. */
static struct slice number_text(struct json *j, bool *word)
{
    struct slice text;

    *word = false;
    if (json_peek(j) != '"')
        return json_number(j);
    text = json_text(j);
    if (j->status == OK &&
        (text.len == 0 ||
         scan_number(text.ptr, text.ptr + text.len) != text.ptr + text.len))
        *word = true;
    return text;
}

/* text is a number. */
static struct decimal parse(struct slice text)
{
    struct decimal n = {.exact = true};
    const char *at = text.ptr, *end = text.ptr + text.len;
    bool fraction = false, full = false;

    if (at < end && *at == '-') {
        n.negative = true;
        at++;
    }
    for (; at < end && (is_digit(*at) || *at == '.'); at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (*at == '.') {
            fraction = true;
            continue;
        }
        full = full || n.digits > (UINT64_MAX - digit) / 10;
        if (full) {
            n.exact = n.exact && digit == 0;
            n.power += !fraction;
        } else {
            n.digits = n.digits * 10 + digit;
            n.power -= fraction;
        }
    }
    if (at < end) { /* e */
        bool minus = *++at == '-';
        int64_t power = 0;

        for (at += *at == '-' || *at == '+'; at < end; at++)
            if (power < 100000)
                power = power * 10 + (*at - '0');
        n.power += minus ? -power : power;
    }
    return n;
}

/* Brings the power of ten to zero; false if that leaves a fraction or does not
 * fit. */
static bool make_whole(struct decimal *n)
{
    if (n->digits == 0)
        n->power = 0;
    for (; n->power > 0; n->power--) {
        if (n->digits > UINT64_MAX / 10)
            return false;
        n->digits *= 10;
    }
    for (; n->power < 0; n->power++) {
        if (n->digits % 10 != 0)
            return false;
        n->digits /= 10;
    }
    return n->exact;
}

/* A whole number, its size no more than the limit for its sign. */
static struct decimal whole(struct json *j, uint64_t max, uint64_t max_negative)
{
    bool word;
    struct slice text = number_text(j, &word);
    struct decimal n;

    if (word)
        json_fail(j, ERR_MALFORMED, "not a number");
    if (j->status != OK)
        return (struct decimal){0};
    n = parse(text);
    if (!make_whole(&n) || n.digits > (n.negative ? max_negative : max)) {
        json_fail(j, ERR_MALFORMED, "not an integer, or out of range");
        return (struct decimal){0};
    }
    return n;
}

uint64_t json_uint64(struct json *j)
{
    return whole(j, UINT64_MAX, 0).digits;
}

uint32_t json_uint32(struct json *j)
{
    return (uint32_t)whole(j, UINT32_MAX, 0).digits;
}

int64_t json_int64(struct json *j)
{
    struct decimal n = whole(j, INT64_MAX, UINT64_C(1) << 63);

    /* In unsigned arithmetic, where the smallest number has its opposite. */
    return (int64_t)(n.negative ? 0 - n.digits : n.digits);
}

int32_t json_int32(struct json *j)
{
    struct decimal n = whole(j, INT32_MAX, UINT64_C(1) << 31);

    return (int32_t)(n.negative ? -(int64_t)n.digits : (int64_t)n.digits);
}

static double slow_double(struct json *j, struct slice text)
{
    char copy[MAX_NUMBER + 1];
    double v;

    if (text.len > MAX_NUMBER) {
        json_fail(j, ERR_MALFORMED, "number too long");
        return 0;
    }
    slice_copy(copy, text);
    copy[text.len] = '\0';
    v = strtod(copy, NULL);
    if (isinf(v))
        json_fail(j, ERR_MALFORMED, "number out of range");
    return v;
}

double json_double(struct json *j)
{
    static const double tens[] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool word;
    struct slice text = number_text(j, &word);
    struct decimal n;
    double v;

    if (j->status != OK)
        return 0;
    if (word) {
        if (slice_equal(text, SLICE("NaN")))
            return (double)NAN;
        if (slice_equal(text, SLICE("Infinity")))
            return (double)INFINITY;
        if (slice_equal(text, SLICE("-Infinity")))
            return -(double)INFINITY;
        json_fail(j, ERR_MALFORMED, "not a number");
        return 0;
    }
    n = parse(text);
    if (!n.exact || n.digits > UINT64_C(1) << 53 || n.power < -22 ||
        n.power > 22)
        return slow_double(j, text);
    v = (double)n.digits;
    v = n.power < 0 ? v / tens[-n.power] : v * tens[n.power];
    return n.negative ? -v : v;
}

bool json_bool(struct json *j)
{
    char c = json_peek(j);
    size_t len = c == 't' ? 4 : 5;

    if ((size_t)(j->end - j->at) < len ||
        memcmp(j->at, c == 't' ? "true" : "false", len) != 0) {
        json_fail(j, ERR_MALFORMED, "not a bool");
        return false;
    }
    j->at += len;
    return c == 't';
}

size_t json_id(struct json *j, uint8_t *id, size_t size)
{
    struct slice text = json_text(j);

    if (hex_bytes(text, id, size))
        return size;
    memset(id, 0, size);
    return text.len == 0 ? 0 : SIZE_MAX;
}

struct slice json_bytes(struct json *j)
{
    struct slice text = json_text(j);
    size_t out = SIZE_MAX;
    char *bytes;

    if (text.len == 0)
        return (struct slice){NULL, 0};
    bytes = arena_alloc(j->arena, base64_room(text.len));
    if (!bytes)
        json_fail(j, j->arena->status, status_text(j->arena->status));
    else
        out = base64_read(bytes, text);
    if (out == SIZE_MAX)
        json_fail(j, ERR_MALFORMED, "not base64");
    if (j->status != OK)
        return (struct slice){NULL, 0};
    return (struct slice){bytes, out};
}

int32_t json_enum(struct json *j, const char *const *names)
{
    struct slice text;
    const char *quote;

    if (json_peek(j) != '"')
        return json_int32(j);
    quote = j->at;
    text = json_text(j);
    for (int32_t i = 0; names[i] && j->status == OK; i++) {
        struct slice name = slice_of(names[i]);

        if (text.len > name.len && text.ptr[text.len - name.len - 1] == '_' &&
            slice_equal(slice_from(text, text.len - name.len), name))
            return i;
    }
    if (j->status != OK || text.len == 0 ||
        scan_number(text.ptr, text.ptr + text.len) != text.ptr + text.len)
        return 0;
    j->at = quote;
    return json_int32(j);
}
