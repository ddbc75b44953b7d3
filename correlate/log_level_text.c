/*
 * How a level is told apart from an ordinary word in a line of text.
 *
 * The head of a line is read word by word, a word being a run of letters. A
 * field (level=warn) decides wherever it stands. A bare word decides where a
 * logger would put it: in capitals; in brackets; in front, behind a timestamp,
 * a thread or a process; before a colon there. "no error found", "0 errors" and
 * "error=nil" are text.
 */
#include "log_level_words.h"

enum { MAX_PREFIX_TOKEN = 64 };

/* Behind "Set the level to", "is not an" a level is no level of the line. */
static const char *const before_none[] = {"no",    "not", "without", "any",
                                          "zero",  "to",  "is",      "of",
                                          "level", "non", "an",      "levels"};

/* In front, "error rate" and the like are text, too. */
static const char *const behind_none[] = {"rate",    "rates",    "count",
                                          "handler", "handling", "budget",
                                          "log",     "logs",     "page"};

/* ---- letters and words ---- */

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static bool is_capitals(struct slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] & 32)
            return false;
    return true;
}

static bool is_one_of(struct slice word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (level_same(word, list[i]))
            return true;
    return false;
}

#define IS_ONE_OF(word, list) \
    is_one_of((word), (list), sizeof(list) / sizeof(*(list)))

static struct slice word_at(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && level_is_letter(*p))
        p++;
    return (struct slice){start, (size_t)(p - start)};
}

/* ---- whole lines that begin in a known way ---- */

/* <11>Oct  9 22:33:20 host app: ... */
static enum level level_of_priority(struct slice line)
{
    unsigned number = 0;
    size_t i = 1;

    if (line.len < 3 || line.ptr[0] != '<')
        return LEVEL_UNSET;
    for (; i < line.len && i < 4 && is_digit(line.ptr[i]); i++)
        number = number * 10 + (unsigned)(line.ptr[i] - '0');
    if (i == 1 || i == line.len || line.ptr[i] != '>' || number > 191)
        return LEVEL_UNSET;
    return log_level_of_syslog(number & 7);
}

/* I0821 08:12:03.120000 ...; with the year: I250821 (CockroachDB), I20250821.
 */
static enum level level_of_klog(struct slice line)
{
    size_t i = 1;

    while (i < line.len && i < 10 && is_digit(line.ptr[i]))
        i++;
    if (i == line.len || line.ptr[i] != ' ' || (i != 5 && i != 7 && i != 9))
        return LEVEL_UNSET;
    switch (line.ptr[0]) {
    case 'I':
        return LEVEL_INFO;
    case 'W':
        return LEVEL_WARN;
    case 'E':
        return LEVEL_ERROR;
    case 'F':
        return LEVEL_FATAL;
    default:
        return LEVEL_UNSET;
    }
}

/* 1:M 05 Jun 2024 10:00:00.123 # ...: Redis. */
static enum level level_of_redis(struct slice line)
{
    size_t i = 0;

    while (i < line.len && is_digit(line.ptr[i]))
        i++;
    if (i == 0 || line.len < i + 30 || line.ptr[i] != ':' ||
        !memchr("XCSM", line.ptr[i + 1], 4) || line.ptr[i + 2] != ' ' ||
        line.ptr[i + 23] != '.' || line.ptr[i + 27] != ' ' ||
        line.ptr[i + 29] != ' ')
        return LEVEL_UNSET;
    switch (line.ptr[i + 28]) {
    case '#':
        return LEVEL_WARN;
    case '*':
        return LEVEL_INFO;
    case '-':
    case '.':
        return LEVEL_DEBUG;
    default:
        return LEVEL_UNSET;
    }
}

/* ---- fields ---- */

static bool is_field(struct slice word)
{
    static const char *const names[] = {"level", "severity", "lvl", "loglevel",
                                        "levelname"};

    return IS_ONE_OF(word, names);
}

/* 10, 20 ... 60, as bunyan and pino write them. */
static enum level level_of_tens(const char *p, const char *end)
{
    if (end - p < 2 || !is_digit(p[1]) || (p + 2 < end && is_digit(p[2])) ||
        p[0] < '1' || p[0] > '6')
        return LEVEL_UNSET;
    return (enum level)(p[0] - '0');
}

/* The level declared by what stands behind a field's name: = or : with quotes
 * and spaces around it, then a word or a number. */
static enum level declared(const char *p, const char *end, bool equal_only)
{
    bool sign = false;

    for (; p < end && (*p == '"' || *p == ' ' || *p == '\'' || *p == '\\' ||
                       (sign && (*p == '[' || *p == '<' || *p == '(')) ||
                       ((*p == '=' || *p == ':') && !sign));
         p++) {
        if (*p == ':' && equal_only && (p[-1] | 32) >= 'a')
            return LEVEL_UNSET;
        sign |= *p == '=' || *p == ':';
    }
    if (!sign || p == end)
        return LEVEL_UNSET;
    if (is_digit(*p))
        return level_of_tens(p, end);
    return log_level_of_word(word_at(p, end));
}

/* ---- bare words ---- */

struct line {
    const char *begin, *end;
    const char *token_end; /* of the token that was looked at last */
    struct slice
        before; /* the word before, if only spaces or a colon are between */
    bool front, prefixed; /* nothing but timestamps and the like so far;
                             something like that */
    unsigned brackets;    /* open */
};

static char before_of(const struct line *line, const char *p)
{
    return p > line->begin ? p[-1] : '\n';
}

static char at(const struct line *line, const char *p)
{
    return p < line->end ? *p : '\n';
}

/* The character before p, or behind it, that is no space. */
static char near_before(const struct line *line, const char *p)
{
    while (p > line->begin && p[-1] == ' ')
        p--;
    return before_of(line, p);
}

static char near_behind(const struct line *line, const char *p)
{
    while (p < line->end && *p == ' ')
        p++;
    return at(line, p);
}

/* Not a part of a name, a path, a value. */
static bool is_alone(const struct line *line, struct slice word)
{
    char before = before_of(line, word.ptr);
    const char *end = word.ptr + word.len;
    char behind = at(line, end), then = at(line, end + 1);

    if (is_digit(behind) && !level_is_letter(then) && !is_digit(then))
        behind = then; /* DEBUG1: */
    if (is_digit(before) || (unsigned char)before >= 0x80 ||
        memchr("_/-@$%=&?\\#~`", before, 13))
        return false;
    if (before == '.' && behind != ':') /* but app.ERROR: of Monolog */
        return false;
    if (before == '"' && memchr("=: ", before_of(line, word.ptr - 1), 3))
        return false;
    if (is_digit(behind) || (unsigned char)behind >= 0x80 ||
        memchr("_/@(=%&`", behind, 8))
        return false;
    return !((behind == '.' || behind == '-') &&
             (level_is_letter(then) || is_digit(then)));
}

static bool is_bracketed(const struct line *line, struct slice word)
{
    const char *end = word.ptr + word.len;
    char before = near_before(line, word.ptr), behind = near_behind(line, end);

    if (behind == ']' && before == '[')
        return true;
    if (behind == ']' && line->brackets > 0) /* [core:error] [10:00:00 ERR] */
        return before == ':' || is_capitals(word);
    if (before == '|' && behind == '|')
        return true;
    if (before == '<' && at(line, end) == '>')
        return line->front;
    return before_of(line, word.ptr) == '\t' && at(line, end) == '\t';
}

/* In front: "fail: ", "ERRO[0000]", "error - ". Behind another colon, as
 * compilers and PHP have it: "x.c:3: error: ". */
static bool is_marked(const struct line *line, struct slice word,
                      const struct level_word *known)
{
    const char *end = word.ptr + word.len;
    char behind = at(line, end);

    if (is_bracketed(line, word))
        return true;
    if (line->front &&
        (behind == ':' || (behind == '[' && is_digit(at(line, end + 1))) ||
         (behind == ' ' && near_behind(line, end) == '-')))
        return true;
    return behind == ':' && at(line, end + 1) == ' ' &&
           known->small == LEVEL_FRONT && near_before(line, word.ptr) == ':';
}

/* "error: nil", "Error: 0", "error:12" */
static bool is_about_none(const struct line *line, const char *end)
{
    static const char *const none[] = {"nil", "null", "none", "false",
                                       "undefined"};
    struct slice value;

    if (at(line, end) != ':')
        return false;
    end++;
    if (is_digit(at(line, end)))
        return true;
    end += at(line, end) == ' ';
    value = word_at(end, line->end);
    return IS_ONE_OF(value, none) ||
           (at(line, end) == '0' && !is_digit(at(line, end + 1)));
}

/* "no ERROR", "0 ERROR" */
static bool is_denied(const struct line *line, struct slice word)
{
    const char *p = word.ptr;

    return IS_ONE_OF(line->before, before_none) ||
           (p - line->begin >= 2 && p[-1] == ' ' && p[-2] == '0' &&
            (p - line->begin == 2 || p[-3] == ' '));
}

/* Does a time of day, 10:00:00, stand before p? */
static bool is_behind_time(const struct line *line, const char *p)
{
    for (const char *q = line->begin + 1; q + 5 < p; q++)
        if (q[0] == ':' && q[3] == ':' && is_digit(q[-1]) && is_digit(q[1]) &&
            is_digit(q[2]) && is_digit(q[4]))
            return true;
    return false;
}

/* One letter: "[E 240605 10:00:00 web:1]" of Tornado, "[E] x", "10:00:00 E! x"
 * of Telegraf, "10:00:00.123 E NETWORK" of MongoDB and Android. */
static bool is_letter_level(const struct line *line, struct slice word)
{
    const char *p = word.ptr;
    char before = before_of(line, p), behind = at(line, p + 1),
         then = at(line, p + 2);

    if (!line->front || !is_capitals(word))
        return false;
    if (before == '[')
        return behind == ']' ||
               (behind == ' ' && is_digit(then) && p - line->begin == 1);
    return before == ' ' && (behind == ' ' || (behind == '!' && then == ' ')) &&
           is_behind_time(line, p);
}

/* In capitals inside what would make another word part of a name:
 * "[2024-06-05 10:00:00,123: ERROR/MainProcess]" of Celery, "|-ERROR in" of
 * Logback, "=ERROR REPORT====" of Erlang. */
static bool is_framed(const struct line *line, struct slice word)
{
    const char *p = word.ptr;
    char before = before_of(line, p), ahead = p - line->begin < 2 ? 0 : p[-2];

    if (at(line, p + word.len) == '/')
        return line->brackets > 0 && before == ' ' && ahead == ':';
    return at(line, p + word.len) == ' ' &&
           ((before == '-' && ahead == '|') ||
            (before == '=' && p - line->begin == 1));
}

static bool counts(const struct line *line, struct slice word,
                   const struct level_word *known)
{
    int where = is_capitals(word) ? known->capitals : known->small;
    const char *end = word.ptr + word.len;
    struct slice next = word_at(end + (at(line, end) == ' '), line->end);

    if (word.len == 1)
        return is_letter_level(line, word);
    if (is_capitals(word) && where != LEVEL_NEVER && is_framed(line, word))
        return true;
    if (where == LEVEL_NEVER || !is_alone(line, word) || is_denied(line, word))
        return false;
    if (!is_capitals(word) && is_about_none(line, end))
        return false;
    if (is_marked(line, word, known))
        return true;
    if (where == LEVEL_ANY)
        return true;
    if (!line->front || where < LEVEL_AFTER ||
        (where == LEVEL_AFTER && !line->prefixed))
        return false;
    return is_capitals(word) || !IS_ONE_OF(next, behind_none);
}

static bool is_date_word(struct slice word)
{
    static const char *const parts[] = {
        "jan", "feb", "mar", "apr", "may", "jun", "jul",  "aug", "sep",
        "oct", "nov", "dec", "mon", "tue", "wed", "thu",  "fri", "sat",
        "sun", "am",  "pm",  "utc", "gmt", "cet", "cest", "php"};

    return IS_ONE_OF(word, parts);
}

/* Is the token that the word is in one of those that stand before a level: a
 * time, a process, a thread, a logger? */
static bool is_prefix(struct line *line, struct slice word)
{
    const char *p = word.ptr, *end = word.ptr + word.len;
    bool digit = false;

    if (word.ptr < line->token_end)
        return true;
    while (p > line->begin && p[-1] != ' ' && word.ptr - p < MAX_PREFIX_TOKEN)
        digit |= is_digit(*--p);
    while (end < line->end && *end != ' ' && *end != '\t' && *end != '\n' &&
           end - p < MAX_PREFIX_TOKEN)
        digit |= is_digit(*end++);
    if (!digit && line->brackets == 0 && !is_date_word(word) &&
        at(line, end - 1) != ':')
        return false;
    line->token_end = end;
    return true;
}

/* What lies between the words, and the word that is no level. */
static void pass(struct line *line, const char *from, struct slice word)
{
    bool spaces = from < word.ptr;

    for (; from < word.ptr; from++) {
        spaces &= *from == ' ' || *from == ':';
        line->brackets += *from == '[';
        line->brackets -= *from == ']' && line->brackets > 0;
        line->prefixed |= is_digit(*from);
        if (*from == '\n') {
            line->front = true;
            line->prefixed = false;
        }
    }
    if (!spaces)
        line->before = (struct slice){NULL, 0};
}

/* Of a field, if it is one and no setting: "--log-level=debug". */
static enum level level_of_field(const struct line *line, struct slice word)
{
    static const char *const settings[] = {"log", "logging", "set"};
    char before = before_of(line, word.ptr);

    if (memchr("_-/", before, 3) || IS_ONE_OF(line->before, settings))
        return LEVEL_UNSET;
    if (before == '.' &&
        !(word.ptr - line->begin >= 4 && memcmp(word.ptr - 4, "log.", 4) == 0 &&
          !level_is_letter(before_of(line, word.ptr - 4)) &&
          before_of(line, word.ptr - 4) != '.'))
        return LEVEL_UNSET;
    return declared(word.ptr + word.len, line->end, line->before.len > 0);
}

static enum level level_of_words(struct slice text)
{
    struct line line = {.begin = text.ptr,
                        .end = text.ptr + text.len,
                        .token_end = text.ptr,
                        .front = true};
    enum level bare = LEVEL_UNSET;
    const char *p = text.ptr, *last = p;

    while (p < line.end) {
        struct slice word = word_at(p, line.end);
        const struct level_word *known;

        if (word.len == 0) {
            p++;
            continue;
        }
        p += word.len;
        pass(&line, last, word);
        last = p;
        if (is_field(word)) {
            enum level level = level_of_field(&line, word);

            if (level != LEVEL_UNSET)
                return level;
        }
        known = bare == LEVEL_UNSET ? log_level_word_find(word) : NULL;
        if (known && counts(&line, word, known))
            bare = (enum level)known->level;
        if (line.front && !is_prefix(&line, word))
            line.front = false;
        line.prefixed = true;
        line.before = word;
    }
    return bare;
}

enum level log_level_of_text(struct slice line)
{
    char plain[LOG_LEVEL_MAX_TEXT];
    struct slice text;
    enum level level;

    if (line.len == 0)
        return LEVEL_UNSET;
    text = log_level_strip_ansi(line, plain);
    level = level_of_priority(text);
    if (level == LEVEL_UNSET)
        level = level_of_klog(text);
    if (level == LEVEL_UNSET)
        level = level_of_redis(text);
    return level == LEVEL_UNSET ? level_of_words(text) : level;
}
