/*
 * Rows of callboard_values, in and out; see ch_metadata.h.
 *
 * To put: the clock and the highest version are asked for first, so that a
 * version is above what others have saved even if a clock went back. The INSERT
 * has a token of its own and is repeated with it if no answer came: stored
 * once.
 */
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "ch_metadata.h"
#include "ch_native.h"
#include "ch_rows.h"
#include "ch_sql.h"
#include "clock.h"
#include "log.h"

enum { RANDOM_BITS = 10, TRIES = 3 };
#define REQUEST_NS (10 * NS_PER_S)
#define LAST_NS    (3 * NS_PER_S) /* when we stop */
#define PAUSE_US   200000

/* ---- requests ---- */

static uint64_t deadline_of(const struct ch_metadata *metadata)
{
    return clock_monotonic_ns() +
           (atomic_load(metadata->stopping) ? LAST_NS : REQUEST_NS);
}

static bool again(const struct ch_metadata *metadata,
                  const struct ch_error *error, int tried)
{
    if (!error->retry || tried + 1 >= TRIES || atomic_load(metadata->stopping))
        return false;
    (void)usleep(PAUSE_US);
    return true;
}

static enum status take_rows(void *arg, struct slice bytes)
{
    return ch_rows_add(arg, bytes);
}

static enum status select_once(struct ch_metadata *metadata,
                               const struct ch_sql *sql, struct ch_rows *rows,
                               struct ch_error *error)
{
    const struct ch_request request = {
        .sql = ch_sql_text(sql),
        .probe = true,
        .deadline_ns = deadline_of(metadata),
        .take = take_rows,
        .arg = rows,
    };
    enum status status;

    ch_rows_begin(rows, NULL);
    status = ch_run(metadata->client, &request, error);
    if (status == OK)
        status = ch_rows_end(rows);
    ch_rows_release(rows);
    return status;
}

static void complain(const char *what, const struct ch_error *error)
{
    log_warn("clickhouse", what, log_text("reason", error->text));
}

/* ---- loading ---- */

struct load {
    struct slice name, value;
    uint64_t version;
    struct ch_metadata *metadata;
    ch_value_visit *visit;
    void *arg;
};

static void decode_entry(void *arg, struct byte_reader *in)
{
    struct load *load = arg;

    load->name = ch_read_string(in);
    load->value = ch_read_string(in);
}

static enum status take_entry(void *arg)
{
    struct load *load = arg;

    load->visit(load->arg, load->name, load->value);
    return OK;
}

/* Not repeated: entries were visited already. */
enum status ch_values_load(struct ch_metadata *metadata, const char *kind,
                           const struct slice *name, ch_value_visit *visit,
                           void *arg)
{
    struct load load = {.metadata = metadata, .visit = visit, .arg = arg};
    struct ch_rows rows = {
        .decode = decode_entry, .take = take_entry, .arg = &load};
    struct ch_error error;
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL_WITH(&sql,
                "SELECT Name, argMax(Value, Version) FROM callboard_values "
                "WHERE Kind = ?",
                CH_STR(slice_of(kind)));
    if (name)
        CH_SQL_WITH(&sql, " AND Name = ?", CH_STR(*name));
    CH_SQL(&sql, " GROUP BY Name HAVING NOT argMax(Deleted, Version) "
                 "ORDER BY max(Version), Name FORMAT RowBinary");
    status = select_once(metadata, &sql, &rows, &error);
    if (status != OK)
        complain("values cannot be read", &error);
    ch_sql_release(&sql);
    return status;
}

/* ---- putting ---- */

static void decode_clock(void *arg, struct byte_reader *in)
{
    struct load *load = arg;

    load->version = ch_read_u64(in);
}

static enum status take_clock(void *arg)
{
    (void)arg;
    return OK;
}

/* A version above all that are known, or the clock. *micros: the clock. */
static enum status next_version(struct ch_metadata *metadata, uint64_t *micros,
                                uint64_t *version)
{
    struct load load = {.metadata = metadata};
    struct ch_rows rows = {
        .decode = decode_clock, .take = take_clock, .arg = &load};
    struct ch_error error;
    struct ch_sql sql;
    enum status status;
    uint32_t random = 0;
    int tried = 0;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT greatest(toUInt64(toUnixTimestamp64Micro(now64(6))), "
                 "toUInt64(intDiv(maxIf(Version, Version < 9223372036854775808)"
                 ", 1024) + 1)) FROM callboard_values FORMAT RowBinary");
    do
        status = select_once(metadata, &sql, &rows, &error);
    while (status != OK && again(metadata, &error, tried++));
    ch_sql_release(&sql);
    if (status != OK) {
        complain("values cannot be saved", &error);
        return status;
    }
    (void)getrandom(&random, sizeof(random), 0);
    pthread_mutex_lock(&metadata->lock);
    *micros = load.version;
    if (*micros <= metadata->version >> RANDOM_BITS)
        *micros = (metadata->version >> RANDOM_BITS) + 1;
    *version = *micros << RANDOM_BITS | (random & ((1U << RANDOM_BITS) - 1));
    metadata->version = *version;
    pthread_mutex_unlock(&metadata->lock);
    return OK;
}

static uint64_t version_of(const struct ch_value_row *row, uint64_t micros,
                           uint64_t version)
{
    if (row->deleted || row->version == CH_VERSION_LAST)
        return UINT64_MAX;
    return row->version == CH_VERSION_FIRST ? UINT64_MAX - 1 - micros : version;
}

static void put_row(struct ch_native *native, const struct ch_value_row *row,
                    uint64_t version)
{
    ch_put_string(ch_native_column(native, 0), slice_of(row->kind));
    ch_put_string(ch_native_column(native, 1), row->name);
    ch_put_uint(ch_native_column(native, 2), version);
    ch_put_string(ch_native_column(native, 3), row->value);
    ch_put_uint(ch_native_column(native, 4), row->deleted);
    ch_native_row(native);
}

static enum status insert(struct ch_metadata *metadata,
                          struct ch_native *native, uint64_t version)
{
    struct ch_setting token = {.name = "insert_deduplication_token"};
    char text[32];
    struct ch_request request = {.writes = true,
                                 .probe = true,
                                 .zstd = true,
                                 .piece_count = 1,
                                 .settings = &token,
                                 .setting_count = 1};
    struct ch_body body;
    struct ch_error error;
    struct ch_sql sql;
    enum status status = ch_native_compress(native, &body);
    int tried = 0;

    if (status != OK)
        return status;
    token.value = (struct slice){
        text, (size_t)snprintf(text, sizeof(text), "values/%016llx",
                               (unsigned long long)version)};
    ch_sql_init(&sql);
    ch_native_insert(native, "callboard_values", &sql);
    request.sql = ch_sql_text(&sql);
    request.pieces = &(struct slice){body.ptr, body.len};
    do {
        request.deadline_ns = deadline_of(metadata);
        status = ch_run(metadata->client, &request, &error);
    } while (status != OK && again(metadata, &error, tried++));
    if (status != OK)
        complain("values cannot be saved", &error);
    ch_sql_release(&sql);
    ch_body_release(&body);
    return status;
}

enum status ch_values_put(struct ch_metadata *metadata,
                          const struct ch_value_row *rows, uint32_t count)
{
    static const struct ch_column_def columns[] = {{"Kind", "String"},
                                                   {"Name", "String"},
                                                   {"Version", "UInt64"},
                                                   {"Value", "String"},
                                                   {"Deleted", "Bool"}};
    struct ch_native *native;
    uint64_t micros, version;
    enum status status = next_version(metadata, &micros, &version);

    if (status != OK)
        return status;
    native = ch_native_new(columns, sizeof(columns) / sizeof(*columns), NULL);
    for (uint32_t i = 0; i < count; i++)
        put_row(native, &rows[i], version_of(&rows[i], micros, version));
    status = insert(metadata, native, version);
    ch_native_free(native);
    return status;
}
