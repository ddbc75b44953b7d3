/*
 * A key is first looked up by its length, first and last byte in a small table,
 * which nearly every key that is none of ours fails; then it is folded and
 * compared. The first valid value of a field wins; attributes come before the
 * body.
 */
#include "log_fields.h"

#include <pthread.h>
#include <stdio.h>

#include "hex.h"
#include "json_scan.h"
#include "log_level.h"

enum field {
    FIELD_NONE,
    TRACE,       /* 32 or 16 hex digits */
    SPAN,        /* 16 hex digits */
    DD_TRACE,    /* Datadog: decimal of 64 bits, or hex of 128 */
    DD_SPAN,     /* decimal, or 16 hex digits */
    TRACEPARENT, /* W3C: 00-trace-span-flags */
    LEVEL,       /* a word; 10 to 60 (pino, bunyan); 100 to 600 (monolog) */
    SYSLOG,      /* a word; 0 to 7 */
    PYTHON,      /* 10 to 50 */
    OTEL,        /* a severity number */
    MONGO,       /* I, W, E, F, D1 to D5 */
    JOURNALD,    /* 0 to 7, under PRIORITY: in other spellings a plain word */
    MESSAGE,
    GELF_MESSAGE,
};

/* Names as fold_key() leaves them. */
static const struct {
    const char *name;
    enum field field;
} rows[] = {
    {"traceid", TRACE},
    {"oteltraceid", TRACE},
    {"trace", TRACE},
    {"@tr", TRACE},
    {"xb3traceid", TRACE},
    {"elasticapmtraceid", TRACE},
    {"xraytraceid", TRACE},
    {"logginggoogleapiscom/trace", TRACE},
    {"spanid", SPAN},
    {"span", SPAN},
    {"otelspanid", SPAN},
    {"@sp", SPAN},
    {"xb3spanid", SPAN},
    {"logginggoogleapiscom/spanid", SPAN},
    {"ddtraceid", DD_TRACE},
    {"ddspanid", DD_SPAN},
    {"traceparent", TRACEPARENT},
    {"level", LEVEL},
    {"lvl", LEVEL},
    {"severity", LEVEL},
    {"loglevel", LEVEL},
    {"levelname", LEVEL},
    {"severitytext", LEVEL},
    {"@l", LEVEL},
    {"@level", LEVEL}, /* hclog: Vault, Consul, Terraform */
    {"logseverity", LEVEL},
    {"detectedlevel", LEVEL},
    {"priority", JOURNALD},
    {"syslogseverity", SYSLOG},
    {"syslogseveritycode", SYSLOG},
    {"logsyslogseveritycode", SYSLOG},
    {"logsyslogseverityname", LEVEL},
    {"syslogseverityname", LEVEL},
    {"levelno", PYTHON},
    {"severitynumber", OTEL},
    {"s", MONGO},
    {"message", MESSAGE},
    {"msg", MESSAGE},
    {"log", MESSAGE},
    {"@m", MESSAGE},
    {"@message", MESSAGE},
    {"@mt", MESSAGE},
    {"event", MESSAGE},
    {"shortmessage", GELF_MESSAGE},
};

/* Objects in an object, or arrays of them, that have such fields inside, and
 * what stands before the folded names of these. */
static const struct {
    const char *name, *prefix;
} nests[] = {
    {"trace", "trace"}, {"span", "span"},   {"log", "log"},     {"dd", "dd"},
    {"ctx", ""},        {"context", ""},    {"contextmap", ""}, {"mdc", ""},
    {"fields", ""},     {"attributes", ""}, {"labels", ""},     {"extra", ""},
    {"properties", ""}, {"scopes", ""}, /* .NET's JSON console: an array */
};

enum {
    ROWS = sizeof(rows) / sizeof(*rows),
    NESTS = sizeof(nests) / sizeof(*nests),
    MAX_KEY = 32,       /* folded */
    MAX_SEPARATORS = 4, /* in a key */
    MAX_JSON = 8192,    /* bytes of a body that are looked at */
    MAX_MEMBERS = 128,
};

/* At the length of every key a bit for its ends is set: of those looked for
 * when only the trace is wanted, and of all. */
struct key_ends {
    uint64_t bits[MAX_KEY + MAX_SEPARATORS + 1];
};
static struct key_ends trace_ends, all_ends;
static uint64_t rows_of[MAX_KEY + 1]; /* bits of the rows of a length */
static pthread_once_t once = PTHREAD_ONCE_INIT;

_Static_assert(ROWS < 64, "rows are bits");

static uint64_t bit_of(char first, char last)
{
    return UINT64_C(1) << (((first & 31) ^ (last & 31) << 1) & 63);
}

static void add_ends(struct key_ends *ends, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = len; i <= len + MAX_SEPARATORS; i++)
        ends->bits[i] |= bit_of(name[0], name[len - 1]);
}

static void init(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        rows_of[strlen(rows[i].name)] |= UINT64_C(1) << i;
        if (rows[i].field < LEVEL)
            add_ends(&trace_ends, rows[i].name);
        add_ends(&all_ends, rows[i].name);
    }
    for (size_t i = 0; i < NESTS; i++) {
        add_ends(&trace_ends, nests[i].name);
        add_ends(&all_ends, nests[i].name);
    }
}

/* ---- keys ---- */

static bool is_separator(char c)
{
    return c == '.' || c == '_' || c == '-';
}

static bool may_be_known(const struct log_fields *fields, struct slice key)
{
    const struct key_ends *ends = fields->want_level ? &all_ends : &trace_ends;

    if (key.len == 0 || key.len > MAX_KEY + MAX_SEPARATORS)
        return false;
    return is_separator(key.ptr[0]) ||
           ends->bits[key.len] & bit_of(key.ptr[0], key.ptr[key.len - 1]);
}

/* Lower case, without '.', '_' and '-', behind the prefix; empty if it is too
 * long for any of ours. */
static struct slice fold_key(struct slice key, const char *prefix,
                             char folded[MAX_KEY])
{
    size_t len = strlen(prefix);

    memcpy(folded, prefix, len);
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];

        if (is_separator(c))
            continue;
        if (len == MAX_KEY)
            return (struct slice){NULL, 0};
        folded[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    return (struct slice){folded, len};
}

static enum field field_of(struct slice folded)
{
    uint64_t left = folded.len > 0 ? rows_of[folded.len] : 0;

    for (size_t i = 0; left >> i; i++)
        if (left >> i & 1 && bytes_equal(rows[i].name, folded.ptr, folded.len))
            return rows[i].field;
    return FIELD_NONE;
}

/* What stands before the names inside; NULL if the object is none of ours. */
static const char *prefix_of(const struct log_fields *fields, struct slice key)
{
    char folded[MAX_KEY];
    struct slice name;

    if (!may_be_known(fields, key))
        return NULL;
    name = fold_key(key, "", folded);
    for (size_t i = 0; i < NESTS; i++)
        if (slice_equal(slice_of(nests[i].name), name))
            return nests[i].prefix;
    return NULL;
}

/* ---- values ---- */

/* A whole number in decimal that fits. */
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

static void put_number(uint8_t *id, uint64_t number)
{
    for (int i = 7; i >= 0; i--, number >>= 8)
        id[i] = (uint8_t)number;
}

static void take_id(uint8_t *into, const uint8_t *id, size_t len)
{
    if (id_is_zero(into, len))
        memcpy(into, id, len);
}

/* Google Cloud: projects/P/traces/HEX; X-Ray: 1-8 digits-24 digits. */
static struct slice bare_trace_id(struct slice text, char joined[32])
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

static void see_trace(struct log_fields *fields, struct slice text)
{
    char joined[32];
    uint8_t id[16] = {0};

    text = bare_trace_id(text, joined);
    if (hex_bytes(text, id, 16) || hex_bytes(text, id + 8, 8))
        take_id(fields->trace_id, id, 16);
}

static void see_span(struct log_fields *fields, struct slice text)
{
    uint8_t id[8];

    if (hex_bytes(text, id, 8))
        take_id(fields->span_id, id, 8);
}

/* Of decimals the ids are the low 64 bits, as the Datadog receiver has it. */
static void see_datadog(struct log_fields *fields, enum field field,
                        struct slice text)
{
    uint8_t id[16] = {0};
    uint64_t number;

    if (!read_number(text, &number)) {
        if (field == DD_TRACE)
            see_trace(fields, text);
        else
            see_span(fields, text);
        return;
    }
    put_number(id + 8, number);
    if (field == DD_TRACE)
        take_id(fields->trace_id, id, 16);
    else
        take_id(fields->span_id, id + 8, 8);
}

static void see_traceparent(struct log_fields *fields, struct slice text)
{
    if (text.len < 55 || text.ptr[2] != '-' || text.ptr[35] != '-' ||
        text.ptr[52] != '-')
        return;
    see_trace(fields, (struct slice){text.ptr + 3, 32});
    see_span(fields, (struct slice){text.ptr + 36, 16});
}

static enum level level_of_number(enum field field, uint64_t number)
{
    static const enum level hundreds[] = {LEVEL_DEBUG, LEVEL_INFO,
                                          LEVEL_WARN,  LEVEL_ERROR,
                                          LEVEL_ERROR, LEVEL_FATAL};

    switch (field) {
    case SYSLOG:
    case JOURNALD:
        return number < 8 ? log_level_of_syslog((int64_t)number) : LEVEL_UNSET;
    case PYTHON: /* 10 is DEBUG */
        return number >= 10 && number < 60 ? (enum level)(number / 10 + 1)
                                           : LEVEL_UNSET;
    case OTEL:
        return number >= 1 && number <= 24 ? (enum level)((number - 1) / 4 + 1)
                                           : LEVEL_UNSET;
    case LEVEL:
        if (number >= 10 && number < 70 && number % 5 == 0)
            return (enum level)(number / 10);
        return number >= 100 && number < 700 ? hundreds[number / 100 - 1]
                                             : LEVEL_UNSET;
    default:
        return LEVEL_UNSET;
    }
}

static void see_level(struct log_fields *fields, enum field field,
                      struct slice text)
{
    uint64_t number;

    if (fields->level != LEVEL_UNSET || text.len == 0)
        return;
    if (field == MONGO && (text.len > 2 || text.ptr[0] > 'Z'))
        return;
    if (!read_number(text, &number)) {
        fields->level = log_level_of_word(text);
        return;
    }
    fields->level = level_of_number(field, number);
    if (field == LEVEL && number < 8 && fields->small < 0)
        fields->small = (int8_t)number;
}

/* ---- one key and value ---- */

static void see_context(struct log_fields *fields, enum field field,
                        struct slice text)
{
    switch (field) {
    case TRACE:
        see_trace(fields, text);
        break;
    case SPAN:
        see_span(fields, text);
        break;
    case TRACEPARENT:
        see_traceparent(fields, text);
        break;
    default:
        see_datadog(fields, field, text);
    }
}

/* quoted: the text is one of the record, and no number written for the call. */
static void see(struct log_fields *fields, struct slice key, const char *prefix,
                struct slice text, bool quoted)
{
    char folded[MAX_KEY];
    enum field field;

    if (!*prefix && !may_be_known(fields, key))
        return;
    field = field_of(fold_key(key, prefix, folded));
    if (field == FIELD_NONE)
        return;
    if (field < LEVEL) {
        if (fields->want_trace)
            see_context(fields, field, text);
    } else if (field < MESSAGE) {
        if (fields->want_level &&
            (field != JOURNALD || slice_equal(key, SLICE("PRIORITY"))))
            see_level(fields, field, text);
    } else if (fields->structured && quoted) {
        fields->gelf |= field == GELF_MESSAGE;
        if (fields->message.len == 0)
            fields->message = text;
    }
}

/* ---- attributes and maps ---- */

static void see_number(struct log_fields *fields, struct slice key,
                       const char *prefix, int64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)number);

    see(fields, key, prefix, (struct slice){text, (size_t)len}, false);
}

/* A number that came through JSON may be a double. */
static bool is_small_whole(double d)
{
    return d >= 0 && d < 1000 && d == (double)(int)d;
}

static void see_nested(struct log_fields *fields, const struct attr *value,
                       const char *prefix);

static void see_attrs(struct log_fields *fields, const struct attr *at,
                      uint32_t count, const char *prefix, bool nested)
{
    for (uint32_t i = 0; i < count; i++) {
        struct slice key = attr_key(&at[i]);

        if (!*prefix && !may_be_known(fields, key))
            continue;
        if (at[i].type == VALUE_STRING) {
            see(fields, key, prefix, attr_text(&at[i]), true);
        } else if (at[i].type == VALUE_INT) {
            see_number(fields, key, prefix, at[i].i);
        } else if (at[i].type == VALUE_DOUBLE && is_small_whole(at[i].d)) {
            see_number(fields, key, prefix, (int64_t)at[i].d);
        } else if ((at[i].type == VALUE_MAP || at[i].type == VALUE_ARRAY) &&
                   !nested) {
            const char *inside = prefix_of(fields, key);

            if (inside)
                see_nested(fields, &at[i], inside);
        }
    }
}

static void see_nested(struct log_fields *fields, const struct attr *value,
                       const char *prefix)
{
    if (value->type == VALUE_MAP) {
        see_attrs(fields, value->items, value->len, prefix, true);
        return;
    }
    for (uint32_t i = 0; i < value->len; i++)
        if (value->items[i].type == VALUE_MAP)
            see_attrs(fields, value->items[i].items, value->items[i].len,
                      prefix, true);
}

/* ---- JSON texts ---- */

static void see_json_array(struct log_fields *fields, struct slice text,
                           const char *prefix);

static void see_json(struct log_fields *fields, struct slice text,
                     const char *prefix, bool nested)
{
    struct json_scan scan;
    struct json_member member;

    if (!json_scan_open(&scan, text, '{'))
        return;
    for (int i = 0; i < MAX_MEMBERS && json_scan_next(&scan, &member); i++) {
        const char *inside;

        fields->structured = true;
        if (member.kind != '{' && member.kind != '[') {
            see(fields, member.key, prefix, member.value, member.kind == '"');
            continue;
        }
        inside = nested ? NULL : prefix_of(fields, member.key);
        if (inside && member.kind == '{')
            see_json(fields, member.value, inside, true);
        else if (inside)
            see_json_array(fields, member.value, inside);
    }
}

static void see_json_array(struct log_fields *fields, struct slice text,
                           const char *prefix)
{
    struct json_scan scan;
    struct json_member member;

    if (!json_scan_open(&scan, text, '['))
        return;
    for (int i = 0; i < MAX_MEMBERS && json_scan_next(&scan, &member); i++)
        if (member.kind == '{')
            see_json(fields, member.value, prefix, true);
}

void log_fields_read(struct log_fields *fields, const struct log_record *log)
{
    const struct attr *body = &log->body;
    struct slice text = attr_text(body);

    *fields = (struct log_fields){.small = -1};
    fields->want_trace = id_is_zero(log->trace_id, sizeof(log->trace_id));
    fields->want_level = log_level_declared(log) == LEVEL_UNSET;
    if (!fields->want_trace && !fields->want_level)
        return;
    pthread_once(&once, init);
    see_attrs(fields, log->attrs.at, log->attrs.count, "", false);
    if (fields->level != LEVEL_UNSET)
        fields->want_level = false;
    if (!id_is_zero(fields->trace_id, sizeof(fields->trace_id)))
        fields->want_trace = false;
    if (!fields->want_trace && !fields->want_level)
        return;
    if (body->type == VALUE_MAP) {
        fields->structured = true;
        see_attrs(fields, body->items, body->len, "", false);
    } else if (text.len > 1 && (text.ptr[0] == '{' || text.ptr[0] == ' ')) {
        text.len = text.len < MAX_JSON ? text.len : MAX_JSON;
        see_json(fields, text, "", false);
    }
    if (fields->level == LEVEL_UNSET && fields->gelf && fields->small >= 0)
        fields->level = log_level_of_syslog(fields->small);
}
