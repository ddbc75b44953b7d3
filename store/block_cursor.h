/*
 * block_cursor - blocks as queries read them: a walk over those whose times
 * match, a block or its summary straight from SQLite's row (the statement stays
 * open as long as the bytes are used), and rows of many blocks in one pass.
 *
 * Errors: a damaged block is counted and skipped; see block_is_damaged().
 */
#ifndef STORE_BLOCK_CURSOR_H
#define STORE_BLOCK_CURSOR_H

#include "block.h"
#include "reader.h"

/* A row of table block. */
struct block_row {
    uint64_t id, min_ns, max_ns, max_end_ns;
    uint32_t levels, count;
};

/* Blocks one by one, from either end of the time, so that a list can stop. */
enum walk_order {
    WALK_NEWEST,       /* by max_ns, latest first */
    WALK_OLDEST,       /* by min_ns, earliest first */
    WALK_SPANS_NEWEST, /* the same, blocks with a span that ends after start */
    WALK_SPANS_OLDEST,
    WALK_SPANS_NEAR, /* in any order, without spans that began an hour before */
    WALK_ARRIVED /* in any order; start_ns: blocks of later memtables, merged or
                    not, and those of an unknown one */
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

/* Visits each block of a walk; the visit sets *stop to end it. Damaged blocks
 * are skipped. */
typedef enum status block_visit(void *arg, const struct block_row *row,
                                bool *stop);
MUST_CHECK enum status block_walk_each(struct block_walk walk,
                                       block_visit *visit, void *arg);

/* True if this status says that a block (or chunk) is damaged: then it is
 * counted, and the caller skips it. */
bool block_is_damaged(enum status status);

/* One block at a time; block_cursor_close() frees what it holds. */
struct open_block {
    struct db_stmt stmt;
    struct block *block;
};
MUST_CHECK enum status block_cursor_open(struct reader *reader, uint64_t id,
                                         struct open_block *open);
void block_cursor_close(struct reader *reader, struct open_block *open);

/* Calls visit for each row, block by block and in order of rows; sorts `rows`.
 * Rows of damaged blocks are left out. */
struct row_place {
    uint64_t block;
    uint32_t row;
    uint32_t place; /* the caller's */
};
typedef enum status row_visit(void *arg, struct block *block,
                              const struct row_place *row);
MUST_CHECK enum status block_rows_each(struct reader *reader,
                                       struct row_place *rows, uint32_t count,
                                       row_visit *visit, void *arg);

/* A summary, valid until block_summary_end(). */
MUST_CHECK enum status block_summary(struct reader *reader, uint64_t id,
                                     struct db_stmt *stmt,
                                     struct slice *summary);
void block_summary_end(struct db_stmt *stmt);

/* How many records of these resources a block has, by level. */
MUST_CHECK enum status block_summary_counts(struct reader *reader, uint64_t id,
                                            const struct bitmap *resources,
                                            uint64_t counts[LEVEL_COUNT]);

#endif
