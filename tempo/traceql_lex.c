#include "traceql_lex.h"

#include <stdlib.h>

#include "clock.h"
#include "utf8.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           c == '_';
}

/* An attribute goes on until one of these. */
static bool is_name(char c)
{
    return !is_space(c) && c && !strchr("{}()=~!<>&|^,", c);
}

static char at(const struct lex *lex, size_t ahead)
{
    size_t place = lex->at + ahead;

    return place < lex->text.len ? lex->text.ptr[place] : '\0';
}

static void fail(struct lex *lex, const char *why)
{
    lex->kind = LEX_ERROR;
    lex->why = why;
}

/* ---- strings ---- */

/* The character of \n and the like; 0: it is none of those. */
static char escaped(char c)
{
    static const char from[] = "abfnrtv\\\"'/", to[] = "\a\b\f\n\r\t\v\\\"'/";
    const char *found = c ? strchr(from, c) : NULL;

    return found ? to[found - from] : '\0';
}

/* \x41, \u00e9, \U0001f600, \101: its digits; false: they are none. */
static bool read_code(struct lex *lex, uint32_t *code, bool *is_byte)
{
    char c = at(lex, 0);
    int digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 3;
    int base = is_digit(c) ? 8 : 16;
    char copy[9] = "", *end;

    if (!is_digit(c) && !(c && strchr("xuU", c)))
        return false;
    lex->at += !is_digit(c);
    for (int i = 0; i < digits; i++)
        copy[i] = at(lex, (size_t)i);
    *code = (uint32_t)strtoul(copy, &end, base);
    *is_byte = c != 'u' && c != 'U';
    lex->at += (size_t)digits;
    return end == copy + digits && is_word(copy[0]) &&
           *code <= (*is_byte ? 0xffu : 0x10ffffu) && lex->at <= lex->text.len;
}

/* Appends what an escape stands for. */
static bool read_escape(struct lex *lex, char *to, size_t *len)
{
    char plain = escaped(at(lex, 0));
    uint32_t code;
    bool is_byte;

    if (plain) {
        to[(*len)++] = plain;
        lex->at++;
        return true;
    }
    if (!read_code(lex, &code, &is_byte))
        return false;
    if (is_byte)
        to[(*len)++] = (char)code;
    else
        *len += utf8_encode(code, (uint8_t *)to + *len);
    return true;
}

/* At the opening quote. The text of an escape is no longer than the escape. */
static void read_string(struct lex *lex)
{
    char quote = at(lex, 0);
    char *to = arena_alloc(lex->arena, lex->text.len - lex->at + 4);
    size_t len = 0;

    lex->kind = LEX_LITERAL;
    lex->value = (struct traceql_value){.type = TRACEQL_STRING};
    if (!to) {
        fail(lex, "the query needs too much memory");
        return;
    }
    for (lex->at++; lex->at < lex->text.len && at(lex, 0) != quote;) {
        char c = at(lex, 0);

        lex->at++;
        if (c != '\\' || quote == '`') {
            to[len++] = c;
        } else if (!read_escape(lex, to, &len)) {
            fail(lex, "an unknown escape in a string");
            return;
        }
    }
    if (lex->at >= lex->text.len) {
        fail(lex, "a string without its closing quote");
        return;
    }
    lex->at++;
    lex->value.text = (struct slice){to, len};
}

/* ---- numbers ---- */

static bool is_unit(const struct lex *lex, size_t ahead)
{
    char c = at(lex, ahead);

    return c && (strchr("nsumhdwy.", c) || is_digit(c) || (c & 0x80));
}

/* 1h30m, 1.5s, 2w; false: it does not end in a unit. */
static bool read_duration(struct lex *lex)
{
    struct slice text = {lex->text.ptr + lex->at, 0};
    uint64_t ns;

    while (is_unit(lex, text.len))
        text.len++;
    if (text.len == 0 || is_digit(text.ptr[text.len - 1]) ||
        text.ptr[text.len - 1] == '.' ||
        !clock_parse_duration_years(text, &ns) || ns > INT64_MAX)
        return false;
    lex->value =
        (struct traceql_value){.type = TRACEQL_DURATION, .i = (int64_t)ns};
    lex->at += text.len;
    return true;
}

/* How many of the next characters can be of a number: digits, a point, an
 * exponent with its sign. */
static size_t number_length(const struct lex *lex)
{
    size_t end = 0;

    for (;; end++) {
        char c = at(lex, end);
        bool sign = end > 0 && (c == '+' || c == '-') &&
                    (at(lex, end - 1) | 0x20) == 'e';

        if (!is_digit(c) && c != '.' && !(end > 0 && (c | 0x20) == 'e') &&
            !sign)
            return end;
    }
}

static void read_number(struct lex *lex)
{
    size_t len = number_length(lex);
    char copy[64], *stop;

    lex->kind = LEX_LITERAL;
    if (read_duration(lex))
        return;
    if (len >= sizeof(copy)) {
        fail(lex, "a number that is too long");
        return;
    }
    memcpy(copy, lex->text.ptr + lex->at, len);
    copy[len] = '\0';
    lex->at += len;
    if (strpbrk(copy, ".eE"))
        lex->value = (struct traceql_value){.type = TRACEQL_FLOAT,
                                            .d = strtod(copy, &stop)};
    else
        lex->value = (struct traceql_value){.type = TRACEQL_INT,
                                            .i = strtoll(copy, &stop, 10)};
    if (*stop || is_word(at(lex, 0)))
        fail(lex, "a number or duration that cannot be read");
    else if (lex->value.type == TRACEQL_INT && len > 18)
        fail(lex, "a number that does not fit into 64 bits");
}

/* ---- names ---- */

/* The name of an attribute, whose parts may be quoted. */
static void read_name(struct lex *lex)
{
    char *to = arena_alloc(lex->arena, lex->text.len - lex->at + 1);
    size_t len = 0;
    bool quoted = false;

    if (!to) {
        fail(lex, "the query needs too much memory");
        return;
    }
    for (; lex->at < lex->text.len && (quoted || is_name(at(lex, 0)));
         lex->at++) {
        char c = at(lex, 0);

        if (c == '"') {
            quoted = !quoted;
        } else if (c == '\\' && quoted) {
            lex->at++;
            if (at(lex, 0) != '"' && at(lex, 0) != '\\') {
                fail(lex, "an unknown escape in the name of an attribute");
                return;
            }
            to[len++] = at(lex, 0);
        } else {
            to[len++] = c;
        }
    }
    if (quoted)
        fail(lex, "a quoted name without its closing quote");
    else if (len == 0)
        fail(lex, "the name of an attribute is missing");
    lex->field.name = (struct slice){to, len};
}

static bool take(struct lex *lex, const char *prefix)
{
    struct slice rest = slice_from(lex->text, lex->at);

    if (!slice_starts(rest, slice_of(prefix)))
        return false;
    lex->at += strlen(prefix);
    return true;
}

/* An attribute, if one starts here. */
static bool read_field(struct lex *lex)
{
    static const struct {
        const char *prefix;
        enum traceql_scope scope;
    } scopes[] = {{"span.", TRACEQL_SPAN},
                  {"resource.", TRACEQL_RESOURCE},
                  {"event.", TRACEQL_EVENT},
                  {"link.", TRACEQL_LINK},
                  {"instrumentation.", TRACEQL_INSTRUMENTATION},
                  {".", TRACEQL_ANY}};
    bool parent = take(lex, "parent.");
    size_t most = parent ? 2 : 6; /* parent.span.x, parent.resource.x */

    lex->field = (struct traceql_field){.of_parent = parent};
    lex->kind = LEX_FIELD;
    for (size_t i = 0; i < most; i++)
        if (take(lex, scopes[i].prefix)) {
            lex->field.scope = scopes[i].scope;
            read_name(lex);
            return true;
        }
    if (parent)
        read_name(lex);
    return parent;
}

static void read_mark(struct lex *lex)
{
    static const char *const marks[] = {"!>>", "!<<", "&>>", "&<<", "&&", "||",
                                        "=~",  "!~",  "!=",  ">=",  "<=", ">>",
                                        "<<",  "!>",  "!<",  "&>",  "&<", "&~",
                                        "{",   "}",   "(",   ")",   ",",  "=",
                                        ">",   "<",   "!",   "|",   "~",  "+",
                                        "-",   "*",   "/",   "%",   "^"};

    lex->kind = LEX_MARK;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (take(lex, marks[i]))
            return;
    lex->at++;
    fail(lex, "an unexpected character");
}

void lex_next(struct lex *lex)
{
    while (lex->at < lex->text.len && is_space(at(lex, 0)))
        lex->at++;
    lex->place = lex->at;
    lex->token = SLICE("");
    if (lex->at >= lex->text.len) {
        lex->kind = LEX_END;
        return;
    }
    char c = at(lex, 0);
    if (c == '"' || c == '`') {
        read_string(lex);
    } else if (is_digit(c) || (c == '.' && is_digit(at(lex, 1)))) {
        read_number(lex);
    } else if (!read_field(lex)) {
        if (is_word(c)) {
            lex->kind = LEX_WORD;
            while (is_word(at(lex, 0)) ||
                   (at(lex, 0) == ':' && is_word(at(lex, 1))))
                lex->at++;
        } else {
            read_mark(lex);
        }
    }
    lex->token =
        (struct slice){lex->text.ptr + lex->place, lex->at - lex->place};
}

bool lex_is(const struct lex *lex, const char *mark_or_word)
{
    return (lex->kind == LEX_MARK || lex->kind == LEX_WORD) &&
           slice_equal(lex->token, slice_of(mark_or_word));
}
