/*
 * clickhouse_schema - the tables of --store clickhouse=URL: printed as SQL, or
 * made in the database.
 *
 * Purpose:   `callboard schema print` and `callboard schema apply`; the store
 *            applies it, too, when it is opened.
 * Ownership: options are the caller's.
 * Threads:   main thread, at start.
 * Errors:    a status, and a sentence for the operator.
 */
#ifndef CLICKHOUSE_SCHEMA_H
#define CLICKHOUSE_SCHEMA_H

#include "buf.h"
#include "record.h"
#include "status.h"

struct clickhouse_schema {
    const char *url; /* NULL: prints for a database "callboard" */
    struct slice password;
    const char *ca_file, *cluster;       /* NULL: none */
    uint64_t retention_ns[SIGNAL_COUNT]; /* 0: for ever */
};

enum { CLICKHOUSE_SCHEMA_WHY = 640 };

/* The statements, each ended by ";"; nothing is sent. */
MUST_CHECK enum status clickhouse_schema_print(
    const struct clickhouse_schema *schema, struct buf *sql,
    char why[CLICKHOUSE_SCHEMA_WHY]);
/* Makes what is missing; may be repeated, and by several at once. After OK
 * `why` says what there is now. ERR_UNSUPPORTED: tables of a newer version of
 * the program, or of somebody else. */
MUST_CHECK enum status clickhouse_schema_apply(
    const struct clickhouse_schema *schema, char why[CLICKHOUSE_SCHEMA_WHY]);

#endif
