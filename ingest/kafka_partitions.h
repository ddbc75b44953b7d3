/*
 * kafka_partitions - what the receiver knows of each partition: the offset to
 * read next, up to where it is stored, and how many batches are pending.
 *
 * Offsets are librdkafka's: a negative one is a place that librdkafka knows
 * (beginning, end, the group's offset), or in the other members unknown.
 *
 * Ownership  entries stay until partitions_release(), so a batch may point at
 *            one; there are as many as partitions were ever assigned.
 * Threads    the receiver's thread writes; batches are done on other threads
 *            and change only the atomic members and, under the lock, the counts
 *            of pending ones. partitions_print() and partitions_lags() are
 *            called by any thread.
 */
#ifndef KAFKA_PARTITIONS_H
#define KAFKA_PARTITIONS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "batch.h"
#include "buf.h"
#include "partition_lag.h"

/* What is known of a partition with an owner (kafka_owner.c). */
enum kafka_owning {
    OWNING_UNKNOWN, /* its committed offset is not known */
    OWNING_TOLD,    /* the owner does not say yet where to read from */
    OWNING_READS
};

struct kafka_partition {
    char topic[SOURCE_MAX_TOPIC + 1];
    uint32_t partition;
    enum signal signal;
    struct writer *writer; /* of its topic; borrowed */
    atomic_bool assigned;
    int64_t next;           /* the offset to read next */
    _Atomic int64_t stored; /* all before it is in the journal */
    int64_t committed;      /* what the broker was told */
    _Atomic int64_t high;   /* end of the log, as the broker last said */
    uint32_t pending;       /* batches that are with the sink */

    enum kafka_owning owning;
    uint64_t epoch; /* of the assignment, with an owner; under commit.lock */
    bool paused;    /* its owner is full */
    uint64_t gone_ns, asked_ns; /* monotonic; 0: not */
    uint64_t time_ms;           /* of the last message that had a time */

    unsigned resets;        /* times in a row that the log had nothing there */
    uint64_t reset_ns;      /* monotonic, of the first of them */
    unsigned corrupt_reads; /* in a row, of the batch that begins at */
    int64_t corrupt_offset;
};

struct kafka_partitions {
    pthread_mutex_t lock; /* counts of pending batches; growth of `at` */
    pthread_cond_t changed;
    struct kafka_partition **at;
    uint32_t count, room;
    uint32_t pending;
    atomic_size_t pending_bytes;
    bool owned;         /* what is stored is told by kafka_commit_block() */
    atomic_bool failed; /* a batch was not stored: read again from `stored` */
};

void partitions_init(struct kafka_partitions *partitions);
void partitions_release(struct kafka_partitions *partitions);

struct kafka_partition *partitions_find(
    const struct kafka_partitions *partitions, const char *topic,
    int32_t partition);
struct kafka_partition *partitions_add(struct kafka_partitions *partitions,
                                       const char *topic, int32_t partition,
                                       enum signal signal);

/* Makes batch->done report to the partition; the batch goes to the sink next.
 */
void partition_track(struct kafka_partitions *partitions,
                     struct kafka_partition *partition, struct batch *batch);

/* Waits until nothing is pending (NULL: of all partitions), at most so long;
 * false: something still is. */
bool partitions_wait(struct kafka_partitions *partitions,
                     const struct kafka_partition *partition,
                     uint64_t timeout_ns);

/* Nothing is pending: every partition continues at `stored`. */
void partitions_rewind(struct kafka_partitions *partitions);

/* The lag of each partition as Prometheus text. */
void partitions_print(struct kafka_partitions *partitions, struct buf *out);
/* The assigned ones, at most `room`; how many. */
uint32_t partitions_lags(struct kafka_partitions *partitions,
                         struct partition_lag *to, uint32_t room);

#endif
