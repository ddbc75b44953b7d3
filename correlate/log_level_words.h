/*
 * loglevel_int - what log_level.c and log_level_text.c share.
 */
#ifndef LOG_LEVEL_WORDS_H
#define LOG_LEVEL_WORDS_H

#include "log_level.h"

enum { LOG_LEVEL_MAX_TEXT = 256 /* bytes of a line that are looked at */ };

/* Where a bare word counts. Each includes the ones before it. */
enum level_place {
    LEVEL_NEVER,  /* only as the value of a field */
    LEVEL_MARKED, /* in brackets, between bars or tabs; in front and before a
                     colon */
    LEVEL_AFTER,  /* in front, behind a timestamp or the like */
    LEVEL_FRONT,  /* in front */
    LEVEL_ANY
};

struct level_word {
    const char *word;
    uint8_t level, capitals, small; /* where it counts if written so */
};

/* NULL if it is none. */
const struct level_word *log_level_word_find(struct slice word);

/* The head of the line without the control sequences of terminals, which may
 * also be written as in JSON; in `plain` if there are any. */
struct slice log_level_strip_ansi(struct slice line,
                                  char plain[LOG_LEVEL_MAX_TEXT]);

static inline bool level_is_letter(char c)
{
    return (unsigned char)((c | 32) - 'a') < 26;
}

/* small: lower case. */
static inline bool level_same(struct slice word, const char *small)
{
    for (size_t i = 0; i < word.len; i++)
        if ((word.ptr[i] | 32) != small[i])
            return false;
    return small[word.len] == '\0';
}

#endif
