/*
 * Sets of labels are sorted arrays, so comparing, picking and merging are walks
 * over them, and one set has one hash.
 */
#include "promql_labels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "utf8.h"

#include "hash.h"
#include "promql_functions.h"
#include "regex_match.h"

struct slice promql_label_value(const struct promql_labels *labels,
                                struct slice name)
{
    for (uint32_t i = 0; i < labels->count; i++)
        if (slice_equal(labels->at[i].name, name))
            return labels->at[i].value;
    return (struct slice){0};
}

static bool matches(const struct promql_matcher *matcher, struct slice value)
{
    switch (matcher->op) {
    case PROMQL_EQUAL:
        return slice_equal(value, matcher->value);
    case PROMQL_NOT_EQUAL:
        return !slice_equal(value, matcher->value);
    case PROMQL_REGEX:
        return regex_matches(matcher->regex, value);
    case PROMQL_NOT_REGEX:
        return !regex_matches(matcher->regex, value);
    }
    return false;
}

bool promql_matches(const struct promql_matcher *matchers, uint32_t count,
                    const struct promql_labels *labels)
{
    for (uint32_t i = 0; i < count; i++)
        if (!matches(&matchers[i],
                     promql_label_value(labels, matchers[i].name)))
            return false;
    return true;
}

bool promql_names_have(const struct promql_names *names, struct slice name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (slice_equal(names->at[i], name))
            return true;
    return false;
}

bool promql_is_label_name(struct slice name)
{
    const uint8_t *at = (const uint8_t *)name.ptr, *end = at + name.len;
    uint32_t c;

    for (size_t len; at < end; at += len) {
        len = utf8_decode(at, end, &c);
        if (len == 0)
            return false;
    }
    return name.len > 0;
}

uint64_t promql_labels_hash(const struct promql_labels *labels)
{
    uint64_t hash = labels->count;

    for (uint32_t i = 0; i < labels->count; i++) {
        const struct promql_label *label = &labels->at[i];

        hash = hash_bytes(label->name.ptr, label->name.len, hash);
        hash = hash_bytes(label->value.ptr, label->value.len, hash);
    }
    return hash_mix(hash, 0);
}

bool promql_labels_equal(const struct promql_labels *a,
                         const struct promql_labels *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!slice_equal(a->at[i].name, b->at[i].name) ||
            !slice_equal(a->at[i].value, b->at[i].value))
            return false;
    return true;
}

int promql_labels_compare(const struct promql_labels *a,
                          const struct promql_labels *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        int order = slice_compare(a->at[i].name, b->at[i].name);

        if (order == 0)
            order = slice_compare(a->at[i].value, b->at[i].value);
        if (order != 0)
            return order;
    }
    return (a->count > b->count) - (a->count < b->count);
}

struct promql_labels promql_labels_copy(struct arena *arena,
                                        const struct promql_labels *labels)
{
    size_t bytes = 0;
    struct promql_label *copy;
    char *text;

    for (uint32_t i = 0; i < labels->count; i++)
        bytes += labels->at[i].name.len + labels->at[i].value.len;
    copy = arena_zero(arena, labels->count + 1u, sizeof(*copy));
    text = arena_alloc(arena, bytes + 1);
    if (!copy || !text)
        return (struct promql_labels){0};
    for (uint32_t i = 0; i < labels->count; i++) {
        const struct promql_label *from = &labels->at[i];

        slice_copy(text, from->name);
        copy[i].name = (struct slice){text, from->name.len};
        text += from->name.len;
        slice_copy(text, from->value);
        copy[i].value = (struct slice){text, from->value.len};
        text += from->value.len;
    }
    return (struct promql_labels){copy, labels->count};
}

struct promql_labels promql_labels_pick(struct arena *arena,
                                        const struct promql_labels *labels,
                                        const struct promql_names *names,
                                        bool keep, bool drop_name)
{
    struct promql_label *picked =
        arena_zero(arena, labels->count + 1u, sizeof(*picked));
    uint32_t count = 0;

    if (!picked)
        return (struct promql_labels){0};
    for (uint32_t i = 0; i < labels->count; i++) {
        struct slice name = labels->at[i].name;

        if (promql_names_have(names, name) == keep &&
            !(drop_name && slice_equal(name, PROMQL_NAME)))
            picked[count++] = labels->at[i];
    }
    return (struct promql_labels){picked, count};
}

struct promql_labels promql_labels_nameless(struct arena *arena,
                                            const struct promql_labels *labels)
{
    const struct promql_names none = {0};

    if (labels->count > 0 && slice_equal(labels->at[0].name, PROMQL_NAME))
        return (struct promql_labels){labels->at + 1, labels->count - 1};
    if (promql_label_value(labels, PROMQL_NAME).len == 0)
        return *labels;
    return promql_labels_pick(arena, labels, &none, false, true);
}

struct promql_labels promql_labels_set(struct arena *arena,
                                       const struct promql_labels *labels,
                                       struct slice name, struct slice value)
{
    struct promql_label *to =
        arena_zero(arena, labels->count + 1u, sizeof(*to));
    uint32_t count = 0, i = 0;

    if (!to)
        return (struct promql_labels){0};
    while (i < labels->count && slice_compare(labels->at[i].name, name) < 0)
        to[count++] = labels->at[i++];
    if (i < labels->count && slice_equal(labels->at[i].name, name))
        i++;
    if (value.len > 0)
        to[count++] = (struct promql_label){name, value};
    while (i < labels->count)
        to[count++] = labels->at[i++];
    return (struct promql_labels){to, count};
}

/* ---- text ---- */

const char *promql_number_text(double v, char text[PROMQL_NUMBER_TEXT])
{
    if (isnan(v))
        return "NaN";
    if (isinf(v))
        return v > 0 ? "+Inf" : "-Inf";
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, PROMQL_NUMBER_TEXT, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    return text;
}

static char *quote(char *at, struct slice s)
{
    *at++ = '"';
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '"' || c == '\\' || c == '\n')
            *at++ = '\\';
        *at++ = c == '\n' ? 'n' : c;
    }
    *at++ = '"';
    return at;
}

const char *promql_labels_text(struct arena *arena,
                               const struct promql_labels *labels)
{
    struct slice metric = promql_label_value(labels, PROMQL_NAME);
    size_t room = metric.len + 3;
    char *text, *at;
    bool first = true;

    for (uint32_t i = 0; i < labels->count; i++)
        room += labels->at[i].name.len + 2 * labels->at[i].value.len + 5;
    at = text = arena_alloc(arena, room);
    if (!text)
        return "";
    slice_copy(at, metric);
    at += metric.len;
    *at++ = '{';
    for (uint32_t i = 0; i < labels->count; i++) {
        const struct promql_label *label = &labels->at[i];

        if (slice_equal(label->name, PROMQL_NAME))
            continue;
        if (!first) {
            *at++ = ',';
            *at++ = ' ';
        }
        first = false;
        slice_copy(at, label->name);
        at += label->name.len;
        *at++ = '=';
        at = quote(at, label->value);
    }
    if (first && metric.len > 0)
        at--; /* x, not x{} */
    else
        *at++ = '}';
    *at = '\0';
    return text;
}
