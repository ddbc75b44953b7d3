/*
 * A server from its start to its stop: listener, thread, epoll loop.
 */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "grpc_int.h"
#include "listen.h"
#include "log.h"
#include "mem.h"
#include "stats.h"
#include "tls.h"

enum {
    EVENTS = 64,
    ACCEPTS = 64, /* of one turn of the loop */
    MAX_FRAME = 16 * 1024 + 9,
    DRAIN_MS = 2200,
};

/* ---- the listener ---- */

size_t grpc_connection_charge(const struct grpc_server *server)
{
    return GRPC_CONNECTION_CHARGE + (server->options.tls ? TLS_CHARGE : 0);
}

static bool connection_fits(const struct grpc_server *server,
                            const struct budget *budget)
{
    return budget_used(budget) + grpc_connection_charge(server) <=
           budget->limit;
}

/* As the HTTP ports do: without memory for an idle connection, another idle one
 * is closed; a full budget alone is no reason to refuse. */
static bool admits(struct grpc_server *server, const struct sockaddr *from)
{
    bool share = connection_fits(server, &server->connections), closed = false;

    if (!share || !connection_fits(server, server->options.budget))
        closed = slots_close_idle(server->slots);
    return server->count < server->sockets && (share || closed) &&
           slots_admit(server->slots, from);
}

static void listen_to(struct grpc_server *server, bool on)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = server};

    if (server->accepting == on || server->listener < 0)
        return;
    server->accepting = on;
    (void)epoll_ctl(server->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                    server->listener, &event);
}

static void accept_some(struct grpc_server *server)
{
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof(address);
        struct sockaddr *from = (struct sockaddr *)&address;
        int fd =
            accept4(server->listener, from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
                listen_to(server, false); /* until the next tick */
            return;
        }
        if (admits(server, from)) {
            grpc_connection_open(server, fd, from);
        } else {
            stats_add(STATS_HTTP_CONNECTIONS_REFUSED, 1);
            close(fd);
        }
    }
}

static void begin_drain(struct grpc_server *server)
{
    accept_some(server); /* those that wait in the kernel */
    listen_to(server, false);
    close(server->listener);
    server->listener = -1;
    server->drain_ns = clock_monotonic_ns();
    server->tick_ns = 0;
}

/* ---- the loop ---- */

static void clear_event(const struct grpc_server *server)
{
    uint64_t count;

    while (read(server->event, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
}

/* Connections first: what comes after them may free some. */
static void handle_events(struct grpc_server *server,
                          const struct epoll_event *events, int count)
{
    bool accepts = false, responses = false;

    for (int i = 0; i < count; i++) {
        void *what = events[i].data.ptr;

        if (what == server)
            accepts = true;
        else if (what == &server->event)
            responses = true;
        else
            grpc_connection_ready(what, events[i].events);
    }
    if (responses) {
        clear_event(server);
        grpc_take_responses(server);
    }
    if (accepts && server->listener >= 0)
        accept_some(server);
}

static void *run(void *arg)
{
    struct grpc_server *server = arg;
    struct epoll_event events[EVENTS];
    int pause = 0;

    while (!atomic_load(&server->stopping)) {
        int count = epoll_wait(server->epoll, events, EVENTS, pause);

        handle_events(server, events, count > 0 ? count : 0);
        if (atomic_load(&server->draining) && server->drain_ns == 0)
            begin_drain(server);
        listen_to(server, true);
        pause = grpc_tick(server);
    }
    return NULL;
}

static void wake(const struct grpc_server *server)
{
    uint64_t one = 1;

    while (write(server->event, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

void grpc_respond(struct grpc_request *request)
{
    struct grpc_stream *stream = (struct grpc_stream *)(void *)request;
    struct grpc_server *server = stream->conn->server;
    bool first;

    stream->next = NULL;
    pthread_mutex_lock(&server->lock);
    first = !server->responded;
    *server->responded_end = stream;
    server->responded_end = &stream->next;
    if (first)
        wake(server);
    pthread_mutex_unlock(&server->lock);
}

/* ---- start and stop ---- */

void grpc_free(struct grpc_server *server)
{
    struct grpc_connection *conn;

    ring_each_safe(conn, &server->all, struct grpc_connection, all)
        if (conn->state != GC_CLOSED)
            grpc_connection_close(conn);
    if (server->listener >= 0)
        close(server->listener);
    if (server->epoll >= 0)
        close(server->epoll);
    if (server->event >= 0)
        close(server->event);
    slots_free(server->slots);
    nghttp2_session_callbacks_del(server->callbacks);
    nghttp2_option_del(server->library_options);
    pthread_mutex_destroy(&server->lock);
    free(server->read_buffer);
    free(server->write_buffer);
    free(server);
}

static enum status start(struct grpc_server *server)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server->event};
    enum status status =
        listen_open(server->options.listen, &server->listener, &server->port);

    if (status == OK)
        status = grpc_session_prepare(server);
    if (status != OK)
        return status;
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->epoll < 0 || server->event < 0 ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->event, &event) != 0)
        return ERR_IO;
    if (pthread_create(&server->thread, NULL, run, server) != 0)
        return ERR_INTERNAL;
    server->started = true;
    return OK;
}

struct grpc_server *grpc_new(const struct grpc_options *options)
{
    struct grpc_server *server = mem_zero(1, sizeof(*server));

    server->options = *options;
    server->listener = server->epoll = server->event = -1;
    server->on_loopback = listen_is_loopback(options->listen);
    server->responded_end = &server->responded;
    server->tick_ns = clock_monotonic_ns();
    server->read_buffer = mem_alloc(GRPC_READ);
    server->write_buffer = mem_alloc(GRPC_MAX_UNSENT + MAX_FRAME);
    ring_init(&server->all);
    ring_init(&server->waiting);
    pthread_mutex_init(&server->lock, NULL);
    budget_init(&server->connections, options->budget->limit / 2);
    budget_init(&server->messages, options->message_share);
    server->messages.parent = options->messages;
    /* The loop sends GOAWAY before the slots close an idle connection. */
    server->slots = slots_open(
        options->name, options->max_connections, options->files_eighths,
        options->idle_timeout_ns + 5 * NS_PER_S, &server->sockets);
    if (options->access)
        slots_ask(server->slots);
    return server;
}

enum status grpc_start(struct grpc_server **out,
                       const struct grpc_options *options)
{
    struct grpc_server *server = grpc_new(options);
    enum status status = start(server);

    if (status != OK) {
        grpc_free(server);
        return status;
    }
    *out = server;
    return OK;
}

uint16_t grpc_port(const struct grpc_server *server)
{
    return server->port;
}

void grpc_drain(struct grpc_server *server)
{
    if (!server || atomic_exchange(&server->draining, true))
        return;
    wake(server);
    for (int i = 0; i < DRAIN_MS && !atomic_load(&server->idle); i++)
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
}

void grpc_stop(struct grpc_server *server)
{
    if (!server)
        return;
    grpc_drain(server);
    atomic_store(&server->stopping, true);
    wake(server);
    pthread_join(server->thread, NULL);
    grpc_take_responses(server);
    grpc_free(server);
}
