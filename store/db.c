/*
 * The schema, version 5 (PRAGMA user_version); see docs/format.md. A database
 * of an older version gets the missing steps when the writer opens it. A new
 * one gets all steps, so that tables lie on the same pages in every database:
 * the repair of a damaged first page depends on that (repair_page.c).
 *
 *   stream          one row per enum stream: watermark (lsn), serial number of
 *                   the last memtable committed, and totals
 *   block           the columns by which a block is skipped: small rows, so
 *                   that walking all of them is cheap
 *   block_summary   counts and filters of a block, read when its times match
 *   block_data      the columns, read when the block is opened
 *   chunk           metric points of one resource in one hour (series.h)
 *   chunk_tail      the buckets of a chunk's histograms; since version 5
 *   identity, resource   the registry's tables
 *   named_value     small values by name; until version 3 table text, which
 *                   also held the catalogue and the reports
 *   catalog, report since version 4
 *   kafka_offset    per partition, the next offset to read; since version 2
 *   dead_letter     messages that could not be decoded; since version 2
 *   state           values that are written with commits or flushes, by enum
 *                   db_state; since version 3
 *   recent_request  hashes of requests (stored_requests.c); since version 3
 *
 * Version 3 has two indices over blocks by time. A list is read from either end
 * until its page is complete; both indices hold all columns that exclude a
 * block outside of the time range, so its row is not read.
 *
 * Chunks are rows in order of arrival with an index, and not clustered by
 * resource: a commit writes one chunk for each of a thousand resources, which
 * in a clustered table would dirty a thousand pages. The second index holds
 * only the chunks that may still be merged, so the search for them is cheap
 * whatever the size of the history.
 *
 * WAL with synchronous=FULL: the journal is truncated after a commit, so a
 * commit must be on disk. auto_vacuum=INCREMENTAL, so that retention can return
 * pages to the file system in small steps.
 */
#include "db.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

enum { DB_VERSION = 5 };

/* Of all connections together: beyond it caches shrink before they grow. */
enum { HEAP_BYTES = 8 << 20 };

struct db {
    sqlite3 *handle;
    bool damaged;
    sqlite3_stmt *stmts[SQL_COUNT];
};

static const char *const sql_text[SQL_COUNT] = {
#define DB_SQL_TEXT(name, text) [SQL_##name] = text,
    DB_SQL_TABLE(DB_SQL_TEXT)
#undef DB_SQL_TEXT
};

static const char setup_new[] = "PRAGMA page_size = 16384;"
                                "PRAGMA auto_vacuum = INCREMENTAL;"
                                "PRAGMA journal_mode = WAL;";

static const char setup_writer[] = "PRAGMA synchronous = FULL;"
                                   "PRAGMA cache_size = -1024;"
                                   "PRAGMA wal_autocheckpoint = 512;"
                                   "PRAGMA journal_size_limit = 16777216;"
                                   "PRAGMA temp_store = MEMORY;";

static const char setup_reader[] = "PRAGMA cache_size = -1024;"
                                   "PRAGMA temp_store = MEMORY;"
                                   "PRAGMA query_only = 1;";

/* Step n leads from version n to version n + 1. */
static const char *const schema[DB_VERSION] = {
    "CREATE TABLE stream (id INTEGER PRIMARY KEY, lsn INTEGER NOT NULL,"
    " sealed INTEGER NOT NULL, blocks INTEGER NOT NULL,"
    " records INTEGER NOT NULL, bytes INTEGER NOT NULL);"
    "INSERT INTO stream VALUES (0,0,0,0,0,0), (1,0,0,0,0,0),"
    " (2,0,0,0,0,0), (3,0,0,0,0,0);"
    "CREATE TABLE identity (id INTEGER PRIMARY KEY, rule INTEGER NOT NULL,"
    " namespace TEXT, project TEXT, component TEXT, environment TEXT,"
    " project_uid TEXT, component_uid TEXT, environment_uid TEXT);"
    "CREATE TABLE resource (id INTEGER PRIMARY KEY,"
    " identity INTEGER NOT NULL, hash INTEGER NOT NULL, schema_url TEXT,"
    " attrs BLOB);"
    "CREATE TABLE text (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
    "CREATE TABLE block (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " section INTEGER NOT NULL, count INTEGER NOT NULL,"
    " min_ns INTEGER NOT NULL, max_ns INTEGER NOT NULL,"
    " max_end_ns INTEGER NOT NULL, max_duration_ns INTEGER NOT NULL,"
    " levels INTEGER NOT NULL, bytes INTEGER NOT NULL);"
    "CREATE INDEX block_time ON block (kind, max_ns);"
    "CREATE TABLE block_summary (id INTEGER PRIMARY KEY, summary BLOB);"
    "CREATE TABLE block_data (id INTEGER PRIMARY KEY, data BLOB);"
    "CREATE TABLE chunk (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL,"
    " resource INTEGER NOT NULL, hour INTEGER NOT NULL,"
    " count INTEGER NOT NULL, merged INTEGER NOT NULL,"
    " final INTEGER NOT NULL, written INTEGER NOT NULL, data BLOB);"
    "CREATE INDEX chunk_find ON chunk (hour, resource, stream);"
    "CREATE INDEX chunk_fresh ON chunk (hour, resource, stream, merged,"
    " written) WHERE final = 0;",

    "CREATE TABLE kafka_offset (topic TEXT NOT NULL,"
    " partition INTEGER NOT NULL, next INTEGER NOT NULL,"
    " PRIMARY KEY (topic, partition)) WITHOUT ROWID;"
    "CREATE TABLE dead_letter (id INTEGER PRIMARY KEY, topic TEXT NOT NULL,"
    " partition INTEGER NOT NULL, offset INTEGER NOT NULL,"
    " received INTEGER NOT NULL, time INTEGER NOT NULL,"
    " reason TEXT NOT NULL, size INTEGER NOT NULL, kept INTEGER NOT NULL,"
    " bytes BLOB);",

    "CREATE TABLE state (id INTEGER PRIMARY KEY, value BLOB);"
    "CREATE TABLE recent_request (id INTEGER PRIMARY KEY, hashes BLOB);"
    "INSERT INTO state SELECT 1, value FROM text"
    " WHERE name = 'derived.state';"
    "DELETE FROM text WHERE name = 'derived.state';"
    "DROP INDEX block_time;"
    "CREATE INDEX block_newest ON block (kind, max_ns, min_ns, max_end_ns);"
    "CREATE INDEX block_oldest ON block (kind, min_ns, max_ns, max_end_ns);",

    "CREATE TABLE catalog (id INTEGER PRIMARY KEY, document BLOB);"
    "CREATE TABLE report (slot INTEGER PRIMARY KEY,"
    " number INTEGER NOT NULL, document BLOB);"
    "ALTER TABLE text RENAME TO named_value;",

    "CREATE TABLE chunk_tail (id INTEGER PRIMARY KEY, data BLOB);",
};

/* Until version 3 a report was a text "rca.<slot>": a decimal number, a
 * newline and the document; at first, the document alone. */
const char db_split_values[] =
    "INSERT OR REPLACE INTO catalog SELECT 1, value FROM named_value"
    " WHERE name = 'catalog';"
    "INSERT OR REPLACE INTO report"
    " SELECT CAST(substr(name, 5) AS INTEGER),"
    "  CASE hex(substr(value, 1, 1)) WHEN '7B' THEN 0 ELSE"
    "   CAST(CAST(substr(value, 1, 20) AS TEXT) AS INTEGER) END,"
    "  CASE hex(substr(value, 1, 1)) WHEN '7B' THEN value ELSE"
    "   substr(value, instr(value, x'0a') + 1) END"
    " FROM named_value WHERE name GLOB 'rca.[0-9]*';"
    "DELETE FROM named_value WHERE name = 'catalog'"
    " OR name GLOB 'rca.[0-9]*';";

enum status db_status(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return ERR_CORRUPT;
    case SQLITE_NOMEM:
        return ERR_BUSY;
    case SQLITE_TOOBIG:
        return ERR_TOO_BIG;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return ERR_INTERNAL;
    default: /* FULL, IOERR, READONLY, BUSY, CANTOPEN, PERM ... */
        return ERR_IO;
    }
}

static enum status exec(struct db *db, const char *sql)
{
    return db_status(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

/* The first column of the first row. */
static enum status pragma_int(struct db *db, const char *sql, int64_t *value)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return db_status(code);
}

/* All steps from `version` on, in one transaction. */
static enum status run_steps(struct db *db, int64_t version)
{
    char set_version[40];
    enum status status = version == 0 ? exec(db, setup_new) : OK;

    if (status == OK)
        status = exec(db, "BEGIN IMMEDIATE");
    for (; version < DB_VERSION && status == OK; version++)
        status = exec(db, schema[version]);
    if (status == OK)
        status = exec(db, db_split_values);
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d",
             DB_VERSION);
    if (status == OK)
        status = exec(db, set_version);
    return status == OK ? exec(db, "COMMIT") : status;
}

/* Creates or completes the schema; refuses a newer one. */
static enum status migrate(struct db *db, bool writer)
{
    int64_t version = 0, tables = 0;
    enum status status = pragma_int(db, "PRAGMA user_version", &version);

    if (status == OK)
        status = pragma_int(db, "SELECT count(*) FROM sqlite_master", &tables);
    if (status != OK)
        return status;
    if (version > DB_VERSION)
        return ERR_UNSUPPORTED;
    if (version == DB_VERSION)
        return OK;
    if (version < 0 || (version == 0 && tables > 0)) /* another program's */
        return ERR_CORRUPT;
    return writer ? run_steps(db, version) : ERR_IO;
}

enum status db_has_schema(void *have, void *want)
{
    sqlite3_stmt *row = NULL, *find = NULL;
    int code = sqlite3_prepare_v2(
        want, "SELECT type, name, tbl_name, sql FROM sqlite_master", -1, &row,
        NULL);

    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(have,
                                  "SELECT 1 FROM sqlite_master WHERE type = ?"
                                  " AND name = ? AND tbl_name = ? AND sql IS ?",
                                  -1, &find, NULL);
    while (code == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) {
        for (int i = 0; i < 4 && code == SQLITE_OK; i++)
            code =
                sqlite3_bind_value(find, i + 1, sqlite3_column_value(row, i));
        if (code == SQLITE_OK && sqlite3_step(find) != SQLITE_ROW)
            code = SQLITE_CORRUPT;
        int why = sqlite3_reset(find);
        if (why != SQLITE_OK)
            code = why;
    }
    sqlite3_finalize(row);
    sqlite3_finalize(find);
    return db_status(code);
}

/* Names and texts in the schema are as good a place for damage as any other;
 * statements would fail later, one by one. */
static enum status check_schema(struct db *db)
{
    struct db want = {.handle = NULL};
    enum status status = db_status(sqlite3_open(":memory:", &want.handle));

    if (status == OK)
        status = migrate(&want, true);
    if (status == OK)
        status = db_has_schema(db->handle, want.handle);
    sqlite3_close(want.handle);
    return status;
}

enum status db_open(struct db **out, const char *path, bool writer)
{
    struct db *db = mem_zero(1, sizeof(*db));
    int flags = SQLITE_OPEN_NOMUTEX |
                (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                        : SQLITE_OPEN_READONLY);
    enum status status =
        db_status(sqlite3_open_v2(path, &db->handle, flags, NULL));

    sqlite3_soft_heap_limit64(HEAP_BYTES);
    if (status == OK)
        status = db_status(sqlite3_busy_timeout(db->handle, DB_BUSY_MS));
    if (status == OK)
        status = migrate(db, writer);
    if (status == OK && writer)
        status = check_schema(db);
    if (status == OK)
        status = exec(db, writer ? setup_writer : setup_reader);
    if (status != OK) {
        db_close(db);
        return status;
    }
    sqlite3_extended_result_codes(db->handle, 1);
    *out = db;
    return OK;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(db->stmts[i]);
    sqlite3_close(db->handle);
    free(db);
}

const char *db_message(struct db *db)
{
    return sqlite3_errmsg(db->handle);
}

void db_shrink(struct db *db)
{
    sqlite3_db_release_memory(db->handle);
}

bool db_damaged(const struct db *db)
{
    return db->damaged;
}

void *db_handle(struct db *db)
{
    return db->handle;
}

uint64_t db_last_id(struct db *db)
{
    return (uint64_t)sqlite3_last_insert_rowid(db->handle);
}

static int bind(struct db_stmt *s, int at, const struct db_param *param)
{
    const char *bytes = param->bytes.len ? param->bytes.ptr : "";

    switch (param->type) {
    case DB_INT:
        return sqlite3_bind_int64(s->handle, at, (sqlite3_int64)param->number);
    case DB_TEXT:
        return sqlite3_bind_text64(s->handle, at, bytes, param->bytes.len,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case DB_BYTES:
        return sqlite3_bind_blob64(s->handle, at, bytes, param->bytes.len,
                                   SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

struct db_stmt db_start(struct db *db, enum db_sql sql,
                        const struct db_param *params, size_t count)
{
    struct db_stmt s = {.db = db, .handle = NULL, .status = OK};

    if (!db->stmts[sql])
        s.status = db_status(sqlite3_prepare_v3(db->handle, sql_text[sql], -1,
                                                SQLITE_PREPARE_PERSISTENT,
                                                &db->stmts[sql], NULL));
    db->damaged |= s.status == ERR_CORRUPT;
    s.handle = db->stmts[sql];
    for (size_t i = 0; i < count && s.status == OK; i++)
        s.status = db_status(bind(&s, (int)i + 1, &params[i]));
    return s;
}

bool stmt_row(struct db_stmt *s)
{
    if (s->status != OK)
        return false;

    int code = sqlite3_step(s->handle);
    if (code == SQLITE_ROW)
        return true;
    s->status = db_status(code);
    s->db->damaged |= s->status == ERR_CORRUPT;
    return false;
}

uint64_t stmt_int(struct db_stmt *s, int column)
{
    return (uint64_t)sqlite3_column_int64(s->handle, column);
}

struct slice stmt_bytes(struct db_stmt *s, int column)
{
    const char *bytes = sqlite3_column_blob(s->handle, column);
    int len = sqlite3_column_bytes(s->handle, column);

    return (struct slice){bytes, bytes ? (size_t)len : 0};
}

enum status stmt_end(struct db_stmt *s)
{
    if (s->handle) {
        sqlite3_reset(s->handle);
        sqlite3_clear_bindings(s->handle);
    }
    return s->status;
}

enum status stmt_end_with(struct db_stmt *s, enum status status)
{
    enum status end = stmt_end(s);

    return end != OK ? end : status;
}

enum status db_finish(struct db_stmt s)
{
    while (stmt_row(&s))
        ;
    return stmt_end(&s);
}
