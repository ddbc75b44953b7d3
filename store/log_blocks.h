/*
 * log_blocks - what the row and the summary of a block of log records tell
 * about a query, before the block is opened.
 */
#ifndef STORE_LOG_BLOCKS_H
#define STORE_LOG_BLOCKS_H

#include "block_cursor.h"

/* All its records are in the time of the query. */
bool log_inside_times(const struct log_query *q, const struct block_row *row);

/* The counts of the summary answer the query exactly, apart from bounds of a
 * list. */
bool log_summary_is_exact(const struct log_query *q,
                          const struct block_row *row);

/* May the block have a match, as far as its filters tell? They hold no zero
 * ids: those are of records without a trace. */
bool log_filters_may_match(const struct log_query *q, struct slice summary);

/* Records with the resources and levels of the query, by level. */
MUST_CHECK enum status log_summary_counts(const struct log_query *q,
                                          struct slice summary,
                                          uint64_t counts[LEVEL_COUNT]);

#endif
