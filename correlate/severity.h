/*
 * severity - the severity class of a log record that may not declare one.
 *
 * Sources by precedence: the severity number; the severity text; a field among
 * the attributes or in a structured body (log_fields.h); the text.
 *
 * severity.c       the words for levels, the level of a record
 * severity_line.c  the level in a line of text
 *
 * Threads: any.
 */
#ifndef SEVERITY_H
#define SEVERITY_H

#include "log_fields.h"
#include "record.h"

/* Never LEVEL_UNSET: a record without any sign of a level is INFO. */
enum level severity_of(const struct log_record *log,
                       const struct log_fields *fields);

/* By severity number and text; LEVEL_UNSET if they do not tell. */
enum level severity_declared(const struct log_record *log);

/* Of a word such as "warn", "Warning", "ERR", "SEVERE"; LEVEL_UNSET if it is no
 * name of a level. Digits at the end do not count (INFO2). */
enum level severity_of_word(struct slice word);

/* Of a syslog severity, 0 to 7. */
enum level severity_of_syslog(int64_t severity);

/* Of a line of text; LEVEL_UNSET if it has none. */
enum level severity_of_line(struct slice line);

/* ---- between the files of severity ---- */

enum { SEVERITY_MAX_TEXT = 256 /* bytes of a line that are read */ };

/* Where in a line a bare word is a level. Each includes the ones before it. */
enum level_place {
    PLACE_NEVER,    /* only as the value of a field */
    PLACE_MARKED,   /* in brackets, between bars or tabs; at the start before a
                       colon */
    PLACE_PREFIXED, /* at the start, after a timestamp or the like */
    PLACE_START,    /* at the start */
    PLACE_ANY
};

struct level_word {
    const char *words; /* with one space between */
    uint8_t level;
    uint8_t capitals, small; /* enum level_place, by how it is written */
};

/* NULL if the word is no level. */
const struct level_word *severity_find_word(struct slice word);

/* The head of the line without the escape sequences of terminals, which may
 * also be written as in JSON. Uses `plain` if there are any. */
struct slice severity_strip_ansi(struct slice line,
                                 char plain[SEVERITY_MAX_TEXT]);

static inline bool severity_is_letter(char c)
{
    return (unsigned char)((c | 32) - 'a') < 26;
}

/* Compares without case; lower: the word in lower case. */
static inline bool severity_same_word(struct slice word, struct slice lower)
{
    if (word.len != lower.len)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if ((word.ptr[i] | 32) != lower.ptr[i])
            return false;
    return true;
}

/* True if the word is in a list with one space between words. */
static inline bool severity_is_one_of(struct slice word, struct slice list)
{
    while (list.len > 0)
        if (severity_same_word(word, slice_split(&list, ' ')))
            return true;
    return false;
}

#endif
