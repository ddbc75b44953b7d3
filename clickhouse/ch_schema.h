/*
 * ch_schema - SQL that makes the tables of ch_schema_tables.c.
 *
 * Purpose:   `callboard schema print` shows it, `schema apply` runs it. Every
 *            statement may be repeated, and by several instances at once.
 * Ownership: texts are appended to the caller's buffer.
 * Threads:   any.
 * Errors:    sticky in the buffer.
 */
#ifndef CH_SCHEMA_H
#define CH_SCHEMA_H

#include "buf.h"
#include "ch_schema_tables.h"

struct ch_schema_options {
    const char *database;
    const char *cluster; /* NULL or "": one server. Else ON CLUSTER, and
                            Replicated engines */
    uint64_t retention_ns[SIGNAL_COUNT]; /* 0: for ever */
};

/* CREATE DATABASE IF NOT EXISTS ... */
void ch_schema_database(struct buf *sql,
                        const struct ch_schema_options *options);
/* CREATE TABLE IF NOT EXISTS ... */
void ch_schema_table(struct buf *sql, const struct ch_schema_options *options,
                     const struct ch_table *table);
/* All statements, each ended by ";\n", with that of the version. */
void ch_schema_print(struct buf *sql, const struct ch_schema_options *options);

/* How long rows of the table stay, in seconds; 0: for ever. */
uint64_t ch_schema_age_s(const struct ch_schema_options *options,
                         const struct ch_table *table);
/* "toDateTime(Timestamp) + toIntervalSecond(604800)", as ClickHouse shows it;
 * nothing if rows of the table stay for ever. */
void ch_schema_ttl(struct buf *sql, const struct ch_schema_options *options,
                   const struct ch_table *table);
/* "`name`" */
void ch_schema_name(struct buf *sql, const char *text);
/* "`Timestamp` DateTime64(9) CODEC(...)" */
void ch_schema_column(struct buf *sql, const struct ch_schema_column *column);
/* "INDEX [IF NOT EXISTS] ..." */
void ch_schema_index(struct buf *sql, const struct ch_schema_index *index,
                     bool unless_there);
/* INSERT INTO callboard_schema ... */
void ch_schema_version(struct buf *sql,
                       const struct ch_schema_options *options);
/* "`database`.`table` ON CLUSTER `name`" */
void ch_schema_place(struct buf *sql, const struct ch_schema_options *options,
                     const char *table);

#endif
