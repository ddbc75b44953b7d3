/*
 * repair - copies what can be read of a damaged database to a new one.
 *
 * Files beside the database:
 *
 *   callboard.db.repair          the new database, until it is complete
 *   callboard.db.damaged-<time>  the old one, afterwards, with its -wal
 *   callboard.db.repair-pending  damage was met while running: the next start
 *                                repairs
 *
 * Why this is our own and not `sqlite3 .recover`: docs/format.md, section
 * Database. repair.c renames files, repair_rows.c copies rows, repair_page.c
 * replaces a damaged first page, repair_blocks.c restores rows of blocks.
 *
 * Threads: before the store's own thread starts; repair_schedule() from any.
 */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include <stdbool.h>

#include "db.h"

/* Completes or removes what a repair left that was interrupted. */
MUST_CHECK enum status repair_resume(const char *path);

bool repair_is_pending(const char *path);
void repair_schedule(const char *path);

/* Copies what can be read of the database at path to a new one, which replaces
 * it. On failure the old one is still there, or it is renamed and the new one
 * complete, which repair_resume() finishes. ERR_BUSY, ERR_IO: the old one
 * cannot be read just now, or the new one not be written. */
MUST_CHECK enum status repair(const char *path);

/* What the files of the repair share. */
struct repair_result {
    uint64_t rows, places;            /* copied; damaged places met */
    uint64_t records_before, records; /* by the old totals; in the new tables */
    bool totals;                      /* records_before is known */
    uint64_t without_buckets; /* chunks that lost them, but not their counts */
};

/* repair_rows.c: copies all rows of `from` that can be read into an empty
 * database, `to`, and removes or adds rows until the tables agree. */
MUST_CHECK enum status repair_rows(const char *from, struct db *to,
                                   struct repair_result *result);

/* repair_blocks.c: encodes blocks whose row or summary is lost again from their
 * columns; adds a row for each resource that only blocks refer to. Inside the
 * transaction. */
MUST_CHECK enum status repair_blocks(struct db *db);

/* repair_page.c: from now on the connection reads the first page as it is in an
 * empty database, `empty`: it has the schema, which is the same in all of them,
 * and without which no table is found. NULL: that is not possible. Freed by the
 * caller after the connection is closed. */
struct first_page;
struct first_page *first_page_replace(void *damaged, void *empty);
void first_page_free(struct first_page *page); /* NULL is fine */

#endif
