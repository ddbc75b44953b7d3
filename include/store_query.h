/*
 * store_query - what a reader of the store can be asked for.
 *
 * Purpose:   vocabulary: memtables, blocks and chunks are all searched by these
 *            structs.
 * Ownership: a query borrows everything it points to for the time of the call.
 * Threads:   one thread per query.
 * Errors:    none of its own; `counting` says whether a total is complete.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <string.h>

#include "bitmap.h"
#include "record.h"

/* An attribute of the record that must have this text form (numbers and
 * booleans as JSON writes them). */
struct attr_match {
    struct slice key, value;
};

/*
 * The place of a record in a list ordered by time. Records of one time are in
 * the order of their keys, compared as bytes: log records by arrival (the
 * number, big endian), spans by span id, traces by trace id. A list can begin
 * behind a place and end before one, which is how it is read page by page: the
 * place of a record does not change when it is sealed, merged or replayed.
 */
enum { PLACE_KEY = 16, PLACE_NUMBER = 8 };
struct list_place {
    uint64_t time_ns;
    uint8_t key[PLACE_KEY];
    uint8_t key_len; /* bytes of the key that are compared */
};

/* Where a record with this time and key stands: < 0 before the place. */
static inline int list_compare(uint64_t time_ns, const uint8_t *key,
                               const struct list_place *place)
{
    if (time_ns != place->time_ns)
        return time_ns < place->time_ns ? -1 : 1;
    return memcmp(key, place->key, place->key_len);
}

/* The part of a list behind and before places; NULL: no bound. */
struct list_range {
    const struct list_place *after, *before;
};
static inline bool list_has(const struct list_range *range, uint64_t time_ns,
                            const uint8_t *key)
{
    return (!range->after || list_compare(time_ns, key, range->after) > 0) &&
           (!range->before || list_compare(time_ns, key, range->before) < 0);
}

static inline void list_number(uint8_t key[PLACE_NUMBER], uint64_t number)
{
    for (int i = PLACE_NUMBER; i-- > 0; number >>= 8)
        key[i] = (uint8_t)number;
}

/*
 * How far matches are counted. A page is complete long before all is counted:
 * counting ends at `most`, or when it costs more than a page should.
 */
struct count_limit {
    uint64_t most; /* 0: all are counted */
    bool stopped;  /* out: there may be more than `total` */
};

struct log_query {
    uint64_t start_ns, end_ns;      /* start inclusive, end exclusive */
    const struct bitmap *resources; /* NULL: all */
    bool events;                    /* the events stream instead of logs */
    uint32_t levels;                /* bits 1 << enum level; 0: all */
    struct slice phrase;            /* substring of the body, as it is */
    const struct slice *words;      /* each is a whole word in the body, */
    uint32_t word_count;            /* case ignored (fold.h) */
    const struct attr_match *attrs;
    uint32_t attr_count;
    const struct attr_match *any; /* one of these at least must be there */
    uint32_t any_count;           /* 0: no such condition */
    const uint8_t *trace_id;      /* 16 bytes, or NULL */
    const uint8_t *span_id;       /* 8 bytes, or NULL */
    bool ascending;               /* by time, then by arrival */
    uint32_t limit;
    struct list_range range;
    struct count_limit *counting; /* NULL: all are counted */
};

struct trace_query {
    uint64_t start_ns, end_ns;      /* a trace matches if a span that is in */
    const struct bitmap *resources; /* `resources` overlaps this time */
    const struct bitmap *visible;   /* `resources` and more: others neither
                                      count nor show; NULL: all do */
    const struct attr_match *attrs; /* all on one such span */
    uint32_t attr_count;
    uint64_t min_duration_ns, max_duration_ns; /* of the trace; 0: any */
    bool errors_only;       /* a span in `resources` has failed */
    struct slice operation; /* such a span has it; empty: any */
    bool ascending;         /* by start of the trace, then by id */
    uint32_t limit;
    struct list_range range;
    struct count_limit *counting; /* NULL: all are counted */
};

/* The spans of a trace, by start, then by id. */
struct span_query {
    const uint8_t *trace_id;        /* 16 bytes */
    const struct bitmap *resources; /* the trace has a span of one of them, or
                                      the list is empty; NULL: any */
    const struct bitmap *visible;   /* spans of others are passed over; NULL:
                                      none are */
    bool whole;                     /* with attributes, events and links */
    bool ascending;
    uint32_t limit;
    struct list_range range;
    struct count_limit *counting; /* NULL: all are counted */
};

/* The time from start_ns to end_ns (exclusive) overlaps a span that begins and
 * ends then; both its ends belong to the span. */
static inline bool span_overlaps(uint64_t start_ns, uint64_t end_ns,
                                 const struct trace_query *query)
{
    return start_ns < query->end_ns && end_ns >= query->start_ns;
}

struct series_query {
    uint64_t start_ns, end_ns;      /* on time_ns: start < time <= end */
    const struct bitmap *resources; /* not NULL */
    const struct slice *names;      /* metric names; count 0: all */
    uint32_t name_count;
};

/* Some of the traces, and what was logged inside them: those whose id, hashed
 * to 0 ... SAMPLE_ALL - 1, is below `keep`. */
enum { SAMPLE_ALL = 65536 };
struct sample_query {
    uint64_t start_ns, end_ns;      /* start inclusive, end exclusive */
    const struct bitmap *resources; /* not NULL */
    uint32_t keep;
    bool whole; /* attributes, events and links of spans, too */
};

/* What they are shown is good during the visit only. */
typedef void point_visit(void *arg, const struct point *point);
typedef void span_visit(void *arg, const struct span *span);
typedef void log_visit(void *arg, const struct log_record *log);

#endif
