/*
 * Requests that wait for memory, and the timer thread: it resumes them, closes
 * connections whose deadline has passed, and notices disconnected clients
 * during queries.
 *
 * A suspended connection is not read: what the client sends meanwhile stays in
 * the kernel.
 */
#include "clock.h"
#include "http_int.h"
#include "stats.h"

#define TICK_NS      (25 * NS_PER_MS)
#define IDLE_TICK_NS (200 * NS_PER_MS)

enum { RESUMED_AT_ONCE = 64 };

bool http_wait(struct server_request *sr)
{
    struct http_server *server = sr->server;
    uint64_t now = clock_monotonic_ns();

    if (sr->wait_until_ns == 0) {
        sr->wait_until_ns = now + HTTP_WAIT_MS * NS_PER_MS;
        stats_add(STATS_HTTP_WAITS, 1);
    }
    if (now >= sr->wait_until_ns)
        return false;
    /* Under the lock: http_timer_stop() resumes for the last time once
     * `stopping` is set; a request suspended after that would stay so. */
    pthread_mutex_lock(&server->wait_lock);
    bool waits = !atomic_load(&server->stopping);
    bool first = waits && !server->waiting;
    if (waits) {
        slot_busy(sr->conn->slot);
        MHD_suspend_connection(sr->connection);
        sr->next = NULL;
        *server->waiting_end = sr;
        server->waiting_end = &sr->next;
    }
    pthread_mutex_unlock(&server->wait_lock);
    if (first)
        (void)queue_push(server->wake, server); /* full: it is awake */
    return waits;
}

/* Resumes up to `max` requests, and all whose time is over. They try again in
 * the I/O thread; one without memory waits again, at the end of the list. */
static void resume_some(struct http_server *server, unsigned max)
{
    uint64_t now = clock_monotonic_ns();
    struct server_request **at = &server->waiting;

    pthread_mutex_lock(&server->wait_lock);
    while (*at) {
        struct server_request *sr = *at;

        if (max == 0 && sr->wait_until_ns > now) {
            at = &sr->next;
            continue;
        }
        max -= max > 0;
        *at = sr->next;
        MHD_resume_connection(sr->connection);
    }
    server->waiting_end = at;
    pthread_mutex_unlock(&server->wait_lock);
}

static bool has_waiting(struct http_server *server)
{
    bool waiting;

    pthread_mutex_lock(&server->wait_lock);
    waiting = server->waiting != NULL;
    pthread_mutex_unlock(&server->wait_lock);
    return waiting;
}

static void *timer_main(void *arg)
{
    struct http_server *server = arg;
    uint64_t next = clock_monotonic_ns() + NS_PER_S;

    while (!queue_closed(server->wake)) {
        unsigned watched = slots_check_watched(server->slots);
        uint64_t now = clock_monotonic_ns();
        uint64_t pause = next > now ? next - now : 0;
        uint64_t max =
            has_waiting(server) || watched > 0 ? TICK_NS : IDLE_TICK_NS;

        if (pause > max)
            pause = max;
        if (!queue_pop(server->wake, pause))
            resume_some(server, RESUMED_AT_ONCE);
        if (clock_monotonic_ns() >= next) {
            (void)slots_check_deadlines(server->slots);
            next = clock_monotonic_ns() + NS_PER_S;
        }
    }
    return NULL;
}

enum status http_timer_start(struct http_server *server)
{
    server->wake = queue_new(1);
    server->waiting_end = &server->waiting;
    pthread_mutex_init(&server->wait_lock, NULL);
    if (pthread_create(&server->timer, NULL, timer_main, server) != 0)
        return ERR_INTERNAL;
    server->timer_started = true;
    return OK;
}

void http_timer_stop(struct http_server *server)
{
    queue_close(server->wake);
    if (server->timer_started)
        pthread_join(server->timer, NULL);
    server->timer_started = false;
    resume_some(server, UINT32_MAX);
}
