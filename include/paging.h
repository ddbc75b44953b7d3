/*
 * paging - lists that are read page by page, by time or by cursor.
 *
 * Purpose: startTime, endTime and cursor of a request become a window; the
 *   records that were read become times, nextCursor and total of the answer.
 * Ownership: a window points into itself and must not be copied or moved.
 * Threads: one request, one thread.
 * Errors: a bad cursor or time is answered with 400 (query_fail).
 *
 * By time, as clients of OpenChoreo's Observer do: the last timestamp seen
 * comes back as startTime (oldest first) or endTime (newest first). The window
 * is start <= time < end. Where that would repeat or lose records, a timestamp
 * in an answer names its record (list_time.h), and the window begins after it
 * or ends before it:
 *
 *   - where records of one answer, or the next one, share a nanosecond
 *   - on the last record of an answer that is oldest first
 *   - on the last trace or span of an answer, if there is more
 *
 * By cursor: `nextCursor` of an answer, sent back as `cursor` in the same
 * request.
 *
 * Both are a struct list_position, which does not change when records are
 * flushed, merged or replayed, or when others arrive.
 */
#ifndef PAGING_H
#define PAGING_H

#include "query_request.h"
#include "reply_table.h"

/* What a cursor may be used for. */
enum list_kind { LIST_LOGS = 1, LIST_EVENTS, LIST_TRACES, LIST_SPANS };

enum {
    PAGING_TOTAL = 1000, /* matches are counted up to this */
    PAGING_CURSOR = 31   /* bytes */
};

/* Which records a request is about. */
struct list_window {
    enum list_kind kind;
    bool ascending;
    uint32_t limit;
    uint64_t start_ns, end_ns;
    struct list_position after, before;
    struct list_range range; /* points to the two */
    struct count_limit counting;
};

/* limit (params_page()), sortOrder, startTime, endTime and cursor of the body.
 */
enum status paging_window(struct query_request *request, enum list_kind kind,
                          uint32_t min_limit, uint32_t max_limit,
                          struct list_window *window);

/* The records of one answer, in their order. One more than the limit is read,
 * to know whether there is a next page. */
struct list_page {
    const struct list_window *window;
    const void *records;
    uint32_t known;
};

/* The time of record i, with its number where it must name the record. */
struct list_time paging_time(const struct list_page *page, uint32_t i);

/* An answer: a list, and after it nextCursor, total and whether that is a lower
 * bound, tookMs. */
struct list_end {
    uint8_t next_cursor[PAGING_CURSOR]; /* all zero: there is no next page */
    bool is_lower_bound;
    uint64_t total;
    int64_t took_ms;
};
struct list_reply {
    struct reply_list records;
    struct list_end end;
};
extern const struct reply_table list_end_table;

#define LIST_REPLY_TABLE(name, table)                                \
    REPLY_TABLE(struct list_reply,                                   \
                REPLY_LIST(struct list_reply, name, records, table), \
                REPLY_INLINE(struct list_reply, end, 0, &list_end_table))

/* Fills it in, each record as `item` shows it. total: matches that were
 * counted.
 */
struct list_reply paging_list(const struct query_request *request,
                              const struct list_page *page, reply_item *item,
                              void *arg, uint64_t total);
/* And writes it. */
void paging_reply(struct query_request *request,
                  const struct reply_table *table, const struct list_page *page,
                  reply_item *item, void *arg, uint64_t total);

#endif
