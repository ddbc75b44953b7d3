/*
 * The tables are those of the new database's own schema, so a table that is
 * added there is repaired, too. A table with an integer key is walked upward;
 * where that meets a page that cannot be read,
 *
 *   up     ...low]  ###########  [beyond...
 *   probe            1 2 3 .. further by a sixteenth each time
 *   down             <---------
 *
 * a key beyond it is searched, the rows between are copied from above downward
 * as far as they can be read, and the walk continues from there. A table with
 * another key is walked from both ends. One row is in memory at a time.
 *
 * Only a place that fails twice because of its bytes is skipped: lack of
 * memory, a lock or a file ends the repair, and the next start tries again.
 *
 * Afterwards the tables are made consistent: a block is complete or removed;
 * totals are counted again; an id that something still refers to is not given
 * to another resource.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "repair.h"
#include "series.h"

#define PROBE_FAR (INT64_C(1) << 40)

struct table_copy {
    sqlite3_stmt *up, *down, *probe, *put;
    bool keyed;
};

struct repair_copy {
    sqlite3 *from, *to;
    struct repair_result *result;
    enum status status; /* of writing, and of reading what is not damaged */
};

/* True if what was read is damaged; otherwise the repair ends. The caller has
 * tried twice. */
static bool is_hole(struct repair_copy *rows, int code)
{
    enum status status = db_status(code);
    bool unread = code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ;

    if (status != ERR_BUSY && (status != ERR_IO || unread))
        return true; /* a length beyond all bounds, a table that is not there */
    rows->status = status;
    return false;
}

/* NULL if it cannot be. */
static sqlite3_stmt *prepare(struct repair_copy *rows, sqlite3 *db,
                             const char *format, const char *name)
{
    sqlite3_stmt *stmt = NULL;
    char *sql = sqlite3_mprintf(format, name);
    int code = SQLITE_NOMEM;

    for (int i = 0; sql && i < 2 && code != SQLITE_OK; i++)
        code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (code != SQLITE_OK && (db == rows->to || !is_hole(rows, code)))
        rows->status = db_status(code);
    sqlite3_free(sql);
    return stmt;
}

static void put_row(struct repair_copy *rows, sqlite3_stmt *row,
                    sqlite3_stmt *put)
{
    int columns = sqlite3_bind_parameter_count(put), code = SQLITE_OK;

    for (int i = 1; i <= columns && code == SQLITE_OK; i++)
        code = sqlite3_bind_value(put, i, sqlite3_column_value(row, i));
    if (code == SQLITE_OK)
        code = sqlite3_step(put);
    sqlite3_reset(put);
    sqlite3_clear_bindings(put);
    if (code == SQLITE_DONE)
        rows->result->rows++;
    else if ((code & 0xff) == SQLITE_CONSTRAINT || code == SQLITE_MISMATCH)
        rows->result->places++; /* bytes that happen to look like a row */
    else
        rows->status = db_status(code);
}

/* All rows between two keys; *last is the one reached. False if a place was
 * met that cannot be read. way: 1 upward, -1 downward, 0 not by number. A key
 * that is too low may be right, and the one before it too high. */
static bool copy_rows(struct repair_copy *rows, sqlite3_stmt *select,
                      sqlite3_stmt *put, int way, int64_t *last)
{
    int code = SQLITE_ROW;
    int64_t before = *last;

    while (rows->status == OK && (code = sqlite3_step(select)) == SQLITE_ROW) {
        int64_t key = sqlite3_column_int64(select, 0);

        if (way != 0 && (way > 0 ? key <= *last : key >= *last)) {
            *last = before; /* or pages point at each other */
            break;
        }
        put_row(rows, select, put);
        before = *last;
        *last = key;
    }
    sqlite3_reset(select);
    return code == SQLITE_DONE || (code != SQLITE_ROW && !is_hole(rows, code));
}

static bool copy_between(struct repair_copy *rows, struct table_copy *t,
                         int way, int64_t low, int64_t high, int64_t *last)
{
    sqlite3_stmt *select = way > 0 ? t->up : t->down;
    bool whole = false;

    *last = way > 0 ? low : high;
    for (int tries = 0; tries < 2 && !whole && rows->status == OK; tries++) {
        int64_t start = *last;

        sqlite3_bind_int64(select, 1, way > 0 ? start : low);
        sqlite3_bind_int64(select, 2, way > 0 ? high : start);
        whole = copy_rows(rows, select, t->put, way, last);
        if (*last != start)
            tries = 0; /* it came further */
    }
    return whole;
}

/* A key after the damage that follows `low`; INT64_MAX if there is none. */
static int64_t find_beyond(struct repair_copy *rows, struct table_copy *t,
                           int64_t low)
{
    for (int64_t far = 1; far < PROBE_FAR && low < INT64_MAX - far;
         far += 1 + far / 16) {
        sqlite3_bind_int64(t->probe, 1, low + far);

        int code = sqlite3_step(t->probe);
        int64_t key =
            code == SQLITE_ROW ? sqlite3_column_int64(t->probe, 0) : 0;

        sqlite3_reset(t->probe);
        if (code == SQLITE_DONE || (code != SQLITE_ROW && !is_hole(rows, code)))
            break;
        if (code == SQLITE_ROW && key > low + far)
            return key;
    }
    return INT64_MAX;
}

static void copy_keyed(struct repair_copy *rows, struct table_copy *t)
{
    int64_t low = -1, down;

    while (!copy_between(rows, t, 1, low, INT64_MAX, &low) &&
           rows->status == OK) {
        int64_t beyond = find_beyond(rows, t, low);

        rows->result->places++;
        copy_between(rows, t, -1, low, beyond, &down);
        if (beyond == INT64_MAX)
            return;
        low = beyond - 1;
    }
}

static void copy_unkeyed(struct repair_copy *rows, struct table_copy *t)
{
    int64_t last = 0;

    for (int i = 0; i < 2; i++)
        if (copy_rows(rows, t->up, t->put, 0, &last) || rows->status != OK)
            return;
    rows->result->places++;
    for (int i = 0; i < 2; i++)
        if (copy_rows(rows, t->down, t->put, 0, &last) || rows->status != OK)
            return;
}

/* "INSERT ... VALUES (?, ?, ?)". */
static sqlite3_stmt *prepare_put(struct repair_copy *rows, const char *name,
                                 int columns)
{
    sqlite3_str *marks = sqlite3_str_new(rows->to);

    for (int i = 0; i < columns; i++)
        sqlite3_str_appendall(marks, i > 0 ? ",?" : "?");

    char *list = sqlite3_str_finish(marks);
    char *sql = sqlite3_mprintf("INSERT OR REPLACE INTO \"%w\" VALUES (%s)",
                                name, list ? list : "");
    sqlite3_stmt *stmt = NULL;

    if (list && sql)
        stmt = prepare(rows, rows->to, "%s", sql);
    else
        rows->status = ERR_BUSY;
    sqlite3_free(list);
    sqlite3_free(sql);
    return stmt;
}

static void open_table(struct repair_copy *rows, struct table_copy *t,
                       const char *name, int columns)
{
    if (t->keyed) {
        t->up = prepare(rows, rows->from,
                        "SELECT rowid, * FROM \"%w\" NOT INDEXED"
                        " WHERE rowid > ?1 AND rowid < ?2 ORDER BY rowid",
                        name);
        t->down = prepare(rows, rows->from,
                          "SELECT rowid, * FROM \"%w\" NOT INDEXED WHERE rowid"
                          " > ?1 AND rowid < ?2 ORDER BY rowid DESC",
                          name);
        t->probe = prepare(rows, rows->from,
                           "SELECT rowid FROM \"%w\" NOT INDEXED"
                           " WHERE rowid > ?1 ORDER BY rowid LIMIT 1",
                           name);
    } else {
        t->up = prepare(rows, rows->from, "SELECT 0, * FROM \"%w\" ORDER BY 2",
                        name);
        t->down = prepare(rows, rows->from,
                          "SELECT 0, * FROM \"%w\" ORDER BY 2 DESC", name);
    }
    t->put = prepare_put(rows, name, columns);
}

static void copy_table(struct repair_copy *rows, const char *name, int columns,
                       bool keyed)
{
    struct table_copy t = {.keyed = keyed};

    open_table(rows, &t, name, columns);
    if (rows->status == OK && t.up && t.down && (t.probe || !keyed)) {
        if (keyed)
            copy_keyed(rows, &t);
        else
            copy_unkeyed(rows, &t);
    } else {
        rows->result->places++; /* not even the schema can be read */
    }
    sqlite3_finalize(t.up);
    sqlite3_finalize(t.down);
    sqlite3_finalize(t.probe);
    sqlite3_finalize(t.put);
}

static void copy_tables(struct repair_copy *rows)
{
    int code = SQLITE_ROW;
    sqlite3_stmt *tables = prepare(
        rows, rows->to,
        "SELECT name, ncol, wr FROM pragma_table_list"
        " WHERE schema = 'main' AND type = 'table' AND name NOT LIKE %Q",
        "sqlite%");

    while (rows->status == OK && (code = sqlite3_step(tables)) == SQLITE_ROW)
        copy_table(rows, (const char *)sqlite3_column_text(tables, 0),
                   sqlite3_column_int(tables, 1),
                   sqlite3_column_int(tables, 2) == 0);
    if (rows->status == OK)
        rows->status = db_status(code);
    sqlite3_finalize(tables);
}

static enum status run(struct repair_copy *rows, const char *sql)
{
    return db_status(sqlite3_exec(rows->to, sql, NULL, NULL, NULL));
}

/* The one number a query gives. */
static uint64_t number(struct repair_copy *rows, const char *sql)
{
    sqlite3_stmt *stmt = prepare(rows, rows->to, "%s", sql);
    uint64_t value = 0;

    if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        value = (uint64_t)sqlite3_column_int64(stmt, 0);
    else if (rows->status == OK)
        rows->status = ERR_IO;
    sqlite3_finalize(stmt);
    return value;
}

/* A stream whose watermark is lost begins at 0: then what the journal still
 * has comes again, and nothing that was acknowledged is left out. */
static const char agree[] =
    "DELETE FROM block WHERE id NOT IN (SELECT id FROM block_data)"
    " OR id NOT IN (SELECT id FROM block_summary);"
    "DELETE FROM block_data WHERE id NOT IN (SELECT id FROM block);"
    "DELETE FROM block_summary WHERE id NOT IN (SELECT id FROM block);"
    "UPDATE stream SET (blocks, records, bytes) ="
    " (SELECT count(*), total(count), total(bytes) FROM block"
    "  WHERE (kind = 0) = (stream.id = 0)),"
    " sealed = max(sealed, (SELECT coalesce(max(section), 0) FROM block"
    "  WHERE (kind = 0) = (stream.id = 0))) WHERE id < 2;"
    "DELETE FROM chunk_tail WHERE id NOT IN (SELECT id FROM chunk);"
    "UPDATE stream SET (blocks, records, bytes) ="
    " (SELECT count(*), total(count), total(length(chunk.data)"
    "   + coalesce(length(chunk_tail.data), 0))"
    "  FROM chunk LEFT JOIN chunk_tail USING (id)"
    "  WHERE stream = stream.id) WHERE id >= 2;"
    /* Rows of rule 0 are no identity, but keep their number. */
    "INSERT INTO identity (id, rule) SELECT top, 0 FROM"
    " (SELECT max(identity) AS top FROM resource WHERE identity < 4294967295)"
    " WHERE top > (SELECT coalesce(max(id), -1) FROM identity);"
    /* Without attributes, without an identity. */
    "INSERT OR IGNORE INTO resource (id, identity, hash, attrs)"
    " SELECT DISTINCT resource, 4294967295, 0, x'0000' FROM chunk;";

/* Chunks of histograms whose buckets are lost; their counts are still read. */
static uint64_t count_without_buckets(struct repair_copy *rows)
{
    sqlite3_stmt *stmt = prepare(
        rows, rows->to, "%s",
        "SELECT data FROM chunk WHERE id NOT IN (SELECT id FROM chunk_tail)");
    uint64_t count = 0;
    int code = SQLITE_DONE;

    while (stmt && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct slice data = {sqlite3_column_blob(stmt, 0),
                             (size_t)sqlite3_column_bytes(stmt, 0)};

        count += series_needs_tails(data);
    }
    if (rows->status == OK)
        rows->status = db_status(code);
    sqlite3_finalize(stmt);
    return count;
}

static void make_agree(struct repair_copy *rows, struct db *db)
{
    struct repair_result *r = rows->result;

    /* total() as sum() of what is damaged may overflow, and that fail. */
    r->totals = number(rows, "SELECT min(records) >= 0 AND total(lsn) > 0"
                             " FROM stream") != 0;
    r->records_before = number(rows, "SELECT total(records) FROM stream");
    if (rows->status == OK)
        rows->status = repair_blocks(db);
    if (rows->status == OK)
        rows->status = run(rows, agree);
    if (rows->status == OK) /* of a database of an older version */
        rows->status = run(rows, db_split_values);
    r->records = number(rows, "SELECT total(records) FROM stream");
    r->without_buckets = count_without_buckets(rows);
}

static void open_from(struct repair_copy *rows, const char *path)
{
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;

    rows->status = db_status(sqlite3_open_v2(path, &rows->from, flags, NULL));
    if (rows->status != OK)
        return;
    sqlite3_extended_result_codes(rows->from, 1);
    sqlite3_busy_timeout(rows->from, DB_BUSY_MS);
    sqlite3_db_config(rows->from, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
}

/* Opens the database to read it even where the file is too short. */
static struct first_page *open_damaged(const char *path,
                                       struct repair_copy *rows)
{
    struct first_page *page = NULL;
    enum status schema = ERR_CORRUPT;

    open_from(rows, path);
    for (int i = 0; i < 2 && rows->status == OK && schema != OK; i++) {
        schema = db_has_schema(rows->from, rows->to);
        if (schema == ERR_BUSY || schema == ERR_IO)
            rows->status = schema;
    }
    if (rows->status == OK && schema != OK) {
        sqlite3_close(rows->from);
        open_from(rows, path);
        page = first_page_replace(rows->from, rows->to);
        if (!page && rows->status == OK)
            rows->status = ERR_BUSY;
        rows->result->places++;
    }
    if (rows->status == OK)
        rows->status = db_status(sqlite3_exec(
            rows->from, "PRAGMA cell_size_check = 1", NULL, NULL, NULL));
    return page;
}

enum status repair_rows(const char *from, struct db *to,
                        struct repair_result *result)
{
    struct repair_copy rows = {NULL, db_handle(to), result, OK};

    *result = (struct repair_result){0};
    struct first_page *page = open_damaged(from, &rows);
    /* Nobody needs the new file before it is complete. */
    if (rows.status == OK)
        rows.status = run(&rows, "PRAGMA journal_mode = OFF;"
                                 "PRAGMA synchronous = OFF; BEGIN");
    if (rows.status == OK)
        copy_tables(&rows);
    if (rows.status == OK)
        make_agree(&rows, to);
    if (rows.status == OK)
        rows.status = run(&rows, "COMMIT; PRAGMA journal_mode = WAL");
    sqlite3_close(rows.from);
    first_page_free(page);
    return rows.status;
}
