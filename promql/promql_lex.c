#include "promql_lex.h"

#include <stdarg.h>
#include <stdio.h>

#include "ascii.h"
#include "hex.h"
#include "utf8.h"

/* ---- characters ---- */

/* The byte `ahead` of the next one; 0 behind the end. */
static char peek(const struct promql_lexer *l, size_t ahead)
{
    return l->at + ahead < l->text.len ? l->text.ptr[l->at + ahead] : '\0';
}

static bool at_end(const struct promql_lexer *l)
{
    return l->at >= l->text.len;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_alpha(char c)
{
    return is_letter(c) || c == '_';
}

static bool is_word(char c)
{
    return is_alpha(c) || is_digit(c);
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

/* ---- tokens ---- */

static struct promql_token emit(const struct promql_lexer *l,
                                enum promql_token_kind kind, unsigned op)
{
    return (struct promql_token){kind, (uint8_t)op, l->start, l->at};
}

static struct promql_token take(struct promql_lexer *l, uint32_t len,
                                enum promql_token_kind kind, unsigned op)
{
    l->at += len;
    return emit(l, kind, op);
}

__attribute__((format(printf, 2, 3))) static struct promql_token fail(
    struct promql_lexer *l, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(l->error, sizeof(l->error), format, args);
    va_end(args);
    if (l->at < l->start) /* a place ahead, of a token without text */
        l->at = l->start;
    return emit(l, PROMQL_TOKEN_ERROR, 0);
}

/* The character at a place, in quotes: 'x'. */
static struct promql_token fail_at(struct promql_lexer *l, const char *what,
                                   size_t at)
{
    const uint8_t *text = (const uint8_t *)l->text.ptr;
    uint32_t c;
    size_t len =
        at < l->text.len ? utf8_decode(text + at, text + l->text.len, &c) : 0;

    if (len == 0)
        return fail(l, "%s '\xef\xbf\xbd'", what);
    if (len == 1 && c < ' ')
        return c == '\n'   ? fail(l, "%s '\\n'", what)
               : c == '\t' ? fail(l, "%s '\\t'", what)
                           : fail(l, "%s '\\x%02x'", what, c);
    return fail(l, "%s '%s%.*s'", what, c == '\'' || c == '\\' ? "\\" : "",
                (int)len, l->text.ptr + at);
}

/* ---- words ---- */

static const struct {
    const char *name;
    enum promql_token_kind kind;
    unsigned op;
} keywords[] = {{"bool", PROMQL_TOKEN_BOOL, 0},
                {"by", PROMQL_TOKEN_BY, 0},
                {"group_left", PROMQL_TOKEN_GROUP_LEFT, 0},
                {"group_right", PROMQL_TOKEN_GROUP_RIGHT, 0},
                {"ignoring", PROMQL_TOKEN_IGNORING, 0},
                {"offset", PROMQL_TOKEN_OFFSET, 0},
                {"on", PROMQL_TOKEN_ON, 0},
                {"without", PROMQL_TOKEN_WITHOUT, 0},
                {"start", PROMQL_TOKEN_START, 0},
                {"end", PROMQL_TOKEN_ATEND, 0},
                {"inf", PROMQL_TOKEN_NUMBER, 0},
                {"nan", PROMQL_TOKEN_NUMBER, 0},
                {"and", PROMQL_TOKEN_OPERATOR, PROMQL_AND},
                {"or", PROMQL_TOKEN_OPERATOR, PROMQL_OR},
                {"unless", PROMQL_TOKEN_OPERATOR, PROMQL_UNLESS},
                {"atan2", PROMQL_TOKEN_OPERATOR, PROMQL_ATAN2},
#define AGGREGATE(op, text, parameter) {text, PROMQL_TOKEN_AGGREGATE, op},
                PROMQL_AGGREGATE_TABLE(AGGREGATE)
#undef AGGREGATE
};

static bool same_word(struct slice word, const char *keyword)
{
    size_t i = 0;

    while (i < word.len && keyword[i] && to_lower(word.ptr[i]) == keyword[i])
        i++;
    return i == word.len && !keyword[i];
}

static struct promql_token lex_word(struct promql_lexer *l)
{
    bool colon = false;
    struct slice word;

    while (is_word(peek(l, 0)) || (peek(l, 0) == ':' && !l->in_braces)) {
        colon = colon || peek(l, 0) == ':';
        l->at++;
    }
    word = (struct slice){l->text.ptr + l->start, l->at - l->start};
    if (!l->in_braces)
        for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
            if (same_word(word, keywords[i].name))
                return emit(l, keywords[i].kind, keywords[i].op);
    return emit(l, colon ? PROMQL_TOKEN_METRIC : PROMQL_TOKEN_IDENTIFIER, 0);
}

/* ---- numbers and durations ---- */

static bool accept(struct promql_lexer *l, const char *set)
{
    if (!is_one_of(peek(l, 0), set))
        return false;
    l->at++;
    return true;
}

/* What follows a dot, an exponent or an underscore of a number. */
static bool number_part(struct promql_lexer *l, const char *digits, bool *dot,
                        bool *exponent)
{
    if (accept(l, ".")) {
        if (*dot || accept(l, "_.") || digits[10]) /* no 0x1.8 */
            return false;
        *dot = true;
        return true;
    }
    if (accept(l, "eE")) {
        if (*exponent)
            return false;
        *exponent = true;
        accept(l, "+-");
        return !accept(l, "._eE") && !at_end(l);
    }
    if (accept(l, "_"))
        return !accept(l, "._eE") && !at_end(l);
    while (accept(l, digits))
        ;
    return true;
}

static bool lex_digits(struct promql_lexer *l)
{
    const char *digits = "0123456789";
    bool dot = false, exponent = false;

    if (accept(l, "0") && accept(l, "xX")) {
        accept(l, "_");
        digits = "0123456789abcdefABCDEF";
    }
    dot = accept(l, ".");
    accept(l, digits);
    while (is_one_of(peek(l, 0), digits) || is_one_of(peek(l, 0), "._eE"))
        if (!number_part(l, digits, &dot, &exponent))
            return false;
    return !is_word(peek(l, 0));
}

/* The rest behind the first digits. */
static bool lex_units(struct promql_lexer *l)
{
    if (!accept(l, "smhdwy"))
        return false;
    accept(l, "s");
    while (accept(l, "0123456789")) {
        while (accept(l, "0123456789"))
            ;
        if (!accept(l, "smhdw"))
            return false;
        accept(l, "s");
    }
    return !is_word(peek(l, 0));
}

static struct promql_token lex_number(struct promql_lexer *l)
{
    char quoted[100];

    if (lex_digits(l))
        return emit(l, PROMQL_TOKEN_NUMBER, 0);
    if (lex_units(l))
        return emit(l, PROMQL_TOKEN_DURATION, 0);
    if (is_word(peek(l, 0)))
        l->at++; /* what is wrong is part of the message */
    promql_quote((struct slice){l->text.ptr + l->start, l->at - l->start},
                 quoted, sizeof(quoted));
    return fail(l, "bad number or duration syntax: %s", quoted);
}

/* ---- strings ---- */

static bool lex_code(struct promql_lexer *l, int digits, unsigned base,
                     uint32_t most)
{
    uint32_t value = 0;

    for (; digits > 0; digits--) {
        int digit = hex_digit(peek(l, 0));

        if (at_end(l)) {
            fail(l, "escape sequence not terminated");
            return false;
        }
        if (digit < 0 || (unsigned)digit >= base) {
            fail(l, "illegal character U+%04X '%c' in escape sequence",
                 (unsigned char)peek(l, 0), peek(l, 0));
            return false;
        }
        value = value * base + (uint32_t)digit;
        l->at++;
    }
    if (value > most || (value >= 0xd800 && value < 0xe000)) {
        fail(l, "escape sequence is an invalid Unicode code point");
        return false;
    }
    return true;
}

static bool lex_escape(struct promql_lexer *l, char quote)
{
    char c = peek(l, 0);

    if (at_end(l)) {
        fail(l, "escape sequence not terminated");
        return false;
    }
    if (c >= '0' && c <= '7')
        return lex_code(l, 3, 8, 255);
    l->at++;
    switch (c) {
    case 'x':
        return lex_code(l, 2, 16, 255);
    case 'u':
        return lex_code(l, 4, 16, UTF8_MAX);
    case 'U':
        return lex_code(l, 8, 16, UTF8_MAX);
    default:
        if (c == quote || is_one_of(c, "abfnrtv\\"))
            return true;
        fail(l, "unknown escape sequence U+%04X '%c'", (unsigned char)c, c);
        return false;
    }
}

static struct promql_token lex_string(struct promql_lexer *l, char quote)
{
    const uint8_t *text = (const uint8_t *)l->text.ptr;

    l->at++;
    while (!at_end(l) && peek(l, 0) != quote) {
        uint32_t c;
        size_t len = utf8_decode(text + l->at, text + l->text.len, &c);

        if (len == 0)
            return fail(l, "invalid UTF-8 rune");
        if (quote != '`' && c == '\n')
            break;
        l->at += (uint32_t)len;
        if (quote != '`' && c == '\\' && !lex_escape(l, quote))
            return emit(l, PROMQL_TOKEN_ERROR, 0);
    }
    if (peek(l, 0) != quote)
        return fail(l, quote == '`' ? "unterminated raw string"
                                    : "unterminated quoted string");
    return take(l, 1, PROMQL_TOKEN_STRING, 0);
}

/* ---- signs ---- */

static void skip_blanks(struct promql_lexer *l)
{
    for (;;) {
        if (is_space(peek(l, 0))) {
            l->at++;
        } else if (peek(l, 0) == '#') {
            while (!at_end(l) && peek(l, 0) != '\n')
                l->at++;
        } else {
            return;
        }
    }
}

static struct promql_token lex_braces(struct promql_lexer *l)
{
    char c = peek(l, 0);

    switch (c) {
    case ',':
        return take(l, 1, PROMQL_TOKEN_COMMA, 0);
    case '=':
        if (peek(l, 1) == '~')
            return take(l, 2, PROMQL_TOKEN_MATCH, PROMQL_REGEX);
        return take(l, 1, PROMQL_TOKEN_ASSIGN, 0);
    case '!':
        if (peek(l, 1) == '~')
            return take(l, 2, PROMQL_TOKEN_MATCH, PROMQL_NOT_REGEX);
        if (peek(l, 1) == '=')
            return take(l, 2, PROMQL_TOKEN_OPERATOR, PROMQL_NE);
        return fail_at(
            l, "unexpected character after '!' inside braces:", l->at + 1u);
    case '{':
        return fail_at(l, "unexpected left brace", l->at);
    case '}':
        l->in_braces = false;
        return take(l, 1, PROMQL_TOKEN_RIGHT_BRACE, 0);
    default:
        if (at_end(l))
            return fail(l, "unexpected end of input inside braces");
        if (is_alpha(c))
            return lex_word(l);
        return fail_at(l, "unexpected character inside braces:", l->at);
    }
}

static struct promql_token lex_compare(struct promql_lexer *l)
{
    bool equal = peek(l, 1) == '=';

    switch (peek(l, 0)) {
    case '=':
        if (peek(l, 1) == '~')
            return fail_at(l, "unexpected character after '=':", l->at + 1u);
        return equal ? take(l, 2, PROMQL_TOKEN_OPERATOR, PROMQL_EQ)
                     : take(l, 1, PROMQL_TOKEN_ASSIGN, 0);
    case '!':
        if (!equal)
            return fail_at(l, "unexpected character after '!':", l->at + 1u);
        return take(l, 2, PROMQL_TOKEN_OPERATOR, PROMQL_NE);
    case '<':
        return take(l, equal ? 2 : 1, PROMQL_TOKEN_OPERATOR,
                    equal ? PROMQL_LE : PROMQL_LT);
    default:
        return take(l, equal ? 2 : 1, PROMQL_TOKEN_OPERATOR,
                    equal ? PROMQL_GE : PROMQL_GT);
    }
}

/* Each kind of bracket opens once, parentheses excepted. */
static struct promql_token lex_bracket(struct promql_lexer *l)
{
    switch (peek(l, 0)) {
    case '(':
        l->parens++;
        return take(l, 1, PROMQL_TOKEN_LEFT_PAREN, 0);
    case ')':
        if (l->parens == 0) {
            l->start = ++l->at; /* where Prometheus says it is */
            return fail_at(l, "unexpected right parenthesis", l->at - 1u);
        }
        l->parens--;
        return take(l, 1, PROMQL_TOKEN_RIGHT_PAREN, 0);
    case '{':
        l->in_braces = true;
        return take(l, 1, PROMQL_TOKEN_LEFT_BRACE, 0);
    case '[':
        if (l->in_brackets)
            return fail_at(l, "unexpected left bracket", l->at);
        l->in_brackets = true;
        l->got_colon = false;
        return take(l, 1, PROMQL_TOKEN_LEFT_BRACKET, 0);
    default:
        if (!l->in_brackets)
            return fail_at(l, "unexpected right bracket", l->at);
        l->in_brackets = false;
        return take(l, 1, PROMQL_TOKEN_RIGHT_BRACKET, 0);
    }
}

static struct promql_token lex_end(struct promql_lexer *l)
{
    if (l->parens > 0)
        return fail(l, "unclosed left parenthesis");
    if (l->in_brackets)
        return fail(l, "unclosed left bracket");
    return emit(l, PROMQL_TOKEN_END, 0);
}

static struct promql_token lex_name(struct promql_lexer *l)
{
    if (!l->in_brackets)
        return lex_word(l);
    if (peek(l, 0) != ':')
        return fail_at(l,
                       "unexpected character in duration expression:", l->at);
    if (l->got_colon)
        return fail_at(l, "unexpected colon", l->at);
    l->got_colon = true;
    return take(l, 1, PROMQL_TOKEN_COLON, 0);
}

struct promql_token promql_lex(struct promql_lexer *l)
{
    static const char signs[] = "+-*/%^";
    static const uint8_t ops[] = {PROMQL_ADD, PROMQL_SUB, PROMQL_MUL,
                                  PROMQL_DIV, PROMQL_MOD, PROMQL_POW};
    char c;

    skip_blanks(l);
    l->start = l->at;
    c = peek(l, 0);
    if (is_one_of(c, "\"'`"))
        return lex_string(l, c);
    if (l->in_braces)
        return lex_braces(l);
    if (at_end(l))
        return lex_end(l);
    if (is_alpha(c) || c == ':')
        return lex_name(l);
    if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
        return lex_number(l);
    if (is_one_of(c, "=!<>"))
        return lex_compare(l);
    if (is_one_of(c, "()[]{"))
        return lex_bracket(l);
    if (is_one_of(c, signs))
        return take(l, 1, PROMQL_TOKEN_OPERATOR, ops[strchr(signs, c) - signs]);
    if (c == ',')
        return take(l, 1, PROMQL_TOKEN_COMMA, 0);
    if (c == '@')
        return take(l, 1, PROMQL_TOKEN_AT, 0);
    return fail_at(l, "unexpected character:", l->at);
}
