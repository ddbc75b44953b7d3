/*
 * loglevel - the severity class of a log record that may not declare one.
 *
 * What decides, first to last: the severity number; the severity text; a field
 * among the attributes or in a structured body (log_fields.h); the text.
 *
 * Threads  any.
 */
#ifndef LOG_LEVEL_H
#define LOG_LEVEL_H

#include "log_fields.h"
#include "record.h"

/* Of a word such as "warn", "Warning", "ERR", "SEVERE"; LEVEL_UNSET if it is no
 * name of a level. Digits behind it do not count (INFO2). */
enum level log_level_of_word(struct slice word);

/* Of a syslog severity, 0 to 7. */
enum level log_level_of_syslog(int64_t severity);

/* Where the level stands in a line of text; LEVEL_UNSET if nowhere. */
enum level log_level_of_text(struct slice line);

/* Of a severity number and text; LEVEL_UNSET if they do not tell. */
enum level log_level_declared(const struct log_record *log);

/* Never LEVEL_UNSET: a record without any sign of a level is INFO. */
enum level log_level_of(const struct log_record *log,
                        const struct log_fields *fields);

#endif
