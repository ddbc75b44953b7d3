/*
 * partition - what an instance does for its Kafka partitions, where several
 * instances share a store: a task for each, which correlates its messages,
 * collects what they make in blocks and has each block stored once.
 *
 * Purpose:   from decoded messages to blocks (store_block.h) and commits;
 *            continues where the last owner of a partition stopped.
 * Ownership: what the options point to belongs to the caller and outlives it.
 *            Submitted batches become its own.
 * Threads:   a thread of its own runs the tasks: the correlator's thread of
 *            such an instance (registry.h). A few others load and write blocks.
 *            partition_assigned() to partition_revoked() and the sink: the
 *            receiver's thread. The others: any.
 * Errors:    what cannot be written is tried again until it can be, or until
 *            the partition is taken away; partition_note() has the reason.
 */
#ifndef PARTITION_H
#define PARTITION_H

#include "batch.h"
#include "buf.h"
#include "correlate.h"
#include "store.h"

struct partition_tasks;

/* A commit to the group: kafka_commit_block(). */
struct partition_commit {
    uint64_t epoch, offset;
    struct slice metadata;
    bool stored; /* all before the offset is */
};

/* All instances of a group must have the same limits of the correlator. */
struct partition_options {
    struct store *store;
    struct registry *registry;
    struct catalog *catalog;
    struct budget *budget;
    struct correlator_options correlator; /* of each task */
    uint64_t block_rows, block_bytes;     /* that close a block */
    uint64_t block_age_ns; /* since its first message, that closes it */
    uint64_t checkpoint_ns;
    uint32_t writers; /* threads; 0: none at all, partition_step() does it */
    /* OK, ERR_BUSY: not known, repeated; ERR_STOPPING: not ours any more. */
    enum status (*commit)(void *arg, const struct partition_commit *commit);
    void *commit_arg;
    /* On the thread of the tasks, between batches and before a state of another
     * instance is read: takes what others added to the registry. NULL: none. */
    void (*learn)(void *arg);
    void *learn_arg;
};

MUST_CHECK enum status partition_open(struct partition_tasks **tasks,
                                      const struct partition_options *options);
/* After partition_revoked(). NULL is fine. */
void partition_close(struct partition_tasks *tasks);

/* ---- the receiver's thread ---- */

struct partition_assignment {
    struct slice topic;
    uint32_t partition;
    uint64_t epoch;        /* of no other assignment */
    uint64_t committed;    /* offset of the group, or where to begin */
    struct slice metadata; /* of that commit */
};
void partition_assigned(struct partition_tasks *tasks,
                        const struct partition_assignment *assignment);

/* False: not known yet. */
bool partition_start(struct partition_tasks *tasks, uint64_t epoch,
                     uint64_t *offset);

enum partition_state {
    PARTITION_READY,
    PARTITION_FULL, /* wait before you submit more */
    PARTITION_GONE  /* its commit was refused, or there is no such task */
};
enum partition_state partition_state(struct partition_tasks *tasks,
                                     uint64_t epoch);

/* All partitions are given up. Unless they are lost, waits a bounded time until
 * what was submitted is stored and committed. */
void partition_revoked(struct partition_tasks *tasks, bool lost);

/* Decoded messages: batch->source is set, with the assignment's epoch. */
struct sink partition_sink(struct partition_tasks *tasks);

/* ---- any thread ---- */

/* registry_delete() between two batches. ERR_NOT_FOUND, ERR_BUSY. */
MUST_CHECK enum status partition_delete(struct partition_tasks *tasks,
                                        struct slice namespace,
                                        struct registry_deletion *out);

/* For /health: which blocks cannot be written, and why; false: none. */
bool partition_note(struct partition_tasks *tasks, struct buf *out);
/* Rows of /metrics. */
void partition_print(struct partition_tasks *tasks, struct buf *out);

/* The change detector of all tasks, for what `learn` learns. */
struct correlator_changes *partition_changes(struct partition_tasks *tasks);

/* Without threads: does what there is to do; now_ns: the monotonic clock,
 * wall_ns: the other one. True if there was anything. */
bool partition_step(struct partition_tasks *tasks, uint64_t now_ns,
                    uint64_t wall_ns);

#endif
