/*
 * partition_task - what is done for one assigned partition.
 *
 *   loading      the state of the last checkpoint is read
 *   catching up  messages from the checkpoint to the committed offset: counted
 *                as the last owner did, but stored by it; what is made of them
 *                is dropped
 *   repeating    the block that the last owner announced: exactly its messages
 *   running      blocks of our own
 *   gone         not ours any more
 *
 * A task is a function of its state and the messages in their order. Time is
 * that of the messages. The wall clock decides only when a block is closed,
 * which is announced before anything of it is stored.
 *
 * Threads: that of the tasks; other threads read the members marked so.
 */
#ifndef PARTITION_TASK_H
#define PARTITION_TASK_H

#include "block_write.h"
#include "partition_jobs.h"

enum task_phase {
    TASK_LOADING,
    TASK_CATCHING_UP,
    TASK_REPEATING,
    TASK_RUNNING,
    TASK_GONE
};

/* What all tasks have in common. */
struct task_context {
    struct partition_options options;
    struct correlator_changes *changes;
    struct partition_jobs jobs;
    struct {
        atomic_ullong blocks, idle_blocks, rows, checkpoints, takeovers,
            read_again, refused;
    } counters;
};

/* The job that loads the state of a checkpoint. */
struct task_load {
    struct partition_job job;
    struct partition_task *task;
    struct arena arena;
    struct slice state;
    bool missing;
    atomic_bool cancelled;
};

struct partition_task {
    struct task_context *context;
    char topic[SOURCE_MAX_TOPIC + 1]; /* constant, as the next two */
    uint32_t partition;
    uint64_t epoch;
    atomic_int phase;    /* enum task_phase; read by any thread */
    atomic_bool full;    /* likewise */
    atomic_bool started; /* likewise; start_offset is valid */
    uint64_t start_offset;

    uint64_t committed; /* when it was assigned, with its note */
    struct block_note note;
    struct task_load load;
    uint64_t loaded_ns; /* monotonic; 0: not yet */

    struct correlator *correlator;
    struct store_block *open;
    uint64_t from, next;         /* the open block begins; the next message */
    uint64_t messages;           /* in the open block */
    uint64_t first_ns;           /* when its first message was received */
    uint64_t newest_ns;          /* the last message */
    uint64_t opened_ns, last_ns; /* monotonic: first and last message */

    bool has_checkpoint;
    uint64_t checkpoint, checkpoint_ns; /* offset, time of the messages */
    uint64_t idle_ns; /* when the state at `next` expired; 0: by messages */
    bool waits_known; /* the next one is of the state at `next` */
    uint64_t waits_since_ns; /* correlator_last_waits_since() */

    struct block_write *writing; /* NULL: none */
    bool finishing;
};

/* assignment->topic has at most SOURCE_MAX_TOPIC bytes. */
struct partition_task *partition_task_new(
    struct task_context *context,
    const struct partition_assignment *assignment);
/* No job of it may run: partition_task_is_over(). */
void partition_task_free(struct partition_task *task);

/* A message; takes the batch over. */
void partition_task_take(struct partition_task *task, struct batch *batch,
                         uint64_t now_ns);

/* Goes on with what has become possible. pressure: memory is short. */
void partition_task_tick(struct partition_task *task, uint64_t now_ns,
                         uint64_t wall_ns, bool pressure);

/* From now on it only stores what it has, with its state. */
void partition_task_finish(struct partition_task *task);
bool partition_task_is_finished(const struct partition_task *task);

/* It is not ours any more: forgets what is not announced. */
void partition_task_end(struct partition_task *task);
bool partition_task_is_over(const struct partition_task *task);

#endif
