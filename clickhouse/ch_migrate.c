/*
 * What is there is read from the system tables and compared with
 * ch_schema_tables.c: tables, columns and indexes that are missing are added. A
 * change of another kind needs a statement of its own here.
 *
 * A table that has no version beside it and another sort key than ours was made
 * by somebody else, mostly by the Collector's exporter: it is left alone, and
 * the operator is told.
 */
#include "ch_migrate.h"

#include <string.h>

#include "ch_rows.h"
#include "ch_sql.h"
#include "clock.h"

enum {
    MAX_SQL = 1 << 20,
    MAX_TABLES = 32,
    /* Statements on a cluster wait up to 180 s for its servers. */
    STATEMENT_S = 200
};

struct present {
    bool table, other_order;
    uint64_t columns, indexes; /* a bit for each */
};

struct migration {
    struct ch_client *client;
    const struct ch_schema_options *options;
    struct ch_error *error;
    struct present tables[MAX_TABLES];
    uint64_t number; /* of the row that is read */
    struct slice text[2];
};

static enum status take_bytes(void *arg, struct slice bytes)
{
    return ch_rows_add(arg, bytes);
}

static enum status run(struct migration *m, struct slice sql, bool writes,
                       struct ch_rows *rows)
{
    const struct ch_request request = {.sql = sql,
                                       .writes = writes,
                                       .no_database = true,
                                       .deadline_ns = clock_monotonic_ns() +
                                                      STATEMENT_S * NS_PER_S,
                                       .take = rows ? take_bytes : NULL,
                                       .arg = rows};

    return ch_run(m->client, &request, m->error);
}

static enum status run_buf(struct migration *m, struct buf *sql)
{
    enum status status = sql->status;

    if (status == OK)
        status = run(m, buf_slice(sql), true, NULL);
    buf_reset(sql);
    return status;
}

/* ---- what is there ---- */

static void decode_number(void *arg, struct byte_reader *in)
{
    ((struct migration *)arg)->number = ch_read_u64(in);
}

static void decode_texts(void *arg, struct byte_reader *in)
{
    struct migration *m = arg;

    m->text[0] = ch_read_string(in);
    m->text[1] = ch_read_string(in);
}

static struct present *find(struct migration *m, const struct ch_table **table)
{
    for (size_t i = 0; i < ch_table_count; i++)
        if (slice_equal(m->text[0], slice_of(ch_tables[i].name))) {
            *table = &ch_tables[i];
            return &m->tables[i];
        }
    return NULL;
}

/* Older versions show a key of one column without parentheses. */
static bool same_order(struct slice shown, const char *order)
{
    if (shown.len > 2 && shown.ptr[0] == '(')
        shown = (struct slice){shown.ptr + 1, shown.len - 2};
    return slice_equal(shown, slice_of(order));
}

static enum status take_number(void *arg)
{
    (void)arg;
    return OK;
}

static enum status take_table(void *arg)
{
    const struct ch_table *table;
    struct present *present = find(arg, &table);

    if (present) {
        present->table = true;
        present->other_order =
            !same_order(((struct migration *)arg)->text[1], table->order);
    }
    return OK;
}

static enum status take_column(void *arg)
{
    struct migration *m = arg;
    const struct ch_schema_column *column;
    const struct ch_table *table;
    struct present *present = find(m, &table);

    for (size_t i = 0; present && (column = ch_table_column(table, i)); i++)
        if (slice_equal(m->text[1], slice_of(column->name)))
            present->columns |= UINT64_C(1) << i;
    return OK;
}

static enum status take_index(void *arg)
{
    struct migration *m = arg;
    const struct ch_table *table;
    struct present *present = find(m, &table);

    for (size_t i = 0; present && table->indexes && table->indexes[i].name; i++)
        if (slice_equal(m->text[1], slice_of(table->indexes[i].name)))
            present->indexes |= UINT64_C(1) << i;
    return OK;
}

/* Reads the rows of a SELECT whose text has one "?": the database. */
static enum status ask(struct migration *m, const char *text,
                       ch_row_decode *decode, ch_row_take *take)
{
    struct slice database = slice_of(m->options->database);
    struct ch_term value = CH_STR(database);
    struct ch_rows rows = {.decode = decode, .take = take, .arg = m};
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    ch_sql_add(&sql, text, &value, 1);
    ch_rows_begin(&rows, NULL);
    status = run(m, ch_sql_text(&sql), false, &rows);
    if (status == OK)
        status = ch_rows_end(&rows);
    ch_rows_release(&rows);
    ch_sql_release(&sql);
    return status;
}

static enum status read_tables(struct migration *m)
{
    enum status status = ask(m,
                             "SELECT name, sorting_key FROM system.tables "
                             "WHERE database = ? FORMAT RowBinary",
                             decode_texts, take_table);

    if (status == OK)
        status = ask(m,
                     "SELECT table, name FROM system.columns "
                     "WHERE database = ? FORMAT RowBinary",
                     decode_texts, take_column);
    if (status == OK)
        status = ask(m,
                     "SELECT table, name FROM system.data_skipping_indices "
                     "WHERE database = ? FORMAT RowBinary",
                     decode_texts, take_index);
    return status;
}

/* *version: 0 if nothing is there. */
static enum status read_version(struct migration *m, uint64_t *version)
{
    const struct ch_table *table;
    const struct present *noted;
    struct buf sql;
    struct ch_rows rows = {
        .decode = decode_number, .take = take_number, .arg = m};
    enum status status = OK;

    *version = 0;
    m->text[0] = slice_of("callboard_schema");
    noted = find(m, &table);
    if (!noted || !noted->table)
        return OK;
    buf_init(&sql, MAX_SQL);
    buf_format(&sql, "SELECT toUInt64(max(Version)) FROM ");
    ch_schema_name(&sql, m->options->database);
    buf_format(&sql, ".callboard_schema FORMAT RowBinary");
    ch_rows_begin(&rows, NULL);
    status = run(m, buf_slice(&sql), false, &rows);
    if (status == OK)
        status = ch_rows_end(&rows);
    *version = m->number;
    ch_rows_release(&rows);
    buf_release(&sql);
    return status;
}

/* ---- what is missing ---- */

static enum status add_columns(struct migration *m,
                               const struct ch_table *table,
                               const struct present *present, struct buf *sql)
{
    const struct ch_schema_column *column;
    enum status status = OK;

    for (size_t i = 0;
         status == OK && (column = ch_table_column(table, i)) != NULL; i++)
        if (!(present->columns >> i & 1)) {
            buf_format(sql, "ALTER TABLE ");
            ch_schema_place(sql, m->options, table->name);
            buf_format(sql, " ADD COLUMN IF NOT EXISTS ");
            ch_schema_column(sql, column);
            status = run_buf(m, sql);
        }
    return status;
}

static enum status add_indexes(struct migration *m,
                               const struct ch_table *table,
                               const struct present *present, struct buf *sql)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && table->indexes && table->indexes[i].name;
         i++)
        if (!(present->indexes >> i & 1)) {
            buf_format(sql, "ALTER TABLE ");
            ch_schema_place(sql, m->options, table->name);
            buf_format(sql, " ADD ");
            ch_schema_index(sql, &table->indexes[i], true);
            status = run_buf(m, sql);
        }
    return status;
}

static enum status add_tables(struct migration *m)
{
    struct buf sql;
    enum status status = OK;

    buf_init(&sql, MAX_SQL);
    for (size_t i = 0; status == OK && i < ch_table_count; i++) {
        const struct present *present = &m->tables[i];

        if (!present->table) {
            ch_schema_table(&sql, m->options, &ch_tables[i]);
            status = run_buf(m, &sql);
            continue;
        }
        status = add_columns(m, &ch_tables[i], present, &sql);
        if (status == OK)
            status = add_indexes(m, &ch_tables[i], present, &sql);
    }
    if (status == OK) {
        ch_schema_version(&sql, m->options);
        status = run_buf(m, &sql);
    }
    buf_release(&sql);
    return status;
}

static enum status check_owner(struct migration *m)
{
    for (size_t i = 0; i < ch_table_count; i++)
        if (m->tables[i].other_order) {
            ch_error_set(m->error, ERR_UNSUPPORTED, false,
                         "tables in ClickHouse are not Callboard's",
                         "the table %s in %s was not made by Callboard (its "
                         "sort key is another): name a database of its own",
                         ch_tables[i].name, ch_client_place(m->client));
            return ERR_UNSUPPORTED;
        }
    return OK;
}

/* A user who may not create databases needs none that exists. */
static enum status add_database(struct migration *m)
{
    struct buf sql;
    enum status status =
        ask(m,
            "SELECT count() FROM system.databases WHERE name = ? "
            "FORMAT RowBinary",
            decode_number, take_number);

    if (status != OK || m->number > 0)
        return status;
    buf_init(&sql, MAX_SQL);
    ch_schema_database(&sql, m->options);
    status = run_buf(m, &sql);
    buf_release(&sql);
    return status;
}

enum status ch_migrate(struct ch_client *client,
                       const struct ch_schema_options *options,
                       struct ch_error *error)
{
    struct migration m = {.client = client, .options = options, .error = error};
    uint64_t version = 0;
    enum status status = add_database(&m);

    if (status == OK)
        status = read_tables(&m);
    if (status == OK)
        status = read_version(&m, &version);
    if (status != OK)
        return status;
    if (version > CH_SCHEMA_VERSION) {
        ch_error_set(error, ERR_UNSUPPORTED, false,
                     "tables in ClickHouse are of a newer version",
                     "the tables in %s are of schema version %llu, and this "
                     "program knows versions up to %d: run the newer program",
                     ch_client_place(client), (unsigned long long)version,
                     CH_SCHEMA_VERSION);
        return ERR_UNSUPPORTED;
    }
    if (version == 0)
        status = check_owner(&m);
    if (status == OK && version < CH_SCHEMA_VERSION)
        status = add_tables(&m);
    return status;
}
