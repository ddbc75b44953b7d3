/*
 * Nested values are skipped by counting brackets, without recursion or
 * memory.
 */
#include "json_scan.h"

#include <stdint.h>

#include "ascii.h"

static const char *skip_space(const char *at, const char *end)
{
    while (at < end &&
           (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* The number of bytes, of eight, before the first quote or backslash. Borrows
 * can only mark bytes after a real one. */
static unsigned before_quote(const char *at)
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones << 7;
    uint64_t quote = 0, slash, found;

    for (unsigned i = 0; i < 8; i++) /* low byte first, on any machine */
        quote |= (uint64_t)(unsigned char)at[i] << 8 * i;
    slash = quote ^ ones * '\\';
    quote ^= ones * '"';
    found = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops;
    return found ? (unsigned)__builtin_ctzll(found) / 8 : 8;
}

/* The end of the string that starts with the quote at `at`; NULL if it is not
 * closed. */
static const char *skip_text(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        while (end - at > 8) {
            unsigned plain = before_quote(at);

            at += plain;
            if (plain < 8)
                break;
        }
        if (*at == '"')
            return at + 1;
        if (*at == '\\' && ++at == end)
            return NULL;
    }
    return NULL;
}

static const char *skip_nested(const char *at, const char *end)
{
    unsigned depth = 0;

    while (at && at < end)
        switch (*at) {
        case '"':
            at = skip_text(at, end);
            break;
        case '{':
        case '[':
            depth++;
            at++;
            break;
        case '}':
        case ']':
            at++;
            if (--depth == 0)
                return at;
            break;
        default:
            at++;
        }
    return NULL;
}

static bool is_word_byte(char c)
{
    return is_digit(c) || is_letter(c) || c == '-' || c == '+' || c == '.';
}

static const char *skip_word(const char *at, const char *end)
{
    const char *begin = at;

    while (at < end && is_word_byte(*at))
        at++;
    return at > begin ? at : NULL;
}

/* False if there is no value, or it is not closed. */
static bool read_value(struct json_scan *scan, struct json_member *member)
{
    const char *at = skip_space(scan->at, scan->end), *end = NULL;

    if (at == scan->end)
        return false;
    member->kind = *at == '"' || *at == '{' || *at == '[' ? *at : '0';
    if (*at == '"')
        end = skip_text(at, scan->end);
    else if (*at == '{' || *at == '[')
        end = skip_nested(at, scan->end);
    else
        end = skip_word(at, scan->end);
    if (!end)
        return false;
    member->value = *at == '"' ? (struct slice){at + 1, (size_t)(end - at) - 2}
                               : (struct slice){at, (size_t)(end - at)};
    scan->at = end;
    return true;
}

/* Reads the key and the colon. */
static bool read_key(struct json_scan *scan, struct json_member *member)
{
    const char *at = scan->at, *end;

    if (at == scan->end || *at != '"')
        return false;
    end = skip_text(at, scan->end);
    if (!end)
        return false;
    member->key = (struct slice){at + 1, (size_t)(end - at) - 2};
    at = skip_space(end, scan->end);
    if (at == scan->end || *at != ':')
        return false;
    scan->at = at + 1;
    return true;
}

bool json_scan_open(struct json_scan *scan, struct slice text, char bracket)
{
    const char *at = text.len ? text.ptr : "", *end = at + text.len;

    at = skip_space(at, end);
    if (at == end || *at != bracket)
        return false;
    *scan = (struct json_scan){
        .at = at + 1, .end = end, .array = bracket == '[', .first = true};
    return true;
}

bool json_scan_next(struct json_scan *scan, struct json_member *member)
{
    const char *at = skip_space(scan->at, scan->end);

    if (!scan->first) {
        if (at == scan->end || *at != ',')
            return false;
        at = skip_space(at + 1, scan->end);
    }
    scan->first = false;
    scan->at = at;
    member->key = (struct slice){NULL, 0};
    if (!scan->array && !read_key(scan, member))
        return false;
    return read_value(scan, member);
}
