/*
 * RE2's syntax is nearly a subset of PCRE2's, so one walk over the pattern
 * copies it, refuses what only PCRE2 knows, and writes otherwise the few things
 * that both know but mean differently: octal escapes, \v, a bracket in a class,
 * a brace that is no repetition.
 */
#include "regex_syntax.h"

#include <stdio.h>

#include "ascii.h"
#include "hex.h"

enum { MAX_REPEAT = 1000, MAX_DEPTH = 200, MAX_FRAGMENT = 60 };

/* What stands before, which decides whether it can be repeated. */
enum regex_before { NOTHING, ITEM, REPEATED };

struct walk {
    struct slice in;
    size_t at;
    struct buf *out;
    char *error;
    enum regex_before before;
    size_t repeat_at; /* of REPEATED: where its operator begins */
    uint32_t depth;
};

static bool refuse(struct walk *w, const char *what, size_t from, size_t to)
{
    struct slice part;

    while (to < w->in.len && ((unsigned char)w->in.ptr[to] & 0xc0) == 0x80)
        to++; /* whole characters */
    part = slice_truncate((struct slice){w->in.ptr + from, to - from},
                          MAX_FRAGMENT);

    snprintf(w->error, REGEX_ERROR, "error parsing regexp: %s: `%.*s`", what,
             SLICE_ARGS(part));
    return false;
}

/* The byte `ahead` of the next one; 0 behind the end. */
static char peek(const struct walk *w, size_t ahead)
{
    return w->at + ahead < w->in.len ? w->in.ptr[w->at + ahead] : '\0';
}

static void copy(struct walk *w, size_t len)
{
    if (len > w->in.len - w->at)
        len = w->in.len - w->at;
    buf_add(w->out, (struct slice){w->in.ptr + w->at, len});
    w->at += len;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* ---- escapes ---- */

static bool octal_escape(struct walk *w, size_t start)
{
    uint32_t value = 0;
    int digits = 0;

    if (peek(w, 0) != '0' && !is_octal(peek(w, 1)))
        return refuse(w, "invalid escape sequence", start, w->at + 1);
    while (digits < 3 && is_octal(peek(w, 0))) {
        value = value * 8 + (uint32_t)(peek(w, 0) - '0');
        w->at++;
        digits++;
    }
    buf_format(w->out, "\\x{%x}", value);
    return true;
}

static bool hex_escape(struct walk *w, size_t start)
{
    size_t len = 1;

    if (peek(w, 1) == '{') {
        for (len = 2; hex_digit(peek(w, len)) >= 0; len++)
            ;
        if (len == 2 || len > 10 || peek(w, len) != '}')
            return refuse(w, "invalid escape sequence", start, w->at + 1);
        len++;
    } else if (hex_digit(peek(w, 1)) >= 0 && hex_digit(peek(w, 2)) >= 0) {
        len = 3;
    } else {
        return refuse(w, "invalid escape sequence", start, w->at + 1);
    }
    buf_byte(w->out, '\\');
    copy(w, len);
    return true;
}

static bool property_escape(struct walk *w, size_t start)
{
    size_t len = 2;

    if (peek(w, 1) == '{') {
        for (; peek(w, len) && peek(w, len) != '}'; len++)
            ;
        if (peek(w, len) != '}')
            return refuse(w, "invalid character class range", start, w->in.len);
        len++;
    } else if (!is_letter(peek(w, 1))) {
        return refuse(w, "invalid character class range", start, w->at + 1);
    }
    buf_byte(w->out, '\\');
    copy(w, len);
    return true;
}

static void quoted(struct walk *w)
{
    w->at++; /* Q */
    while (w->at < w->in.len && !(peek(w, 0) == '\\' && peek(w, 1) == 'E')) {
        char c = peek(w, 0);

        if ((unsigned char)c < 0x80 && !is_letter(c) && !is_digit(c))
            buf_byte(w->out, '\\');
        copy(w, 1);
        w->before = ITEM;
    }
    w->at += w->at < w->in.len ? 2 : 0;
}

static bool escape(struct walk *w, bool in_class)
{
    size_t start = w->at++;
    char c = peek(w, 0);

    if (w->at == w->in.len)
        return refuse(w, "trailing backslash at end of expression", start,
                      start);
    if (is_digit(c) && c < '8')
        return octal_escape(w, start);
    if (c == 'x')
        return hex_escape(w, start);
    if (c == 'p' || c == 'P')
        return property_escape(w, start);
    if (c == 'v') {
        buf_add(w->out, SLICE("\\x0b"));
        w->at++;
        return true;
    }
    if ((is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80) &&
        !strchr(in_class ? "dDsSwWafnrt" : "dDsSwWafnrtAbBz", c))
        return refuse(w, "invalid escape sequence", start, w->at + 1);
    buf_byte(w->out, '\\');
    copy(w, 1);
    return true;
}

/* ---- classes ---- */

/* [:alpha:] */
static bool posix_class(struct walk *w)
{
    size_t len = 2;

    for (; is_letter(peek(w, len)) || peek(w, len) == '^'; len++)
        ;
    if (peek(w, len) != ':' || peek(w, len + 1) != ']')
        return false;
    copy(w, len + 2);
    return true;
}

static bool class_item(struct walk *w, bool *is_set)
{
    char c = peek(w, 0);

    *is_set = false;
    if (c == '[') {
        if (peek(w, 1) == ':' && posix_class(w)) {
            *is_set = true;
            return true;
        }
        buf_byte(w->out, '\\');
        copy(w, 1);
        return true;
    }
    if (c == '\\') {
        *is_set = peek(w, 1) && strchr("dDsSwWpP", peek(w, 1));
        return escape(w, true);
    }
    copy(w, 1);
    return true;
}

static bool class(struct walk *w)
{
    size_t start = w->at;
    bool first = true, is_set = false;

    copy(w, peek(w, 1) == '^' ? 2 : 1);
    while (first || peek(w, 0) != ']') {
        if (w->at >= w->in.len)
            return refuse(w, "missing closing ]", start, w->in.len);
        if (is_set && peek(w, 0) == '-') /* \d-z is no range */
            buf_byte(w->out, '\\');
        if (!class_item(w, &is_set))
            return false;
        first = false;
    }
    copy(w, 1);
    w->before = ITEM;
    return true;
}

/* ---- groups and repetitions ---- */

/* The length of `i-s` at `from`; 0: these are not flags of RE2. */
static size_t flags(const struct walk *w, size_t from)
{
    size_t len = 0;

    for (int part = 0; part < 2; part++) {
        size_t start = len;

        while (peek(w, from + len) && strchr("imsU", peek(w, from + len)))
            len++;
        if (peek(w, from + len) != '-' || part == 1)
            return part == 1 && len == start ? 0 : len;
        len++;
    }
    return len;
}

/* The length of `<name>` at `from`; 0: it is none. */
static size_t group_name(const struct walk *w, size_t from)
{
    size_t len = 1;

    while (is_letter(peek(w, from + len)) || is_digit(peek(w, from + len)) ||
           peek(w, from + len) == '_')
        len++;
    return len > 1 && peek(w, from + len) == '>' ? len + 1 : 0;
}

/* How long `?P<name>`, `?:`, `?i-s:` or `?i` is; 0: RE2 does not have it. */
static size_t group_head(const struct walk *w, bool *opens)
{
    size_t len = peek(w, 1) == 'P' && peek(w, 2) == '<' ? 2 : 1, more;

    *opens = true;
    if (peek(w, len) == '<') {
        more = group_name(w, len);
        return more > 0 ? len + more : 0;
    }
    more = flags(w, len);
    len += more;
    *opens = !(more > 0 && peek(w, len) == ')');
    return !*opens || peek(w, len) == ':' ? len + 1 : 0;
}

static bool group(struct walk *w)
{
    size_t start = w->at, len;
    bool opens = true;

    copy(w, 1);
    if (peek(w, 0) == '?') {
        len = group_head(w, &opens);
        if (len == 0) {
            for (len = 1; peek(w, len) && strchr("P<=!>'", peek(w, len)); len++)
                ;
            return refuse(w, "invalid or unsupported Perl syntax", start,
                          w->at +
                              (w->at + len < w->in.len && len == 1 ? 2 : len));
        }
        copy(w, len);
    }
    w->before = NOTHING;
    if (opens && ++w->depth > MAX_DEPTH)
        return refuse(w, "expression nests too deeply", 0, w->in.len);
    return true;
}

static bool group_end(struct walk *w)
{
    if (w->depth == 0)
        return refuse(w, "unexpected )", 0, w->in.len);
    w->depth--;
    w->before = ITEM;
    copy(w, 1);
    return true;
}

static bool number(const struct walk *w, size_t *ahead, uint32_t *value)
{
    size_t start = *ahead;

    for (*value = 0; is_digit(peek(w, *ahead)); ++*ahead)
        if (*value <= MAX_REPEAT)
            *value = *value * 10 + (uint32_t)(peek(w, *ahead) - '0');
    return *ahead > start;
}

/* The length of {2}, {2,} or {2,3} that comes next; 0: it is none. */
static size_t braces(const struct walk *w, uint32_t *least, uint32_t *most)
{
    size_t len = 1;

    if (peek(w, 0) != '{' || !number(w, &len, least))
        return 0;
    *most = *least;
    if (peek(w, len) == ',') {
        len++;
        if (!number(w, &len, most))
            *most = MAX_REPEAT;
    }
    return peek(w, len) == '}' ? len + 1 : 0;
}

static bool repetition(struct walk *w, size_t len)
{
    size_t start = w->at;

    if (w->before == NOTHING)
        return refuse(w, "missing argument to repetition operator", start,
                      start + len);
    if (w->before == REPEATED)
        return refuse(w, "invalid nested repetition operator", w->repeat_at,
                      start + len);
    copy(w, len);
    if (peek(w, 0) == '?')
        copy(w, 1);
    w->repeat_at = start;
    w->before = REPEATED;
    return true;
}

static bool brace(struct walk *w)
{
    uint32_t least = 0, most = 0;
    size_t len = braces(w, &least, &most);

    if (len == 0) {
        buf_byte(w->out, '\\');
        copy(w, 1);
        w->before = ITEM;
        return true;
    }
    if (least > MAX_REPEAT || most > MAX_REPEAT || most < least)
        return refuse(w, "invalid repeat count", w->at, w->at + len);
    return repetition(w, len);
}

/* ^*: PCRE2 repeats no assertion, but a group of one. */
static bool assertion(struct walk *w)
{
    buf_add(w->out, SLICE("(?:"));
    copy(w, 1);
    buf_byte(w->out, ')');
    w->before = ITEM;
    return true;
}

static bool step(struct walk *w)
{
    switch (peek(w, 0)) {
    case '\\':
        w->before = peek(w, 1) == 'Q' ? w->before : ITEM;
        if (peek(w, 1) == 'Q') {
            w->at++;
            quoted(w);
            return true;
        }
        return escape(w, false);
    case '[':
        return class(w);
    case '(':
        return group(w);
    case ')':
        return group_end(w);
    case '*':
    case '+':
    case '?':
        return repetition(w, 1);
    case '{':
        return brace(w);
    case '^':
    case '$':
        return assertion(w);
    case '|':
        copy(w, 1);
        w->before = NOTHING;
        return true;
    default:
        copy(w, 1);
        w->before = ITEM;
        return true;
    }
}

enum status regex_translate(struct slice pattern, struct buf *out,
                            char error[REGEX_ERROR])
{
    struct walk w = {.in = pattern, .out = out, .error = error};

    while (w.at < pattern.len)
        if (!step(&w))
            return ERR_INVALID;
    if (w.depth > 0) {
        (void)refuse(&w, "missing closing )", 0, pattern.len);
        return ERR_INVALID;
    }
    return out->status;
}
