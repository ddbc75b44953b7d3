/*
 * The forms of values. In: JSON of a target. Out: texts.
 */
#include "grafana_payload.h"

#include <stdio.h>

#include "array.h"

#define BLANKS " \t\r\n\v\f"

enum { MAX_DEPTH = 4, MAX_JSON_VALUES = 64 * 1024 };

static struct slice text_of(const json_t *value)
{
    return (struct slice){json_string_value(value), json_string_length(value)};
}

/* ---- documents ---- */

/* The tree takes up to fifty times its text, so it is bounded before. */
json_t *payload_parse(struct slice text)
{
    size_t values = 1;
    json_error_t error;

    for (size_t i = 0; i < text.len; i++)
        values +=
            text.ptr[i] == ',' || text.ptr[i] == '[' || text.ptr[i] == '{';
    if (text.len == 0 || values > MAX_JSON_VALUES)
        return NULL;
    return json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, &error);
}

/* Its name before 0.3 was data. */
static json_t *given_payload(json_t *target)
{
    json_t *given = json_object_get(target, "payload");

    if (!given || json_is_null(given) ||
        (json_is_string(given) && json_string_length(given) == 0))
        given = json_object_get(target, "data");
    return json_is_null(given) ? NULL : given;
}

json_t *payload_object(json_t *target, enum payload_state *state)
{
    json_t *given = given_payload(target), *object = NULL;
    struct slice text = slice_trim(text_of(given), BLANKS);

    if (json_is_object(given))
        object = json_incref(given);
    else
        object = payload_parse(text);
    if (!json_is_object(object)) {
        json_decref(object);
        object = json_object();
        *state = !given || (json_is_string(given) && text.len == 0) ||
                         (json_is_array(given) && json_array_size(given) == 0)
                     ? PAYLOAD_EMPTY
                     : PAYLOAD_BROKEN;
    } else {
        *state = json_object_size(object) > 0 ? PAYLOAD_GIVEN : PAYLOAD_EMPTY;
    }
    json_object_set_new(target, "payload", object); /* the target owns it */
    return object;
}

const json_t *payload_scoped(const json_t *scoped, struct slice name)
{
    const json_t *variable = json_object_getn(scoped, name.ptr, name.len);
    const json_t *value = json_object_get(variable, "value");

    return value ? value : (json_is_object(variable) ? NULL : variable);
}

/* ---- lists of texts ---- */

struct reading {
    struct payload_values *out;
    const json_t *scoped;
    struct arena *arena;
};

static void add_once(struct arena *arena, struct slice **texts, uint32_t *count,
                     uint32_t *room, struct slice text)
{
    struct slice *last;

    for (uint32_t i = 0; *count < 64 && i < *count; i++)
        if (slice_equal((*texts)[i], text))
            return;
    if (text.len == 0 || *count >= PAYLOAD_MAX_VALUES)
        return;
    last = arena_append(arena, texts, *count, room);
    if (last) {
        *last = text;
        (*count)++;
    }
}

static void add_text(struct reading *r, struct slice text)
{
    struct payload_values *out = r->out;

    add_once(r->arena, &out->texts, &out->count, &out->room, text);
}

static void add_also(struct reading *r, struct slice text)
{
    struct payload_values *out = r->out;

    add_once(r->arena, &out->also, &out->also_count, &out->also_room, text);
}

/* ---- regular expressions ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

/* Grafana escapes all that is special in a regular expression. */
static struct slice unescape(struct arena *arena, struct slice text)
{
    char *copy;
    size_t len = 0;

    if (text.len == 0 || !memchr(text.ptr, '\\', text.len))
        return text;
    copy = arena_alloc(arena, text.len);
    if (!copy)
        return text;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len &&
            !is_letter(text.ptr[i + 1]))
            i++;
        copy[len++] = text.ptr[i];
    }
    return (struct slice){copy, len};
}

/* What a part of a regular expression begins with, and a name does not. */
static bool begins_pattern(char c, char next, bool first)
{
    switch (c) {
    case '^':
    case '$':
        return true;
    case '\\': /* a class: \d */
        return is_letter(next);
    case '[':
        return next != ']';
    case '(':
        return next == '?';
    case '|':
        return !first;
    case '.':
    case ')':
    case ']':
        return next == '*' || next == '+' || next == '?';
    default:
        return false;
    }
}

/* People write cart-.* or [a-c].*; names have dots, slashes and braces. */
static bool looks_like_pattern(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';

        if (begins_pattern(text.ptr[i], next, i == 0))
            return true;
        i += text.ptr[i] == '\\';
    }
    return false;
}

static void add_pattern(struct reading *r, struct slice text)
{
    struct slice *pattern = &r->out->pattern;
    size_t len = pattern->len + text.len + 6;
    char *joined;

    if (len > PAYLOAD_MAX_TEXT)
        return;
    joined = arena_alloc(r->arena, len);
    if (!joined)
        return;
    len = (size_t)snprintf(joined, len, "%.*s%s(?:%.*s)", SLICE_ARGS(*pattern),
                           pattern->len ? "|" : "", SLICE_ARGS(text));
    *pattern = (struct slice){joined, len};
}

/* Where the part of (a|b|c) at the front ends: at a bar that is neither escaped
 * nor inside parentheses. */
static size_t part_end(struct slice text)
{
    int depth = 0;
    size_t i;

    for (i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '\\')
            i++;
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
        else if (c == '|' && depth == 0)
            break;
    }
    return i < text.len ? i : text.len;
}

/* One pair of parentheses around all of it. */
static bool is_wrapped(struct slice text, char open, char close)
{
    int depth = 0;

    if (text.len < 2 || text.ptr[0] != open || text.ptr[text.len - 1] != close)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == open)
            depth++;
        else if (text.ptr[i] == close && --depth == 0)
            return i + 1 == text.len;
    }
    return false;
}

static bool is_all(struct slice text)
{
    static const struct slice all[] = {
        SLICE_INIT("$__all"),   SLICE_INIT(".*"),      SLICE_INIT(".+"),
        SLICE_INIT("*"),        SLICE_INIT("(.*)"),    SLICE_INIT("(.+)"),
        SLICE_INIT("${__all}"), SLICE_INIT("\\$__all")};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (slice_equal(text, all[i]))
            return true;
    return false;
}

/* ---- texts ---- */

static void add_value(struct reading *r, const json_t *value, int depth);

/* $name, ${name}, ${name:format}, [[name]]: the name, else empty. */
static struct slice variable_name(struct slice text)
{
    struct slice name = {NULL, 0};

    if (text.len > 3 && is_wrapped(text, '[', ']') && text.ptr[1] == '[' &&
        text.ptr[text.len - 2] == ']')
        name = (struct slice){text.ptr + 2, text.len - 4};
    else if (text.len > 1 && text.ptr[0] == '$')
        name = slice_from(text, 1);
    if (is_wrapped(name, '{', '}'))
        name = (struct slice){name.ptr + 1, name.len - 2};
    name = slice_split(&name, ':');
    for (size_t i = 0; i < name.len; i++)
        if (!is_letter(name.ptr[i]) && name.ptr[i] != '_' && name.ptr[i] != '-')
            return (struct slice){NULL, 0};
    return name;
}

/* {a,b} and a,b and 'a','b': other readings, as a name may have a comma. */
static void split_commas(struct reading *r, struct slice text, bool certain)
{
    while (text.len > 0) {
        struct slice part = slice_trim(slice_split(&text, ','), BLANKS "'\"");

        if (certain)
            add_text(r, part);
        else
            add_also(r, part);
    }
}

static void add_alternatives(struct reading *r, struct slice text)
{
    struct slice rest = text;

    if (is_wrapped(rest, '(', ')'))
        rest = (struct slice){rest.ptr + 1, rest.len - 2};
    while (rest.len > 0) {
        size_t end = part_end(rest);
        struct slice part = {rest.ptr, end};

        rest = slice_from(rest, end < rest.len ? end + 1 : end);
        if (is_all(part)) {
            r->out->all = true;
            continue;
        }
        if (looks_like_pattern(part))
            add_pattern(r, part);
        add_text(r, unescape(r->arena, part));
    }
    if (memchr(text.ptr, '\\', text.len) || memchr(text.ptr, '|', text.len) ||
        text.ptr[0] == '(')
        add_also(r, text); /* a name that looks like an expression */
}

static void add_string(struct reading *r, struct slice text, int depth)
{
    struct slice name;

    text = slice_trim(text, BLANKS);
    if (text.len == 0 || text.len > PAYLOAD_MAX_TEXT)
        return;
    if (is_all(text)) {
        r->out->all = true;
        return;
    }
    name = variable_name(text);
    if (name.len > 0) {
        const json_t *value = payload_scoped(r->scoped, name);

        if (value)
            add_value(r, value, depth + 1);
        else
            r->out->unknown = text;
        return;
    }
    if (is_wrapped(text, '[', ']')) {
        json_t *list = payload_parse(text);

        if (json_is_array(list)) {
            add_value(r, list, depth + 1);
            json_decref(list);
            return;
        }
        json_decref(list);
    }
    if (is_wrapped(text, '{', '}') && memchr(text.ptr, ',', text.len)) {
        split_commas(r, (struct slice){text.ptr + 1, text.len - 2}, true);
        add_also(r, text);
        return;
    }
    if (memchr(text.ptr, ',', text.len))
        split_commas(r, text, false);
    add_alternatives(r, text);
}

static void add_number(struct reading *r, const json_t *value)
{
    char text[40];
    int len =
        json_is_integer(value)
            ? snprintf(text, sizeof(text), "%lld",
                       (long long)json_integer_value(value))
            : snprintf(text, sizeof(text), "%.15g", json_real_value(value));

    add_text(r, arena_copy(r->arena, (struct slice){text, (size_t)len}));
}

static void add_value(struct reading *r, const json_t *value, int depth)
{
    if (depth > MAX_DEPTH)
        return;
    if (json_is_string(value))
        add_string(r, arena_copy(r->arena, text_of(value)), depth);
    else if (json_is_number(value))
        add_number(r, value);
    else if (json_is_boolean(value))
        add_text(r, json_is_true(value) ? SLICE("true") : SLICE("false"));
    else if (json_is_object(value)) /* an option of a select */
        add_value(r, json_object_get(value, "value"), depth + 1);
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++)
        add_value(r, json_array_get(value, i), depth + 1);
}

void payload_values(const json_t *value, const json_t *scoped,
                    struct arena *arena, struct payload_values *out)
{
    struct reading r = {out, scoped, arena};

    *out = (struct payload_values){.all = false};
    add_value(&r, value, 0);
    out->all = out->all || (out->count == 0 && out->pattern.len == 0);
}
