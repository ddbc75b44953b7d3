/*
 * log - one line per event to stderr, logfmt.
 *
 *   log_warn("store", "disk full, refusing new data", "path=%s", path)
 *
 * error: somebody must act. warn: degraded, goes on. info: start, stop,
 * configuration. debug: off. What may happen per record is counted (stats.h),
 * not logged. Threads: any; a line is written at once.
 */
#ifndef LOG_H
#define LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);

/* msg is a short fixed text; format adds pairs, "key=%s other=%u", or is NULL.
 * One space between pairs, none inside; a value is quoted here if needed. */
void log_event(enum log_level level, const char *part, const char *msg,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

#define log_error(part, msg, ...) log_event(LOG_ERROR, part, msg, __VA_ARGS__)
#define log_warn(part, msg, ...)  log_event(LOG_WARN, part, msg, __VA_ARGS__)
#define log_info(part, msg, ...)  log_event(LOG_INFO, part, msg, __VA_ARGS__)
#define log_debug(part, msg, ...) log_event(LOG_DEBUG, part, msg, __VA_ARGS__)

#endif
