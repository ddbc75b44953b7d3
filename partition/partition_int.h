/*
 * partition_int - all tasks of an instance, for the files of partition.h.
 *
 * Threads: the thread of the tasks, but for what is under the lock.
 */
#ifndef PARTITION_INT_H
#define PARTITION_INT_H

#include "change_reports.h"
#include "partition_task.h"
#include "queue.h"
#include "thread_calls.h"

struct partition_tasks {
    struct task_context context;
    struct change_reports reports;
    struct queue *queue;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    struct thread_calls calls;
    uint64_t ticked_ns, step_ns, step_wall_ns;
    struct partition_task **own; /* copy of `at` for the thread of the tasks */
    uint32_t own_count, own_room;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t revoked;
    struct partition_task **at;
    uint32_t count, room;
    enum revocation { REVOKE_NOT, REVOKE_FINISH, REVOKE_LOST } revoke;
    uint64_t revoke_until_ns; /* 0: the thread has not seen it */
};

#endif
