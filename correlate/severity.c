/*
 * The words for levels, and the level of a record. A new word is a row of the
 * table; the two places say where in a line the word counts if it is written in
 * capitals or in lower case.
 */
#include "severity.h"

#include <assert.h>
#include <pthread.h>

enum { LONGEST = 13 };

#define PREFIXED PLACE_PREFIXED
#define ANY      PLACE_ANY
#define START    PLACE_START
#define MARKED   PLACE_MARKED
#define NEVER    PLACE_NEVER

/* dbug: .NET; eror: log15; http, silly: winston; log, detail, hint, statement,
 * context: PostgreSQL; note: MySQL; normal: Kubernetes. */
static const struct level_word rows[] = {
    {"fatal", LEVEL_FATAL, ANY, START},
    {"dpanic emerg emergency panic", LEVEL_FATAL, START, PREFIXED},
    {"ftl pnc", LEVEL_FATAL, START, MARKED},
    {"fata pani", LEVEL_FATAL, START, NEVER},
    {"f", LEVEL_FATAL, NEVER, NEVER},
    {"error", LEVEL_ERROR, ANY, START},
    {"crit critical severe", LEVEL_ERROR, ANY, PREFIXED},
    {"err", LEVEL_ERROR, ANY, MARKED},
    {"alert", LEVEL_ERROR, START, PREFIXED},
    {"eror", LEVEL_ERROR, START, MARKED},
    {"erro", LEVEL_ERROR, START, NEVER},
    {"fail", LEVEL_ERROR, MARKED, MARKED},
    {"c e", LEVEL_ERROR, NEVER, NEVER},
    {"warn warning", LEVEL_WARN, ANY, START},
    {"wrn", LEVEL_WARN, START, MARKED},
    {"w", LEVEL_WARN, NEVER, NEVER},
    {"info notice", LEVEL_INFO, ANY, PREFIXED},
    {"inf information informational success", LEVEL_INFO, START, MARKED},
    {"note", LEVEL_INFO, MARKED, MARKED},
    {"context detail hint log statement", LEVEL_INFO, MARKED, NEVER},
    {"i n normal", LEVEL_INFO, NEVER, NEVER},
    {"debug", LEVEL_DEBUG, ANY, PREFIXED},
    {"verbose", LEVEL_DEBUG, START, PREFIXED},
    {"dbg dbug vrb", LEVEL_DEBUG, START, MARKED},
    {"config debu fine finer", LEVEL_DEBUG, START, NEVER},
    {"d http v", LEVEL_DEBUG, NEVER, NEVER},
    {"trace", LEVEL_TRACE, ANY, PREFIXED},
    {"trc trce", LEVEL_TRACE, START, MARKED},
    {"finest trac", LEVEL_TRACE, START, NEVER},
    {"silly", LEVEL_TRACE, NEVER, MARKED},
    {"t", LEVEL_TRACE, NEVER, NEVER},
};

enum { MAX_WORDS = 64 };

static struct slice words[MAX_WORDS];
static const struct level_word *row_of[MAX_WORDS];
/* Bits of the words that begin with a letter, and of those of a length. */
static uint64_t words_of_letter[26], words_of_length[LONGEST + 1];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    uint32_t count = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (struct slice list = slice_of(rows[i].words); list.len > 0;) {
            struct slice word = slice_split(&list, ' ');

            assert(count < MAX_WORDS);
            words_of_letter[word.ptr[0] - 'a'] |= UINT64_C(1) << count;
            words_of_length[word.len] |= UINT64_C(1) << count;
            row_of[count] = &rows[i];
            words[count++] = word;
        }
}

const struct level_word *severity_find_word(struct slice word)
{
    uint64_t left;

    if (word.len == 0 || word.len > LONGEST || !severity_is_letter(word.ptr[0]))
        return NULL;
    pthread_once(&once, init);
    left =
        words_of_letter[(word.ptr[0] | 32) - 'a'] & words_of_length[word.len];
    for (; left; left &= left - 1) {
        int i = __builtin_ctzll(left);

        if (severity_same_word(word, words[i]))
            return row_of[i];
    }
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
