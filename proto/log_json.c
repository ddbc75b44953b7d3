/*
 * Only texts of shippers and event exporters are parsed here, not on the hot
 * path: each object is walked once to count and once to read.
 */
#include "log_json.h"

#include <stdlib.h>

#include "json.h"
#include "json_scan.h"

static bool read_items(struct otlp_decoder *d, struct slice text, char bracket,
                       unsigned depth, struct attr *value);

/* The text of a quoted value without escapes. */
static struct slice unquoted(struct otlp_decoder *d, struct slice raw)
{
    struct json j;

    if (!memchr(raw.ptr, '\\', raw.len))
        return raw;
    j = json_over((struct slice){raw.ptr - 1, raw.len + 2}, d->arena);
    struct slice text = json_text(&j);

    return j.status == OK ? text : raw;
}

/* Integers as such, other numbers as double; too long ones remain texts. */
static void read_number(struct slice text, struct attr *value)
{
    char copy[40], *end;

    otlp_set_text(value, VALUE_STRING, text);
    if (text.len >= sizeof(copy))
        return;
    slice_copy(copy, text);
    copy[text.len] = '\0';
    if (strcspn(copy, ".eE") == text.len && text.len < 19) {
        value->i = strtoll(copy, &end, 10);
        value->type = VALUE_INT;
    } else {
        double d = strtod(copy, &end);

        if (*end == '\0' && text.len <= 17) {
            value->d = d;
            value->type = VALUE_DOUBLE;
        }
    }
}

static void read_word(struct slice text, struct attr *value)
{
    if (slice_equal(text, SLICE("true")) || slice_equal(text, SLICE("false"))) {
        value->type = VALUE_BOOL;
        value->b = text.ptr[0] == 't';
    } else if (!slice_equal(text, SLICE("null"))) {
        read_number(text, value);
    }
}

static void read_value(struct otlp_decoder *d, const struct json_member *member,
                       unsigned depth, struct attr *value)
{
    if (member->kind == '{' || member->kind == '[')
        read_items(d, member->value, member->kind, depth + 1, value);
    else if (member->kind == '"')
        otlp_set_text(value, VALUE_STRING,
                      otlp_text(d, unquoted(d, member->value), LOG_MAX_BODY));
    else
        read_word(member->value, value);
}

static bool read_items(struct otlp_decoder *d, struct slice text, char bracket,
                       unsigned depth, struct attr *value)
{
    struct json_scan scan, count;
    struct json_member member;
    struct otlp_list list = {0};
    uint32_t expect = 0;

    if (depth == ATTR_MAX_DEPTH || !json_scan_open(&scan, text, bracket))
        return false;
    for (count = scan; json_scan_next(&count, &member);)
        expect++;
    while (json_scan_next(&scan, &member)) {
        struct slice key = member.key;
        struct attr *item;

        if (bracket == '{')
            key = otlp_text(d, unquoted(d, key), ATTR_MAX_KEY);
        if (bracket == '{' && key.len == 0)
            continue;
        if (list.count == list.room &&
            !otlp_list_more(d, &list, sizeof(struct attr), ATTR_MAX_COUNT,
                            expect))
            break;
        item = (struct attr *)list.at + list.count++;
        *item = (struct attr){.key = key.ptr, .key_len = (uint16_t)key.len};
        read_value(d, &member, depth, item);
    }
    value->type = bracket == '{' ? VALUE_MAP : VALUE_ARRAY;
    value->items = list.at;
    value->len = bracket == '{' ? otlp_unique(list.at, list.count) : list.count;
    return true;
}

bool log_json_map(struct otlp_decoder *d, struct slice text, struct attr *map)
{
    *map = (struct attr){.key = ""};
    return read_items(d, text, '{', 0, map);
}
