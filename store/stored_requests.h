/*
 * stored_requests - the hashes of requests whose records are stored, for table
 * recent_request: by them the same request is recognised when it is sent again,
 * long after the journal has dropped it.
 *
 * They are written in the same transaction as the records, or before.
 *
 * Threads: under the store's lock, except stored_requests_write(), which works
 * on what stored_requests_begin() took, and stored_requests_load().
 */
#ifndef STORE_STORED_REQUESTS_H
#define STORE_STORED_REQUESTS_H

#include "batch.h"
#include "db.h"
#include "metadata.h"

struct stored_requests;

struct stored_requests *stored_requests_new(void);
void stored_requests_free(struct stored_requests *requests);

/* Reads the page that is not full. */
MUST_CHECK enum status stored_requests_load(struct stored_requests *requests,
                                            struct db *db);

/* Notes a batch, if it has a hash. */
void stored_requests_note(struct stored_requests *requests,
                          const struct batch *batch);

/* What one commit writes: a copy. */
struct stored_requests_commit {
    uint64_t page; /* of the first */
    struct noted_request *at;
    size_t count;
};

void stored_requests_begin(const struct stored_requests *requests,
                           struct stored_requests_commit *commit);
MUST_CHECK enum status stored_requests_write(
    const struct stored_requests_commit *commit, struct db *db);
/* After the commit, or after it failed; releases commit. */
void stored_requests_end(struct stored_requests *requests,
                         struct stored_requests_commit *commit, bool committed);

/* All in the table, oldest first. */
MUST_CHECK enum status stored_requests_visit(struct db *db,
                                             metadata_request_visit *visit,
                                             void *arg);

#endif
