/*
 * ch_log_page - a page of log records that is being read: ch_read_logs.c, and
 * the total beside it in ch_read_log_counts.c.
 */
#ifndef CH_LOG_PAGE_H
#define CH_LOG_PAGE_H

#include "ch_log_filter.h"
#include "ch_log_rows.h"
#include "ch_read.h"

struct ch_log_page {
    struct ch_log_row row; /* the first: ch_log_decode() */
    struct ch_reader *reader;
    struct log_query query; /* its times within its range */
    struct ch_log_filter filter;
    struct ch_resource_ids ids;
    uint64_t tail_end_ns; /* of a tail: what was inserted later is not seen */
    struct arena *arena;  /* of the answer */
    struct arena work;    /* of a row that is tested */
    struct log_record *logs;
    uint32_t count, room;

    uint64_t came;             /* rows of the last request */
    struct list_position last; /* of them */
    uint64_t last_inserted_ns;
    uint64_t total; /* matches that were counted */
};

/* " FROM ... WHERE ..." of all rows that may match, but for their times. */
void ch_log_page_where(const struct ch_log_page *page, struct ch_sql *sql);

/* Does the row match? One that is not certain is read for it. */
MUST_CHECK enum status ch_log_page_test(struct ch_log_page *page,
                                        bool *matches);

/* How many match; the page is read. */
MUST_CHECK enum status ch_log_page_total(struct ch_log_page *page,
                                         uint64_t *total);

/* ch_read_log_tail.c: until when a tail sees rows. */
MUST_CHECK enum status ch_log_tail_end(struct ch_reader *reader,
                                       uint64_t *end_ns);

/* ch_read_endpoints.c: gives log records the endpoint of their spans. */
MUST_CHECK enum status ch_fill_endpoints(struct ch_reader *reader,
                                         struct arena *arena,
                                         struct log_record *logs,
                                         uint32_t count);

#endif
