/*
 * The rules of Prometheus' OTLP receiver (translation with suffixes), and of
 * the compatibility part of the OpenTelemetry specification.
 */
#include "prom_names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ascii.h"
#include "jsonw.h"

struct unit_word {
    const char *unit, *word;
};
static const struct unit_word units[] = {
    {"d", "days"},
    {"h", "hours"},
    {"min", "minutes"},
    {"s", "seconds"},
    {"ms", "milliseconds"},
    {"us", "microseconds"},
    {"ns", "nanoseconds"},
    {"By", "bytes"},
    {"KiBy", "kibibytes"},
    {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"},
    {"TiBy", "tibibytes"},
    {"KBy", "kilobytes"},
    {"MBy", "megabytes"},
    {"GBy", "gigabytes"},
    {"TBy", "terabytes"},
    {"m", "meters"},
    {"V", "volts"},
    {"A", "amperes"},
    {"J", "joules"},
    {"W", "watts"},
    {"g", "grams"},
    {"Cel", "celsius"},
    {"Hz", "hertz"},
    {"1", ""},
    {"%", "percent"},
    {NULL, NULL},
};
static const struct unit_word per_units[] = {
    {"s", "second"}, {"m", "minute"}, {"min", "minute"},
    {"h", "hour"},   {"d", "day"},    {"w", "week"},
    {"mo", "month"}, {"y", "year"},   {NULL, NULL},
};

static bool is_word_byte(char c)
{
    return is_digit(c) || is_letter(c) || c == ':';
}

static bool is_valid_name(struct slice name, bool colons)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_word_byte(name.ptr[i]) && name.ptr[i] != '_')
            return false;
        else if (name.ptr[i] == ':' && !colons)
            return false;
    return name.len > 0 && !is_digit(name.ptr[0]);
}

/* ---- a name that is put together from words ---- */

struct name {
    char *at;
    size_t len, room;
};

static void put_bytes(struct name *name, const char *bytes, size_t len)
{
    if (len > name->room - name->len)
        len = name->room - name->len;
    if (len > 0)
        memcpy(name->at + name->len, bytes, len);
    name->len += len;
}

/* The next run of letters and digits; false at the end. */
static bool next_word(struct slice *rest, struct slice *word)
{
    size_t i = 0, end;

    if (rest->len == 0) /* its pointer may be NULL */
        return false;
    while (i < rest->len && !is_word_byte(rest->ptr[i]))
        i++;
    for (end = i; end < rest->len && is_word_byte(rest->ptr[end]);)
        end++;
    *word = (struct slice){rest->ptr + i, end - i};
    *rest = slice_from(*rest, end);
    return word->len > 0;
}

static void put_word(struct name *name, struct slice word)
{
    if (name->len > 0)
        put_bytes(name, "_", 1);
    put_bytes(name, word.ptr, word.len);
}

/* Words that are not `without`, joined by underscores. */
static void put_words(struct name *name, struct slice text,
                      struct slice without)
{
    struct slice word;

    while (next_word(&text, &word))
        if (without.len == 0 || !slice_equal(word, without))
            put_word(name, word);
}

static bool text_has_word(struct slice text, struct slice wanted)
{
    struct slice word;

    while (next_word(&text, &word))
        if (slice_equal(word, wanted))
            return true;
    return false;
}

static bool has_word(const struct name *name, struct slice wanted)
{
    return text_has_word((struct slice){name->at, name->len}, wanted);
}

/* ---- units ---- */

static struct slice blanks_off(struct slice text)
{
    return slice_trim(text, " \t");
}

static struct slice unit_word(struct slice unit, const struct unit_word *table)
{
    if (memchr(unit.len ? unit.ptr : "", '{', unit.len) ||
        memchr(unit.len ? unit.ptr : "", '}', unit.len))
        return SLICE("");
    for (; table->unit; table++)
        if (slice_equal(unit, slice_of(table->unit)))
            return slice_of(table->word);
    return unit;
}

/* "By/s" to bytes and second. */
static void split_unit(struct slice unit, struct slice *of, struct slice *per)
{
    const char *slash = unit.len ? memchr(unit.ptr, '/', unit.len) : NULL;
    size_t first = slash ? (size_t)(slash - unit.ptr) : unit.len;

    *of = unit_word(blanks_off((struct slice){unit.ptr, first}), units);
    *per = slash ? unit_word(blanks_off(slice_from(unit, first + 1)), per_units)
                 : SLICE("");
}

/* Words of a unit that the name does not have yet. */
static void put_unit(struct name *name, struct slice unit)
{
    struct slice of, per;
    char of_room[64], per_room[64];
    struct name of_name = {of_room, 0, sizeof(of_room)};
    struct name per_name = {per_room, 0, sizeof(per_room)};

    split_unit(unit, &of, &per);
    put_words(&of_name, of, SLICE(""));
    put_words(&per_name, per, SLICE(""));
    of = (struct slice){of_room, of_name.len};
    per = (struct slice){per_room, per_name.len};
    bool per_new = per.len > 0 && !has_word(name, per);
    if (of.len > 0 && !has_word(name, of))
        put_word(name, of);
    if (per_new) {
        put_word(name, SLICE("per"));
        put_word(name, per);
    }
}

static struct name name_new(struct arena *arena, size_t most)
{
    char *at = arena_alloc(arena, most + 1);

    return (struct name){at, 0, at ? most : 0};
}

struct slice prom_unit(struct slice unit, struct arena *arena)
{
    struct name name = name_new(arena, unit.len + 64);

    put_unit(&name, unit);
    return (struct slice){name.at, name.len};
}

/* ---- metrics ---- */

/* The word that must be the last one; empty: none. */
static struct slice last_word(const struct metric *metric)
{
    if (metric->type == METRIC_SUM && metric->monotonic)
        return SLICE("total");
    if (metric->type == METRIC_GAUGE && slice_equal(metric->unit, SLICE("1")))
        return SLICE("ratio");
    return SLICE("");
}

/* Without "_" and the word at its end. */
static struct slice word_off(struct slice name, struct slice word)
{
    if (word.len > 0 && name.len > word.len + 1 && slice_ends(name, word) &&
        name.ptr[name.len - word.len - 1] == '_')
        name.len -= word.len + 1;
    return name;
}

struct slice prom_metric_name(const struct metric *metric, struct arena *arena)
{
    struct name name =
        name_new(arena, metric->name.len + metric->unit.len + 64);
    struct slice last = last_word(metric);
    struct slice stem = word_off(metric->name, last);

    if (name.room == 0)
        return SLICE("");
    if (is_valid_name(metric->name, true) && !text_has_word(stem, last)) {
        put_bytes(&name, stem.ptr, stem.len);
    } else {
        put_words(&name, metric->name, last);
        if (name.len > 0 && is_digit(name.at[0])) {
            memmove(name.at + 1, name.at, name.len++);
            name.at[0] = '_';
        }
    }
    put_unit(&name, metric->unit);
    if (last.len > 0)
        put_word(&name, last);
    return (struct slice){name.at, name.len};
}

/* ---- labels ---- */

struct slice prom_label_name(struct slice key, struct arena *arena)
{
    struct name name;

    if (is_valid_name(key, false))
        return key;
    name = name_new(arena, key.len + 8);
    if (key.len > 0 && is_digit(key.ptr[0]))
        put_bytes(&name, "key_", 4);
    for (size_t i = 0; i < key.len; i++)
        if (is_word_byte(key.ptr[i]) && key.ptr[i] != ':')
            put_bytes(&name, key.ptr + i, 1);
        else if ((key.ptr[i] & 0xc0) != 0x80) /* once for a character */
            put_bytes(&name, "_", 1);
    return (struct slice){name.at, name.len};
}

struct slice prom_label_value(const struct attr *value, struct arena *arena)
{
    struct slice text = attr_text(value);
    struct buf buf;
    struct jsonw json;

    if (value->type == VALUE_STRING || value->type == VALUE_EMPTY)
        return text;
    if (value->type == VALUE_DOUBLE)
        return prom_number(value->d, arena);
    buf_init(&buf, ATTR_MAX_VALUE);
    jsonw_init(&json, &buf);
    jsonw_value(&json, value);
    text = buf_slice(&buf);
    if (value->type == VALUE_BYTES && text.len >= 2)
        text = (struct slice){text.ptr + 1, text.len - 2};
    text = arena_copy(arena, text);
    buf_release(&buf);
    return text;
}

struct slice prom_number(double v, struct arena *arena)
{
    char text[400], shortest[40];
    int exponent, digits = 1;

    if (isnan(v))
        return SLICE("NaN");
    if (isinf(v))
        return v > 0 ? SLICE("+Inf") : SLICE("-Inf");
    do
        snprintf(shortest, sizeof(shortest), "%.*e", digits - 1, v);
    while (strtod(shortest, NULL) != v && digits++ < 17);
    exponent = atoi(strchr(shortest, 'e') + 1);
    snprintf(text, sizeof(text), "%.*f",
             digits - 1 > exponent ? digits - 1 - exponent : 0, v);
    return arena_copy(arena, slice_of(text));
}
