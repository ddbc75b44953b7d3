/*
 * The words for levels, and the level of a record. A new word is a row of the
 * table; the two places say where in a line the word counts if it is written in
 * capitals or in lower case.
 */
#include "severity.h"

#include <pthread.h>

enum { LONGEST = 13 };

#define PREFIXED PLACE_PREFIXED
#define ANY      PLACE_ANY
#define START    PLACE_START
#define MARKED   PLACE_MARKED
#define NEVER    PLACE_NEVER

static const struct level_word words[] = {
    {"alert", LEVEL_ERROR, START, PREFIXED},
    {"c", LEVEL_ERROR, NEVER, NEVER},
    {"config", LEVEL_DEBUG, START, NEVER},
    {"context", LEVEL_INFO, MARKED, NEVER},
    {"crit", LEVEL_ERROR, ANY, PREFIXED},
    {"critical", LEVEL_ERROR, ANY, PREFIXED},
    {"d", LEVEL_DEBUG, NEVER, NEVER},
    {"dbg", LEVEL_DEBUG, START, MARKED},
    {"dbug", LEVEL_DEBUG, START, MARKED},
    {"debu", LEVEL_DEBUG, START, NEVER},
    {"debug", LEVEL_DEBUG, ANY, PREFIXED},
    {"detail", LEVEL_INFO, MARKED, NEVER},
    {"dpanic", LEVEL_FATAL, START, PREFIXED},
    {"e", LEVEL_ERROR, NEVER, NEVER},
    {"emerg", LEVEL_FATAL, START, PREFIXED},
    {"emergency", LEVEL_FATAL, START, PREFIXED},
    {"eror", LEVEL_ERROR, START, MARKED}, /* log15 */
    {"err", LEVEL_ERROR, ANY, MARKED},
    {"erro", LEVEL_ERROR, START, NEVER},
    {"error", LEVEL_ERROR, ANY, START},
    {"f", LEVEL_FATAL, NEVER, NEVER},
    {"fail", LEVEL_ERROR, MARKED, MARKED},
    {"fata", LEVEL_FATAL, START, NEVER},
    {"fatal", LEVEL_FATAL, ANY, START},
    {"fine", LEVEL_DEBUG, START, NEVER},
    {"finer", LEVEL_DEBUG, START, NEVER},
    {"finest", LEVEL_TRACE, START, NEVER},
    {"ftl", LEVEL_FATAL, START, MARKED},
    {"hint", LEVEL_INFO, MARKED, NEVER},
    {"http", LEVEL_DEBUG, NEVER, NEVER}, /* winston: less than info */
    {"i", LEVEL_INFO, NEVER, NEVER},
    {"inf", LEVEL_INFO, START, MARKED},
    {"info", LEVEL_INFO, ANY, PREFIXED},
    {"information", LEVEL_INFO, START, MARKED},
    {"informational", LEVEL_INFO, START, MARKED},
    {"log", LEVEL_INFO, MARKED, NEVER}, /* PostgreSQL */
    {"n", LEVEL_INFO, NEVER, NEVER},
    {"normal", LEVEL_INFO, NEVER, NEVER}, /* Kubernetes */
    {"note", LEVEL_INFO, MARKED, MARKED}, /* MySQL */
    {"notice", LEVEL_INFO, ANY, PREFIXED},
    {"pani", LEVEL_FATAL, START, NEVER},
    {"panic", LEVEL_FATAL, START, PREFIXED},
    {"pnc", LEVEL_FATAL, START, MARKED},
    {"severe", LEVEL_ERROR, ANY, PREFIXED},
    {"silly", LEVEL_TRACE, NEVER, MARKED}, /* winston */
    {"statement", LEVEL_INFO, MARKED, NEVER},
    {"success", LEVEL_INFO, START, MARKED},
    {"t", LEVEL_TRACE, NEVER, NEVER},
    {"trac", LEVEL_TRACE, START, NEVER},
    {"trace", LEVEL_TRACE, ANY, PREFIXED},
    {"trc", LEVEL_TRACE, START, MARKED},
    {"trce", LEVEL_TRACE, START, MARKED},
    {"v", LEVEL_DEBUG, NEVER, NEVER},
    {"vrb", LEVEL_DEBUG, START, MARKED},
    {"verbose", LEVEL_DEBUG, START, PREFIXED},
    {"w", LEVEL_WARN, NEVER, NEVER},
    {"warn", LEVEL_WARN, ANY, START},
    {"warning", LEVEL_WARN, ANY, START},
    {"wrn", LEVEL_WARN, START, MARKED},
};

enum { WORD_COUNT = sizeof(words) / sizeof(*words) };

/* By first letter: bit n if a word of n letters begins with it, and the first
 * of these words. */
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

const struct level_word *severity_find_word(struct slice word)
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
        if (severity_same_word(word, words[i].word))
            return &words[i];
    return NULL;
}

enum level severity_of_syslog(int64_t severity)
{
    static const enum level levels[] = {LEVEL_FATAL, LEVEL_ERROR, LEVEL_ERROR,
                                        LEVEL_ERROR, LEVEL_WARN,  LEVEL_INFO,
                                        LEVEL_INFO,  LEVEL_DEBUG};

    return severity >= 0 && severity < 8 ? levels[severity] : LEVEL_UNSET;
}

/* ---- escape sequences ---- */

/* The end of an escape sequence; p: after its ESC. */
static const char *skip_sequence(const char *p, const char *end)
{
    if (p < end && *p == '[') { /* up to a letter */
        for (p++; p < end && !((unsigned char)*p >= 0x40 && *p <= 0x7e); p++)
            ;
        return p < end ? p + 1 : end;
    }
    return p < end ? p + 1 : end;
}

/* The length of an ESC, also of one written as in JSON; 0 if there is none. */
static size_t escape_len(const char *p, size_t left)
{
    if (*p == '\033')
        return 1;
    if (left >= 6 &&
        (memcmp(p, "\\u001b", 6) == 0 || memcmp(p, "\\u001B", 6) == 0))
        return 6;
    return left >= 4 && memcmp(p, "\\x1b", 4) == 0 ? 4 : 0;
}

struct slice severity_strip_ansi(struct slice line,
                                 char plain[SEVERITY_MAX_TEXT])
{
    const char *p = line.ptr, *end = line.ptr + line.len;
    struct slice head = line;
    size_t len = 0;

    if (head.len > SEVERITY_MAX_TEXT)
        head.len = SEVERITY_MAX_TEXT;
    if (head.len == 0 ||
        (!memchr(p, '\033', head.len) && !memchr(p, '\\', head.len)))
        return head;
    while (p < end && len < SEVERITY_MAX_TEXT) {
        size_t escape = escape_len(p, (size_t)(end - p));

        if (escape > 0)
            p = skip_sequence(p + escape, end);
        else
            plain[len++] = *p++;
    }
    return (struct slice){plain, len};
}

enum level severity_of_word(struct slice word)
{
    char plain[SEVERITY_MAX_TEXT];
    const struct level_word *found;

    if (word.len == 0)
        return LEVEL_UNSET;
    word = severity_strip_ansi(word, plain);
    while (word.len > 0 && !severity_is_letter(word.ptr[word.len - 1]))
        word.len--; /* INFO2 */
    while (word.len > 0 && !severity_is_letter(word.ptr[0]))
        word = slice_from(word, 1);
    for (size_t i = word.len; i-- > 0;)
        if (word.ptr[i] == '.') { /* LogLevel.Error */
            word = slice_from(word, i + 1);
            break;
        }
    found = severity_find_word(word);
    return found ? (enum level)found->level : LEVEL_UNSET;
}

/* ---- a record ---- */

enum level severity_declared(const struct log_record *log)
{
    if (log->severity >= 1 && log->severity <= 24)
        return (enum level)((log->severity - 1) / 4 + 1);
    return log->severity_text.len > 0 ? severity_of_word(log->severity_text)
                                      : LEVEL_UNSET;
}

enum level severity_of(const struct log_record *log,
                       const struct log_fields *fields)
{
    enum level level = severity_declared(log);

    if (level == LEVEL_UNSET)
        level = fields->level;
    if (level == LEVEL_UNSET && fields->structured)
        level = severity_of_line(fields->message);
    else if (level == LEVEL_UNSET && log->body.type == VALUE_STRING)
        level = severity_of_line(attr_text(&log->body));
    return level == LEVEL_UNSET ? LEVEL_INFO : level;
}
