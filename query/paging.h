/*
 * paging - lists that are read page by page, by time or by cursor.
 *
 * By time, as clients of OpenChoreo's Observer do: the timestamp that was seen
 * last comes back as startTime (oldest first) or endTime (newest first). The
 * window is start <= time < end. Where that would repeat or lose records, a
 * timestamp in an answer has more than nine digits of fraction: they name the
 * one record, and the window begins behind it or ends before it. They stand
 *
 *   - where records of one answer, or the next one, share a nanosecond
 *   - on the last record of an answer that is oldest first
 *   - on the last trace or span of an answer, if there is more
 *
 * By cursor: `nextCursor` of an answer, back as `cursor` in the same request.
 *
 * Both name a place (store_query.h), which stays while records are sealed,
 * merged and replayed and while others come.
 */
#ifndef PAGING_H
#define PAGING_H

#include "query_request.h"

/* What a cursor may be used for. */
enum list_kind { LIST_LOGS = 1, LIST_EVENTS, LIST_TRACES, LIST_SPANS };

struct list_window {
    uint64_t start_ns, end_ns;
    struct list_place after, before;
    struct list_range range; /* points to the two */
};

/* startTime, endTime and cursor of the body. */
MUST_CHECK enum status paging_window(struct query_request *request,
                                     enum list_kind kind, bool ascending,
                                     struct list_window *window);

/* The number of a place whose key is 8 bytes or more. */
uint64_t paging_number(const uint8_t key[PLACE_NUMBER]);

/* A time as a member; `exact`: with the digits that name the record. */
void paging_time(struct query_request *request, const char *key,
                 uint64_t time_ns, bool exact, uint64_t number);

/* Must record i of `shown` have an exact time? times: of `known` records in
 * their order, those that are shown and perhaps one more. */
bool paging_exact(const struct list_window *window, bool ascending,
                  const uint64_t *times, uint32_t i, uint32_t shown,
                  uint32_t known);

/* nextCursor, to go on behind this place. */
void paging_cursor(struct query_request *request, enum list_kind kind,
                   bool ascending, const struct list_place *last);

/* What is counted at most. */
enum { PAGING_TOTAL = 1000 };
/* Ends a list: total, and whether it is a lower bound. */
void paging_end(struct query_request *request, uint64_t total, bool stopped);

#endif
