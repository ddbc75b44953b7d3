/*
 * ch_attr_filter - the attributes of a query as SQL, for any table with a map
 * of attributes and their types beside.
 *
 * The SQL selects all rows that match, and some whose values are bytes, maps,
 * arrays or empty: their texts are not those of queries.
 */
#ifndef CH_ATTR_FILTER_H
#define CH_ATTR_FILTER_H

#include "ch_sql.h"
#include "store_query.h"

/* Adds "(...)": a pair like it, or the key with an array, which may have it.
 * *exact becomes false if texts of numbers are written in several ways. */
void ch_attr_filter_add(struct ch_sql *sql, struct slice column,
                        const struct attr_match *wanted, bool *exact);

/* Adds " AND ...": true of a row for which what was added above is the answer
 * of match_attrs(). */
void ch_attr_filter_certain(struct ch_sql *sql, bool exact);

#endif
