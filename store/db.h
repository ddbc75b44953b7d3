/*
 * db - all of SQLite: the schema, the statements and the connections.
 *
 * One file, callboard.db, in WAL mode. The writer has the only connection that
 * writes; every reader has a connection of its own that can only read. A
 * statement is chosen by name from one table, prepared at its first use and
 * kept with the connection.
 *
 *   enum status status = db_exec(db, SQL_OFFSET_SAVE, db_text(topic),
 *                                db_int(partition), db_int(next));
 *
 *   struct db_stmt s = db_query(db, SQL_VALUE_LOAD, db_text(name));
 *   if (stmt_row(&s))
 *       value = stmt_bytes(&s, 0);
 *   status = stmt_end(&s);
 *
 * Purpose: other files of the store contain SQL only where they create tables
 * of unknown names (repair_rows.c).
 * Ownership: bytes that are bound stay the caller's until stmt_end(); bytes of
 * a column are SQLite's until the next step or stmt_end().
 * Threads: a connection is used by one thread at a time.
 * Errors: the status of a statement sticks; after the first failure binding
 * and stepping do nothing, so one check at the end is enough.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"
#include "status.h"

struct db;

/* How long a statement waits for another connection. */
enum { DB_BUSY_MS = 10000 };

/* Rows of table state, which are written with each commit or flush. */
enum db_state { STATE_DERIVED = 1, STATE_CLOCK };

/* What is in a block. */
enum block_kind { KIND_SPANS, KIND_LOGS, KIND_EVENTS, KIND_COUNT };

/* clang-format off */
#define DB_SQL_TABLE(X) \
    X(BEGIN_WRITE,  "BEGIN IMMEDIATE") \
    X(BEGIN_READ,   "BEGIN") \
    X(COMMIT,       "COMMIT") \
    X(ROLLBACK,     "ROLLBACK") \
    X(CHECK,        "SELECT instr(quick_check, 'failed to get page') > 0 OR (instr(quick_check, 'page. error code=') > 0 AND CAST(substr(quick_check, instr(quick_check, 'error code=') + 11) AS INTEGER) % 256 NOT IN (11, 26)) FROM pragma_quick_check(?) WHERE quick_check <> 'ok'") \
    X(STREAMS,      "SELECT id, lsn, sealed, blocks, records, bytes FROM stream") \
    X(STREAM_SET,   "UPDATE stream SET lsn = max(lsn, ?2), sealed = ?3 WHERE id = ?1") \
    X(STREAM_ADD,   "UPDATE stream SET blocks = blocks + ?2, records = records + ?3, bytes = bytes + ?4 WHERE id = ?1") \
    X(IDENTITY_SAVE, "INSERT OR REPLACE INTO identity VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)") \
    X(IDENTITY_LOAD, "SELECT id, rule, namespace, project, component, environment, project_uid, component_uid, environment_uid FROM identity ORDER BY id") \
    X(RESOURCE_SAVE, "INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?, ?)") \
    X(RESOURCE_TAG, "UPDATE resource SET identity = ?2 WHERE id = ?1") \
    X(RESOURCE_LOAD, "SELECT id, identity, hash, schema_url, attrs FROM resource ORDER BY id DESC") \
    X(RESOURCE_FIND, "SELECT schema_url, attrs FROM resource WHERE id = ?") \
    X(VALUE_SAVE,   "INSERT OR REPLACE INTO named_value VALUES (?, ?)") \
    X(VALUE_LOAD,   "SELECT value FROM named_value WHERE name = ?") \
    X(CATALOG_SAVE, "INSERT OR REPLACE INTO catalog VALUES (1, ?)") \
    X(CATALOG_LOAD, "SELECT document FROM catalog WHERE id = 1") \
    X(REPORT_SAVE,  "INSERT OR REPLACE INTO report VALUES (?, ?, ?)") \
    X(REPORTS_LOAD, "SELECT slot, number, document FROM report ORDER BY slot") \
    X(STATE_SAVE,   "INSERT OR REPLACE INTO state VALUES (?, ?)") \
    X(STATE_LOAD,   "SELECT value FROM state WHERE id = ?") \
    X(REQUESTS,     "SELECT id, hashes FROM recent_request ORDER BY id") \
    X(REQUESTS_LAST, "SELECT id, hashes FROM recent_request ORDER BY id DESC LIMIT 1") \
    X(REQUESTS_SAVE, "INSERT OR REPLACE INTO recent_request VALUES (?, ?)") \
    X(REQUESTS_TRIM, "DELETE FROM recent_request WHERE id < ?") \
    X(OFFSETS,      "SELECT topic, partition, next FROM kafka_offset") \
    X(OFFSET_SAVE,  "INSERT OR REPLACE INTO kafka_offset VALUES (?, ?, ?)") \
    X(LETTER_ADD,   "INSERT OR REPLACE INTO dead_letter VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)") \
    X(LETTER_TRIM,  "DELETE FROM dead_letter WHERE id <= (SELECT id FROM (SELECT id, row_number() OVER newest AS row, sum(kept) OVER newest AS bytes FROM dead_letter WINDOW newest AS (ORDER BY id DESC)) WHERE row > ?1 OR bytes > ?2 ORDER BY id DESC LIMIT 1)") \
    X(LETTERS,      "SELECT id, topic, partition, offset, received, time, reason, size, substr(bytes, 1, ?5) FROM dead_letter WHERE (?1 = '' OR topic = ?1) AND (?2 < 0 OR partition = ?2) AND id < ?3 ORDER BY id DESC LIMIT ?4") \
    X(LETTER_COUNT, "SELECT count(*) FROM dead_letter WHERE (?1 = '' OR topic = ?1) AND (?2 < 0 OR partition = ?2)") \
    X(BLOCK_ADD,    "INSERT INTO block VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)") \
    X(SUMMARY_ADD,  "INSERT INTO block_summary VALUES (?, ?)") \
    X(DATA_ADD,     "INSERT INTO block_data VALUES (?, ?)") \
    X(BLOCKS_NEWEST, "SELECT id, min_ns, max_ns, max_end_ns, levels, count FROM block WHERE kind = ?1 AND max_ns >= ?2 AND min_ns < ?3 ORDER BY max_ns DESC, id DESC") \
    X(BLOCKS_OLDEST, "SELECT id, min_ns, max_ns, max_end_ns, levels, count FROM block WHERE kind = ?1 AND +max_ns >= ?2 AND min_ns < ?3 ORDER BY min_ns, id") \
    X(BLOCKS_ARRIVED, "SELECT id, min_ns, max_ns, max_end_ns, levels, count FROM block WHERE kind = ?1 AND (section > ?2 OR section = 0) AND min_ns < ?3") \
    X(SPANS_NEWEST, "SELECT id, min_ns, max_ns, max_end_ns, levels, count FROM block WHERE kind = ?1 AND max_end_ns >= ?2 AND min_ns < ?3 ORDER BY max_ns DESC, id DESC") \
    X(SPANS_NEAR,   "SELECT id, min_ns, max_ns, max_end_ns, levels, count FROM block WHERE kind = ?1 AND max_ns >= ?2 - 3600000000000 AND max_end_ns >= ?2 AND min_ns < ?3") \
    X(SPANS_OLDEST, "SELECT id, min_ns, max_ns, max_end_ns, levels, count FROM block WHERE kind = ?1 AND max_end_ns >= ?2 AND min_ns < ?3 ORDER BY min_ns, id") \
    X(SUMMARY_GET,  "SELECT summary FROM block_summary WHERE id = ?") \
    X(SUMMARIES,    "SELECT b.id, s.summary, b.min_ns, b.max_ns FROM block b CROSS JOIN block_summary s ON s.id = b.id WHERE b.kind = ?1 AND b.max_ns >= 0") \
    X(DATA_GET,     "SELECT data FROM block_data WHERE id = ?") \
    X(CHUNK_ADD,    "INSERT INTO chunk VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)") \
    X(CHUNKS,       "SELECT data, id FROM chunk WHERE hour = ?1 AND resource = ?2 AND stream BETWEEN ?3 AND ?4") \
    X(TAIL_ADD,     "INSERT INTO chunk_tail VALUES (?, ?)") \
    X(TAIL_GET,     "SELECT data FROM chunk_tail WHERE id = ?") \
    X(TAIL_DELETE,  "DELETE FROM chunk_tail WHERE id = ?") \
    X(CHUNK_IDS,    "SELECT id, resource FROM chunk WHERE hour = ?1 AND stream BETWEEN ?2 AND ?3") \
    X(CHUNK_GET,    "SELECT data, id FROM chunk WHERE id = ?") \
    X(CHUNK_PLAN,   "SELECT id, resource FROM chunk WHERE hour BETWEEN ?1 AND ?2 AND stream BETWEEN ?3 AND ?4") \
    X(BLOCK_KINDS,  "SELECT id, kind FROM block ORDER BY id") \
    X(HOURS,        "SELECT DISTINCT hour FROM chunk ORDER BY hour") \
    X(HOUR_NEXT,    "SELECT hour FROM chunk WHERE hour >= ?1 ORDER BY hour LIMIT 1") \
    X(MERGE_FIND,   "SELECT hour, resource, stream FROM chunk WHERE final = 0 GROUP BY hour, resource, stream HAVING (hour < ?1 AND max(written) < ?2) OR sum(merged = 0) >= ?3 LIMIT ?4") \
    X(MERGE_READ,   "SELECT c.id, c.count, t.data, c.merged, c.data FROM chunk c LEFT JOIN chunk_tail t ON t.id = c.id WHERE c.hour = ?1 AND c.resource = ?2 AND c.stream = ?3 AND (?4 OR (c.merged = 0 AND c.final = 0)) ORDER BY c.id") \
    X(CHUNK_DELETE, "DELETE FROM chunk WHERE id = ?") \
    X(CHUNK_FINAL,  "UPDATE chunk SET final = 1, merged = 1 WHERE hour = ?1 AND resource = ?2 AND stream = ?3 AND final = 0") \
    X(BLOCK_OLDEST, "SELECT id, max_ns, count, bytes FROM block WHERE kind = ? ORDER BY max_ns LIMIT 1") \
    X(BLOCK_DELETE, "DELETE FROM block WHERE id = ?") \
    X(SUMMARY_DELETE, "DELETE FROM block_summary WHERE id = ?") \
    X(DATA_DELETE,  "DELETE FROM block_data WHERE id = ?") \
    X(COMPACT_NEW,  "SELECT kind, min(max_ns), max(id) FROM block NOT INDEXED WHERE id > ?1 GROUP BY kind") \
    X(COMPACT_FIND, "SELECT id, section, count, min_ns, max_ns, bytes FROM block WHERE kind = ?1 AND max_ns >= ?2 ORDER BY max_ns, id LIMIT ?3") \
    X(ORPHAN_NEXT,  "SELECT id, data FROM block_data WHERE id > ?1 AND (id NOT IN (SELECT id FROM block) OR id NOT IN (SELECT id FROM block_summary)) ORDER BY id LIMIT 1") \
    X(ORPHAN_FLOOR, "INSERT INTO block SELECT id + 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM (SELECT max(id) AS id FROM (SELECT max(id) AS id FROM block UNION ALL SELECT max(id) FROM block_summary UNION ALL SELECT max(id) FROM block_data)) WHERE id < 9223372036854775807") \
    X(SUMMARY_ALL,  "SELECT summary FROM block_summary") \
    X(RESOURCE_NOBODY, "INSERT OR IGNORE INTO resource VALUES (?, 4294967295, 0, NULL, x'0000')") \
    X(CHUNK_OLDEST, "SELECT id, hour, stream, count, length(data) + coalesce((SELECT length(t.data) FROM chunk_tail t WHERE t.id = chunk.id), 0) FROM chunk ORDER BY hour LIMIT ?") \
    X(PAGES,        "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size") \
    X(VACUUM,       "PRAGMA incremental_vacuum(256)") \
    X(CHECKPOINT,   "PRAGMA wal_checkpoint(PASSIVE)")
/* clang-format on */

enum db_sql {
#define DB_SQL_NAME(name, text) SQL_##name,
    DB_SQL_TABLE(DB_SQL_NAME)
#undef DB_SQL_NAME
        SQL_COUNT
};

/*
 * Opens callboard.db at path; a writer makes it if it is missing. ERR_CORRUPT
 * if the file is damaged or no database, ERR_UNSUPPORTED if a newer version
 * wrote it, ERR_IO.
 */
MUST_CHECK enum status db_open(struct db **db, const char *path, bool writer);
void db_close(struct db *db); /* NULL is fine */

/* The last message of SQLite, for the log. Valid until the next call. */
const char *db_message(struct db *db);

/* Gives memory that is only cache back. */
void db_shrink(struct db *db);

uint64_t db_last_id(struct db *db);

/* True once SQLite has called something in the file damaged. */
bool db_damaged(const struct db *db);

/* For repair, which must make statements of its own: the connection; what a
 * code of SQLite's means; whether a connection has what another has, too
 * (ERR_CORRUPT if not, anything else if that cannot be told). */
void *db_handle(struct db *db);
enum status db_status(int code);
MUST_CHECK enum status db_has_schema(void *have, void *want);

/* Moves catalogue and reports, which were named values until version 3, to
 * their tables. */
extern const char db_split_values[];

/* A parameter of a statement. Integers are kept as 64 bits; times must be below
 * 2^63 to be compared, see db_time(). */
struct db_param {
    enum db_param_type { DB_INT, DB_TEXT, DB_BYTES } type;
    uint64_t number;
    struct slice bytes;
};

static inline struct db_param db_int(uint64_t number)
{
    return (struct db_param){DB_INT, number, {NULL, 0}};
}

static inline struct db_param db_text(struct slice text)
{
    return (struct db_param){DB_TEXT, 0, text};
}

static inline struct db_param db_bytes(struct slice bytes)
{
    return (struct db_param){DB_BYTES, 0, bytes};
}

#define DB_PARAMS(...)                                   \
    (const struct db_param[]){__VA_ARGS__},              \
        sizeof((const struct db_param[]){__VA_ARGS__}) / \
            sizeof(struct db_param)

struct db_stmt {
    struct db *db;
    void *handle;
    enum status status;
};

/* Starts a statement with these parameters, or without any. */
#define db_query(db, sql, ...) db_start((db), (sql), DB_PARAMS(__VA_ARGS__))
#define db_query_all(db, sql)  db_start((db), (sql), NULL, 0)
struct db_stmt db_start(struct db *db, enum db_sql sql,
                        const struct db_param *params, size_t count);

/* Steps to the next row: false at the end or on an error. */
bool stmt_row(struct db_stmt *s);
uint64_t stmt_int(struct db_stmt *s, int column);
struct slice stmt_bytes(struct db_stmt *s, int column);

/* Ends the statement; the status of all that was done with it. */
MUST_CHECK enum status stmt_end(struct db_stmt *s);

/* Likewise; if that is OK, `status` of the caller. */
MUST_CHECK enum status stmt_end_with(struct db_stmt *s, enum status status);

/* Runs a statement without a result to its end. */
#define db_exec(db, sql, ...) \
    db_finish(db_start((db), (sql), DB_PARAMS(__VA_ARGS__)))
#define db_run(db, sql) db_finish(db_start((db), (sql), NULL, 0))
MUST_CHECK enum status db_finish(struct db_stmt s);

/* The largest time SQLite compares as we do. */
static inline uint64_t db_time(uint64_t ns)
{
    return ns > INT64_MAX ? INT64_MAX : ns;
}

#endif
