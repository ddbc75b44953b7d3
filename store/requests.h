/*
 * requests - the hashes of requests whose records are in the store, for table
 * recent_request: by them the same request is known when it comes again, long
 * after the journal has dropped it.
 *
 * They are written in the same transaction as the records, or before.
 *
 * Threads  under the store's lock, but requests_write(), which works on what
 *          requests_choose() took, and requests_load().
 */
#ifndef STORE_REQUESTS_H
#define STORE_REQUESTS_H

#include "batch.h"
#include "db.h"
#include "store.h"

struct requests;

struct requests *requests_new(void);
void requests_free(struct requests *requests);

/* Reads where writing goes on. */
MUST_CHECK enum status requests_load(struct requests *requests, struct db *db);

/* Notes a batch, if it has a hash. */
void requests_note(struct requests *requests, const struct batch *batch);

/* What one commit writes: a copy. */
struct requests_commit {
    uint64_t page; /* of the first */
    struct noted_request *at;
    size_t count;
};

void requests_choose(const struct requests *requests,
                     struct requests_commit *commit);
MUST_CHECK enum status requests_write(const struct requests_commit *commit,
                                      struct db *db);
/* After the commit, or after it failed; releases commit. */
void requests_chosen(struct requests *requests, struct requests_commit *commit,
                     bool committed);

/* Every one that is kept, oldest first. */
MUST_CHECK enum status requests_visit(struct db *db, store_request_visit *visit,
                                      void *arg);

#endif
