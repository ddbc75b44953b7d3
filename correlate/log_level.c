/*
 * The words for levels. Where they count in a line of text: log_level_text.c.
 */
#include "log_level_words.h"

#include <pthread.h>

enum { LONGEST = 13 };

#define AFTER  LEVEL_AFTER
#define ANY    LEVEL_ANY
#define FRONT  LEVEL_FRONT
#define MARKED LEVEL_MARKED
#define NEVER  LEVEL_NEVER

static const struct level_word words[] = {
    {"alert", LEVEL_ERROR, FRONT, AFTER},
    {"c", LEVEL_ERROR, NEVER, NEVER},
    {"config", LEVEL_DEBUG, FRONT, NEVER},
    {"context", LEVEL_INFO, MARKED, NEVER},
    {"crit", LEVEL_ERROR, ANY, AFTER},
    {"critical", LEVEL_ERROR, ANY, AFTER},
    {"d", LEVEL_DEBUG, NEVER, NEVER},
    {"dbg", LEVEL_DEBUG, FRONT, MARKED},
    {"dbug", LEVEL_DEBUG, FRONT, MARKED},
    {"debu", LEVEL_DEBUG, FRONT, NEVER},
    {"debug", LEVEL_DEBUG, ANY, AFTER},
    {"detail", LEVEL_INFO, MARKED, NEVER},
    {"dpanic", LEVEL_FATAL, FRONT, AFTER},
    {"e", LEVEL_ERROR, NEVER, NEVER},
    {"emerg", LEVEL_FATAL, FRONT, AFTER},
    {"emergency", LEVEL_FATAL, FRONT, AFTER},
    {"eror", LEVEL_ERROR, FRONT, MARKED}, /* log15 */
    {"err", LEVEL_ERROR, ANY, MARKED},
    {"erro", LEVEL_ERROR, FRONT, NEVER},
    {"error", LEVEL_ERROR, ANY, FRONT},
    {"f", LEVEL_FATAL, NEVER, NEVER},
    {"fail", LEVEL_ERROR, MARKED, MARKED},
    {"fata", LEVEL_FATAL, FRONT, NEVER},
    {"fatal", LEVEL_FATAL, ANY, FRONT},
    {"fine", LEVEL_DEBUG, FRONT, NEVER},
    {"finer", LEVEL_DEBUG, FRONT, NEVER},
    {"finest", LEVEL_TRACE, FRONT, NEVER},
    {"ftl", LEVEL_FATAL, FRONT, MARKED},
    {"hint", LEVEL_INFO, MARKED, NEVER},
    {"http", LEVEL_DEBUG, NEVER, NEVER}, /* winston: less than info */
    {"i", LEVEL_INFO, NEVER, NEVER},
    {"inf", LEVEL_INFO, FRONT, MARKED},
    {"info", LEVEL_INFO, ANY, AFTER},
    {"information", LEVEL_INFO, FRONT, MARKED},
    {"informational", LEVEL_INFO, FRONT, MARKED},
    {"log", LEVEL_INFO, MARKED, NEVER}, /* PostgreSQL */
    {"n", LEVEL_INFO, NEVER, NEVER},
    {"normal", LEVEL_INFO, NEVER, NEVER}, /* Kubernetes */
    {"note", LEVEL_INFO, MARKED, MARKED}, /* MySQL */
    {"notice", LEVEL_INFO, ANY, AFTER},
    {"pani", LEVEL_FATAL, FRONT, NEVER},
    {"panic", LEVEL_FATAL, FRONT, AFTER},
    {"pnc", LEVEL_FATAL, FRONT, MARKED},
    {"severe", LEVEL_ERROR, ANY, AFTER},
    {"silly", LEVEL_TRACE, NEVER, MARKED}, /* winston */
    {"statement", LEVEL_INFO, MARKED, NEVER},
    {"success", LEVEL_INFO, FRONT, MARKED},
    {"t", LEVEL_TRACE, NEVER, NEVER},
    {"trac", LEVEL_TRACE, FRONT, NEVER},
    {"trace", LEVEL_TRACE, ANY, AFTER},
    {"trc", LEVEL_TRACE, FRONT, MARKED},
    {"trce", LEVEL_TRACE, FRONT, MARKED},
    {"v", LEVEL_DEBUG, NEVER, NEVER},
    {"vrb", LEVEL_DEBUG, FRONT, MARKED},
    {"verbose", LEVEL_DEBUG, FRONT, AFTER},
    {"w", LEVEL_WARN, NEVER, NEVER},
    {"warn", LEVEL_WARN, ANY, FRONT},
    {"warning", LEVEL_WARN, ANY, FRONT},
    {"wrn", LEVEL_WARN, FRONT, MARKED},
};

enum { WORD_COUNT = sizeof(words) / sizeof(*words) };

/* Bit n of a letter: a word of n letters begins with it; and the first word
 * that does. */
static uint16_t lengths[26];
static uint8_t starts[26];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    for (size_t i = WORD_COUNT; i-- > 0;) {
        lengths[words[i].word[0] - 'a'] |=
            (uint16_t)(1U << strlen(words[i].word));
        starts[words[i].word[0] - 'a'] = (uint8_t)i;
    }
}

const struct level_word *log_level_word_find(struct slice word)
{
    unsigned letter;

    if (word.len == 0 || word.len > LONGEST)
        return NULL;
    pthread_once(&once, init);
    letter = (unsigned)((word.ptr[0] | 32) - 'a');
    if (letter >= 26 || !(lengths[letter] >> word.len & 1))
        return NULL;
    for (size_t i = starts[letter];
         i < WORD_COUNT && words[i].word[0] == (word.ptr[0] | 32); i++)
        if (level_same(word, words[i].word))
            return &words[i];
    return NULL;
}

enum level log_level_of_syslog(int64_t severity)
{
    static const enum level levels[] = {LEVEL_FATAL, LEVEL_ERROR, LEVEL_ERROR,
                                        LEVEL_ERROR, LEVEL_WARN,  LEVEL_INFO,
                                        LEVEL_INFO,  LEVEL_DEBUG};

    return severity >= 0 && severity < 8 ? levels[severity] : LEVEL_UNSET;
}

/* ---- colours ---- */

/* Behind the terminal's control sequence at p, whose ESC was passed. */
static const char *skip_sequence(const char *p, const char *end)
{
    if (p < end && *p == '[') { /* up to a letter */
        for (p++; p < end && !((unsigned char)*p >= 0x40 && *p <= 0x7e); p++)
            ;
        return p < end ? p + 1 : end;
    }
    return p < end ? p + 1 : end;
}

/* The head of the line without control sequences, also where ESC is written as
 * in JSON; in `plain`, if there are any. */
struct slice log_level_strip_ansi(struct slice line,
                                  char plain[LOG_LEVEL_MAX_TEXT])
{
    const char *p = line.ptr, *end = line.ptr + line.len;
    size_t len = 0;

    if (line.len == 0 ||
        (!memchr(p, '\033',
                 line.len < LOG_LEVEL_MAX_TEXT ? line.len
                                               : LOG_LEVEL_MAX_TEXT) &&
         !memchr(p, '\\',
                 line.len < LOG_LEVEL_MAX_TEXT ? line.len
                                               : LOG_LEVEL_MAX_TEXT)))
        return (struct slice){
            p, line.len < LOG_LEVEL_MAX_TEXT ? line.len : LOG_LEVEL_MAX_TEXT};
    while (p < end && len < LOG_LEVEL_MAX_TEXT) {
        size_t left = (size_t)(end - p);

        if (*p == '\033')
            p = skip_sequence(p + 1, end);
        else if (left >= 6 &&
                 (memcmp(p, "\\u001b", 6) == 0 || memcmp(p, "\\u001B", 6) == 0))
            p = skip_sequence(p + 6, end);
        else if (left >= 4 && memcmp(p, "\\x1b", 4) == 0)
            p = skip_sequence(p + 4, end);
        else
            plain[len++] = *p++;
    }
    return (struct slice){plain, len};
}

enum level log_level_of_word(struct slice word)
{
    char plain[LOG_LEVEL_MAX_TEXT];
    const struct level_word *found;

    if (word.len == 0)
        return LEVEL_UNSET;
    word = log_level_strip_ansi(word, plain);
    while (word.len > 0 && !level_is_letter(word.ptr[word.len - 1]))
        word.len--; /* INFO2 */
    while (word.len > 0 && !level_is_letter(word.ptr[0]))
        word = slice_from(word, 1);
    for (size_t i = word.len; i-- > 0;)
        if (word.ptr[i] == '.') { /* LogLevel.Error */
            word = slice_from(word, i + 1);
            break;
        }
    found = log_level_word_find(word);
    return found ? (enum level)found->level : LEVEL_UNSET;
}

/* ---- a record ---- */

enum level log_level_declared(const struct log_record *log)
{
    if (log->severity >= 1 && log->severity <= 24)
        return (enum level)((log->severity - 1) / 4 + 1);
    return log->severity_text.len > 0 ? log_level_of_word(log->severity_text)
                                      : LEVEL_UNSET;
}

enum level log_level_of(const struct log_record *log,
                        const struct log_fields *fields)
{
    enum level level = log_level_declared(log);

    if (level == LEVEL_UNSET)
        level = fields->level;
    if (level == LEVEL_UNSET && fields->structured)
        level = log_level_of_text(fields->message);
    else if (level == LEVEL_UNSET && log->body.type == VALUE_STRING)
        level = log_level_of_text(attr_text(&log->body));
    return level == LEVEL_UNSET ? LEVEL_INFO : level;
}
