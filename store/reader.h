/*
 * reader - the inside of a reader, for the files that answer queries.
 */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "block.h"
#include "db.h"
#include "memtable.h"
#include "pending_writes.h"
#include "store_int.h"

struct reader {
    struct store *store;
    struct db *db;
    bool active, in_view;
    struct memtables_view heads[STREAM_COUNT]; /* what is not in the view */
    uint64_t sealed[STREAM_COUNT]; /* serial of the view's last memtable */
    struct memtable **held;        /* references, until reader_end() */
    uint32_t held_count, held_room;
    struct pending_writes *pending_writes;
    const atomic_bool *cancelled; /* NULL: never */
    struct arena scratch;         /* of the block that is open */
    struct arena work;            /* of the query that runs */
};

/* Makes the view anew, so that it also shows what came since; what the old
 * one referred to stays. */
MUST_CHECK enum status reader_refresh(struct reader *reader);

/* The status of a query that ends: what was refused for want of memory is too
 * big if others have little of it, so that waiting would not help. */
enum status reader_status(const struct reader *reader, enum status status);

/* ERR_CANCELLED once the query's flag is set. For loops over blocks and chunks;
 * reader_open_block() and reader_summary() look themselves. */
MUST_CHECK enum status reader_cancelled(const struct reader *reader);

/* ---- blocks ---- */

/* A row of table block. */
struct block_row {
    uint64_t id, memtable;
    uint64_t min_ns, max_ns, max_end_ns, max_duration_ns;
    uint32_t levels, count;
};

/* Blocks one by one, from either end of the time, so that a list can stop. */
enum walk_order {
    WALK_NEWEST,       /* by max_ns, latest first */
    WALK_OLDEST,       /* by min_ns, earliest first */
    WALK_SPANS_NEWEST, /* the same, blocks with a span that ends after start */
    WALK_SPANS_OLDEST,
    WALK_SPANS_NEAR /* in any order, without spans that began an hour before */
};
struct block_walk {
    struct db_stmt stmt;
};
struct block_walk block_walk(struct reader *reader, enum walk_order order,
                             enum block_kind kind, uint64_t start_ns,
                             uint64_t end_ns);
bool block_walk_next(struct block_walk *walk, struct block_row *row);
/* Of all steps; to be called whether it was walked to its end or not. */
MUST_CHECK enum status block_walk_end(struct block_walk *walk);

/* One at a time; what it holds goes with reader_close_block. */
struct open_block {
    struct db_stmt stmt;
    struct block *block;
};
MUST_CHECK enum status reader_open_block(struct reader *reader, uint64_t id,
                                         struct open_block *open);
void reader_close_block(struct reader *reader, struct open_block *open);

/* A summary, good until summary_end(). */
MUST_CHECK enum status reader_summary(struct reader *reader, uint64_t id,
                                      struct db_stmt *stmt,
                                      struct slice *summary);
void summary_end(struct db_stmt *stmt);
/* How many records of these resources a block has, by level. */
MUST_CHECK enum status reader_counts(struct reader *reader, uint64_t id,
                                     const struct bitmap *resources,
                                     uint64_t counts[LEVEL_COUNT]);

/* True if a block (or chunk) is damaged: then it is counted, and to be passed
 * over. */
bool reader_pass_over(enum status status);

/* ---- head ---- */

/* Walks all batches of a stream that the reader sees in memory. */
struct memtables_cursor {
    const struct memtables_view *head;
    uint32_t at;
    struct memtable_cursor walk;
    const struct memtable *memtable; /* of the batch returned last */
    uint64_t before; /* records of the memtable before that batch */
    uint32_t count;  /* of that batch */
};
struct memtables_cursor memtables_cursor(const struct reader *reader,
                                         enum stream stream);
const struct batch *memtables_next(struct memtables_cursor *walk);

/* ---- the best of many ---- */

/*
 * Keeps the `limit` first of what is offered, in no order. compare is as for
 * qsort, over the pointers offered.
 */
struct top {
    const void **at;
    uint32_t count, limit, room;
    int (*compare)(const void *a, const void *b);
    struct arena *arena;
};
/* True if it was kept; then *out is what fell out for it, or NULL. */
bool top_offer(struct top *top, const void *item, const void **out);
/* The last of those kept; NULL while there is room for more. */
const void *top_last(const struct top *top);
void top_sort(struct top *top);

/* log_query's matches get the endpoint of their spans (read_endpoints.c). */
MUST_CHECK enum status reader_fill_endpoints(struct reader *reader,
                                             struct arena *arena,
                                             struct log_record *logs,
                                             uint32_t count);

#endif
