/*
 * match - what the queries compare, on single values; for block/ only.
 */
#ifndef MATCH_H
#define MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "record.h"
#include "slice.h"
#include "store_query.h"

/* Bytes of words: letters, digits, '_' and all of non-ASCII. */
extern const uint8_t
    match_fold[256]; /* ASCII in lower case, or 0: between words */

/* True if the text is the number as it would be written. */
bool match_int(struct slice text, int64_t *v);

/* True if the value's text form is wanted. Only texts, numbers and booleans
 * have one. */
bool match_value(const struct attr *value, struct slice wanted);
bool match_attrs(const struct attrs *attrs, const struct attr_match *wanted,
                 uint32_t count);

/* Appends the text that queries search: a text itself, other values as JSON;
 * nothing for an empty value. */
void match_show(struct buf *out, const struct attr *value);

/* True if word stands in the text as a whole, case ignored as in fold.h. Never
 * for a word with a byte between words in it, or for an empty one. */
bool match_word(struct slice text, struct slice word);

/* True if the text has phrase and words of the query. */
bool match_text(struct slice text, const struct log_query *query);

/* Everything of the query but phrase and words. */
bool match_log_but_text(const struct log_record *log,
                        const struct log_query *query);

#endif
