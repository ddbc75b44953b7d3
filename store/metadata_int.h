/*
 * metadata_int - the inside of struct metadata, and how the writer commits it.
 *
 * Three parts wait for a commit: what was saved (pending_writes.h), offsets
 * and dead letters (kafka_offsets.h), hashes of requests (stored_requests.h).
 * The writer takes all there is, writes it in a transaction outside of the
 * lock, and reports the result:
 *
 *   metadata_begin   with the lock
 *   metadata_write   in the transaction
 *   metadata_end     with the lock
 */
#ifndef STORE_METADATA_INT_H
#define STORE_METADATA_INT_H

#include "commit_state.h"
#include "embedded.h"
#include "kafka_offsets.h"
#include "metadata.h"
#include "pending_writes.h"
#include "stored_requests.h"

/* Memory of pending writes; above it they are committed at once, and
 * store_append waits. */
enum { PENDING_MAX_BYTES = 4 << 20 };

/* Everything but commits and path is guarded by commits->lock. */
struct metadata {
    struct metadata_head head;
    struct commit_state *commits;
    const char *path;                       /* of the database */
    struct pending_writes *oldest, *newest; /* generations not committed */
    uint64_t saved, committed, sync_to;     /* numbers of writes */
    uint64_t saved_bytes, committed_bytes;  /* memory of them */
    uint64_t due_ns;                        /* of the commit; 0: none */
    struct kafka_offsets *offsets;
    struct stored_requests *requests;
};

void metadata_init(struct metadata *metadata, struct commit_state *commits,
                   const char *path);
void metadata_release(struct metadata *metadata);

/* Reads what noting and saving continue from. */
MUST_CHECK enum status metadata_open(struct metadata *metadata, struct db *db);

/* Notes where a batch comes from and its hash. Under the lock. */
void metadata_note_batch(struct metadata *metadata, const struct batch *batch);

/* More waits than should: it is to be committed now, and store_append waits.
 * Under the lock. */
bool metadata_full(const struct metadata *metadata);

/* True if there is something to commit at this time. Under the lock. */
bool metadata_due(const struct metadata *metadata, uint64_t now_ns);

struct metadata_commit {
    struct pending_writes *first, *end; /* generations before `end` */
    struct kafka_offsets_commit offsets;
    struct stored_requests_commit requests;
    uint64_t saved, saved_bytes;
};
void metadata_begin(struct metadata *metadata, struct metadata_commit *commit);
MUST_CHECK enum status metadata_write(const struct metadata_commit *commit,
                                      struct db *db);
void metadata_end(struct metadata *metadata, struct metadata_commit *commit,
                  bool committed);

/* metadata_load.c: checks the tables that every start reads and every commit
 * changes, so that damage in them is found while it can be repaired. */
MUST_CHECK enum status metadata_check(struct db *db);

#endif
