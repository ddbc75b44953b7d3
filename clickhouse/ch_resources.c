#include "ch_resources.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "ch_resources_int.h"
#include "log.h"
#include "mem.h"

enum { POLL_MS = 500, HURRY_MS = 50, LOG_AGAIN_S = 60 };

#define INSERT_NS (30 * NS_PER_S)
#define LAST_NS   (3 * NS_PER_S) /* of the last one, when we stop */
#define SEEN_NS   (5 * NS_PER_S)

/* ---- inserting ---- */

enum status ch_resources_insert(struct ch_resources *resources,
                                struct ch_native *native, const char *table,
                                uint64_t token, const atomic_bool *cancelled,
                                struct ch_error *error)
{
    char text[64];
    struct ch_setting setting = {
        .name = "insert_deduplication_token",
        .value = {text,
                  (size_t)snprintf(text, sizeof(text), "resources/%016llx/%llu",
                                   (unsigned long long)resources->instance,
                                   (unsigned long long)token)}};
    struct ch_request request = {
        .writes = true,
        .zstd = true,
        .piece_count = 1,
        .settings = &setting,
        .setting_count = 1,
        .cancelled = cancelled,
        .deadline_ns =
            clock_monotonic_ns() + (resources->closing ? LAST_NS : INSERT_NS)};
    struct ch_body body;
    struct ch_sql sql;
    enum status status = ch_native_compress(native, &body);

    *error = (struct ch_error){.status = status, .retry = true};
    if (status != OK)
        return status;
    ch_sql_init(&sql);
    ch_native_insert(native, table, &sql);
    request.sql = ch_sql_text(&sql);
    request.pieces = &(struct slice){body.ptr, body.len};
    status = ch_run(resources->client, &request, error);
    ch_sql_release(&sql);
    ch_body_release(&body);
    return status;
}

/* Rows that were sent without an answer are sent again as they are, under the
 * same token. */
enum status ch_resources_flush(struct ch_resources *resources,
                               const atomic_bool *cancelled,
                               struct ch_error *error)
{
    enum status status = OK;
    bool again = true;

    *error = (struct ch_error){.status = OK};
    pthread_mutex_lock(&resources->insert_lock);
    while (status == OK && again) {
        if (ch_native_rows(resources->sending) == 0) {
            struct ch_native *spare = resources->sending;

            pthread_mutex_lock(&resources->lock);
            resources->sending = resources->waiting;
            resources->waiting = spare;
            pthread_mutex_unlock(&resources->lock);
            resources->token++;
            again = false;
        }
        if (ch_native_rows(resources->sending) == 0)
            break;
        status = ch_resources_insert(resources, resources->sending,
                                     "callboard_resources", resources->token,
                                     cancelled, error);
        if (status == OK)
            ch_native_reset(resources->sending);
    }
    pthread_mutex_unlock(&resources->insert_lock);
    return status;
}

/* ---- the log ---- */

static void add(void *arg, const struct resource_fact *fact)
{
    struct ch_resources *resources = arg;

    pthread_mutex_lock(&resources->lock);
    ch_resources_put(resources->waiting, fact);
    pthread_mutex_unlock(&resources->lock);
}

static void take(void *arg, resource_fact_visit *visit, void *to)
{
    struct ch_resources *resources = arg;
    struct taken_facts *list;

    pthread_mutex_lock(&resources->lock);
    list = resources->first;
    resources->first = NULL;
    resources->last = &resources->first;
    pthread_mutex_unlock(&resources->lock);
    for (struct taken_facts *taken = list; taken; taken = taken->next)
        for (uint32_t i = 0; i < taken->count; i++)
            visit(to, &taken->at[i]);
    ch_resources_free_taken(list);
}

static void add_seen(void *arg, const struct identity_seen *seen,
                     uint32_t count)
{
    struct ch_resources *resources = arg;
    struct identity_seen *copy = mem_alloc((count + 1) * sizeof(*copy));

    if (count > 0)
        memcpy(copy, seen, count * sizeof(*copy));
    pthread_mutex_lock(&resources->lock);
    free(resources->seen);
    resources->seen = copy;
    resources->seen_count = count;
    pthread_mutex_unlock(&resources->lock);
}

static void take_seen(void *arg, identity_seen_visit *visit, void *to)
{
    struct ch_resources *resources = arg;
    struct identity_seen *others;
    uint32_t count;

    pthread_mutex_lock(&resources->lock);
    others = resources->others;
    count = resources->others_count;
    resources->others = NULL;
    resources->others_count = 0;
    pthread_mutex_unlock(&resources->lock);
    for (uint32_t i = 0; i < count; i++)
        visit(to, &others[i]);
    free(others);
}

static void hurry(void *arg)
{
    struct ch_resources *resources = arg;

    pthread_mutex_lock(&resources->lock);
    resources->hurry = true;
    pthread_cond_signal(&resources->wake);
    pthread_mutex_unlock(&resources->lock);
}

const struct resource_log *ch_resources_log(
    const struct ch_resources *resources)
{
    return &resources->log;
}

/* ---- the thread ---- */

static void complain(struct ch_resources *resources, const char *what,
                     const char *reason, uint64_t *logged_ns)
{
    uint64_t now = clock_monotonic_ns();

    (void)resources;
    if (*logged_ns && now - *logged_ns < LOG_AGAIN_S * NS_PER_S)
        return;
    *logged_ns = now;
    log_warn("clickhouse", what, log_text("reason", reason));
}

static void work(struct ch_resources *resources, uint64_t logged_ns[2])
{
    struct ch_error error;
    enum status status =
        ch_resources_flush(resources, &resources->cancelled, &error);

    if (status != OK)
        complain(resources, "resources cannot be saved yet", error.text,
                 &logged_ns[0]);
    status = ch_resources_poll(resources);
    if (status == OK && clock_monotonic_ns() >= resources->seen_due_ns) {
        resources->seen_due_ns = clock_monotonic_ns() + SEEN_NS;
        status = ch_resources_share_seen(resources);
    }
    if (status != OK)
        complain(resources, "resources of other instances cannot be read",
                 status_text(status), &logged_ns[1]);
}

static void wait_until(struct ch_resources *resources, uint64_t wall_ns,
                       bool *unless)
{
    const struct timespec until = {.tv_sec = (time_t)(wall_ns / NS_PER_S),
                                   .tv_nsec = (long)(wall_ns % NS_PER_S)};

    while (!resources->stopping && !*unless)
        if (pthread_cond_timedwait(&resources->wake, &resources->lock,
                                   &until) != 0)
            break;
}

/* Not more often than HURRY_MS, whoever is in a hurry. */
static void wait_for_next(struct ch_resources *resources)
{
    uint64_t now = clock_wall_ns();

    wait_until(resources, now + HURRY_MS * NS_PER_MS, &resources->stopping);
    wait_until(resources, now + resources->poll_ms * NS_PER_MS,
               &resources->hurry);
    resources->hurry = false;
}

static void *run(void *arg)
{
    struct ch_resources *resources = arg;
    uint64_t logged_ns[2] = {0, 0};
    bool stopping = false;

    while (!stopping) {
        pthread_mutex_lock(&resources->lock);
        wait_for_next(resources);
        stopping = resources->stopping;
        pthread_mutex_unlock(&resources->lock);
        if (!stopping)
            work(resources, logged_ns);
    }
    return NULL;
}

/* The thread begins with what was loaded. */
static enum status load(void *arg, resource_fact_visit *visit, void *to)
{
    struct ch_resources *resources = arg;
    enum status status = ch_resources_load(resources, visit, to);

    if (status == OK && resources->poll_ms != UINT32_MAX && !resources->started)
        resources->started =
            pthread_create(&resources->thread, NULL, run, resources) == 0;
    return status == OK && resources->poll_ms != UINT32_MAX &&
                   !resources->started
               ? ERR_INTERNAL
               : status;
}

/* ---- open and close ---- */

struct ch_resources *ch_resources_open(struct ch_client *client,
                                       uint32_t poll_ms)
{
    struct ch_resources *resources = mem_zero(1, sizeof(*resources));

    resources->client = client;
    resources->poll_ms = poll_ms ? poll_ms : POLL_MS;
    (void)getrandom(&resources->instance, sizeof(resources->instance), 0);
    pthread_mutex_init(&resources->lock, NULL);
    pthread_mutex_init(&resources->insert_lock, NULL);
    pthread_cond_init(&resources->wake, NULL);
    resources->waiting = ch_resources_native();
    resources->sending = ch_resources_native();
    resources->last = &resources->first;
    resources->log = (struct resource_log){.arg = resources,
                                           .add = add,
                                           .load = load,
                                           .take = take,
                                           .hurry = hurry,
                                           .add_seen = add_seen,
                                           .take_seen = take_seen};
    return resources;
}

void ch_resources_close(struct ch_resources *resources)
{
    struct ch_error error;

    if (!resources)
        return;
    pthread_mutex_lock(&resources->lock);
    resources->stopping = true;
    atomic_store(&resources->cancelled, true);
    pthread_cond_signal(&resources->wake);
    pthread_mutex_unlock(&resources->lock);
    if (resources->started)
        pthread_join(resources->thread, NULL);
    resources->closing = true;
    if (ch_resources_flush(resources, NULL, &error) != OK)
        log_warn("clickhouse", "resources were not saved",
                 log_text("reason", error.text));
    ch_native_free(resources->waiting);
    ch_native_free(resources->sending);
    ch_resources_free_taken(resources->first);
    free(resources->seen);
    free(resources->others);
    free(resources->times);
    pthread_cond_destroy(&resources->wake);
    pthread_mutex_destroy(&resources->insert_lock);
    pthread_mutex_destroy(&resources->lock);
    free(resources);
}
