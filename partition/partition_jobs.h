/*
 * partition_jobs - what takes long or may have to be repeated, on threads of
 * its own: loading a state, storing a block, reporting a change.
 *
 * A job is run until it is OK or ERR_STOPPING, again after a pause that grows
 * with its failures; a job that waits holds no thread.
 *
 * Threads: adding and looking at `done`: any.
 */
#ifndef PARTITION_JOBS_H
#define PARTITION_JOBS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "status.h"

enum { JOBS_MAX_THREADS = 32 };

struct partition_job {
    enum status (*run)(struct partition_job *job);
    struct partition_job *next;
    uint64_t due_ns;
    uint32_t failures; /* in a row */
    bool failing;      /* counted in `failing` below */
    atomic_bool done;  /* it is the owner's again; nothing touches it after */
};

struct partition_jobs {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct partition_job *first, **end; /* due ones first, else by arrival */
    uint32_t count;                     /* that are not done */
    uint32_t failing;                   /* that failed, and are not done */
    uint64_t failing_ns;                /* monotonic: the first of them did */
    enum status failure;                /* the last one */
    bool stopping;
    pthread_t threads[JOBS_MAX_THREADS];
    uint32_t thread_count;
    atomic_ullong retries;
};

void partition_jobs_init(struct partition_jobs *jobs);
MUST_CHECK enum status partition_jobs_start(struct partition_jobs *jobs,
                                            uint32_t threads);
/* Jobs that run are waited for; the others are not run any more. */
void partition_jobs_stop(struct partition_jobs *jobs);
void partition_jobs_release(struct partition_jobs *jobs);

void partition_jobs_add(struct partition_jobs *jobs, struct partition_job *job);

/* Makes all jobs due now: they were cancelled, or what failed may work again.
 */
void partition_jobs_hurry(struct partition_jobs *jobs);

/* How many cannot be done now, why, and since when (monotonic). */
uint32_t partition_jobs_failing(struct partition_jobs *jobs,
                                enum status *failure, uint64_t *since_ns);
uint32_t partition_jobs_count(struct partition_jobs *jobs);

/* Runs one that is due, on this thread; false: there is none. */
bool partition_jobs_step(struct partition_jobs *jobs, uint64_t now_ns);

#endif
