/*
 * repair - what can still be read of a damaged database, in a new one.
 *
 * Three files stand beside the database while it lasts or because of it:
 *
 *   callboard.db.repair         the new one, until it is complete
 *   callboard.db.damaged-<time>  the old one, afterwards, with its -wal
 *   callboard.db.wanted          damage was met while running: the next start
 *                                repairs
 *
 * Threads  before the store's own thread starts; repair_schedule() from any.
 */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include <stdbool.h>

#include "db.h"

/* Puts in order what a repair left that was cut short. */
MUST_CHECK enum status repair_resume(const char *path);

bool repair_is_pending(const char *path);
void repair_schedule(const char *path);

/* Copies what can be read of the database at path to a new one, and puts it in
 * its place. Otherwise the old one is still there, or it is aside and the new
 * one complete, which repair_resume() finishes. ERR_BUSY, ERR_IO: the old one
 * cannot be read just now, or the new one not be written. */
MUST_CHECK enum status repair(const char *path);

/* What the two files of it share. */
struct repair_result {
    uint64_t rows, places;            /* copied; damaged stretches met */
    uint64_t records_before, records; /* as the totals said; as there are */
    bool totals;                      /* records_before is known */
};

/* repair_rows.c: all rows of `from` that can be read, into an empty database,
 * `to`; then what belongs together is made to agree. */
MUST_CHECK enum status repair_rows(const char *from, struct db *to,
                                   struct repair_result *result);

/* repair_blocks.c: blocks of which the row or the summary is lost are made
 * anew from their columns; resources that only blocks know get a row. Inside
 * the transaction. */
MUST_CHECK enum status repair_blocks(struct db *db);

/* repair_page.c: from now on the connection reads the first page as it is in
 * an empty database, `empty`: there is the schema, which is the same in all
 * of them, and without it nothing can be found. NULL: it could not be done.
 * To be freed once the connection is closed. */
struct first_page;
struct first_page *first_page_replace(void *damaged, void *empty);
void first_page_free(struct first_page *page); /* NULL is fine */

#endif
