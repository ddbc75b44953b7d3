/*
 * match - the comparisons of queries, on single values and whole records.
 *
 * Purpose:   what a filter means. Blocks run the same tests column by column,
 *            ClickHouse by its indexes first.
 * Ownership: everything is borrowed for the time of a call.
 * Threads:   any.
 * Errors:    none.
 */
#ifndef MATCH_H
#define MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "record.h"
#include "slice.h"
#include "store_query.h"

/* By byte: 0 if it separates words, else the byte, ASCII in lower case. Words
 * are of letters, digits, '_' and all non-ASCII bytes. */
extern const uint8_t match_fold[256];

/* True if the text is the canonical form of an integer. */
bool match_int(struct slice text, int64_t *v);

/* True if the value's text form is the wanted one. Only texts, numbers and
 * booleans have one. */
bool match_value(const struct attr *value, struct slice wanted);
bool match_attrs(const struct attrs *attrs, const struct attr_match *wanted,
                 uint32_t count);

/* Appends the text that queries search: a text itself, other values as JSON;
 * nothing for an empty value. */
void match_show(struct buf *out, const struct attr *value);

/* True if the text contains the word as a whole, case folded as in case_fold.h.
 * False for an empty word, or one that contains a separator. */
bool match_word(struct slice text, struct slice word);

#endif
