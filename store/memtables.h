/*
 * memtables - the records in memory: for each stream a list of memtables.
 *
 * A batch that is appended joins the open memtable of its stream. A memtable is
 * closed when it is large or old enough, waits for the writer's thread, is
 * encoded and committed together with the stream's new watermark, and leaves
 * the list:
 *
 *   append -> open -> closed -> committed, dropped from the list
 *                     at most MEMTABLES_WAITING, then append waits
 *
 * Threads: all under the lock of commit_state; batches are added by the
 * correlator's thread, memtables dropped by the writer's.
 */
#ifndef STORE_MEMTABLES_H
#define STORE_MEMTABLES_H

#include "commit_state.h"
#include "memtable.h"

/* Closed memtables of a stream that may wait before store_append does. */
enum { MEMTABLES_WAITING = 2 };

struct stream_memtables {
    struct memtable *first, *last; /* oldest first; the last may be open */
    uint32_t closed;               /* how many of them are closed */
    uint64_t watermark;            /* lsn committed */
    uint64_t next_serial;
    uint64_t last_lsn; /* of the batch appended last */
    bool appending;    /* spans are being encoded: the open one stays open */
    bool close_wanted; /* when that is done */
};

struct memtables {
    struct commit_state *commits;
    const struct store_options *options;
    struct stream_memtables streams[STREAM_COUNT];
    uint64_t last_lsn; /* appended last to any stream of records */
    uint64_t next_order;
    uint64_t bytes;                                      /* of all memtables */
    struct span_rows *spare_rows[MEMTABLES_WAITING + 1]; /* empty */
    uint32_t spare_count;
    uint64_t derived_ns; /* monotonic, of the last derived batch */
    struct open_series open_series;
    uint64_t open_base; /* serial of the last derived memtable before it */
};

void memtables_init(struct memtables *memtables, struct commit_state *commits,
                    const struct store_options *options);
void memtables_release(struct memtables *memtables);

/* The open memtable of a stream, a new one if there is none. */
struct memtable *memtables_open(struct memtables *memtables,
                                enum stream stream);

/* Closes the open memtable of the stream, if there is one; of all streams. */
void memtables_close(struct memtables *memtables, enum stream stream);
void memtables_close_all(struct memtables *memtables);

/* Drops a memtable that was committed: the first one of its stream. */
void memtables_drop(struct memtables *memtables, struct memtable *memtable);

/* Encoded rows to reuse: takes some; gives back those of a memtable (takes the
 * lock itself); frees those that are not in use. */
struct span_rows *memtables_take_rows(struct memtables *memtables);
void memtables_return_rows(struct memtables *memtables,
                           struct memtable *memtable);
void memtables_free_rows(struct memtables *memtables);

/* The lsn up to which spans, logs and metrics do not need the journal any more;
 * after_closed: once all closed memtables are committed. */
uint64_t memtables_durable_lsn(const struct memtables *memtables,
                               bool after_closed);

#endif
