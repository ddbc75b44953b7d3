/*
 * ch_log_filter - the filters of a log_query, but for its range, as SQL.
 *
 * The SQL selects all rows that match, and tells of each whether it is certain:
 * then match_log() would say so, too. Others are tested with match_log() when
 * they come. Certain are texts that the columns have as they are searched: of
 * bodies all strings, of attributes all but bytes, maps, arrays and empty
 * values.
 *
 *   words     by index: hasToken() of each part of a word without '_', in ASCII
 *             (case is ignored there, as by case_fold.h; a body in which an
 *             ASCII letter is written as another character, long s or the
 *             Kelvin sign, has the type 's' instead of none: it is not certain)
 *             exactly: a regular expression
 *   phrase    LIKE, by its index of pieces of four bytes
 *   attribute a pair of key and text, by the indexes of keys and values
 */
#ifndef CH_LOG_FILTER_H
#define CH_LOG_FILTER_H

#include "ch_reader.h"
#include "store_query.h"

struct ch_log_filter {
    struct ch_sql wanted;  /* " AND ..." of what may match */
    struct ch_sql certain; /* an expression; "1" unless `tests` */
    bool tests;            /* some rows may not be certain */
    bool none;             /* nothing matches */
};

MUST_CHECK enum status ch_log_filter_init(struct ch_log_filter *filter,
                                          struct ch_reader *reader,
                                          const struct log_query *query,
                                          struct arena *work);
/* Also after an error. */
void ch_log_filter_release(struct ch_log_filter *filter);

/* " AND Timestamp >= ... AND Timestamp < ...", with the day's partitions. */
void ch_log_times(struct ch_sql *sql, uint64_t start_ns, uint64_t end_ns);

/* "otel_logs" or "callboard_events". */
void ch_log_table(struct ch_sql *sql, bool events);

#endif
