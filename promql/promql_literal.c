/* Numbers, durations and strings as Go reads them, and how messages show a
 * token. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "ascii.h"
#include "hex.h"
#include "promql_lex.h"
#include "utf8.h"

/* ---- numbers ---- */

enum { MAX_NUMBER = 100 };

/* Hexadecimal, and octal if it starts with 0: what Go's ParseInt takes. */
static bool whole_number(const char *digits, double *value)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(digits, &end, 0);
    if (errno || *end || end == digits)
        return false;
    *value = (double)number;
    return true;
}

bool promql_number(struct slice token, double *value, char error[160])
{
    char digits[MAX_NUMBER + 1];
    size_t len = 0;
    char *end;

    if (token.len > MAX_NUMBER) {
        snprintf(error, 160, "error parsing number: more than %d characters",
                 MAX_NUMBER);
        return false;
    }
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] != '_')
            digits[len++] = token.ptr[i];
    digits[len] = '\0';
    if (whole_number(digits, value))
        return true;
    errno = 0;
    *value = strtod(digits, &end);
    if (*end || end == digits || strchr("xX", digits[len > 1 ? 1 : 0])) {
        snprintf(error, 160,
                 "error parsing number: strconv.ParseFloat: parsing \"%.*s\": "
                 "invalid syntax",
                 SLICE_ARGS(token));
        return false;
    }
    if (errno == ERANGE && isinf(*value)) {
        snprintf(error, 160,
                 "error parsing number: strconv.ParseFloat: parsing \"%.*s\": "
                 "value out of range",
                 SLICE_ARGS(token));
        return false;
    }
    return true;
}

/* ---- durations ---- */

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"y", 365 * 86400000LL},
    {"w", 7 * 86400000LL},
    {"d", 86400000LL},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};
enum { UNITS = sizeof(units) / sizeof(*units) };

static size_t unit_find(struct slice name, size_t from)
{
    for (size_t i = from; i < UNITS; i++)
        if (slice_equal(name, slice_of(units[i].name)))
            return i;
    return UNITS;
}

/* Units from large to small, each once. */
bool promql_duration(struct slice token, int64_t *ms, char error[160])
{
    int64_t total = 0;
    size_t unit = 0;

    for (size_t i = 0; i < token.len;) {
        int64_t count = 0, part;
        size_t from;

        for (; i < token.len && is_digit(token.ptr[i]); i++)
            if (__builtin_mul_overflow(count, 10, &count) ||
                __builtin_add_overflow(count, token.ptr[i] - '0', &count))
                goto too_long;
        for (from = i; i < token.len && !is_digit(token.ptr[i]); i++)
            ;
        unit = unit_find((struct slice){token.ptr + from, i - from}, unit);
        if (unit == UNITS || from == 0) {
            snprintf(error, 160, "not a valid duration string: \"%.*s\"",
                     SLICE_ARGS(slice_truncate(token, 100)));
            return false;
        }
        if (__builtin_mul_overflow(count, units[unit].ms, &part) ||
            __builtin_add_overflow(total, part, &total) ||
            total > INT64_MAX / 1000000) /* nanoseconds in Prometheus */
            goto too_long;
        unit++;
    }
    *ms = total;
    return true;
too_long:
    snprintf(error, 160, "duration out of range");
    return false;
}

/* ---- strings ---- */

static char *put_code(const char **at, char *to, int digits, unsigned base,
                      bool byte)
{
    uint32_t value = 0;

    for (; digits > 0; digits--)
        value = value * base + (uint32_t)hex_digit(*(*at)++);
    if (byte) {
        *to = (char)value;
        return to + 1;
    }
    return to + utf8_encode(value, (uint8_t *)to);
}

/* Behind a backslash; the lexer has seen that it is right. */
static char *put_escape(const char **at, char *to)
{
    static const char names[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";
    char c = **at;
    const char *name = strchr(names, c);

    if (c >= '0' && c <= '7')
        return put_code(at, to, 3, 8, true);
    ++*at;
    if (c == 'x')
        return put_code(at, to, 2, 16, true);
    if (c == 'u')
        return put_code(at, to, 4, 16, false);
    if (c == 'U')
        return put_code(at, to, 8, 16, false);
    *to = name ? bytes[name - names] : c;
    return to + 1;
}

bool promql_unquote(struct arena *arena, struct slice token,
                    struct slice *value)
{
    struct slice inner = {token.ptr + 1, token.len - 2};
    const char *at = inner.ptr, *end = inner.ptr + inner.len;
    char *out, *to;

    *value = inner;
    if (token.ptr[0] == '`' || inner.len == 0 ||
        !memchr(inner.ptr, '\\', inner.len))
        return true;
    out = to = arena_alloc(arena, inner.len);
    if (!out)
        return false;
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        at++;
        to = put_escape(&at, to);
    }
    *value = (struct slice){out, (size_t)(to - out)};
    return true;
}

/* ---- messages ---- */

static size_t quote_one(const uint8_t *at, const uint8_t *end, char out[8],
                        size_t *taken)
{
    static const char names[] = "abtnvfr"; /* from 7 on */
    uint32_t c = 0;
    size_t len = utf8_decode(at, end, &c);

    *taken = len ? len : 1;
    if (len == 1 && (c == '"' || c == '\\')) {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    if (len == 1 && c >= 7 && c <= 13) {
        out[0] = '\\';
        out[1] = names[c - 7];
        return 2;
    }
    if (len == 0 || c < ' ' || c == 0x7f)
        return (size_t)snprintf(out, 8, "\\x%02x", *at);
    memcpy(out, at, len);
    return len;
}

void promql_quote(struct slice s, char *out, size_t size)
{
    const uint8_t *at = (const uint8_t *)s.ptr, *end = at + s.len;
    size_t used = 0;

    out[used++] = '"';
    while (at < end) {
        char piece[8];
        size_t taken, len = quote_one(at, end, piece, &taken);

        if (used + len + 2 > size)
            break;
        memcpy(out + used, piece, len);
        used += len;
        at += taken;
    }
    out[used++] = '"';
    out[used] = '\0';
}

/* The first `max` characters. */
static struct slice characters(struct slice s, size_t max)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.ptr[i] & 0xc0) != 0x80 && max-- == 0)
            return (struct slice){s.ptr, i};
    return s;
}

void promql_token_text(struct slice text, const struct promql_token *token,
                       char out[PROMQL_TOKEN_TEXT])
{
    struct slice word = {text.ptr + token->start, token->end - token->start};
    struct slice shown = characters(word, 10);
    const char *kind = "", *cut = shown.len < word.len ? "..." : "";
    char quoted[PROMQL_TOKEN_TEXT - 40];

    switch (token->kind) {
    case PROMQL_TOKEN_END:
        snprintf(out, PROMQL_TOKEN_TEXT, "end of input");
        return;
    case PROMQL_TOKEN_AT:
    case PROMQL_TOKEN_MATCH:
    case PROMQL_TOKEN_OPERATOR:
        snprintf(out, PROMQL_TOKEN_TEXT, "<op:%.*s>", SLICE_ARGS(word));
        return;
    case PROMQL_TOKEN_AGGREGATE:
        snprintf(out, PROMQL_TOKEN_TEXT, "<aggr:%.*s>", SLICE_ARGS(word));
        return;
    case PROMQL_TOKEN_IDENTIFIER:
    case PROMQL_TOKEN_METRIC:
        kind = token->kind == PROMQL_TOKEN_METRIC ? "metric identifier "
                                                  : "identifier ";
        shown = word;
        cut = "";
        break;
    case PROMQL_TOKEN_STRING:
        kind = "string ";
        break;
    case PROMQL_TOKEN_NUMBER:
        kind = "number ";
        break;
    case PROMQL_TOKEN_DURATION:
        kind = "duration ";
        break;
    default:
        if (token->kind >= PROMQL_TOKEN_BOOL) {
            snprintf(out, PROMQL_TOKEN_TEXT, "<%.*s>", SLICE_ARGS(word));
            return;
        }
        break;
    }
    promql_quote(shown, quoted, sizeof(quoted));
    snprintf(out, PROMQL_TOKEN_TEXT, "%s%s%s", kind, quoted, cut);
}
