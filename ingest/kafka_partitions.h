/*
 * kafka_parts - what the receiver knows of each partition: how far it was
 * taken, how far it is kept, how much is under way.
 *
 * Threads  rows are added and assigned by the receiver's thread, which alone
 *          reads `next`; the rest is guarded by the lock, because batches are
 *          done on other threads.
 */
#ifndef KAFKA_PARTS_H
#define KAFKA_PARTS_H

#include <pthread.h>
#include <stdbool.h>

#include "batch.h"
#include "buf.h"

struct kafka_partition {
    char topic[SOURCE_MAX_TOPIC + 1];
    uint32_t partition;
    enum signal signal;
    int64_t start;   /* where it was told to begin, a place librdkafka knows */
    bool known;      /* next and done mean something: until then `start` does */
    uint64_t next;   /* the offset to take next */
    uint64_t high;   /* the log's end as the broker last said */
    bool high_known; /* ... if it did */
    unsigned resets; /* in a row: the broker has not what we ask for */
    uint64_t reset_ns; /* monotonic, of the first of them */
    unsigned spoils;   /* in a row, of the set of messages that begins at */
    uint64_t spoiled;

    /* Under the lock. */
    bool assigned;
    uint64_t done;      /* all before it is kept */
    uint64_t committed; /* what the broker was told; UINT64_MAX: nothing */
    uint32_t under_way;
};

struct kafka_partitions {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct kafka_partition **at;
    uint32_t count, room;
    uint32_t under_way;
    size_t under_way_bytes;
    bool failed; /* something submitted was not kept */
};

void partitions_init(struct kafka_partitions *parts);
void partitions_release(struct kafka_partitions *parts);

struct kafka_partition *partitions_find(const struct kafka_partitions *parts,
                                        const char *topic, uint32_t partition);
struct kafka_partition *partitions_add(struct kafka_partitions *parts,
                                       const char *topic, uint32_t partition,
                                       enum signal signal);

/* From now on the part is ours, and begins at start: an offset, or a place that
 * is negative and has a name in librdkafka. */
void partition_assign(struct kafka_partitions *parts,
                      struct kafka_partition *part, int64_t start,
                      uint64_t committed);
void partition_unassign(struct kafka_partitions *parts,
                        struct kafka_partition *part);

/* Makes the batch's done report to the part; it goes to the sink next. */
void partition_track(struct kafka_partitions *parts,
                     struct kafka_partition *part, struct batch *batch);

/* Waits until nothing is under way (of that part, or of all if it is NULL), at
 * most so long; false: it still is. */
bool partitions_wait(struct kafka_partitions *parts,
                     const struct kafka_partition *part, uint64_t timeout_ns);

/* Memory of the batches under way. */
size_t partitions_pending_bytes(struct kafka_partitions *parts);

bool partitions_failed(struct kafka_partitions *parts);
void partitions_fail(struct kafka_partitions *parts);

/* Nothing is under way: every part goes on from what is kept. */
void partitions_rewind(struct kafka_partitions *parts);

/* What the broker has not been told yet; false: nothing. */
bool partition_uncommitted(struct kafka_partitions *parts,
                           const struct kafka_partition *part,
                           uint64_t *offset);
void partition_committed(struct kafka_partitions *parts,
                         struct kafka_partition *part, uint64_t offset);

void partition_set_high(struct kafka_partitions *parts,
                        struct kafka_partition *part, uint64_t high);
void partitions_print(struct kafka_partitions *parts, struct buf *out);

#endif
