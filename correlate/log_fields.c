/*
 * Attributes come before the body. The first valid value of a field wins.
 * Numbers are handled as decimal text, like all values of JSON.
 */
#include "log_fields.h"

#include <stdio.h>

#include "hex.h"
#include "json_scan.h"
#include "severity.h"

enum { MAX_JSON = 8192 /* bytes of a body that are read */, MAX_MEMBERS = 128 };

/* ---- trace context ---- */

/* A decimal integer that fits. */
static bool read_number(struct slice text, uint64_t *number)
{
    *number = 0;
    if (text.len == 0 || text.len > 20)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned char)text.ptr[i] - '0';

        if (digit > 9 || *number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

static void set_id(uint8_t *into, const uint8_t *id, size_t len)
{
    if (id_is_zero(into, len))
        memcpy(into, id, len);
}

/* Google Cloud: projects/P/traces/HEX; X-Ray: 1-8 digits-24 digits. */
static struct slice strip_trace_id(struct slice text, char joined[32])
{
    for (size_t i = text.len; i-- > 0;)
        if (text.ptr[i] == '/')
            return slice_from(text, i + 1);
    if (text.len == 35 && text.ptr[0] == '1' && text.ptr[1] == '-' &&
        text.ptr[10] == '-') {
        memcpy(joined, text.ptr + 2, 8);
        memcpy(joined + 8, text.ptr + 11, 24);
        return (struct slice){joined, 32};
    }
    return text;
}

static void read_trace(struct log_fields *fields, struct slice text)
{
    char joined[32];
    uint8_t id[16] = {0};

    text = strip_trace_id(text, joined);
    if (hex_bytes(text, id, 16) || hex_bytes(text, id + 8, 8))
        set_id(fields->trace_id, id, 16);
}

static void read_span(struct log_fields *fields, struct slice text)
{
    uint8_t id[8];

    if (hex_bytes(text, id, 8))
        set_id(fields->span_id, id, 8);
}

/* A decimal id is the low 64 bits, as in the Collector's Datadog receiver. */
static bool read_decimal(uint8_t *into, size_t len, struct slice text)
{
    uint8_t id[16] = {0};
    uint64_t number;

    if (!read_number(text, &number))
        return false;
    for (size_t i = len; i-- > len - 8; number >>= 8)
        id[i] = (uint8_t)number;
    set_id(into, id, len);
    return true;
}

static void read_traceparent(struct log_fields *fields, struct slice text)
{
    if (text.len < 55 || text.ptr[2] != '-' || text.ptr[35] != '-' ||
        text.ptr[52] != '-')
        return;
    read_trace(fields, (struct slice){text.ptr + 3, 32});
    read_span(fields, (struct slice){text.ptr + 36, 16});
}

static void read_context(struct log_fields *fields, enum field_kind field,
                         struct slice text)
{
    switch (field) {
    case FIELD_DATADOG_TRACE:
        if (read_decimal(fields->trace_id, 16, text))
            break; /* fall through */
    case FIELD_TRACE:
        read_trace(fields, text);
        break;
    case FIELD_DATADOG_SPAN:
        if (read_decimal(fields->span_id, 8, text))
            break; /* fall through */
    case FIELD_SPAN:
        read_span(fields, text);
        break;
    default:
        read_traceparent(fields, text);
    }
}

/* ---- level ---- */

/* 10 to 60 of pino and bunyan, 100 to 600 of Monolog. */
static enum level level_of_logger(uint64_t number)
{
    static const enum level hundreds[] = {LEVEL_DEBUG, LEVEL_INFO,
                                          LEVEL_WARN,  LEVEL_ERROR,
                                          LEVEL_ERROR, LEVEL_FATAL};

    if (number >= 10 && number < 70 && number % 5 == 0)
        return (enum level)(number / 10);
    return number >= 100 && number < 700 ? hundreds[number / 100 - 1]
                                         : LEVEL_UNSET;
}

static enum level level_of_number(enum field_kind field, uint64_t number)
{
    switch (field) {
    case FIELD_SYSLOG:
    case FIELD_JOURNALD:
        return number < 8 ? severity_of_syslog((int64_t)number) : LEVEL_UNSET;
    case FIELD_PYTHON: /* 10 is DEBUG */
        return number >= 10 && number < 60 ? (enum level)(number / 10 + 1)
                                           : LEVEL_UNSET;
    case FIELD_OTEL:
        return number >= 1 && number <= 24 ? (enum level)((number - 1) / 4 + 1)
                                           : LEVEL_UNSET;
    case FIELD_LEVEL:
        return level_of_logger(number);
    default:
        return LEVEL_UNSET;
    }
}

static void read_level(struct log_fields *fields, enum field_kind field,
                       struct slice text)
{
    uint64_t number;

    if (fields->level != LEVEL_UNSET || text.len == 0)
        return;
    if (field == FIELD_MONGO && (text.len > 2 || text.ptr[0] > 'Z'))
        return;
    if (!read_number(text, &number)) {
        fields->level = severity_of_word(text);
        return;
    }
    fields->level = level_of_number(field, number);
    if (field == FIELD_LEVEL && number < 8 && fields->small < 0)
        fields->small = (int8_t)number;
}

/* ---- one key and value ---- */

/* is_text: the value is a text of the record, not the decimals of a number. */
static void read_value(struct log_fields *fields, struct slice key,
                       const char *prefix, struct slice text, bool is_text)
{
    enum field_kind field;

    if (!*prefix && !log_key_may_be_known(key, fields->want_level))
        return;
    field = log_field_find(key, prefix);
    if (field == FIELD_NONE)
        return;
    if (field < FIELD_LEVEL) {
        if (fields->want_trace)
            read_context(fields, field, text);
    } else if (field < FIELD_MESSAGE) {
        if (fields->want_level &&
            (field != FIELD_JOURNALD || slice_equal(key, SLICE("PRIORITY"))))
            read_level(fields, field, text);
    } else if (fields->structured && is_text) {
        fields->gelf |= field == FIELD_GELF_MESSAGE;
        if (fields->message.len == 0)
            fields->message = text;
    }
}

/* The prefix for what is inside; NULL: no fields there. */
static const char *prefix_inside(const struct log_fields *fields,
                                 struct slice key, bool nested)
{
    return !nested && log_key_may_be_known(key, fields->want_level)
               ? log_object_prefix(key)
               : NULL;
}

/* ---- attributes and maps ---- */

static void read_number_value(struct log_fields *fields, struct slice key,
                              const char *prefix, int64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)number);

    read_value(fields, key, prefix, (struct slice){text, (size_t)len}, false);
}

/* A number that came through JSON may be a double. */
static bool is_small_integer(double d)
{
    return d >= 0 && d < 1000 && d == (double)(int)d;
}

static void read_attrs(struct log_fields *fields, const struct attr *at,
                       uint32_t count, const char *prefix, bool nested);

/* The fields inside a map, or inside the maps of an array. */
static void read_object(struct log_fields *fields, const struct attr *value,
                        const char *prefix)
{
    if (value->type == VALUE_MAP)
        read_attrs(fields, value->items, value->len, prefix, true);
    for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->len; i++)
        if (value->items[i].type == VALUE_MAP)
            read_object(fields, &value->items[i], prefix);
}

/* nested: these are the members of an object; objects in them are not read. */
static void read_attrs(struct log_fields *fields, const struct attr *at,
                       uint32_t count, const char *prefix, bool nested)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct attr *value = &at[i];
        struct slice key = attr_key(value);
        const char *inside;

        if (!*prefix && !log_key_may_be_known(key, fields->want_level))
            continue;
        if (value->type == VALUE_STRING) {
            read_value(fields, key, prefix, attr_text(value), true);
        } else if (value->type == VALUE_INT) {
            read_number_value(fields, key, prefix, value->i);
        } else if (value->type == VALUE_DOUBLE && is_small_integer(value->d)) {
            read_number_value(fields, key, prefix, (int64_t)value->d);
        } else if (value->type == VALUE_MAP || value->type == VALUE_ARRAY) {
            inside = prefix_inside(fields, key, nested);
            if (inside)
                read_object(fields, value, inside);
        }
    }
}

/* ---- JSON texts ---- */

static void read_json(struct log_fields *fields, struct slice text,
                      const char *prefix, bool nested)
{
    struct json_scan scan, array;
    struct json_member member, item;

    if (!json_scan_open(&scan, text, '{'))
        return;
    for (int i = 0; i < MAX_MEMBERS && json_scan_next(&scan, &member); i++) {
        const char *inside;

        fields->structured = true;
        if (member.kind != '{' && member.kind != '[') {
            read_value(fields, member.key, prefix, member.value,
                       member.kind == '"');
            continue;
        }
        inside = prefix_inside(fields, member.key, nested);
        if (inside && member.kind == '{')
            read_json(fields, member.value, inside, true);
        else if (inside && json_scan_open(&array, member.value, '['))
            for (int j = 0; j < MAX_MEMBERS && json_scan_next(&array, &item);
                 j++)
                if (item.kind == '{')
                    read_json(fields, item.value, inside, true);
    }
}

void log_fields_read(struct log_fields *fields, const struct log_record *log)
{
    const struct attr *body = &log->body;
    struct slice text = attr_text(body);

    *fields = (struct log_fields){.small = -1};
    fields->want_trace = id_is_zero(log->trace_id, sizeof(log->trace_id));
    fields->want_level = severity_declared(log) == LEVEL_UNSET;
    if (!fields->want_trace && !fields->want_level)
        return;
    log_field_names_init();
    read_attrs(fields, log->attrs.at, log->attrs.count, "", false);
    fields->want_level &= fields->level == LEVEL_UNSET;
    fields->want_trace &= id_is_zero(fields->trace_id, 16);
    if (!fields->want_trace && !fields->want_level)
        return;
    if (body->type == VALUE_MAP) {
        fields->structured = true;
        read_attrs(fields, body->items, body->len, "", false);
    } else if (text.len > 1 && (text.ptr[0] == '{' || text.ptr[0] == ' ')) {
        text.len = text.len < MAX_JSON ? text.len : MAX_JSON;
        read_json(fields, text, "", false);
    }
    if (fields->level == LEVEL_UNSET && fields->gelf && fields->small >= 0)
        fields->level = severity_of_syslog(fields->small);
}
