/*
 * state - the inside of a store, for the files of this folder.
 *
 * Everything below `lock` is guarded by it, unless it says otherwise.
 */
#ifndef STORE_INT_H
#define STORE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "clock.h"
#include "db.h"
#include "kafka_offsets.h"
#include "memtable.h"
#include "pending_writes.h"
#include "store.h"
#include "stored_requests.h"

/* A save is committed no later than this, with data or without. */
#define STORE_SAVE_DELAY_NS (500 * NS_PER_MS)

/* Memory of pending_writes that are not committed yet; beyond it they are
 * committed at once, and store_append waits. */
enum { PENDING_WRITES_BYTES = 4 << 20 };

/* Closed memtables of a stream that may wait before store_append does. */
enum { MEMTABLES_WAITING = 2 };

struct stream_state {
    struct memtable *first, *last; /* oldest first; the last may be open */
    uint32_t closed;               /* how many of them are closed */
    uint64_t watermark;            /* lsn committed */
    uint64_t next_serial;
    uint64_t last_lsn; /* of the batch appended last */
    bool appending;    /* a batch is being coded: the open memtable stays so */
    bool close_wanted; /* when that is done */
};

struct store {
    struct store_options options;
    char *path; /* of the database */

    pthread_mutex_t lock;
    pthread_cond_t work; /* something for the writer */
    pthread_cond_t done; /* a commit succeeded or failed */
    struct stream_state streams[STREAM_COUNT];
    uint64_t last_lsn;  /* appended last to any record stream */
    uint64_t cut;       /* the journal was cut up to here */
    uint64_t press_lsn; /* once it is cut up to here, the journal may press
                           for sealing again: or blocks would get tiny */
    uint64_t next_order;
    uint64_t oldest_ns; /* see store_oldest_ns(); what is in the lists of
                           memtables not counted */
    uint64_t memtable_bytes;
    struct span_rows *spare[MEMTABLES_WAITING + 1]; /* empty, with memory */
    uint32_t spare_count;
    uint64_t derived_ns; /* monotonic, of the last derived batch */
    struct pending_writes *pending_writes,
        *saves_open;                          /* oldest and newest generation */
    uint64_t saved, saved_committed, sync_to; /* counts of pending_writes */
    uint64_t save_due_ns;                     /* 0: nothing to save */
    uint64_t saved_bytes, saved_bytes_committed; /* likewise, memory of them */
    struct kafka_offsets *kafka_offsets;
    struct stored_requests *requests;
    uint64_t failures;
    enum status health;
    bool draining; /* store_append does not wait any more */
    bool stopping;
    struct open_series open_series;
    uint64_t open_base; /* serial of the last derived memtable before it came */

    struct budget queries; /* memory of all readers; not under the lock */
    atomic_bool trim;      /* a query has freed much; not under the lock */
    atomic_bool damaged;   /* noted; not under the lock */
    pthread_t thread;
    bool started;
    struct block_encoder
        *encoder;        /* of the writer's thread; see store_writer.c */
    struct db *db;       /* likewise, once it runs */
    uint64_t merge_ns;   /* likewise: look for chunks to merge again then */
    uint64_t compact_ns; /* likewise: look for small blocks again then */
    uint64_t compact_id; /* likewise: blocks up to here were looked at */
    uint64_t compact_from[KIND_COUNT]; /* likewise, but for those from this
                                          time on; UINT64_MAX: none */
    bool vacuumed;                     /* likewise: pages were given back */
    uint64_t trusted_ns; /* likewise: the wall clock when it made sense, */
    uint64_t trusted_at; /* and the other one then; 0: never yet */
};

/* Closes the open memtable of the stream, if there is one. Under the lock. */
void store_close_memtable(struct store *store, enum stream stream);

/* Takes the coded rows off a memtable, to be used again. */
void store_spare_rows(struct store *store, struct memtable *memtable);
/* Frees what is not in use. Under the lock. */
void store_trim_rows(struct store *store);

/* The lsn up to which spans, logs and metrics do not need the journal any
 * more; soon: once what is closed is committed. Under the lock. */
uint64_t store_records_cut(const struct store *store, bool soon);

/* More is to be saved than should wait. Under the lock. */
bool store_pending_full(const struct store *store);

/* load.c: reads all that a start reads, and what every commit changes, so that
 * damage there shows while it can still be repaired. */
MUST_CHECK enum status load_check(struct db *db);

/* Damage was met: said and noted for the next start, once. From any thread. */
void store_note_damage(struct store *store, const struct db *db);

/* disk_reserve.c: room for a start on a full disk. Sets it aside, if it is not
 * and the disk has it; gives it up, false if there is none. */
void reserve_make(const struct store *store);
bool reserve_give(const struct store *store);

/* store_writer.c */
MUST_CHECK enum status store_writer_start(struct store *store);
void store_writer_stop(struct store *store); /* commits what is there */

/* retention.c: by which clock age is told; at the start, and in each commit. */
MUST_CHECK enum status retention_load_clock(struct store *store,
                                            uint64_t wall_ns);
MUST_CHECK enum status retention_save_clock(struct store *store);

/* retention.c: the writer's thread, between commits. A bounded step each;
 * *more is set if there is more to do at once. */
MUST_CHECK enum status retention_step(struct store *store, bool *more);

/* Takes a block away, and off the totals of its stream. */
MUST_CHECK enum status block_remove(struct db *db, enum stream stream,
                                    uint64_t id, uint64_t count,
                                    uint64_t bytes);

/* chunk_compaction.c: likewise. */
struct series_writer;
MUST_CHECK enum status merge_step(struct store *store,
                                  struct series_writer *writer, bool *more);

/* Adds a block or chunk to the totals of its stream, or takes it off. */
MUST_CHECK enum status totals_add(struct db *db, enum stream stream,
                                  int64_t blocks, int64_t records,
                                  int64_t bytes);

#endif
