/*
 * The tests of queries on records in memory. Blocks run the same tests column
 * by column, and use these for values without a column.
 */
#define _GNU_SOURCE /* memmem */
#include "match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "case_fold.h"
#include "jsonw.h"

#define LETTERS(x)                                                             \
    [x] = 'a', [x + 1] = 'b', [x + 2] = 'c', [x + 3] = 'd', [x + 4] = 'e',     \
    [x + 5] = 'f', [x + 6] = 'g', [x + 7] = 'h', [x + 8] = 'i', [x + 9] = 'j', \
    [x + 10] = 'k', [x + 11] = 'l', [x + 12] = 'm', [x + 13] = 'n',            \
    [x + 14] = 'o', [x + 15] = 'p', [x + 16] = 'q', [x + 17] = 'r',            \
    [x + 18] = 's', [x + 19] = 't', [x + 20] = 'u', [x + 21] = 'v',            \
    [x + 22] = 'w', [x + 23] = 'x', [x + 24] = 'y', [x + 25] = 'z'
#define SAME4(x)  [x] = x, [x + 1] = x + 1, [x + 2] = x + 2, [x + 3] = x + 3
#define SAME16(x) SAME4(x), SAME4(x + 4), SAME4(x + 8), SAME4(x + 12)

const uint8_t match_fold[256] = {
    LETTERS('A'), LETTERS('a'), SAME4('0'),   SAME4('4'),   ['8'] = '8',
    ['9'] = '9',  ['_'] = '_',  SAME16(0x80), SAME16(0x90), SAME16(0xa0),
    SAME16(0xb0), SAME16(0xc0), SAME16(0xd0), SAME16(0xe0), SAME16(0xf0),
};

bool match_int(struct slice text, int64_t *v)
{
    char copy[24], again[24];

    if (text.len == 0 || text.len > 20)
        return false;
    slice_copy(copy, text);
    copy[text.len] = '\0';
    *v = strtoll(copy, NULL, 10);
    snprintf(again, sizeof(again), "%lld", (long long)*v);
    return strcmp(copy, again) == 0;
}

static bool match_double(double d, struct slice wanted)
{
    struct buf text;
    struct jsonw w;
    char copy[40], *end;
    double near;
    bool equal;

    if (wanted.len == 0 || wanted.len >= sizeof(copy))
        return false;
    slice_copy(copy, wanted);
    copy[wanted.len] = '\0';
    near = strtod(copy, &end);
    if (!slice_equal(wanted, SLICE("null")) && (*end || !(near == d)))
        return false;
    buf_init(&text, 256);
    jsonw_init(&w, &text);
    jsonw_double(&w, d);
    equal = slice_equal(buf_slice(&text), wanted);
    buf_release(&text);
    return equal;
}

bool match_value(const struct attr *value, struct slice wanted)
{
    int64_t i;

    switch (value->type) {
    case VALUE_STRING:
        return slice_equal((struct slice){value->str, value->len}, wanted);
    case VALUE_BOOL:
        return slice_equal(wanted, value->b ? SLICE("true") : SLICE("false"));
    case VALUE_INT:
        return match_int(wanted, &i) && i == value->i;
    case VALUE_DOUBLE:
        return match_double(value->d, wanted);
    case VALUE_ARRAY:
        for (uint32_t k = 0; k < value->len; k++)
            if (match_value(&value->items[k], wanted))
                return true;
        return false;
    default:
        return false;
    }
}

bool match_attrs(const struct attrs *attrs, const struct attr_match *wanted,
                 uint32_t count)
{
    for (uint32_t k = 0; k < count; k++) {
        uint32_t i = 0;

        while (i < attrs->count &&
               !(slice_equal(attr_key(&attrs->at[i]), wanted[k].key) &&
                 match_value(&attrs->at[i], wanted[k].value)))
            i++;
        if (i == attrs->count)
            return false;
    }
    return true;
}

void match_show(struct buf *out, const struct attr *value)
{
    struct jsonw w;

    if (value->type == VALUE_EMPTY)
        return;
    if (value->type == VALUE_STRING) {
        buf_add(out, attr_text(value));
        return;
    }
    jsonw_init(&w, out);
    jsonw_value(&w, value);
}

/* Compares ASCII by bytes, other text by characters. */
static bool word_here(const uint8_t *at, const uint8_t *end,
                      const uint8_t *word, const uint8_t *word_end)
{
    while (at < end && word < word_end) {
        if ((*at | *word) < 0x80) {
            if (match_fold[*at] != match_fold[*word] || !match_fold[*word])
                return false;
            at++;
            word++;
        } else if (fold_next(&at, end) != fold_next(&word, word_end)) {
            return false;
        }
    }
    return at == end && word == word_end;
}

bool match_word(struct slice text, struct slice word)
{
    const uint8_t *p = (const uint8_t *)text.ptr, *end;
    const uint8_t *wanted = (const uint8_t *)word.ptr;
    bool wide = fold_is_wide(word);

    /* Folding may change the length, but nothing is shorter than ASCII. */
    if (word.len == 0 || text.len == 0 || (word.len > text.len && !wide))
        return false;
    end = p + text.len;
    while (p < end) {
        const uint8_t *begin;
        uint8_t any = 0;

        while (p < end && !match_fold[*p])
            p++;
        begin = p;
        while (p < end && match_fold[*p])
            any |= *p++;
        if (((size_t)(p - begin) == word.len || wide || any >= 0x80) &&
            p > begin && word_here(begin, p, wanted, wanted + word.len))
            return true;
    }
    return false;
}

static bool match_text(struct slice text, const struct log_query *query)
{
    if (query->phrase.len > 0 &&
        (text.len == 0 ||
         !memmem(text.ptr, text.len, query->phrase.ptr, query->phrase.len)))
        return false;
    for (uint32_t i = 0; i < query->word_count; i++)
        if (!match_word(text, query->words[i]))
            return false;
    return true;
}

static bool match_any(const struct attrs *attrs,
                      const struct attr_match *wanted, uint32_t count)
{
    bool found = count == 0;

    for (uint32_t i = 0; i < count && !found; i++)
        found = match_attrs(attrs, &wanted[i], 1);
    return found;
}

static bool match_log_but_text(const struct log_record *log,
                               const struct log_query *query)
{
    return log->time_ns >= query->start_ns && log->time_ns < query->end_ns &&
           log->is_event == query->events &&
           (!query->resources ||
            bitmap_has(query->resources, log->resource_id)) &&
           (!query->levels || query->levels >> log->level & 1) &&
           (!query->trace_id ||
            memcmp(log->trace_id, query->trace_id, 16) == 0) &&
           (!query->span_id || memcmp(log->span_id, query->span_id, 8) == 0) &&
           match_attrs(&log->attrs, query->attrs, query->attr_count) &&
           match_any(&log->attrs, query->any, query->any_count);
}

bool match_log(const struct log_record *log, const struct log_query *query)
{
    struct buf text;
    bool found;

    if (!match_log_but_text(log, query))
        return false;
    if (query->phrase.len == 0 && query->word_count == 0)
        return true;
    if (log->body.type == VALUE_STRING)
        return match_text((struct slice){log->body.str, log->body.len}, query);
    buf_init(&text, SIZE_MAX);
    match_show(&text, &log->body);
    found = match_text(buf_slice(&text), query);
    buf_release(&text);
    return found;
}

bool match_span(const struct span *span, const struct trace_query *query)
{
    return span_overlaps(span->start_ns, span->end_ns, query) &&
           (!query->resources ||
            bitmap_has(query->resources, span->resource_id)) &&
           (query->operation.len == 0 ||
            slice_equal(span->operation, query->operation)) &&
           (query->endpoint.len == 0 ||
            slice_equal(span->endpoint, query->endpoint)) &&
           match_attrs(&span->attrs, query->attrs, query->attr_count);
}
