/*
 * The tasks of an instance, and the thread that runs them.
 *
 *   receiver's thread ─ batch ─► queue ─► thread of the tasks ─► task
 *                                             │ closed block
 *                                             ▼
 *                                           jobs: announce, write, commit
 *
 * A revocation waits here, on the receiver's thread, until all tasks have
 * stored what they have; what takes longer than FINISH_NS is left to the next
 * owner, who does it again.
 *
 * Memory: batches in the queue and rows in blocks are charged to the budget. If
 * that is short, blocks are closed early; if it is used up, the receiver
 * pauses.
 */
#include "partition.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "mem.h"
#include "partition_int.h"

#define TICK_NS (20 * NS_PER_MS)
/* The most that storing takes when partitions are revoked. If the store fails,
 * more would only hold up a stop: the next owner reads it again. */
#define FINISH_NS         (10 * NS_PER_S)
#define FINISH_FAILING_NS (2 * NS_PER_S)
#define CALL_NS           (10 * NS_PER_S)
#define KNOWN_NS          (2 * NS_PER_MIN)

enum { QUEUE_SIZE = 4096, TAKE_MOST = 64 };

enum { PRESSURE_EIGHTHS = 5 };

/* ---- the list ---- */

static struct partition_task *find_task(const struct partition_tasks *tasks,
                                        uint64_t epoch)
{
    for (uint32_t i = 0; i < tasks->count; i++)
        if (tasks->at[i]->epoch == epoch)
            return tasks->at[i];
    return NULL;
}

void partition_assigned(struct partition_tasks *tasks,
                        const struct partition_assignment *assignment)
{
    struct partition_task *task =
        partition_task_new(&tasks->context, assignment);

    pthread_mutex_lock(&tasks->lock);
    *(struct partition_task **)array_append(&tasks->at, tasks->count,
                                            &tasks->room) = task;
    tasks->count++;
    pthread_mutex_unlock(&tasks->lock);
}

bool partition_start(struct partition_tasks *tasks, uint64_t epoch,
                     uint64_t *offset)
{
    const struct partition_task *task;
    bool started;

    pthread_mutex_lock(&tasks->lock);
    task = find_task(tasks, epoch);
    started = task && task->started;
    if (started)
        *offset = task->start_offset;
    pthread_mutex_unlock(&tasks->lock);
    return started;
}

enum partition_state partition_state(struct partition_tasks *tasks,
                                     uint64_t epoch)
{
    const struct partition_task *task;
    enum partition_state state = PARTITION_READY;

    pthread_mutex_lock(&tasks->lock);
    task = find_task(tasks, epoch);
    if (!task || task->phase == TASK_GONE)
        state = PARTITION_GONE;
    else if (task->full)
        state = PARTITION_FULL;
    pthread_mutex_unlock(&tasks->lock);
    return state;
}

/* Tasks that nothing refers to any more. */
static void free_ended(struct partition_tasks *tasks)
{
    for (uint32_t i = 0; i < tasks->own_count; i++) {
        struct partition_task *task = tasks->own[i];
        uint32_t at = 0;

        if (!partition_task_is_over(task))
            continue;
        pthread_mutex_lock(&tasks->lock);
        while (tasks->at[at] != task)
            at++;
        tasks->at[at] = tasks->at[--tasks->count];
        pthread_mutex_unlock(&tasks->lock);
        partition_task_free(task);
    }
    tasks->own_count = 0;
}

static void copy_list(struct partition_tasks *tasks)
{
    pthread_mutex_lock(&tasks->lock);
    array_reserve(&tasks->own, tasks->count, &tasks->own_room);
    if (tasks->count > 0)
        memcpy(tasks->own, tasks->at, tasks->count * sizeof(*tasks->own));
    tasks->own_count = tasks->count;
    pthread_mutex_unlock(&tasks->lock);
}

/* ---- messages ---- */

static void submit(void *arg, struct batch *batch)
{
    struct partition_tasks *tasks = arg;

    if (tasks->started ? queue_push_wait(tasks->queue, batch)
                       : queue_push(tasks->queue, batch))
        return;
    batch_done(batch, ERR_STOPPING);
    batch_free(batch);
}

static enum status ready(void *arg)
{
    const struct partition_tasks *tasks = arg;

    return tasks->stopping ? ERR_STOPPING : OK;
}

struct sink partition_sink(struct partition_tasks *tasks)
{
    return (struct sink){.submit = submit, .ready = ready, .arg = tasks};
}

static void take(struct partition_tasks *tasks, struct batch *batch,
                 uint64_t now_ns)
{
    struct partition_task *task;

    batch->next = NULL;
    pthread_mutex_lock(&tasks->lock);
    task = find_task(tasks, batch->source->epoch);
    pthread_mutex_unlock(&tasks->lock);
    if (task) {
        partition_task_take(task, batch, now_ns);
        return;
    }
    batch_done(batch, ERR_STOPPING);
    batch_free(batch);
}

static bool take_some(struct partition_tasks *tasks, uint64_t wait_ns,
                      uint64_t now_ns)
{
    void *items[TAKE_MOST];
    size_t count = queue_pop_many(tasks->queue, items, TAKE_MOST, wait_ns);

    for (size_t i = 0; i < count; i++)
        take(tasks, items[i], now_ns);
    return count > 0;
}

/* ---- revocation ---- */

static bool all_finished(const struct partition_tasks *tasks)
{
    for (uint32_t i = 0; i < tasks->own_count; i++)
        if (!partition_task_is_finished(tasks->own[i]))
            return false;
    return true;
}

static void end_all(struct partition_tasks *tasks)
{
    for (uint32_t i = 0; i < tasks->own_count; i++)
        partition_task_end(tasks->own[i]);
    partition_jobs_hurry(&tasks->context.jobs);
    pthread_mutex_lock(&tasks->lock);
    tasks->revoke = REVOKE_NOT;
    pthread_cond_broadcast(&tasks->revoked);
    pthread_mutex_unlock(&tasks->lock);
}

static bool is_over(const struct partition_tasks *tasks, uint64_t now_ns)
{
    uint64_t until_ns = tasks->revoke_until_ns;

    if (store_health(tasks->context.options.store) != OK)
        until_ns -= FINISH_NS - FINISH_FAILING_NS;
    return now_ns >= until_ns;
}

/* The receiver waits: nothing is added to the queue meanwhile. */
static void go_on_with_revocation(struct partition_tasks *tasks,
                                  uint64_t now_ns)
{
    enum revocation revoke;

    pthread_mutex_lock(&tasks->lock);
    revoke = tasks->revoke;
    pthread_mutex_unlock(&tasks->lock);
    if (revoke == REVOKE_NOT ||
        (revoke == REVOKE_FINISH && queue_length(tasks->queue) > 0))
        return;
    if (revoke == REVOKE_FINISH && tasks->revoke_until_ns == 0) {
        tasks->revoke_until_ns = now_ns + FINISH_NS;
        for (uint32_t i = 0; i < tasks->own_count; i++)
            partition_task_finish(tasks->own[i]);
        return;
    }
    if (revoke == REVOKE_LOST || all_finished(tasks) || is_over(tasks, now_ns))
        end_all(tasks);
}

void partition_revoked(struct partition_tasks *tasks, bool lost)
{
    pthread_mutex_lock(&tasks->lock);
    tasks->revoke = lost ? REVOKE_LOST : REVOKE_FINISH;
    tasks->revoke_until_ns = 0;
    while (tasks->revoke != REVOKE_NOT) {
        if (tasks->started) {
            pthread_cond_wait(&tasks->revoked, &tasks->lock);
            continue;
        }
        pthread_mutex_unlock(&tasks->lock);
        (void)partition_step(tasks, tasks->step_ns + TICK_NS,
                             tasks->step_wall_ns + TICK_NS);
        pthread_mutex_lock(&tasks->lock);
    }
    pthread_mutex_unlock(&tasks->lock);
}

/* ---- the thread ---- */

static bool is_pressed(const struct partition_tasks *tasks)
{
    const struct budget *budget = tasks->context.options.budget;

    return budget && budget_used(budget) > budget->limit / 8 * PRESSURE_EIGHTHS;
}

static void tick(struct partition_tasks *tasks, uint64_t now_ns,
                 uint64_t wall_ns)
{
    const struct partition_options *o = &tasks->context.options;
    bool pressure = is_pressed(tasks);

    tasks->ticked_ns = now_ns;
    copy_list(tasks);
    if (o->learn)
        o->learn(o->learn_arg);
    for (uint32_t i = 0; i < tasks->own_count; i++)
        if (tasks->own[i]->phase != TASK_GONE)
            partition_task_tick(tasks->own[i], now_ns, wall_ns, pressure);
    go_on_with_revocation(tasks, now_ns);
    change_reports_tick(&tasks->reports);
    free_ended(tasks);
}

static void *run(void *arg)
{
    struct partition_tasks *tasks = arg;

    while (!tasks->stopping) {
        uint64_t now_ns;

        (void)take_some(tasks, TICK_NS, clock_monotonic_ns());
        thread_calls_serve(&tasks->calls);
        now_ns = clock_monotonic_ns();
        if (now_ns - tasks->ticked_ns >= TICK_NS)
            tick(tasks, now_ns, clock_wall_ns());
    }
    return NULL;
}

bool partition_step(struct partition_tasks *tasks, uint64_t now_ns,
                    uint64_t wall_ns)
{
    bool worked;

    tasks->step_ns = now_ns;
    tasks->step_wall_ns = wall_ns;
    worked = take_some(tasks, 0, now_ns);
    tick(tasks, now_ns, wall_ns);
    while (partition_jobs_step(&tasks->context.jobs, now_ns))
        worked = true;
    return worked;
}

/* ---- open and close ---- */

/* A resource that another instance saw long before is no news, though it is the
 * first time that it is seen here. */
static void report_change(void *arg, struct batch *batch)
{
    struct partition_tasks *tasks = arg;
    const struct log_record *event = &batch->logs[0];
    uint64_t first_ns = registry_first_seen(tasks->context.options.registry,
                                            event->resource_id);

    if (first_ns > 0 && event->time_ns > first_ns + KNOWN_NS) {
        batch_free(batch);
        return;
    }
    change_reports_add(&tasks->reports, batch);
}

enum status partition_open(struct partition_tasks **out,
                           const struct partition_options *options)
{
    struct partition_tasks *tasks = mem_zero(1, sizeof(*tasks));
    enum status status;

    *out = tasks; /* `learn` may use it at once */
    tasks->context.options = *options;
    tasks->reports.context = &tasks->context;
    partition_jobs_init(&tasks->context.jobs);
    tasks->queue = queue_new(QUEUE_SIZE);
    thread_calls_init(&tasks->calls);
    pthread_mutex_init(&tasks->lock, NULL);
    pthread_cond_init(&tasks->revoked, NULL);
    status = correlator_changes_open(&tasks->context.changes, options->store,
                                     options->registry, report_change, tasks);
    if (status == OK)
        status = partition_jobs_start(&tasks->context.jobs, options->writers);
    if (status == OK && options->writers > 0) {
        tasks->started = true; /* the thread looks at it */
        if (pthread_create(&tasks->thread, NULL, run, tasks) != 0) {
            tasks->started = false;
            status = ERR_INTERNAL;
        }
    }
    if (status != OK) {
        partition_close(tasks);
        *out = NULL;
    }
    return status;
}

void partition_close(struct partition_tasks *tasks)
{
    if (!tasks)
        return;
    tasks->stopping = true;
    if (tasks->started)
        pthread_join(tasks->thread, NULL);
    copy_list(tasks);
    for (uint32_t i = 0; i < tasks->own_count; i++)
        partition_task_end(tasks->own[i]);
    partition_jobs_stop(&tasks->context.jobs);
    free_ended(tasks);
    change_reports_release(&tasks->reports);
    queue_close(tasks->queue);
    (void)take_some(tasks, 0, 0);
    while (queue_length(tasks->queue) > 0)
        (void)take_some(tasks, 0, 0);
    queue_free(tasks->queue);
    correlator_changes_close(tasks->context.changes);
    partition_jobs_release(&tasks->context.jobs);
    thread_calls_release(&tasks->calls);
    pthread_cond_destroy(&tasks->revoked);
    pthread_mutex_destroy(&tasks->lock);
    free(tasks->at);
    free(tasks->own);
    free(tasks);
}

struct correlator_changes *partition_changes(struct partition_tasks *tasks)
{
    return tasks->context.changes;
}

/* ---- deleting a namespace ---- */

struct namespace_deletion {
    struct partition_tasks *tasks;
    struct slice namespace;
    struct registry_deletion *out;
};

static enum status delete_namespace(void *arg)
{
    const struct namespace_deletion *deletion = arg;

    return registry_delete(deletion->tasks->context.options.registry,
                           deletion->namespace, clock_wall_ns(), deletion->out);
}

enum status partition_delete(struct partition_tasks *tasks,
                             struct slice namespace,
                             struct registry_deletion *out)
{
    struct namespace_deletion deletion = {tasks, namespace, out};

    return thread_calls_run(&tasks->calls, delete_namespace, &deletion,
                            CALL_NS);
}
