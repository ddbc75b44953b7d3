/*
 * What all queries over blocks share: a walk over those whose time fits, a
 * block or its summary straight from SQLite's row (no copy: the statement
 * stays open as long as the bytes are used), the batches in memory, and a
 * heap for the first few of many.
 */
#include <stdlib.h>

#include "reader.h"
#include "stats.h"

bool reader_pass_over(enum status status)
{
    if (status != ERR_CORRUPT && status != ERR_UNSUPPORTED)
        return false;
    stats_add(STATS_STORE_CORRUPT, 1);
    return true;
}

static struct block_row read_row(struct db_stmt *s)
{
    return (struct block_row){.id = stmt_get_int(s, 0),
                              .memtable = stmt_get_int(s, 1),
                              .min_ns = stmt_get_int(s, 2),
                              .max_ns = stmt_get_int(s, 3),
                              .max_end_ns = stmt_get_int(s, 4),
                              .max_duration_ns = stmt_get_int(s, 5),
                              .levels = (uint32_t)stmt_get_int(s, 6),
                              .count = (uint32_t)stmt_get_int(s, 7)};
}

struct block_walk block_walk(struct reader *reader, enum walk_order order,
                             enum block_kind kind, uint64_t start_ns,
                             uint64_t end_ns)
{
    static const enum db_sql sql[] = {[WALK_NEWEST] = SQL_BLOCKS_NEWEST,
                                      [WALK_OLDEST] = SQL_BLOCKS_OLDEST,
                                      [WALK_SPANS_NEWEST] = SQL_SPANS_NEWEST,
                                      [WALK_SPANS_OLDEST] = SQL_SPANS_OLDEST,
                                      [WALK_SPANS_NEAR] = SQL_SPANS_NEAR};
    struct block_walk walk = {stmt_start(reader->db, sql[order])};

    stmt_int(&walk.stmt, kind);
    stmt_int(&walk.stmt, db_time(start_ns));
    stmt_int(&walk.stmt, db_time(end_ns));
    return walk;
}

bool block_walk_next(struct block_walk *walk, struct block_row *row)
{
    if (!stmt_row(&walk->stmt))
        return false;
    *row = read_row(&walk->stmt);
    return true;
}

enum status block_walk_end(struct block_walk *walk)
{
    return stmt_end(&walk->stmt);
}

enum status reader_open_block(struct reader *reader, uint64_t id,
                              struct open_block *open)
{
    enum status status = reader_cancelled(reader);

    open->block = NULL;
    if (status != OK)
        return status;
    open->stmt = stmt_start(reader->db, SQL_DATA_GET);
    stmt_int(&open->stmt, id);
    status = ERR_CORRUPT; /* a block without data */
    if (stmt_row(&open->stmt))
        status = block_open(&open->block, stmt_get_bytes(&open->stmt, 0),
                            &reader->scratch);
    else if (open->stmt.status != OK)
        status = open->stmt.status;
    if (status == OK)
        block_set_first_arrival(open->block, log_arrival(id, 0));
    else
        reader_close_block(reader, open);
    return status;
}

void reader_close_block(struct reader *reader, struct open_block *open)
{
    summary_end(&open->stmt);
    arena_reset(&reader->scratch);
    open->block = NULL;
}

enum status reader_summary(struct reader *reader, uint64_t id,
                           struct db_stmt *stmt, struct slice *summary)
{
    enum status status = reader_cancelled(reader);

    if (status != OK)
        return status;
    *stmt = stmt_start(reader->db, SQL_SUMMARY_GET);
    stmt_int(stmt, id);
    if (stmt_row(stmt)) {
        *summary = stmt_get_bytes(stmt, 0);
        return OK;
    }
    status = stmt_end(stmt);
    return status == OK ? ERR_CORRUPT : status;
}

/* What stepping said has been looked at; ending a query says no more. */
void summary_end(struct db_stmt *stmt)
{
    if (stmt_end(stmt) != OK)
        stmt->handle = NULL;
}

enum status reader_counts(struct reader *reader, uint64_t id,
                          const struct bitmap *resources,
                          uint64_t counts[LEVEL_COUNT])
{
    struct db_stmt stmt;
    struct slice summary;
    enum status status = reader_summary(reader, id, &stmt, &summary);

    if (status != OK)
        return status;
    if (!summary_counts(summary, resources, counts))
        status = ERR_CORRUPT;
    summary_end(&stmt);
    return status;
}

struct memtables_cursor memtables_cursor(const struct reader *reader,
                                         enum stream stream)
{
    struct memtables_cursor walk = {.head = &reader->heads[stream]};

    if (walk.head->count > 0) {
        walk.walk = memtable_cursor(&walk.head->at[0]);
        walk.memtable = walk.head->at[0].memtable;
    }
    return walk;
}

const struct batch *memtables_next(struct memtables_cursor *walk)
{
    while (walk->at < walk->head->count) {
        const struct batch *batch = memtable_next(&walk->walk);

        walk->before += walk->count;
        walk->count = 0;
        if (batch) {
            walk->count = batch->count;
            return batch;
        }
        walk->before = 0;
        if (++walk->at < walk->head->count) {
            walk->walk = memtable_cursor(&walk->head->at[walk->at]);
            walk->memtable = walk->head->at[walk->at].memtable;
        }
    }
    return NULL;
}

/* The heap has the last of those kept at its root. */
static void sift_down(struct top *top, uint32_t at)
{
    for (;;) {
        uint32_t child = 2 * at + 1, last = at;

        for (int i = 0; i < 2; i++, child++)
            if (child < top->count &&
                top->compare(top->at[child], top->at[last]) > 0)
                last = child;
        if (last == at)
            return;
        const void *item = top->at[at];
        top->at[at] = top->at[last];
        top->at[last] = item;
        at = last;
    }
}

static void sift_up(struct top *top, uint32_t at)
{
    while (at > 0 && top->compare(top->at[at], top->at[(at - 1) / 2]) > 0) {
        const void *item = top->at[at];

        top->at[at] = top->at[(at - 1) / 2];
        top->at[(at - 1) / 2] = item;
        at = (at - 1) / 2;
    }
}

static bool top_room(struct top *top)
{
    if (top->count < top->room)
        return true;

    uint32_t room = top->room ? 2 * top->room : 128;
    const void **at = arena_zero(top->arena, room, sizeof(*at));
    if (!at)
        return false;
    if (top->count > 0)
        memcpy(at, top->at, top->count * sizeof(*at));
    top->at = at;
    top->room = room;
    return true;
}

bool top_offer(struct top *top, const void *item, const void **out)
{
    *out = NULL;
    if (top->count < top->limit) {
        if (!top_room(top))
            return false;
        top->at[top->count++] = item;
        sift_up(top, top->count - 1);
        return true;
    }
    if (top->limit == 0 || top->compare(item, top->at[0]) >= 0)
        return false;
    *out = top->at[0];
    top->at[0] = item;
    sift_down(top, 0);
    return true;
}

const void *top_last(const struct top *top)
{
    return top->count > 0 && top->count == top->limit ? top->at[0] : NULL;
}

/* Heap sort: the root is the last, so it goes to the end. */
void top_sort(struct top *top)
{
    uint32_t count = top->count;

    while (top->count > 1) {
        const void *last = top->at[0];

        top->at[0] = top->at[--top->count];
        top->at[top->count] = last;
        sift_down(top, 0);
    }
    top->count = count;
}
