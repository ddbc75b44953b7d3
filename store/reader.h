/*
 * reader - the inside of a reader, for the files that answer queries:
 * read_logs.c, read_traces.c, read_trace.c, read_series.c, read_sample.c,
 * read_endpoints.c. Blocks are read through block_cursor.h.
 *
 * Threads: one at a time.
 */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "store_int.h"

struct reader {
    struct reader_head head;
    struct store *store;
    struct db *db;
    bool active, in_view;
    struct memtables_view memtables[STREAM_COUNT]; /* not in the database */
    uint64_t committed[STREAM_COUNT]; /* serial of the view's last memtable */
    struct memtable **held;           /* references, until reader_end() */
    uint32_t held_count, held_room;
    struct pending_writes *pending_writes;
    struct arena scratch; /* of the block that is open */
    struct arena work;    /* of the query that runs */
};

/* Makes the view again, so that it includes what was appended since; records of
 * the old one stay valid. */
MUST_CHECK enum status reader_refresh(struct reader *reader);

/* The status of a query that ends. Memory was refused (ERR_BUSY) although other
 * queries use little: waiting would not help, so the query is too big. */
enum status reader_status(const struct reader *reader, enum status status);

/* ---- records in memory ---- */

/* Walks the batches of a stream that the reader sees in memory. */
struct memtables_cursor {
    const struct memtables_view *view;
    uint32_t at; /* the memtable */
    struct memtable_cursor batches;
    const struct batch *batch; /* NULL: before the first, or at the end */
    uint32_t record;           /* the next one of the batch */
};
struct memtables_cursor memtables_cursor(const struct reader *reader,
                                         enum stream stream);
const struct batch *memtables_next(struct memtables_cursor *cursor);

/* The next record of a stream of spans, logs or points; NULL at the end. */
static inline bool memtables_has_record(struct memtables_cursor *cursor)
{
    while (!cursor->batch || cursor->record == cursor->batch->count)
        if (!memtables_next(cursor))
            return false;
    return true;
}

static inline const struct span *memtables_next_span(
    struct memtables_cursor *cursor)
{
    return memtables_has_record(cursor)
               ? &cursor->batch->spans[cursor->record++]
               : NULL;
}

static inline const struct log_record *memtables_next_log(
    struct memtables_cursor *cursor)
{
    return memtables_has_record(cursor) ? &cursor->batch->logs[cursor->record++]
                                        : NULL;
}

static inline const struct point *memtables_next_point(
    struct memtables_cursor *cursor)
{
    return memtables_has_record(cursor)
               ? &cursor->batch->points[cursor->record++]
               : NULL;
}

/* read_endpoints.c: gives log records the endpoint of their spans. */
MUST_CHECK enum status reader_fill_endpoints(struct reader *reader,
                                             struct arena *arena,
                                             struct log_record *logs,
                                             uint32_t count);

#endif
