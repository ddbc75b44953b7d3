/*
 * list_time - a time in an answer that can name one record of a list.
 *
 * Purpose: RFC 3339 with more than nine digits of fraction: the first nine are
 *   the time, the rest the number that orders records of one nanosecond
 *   (POSITION_NUMBER bytes of a list place's key). Sent back as startTime or
 *   endTime it names that place.
 * Ownership: plain values.
 * Threads: pure.
 * Errors: a time that is not of this form names no place.
 *
 * Digits after the ninth: how many groups of three follow (one digit), then
 * the number in these groups. So longer numbers sort after shorter ones, as
 * text and as fractions.
 */
#ifndef LIST_TIME_H
#define LIST_TIME_H

#include "jsonw.h"
#include "store_query.h"

struct list_time {
    uint64_t ns, number;
    bool exact; /* false: the number is left out */
};

void list_time_write(struct jsonw *w, const struct list_time *time);

/* The number of a key of at least POSITION_NUMBER bytes. */
uint64_t list_time_number(const uint8_t key[POSITION_NUMBER]);

/* A bound of a window, which starts at *ns or ends before it: true if the text
 * names a place. *ns is rounded up where the text is after a nanosecond. */
bool list_time_bound(struct slice text, bool is_end, uint64_t *ns,
                     struct list_position *place);

#endif
