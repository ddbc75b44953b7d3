/*
 * All conditions of texts stand in one OR with "the body is not a plain string"
 * (of attributes: "one has a type that must be tested"): the columns that tell
 * so have indexes, too.
 */
#include "ch_log_filter.h"

#include "ch_attr_filter.h"
#include "ch_selection.h"
#include "match.h"
#include "utf8.h"

/* Longer words are found by their tokens, and tested. */
enum { REGEX_WORD_MAX = 256, TOKENS_MAX = 16 };

/* In ASCII, what stands between words: match_fold[]. */
#define BETWEEN "[\\x00-/:-@\\[-^`{-\\x7f]"

/* ---- words ---- */

/* A regular expression: the word, whole, in any case. */
static void word_pattern(struct buf *out, struct slice word)
{
    buf_add(out, SLICE("(?:^|" BETWEEN ")"));
    for (size_t i = 0; i < word.len;) {
        char c = word.ptr[i];

        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
            buf_format(out, "[%c%c]", c & ~0x20, c | 0x20);
            i++;
        } else if ((unsigned char)c < 0x80) {
            buf_byte(out, c);
            i++;
        } else { /* a letter of another alphabet */
            size_t end = i + 1;

            while (end < word.len &&
                   ((unsigned char)word.ptr[end] & 0xc0) == 0x80)
                end++;
            buf_add(out, SLICE("(?i:"));
            buf_add(out, (struct slice){word.ptr + i, end - i});
            buf_byte(out, ')');
            i = end;
        }
    }
    buf_add(out, SLICE("(?:$|" BETWEEN ")"));
}

static bool is_token_byte(char c)
{
    return (unsigned char)c >= 0x80 ||
           (match_fold[(unsigned char)c] && c != '_');
}

static void add_token(struct ch_sql *sql, struct slice token)
{
    char lower[REGEX_WORD_MAX];

    if (token.len == 0 || token.len > sizeof(lower))
        return;
    for (size_t i = 0; i < token.len; i++)
        lower[i] = (char)match_fold[(unsigned char)token.ptr[i]];
    CH_SQL_WITH(sql, " AND hasToken(lower(Body), ?)",
                CH_STR(((struct slice){lower, token.len})));
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

/* Its parts that are tokens of the index. */
static void add_tokens(struct ch_sql *sql, struct slice word)
{
    int added = 0;

    for (size_t at = 0; at < word.len && added < TOKENS_MAX;) {
        size_t end = at;

        while (end < word.len && is_token_byte(word.ptr[end]))
            end++;
        struct slice token = {word.ptr + at, end - at};
        if (is_ascii(token)) {
            add_token(sql, token);
            added++;
        }
        at = end + 1;
    }
}

static bool is_word(struct slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!match_fold[(unsigned char)word.ptr[i]])
            return false;
    return word.len > 0;
}

static bool is_exact(struct slice word)
{
    return word.len <= REGEX_WORD_MAX && utf8_valid(word);
}

static void add_word(struct ch_sql *sql, struct slice word)
{
    struct buf pattern;

    add_tokens(sql, word);
    if (!is_exact(word))
        return;
    buf_init(&pattern, 16 * REGEX_WORD_MAX + 256);
    word_pattern(&pattern, word);
    CH_SQL_WITH(sql, " AND match(Body, ?)", CH_STR(buf_slice(&pattern)));
    buf_release(&pattern);
}

static void add_text(struct ch_log_filter *f, const struct log_query *query)
{
    bool exact = true;

    if (query->phrase.len == 0 && query->word_count == 0)
        return;
    CH_SQL(&f->wanted, " AND (BodyType != '' OR (1");
    for (uint32_t i = 0; i < query->word_count; i++) {
        f->none |= !is_word(query->words[i]);
        exact &= is_exact(query->words[i]);
        add_word(&f->wanted, query->words[i]);
    }
    if (query->phrase.len > 0)
        CH_SQL_WITH(&f->wanted, " AND Body LIKE ?", CH_LIKE(query->phrase));
    CH_SQL(&f->wanted, "))");
    if (exact)
        CH_SQL(&f->certain, " AND BodyType = ''");
    else
        CH_SQL(&f->certain, " AND 0");
    f->tests = true;
}

/* ---- attributes ---- */

static const struct slice log_attributes = SLICE_INIT("LogAttributes");

static void add_attrs(struct ch_log_filter *f, const struct log_query *query)
{
    bool exact = true;

    if (query->attr_count == 0 && query->any_count == 0)
        return;
    for (uint32_t i = 0; i < query->attr_count; i++) {
        CH_SQL(&f->wanted, " AND ");
        ch_attr_filter_add(&f->wanted, log_attributes, &query->attrs[i],
                           &exact);
    }
    for (uint32_t i = 0; i < query->any_count; i++) {
        if (i == 0)
            CH_SQL(&f->wanted, " AND (");
        else
            CH_SQL(&f->wanted, " OR ");
        ch_attr_filter_add(&f->wanted, log_attributes, &query->any[i], &exact);
    }
    if (query->any_count > 0)
        CH_SQL(&f->wanted, ")");
    ch_attr_filter_certain(&f->certain, exact);
    f->tests = true;
}

/* ---- the others ---- */

static void add_levels(struct ch_sql *sql, uint32_t levels)
{
    uint64_t list[LEVEL_COUNT];
    size_t count = 0;

    for (uint32_t level = 0; level < LEVEL_COUNT; level++)
        if (levels >> level & 1)
            list[count++] = level;
    if (levels != 0)
        CH_SQL_WITH(sql, " AND Level IN ?", CH_U64S(list, count));
}

enum status ch_log_filter_init(struct ch_log_filter *f,
                               struct ch_reader *reader,
                               const struct log_query *query,
                               struct arena *work)
{
    *f = (struct ch_log_filter){0};
    ch_sql_init(&f->wanted);
    ch_sql_init(&f->certain);
    CH_SQL(&f->certain, "1");

    enum status status = ch_selection_add(reader, &f->wanted, query->resources,
                                          false, work, &f->none);
    add_levels(&f->wanted, query->levels);
    if (query->trace_id)
        CH_SQL_WITH(&f->wanted, " AND TraceId = ?",
                    CH_HEX(query->trace_id, 16));
    if (query->span_id)
        CH_SQL_WITH(&f->wanted, " AND SpanId = ?", CH_HEX(query->span_id, 8));
    add_attrs(f, query);
    add_text(f, query);
    return status == OK ? ch_sql_status(&f->wanted) : status;
}

void ch_log_filter_release(struct ch_log_filter *f)
{
    ch_sql_release(&f->wanted);
    ch_sql_release(&f->certain);
}

/* TimestampTime, a DateTime, cannot have times after it. */
#define LAST_SECOND_NS (UINT64_C(4294967295) * NS_PER_S)

void ch_log_times(struct ch_sql *sql, uint64_t start_ns, uint64_t end_ns)
{
    if (start_ns > 0)
        CH_SQL_WITH(sql, " AND Timestamp >= ?", CH_NS(start_ns));
    if (end_ns < UINT64_MAX)
        CH_SQL_WITH(sql, " AND Timestamp < ?", CH_NS(end_ns));
    if (end_ns < LAST_SECOND_NS)
        CH_SQL_WITH(sql, " AND TimestampTime >= ? AND TimestampTime <= ?",
                    CH_SECOND(start_ns), CH_SECOND(end_ns));
}

void ch_log_table(struct ch_sql *sql, bool events)
{
    if (events)
        CH_SQL(sql, "callboard_events");
    else
        CH_SQL(sql, "otel_logs");
}
