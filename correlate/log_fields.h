/*
 * log_fields - level and trace context among the attributes of a log record and
 * in a structured body: a map, or a text that is a JSON object.
 *
 * Loggers and shippers use many names for these fields: trace_id, traceId,
 * TraceId, otelTraceID, trace.id, dd.trace_id, @tr ... Names are compared
 * without case and without '.', '_' and '-'.
 *
 * log_fields.c       attributes, maps and JSON; the values
 * log_field_names.c  the names
 *
 * Threads: any.
 */
#ifndef LOG_FIELDS_H
#define LOG_FIELDS_H

#include "record.h"

struct log_fields {
    uint8_t trace_id[16], span_id[8]; /* all zero: not found */
    enum level level;                 /* LEVEL_UNSET: not found */
    struct slice message; /* of a structured body; empty: not found */
    bool structured;      /* the body is a map or a JSON object */

    /* While reading. */
    bool want_trace, want_level, gelf;
    int8_t small; /* a level from 0 to 7, valid only in GELF; -1: none */
};

/* Finds what the record does not say itself; most records need nothing. */
void log_fields_read(struct log_fields *fields, const struct log_record *log);

/* ---- log_field_names.c ---- */

enum field_kind {
    FIELD_NONE,
    FIELD_TRACE,         /* 32 or 16 hex digits */
    FIELD_SPAN,          /* 16 hex digits */
    FIELD_DATADOG_TRACE, /* decimal of 64 bits, or hex of 128 */
    FIELD_DATADOG_SPAN,  /* decimal, or 16 hex digits */
    FIELD_TRACEPARENT,   /* W3C: 00-trace-span-flags */
    FIELD_LEVEL,         /* a word; 10 to 60 (pino); 100 to 600 (Monolog) */
    FIELD_SYSLOG,        /* a word; 0 to 7 */
    FIELD_PYTHON,        /* 10 to 50 */
    FIELD_OTEL,          /* a severity number */
    FIELD_MONGO,         /* I, W, E, F, D1 to D5 */
    FIELD_JOURNALD,      /* 0 to 7 in PRIORITY; in other spellings a word */
    FIELD_MESSAGE,
    FIELD_GELF_MESSAGE
};

enum { LOG_KEY_MAX = 32 /* without separators */, LOG_KEY_SEPARATORS = 4 };

/* For each length of a key, the possible pairs of first and last byte; of the
 * fields for the trace, and of all. */
struct log_key_ends {
    uint64_t bits[LOG_KEY_MAX + LOG_KEY_SEPARATORS + 1];
};
extern struct log_key_ends log_trace_key_ends, log_all_key_ends;

/* Before the functions below; any thread. */
void log_field_names_init(void);

static inline bool log_key_is_separator(char c)
{
    return c == '.' || c == '_' || c == '-';
}

static inline uint64_t log_key_bit(char first, char last)
{
    return UINT64_C(1) << (((first & 31) ^ (last & 31) << 1) & 63);
}

/* False for nearly all keys that are not in the tables. */
static inline bool log_key_may_be_known(struct slice key, bool all)
{
    const struct log_key_ends *ends =
        all ? &log_all_key_ends : &log_trace_key_ends;

    if (key.len == 0 || key.len > LOG_KEY_MAX + LOG_KEY_SEPARATORS)
        return false;
    return log_key_is_separator(key.ptr[0]) ||
           ends->bits[key.len] & log_key_bit(key.ptr[0], key.ptr[key.len - 1]);
}

/* The field of a key; prefix: what the object around it adds to its name. */
enum field_kind log_field_find(struct slice key, const char *prefix);

/* The prefix for the keys in an object with this key; NULL if the object is not
 * known to contain fields. */
const char *log_object_prefix(struct slice key);

#endif
