/*
 * journal_int - the journal's own state. For journal*.c only.
 */
#ifndef JOURNAL_INT_H
#define JOURNAL_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "journal.h"
#include "journal_dir.h"
#include "journal_segment.h"

struct journal {
    struct journal_options options;
    const struct journal_io *io;
    struct journal_dir dir;
    pthread_mutex_t lock; /* dir's list, truncated_lsn, replaying */
    uint64_t truncated_lsn;
    bool replaying; /* the list is being walked: no segment is removed */
    /* live_bytes: not truncated yet; queued_bytes: submitted, not written */
    atomic_uint_fast64_t next_lsn, live_bytes, queued_bytes;
    atomic_bool broken, stopping;
    struct queue *queue;
    struct segment_writer writer; /* of the thread */
    uint64_t last_lsn;     /* of the thread: of the last entry that exists */
    uint64_t failed_epoch; /* of the thread; see is_stale() */
    struct sink next;
    pthread_t thread;
    bool started;
};

/* journal.c; with the lock held: updates live_bytes, and removes segments whose
 * entries are all truncated. */
void journal_count_bytes(struct journal *journal);
void journal_drop_segments(struct journal *journal);

/* Completes the batch with a failure and frees it. */
void journal_refuse(struct batch *batch, enum status status);

/* journal_thread.c */
void *journal_thread(void *arg);

/* The segment being written; an empty one if there is none. */
struct segment journal_active_segment(struct journal *journal);

/* Closes the active segment, if there is one, and begins the next. */
MUST_CHECK enum status journal_next_segment(struct journal *journal);

/* Begins a segment; if that fails the journal is broken until it succeeds. */
void journal_try_next_segment(struct journal *journal);

#endif
