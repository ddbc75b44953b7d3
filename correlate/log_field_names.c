/*
 * The names of log fields. A key is first looked up by its length, first and
 * last byte (log_key_may_be_known), which nearly every other key fails; then it
 * is folded and compared. A new name goes into the first table.
 */
#include <assert.h>
#include <pthread.h>

#include "ascii.h"
#include "log_fields.h"

/* Folded: lower case, without separators. @level: hclog of Vault, Consul. */
static const struct {
    enum field_kind field;
    const char *names;
} fields[] = {
    {FIELD_TRACE, "traceid oteltraceid trace @tr xb3traceid elasticapmtraceid "
                  "xraytraceid logginggoogleapiscom/trace"},
    {FIELD_SPAN,
     "spanid span otelspanid @sp xb3spanid logginggoogleapiscom/spanid"},
    {FIELD_DATADOG_TRACE, "ddtraceid"},
    {FIELD_DATADOG_SPAN, "ddspanid"},
    {FIELD_TRACEPARENT, "traceparent"},
    {FIELD_LEVEL,
     "level lvl severity loglevel levelname severitytext @l @level "
     "logseverity detectedlevel logsyslogseverityname "
     "syslogseverityname"},
    {FIELD_JOURNALD, "priority"},
    {FIELD_SYSLOG, "syslogseverity syslogseveritycode logsyslogseveritycode"},
    {FIELD_PYTHON, "levelno"},
    {FIELD_OTEL, "severitynumber"},
    {FIELD_MONGO, "s"},
    {FIELD_MESSAGE, "message msg log @m @message @mt event"},
    {FIELD_GELF_MESSAGE, "shortmessage"},
};

/* Objects, or arrays of objects, that contain such fields, and what is put
 * before the folded names of these. */
static const struct {
    const char *prefix, *names;
} objects[] = {
    {"trace", "trace"},
    {"span", "span"},
    {"log", "log"},
    {"dd", "dd"},
    {"", "ctx context contextmap mdc fields attributes labels extra properties "
         "scopes"}, /* scopes: an array, of .NET's JSON console */
};

enum { MAX_NAMES = 64, OBJECTS = sizeof(objects) / sizeof(*objects) };

struct log_key_ends log_trace_key_ends, log_all_key_ends;
static struct log_name {
    struct slice text;
    enum field_kind field;
} names[MAX_NAMES];
static size_t name_count;
static uint64_t names_of[LOG_KEY_MAX + 1]; /* bits of the names, by length */

static void add_ends(struct log_key_ends *ends, struct slice name)
{
    assert(name.len > 0 && name.len <= LOG_KEY_MAX);
    for (size_t i = name.len; i <= name.len + LOG_KEY_SEPARATORS; i++)
        ends->bits[i] |= log_key_bit(name.ptr[0], name.ptr[name.len - 1]);
}

static void add_name(struct slice name, enum field_kind field)
{
    add_ends(&log_all_key_ends, name);
    if (field < FIELD_LEVEL)
        add_ends(&log_trace_key_ends, name);
    assert(name_count < MAX_NAMES);
    names_of[name.len] |= UINT64_C(1) << name_count;
    names[name_count++] = (struct log_name){name, field};
}

static void init(void)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        struct slice list = slice_of(fields[i].names);

        while (list.len > 0)
            add_name(slice_split(&list, ' '), fields[i].field);
    }
    for (size_t i = 0; i < OBJECTS; i++) {
        struct slice list = slice_of(objects[i].names);

        while (list.len > 0) {
            struct slice name = slice_split(&list, ' ');

            add_ends(&log_trace_key_ends, name);
            add_ends(&log_all_key_ends, name);
        }
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
        folded[len++] = to_lower(c);
    }
    return (struct slice){folded, len};
}

enum field_kind log_field_find(struct slice key, const char *prefix)
{
    char buffer[LOG_KEY_MAX];
    struct slice folded = fold_key(key, prefix, buffer);
    uint64_t left = folded.len > 0 ? names_of[folded.len] : 0;

    for (size_t i = 0; left >> i; i++)
        if (left >> i & 1 &&
            bytes_equal(names[i].text.ptr, folded.ptr, folded.len))
            return names[i].field;
    return FIELD_NONE;
}

const char *log_object_prefix(struct slice key)
{
    char folded[LOG_KEY_MAX];
    struct slice name = fold_key(key, "", folded);

    for (size_t i = 0; i < OBJECTS; i++)
        for (struct slice list = slice_of(objects[i].names); list.len > 0;)
            if (slice_equal(slice_split(&list, ' '), name))
                return objects[i].prefix;
    return NULL;
}
