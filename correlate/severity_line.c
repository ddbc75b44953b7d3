/*
 * Tells a level from an ordinary word in a line of text.
 *
 * The head of a line is read word by word; a word is a run of letters. A field
 * (level=warn) decides anywhere. A bare word decides where a logger would write
 * it: in capitals; in brackets; at the start, after a timestamp, a thread or a
 * process; before a colon there. "no error found", "0 errors" and "error=nil"
 * are text.
 */
#include "ascii.h"
#include "severity.h"

enum { MAX_PREFIX_TOKEN = 64 };

/* ---- characters and words ---- */

static bool is_capitals(struct slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] & 32)
            return false;
    return true;
}

/* list: a literal. */
#define IS_ONE_OF(word, list) severity_is_one_of((word), SLICE(list))

static struct slice word_at(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && severity_is_letter(*p))
        p++;
    return (struct slice){start, (size_t)(p - start)};
}

/* ---- lines that begin in a known way ---- */

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
    return severity_of_syslog(number & 7);
}

/* The level of a character, by its place among the known ones. */
static enum level level_of_char(char c, const char *known,
                                const enum level *levels)
{
    const char *found = memchr(known, c, strlen(known));

    return found ? levels[found - known] : LEVEL_UNSET;
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
    return level_of_char(
        line.ptr[0], "IWEF",
        (const enum level[]){LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR, LEVEL_FATAL});
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
    return level_of_char(
        line.ptr[i + 28], "#*-.",
        (const enum level[]){LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG, LEVEL_DEBUG});
}

/* ---- fields ---- */

static bool is_field(struct slice word)
{
    char first = word.ptr[0] | 32; /* every word of a line comes here */

    return (first == 'l' || first == 's') &&
           IS_ONE_OF(word, "level severity lvl loglevel levelname");
}

/* 10, 20 ... 60, as bunyan and pino write them. */
static enum level level_of_tens(const char *p, const char *end)
{
    if (end - p < 2 || !is_digit(p[1]) || (p + 2 < end && is_digit(p[2])) ||
        p[0] < '1' || p[0] > '6')
        return LEVEL_UNSET;
    return (enum level)(p[0] - '0');
}

/* A character that may stand before a value; brackets only after the sign. */
static bool is_opening(char c, bool sign)
{
    return c == '"' || c == ' ' || c == '\'' || c == '\\' ||
           (sign && (c == '[' || c == '<' || c == '('));
}

/* Skips = or : after a field's name and what opens the value. NULL without one.
 */
static const char *skip_assignment(const char *p, const char *end,
                                   bool equal_only)
{
    bool sign = false;

    for (; p < end; p++) {
        if (!sign && (*p == '=' || *p == ':')) {
            if (*p == ':' && equal_only && (p[-1] | 32) >= 'a')
                return NULL;
            sign = true;
        } else if (!is_opening(*p, sign)) {
            break;
        }
    }
    return sign && p < end ? p : NULL;
}

/* The level that the text after a field's name declares. */
static enum level level_of_value(const char *p, const char *end,
                                 bool equal_only)
{
    p = skip_assignment(p, end, equal_only);
    if (!p)
        return LEVEL_UNSET;
    return is_digit(*p) ? level_of_tens(p, end)
                        : severity_of_word(word_at(p, end));
}

/* ---- bare words ---- */

struct text_line {
    const char *begin, *end;
    const char *token_end; /* of the token that was read last */
    struct slice before;   /* the word before, if only spaces or a colon are
                              between */
    bool at_start;         /* only timestamps and the like so far */
    bool prefixed;         /* at least one of these */
    unsigned brackets;     /* open */
};

static char before_of(const struct text_line *line, const char *p)
{
    return p > line->begin ? p[-1] : '\n';
}

static char at(const struct text_line *line, const char *p)
{
    return p < line->end ? *p : '\n';
}

/* The character before p, or from p on, that is no space. */
static char near_before(const struct text_line *line, const char *p)
{
    while (p > line->begin && p[-1] == ' ')
        p--;
    return before_of(line, p);
}

static char near_after(const struct text_line *line, const char *p)
{
    while (p < line->end && *p == ' ')
        p++;
    return at(line, p);
}

static bool may_follow(const struct text_line *line, const char *p, char after)
{
    char before = before_of(line, p);

    if (is_digit(before) || (unsigned char)before >= 0x80 ||
        memchr("_/-@$%=&?\\#~`", before, 13))
        return false;
    if (before == '.')
        return after == ':'; /* app.ERROR: of Monolog */
    return before != '"' || !memchr("=: ", before_of(line, p - 1), 3);
}

static bool may_precede(char after, char next)
{
    if (is_digit(after) || (unsigned char)after >= 0x80 ||
        memchr("_/@(=%&`", after, 8))
        return false;
    return (after != '.' && after != '-') ||
           (!severity_is_letter(next) && !is_digit(next));
}

/* True unless the word is part of a name, a path or a value. */
static bool is_alone(const struct text_line *line, struct slice word)
{
    const char *end = word.ptr + word.len;
    char after = at(line, end), next = at(line, end + 1);

    if (is_digit(after) && !severity_is_letter(next) && !is_digit(next))
        after = next; /* DEBUG1: */
    return may_follow(line, word.ptr, after) && may_precede(after, next);
}

static bool is_bracketed(const struct text_line *line, struct slice word)
{
    const char *end = word.ptr + word.len;
    char before = near_before(line, word.ptr), after = near_after(line, end);

    if (after == ']' && before == '[')
        return true;
    if (after == ']' && line->brackets > 0) /* [core:error] [10:00:00 ERR] */
        return before == ':' || is_capitals(word);
    if (before == '|' && after == '|')
        return true;
    if (before == '<' && at(line, end) == '>')
        return line->at_start;
    return before_of(line, word.ptr) == '\t' && at(line, end) == '\t';
}

/* At the start: "fail: ", "ERRO[0000]", "error - ". After another colon, as
 * compilers and PHP write: "x.c:3: error: ". */
static bool is_marked(const struct text_line *line, struct slice word,
                      const struct level_word *known)
{
    const char *end = word.ptr + word.len;
    char after = at(line, end);

    if (is_bracketed(line, word))
        return true;
    if (line->at_start &&
        (after == ':' || (after == '[' && is_digit(at(line, end + 1))) ||
         (after == ' ' && near_after(line, end) == '-')))
        return true;
    return after == ':' && at(line, end + 1) == ' ' &&
           known->small == PLACE_START && near_before(line, word.ptr) == ':';
}

/* "error: nil", "Error: 0", "error:12" */
static bool is_about_none(const struct text_line *line, const char *end)
{
    struct slice value;

    if (at(line, end) != ':')
        return false;
    end++;
    if (is_digit(at(line, end)))
        return true;
    end += at(line, end) == ' ';
    value = word_at(end, line->end);
    return IS_ONE_OF(value, "nil null none false undefined") ||
           (at(line, end) == '0' && !is_digit(at(line, end + 1)));
}

/* "no ERROR", "0 ERROR", "Set the level to ERROR" */
static bool is_denied(const struct text_line *line, struct slice word)
{
    const char *p = word.ptr;

    return IS_ONE_OF(line->before,
                     "no not without any zero to is of level non an levels") ||
           (p - line->begin >= 2 && p[-1] == ' ' && p[-2] == '0' &&
            (p - line->begin == 2 || p[-3] == ' '));
}

/* True if a time of day, 10:00:00, stands before p. */
static bool is_after_time(const struct text_line *line, const char *p)
{
    for (const char *q = line->begin + 1; q + 5 < p; q++)
        if (q[0] == ':' && q[3] == ':' && is_digit(q[-1]) && is_digit(q[1]) &&
            is_digit(q[2]) && is_digit(q[4]))
            return true;
    return false;
}

/* One letter: "[E 240605 10:00:00 web:1]" of Tornado, "[E] x", "10:00:00 E! x"
 * of Telegraf, "10:00:00.123 E NETWORK" of MongoDB and Android. */
static bool is_letter_level(const struct text_line *line, struct slice word)
{
    const char *p = word.ptr;
    char before = before_of(line, p), after = at(line, p + 1),
         next = at(line, p + 2);

    if (!line->at_start || !is_capitals(word))
        return false;
    if (before == '[')
        return after == ']' ||
               (after == ' ' && is_digit(next) && p - line->begin == 1);
    return before == ' ' && (after == ' ' || (after == '!' && next == ' ')) &&
           is_after_time(line, p);
}

/* In capitals, with characters around it that would make another word part of a
 * name: "[2024-06-05 10:00:00,123: ERROR/MainProcess]" of Celery, "|-ERROR in"
 * of Logback, "=ERROR REPORT====" of Erlang. */
static bool is_framed(const struct text_line *line, struct slice word)
{
    const char *p = word.ptr;
    char before = before_of(line, p), ahead = p - line->begin < 2 ? 0 : p[-2];

    if (at(line, p + word.len) == '/')
        return line->brackets > 0 && before == ' ' && ahead == ':';
    return at(line, p + word.len) == ' ' &&
           ((before == '-' && ahead == '|') ||
            (before == '=' && p - line->begin == 1));
}

/* True for a word that is a level at the start of a line, if this is one. */
static bool is_at_start(const struct text_line *line, struct slice word,
                        int place)
{
    const char *end = word.ptr + word.len;
    struct slice next = word_at(end + (at(line, end) == ' '), line->end);

    if (!line->at_start || place < PLACE_PREFIXED ||
        (place == PLACE_PREFIXED && !line->prefixed))
        return false;
    return is_capitals(word) || /* not "error rate" */
           !IS_ONE_OF(next,
                      "rate rates count handler handling budget log logs page");
}

/* True if the word, one for a level, is the level of the line. */
static bool is_level(const struct text_line *line, struct slice word,
                     const struct level_word *known)
{
    bool capitals = is_capitals(word);
    int place = capitals ? known->capitals : known->small;

    if (word.len == 1)
        return is_letter_level(line, word);
    if (place == PLACE_NEVER)
        return false;
    if (capitals && is_framed(line, word))
        return true;
    if (!is_alone(line, word) || is_denied(line, word) ||
        (!capitals && is_about_none(line, word.ptr + word.len)))
        return false;
    return place == PLACE_ANY || is_marked(line, word, known) ||
           is_at_start(line, word, place);
}

static bool is_date_word(struct slice word)
{
    return IS_ONE_OF(word,
                     "jan feb mar apr may jun jul aug sep oct nov dec mon tue "
                     "wed thu fri sat sun am pm utc gmt cet cest php");
}

/* True if the token of the word may stand before a level: a time, a process, a
 * thread, a logger. */
static bool is_prefix(struct text_line *line, struct slice word)
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

/* Reads the characters between the last word and this one. */
static void read_gap(struct text_line *line, const char *from,
                     struct slice word)
{
    bool spaces = from < word.ptr;

    for (; from < word.ptr; from++) {
        spaces &= *from == ' ' || *from == ':';
        line->brackets += *from == '[';
        line->brackets -= *from == ']' && line->brackets > 0;
        line->prefixed |= is_digit(*from);
        if (*from == '\n') {
            line->at_start = true;
            line->prefixed = false;
        }
    }
    if (!spaces)
        line->before = (struct slice){NULL, 0};
}

/* The level of a field, unless it is a setting: "--log-level=debug". */
static enum level level_of_field(const struct text_line *line,
                                 struct slice word)
{
    char before = before_of(line, word.ptr);

    if (memchr("_-/", before, 3) || IS_ONE_OF(line->before, "log logging set"))
        return LEVEL_UNSET;
    if (before == '.' &&
        !(word.ptr - line->begin >= 4 && memcmp(word.ptr - 4, "log.", 4) == 0 &&
          !severity_is_letter(before_of(line, word.ptr - 4)) &&
          before_of(line, word.ptr - 4) != '.'))
        return LEVEL_UNSET;
    return level_of_value(word.ptr + word.len, line->end, line->before.len > 0);
}

static enum level level_of_words(struct slice text)
{
    struct text_line line = {.begin = text.ptr,
                             .end = text.ptr + text.len,
                             .token_end = text.ptr,
                             .at_start = true};
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
        read_gap(&line, last, word);
        last = p;
        if (is_field(word)) {
            enum level level = level_of_field(&line, word);

            if (level != LEVEL_UNSET)
                return level;
        }
        known = bare == LEVEL_UNSET ? severity_find_word(word) : NULL;
        if (known && is_level(&line, word, known))
            bare = (enum level)known->level;
        if (line.at_start && !is_prefix(&line, word))
            line.at_start = false;
        line.prefixed = true;
        line.before = word;
    }
    return bare;
}

enum level severity_of_line(struct slice line)
{
    char plain[SEVERITY_MAX_TEXT];
    struct slice text;
    enum level level;

    if (line.len == 0)
        return LEVEL_UNSET;
    text = severity_strip_ansi(line, plain);
    level = level_of_priority(text);
    if (level == LEVEL_UNSET)
        level = level_of_klog(text);
    if (level == LEVEL_UNSET)
        level = level_of_redis(text);
    return level == LEVEL_UNSET ? level_of_words(text) : level;
}
