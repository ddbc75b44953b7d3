/*
 * memtable - batches of one stream in memory that will become one piece on
 * disk.
 *
 * A memtable is open while batches are appended to it, then closed, then
 * written and committed by the writer's thread, then dropped from the store's
 * list. It only grows at its end and what is in it never moves, so a reader
 * that notes how many batches there are may walk those without a lock, for as
 * long as it holds a reference.
 *
 * Ownership: counted by references; it owns its batches.
 * Threads: appending, and noting a view, under the store's lock.
 */
#ifndef STORE_MEMTABLE_H
#define STORE_MEMTABLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "batch.h"
#include "block.h"
#include "store.h"

enum { RUN_BATCHES = 62 };

/* A piece of a memtable's list of batches. */
struct batch_run {
    struct batch_run *next;
    struct batch *at[RUN_BATCHES];
};

struct memtable {
    struct memtable *next; /* newer one of the stream */
    atomic_uint refs;
    enum stream stream;
    bool closed;
    uint64_t serial; /* counts the memtables of the stream, never reused */
    uint64_t order;  /* when it was closed, among all streams */
    uint64_t first_lsn, last_lsn;
    uint64_t opened_ns;   /* clock_monotonic_ns */
    uint64_t received_ns; /* earliest arrival of its batches; UINT64_MAX */
    uint64_t records, bytes;
    struct span_rows *rows; /* all of its spans, coded; NULL: not done */
    uint32_t batch_count;
    struct batch_run first_run, *last_run;
};

struct memtable *memtable_new(enum stream stream, uint64_t serial);
struct memtable *memtable_ref(struct memtable *memtable);
void memtable_free(struct memtable *memtable); /* one reference less */

/* Takes the batch over. */
void memtable_add(struct memtable *memtable, struct batch *batch);

/* What a reader sees of a memtable: its first batch_count batches. */
struct memtable_view {
    struct memtable *memtable;
    uint32_t batch_count;
};

/* Walks the batches of a view, oldest first. */
struct memtable_cursor {
    const struct batch_run *run;
    uint32_t at, left;
};
struct memtable_cursor memtable_cursor(const struct memtable_view *view);
const struct batch *memtable_next(struct memtable_cursor *walk); /* NULL: end */

/* At most one open and a few closed ones; see store_append. */
enum { MEMTABLES_MAX = 8 };

struct memtables_view {
    struct memtable_view at[MEMTABLES_MAX];
    uint32_t count;
};

#endif
