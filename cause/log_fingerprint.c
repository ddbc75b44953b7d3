/*
 * The event a log line stands for: the statement that wrote it. Many loggers
 * print where they were called (Class#31, file.go:52); then that is the
 * statement, whatever the rest of the line says. Otherwise it is the first
 * words of the message with what differs from line to line left out. Only the
 * first, because behind them stand the values, and values without a digit
 * (names of cities) cannot be told from words.
 */
#include "hash.h"
#include "rca_context.h"

enum {
    WORDS = 8,       /* enough to tell statements of a file apart */
    MAX_SCAN = 512,  /* bytes of a line that are looked at */
    MAX_WORD = 96,   /* a longer one is data */
    MAX_HEX = 16,    /* letters a to f only, this long: an id */
    MAX_SHOWN = 160, /* bytes of a line kept as an example */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '$';
}

static bool is_break(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '[' ||
           c == ']' || c == '(' || c == ')' || c == '{' || c == '}' ||
           c == '<' || c == '>' || c == '"' || c == '\'' || c == ',' ||
           c == ';' || c == '=' || c == '|';
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

/* A place in the source: a dotted name, '#' or ':', and a line number. */
static bool is_place(struct slice word)
{
    size_t digits = 0, dots = 0;

    while (word.len > 0 && word.ptr[word.len - 1] == ':')
        word.len--;
    while (digits < word.len && is_digit(word.ptr[word.len - 1 - digits]))
        digits++;
    if (digits == 0 || digits > 5 || word.len < digits + 4 ||
        !is_letter(word.ptr[0]))
        return false;
    char mark = word.ptr[word.len - 1 - digits];
    if (mark != '#' && mark != ':')
        return false;
    for (size_t i = 0; i < word.len - digits - 1; i++) {
        char c = word.ptr[i];

        dots += c == '.';
        if (!is_letter(c) && !is_digit(c) && c != '.' && c != '/' && c != '-')
            return false;
    }
    return dots > 0;
}

static bool is_value(struct slice word)
{
    bool hex = word.len >= MAX_HEX;

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

    for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
        struct slice key = slice_of(keys[k]);

        for (size_t i = 0; i + key.len < line.len; i++)
            if (line.ptr[i] == key.ptr[0] &&
                slice_starts(slice_from(line, i), key))
                return slice_from(line, i + key.len);
    }
    return line;
}

static struct slice text_of(const struct log_record *log)
{
    static const char *const keys[] = {"message", "msg", "log", "event"};

    if (log->body.type == VALUE_MAP) {
        struct attrs members = {.at = log->body.items, .count = log->body.len};

        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
            const struct attr *a = attrs_find(&members, slice_of(keys[i]));

            if (a && a->type == VALUE_STRING)
                return attr_text(a);
        }
    }
    return inner_message(attr_text(&log->body));
}

static struct slice cut(struct slice text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xc0) == 0x80)
        max--; /* not inside a character */
    text.len = max;
    return text;
}

/* The value of a member of JSON or logfmt without its quotes and what stands
 * behind it. */
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

uint32_t line_event(struct rca_context *facts, const struct log_record *log)
{
    struct slice line = text_of(log), rest = cut(line, MAX_SCAN), word;
    uint64_t hash = hash_mix(2, log->level >= LEVEL_ERROR);
    uint64_t words = hash, seen = 0;

    for (word = next_word(&rest); word.len > 0; word = next_word(&rest)) {
        if (is_place(word)) {
            words = hash_mix(hash, hash_bytes(word.ptr, word.len, 1));
            struct slice shown =
                slice_from(line, (size_t)(word.ptr - line.ptr));

            return terms_add(&facts->terms, words, word, cut(shown, MAX_SHOWN),
                             log->level >= LEVEL_ERROR);
        }
        if (seen == WORDS)
            continue;
        seen++;
        words = hash_mix(
            words, is_value(word) ? 0 : hash_bytes(word.ptr, word.len, 0));
    }
    if (line.ptr != attr_text(&log->body).ptr)
        line = unquoted(line);
    line = cut(line, MAX_SHOWN);
    return terms_add(&facts->terms, words, line, line,
                     log->level >= LEVEL_ERROR);
}
