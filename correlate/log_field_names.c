/*
 * The names of log fields. A key is first looked up by its length, first and
 * last byte (log_key_may_be_known), which nearly every other key fails; then it
 * is folded and compared. A new name is a row of the first table.
 */
#include <pthread.h>

#include "log_fields.h"

/* Folded: lower case, without separators. */
static const struct {
    const char *name;
    enum field_kind field;
} rows[] = {
    {"traceid", FIELD_TRACE},
    {"oteltraceid", FIELD_TRACE},
    {"trace", FIELD_TRACE},
    {"@tr", FIELD_TRACE},
    {"xb3traceid", FIELD_TRACE},
    {"elasticapmtraceid", FIELD_TRACE},
    {"xraytraceid", FIELD_TRACE},
    {"logginggoogleapiscom/trace", FIELD_TRACE},
    {"spanid", FIELD_SPAN},
    {"span", FIELD_SPAN},
    {"otelspanid", FIELD_SPAN},
    {"@sp", FIELD_SPAN},
    {"xb3spanid", FIELD_SPAN},
    {"logginggoogleapiscom/spanid", FIELD_SPAN},
    {"ddtraceid", FIELD_DATADOG_TRACE},
    {"ddspanid", FIELD_DATADOG_SPAN},
    {"traceparent", FIELD_TRACEPARENT},
    {"level", FIELD_LEVEL},
    {"lvl", FIELD_LEVEL},
    {"severity", FIELD_LEVEL},
    {"loglevel", FIELD_LEVEL},
    {"levelname", FIELD_LEVEL},
    {"severitytext", FIELD_LEVEL},
    {"@l", FIELD_LEVEL},
    {"@level", FIELD_LEVEL}, /* hclog: Vault, Consul, Terraform */
    {"logseverity", FIELD_LEVEL},
    {"detectedlevel", FIELD_LEVEL},
    {"priority", FIELD_JOURNALD},
    {"syslogseverity", FIELD_SYSLOG},
    {"syslogseveritycode", FIELD_SYSLOG},
    {"logsyslogseveritycode", FIELD_SYSLOG},
    {"logsyslogseverityname", FIELD_LEVEL},
    {"syslogseverityname", FIELD_LEVEL},
    {"levelno", FIELD_PYTHON},
    {"severitynumber", FIELD_OTEL},
    {"s", FIELD_MONGO},
    {"message", FIELD_MESSAGE},
    {"msg", FIELD_MESSAGE},
    {"log", FIELD_MESSAGE},
    {"@m", FIELD_MESSAGE},
    {"@message", FIELD_MESSAGE},
    {"@mt", FIELD_MESSAGE},
    {"event", FIELD_MESSAGE},
    {"shortmessage", FIELD_GELF_MESSAGE},
};

/* Objects, or arrays of objects, that contain such fields, and what is put
 * before the folded names of these. */
static const struct {
    const char *name, *prefix;
} objects[] = {
    {"trace", "trace"}, {"span", "span"},   {"log", "log"},     {"dd", "dd"},
    {"ctx", ""},        {"context", ""},    {"contextmap", ""}, {"mdc", ""},
    {"fields", ""},     {"attributes", ""}, {"labels", ""},     {"extra", ""},
    {"properties", ""}, {"scopes", ""}, /* .NET's JSON console: an array */
};

enum {
    ROWS = sizeof(rows) / sizeof(*rows),
    OBJECTS = sizeof(objects) / sizeof(*objects)
};

_Static_assert(ROWS < 64, "rows are bits");

struct log_key_ends log_trace_key_ends, log_all_key_ends;
static uint64_t rows_of[LOG_KEY_MAX + 1]; /* bits of the rows, by length */

static void add_ends(struct log_key_ends *ends, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = len; i <= len + LOG_KEY_SEPARATORS; i++)
        ends->bits[i] |= log_key_bit(name[0], name[len - 1]);
}

static void init(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        rows_of[strlen(rows[i].name)] |= UINT64_C(1) << i;
        if (rows[i].field < FIELD_LEVEL)
            add_ends(&log_trace_key_ends, rows[i].name);
        add_ends(&log_all_key_ends, rows[i].name);
    }
    for (size_t i = 0; i < OBJECTS; i++) {
        add_ends(&log_trace_key_ends, objects[i].name);
        add_ends(&log_all_key_ends, objects[i].name);
    }
}

void log_field_names_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init);
}

/* Prefix and key in lower case without separators; empty if they are longer
 * than any name. */
static struct slice fold_key(struct slice key, const char *prefix,
                             char folded[LOG_KEY_MAX])
{
    size_t len = strlen(prefix);

    memcpy(folded, prefix, len);
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];

        if (log_key_is_separator(c))
            continue;
        if (len == LOG_KEY_MAX)
            return (struct slice){NULL, 0};
        folded[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    return (struct slice){folded, len};
}

enum field_kind log_field_find(struct slice key, const char *prefix)
{
    char buffer[LOG_KEY_MAX];
    struct slice folded = fold_key(key, prefix, buffer);
    uint64_t left = folded.len > 0 ? rows_of[folded.len] : 0;

    for (size_t i = 0; left >> i; i++)
        if (left >> i & 1 && bytes_equal(rows[i].name, folded.ptr, folded.len))
            return rows[i].field;
    return FIELD_NONE;
}

const char *log_object_prefix(struct slice key)
{
    char folded[LOG_KEY_MAX];
    struct slice name = fold_key(key, "", folded);

    for (size_t i = 0; i < OBJECTS; i++)
        if (slice_equal(slice_of(objects[i].name), name))
            return objects[i].prefix;
    return NULL;
}
