/* Values as people read them; see cli_format.h. */
#include "cli_format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

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

/* Three digits: 1.78, 17.8, 178, 0.178. */
static void add_digits(struct buf *out, double value)
{
    double size = fabs(value);

    buf_format(out,
               size >= 99.95    ? "%.0f"
               : size >= 9.995  ? "%.1f"
               : size >= 0.9995 ? "%.2f"
               : size >= 0.001  ? "%.3g"
                                : "%.2g",
               value);
}

static void add_scaled(struct buf *out, double value, double step,
                       const char *const *units, size_t count)
{
    size_t unit = 0;

    while (fabs(value) >= step * 0.9995 && unit + 1 < count) {
        value /= step;
        unit++;
    }
    if (unit == 0 && value == floor(value))
        buf_format(out, "%.0f", value);
    else
        add_digits(out, value);
    buf_add(out, slice_of(units[unit]));
}

static void add_count(struct buf *out, double value)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P"};

    if (value > 0 && value < 0.5)
        buf_add(out, SLICE("<1"));
    else if (fabs(value) < 9999.5) /* between two points it is estimated */
        buf_format(out, "%.0f", value);
    else
        add_scaled(out, value, 1000, units, 6);
}

static void add_percent(struct buf *out, double value)
{
    double percent = value * 100;

    if (percent > 0 && percent < 0.01)
        buf_add(out, SLICE("<0.01%"));
    else
        buf_format(out,
                   percent == 0      ? "%.0f%%"
                   : percent < 9.995 ? "%.2f%%"
                   : percent < 99.95 ? "%.1f%%"
                                     : "%.0f%%",
                   percent);
}

static void add_seconds(struct buf *out, double s)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    long whole = fabs(s) < 1e15 ? (long)(fabs(s) + 0.5) : 0;

    if (fabs(s) < 59.95)
        add_scaled(out, s * 1e9, 1000, units, 4);
    else if (whole == 0)
        buf_format(out, "%.3gs", s);
    else if (whole < 3600)
        buf_format(out, "%s%ldm%02lds", s < 0 ? "-" : "", whole / 60,
                   whole % 60);
    else
        buf_format(out, "%s%ldh%02ldm", s < 0 ? "-" : "", whole / 3600,
                   whole / 60 % 60);
}

static void add_cores(struct buf *out, double value)
{
    if (value == 0 || fabs(value) >= 1)
        add_digits(out, value);
    else
        buf_format(out, fabs(value) < 0.01 ? "%.1fm" : "%.0fm", value * 1000);
}

void cli_format_number(struct buf *out, double value, enum cli_format format)
{
    static const char *const bytes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};

    if (!isfinite(value)) {
        buf_format(out, "%g", value);
        return;
    }
    switch (format) {
    case FORMAT_COUNT:
        add_count(out, value);
        break;
    case FORMAT_RATE:
        add_scaled(out, value, 1000,
                   (const char *const[]){"/s", "k/s", "M/s", "G/s"}, 4);
        break;
    case FORMAT_RATIO:
    case FORMAT_PERCENT:
        add_percent(out, value);
        break;
    case FORMAT_SECONDS:
    case FORMAT_AGE:
        add_seconds(out, value);
        break;
    case FORMAT_NANOS:
        add_seconds(out, value / 1e9);
        break;
    case FORMAT_BYTES:
        add_scaled(out, value, 1024, bytes, 6);
        break;
    case FORMAT_CORES:
        add_cores(out, value);
        break;
    case FORMAT_MONEY:
        buf_format(out, fabs(value) < 0.1 && value != 0 ? "%.4f" : "%.2f",
                   value);
        break;
    default:
        add_digits(out, value);
    }
}

bool cli_is_number(enum cli_format format)
{
    return format >= FORMAT_COUNT && format <= FORMAT_UNIT;
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
