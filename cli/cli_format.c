/* Values as people read them; see cli_format.h. */
#include "cli_format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "human.h"

enum { MAX_JSON = 1 << 20 };

/* ---- members ---- */

static const json_t *member(const json_t *object, const char *name, size_t len)
{
    char text[128];

    if (len >= sizeof(text))
        return NULL;
    memcpy(text, name, len);
    text[len] = '\0';
    return json_object_get(object, text);
}

static const json_t *at_path(const json_t *row, const char *path, size_t len)
{
    while (row && len > 0) {
        const char *dot = memchr(path, '.', len);
        size_t part = dot ? (size_t)(dot - path) : len;

        row = member(row, path, part);
        path += part + (dot != NULL);
        len -= part + (dot != NULL);
    }
    return json_is_null(row) ? NULL : row;
}

const json_t *cli_at(const json_t *row, const char *path)
{
    for (;;) {
        size_t len = strcspn(path, "|");
        const json_t *value = at_path(row, path, len);

        if (value || !path[len])
            return value;
        path += len + 1;
    }
}

/* ---- numbers ---- */

static const char *number_text(char text[HUMAN_TEXT], double value,
                               enum cli_format format)
{
    switch (format) {
    case FORMAT_COUNT:
        return human_count(text, value);
    case FORMAT_RATIO:
    case FORMAT_PERCENT:
        return human_share(text, value);
    case FORMAT_SECONDS:
    case FORMAT_AGE:
        return human_seconds(text, value);
    case FORMAT_NANOS:
        return human_seconds(text, value / 1e9);
    case FORMAT_BYTES:
        return human_bytes(text, value);
    case FORMAT_CORES:
        return human_cores(text, value);
    case FORMAT_MONEY:
        (void)snprintf(text, HUMAN_TEXT,
                       fabs(value) < 0.1 && value != 0 ? "%.4f" : "%.2f",
                       value);
        return text;
    default:
        return human_number(text, value);
    }
}

void cli_format_number(struct buf *out, double value, enum cli_format format)
{
    char text[HUMAN_TEXT];

    if (!isfinite(value)) {
        buf_format(out, "%g", value);
        return;
    }
    buf_add(out, slice_of(number_text(text, value, format)));
    if (format == FORMAT_RATE)
        buf_add(out, SLICE("/s"));
}

bool cli_is_number(enum cli_format format)
{
    return format >= FORMAT_COUNT && format <= FORMAT_UNIT;
}

bool cli_is_time(enum cli_format format)
{
    return format >= FORMAT_TIME && format <= FORMAT_AGE;
}

enum cli_format cli_format_of(const json_t *row, enum cli_format format)
{
    static const struct {
        const char *unit;
        enum cli_format format;
    } units[] = {{"cores", FORMAT_CORES},
                 {"bytes", FORMAT_BYTES},
                 {"seconds", FORMAT_SECONDS},
                 {"1", FORMAT_PERCENT}};
    const char *unit = json_string_value(json_object_get(row, "unit"));

    for (size_t i = 0; format == FORMAT_UNIT && i < 4; i++)
        if (unit && strcmp(units[i].unit, unit) == 0)
            return units[i].format;
    return format;
}

/* ---- times ---- */

static void add_time(struct buf *out, const char *text, size_t fraction)
{
    size_t len = strlen(text);
    char moment[] = "0000-00-00 00:00:00.000";

    if (len < 20) {
        buf_add(out, slice_of(text));
        return;
    }
    memcpy(moment, text, 19);
    moment[10] = ' ';
    if (text[19] == '.')
        for (size_t i = 0; i < 3 && text[20 + i] >= '0' && text[20 + i] <= '9';
             i++)
            moment[20 + i] = text[20 + i];
    buf_add(out, (struct slice){moment, fraction ? 23 : 19});
}

static void add_age(struct buf *out, const char *text)
{
    uint64_t then, now = clock_wall_ns();
    char age[CLOCK_TEXT];

    if (!clock_parse_rfc3339(slice_of(text), &then)) {
        buf_add(out, slice_of(text));
        return;
    }
    buf_add(out, (struct slice){
                     age, clock_format_age(age, now > then ? now - then : 0)});
}

/* ---- others ---- */

static void add_any(struct buf *out, const json_t *value);

static void add_list(struct buf *out, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        buf_add(out, i ? SLICE(", ") : SLICE(""));
        add_any(out, json_array_get(list, i));
    }
}

static void add_any(struct buf *out, const json_t *value)
{
    char *text;

    if (json_is_string(value)) {
        buf_add(out, (struct slice){json_string_value(value),
                                    json_string_length(value)});
    } else if (json_is_array(value)) {
        add_list(out, value);
    } else {
        text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY |
                                     JSON_REAL_PRECISION(6));
        buf_add(out, slice_of(text ? text : ""));
        free(text);
    }
}

static enum term_color tone_of_level(const char *level)
{
    if (strcmp(level, "ERROR") == 0 || strcmp(level, "FATAL") == 0)
        return TERM_RED;
    if (strcmp(level, "WARN") == 0 || strcmp(level, "Warning") == 0)
        return TERM_YELLOW;
    return strcmp(level, "DEBUG") == 0 ? TERM_DIM : TERM_PLAIN;
}

static enum term_color add_text(struct buf *out, const json_t *value,
                                enum cli_format format)
{
    const char *text = json_string_value(value);

    if (format == FORMAT_YES) {
        buf_add(out, json_is_true(value) ? SLICE("yes") : SLICE(""));
    } else if (text && (format == FORMAT_TIME || format == FORMAT_MOMENT)) {
        add_time(out, text, format == FORMAT_MOMENT ? 3 : 0);
    } else if (text && format == FORMAT_AGE) {
        add_age(out, text);
    } else {
        add_any(out, value);
        if (text && format == FORMAT_LEVEL)
            return tone_of_level(text);
    }
    return TERM_PLAIN;
}

enum term_color cli_format(struct buf *out, const json_t *value,
                           enum cli_format format)
{
    double number = json_number_value(value);

    if (!value) {
        buf_byte(out, '-');
        return TERM_DIM;
    }
    if (!json_is_number(value))
        return add_text(out, value, format);
    if (format == FORMAT_TEXT && json_is_integer(value)) {
        buf_format(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return TERM_PLAIN;
    }
    cli_format_number(out, number, format);
    if (format != FORMAT_RATIO || number <= 0)
        return TERM_PLAIN;
    return number >= 0.05 ? TERM_RED : TERM_YELLOW;
}
