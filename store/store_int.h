/*
 * store_int - the inside of a store, split by who writes it:
 *
 *   metadata, memtables   appended to by the correlator's thread and others,
 *                         committed by the writer's; under commits.lock
 *   progress              written by the writer's thread under commits.lock
 *   readers               written by all readers; atomic
 *   writer                the writer's thread only
 *
 * store.c opens and closes, store_append.c takes batches, store_writer.c
 * commits them, reader.c makes views of both.
 */
#ifndef STORE_INT_H
#define STORE_INT_H

#include <stdatomic.h>

#include "db.h"
#include "embedded.h"
#include "memtables.h"
#include "metadata_int.h"
#include "store.h"

/* The clock by which age is measured; see retention.c. */
struct trusted_clock {
    uint64_t wall_ns;      /* the wall clock when it was trusted last */
    uint64_t monotonic_ns; /* the monotonic clock then; 0: never */
};

struct store_writer {
    pthread_t thread;
    bool started;
    struct db *db; /* of store_open() until the thread is started */
    struct block_encoder *encoder;
    struct trusted_clock clock;
    bool vacuumed; /* pages were given back since the last checkpoint */

    /* What compaction does next: */
    uint64_t chunks_due_ns; /* when to look for chunks to merge */
    uint64_t blocks_due_ns; /* when to look for new blocks */
    /* Blocks up to blocks_id were looked at, except those of kind k from
     * blocks_from_ns[k] on (UINT64_MAX: no exception). */
    uint64_t blocks_id, blocks_from_ns[KIND_COUNT];
};

struct store {
    struct store_head head;
    struct store_options options; /* constant after store_open() */
    char *path;                   /* of the database; likewise */
    struct commit_state commits;
    struct metadata metadata;
    struct memtables memtables;
    struct {
        uint64_t truncated_lsn; /* the journal is truncated up to here */
        uint64_t flush_lsn;     /* once it is truncated up to here, a full
                                   journal may cause a flush again: otherwise
                                   blocks would become tiny */
        uint64_t oldest_ns;     /* lower bound of arrival of all that is in the
                                   database; 0: not known yet */
    } progress;
    struct {
        struct budget memory;
        atomic_bool freed_much; /* the writer returns memory to the system */
        atomic_bool damaged;    /* a repair is scheduled */
    } readers;
    struct store_writer writer;
};

/* store.c: schedules the repair at the next start if this connection met
 * damage, once. From any thread. */
void store_note_damage(struct store *store, const struct db *db);

/* disk_reserve.c: space for a start on a full disk. Creates the file, if it is
 * missing and there is space; removes it, false if there is none. */
void disk_reserve_make(const struct store *store);
bool disk_reserve_remove(const struct store *store);

/* store_writer.c */
MUST_CHECK enum status store_writer_start(struct store *store);
void store_writer_stop(struct store *store); /* commits what is there */

/* retention.c: loads the clock at the start, saves it in each commit. */
MUST_CHECK enum status retention_load_clock(struct store *store,
                                            uint64_t wall_ns);
MUST_CHECK enum status retention_save_clock(struct store *store);

/* Steps of maintenance: the writer's thread, between commits. Each does a
 * bounded amount; *more is set if there is more to do at once. */
MUST_CHECK enum status retention_step(struct store *store, bool *more);
MUST_CHECK enum status chunk_compaction_step(struct store *store, bool *more);
MUST_CHECK enum status block_compaction_step(struct store *store, bool *more);

#endif
