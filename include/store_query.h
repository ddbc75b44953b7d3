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
#include "hash.h"
#include "record.h"

/* The attribute of this key must have this value as text (numbers and booleans
 * as in JSON), or an array an element that has. */
struct attr_match {
    struct slice key, value;
};

/*
 * The position of a record in a list ordered by time. Records of equal times
 * are ordered by key, compared as bytes: log records by arrival (the number,
 * big endian), spans by span id, traces by trace id. Lists are read page by
 * page from one position to another; the position of a record does not change
 * when it is flushed, merged or replayed.
 */
enum { POSITION_KEY = 16, POSITION_NUMBER = 8 };
struct list_position {
    uint64_t time_ns;
    uint8_t key[POSITION_KEY];
    uint8_t key_len; /* bytes of the key that are compared */
};

/* Compares a record with a position, like memcmp(). */
static inline int list_compare(uint64_t time_ns, const uint8_t *key,
                               const struct list_position *place)
{
    if (time_ns != place->time_ns)
        return time_ns < place->time_ns ? -1 : 1;
    return memcmp(key, place->key, place->key_len);
}

/* The part of a list between two positions, exclusive; NULL: no bound. */
struct list_range {
    const struct list_position *after, *before;
};
static inline bool list_has(const struct list_range *range, uint64_t time_ns,
                            const uint8_t *key)
{
    return (!range->after || list_compare(time_ns, key, range->after) > 0) &&
           (!range->before || list_compare(time_ns, key, range->before) < 0);
}

static inline void list_number(uint8_t key[POSITION_NUMBER], uint64_t number)
{
    for (int i = POSITION_NUMBER; i-- > 0; number >>= 8)
        key[i] = (uint8_t)number;
}

/* A limit on counting matches, since a page is complete long before all are
 * counted: it ends at `most`, or when it takes too long. */
struct count_limit {
    uint64_t most; /* 0: all are counted */
    bool patient;  /* it ends at `most` only */
    bool stopped;  /* out: the total is a lower bound */
};

/* A point in the order of arrival (log_arrival(), record.h). It is good for
 * ever: what it stands after does not arrive again, neither by a restart nor by
 * a merge of blocks. */
struct log_tail {
    uint64_t arrival; /* records up to this one have been seen */
    uint64_t serial;  /* of a memtable: blocks up to it have no later record */
    uint32_t store;   /* which data folder it is of */
};

/* A new filter is tested in block/match.c:match_log and, for blocks, in
 * block/block_logs_read.c; store/read_logs.c:summary_is_exact must know it, or
 * totals are wrong, and tests/unit/store/test_totals.c needs a row for it. */
struct log_query {
    uint64_t start_ns, end_ns;      /* start inclusive, end exclusive */
    const struct bitmap *resources; /* NULL: all */
    bool events;                    /* the events stream instead of logs */
    uint32_t levels;                /* bits 1 << enum level; 0: all */
    struct slice phrase;            /* substring of the body, exact */
    const struct slice *words;      /* whole words of the body, all of them; */
    uint32_t word_count;            /* case ignored (case_fold.h) */
    const struct attr_match *attrs;
    uint32_t attr_count;
    const struct attr_match *any; /* at least one of these */
    uint32_t any_count;           /* 0: no condition */
    const uint8_t *trace_id;      /* 16 bytes, or NULL */
    const uint8_t *span_id;       /* 8 bytes, or NULL */
    bool ascending;               /* by time, then by arrival */
    uint32_t limit;
    struct list_range range;
    /* Not NULL: only what arrived after it, in the order of arrival; `range`
     * and `ascending` are not used. */
    const struct log_tail *tail;
    struct count_limit *counting; /* NULL: all are counted */
    bool brief; /* only time, ids, level, resource and body are sure to be
                   there; those of one time are in any order */
};

/* A new filter is tested in block/match.c:match_span,
 * block/block_spans_match.c, or store/read_traces.c:matches and about_whole if
 * it is about the whole trace; tests/unit/store/test_totals.c needs a row for
 * it. */
struct trace_query {
    uint64_t start_ns, end_ns;      /* a trace matches if a span of one of */
    const struct bitmap *resources; /* these resources overlaps this time */
    const struct bitmap *visible;   /* a superset of resources; spans of others
                                      are ignored; NULL: all are visible */
    const struct attr_match *attrs; /* all on one such span */
    uint32_t attr_count;
    uint64_t min_duration_ns, max_duration_ns; /* of the trace; 0: any */
    bool errors_only;                          /* such a span has failed */
    struct slice endpoint, operation; /* such a span has them; empty: any */
    bool ascending;                   /* by start of the trace, then by id */
    uint32_t limit;
    struct list_range range;
    struct count_limit *counting; /* NULL: all are counted */
};

/* The spans of a trace, by start, then by id. */
struct span_query {
    const uint8_t *trace_id;        /* 16 bytes */
    const struct bitmap *resources; /* empty unless the trace has a span of
                                      one of them; NULL: any */
    const struct bitmap *visible;   /* spans of others are ignored; NULL: all
                                      are visible */
    bool whole;                     /* with attributes, events and links */
    bool ascending;
    uint32_t limit;
    struct list_range range;
    struct count_limit *counting; /* NULL: all are counted */
};

/* True if a span, both its ends inclusive, overlaps the time of the query. */
static inline bool span_overlaps(uint64_t start_ns, uint64_t end_ns,
                                 const struct trace_query *query)
{
    return start_ns < query->end_ns && end_ns >= query->start_ns;
}

/* Points of one series by time: histograms of which only the counts were asked
 * for. */
struct series_counts {
    const uint64_t *times_ns, *starts_ns, *counts;
    const uint32_t *flags; /* enum point_flag */
    uint32_t count;
};

struct series_query {
    uint64_t start_ns, end_ns;      /* on time_ns: start < time <= end */
    const struct bitmap *resources; /* not NULL */
    const struct slice *names;      /* metric names; count 0: all */
    uint32_t name_count;
    bool sent; /* only what was sent: no derived series */
    /* Called before the points of each series, so that what they have in common
     * is looked up once; those of one series may come in parts. NULL: not. */
    void (*series)(void *arg);
    /* What is left out before its points are decoded: false for a metric, or
     * for a series, of which `head` has metric, resource and attributes. NULL:
     * nothing. Points in memory are asked for one by one. */
    bool (*wants_metric)(void *arg, const struct metric *metric);
    bool (*wants_series)(void *arg, const struct point *head);
    /* Of numbers and exponential histograms one point a series is enough,
     * without its value. */
    bool heads;
    /* Of histograms the count is enough; those in memory may have more. */
    bool counts_only;
    /* Exemplars are not looked at; they may be there. */
    bool no_exemplars;
    /* Takes such histograms of a series all at once, if not NULL; those of
     * which only the whole is stored, or in memory, are visited. */
    void (*counts)(void *arg, const struct series_counts *counts);
};
static inline bool series_query_matches(const struct series_query *query,
                                        struct slice name)
{
    for (uint32_t i = 0; i < query->name_count; i++)
        if (slice_equal(query->names[i], name))
            return true;
    return query->name_count == 0;
}

/* A sample of traces, what the resources sent of them: in each range those
 * whose id, hashed to 0 ... SAMPLE_ALL - 1, is below `keep`. */
enum { SAMPLE_ALL = 65536 };
struct sample_range {
    uint64_t start_ns, end_ns; /* start inclusive, end exclusive */
    uint32_t keep;
};
struct sample_query {
    const struct sample_range *ranges; /* by time; they do not overlap */
    uint32_t range_count;              /* not 0 */
    const struct bitmap *resources;    /* not NULL */
    bool attrs;    /* of spans, not only ids, times, names, endpoint, kind,
                      status */
    uint8_t kinds; /* bits 1 << kind: only such spans; 0: all */
};
static inline uint32_t sample_hash(const uint8_t trace_id[16])
{
    return (uint32_t)(hash_bytes(trace_id, 16, 0) & (SAMPLE_ALL - 1));
}
/* Is a record of this time in the sample? hash: of its trace. */
static inline bool sample_has(const struct sample_query *query, uint32_t hash,
                              uint64_t time_ns)
{
    const struct sample_range *r = query->ranges;

    for (uint32_t i = 0; i < query->range_count; i++)
        if (time_ns >= r[i].start_ns && time_ns < r[i].end_ns)
            return hash < r[i].keep;
    return false;
}
/* Could records of these times be in the sample? Both ends inclusive; hash 0:
 * of any trace. */
static inline bool sample_overlaps(const struct sample_query *query,
                                   uint32_t hash, uint64_t first_ns,
                                   uint64_t last_ns)
{
    const struct sample_range *r = query->ranges;

    for (uint32_t i = 0; i < query->range_count; i++)
        if (first_ns < r[i].end_ns && last_ns >= r[i].start_ns &&
            hash < r[i].keep)
            return true;
    return false;
}
static inline bool sample_wants(const struct sample_query *query, uint8_t kind,
                                uint32_t resource_id)
{
    return (query->kinds == 0 || (kind < 8 && query->kinds >> kind & 1)) &&
           bitmap_has(query->resources, resource_id);
}

/* Records are valid during the call only. */
typedef void point_visit(void *arg, const struct point *point);
typedef void span_visit(void *arg, const struct span *span);
typedef void log_visit(void *arg, const struct log_record *log);

#endif
