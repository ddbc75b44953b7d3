/*
 * A server from its start to its stop: listener, library, connections.
 *
 * Memory. The library gives every connection a pool of HTTP_POOL bytes. It is
 * charged to the budget, of which connections may have half: a page or so
 * before the first request, all of it after that, for then it is touched.
 * Reading goes through the pool, so it bounds a recv(). Measured with bodies of
 * 216 KB, receiving and decoding took 0.40, 0.385 and 0.365 us a span with
 * pools of 16, 32 and 64 KiB: a small gain for four times the memory of each
 * connection.
 */
#define _GNU_SOURCE /* memmem */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "http_gaps.h"
#include "http_int.h"
#include "listen.h"
#include "log.h"
#include "mem.h"
#include "stats.h"
#include "tls.h"

enum { LAST_ANSWERS_MS = 2000 };

/* ---- connections ---- */

static bool connection_fits(const struct budget *budget, size_t charge)
{
    return budget_used(budget) + charge <= budget->limit;
}

/* Without memory for an idle connection, another idle one is closed. If there
 * is none, a full share of connections is a reason to refuse; a full budget is
 * not, for the request can wait. */
static enum MHD_Result accepts(void *arg, const struct sockaddr *address,
                               socklen_t len)
{
    struct http_server *server = arg;
    size_t charge = http_idle_charge(server);
    bool share = connection_fits(&server->connections, charge);
    bool ended = false;

    (void)len;
    if (!share || !connection_fits(server->options.budget, charge))
        ended = slots_close_idle(server->slots);
    if ((share || ended) && slots_admit(server->slots, address))
        return MHD_YES;
    stats_add(STATS_HTTP_CONNECTIONS_REFUSED, 1);
    return MHD_NO;
}

static void open_connection(struct http_server *server,
                            struct MHD_Connection *connection, void **context)
{
    struct http_connection *conn = mem_zero(1, sizeof(*conn));
    int fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
            ->connect_fd;
    const struct sockaddr *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr;

    conn->charged = conn->shared = http_idle_charge(server);
    budget_force(&server->connections, conn->shared);
    budget_force(server->options.budget, conn->charged);
    conn->slot = slots_add(server->slots, fd, from);
    http_tls_open(server, conn, connection);
    *context = conn;
}

static void connection_changed(void *arg, struct MHD_Connection *connection,
                               void **context,
                               enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = arg;
    struct http_connection *conn = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        open_connection(server, connection, context);
    } else if (conn) {
        slot_drain(conn->slot);
        slots_remove(server->slots, conn->slot);
        budget_give(&server->connections, conn->shared);
        budget_give(server->options.budget, conn->charged);
        http_tls_close(conn);
        free(conn);
        *context = NULL;
    }
}

/* The target is decoded segment by segment (http_route.c). */
static size_t unescape_nothing(void *arg, struct MHD_Connection *connection,
                               char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

/* ---- start and stop ---- */

static struct MHD_Daemon *start_daemon(struct http_server *server, int fd)
{
    const struct http_options *options = &server->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ITC | (options->tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)tls_retrieve},
        {MHD_OPTION_END, 0, NULL}};

    return MHD_start_daemon(
        flags, 0, accepts, server, http_request_step, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, server->max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_POOL,
        MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(options->idle_timeout_ns / NS_PER_S),
        MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, http_request_line, server,
        MHD_OPTION_NOTIFY_COMPLETED, http_request_over, server,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server,
        MHD_OPTION_ARRAY, options->tls ? tls : &tls[2], MHD_OPTION_END);
}

/* For browsers, which ask once for all methods. */
static void list_methods(struct http_server *server)
{
    struct buf list;

    buf_init(&list, sizeof(server->methods) - 1);
    for (size_t i = 0; i < server->options.route_count; i++) {
        const char *method = server->options.routes[i].method;

        if (list.len > 0 && memmem(list.ptr, list.len, method, strlen(method)))
            continue;
        buf_format(&list, "%s%s", method,
                   strcmp(method, "GET") == 0 ? ", HEAD, " : ", ");
    }
    buf_add(&list, SLICE("OPTIONS"));
    slice_copy(server->methods, buf_slice(&list));
    buf_release(&list);
}

static enum status start(struct http_server *server)
{
    int fd = -1;
    enum status status =
        listen_open(server->options.listen, &fd, &server->port);

    if (status != OK)
        return status;
    status = http_timer_start(server);
    if (status == OK)
        status = http_handshakes_start(server);
    if (status == OK) {
        server->daemon = start_daemon(server, fd);
        if (server->daemon)
            return OK;
        log_error(server->options.name, "cannot start the HTTP server",
                  log_text("address", server->options.listen));
        status = ERR_IO;
    }
    close(fd);
    return status;
}

static void free_server(struct http_server *server)
{
    if (server->wake) {
        http_timer_stop(server); /* its thread uses the slots */
        queue_free(server->wake);
        pthread_mutex_destroy(&server->wait_lock);
    }
    http_handshakes_stop(server);
    http_handshakes_free(server);
    slots_free(server->slots);
    free(server);
}

enum status http_start(struct http_server **out,
                       const struct http_options *options)
{
    struct http_server *server = mem_zero(1, sizeof(*server));
    enum status status;

    server->options = *options;
    server->quiesced_fd = -1;
    server->on_loopback = listen_is_loopback(options->listen);
    server->on_file = listen_is_file(options->listen);
    server->gaps_known = strcmp(MHD_get_version(), HTTP_GAPS_VERSION) == 0;
    budget_init(&server->connections, options->budget->limit / 2);
    budget_init(&server->bodies, options->body_share);
    server->bodies.parent = options->bodies;
    budget_init(&server->responses, options->response_share);
    server->slots = slots_open(options->name, options->max_connections,
                               options->files_eighths, options->idle_timeout_ns,
                               &server->max);
    if (access_is_required(options->access))
        slots_ask(server->slots);
    list_methods(server);
    status = start(server);
    if (status != OK) {
        free_server(server);
        return status;
    }
    *out = server;
    return OK;
}

uint16_t http_port(const struct http_server *server)
{
    return server->port;
}

void http_quiesce(struct http_server *server)
{
    if (!server || server->quiesced_fd >= 0)
        return;
    atomic_store(&server->stopping, true);
    /* It is closed after the library's thread has ended, which may still take
     * it out of its epoll set. */
    server->quiesced_fd = MHD_quiesce_daemon(server->daemon);
    if (server->quiesced_fd >= 0)
        (void)shutdown(server->quiesced_fd, SHUT_RDWR);
}

void http_stop(struct http_server *server)
{
    if (!server)
        return;
    http_quiesce(server);
    http_timer_stop(server);
    for (int i = 0; i < LAST_ANSWERS_MS && atomic_load(&server->busy) > 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    http_handshakes_stop(server);
    MHD_stop_daemon(server->daemon);
    if (server->quiesced_fd >= 0)
        close(server->quiesced_fd);
    free_server(server);
}
