/* The statements: names are quoted, everything else is text of ours. */
#include "ch_schema.h"

#include "clock.h"

/* How many insertions back a repeated token is known. For replicas also the
 * time, whose default has become an hour. */
enum { DEDUPLICATION_WINDOW = 10000, DEDUPLICATION_SECONDS = 7 * 86400 };

static bool replicated(const struct ch_schema_options *options)
{
    return options->cluster && *options->cluster;
}

void ch_schema_name(struct buf *sql, const char *text)
{
    buf_byte(sql, '`');
    for (; *text; text++) {
        if (*text == '`' || *text == '\\')
            buf_byte(sql, '\\');
        buf_byte(sql, *text);
    }
    buf_byte(sql, '`');
}

static void on_cluster(struct buf *sql, const struct ch_schema_options *options)
{
    if (replicated(options)) {
        buf_format(sql, " ON CLUSTER ");
        ch_schema_name(sql, options->cluster);
    }
}

void ch_schema_place(struct buf *sql, const struct ch_schema_options *options,
                     const char *table)
{
    ch_schema_name(sql, options->database);
    buf_byte(sql, '.');
    ch_schema_name(sql, table);
    on_cluster(sql, options);
}

void ch_schema_database(struct buf *sql,
                        const struct ch_schema_options *options)
{
    buf_format(sql, "CREATE DATABASE IF NOT EXISTS ");
    ch_schema_name(sql, options->database);
    on_cluster(sql, options);
}

/* As long as records of any signal may refer to a row; 0: for ever. Instances
 * add what they still need twice a day. */
static uint64_t longest_s(const struct ch_schema_options *options)
{
    uint64_t longest = 0;

    for (int s = 0; s < SIGNAL_COUNT; s++) {
        if (options->retention_ns[s] == 0)
            return 0;
        if (options->retention_ns[s] > longest)
            longest = options->retention_ns[s];
    }
    return (longest + 2 * NS_PER_DAY) / NS_PER_S;
}

uint64_t ch_schema_age_s(const struct ch_schema_options *options,
                         const struct ch_table *table)
{
    if (table->signal < SIGNAL_COUNT)
        return options->retention_ns[table->signal] / NS_PER_S;
    return table->time ? longest_s(options) : 0;
}

void ch_schema_ttl(struct buf *sql, const struct ch_schema_options *options,
                   const struct ch_table *table)
{
    uint64_t age_s = ch_schema_age_s(options, table);

    if (age_s)
        buf_format(sql, "%s + toIntervalSecond(%llu)", table->time,
                   (unsigned long long)age_s);
}

void ch_schema_column(struct buf *sql, const struct ch_schema_column *column)
{
    ch_schema_name(sql, column->name);
    buf_format(sql, " %s", column->type);
    if (column->more)
        buf_format(sql, " %s", column->more);
}

void ch_schema_index(struct buf *sql, const struct ch_schema_index *index,
                     bool unless_there)
{
    buf_format(sql, "INDEX %s%s %s TYPE %s",
               unless_there ? "IF NOT EXISTS " : "", index->name,
               index->expression, index->type);
}

static void add_columns(struct buf *sql, const struct ch_table *table)
{
    const struct ch_schema_column *column;

    for (size_t i = 0; (column = ch_table_column(table, i)); i++) {
        buf_format(sql, "%s    ", i ? ",\n" : "");
        ch_schema_column(sql, column);
    }
    for (const struct ch_schema_index *i = table->indexes; i && i->name; i++) {
        buf_format(sql, ",\n    ");
        ch_schema_index(sql, i, false);
    }
}

static void add_engine(struct buf *sql, const struct ch_schema_options *options,
                       const struct ch_table *table)
{
    buf_format(sql, "\nENGINE = %s%sMergeTree",
               replicated(options) ? "Replicated" : "", table->engine);
    if (table->version)
        buf_format(sql, "(%s)", table->version);
    if (table->partition)
        buf_format(sql, "\nPARTITION BY %s", table->partition);
    buf_format(sql, "\nORDER BY (%s)", table->order);
}

enum { GRANULARITY = 8192, ROW_BYTES = 16 };

/* Rows of a mark that is small are read by themselves only if what is
 * decompressed with them is small, too. */
static void add_marks(struct buf *sql, const struct ch_table *table)
{
    buf_format(sql, "\nSETTINGS index_granularity = %u, ",
               table->granularity ? table->granularity : GRANULARITY);
    if (table->granularity)
        buf_format(sql, "min_compress_block_size = %u, ",
                   table->granularity * ROW_BYTES);
}

static void add_settings(struct buf *sql,
                         const struct ch_schema_options *options,
                         const struct ch_table *table)
{
    add_marks(sql, table);
    buf_format(sql, "ttl_only_drop_parts = 1, "
                    "materialize_ttl_recalculate_only = 1, ");
    if (replicated(options))
        buf_format(sql,
                   "replicated_deduplication_window = %d, "
                   "replicated_deduplication_window_seconds = %d",
                   DEDUPLICATION_WINDOW, DEDUPLICATION_SECONDS);
    else
        buf_format(sql, "non_replicated_deduplication_window = %d",
                   DEDUPLICATION_WINDOW);
}

void ch_schema_table(struct buf *sql, const struct ch_schema_options *options,
                     const struct ch_table *table)
{
    size_t before;

    buf_format(sql, "CREATE TABLE IF NOT EXISTS ");
    ch_schema_place(sql, options, table->name);
    buf_format(sql, "\n(\n");
    add_columns(sql, table);
    buf_format(sql, "\n)");
    add_engine(sql, options, table);
    before = sql->len;
    buf_format(sql, "\nTTL ");
    ch_schema_ttl(sql, options, table);
    if (sql->len == before + 5)
        sql->len = before;
    add_settings(sql, options, table);
}

void ch_schema_print(struct buf *sql, const struct ch_schema_options *options)
{
    ch_schema_database(sql, options);
    buf_format(sql, ";\n");
    for (size_t i = 0; i < ch_table_count; i++) {
        buf_byte(sql, '\n');
        ch_schema_table(sql, options, &ch_tables[i]);
        buf_format(sql, ";\n");
    }
    buf_byte(sql, '\n');
    ch_schema_version(sql, options);
    buf_format(sql, ";\n");
}

void ch_schema_version(struct buf *sql, const struct ch_schema_options *options)
{
    buf_format(sql, "INSERT INTO ");
    ch_schema_name(sql, options->database);
    buf_format(sql, ".callboard_schema (Version) VALUES (%d)",
               CH_SCHEMA_VERSION);
}
