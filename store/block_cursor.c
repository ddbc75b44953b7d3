#include "block_cursor.h"

#include <stdlib.h>

#include "stats.h"

bool block_is_damaged(enum status status)
{
    if (status != ERR_CORRUPT && status != ERR_UNSUPPORTED)
        return false;
    stats_add(STATS_STORE_CORRUPT, 1);
    return true;
}

/* ---- walking ---- */

struct block_walk block_walk(struct reader *reader, enum walk_order order,
                             enum block_kind kind, uint64_t start_ns,
                             uint64_t end_ns)
{
    static const enum db_sql sql[] = {[WALK_NEWEST] = SQL_BLOCKS_NEWEST,
                                      [WALK_OLDEST] = SQL_BLOCKS_OLDEST,
                                      [WALK_SPANS_NEWEST] = SQL_SPANS_NEWEST,
                                      [WALK_SPANS_OLDEST] = SQL_SPANS_OLDEST,
                                      [WALK_SPANS_NEAR] = SQL_SPANS_NEAR,
                                      [WALK_ARRIVED] = SQL_BLOCKS_ARRIVED};

    return (struct block_walk){db_query(reader->db, sql[order], db_int(kind),
                                        db_int(db_time(start_ns)),
                                        db_int(db_time(end_ns)))};
}

bool block_walk_next(struct block_walk *walk, struct block_row *row)
{
    struct db_stmt *s = &walk->stmt;

    if (!stmt_row(s))
        return false;
    *row = (struct block_row){.id = stmt_int(s, 0),
                              .min_ns = stmt_int(s, 1),
                              .max_ns = stmt_int(s, 2),
                              .max_end_ns = stmt_int(s, 3),
                              .levels = (uint32_t)stmt_int(s, 4),
                              .count = (uint32_t)stmt_int(s, 5)};
    return true;
}

enum status block_walk_end(struct block_walk *walk)
{
    return stmt_end(&walk->stmt);
}

enum status block_walk_each(struct block_walk walk, block_visit *visit,
                            void *arg)
{
    struct block_row row;
    enum status status = OK;
    bool stop = false;

    while (status == OK && !stop && block_walk_next(&walk, &row)) {
        status = visit(arg, &row, &stop);
        if (block_is_damaged(status))
            status = OK;
    }
    return stmt_end_with(&walk.stmt, status);
}

/* ---- blocks ---- */

/* The status of stepping was examined; ending a query adds nothing. */
void block_summary_end(struct db_stmt *stmt)
{
    if (stmt_end(stmt) != OK)
        stmt->handle = NULL;
}

enum status block_cursor_open(struct reader *reader, uint64_t id,
                              struct open_block *open)
{
    enum status status = reader_cancelled(reader);

    open->block = NULL;
    if (status != OK)
        return status;
    open->stmt = db_query(reader->db, SQL_DATA_GET, db_int(id));
    status = ERR_CORRUPT; /* a block without data */
    if (stmt_row(&open->stmt))
        status = block_open(&open->block, stmt_bytes(&open->stmt, 0),
                            &reader->scratch);
    else if (open->stmt.status != OK)
        status = open->stmt.status;
    if (status == OK)
        block_set_first_arrival(open->block, log_arrival(id, 0));
    else
        block_cursor_close(reader, open);
    return status;
}

void block_cursor_close(struct reader *reader, struct open_block *open)
{
    block_summary_end(&open->stmt);
    arena_reset(&reader->scratch);
    open->block = NULL;
}

static int by_block(const void *left, const void *right)
{
    const struct row_place *a = left, *b = right;

    if (a->block != b->block)
        return a->block < b->block ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* Rows of one block. */
static enum status visit_rows(struct reader *reader,
                              const struct row_place *rows, uint32_t count,
                              row_visit *visit, void *arg)
{
    struct open_block open;
    enum status status = block_cursor_open(reader, rows->block, &open);

    if (status != OK)
        return status;
    for (uint32_t i = 0; i < count && status == OK; i++)
        status = visit(arg, open.block, &rows[i]);
    block_cursor_close(reader, &open);
    return status;
}

enum status block_rows_each(struct reader *reader, struct row_place *rows,
                            uint32_t count, row_visit *visit, void *arg)
{
    enum status status = OK;

    if (count > 1)
        qsort(rows, count, sizeof(*rows), by_block);
    for (uint32_t i = 0, end; i < count && status == OK; i = end) {
        for (end = i + 1; end < count && rows[end].block == rows[i].block;)
            end++;
        status = visit_rows(reader, rows + i, end - i, visit, arg);
        if (block_is_damaged(status))
            status = OK;
    }
    return status;
}

/* ---- summaries ---- */

enum status block_summary(struct reader *reader, uint64_t id,
                          struct db_stmt *stmt, struct slice *summary)
{
    enum status status = reader_cancelled(reader);

    if (status != OK)
        return status;
    *stmt = db_query(reader->db, SQL_SUMMARY_GET, db_int(id));
    if (stmt_row(stmt)) {
        *summary = stmt_bytes(stmt, 0);
        return OK;
    }
    status = stmt_end(stmt);
    return status == OK ? ERR_CORRUPT : status;
}

enum status block_summary_counts(struct reader *reader, uint64_t id,
                                 const struct bitmap *resources,
                                 uint64_t counts[LEVEL_COUNT])
{
    struct db_stmt stmt;
    struct slice summary;
    enum status status = block_summary(reader, id, &stmt, &summary);

    if (status != OK)
        return status;
    if (!summary_counts(summary, resources, counts))
        status = ERR_CORRUPT;
    block_summary_end(&stmt);
    return status;
}
