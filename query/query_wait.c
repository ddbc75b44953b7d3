/* Queries that wait for log records; see query_wait.h. */
#include "query_wait.h"

#include <string.h>
#include <time.h>

#include "clock.h"
#include "store.h"

/* How often the store is looked at while somebody waits. */
#define LOOK_NS (200 * NS_PER_MS)

void query_waits_init(struct query_waits *waits, struct store *store)
{
    pthread_condattr_t attr;

    *waits = (struct query_waits){.store = store};
    pthread_mutex_init(&waits->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&waits->changed, &attr);
    pthread_condattr_destroy(&attr);
}

/* It has something to see, no time left, or nobody who asks: its place is for
 * others. */
static bool is_due(const struct query_wait *wait, uint64_t last_lsn,
                   uint64_t now)
{
    return wait->seen_lsn < last_lsn || wait->until_ns <= now ||
           http_is_disconnected(wait->http);
}

static struct query_wait *take_due(struct query_waits *waits, uint64_t last_lsn)
{
    uint64_t now = clock_monotonic_ns();
    struct query_wait *due = NULL, **at = &waits->first;

    while (*at) {
        struct query_wait *wait = *at;

        if (!waits->stopping && !is_due(wait, last_lsn, now)) {
            at = &wait->next;
            continue;
        }
        *at = wait->next;
        waits->count--;
        wait->next = due;
        due = wait;
    }
    return due;
}

/* The query may be gone when ready() returns. */
static void run_again(struct query_wait *due)
{
    while (due) {
        struct query_wait *next = due->next;

        due->waiter->ready(due->waiter);
        due = next;
    }
}

static void sleep_a_while(struct query_waits *waits)
{
    struct timespec until;
    uint64_t ns = clock_monotonic_ns() + LOOK_NS;

    until.tv_sec = (time_t)(ns / NS_PER_S);
    until.tv_nsec = (long)(ns % NS_PER_S);
    pthread_cond_timedwait(&waits->changed, &waits->lock, &until);
}

static void *look(void *arg)
{
    struct query_waits *waits = arg;

    pthread_mutex_lock(&waits->lock);
    while (!waits->stopping) {
        if (!waits->first) {
            pthread_cond_wait(&waits->changed, &waits->lock);
            continue;
        }
        pthread_mutex_unlock(&waits->lock);
        uint64_t last_lsn = store_last_log_lsn(waits->store);
        pthread_mutex_lock(&waits->lock);
        struct query_wait *due = take_due(waits, last_lsn);

        pthread_mutex_unlock(&waits->lock);
        run_again(due);
        pthread_mutex_lock(&waits->lock);
        if (!waits->stopping)
            sleep_a_while(waits);
    }
    pthread_mutex_unlock(&waits->lock);
    return NULL;
}

void query_waits_stop(struct query_waits *waits)
{
    struct query_wait *due;

    pthread_mutex_lock(&waits->lock);
    waits->stopping = true;
    pthread_cond_broadcast(&waits->changed);
    due = take_due(waits, 0);
    pthread_mutex_unlock(&waits->lock);
    run_again(due);
    if (waits->running)
        pthread_join(waits->thread, NULL);
    waits->running = false;
}

/* Under the lock. */
static enum status may_wait(struct query_waits *waits,
                            const struct query_wait *wait)
{
    uint32_t own = 0;

    if (waits->stopping)
        return ERR_DEADLINE;
    for (const struct query_wait *w = waits->first; w; w = w->next)
        own += memcmp(&w->http->holder, &wait->http->holder,
                      sizeof(w->http->holder)) == 0;
    if (waits->count >= QUERY_WAITS || own >= QUERY_WAITS_HOLDER)
        return ERR_LIMITED;
    if (!waits->running)
        waits->running = pthread_create(&waits->thread, NULL, look, waits) == 0;
    return waits->running ? OK : ERR_DEADLINE;
}

enum status query_wait_logs(struct query_request *request, uint64_t seen_lsn,
                            uint64_t seconds)
{
    struct query_wait *wait = request->wait;
    uint64_t now = clock_monotonic_ns();
    enum status s;

    if (!wait || !request->asker)
        return ERR_DEADLINE;
    if (wait->until_ns == 0)
        wait->until_ns = now + seconds * NS_PER_S;
    if (wait->until_ns <= now)
        return ERR_DEADLINE;
    wait->seen_lsn = seen_lsn;
    wait->http = request->http;
    pthread_mutex_lock(&wait->waits->lock);
    s = may_wait(wait->waits, wait);
    if (s == OK) {
        request->waits = true; /* before it may run again */
        wait->next = wait->waits->first;
        wait->waits->first = wait;
        wait->waits->count++;
        pthread_cond_signal(&wait->waits->changed);
    }
    pthread_mutex_unlock(&wait->waits->lock);
    return s;
}
