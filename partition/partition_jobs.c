#include "partition_jobs.h"

#include <time.h>

#include "clock.h"

#define PAUSE_NS     (50 * NS_PER_MS)
#define PAUSE_MAX_NS (3 * NS_PER_S)

void partition_jobs_init(struct partition_jobs *jobs)
{
    pthread_condattr_t attr;

    *jobs = (struct partition_jobs){.end = NULL};
    jobs->end = &jobs->first;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void partition_jobs_release(struct partition_jobs *jobs)
{
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->lock);
}

/* ---- the list, under the lock ---- */

static void append(struct partition_jobs *jobs, struct partition_job *job)
{
    job->next = NULL;
    *jobs->end = job;
    jobs->end = &job->next;
}

/* Takes the first one that is due; else NULL, and *next_ns is when to look. */
static struct partition_job *take_due(struct partition_jobs *jobs,
                                      uint64_t now_ns, uint64_t *next_ns)
{
    struct partition_job **at = &jobs->first, *job;

    *next_ns = now_ns + NS_PER_S;
    while ((job = *at) && job->due_ns > now_ns) {
        if (job->due_ns < *next_ns)
            *next_ns = job->due_ns;
        at = &job->next;
    }
    if (!job)
        return NULL;
    *at = job->next;
    if (jobs->end == &job->next)
        jobs->end = at;
    return job;
}

static uint64_t pause_of(uint32_t failures)
{
    uint64_t pause_ns = PAUSE_NS << (failures < 8 ? failures : 8);

    return pause_ns < PAUSE_MAX_NS ? pause_ns : PAUSE_MAX_NS;
}

/* After a try. */
static void settle(struct partition_jobs *jobs, struct partition_job *job,
                   enum status status, uint64_t now_ns)
{
    if (status == OK || status == ERR_STOPPING) {
        jobs->count--;
        jobs->failing -= job->failing;
        job->done = true; /* its owner may free it from here on */
        return;
    }
    job->failures++;
    if (jobs->failing == 0)
        jobs->failing_ns = now_ns;
    jobs->failing += !job->failing;
    job->failing = true;
    jobs->failure = status;
    jobs->retries++;
    job->due_ns = now_ns + pause_of(job->failures);
    append(jobs, job);
}

/* ---- the threads ---- */

bool partition_jobs_step(struct partition_jobs *jobs, uint64_t now_ns)
{
    struct partition_job *job;
    uint64_t next_ns;
    enum status status;

    pthread_mutex_lock(&jobs->lock);
    job = take_due(jobs, now_ns, &next_ns);
    pthread_mutex_unlock(&jobs->lock);
    if (!job)
        return false;
    status = job->run(job);
    pthread_mutex_lock(&jobs->lock);
    settle(jobs, job, status, now_ns);
    pthread_mutex_unlock(&jobs->lock);
    return true;
}

static void *run(void *arg)
{
    struct partition_jobs *jobs = arg;

    pthread_mutex_lock(&jobs->lock);
    while (!jobs->stopping) {
        uint64_t next_ns;
        struct partition_job *job =
            take_due(jobs, clock_monotonic_ns(), &next_ns);

        if (!job) {
            const struct timespec at = {.tv_sec = (time_t)(next_ns / NS_PER_S),
                                        .tv_nsec = (long)(next_ns % NS_PER_S)};

            (void)pthread_cond_timedwait(&jobs->changed, &jobs->lock, &at);
            continue;
        }
        pthread_mutex_unlock(&jobs->lock);
        enum status status = job->run(job);
        pthread_mutex_lock(&jobs->lock);
        settle(jobs, job, status, clock_monotonic_ns());
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

enum status partition_jobs_start(struct partition_jobs *jobs, uint32_t threads)
{
    while (jobs->thread_count < threads &&
           jobs->thread_count < JOBS_MAX_THREADS) {
        if (pthread_create(&jobs->threads[jobs->thread_count], NULL, run,
                           jobs) != 0)
            return ERR_INTERNAL;
        jobs->thread_count++;
    }
    return OK;
}

void partition_jobs_stop(struct partition_jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    for (uint32_t i = 0; i < jobs->thread_count; i++)
        pthread_join(jobs->threads[i], NULL);
    jobs->thread_count = 0;
    for (struct partition_job *job = jobs->first, *next; job; job = next) {
        next = job->next;
        job->done = true;
    }
    jobs->first = NULL;
    jobs->end = &jobs->first;
}

void partition_jobs_add(struct partition_jobs *jobs, struct partition_job *job)
{
    job->done = false;
    job->due_ns = 0;
    job->failures = 0;
    job->failing = false;
    pthread_mutex_lock(&jobs->lock);
    jobs->count++;
    append(jobs, job);
    pthread_cond_signal(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
}

void partition_jobs_hurry(struct partition_jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    for (struct partition_job *job = jobs->first; job; job = job->next)
        job->due_ns = 0;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
}

uint32_t partition_jobs_failing(struct partition_jobs *jobs,
                                enum status *failure, uint64_t *since_ns)
{
    uint32_t failing;

    pthread_mutex_lock(&jobs->lock);
    failing = jobs->failing;
    *failure = jobs->failure;
    *since_ns = jobs->failing_ns;
    pthread_mutex_unlock(&jobs->lock);
    return failing;
}

uint32_t partition_jobs_count(struct partition_jobs *jobs)
{
    uint32_t count;

    pthread_mutex_lock(&jobs->lock);
    count = jobs->count;
    pthread_mutex_unlock(&jobs->lock);
    return count;
}
