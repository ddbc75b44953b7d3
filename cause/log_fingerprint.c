/*
 * The fingerprint of a log record: which statement wrote it. Many loggers print
 * where they were called (Class#31, file.go:52); then that is the statement,
 * whatever the rest of the line contains. Otherwise it is the first words of
 * the message without values. Only the first, because values without a digit
 * (names of cities), which mostly stand at the end, cannot be told from words.
 */
#define _GNU_SOURCE /* memmem */

#include <string.h>

#include "ascii.h"
#include "hash.h"
#include "log_shown.h"
#include "trace_sample.h"

enum {
    MAX_WORDS = 8,  /* enough to tell statements of a file apart */
    MAX_SCAN = 512, /* bytes of a line that are looked at */
    MAX_WORD = 96,  /* a longer one is data */
    MIN_HEX = 16,   /* letters a to f only, this long: an id */
    MAX_LINE_DIGITS = 5,
};

static bool is_name_letter(char c)
{
    return is_letter(c) || c == '_' || c == '$';
}

static bool is_break(char c)
{
    static const bool breaks[256] = {
        [' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true, ['['] = true,
        [']'] = true, ['('] = true,  [')'] = true,  ['{'] = true,  ['}'] = true,
        ['<'] = true, ['>'] = true,  ['"'] = true,  ['\''] = true, [','] = true,
        [';'] = true, ['='] = true,  ['|'] = true};

    return breaks[(unsigned char)c];
}

static struct slice next_word(struct slice *text)
{
    size_t i = 0, start;

    while (i < text->len && is_break(text->ptr[i]))
        i++;
    start = i;
    while (i < text->len && !is_break(text->ptr[i]))
        i++;
    struct slice word = {text->ptr + start, i - start};
    *text = slice_from(*text, i);
    return word;
}

/* A dotted name of letters, digits and path separators. */
static bool is_dotted_name(struct slice name)
{
    bool dots = false;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        dots = dots || c == '.';
        if (!is_name_letter(c) && !is_digit(c) && c != '.' && c != '/' &&
            c != '-')
            return false;
    }
    return dots && is_name_letter(name.ptr[0]);
}

/* A place in the source: a dotted name, '#' or ':', and a line number. */
static bool is_source_location(struct slice word)
{
    size_t digits = 0;

    while (word.len > 0 && word.ptr[word.len - 1] == ':')
        word.len--;
    while (digits < word.len && is_digit(word.ptr[word.len - 1 - digits]))
        digits++;
    if (digits == 0 || digits > MAX_LINE_DIGITS || word.len < digits + 4)
        return false;
    struct slice name = {word.ptr, word.len - digits - 1};
    char mark = word.ptr[name.len];
    return (mark == '#' || mark == ':') && is_dotted_name(name);
}

static bool is_value(struct slice word)
{
    bool hex = word.len >= MIN_HEX;

    if (word.len > MAX_WORD)
        return true;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];

        if (is_digit(c))
            return true;
        hex = hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
    }
    return hex;
}

/* The message of a line that is itself JSON or logfmt. */
static struct slice inner_message(struct slice line)
{
    static const char *const keys[] = {
        "\"message\":", "\"msg\":", "\"log\":", " msg=", " message="};

    for (size_t k = 0; line.len > 0 && k < sizeof(keys) / sizeof(*keys); k++) {
        struct slice key = slice_of(keys[k]);
        const char *at = memmem(line.ptr, line.len - 1, key.ptr, key.len);

        if (at)
            return slice_from(line, (size_t)(at - line.ptr) + key.len);
    }
    return line;
}

static struct slice message_of(const struct log_record *log)
{
    struct slice text = log_message(log);

    return log->body.type == VALUE_STRING ? inner_message(text) : text;
}

/* The value of a member of JSON or logfmt, without its quotes and what follows
 * them. */
static struct slice unquoted(struct slice text)
{
    size_t end = 1;

    while (text.len > 0 && text.ptr[0] == ' ')
        text = slice_from(text, 1);
    if (text.len == 0 || text.ptr[0] != '"')
        return text;
    while (end < text.len &&
           (text.ptr[end] != '"' || text.ptr[end - 1] == '\\'))
        end++;
    return (struct slice){text.ptr + 1, end - 1};
}

/* The statement of a line; text: what names it, if not the line. */
static uint32_t add_statement(struct interned_terms *terms, uint64_t hash,
                              struct slice text, struct slice line,
                              bool is_error)
{
    uint32_t known = terms_find(terms, hash);

    if (known != NO_INDEX)
        return known;
    line = log_shown(terms->arena, line);
    return terms_add(terms, hash, text.len > 0 ? text : line, line, is_error);
}

uint32_t log_fingerprint(struct interned_terms *terms,
                         const struct log_record *log)
{
    struct slice line = message_of(log), rest = slice_truncate(line, MAX_SCAN),
                 word;
    bool is_error = log->level >= LEVEL_ERROR;
    uint64_t seed = hash_mix(2, is_error), hash = seed;
    uint32_t words = 0;

    for (word = next_word(&rest); word.len > 0; word = next_word(&rest)) {
        if (is_source_location(word)) {
            struct slice shown =
                slice_from(line, (size_t)(word.ptr - line.ptr));

            hash = hash_mix(seed, hash_bytes(word.ptr, word.len, 1));
            return add_statement(terms, hash, word, shown, is_error);
        }
        if (words++ < MAX_WORDS)
            hash = hash_mix(
                hash, is_value(word) ? 0 : hash_bytes(word.ptr, word.len, 0));
    }
    if (line.ptr != attr_text(&log->body).ptr)
        line = unquoted(line);
    return add_statement(terms, hash, SLICE(""), line, is_error);
}
