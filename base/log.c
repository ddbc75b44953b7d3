/*
 * A line is built in a buffer on the stack and written with one write(2), so
 * lines of several threads never mix; what does not fit is cut.
 *
 * A value with a space, a quote, "=" or a control byte is quoted and escaped,
 * so text from outside cannot forge a field or a line.
 */
#include "log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048, NUMBER_MAX = 24 };

struct log_line {
    char bytes[LINE_MAX_BYTES];
    size_t len;
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static atomic_int level_shown = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&level_shown, (int)level, memory_order_relaxed);
}

bool log_parse_level(const char *name, enum log_level *level)
{
    if (strcasecmp(name, "warning") == 0)
        name = "warn";
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++)
        if (strcasecmp(name, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

/* One byte always stays free for the newline. */
static void append(struct log_line *line, struct slice s)
{
    size_t room = sizeof(line->bytes) - 1 - line->len;

    if (s.len > room)
        s.len = room;
    slice_copy(line->bytes + line->len, s);
    line->len += s.len;
}

static void append_escaped(struct log_line *line, unsigned char c)
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
    append(line, (struct slice){escape, len});
}

static void append_value(struct log_line *line, struct slice value)
{
    bool quote = value.len == 0;

    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        quote |= c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f;
    }
    if (!quote) {
        append(line, value);
        return;
    }
    append(line, SLICE("\""));
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
            append_escaped(line, c);
        else
            append(line, (struct slice){&value.ptr[i], 1});
    }
    append(line, SLICE("\""));
}

static void append_field(struct log_line *line, const struct log_field *field)
{
    char number[NUMBER_MAX] = "";

    append(line, SLICE(" "));
    append(line, slice_of(field->key));
    append(line, SLICE("="));
    switch (field->type) {
    case LOG_TYPE_TEXT:
        append_value(line, field->text);
        return;
    case LOG_TYPE_INT:
        (void)snprintf(number, sizeof(number), "%" PRId64, field->i);
        break;
    case LOG_TYPE_UINT:
        (void)snprintf(number, sizeof(number), "%" PRIu64, field->u);
        break;
    case LOG_TYPE_HEX:
        (void)snprintf(number, sizeof(number), "%016" PRIx64, field->u);
        break;
    }
    append(line, slice_of(number));
}

void log_event(enum log_level level, const char *module, const char *msg,
               const struct log_field *fields, size_t count)
{
    struct log_line line;

    if ((int)level > atomic_load_explicit(&level_shown, memory_order_relaxed))
        return;
    line.len = 0;
    append(&line, SLICE("level="));
    append(&line, slice_of(level_names[level]));
    append(&line, SLICE(" module="));
    append_value(&line, slice_of(module));
    append(&line, SLICE(" msg="));
    append_value(&line, slice_of(msg));
    for (size_t i = 0; i < count; i++)
        if (fields[i].key)
            append_field(&line, &fields[i]);
    line.bytes[line.len++] = '\n';
    /* A failed write has nowhere to be reported. */
    if (write(STDERR_FILENO, line.bytes, line.len) < 0)
        return;
}
