#include "ch_attr_filter.h"

#include <stdlib.h>

#include "ch_attributes.h"

/* The texts in the column of values whose text in queries is the wanted one;
 * numbers are written differently if they have an exponent, or are none. */
struct value_texts {
    struct slice at[5];
    uint32_t count;
    char number[40];
    struct buf scratch;
};

static void add_number(struct value_texts *texts, struct slice wanted)
{
    struct attr value = {.type = VALUE_DOUBLE};
    struct slice text;
    char *end;

    if (wanted.len == 0 || wanted.len >= sizeof(texts->number))
        return;
    slice_copy(texts->number, wanted);
    texts->number[wanted.len] = '\0';
    value.d = strtod(texts->number, &end);
    if (*end)
        return;
    text = ch_value_text(&value, &texts->scratch);
    if (!slice_equal(text, wanted))
        texts->at[texts->count++] = text;
}

static void find_texts(struct value_texts *texts, struct slice wanted)
{
    *texts = (struct value_texts){.at = {wanted}, .count = 1};
    buf_init(&texts->scratch, 256);
    if (slice_equal(wanted, SLICE("null"))) {
        texts->at[texts->count++] = SLICE(CH_NOT_FINITE "NaN");
        texts->at[texts->count++] = SLICE(CH_NOT_FINITE "+Inf");
        texts->at[texts->count++] = SLICE(CH_NOT_FINITE "-Inf");
    } else {
        add_number(texts, wanted);
    }
}

void ch_attr_filter_add(struct ch_sql *sql, struct slice column,
                        const struct attr_match *wanted, bool *exact)
{
    struct value_texts texts;
    struct ch_term key = CH_STR(wanted->key);

    find_texts(&texts, wanted->value);
    *exact &= texts.count == 1;
    struct ch_term values = CH_STRS(texts.at, texts.count);
    struct ch_term map = CH_NAME(column);
    CH_SQL_WITH(sql,
                "((has(mapKeys(?), ?) AND hasAny(mapValues(?), array?)"
                " AND arrayExists((k, v) -> k = ? AND v IN ?,"
                " mapKeys(?), mapValues(?)))"
                " OR (position(AttributeTypes, 'a') > 0"
                " AND has(mapKeys(?), ?)))",
                map, key, map, values, key, values, map, map, map, key);
    buf_release(&texts.scratch);
}

void ch_attr_filter_certain(struct ch_sql *sql, bool exact)
{
    if (exact)
        CH_SQL(sql, " AND NOT match(AttributeTypes, '[ayme]')");
    else
        CH_SQL(sql, " AND AttributeTypes = ''");
}
