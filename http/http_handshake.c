/*
 * TLS handshakes that wait for the client. libmicrohttpd 0.9.75 takes a socket
 * for readable until a read of its own finds nothing, but a handshake reads
 * with GnuTLS: it would be tried again and again, and one client that stops in
 * the middle would keep a processor busy. So the connection is suspended until
 * its socket has bytes, or is shut down at its deadline (http_slots.h). In: a
 * read that found nothing. Out: MHD_resume_connection(), on a thread that
 * watches the sockets.
 */
#define _GNU_SOURCE /* EPOLLRDHUP */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_int.h"
#include "mem.h"
#include "tls.h"

enum { EVENTS = 64, TICK_MS = 100 };

struct http_handshakes {
    int epoll;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    pthread_mutex_t lock;
    struct http_connection *waiting;
};

/* ---- the caller holds the lock ---- */

static void resume(struct http_handshakes *handshakes,
                   struct http_connection *conn)
{
    if (!conn->waits)
        return;
    conn->waits = false;
    if (conn->next)
        conn->next->before = conn->before;
    if (conn->before)
        conn->before->next = conn->next;
    else
        handshakes->waiting = conn->next;
    MHD_resume_connection(conn->connection);
}

/* Each is watched for one event: of a connection that may be closed by now
 * none comes. */
static bool watch(struct http_handshakes *handshakes,
                  struct http_connection *conn)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
                                .data.ptr = conn};
    int change = conn->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (epoll_ctl(handshakes->epoll, change, conn->fd, &event) < 0)
        return false;
    conn->watched = true;
    return true;
}

/* ---- I/O thread ---- */

static void wait_for_bytes(struct http_connection *conn)
{
    struct http_handshakes *handshakes = conn->server->handshakes;

    pthread_mutex_lock(&handshakes->lock);
    if (!conn->waits && !atomic_load(&handshakes->stopping) &&
        watch(handshakes, conn)) {
        conn->waits = true;
        conn->before = NULL;
        conn->next = handshakes->waiting;
        if (conn->next)
            conn->next->before = conn;
        handshakes->waiting = conn;
        MHD_suspend_connection(conn->connection);
    }
    pthread_mutex_unlock(&handshakes->lock);
}

/* GnuTLS reads here. */
static ssize_t pull(gnutls_transport_ptr_t from, void *bytes, size_t size)
{
    struct http_connection *conn = from;
    ssize_t got = recv(conn->fd, bytes, size, 0);
    int error = errno;

    if (got < 0 && (error == EAGAIN || error == EWOULDBLOCK) &&
        !conn->tls->is_secured)
        wait_for_bytes(conn);
    errno = error;
    return got;
}

void http_handshake_open(struct http_connection *conn, gnutls_session_t session)
{
    gnutls_transport_set_ptr2(session, conn,
                              (gnutls_transport_ptr_t)(intptr_t)conn->fd);
    gnutls_transport_set_pull_function(session, pull);
}

/* ---- the thread ---- */

static void *main_loop(void *arg)
{
    struct http_handshakes *handshakes = arg;
    struct epoll_event events[EVENTS];

    while (!atomic_load(&handshakes->stopping)) {
        int count = epoll_wait(handshakes->epoll, events, EVENTS, TICK_MS);

        pthread_mutex_lock(&handshakes->lock);
        for (int i = 0; i < count; i++)
            resume(handshakes, events[i].data.ptr);
        pthread_mutex_unlock(&handshakes->lock);
    }
    return NULL;
}

enum status http_handshakes_start(struct http_server *server)
{
    struct http_handshakes *handshakes;

    if (!server->options.tls)
        return OK;
    handshakes = mem_zero(1, sizeof(*handshakes));
    server->handshakes = handshakes;
    pthread_mutex_init(&handshakes->lock, NULL);
    handshakes->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (handshakes->epoll < 0)
        return ERR_IO;
    handshakes->started =
        pthread_create(&handshakes->thread, NULL, main_loop, handshakes) == 0;
    return handshakes->started ? OK : ERR_INTERNAL;
}

void http_handshakes_stop(struct http_server *server)
{
    struct http_handshakes *handshakes = server->handshakes;

    if (!handshakes)
        return;
    atomic_store(&handshakes->stopping, true);
    if (handshakes->started)
        pthread_join(handshakes->thread, NULL);
    handshakes->started = false;
    pthread_mutex_lock(&handshakes->lock);
    while (handshakes->waiting)
        resume(handshakes, handshakes->waiting);
    pthread_mutex_unlock(&handshakes->lock);
}

void http_handshakes_free(struct http_server *server)
{
    struct http_handshakes *handshakes = server->handshakes;

    if (!handshakes)
        return;
    if (handshakes->epoll >= 0)
        close(handshakes->epoll);
    pthread_mutex_destroy(&handshakes->lock);
    free(handshakes);
}
