/*
 * A line is looked at word by word, a word being a run of letters, and no
 * further than LOOK bytes: who declares a level does so in front. The first
 * declared field ends the search; the first bare keyword is remembered.
 */
#include "loglevel.h"

enum { LOOK = 256, LONGEST = 13 };

/* bare: counts as a keyword in the middle of a line, in any case or in
 * capitals only, because the small word is ordinary English. */
enum { BARE_NOT, BARE_CAPITALS, BARE_ANY };

static const struct {
    const char *word;
    uint8_t level, bare;
} words[] = {
    {"error", LEVEL_ERROR, BARE_ANY},
    {"info", LEVEL_INFO, BARE_ANY},
    {"warn", LEVEL_WARN, BARE_ANY},
    {"warning", LEVEL_WARN, BARE_ANY},
    {"debug", LEVEL_DEBUG, BARE_ANY},
    {"fatal", LEVEL_FATAL, BARE_ANY},
    {"severe", LEVEL_FATAL, BARE_ANY},
    {"trace", LEVEL_TRACE, BARE_CAPITALS},
    {"notice", LEVEL_INFO, BARE_CAPITALS},
    {"critical", LEVEL_ERROR, BARE_CAPITALS},
    {"err", LEVEL_ERROR, BARE_CAPITALS},
    {"crit", LEVEL_ERROR, BARE_NOT},
    {"alert", LEVEL_ERROR, BARE_NOT},
    {"panic", LEVEL_FATAL, BARE_NOT},
    {"emerg", LEVEL_FATAL, BARE_NOT},
    {"emergency", LEVEL_FATAL, BARE_NOT},
    {"dpanic", LEVEL_FATAL, BARE_NOT},
    {"information", LEVEL_INFO, BARE_NOT},
    {"informational", LEVEL_INFO, BARE_NOT},
    {"verbose", LEVEL_DEBUG, BARE_NOT},
    {"finest", LEVEL_TRACE, BARE_NOT},
    {"e", LEVEL_ERROR, BARE_NOT},
    {"w", LEVEL_WARN, BARE_NOT},
    {"i", LEVEL_INFO, BARE_NOT},
    {"d", LEVEL_DEBUG, BARE_NOT},
    {"f", LEVEL_FATAL, BARE_NOT},
};

enum { WORD_COUNT = sizeof(words) / sizeof(*words) };

static bool is_letter(char c)
{
    return (unsigned char)((c | 32) - 'a') < 26;
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static bool same(struct slice word, const char *small)
{
    for (size_t i = 0; i < word.len; i++)
        if ((word.ptr[i] | 32) != small[i])
            return false;
    return small[word.len] == '\0';
}

/* Its row in words[], -1 if it is none of them. */
static int find_word(struct slice word)
{
    if (word.len == 0 || word.len > LONGEST)
        return -1;
    for (int i = 0; i < WORD_COUNT; i++)
        if (words[i].word[0] == (word.ptr[0] | 32) && same(word, words[i].word))
            return i;
    return -1;
}

enum level loglevel_of_word(struct slice word)
{
    int row;

    while (word.len > 0 && !is_letter(word.ptr[word.len - 1]))
        word.len--; /* INFO2 */
    row = find_word(word);
    return row < 0 ? LEVEL_UNSET : (enum level)words[row].level;
}

/* 10, 20 ... 60, as bunyan and pino write them. */
static enum level level_of_tens(int64_t number)
{
    return number >= 10 && number < 70 ? (enum level)(number / 10)
                                       : LEVEL_UNSET;
}

static bool is_field(struct slice word)
{
    return same(word, "level") || same(word, "severity") || same(word, "lvl") ||
           same(word, "loglevel");
}

static struct slice word_at(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && is_letter(*p))
        p++;
    return (struct slice){start, (size_t)(p - start)};
}

/* The level declared by what stands behind a field's name: = or : with quotes
 * and spaces around it, then a word or a number. */
static enum level declared(const char *p, const char *end)
{
    bool sign = false;

    for (; p < end && (*p == '"' || *p == ' ' || *p == '\'' || *p == '\\' ||
                       ((*p == '=' || *p == ':') && !sign));
         p++)
        sign |= *p == '=' || *p == ':';
    if (!sign || p == end)
        return LEVEL_UNSET;
    if (is_digit(*p))
        return p + 1 < end && is_digit(p[1]) &&
                       (p + 2 == end || !is_digit(p[2]))
                   ? level_of_tens((p[0] - '0') * 10 + (p[1] - '0'))
                   : LEVEL_UNSET;
    return loglevel_of_word(word_at(p, end));
}

/* I0821 08:12:03.120000 ... */
static enum level klog_level(struct slice line)
{
    if (line.len < 6 || line.ptr[5] != ' ')
        return LEVEL_UNSET;
    for (int i = 1; i < 5; i++)
        if (!is_digit(line.ptr[i]))
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

static bool is_capitals(struct slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] & 32)
            return false;
    return true;
}

static enum level level_of_line(struct slice line)
{
    const char *end = line.ptr + (line.len < LOOK ? line.len : LOOK);
    enum level bare = klog_level(line);

    for (const char *p = line.ptr; p < end;) {
        struct slice word = word_at(p, end);

        if (word.len == 0) {
            p++;
            continue;
        }
        p += word.len;
        if (word.len > LONGEST)
            continue;
        if (is_field(word)) {
            enum level level = declared(p, end);

            if (level != LEVEL_UNSET)
                return level;
        } else if (bare == LEVEL_UNSET) {
            int row = find_word(word);

            if (row >= 0 &&
                (words[row].bare == BARE_ANY ||
                 (words[row].bare == BARE_CAPITALS && is_capitals(word))))
                bare = (enum level)words[row].level;
        }
    }
    return bare;
}

static enum level level_of_map(const struct attr *body)
{
    for (uint32_t i = 0; i < body->len; i++) {
        const struct attr *member = &body->items[i];
        struct slice key = attr_key(member);

        if (!is_field(key) && !slice_equal(key, SLICE("log.level")))
            continue;
        if (member->type == VALUE_STRING)
            return loglevel_of_word(attr_text(member));
        if (member->type == VALUE_INT)
            return level_of_tens(member->i);
    }
    return LEVEL_UNSET;
}

enum level loglevel_of(const struct log_record *log)
{
    enum level level = LEVEL_UNSET;

    if (log->severity >= 1 && log->severity <= 24)
        return (enum level)((log->severity - 1) / 4 + 1);
    if (log->severity_text.len > 0)
        level = loglevel_of_word(log->severity_text);
    if (level == LEVEL_UNSET && log->body.type == VALUE_STRING)
        level = level_of_line(attr_text(&log->body));
    else if (level == LEVEL_UNSET && log->body.type == VALUE_MAP)
        level = level_of_map(&log->body);
    return level == LEVEL_UNSET ? LEVEL_INFO : level;
}
