/*
 * A line is put together in a buffer on the stack and written with one
 * write(2), so lines of several threads never mix; what does not fit is cut.
 *
 * The format's words are separated by single spaces, each "key=conversion". To
 * know where a value ends, whatever is in it, the format is printed in longer
 * and longer pieces, one word more each time: the difference in length is the
 * word's. A value with a space, a quote, "=" or a control byte is quoted and
 * escaped, so no text from outside can forge a pair or a line.
 */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "slice.h"

enum { LINE_MAX_BYTES = 2048, TEXT_MAX_BYTES = 1024 };

struct line {
    char bytes[LINE_MAX_BYTES];
    size_t len;
};

static atomic_int level_shown = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&level_shown, (int)level, memory_order_relaxed);
}

/* One byte always stays free for the newline. */
static void put(struct line *line, struct slice s)
{
    size_t room = sizeof(line->bytes) - 1 - line->len;

    if (s.len > room)
        s.len = room;
    slice_copy(line->bytes + line->len, s);
    line->len += s.len;
}

static void put_escaped(struct line *line, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char escape[4] = {'\\', (char)c};
    size_t len = 2;

    if (c == '\n') {
        escape[1] = 'n';
    } else if (c == '\t') {
        escape[1] = 't';
    } else if (c < ' ' || c == 0x7f) {
        escape[1] = 'x';
        escape[2] = hex[c >> 4];
        escape[3] = hex[c & 15];
        len = 4;
    }
    put(line, (struct slice){escape, len});
}

static void put_value(struct line *line, struct slice value)
{
    bool quote = value.len == 0;

    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        quote |= c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f;
    }
    if (!quote) {
        put(line, value);
        return;
    }
    put(line, SLICE("\""));
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
            put_escaped(line, c);
        else
            put(line, (struct slice){&value.ptr[i], 1});
    }
    put(line, SLICE("\""));
}

/* One word of the output: up to the first "=" it is the key, which is ours.
 * Quotes that the format has round the value are taken off, to be put on again
 * if it needs any. */
static void put_pair(struct line *line, struct slice word, bool quoted)
{
    const char *equals = memchr(word.ptr, '=', word.len);
    size_t key = equals ? (size_t)(equals + 1 - word.ptr) : 0;
    struct slice value = slice_from(word, key);

    if (quoted && value.len >= 2)
        value = (struct slice){value.ptr + 1, value.len - 2};
    put(line, SLICE(" "));
    put(line, (struct slice){word.ptr, key});
    put_value(line, value);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* pieces of a format */

static void put_pairs(struct line *line, const char *format, va_list args)
{
    char piece[TEXT_MAX_BYTES], text[TEXT_MAX_BYTES];
    const char *end = format;
    size_t done = 0;

    while (end && *end) {
        va_list copy;
        size_t len;
        bool quoted;
        int printed;

        end = strchr(end, ' ');
        len = end ? (size_t)(end - format) : strlen(format);
        if (len >= sizeof(piece))
            return;
        memcpy(piece, format, len);
        piece[len] = '\0';
        quoted = len > 0 && piece[len - 1] == '"';
        va_copy(copy, args);
        printed = vsnprintf(text, sizeof(text), piece, copy);
        va_end(copy);
        if (printed < 0)
            return;
        len =
            (size_t)printed < sizeof(text) ? (size_t)printed : sizeof(text) - 1;
        if (len > done)
            put_pair(line, (struct slice){text + done, len - done}, quoted);
        if (!end)
            return;
        done = len + 1; /* the space belongs to neither word */
        end++;
    }
}

#pragma GCC diagnostic pop

void log_event(enum log_level level, const char *part, const char *msg,
               const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    struct line line;
    va_list args;

    if ((int)level > atomic_load_explicit(&level_shown, memory_order_relaxed))
        return;
    line.len = 0;
    put(&line, SLICE("level="));
    put(&line, slice_of(names[level]));
    put(&line, SLICE(" part="));
    put_value(&line, slice_of(part));
    put(&line, SLICE(" msg="));
    put_value(&line, slice_of(msg));
    if (format) {
        va_start(args, format);
        put_pairs(&line, format, args);
        va_end(args);
    }
    line.bytes[line.len++] = '\n';
    /* There is nobody left to tell if this fails. */
    if (write(STDERR_FILENO, line.bytes, line.len) < 0)
        return;
}
