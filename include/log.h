/*
 * log - one line per event to stderr, in logfmt.
 *
 *   log_warn("store", "disk full, rejecting new data",
 *            log_text("path", path), log_uint("free_bytes", free));
 *
 *   level=warn module=store msg="disk full, rejecting new data" path=/data
 *   free_bytes=0
 *
 * Purpose:   messages for the operator. error: action is needed. warn: degraded
 *            but running. info: start, stop, configuration. debug: off by
 *            default. What can happen per record is counted (stats.h) instead.
 * Ownership: nothing is kept; keys and values are read during the call.
 * Threads:   any; each line is one write(2).
 * Errors:    none; a line that cannot be written is lost, one that is too long
 *            is cut.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum log_type { LOG_TYPE_TEXT, LOG_TYPE_INT, LOG_TYPE_UINT, LOG_TYPE_HEX };

struct log_field {
    const char *key; /* a literal; NULL: no field */
    enum log_type type;
    union {
        struct slice text;
        int64_t i;
        uint64_t u;
    };
};

/* For a message without fields. */
#define LOG_NONE ((struct log_field){.key = NULL})

static inline struct log_field log_slice(const char *key, struct slice value)
{
    return (struct log_field){key, LOG_TYPE_TEXT, {.text = value}};
}

static inline struct log_field log_text(const char *key, const char *value)
{
    return log_slice(key, slice_of(value));
}

static inline struct log_field log_int(const char *key, int64_t value)
{
    return (struct log_field){key, LOG_TYPE_INT, {.i = value}};
}

static inline struct log_field log_uint(const char *key, uint64_t value)
{
    return (struct log_field){key, LOG_TYPE_UINT, {.u = value}};
}

/* 16 hexadecimal digits. */
static inline struct log_field log_hex(const char *key, uint64_t value)
{
    return (struct log_field){key, LOG_TYPE_HEX, {.u = value}};
}

void log_set_level(enum log_level level);

/* In any case; `warning` is warn. False if it is not the name of a level. */
bool log_parse_level(const char *name, enum log_level *level);

/* msg is a short constant text; values are quoted and escaped as needed. */
void log_event(enum log_level level, const char *module, const char *msg,
               const struct log_field *fields, size_t count);

#define LOG_EVENT(level, module, msg, ...)                                 \
    log_event(level, module, msg, (const struct log_field[]){__VA_ARGS__}, \
              sizeof((const struct log_field[]){__VA_ARGS__}) /            \
                  sizeof(struct log_field))
#define log_error(module, msg, ...) \
    LOG_EVENT(LOG_ERROR, module, msg, __VA_ARGS__)
#define log_warn(module, msg, ...) LOG_EVENT(LOG_WARN, module, msg, __VA_ARGS__)
#define log_info(module, msg, ...) LOG_EVENT(LOG_INFO, module, msg, __VA_ARGS__)
#define log_debug(module, msg, ...) \
    LOG_EVENT(LOG_DEBUG, module, msg, __VA_ARGS__)

#endif
