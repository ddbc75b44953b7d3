/*
 * correlator_int - the inside of a correlator, for its files: correlate.c, and
 * correlator_partition.c for one of a Kafka partition.
 *
 * Threads: the correlator's, but for calls and queue.
 */
#ifndef CORRELATOR_INT_H
#define CORRELATOR_INT_H

#include <pthread.h>

#include "byte_reader.h"
#include "correlate.h"
#include "queue.h"
#include "recent_refusals.h"
#include "recent_requests.h"
#include "tagger.h"
#include "thread_calls.h"

enum { CORRELATOR_STATE_MAX = 64 << 20 };

struct correlator {
    struct correlator_options options;
    struct store *store;
    struct tagger tagger;
    struct recent_requests requests;
    struct recent_refusals refusals;
    struct queue *queue;
    pthread_t thread;
    bool started;
    struct thread_calls calls;

    uint64_t committed[STREAM_COUNT]; /* watermarks at the start */
    uint64_t taking;                  /* lsn of the current batch; 0: none */
    uint64_t counted_lsn;             /* of the last batch counted completely */
    uint64_t part_lsn, part; /* number of counted records of that batch */
    uint64_t flushed_lsn;
    uint64_t newest_ns;              /* when the last batch was received */
    uint64_t appended[STREAM_COUNT]; /* lsn of the last batch that has records;
                                        0: none yet */
    uint64_t foreign_logged_ns;      /* when it was last logged */
    uint64_t foreign;                /* records since then */

    struct arena state_memory; /* of `state` */
    struct byte_reader state;  /* spans that wait, not unpacked yet; or empty */
    uint64_t state_version;    /* of `state` */
};

/* Appends what was counted. Called with the lock of the derived table held;
 * releases it while it calls the store. */
void correlator_flush_locked(struct correlator *correlator);

#endif
