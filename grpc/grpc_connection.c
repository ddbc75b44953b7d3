/*
 * A connection: bytes in, bytes out, and its end.
 *
 * A connection is closed within grpc_connection_flush() only, which is called
 * when the library has returned. What it holds is freed when no request of it
 * is with the service any more.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "grpc_int.h"
#include "hash.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

/* ---- start ---- */

/* A tenth more or less, so that not all senders connect again at once. */
static uint64_t max_age(const struct grpc_server *server, int fd, uint64_t now)
{
    uint64_t age = server->options.max_age_ns;
    uint64_t hash = hash_bytes((const char *)&fd, sizeof(fd), now);

    return age - age / 10 + hash % (age / 5 + 1);
}

void grpc_connection_open(struct grpc_server *server, int fd,
                          const struct sockaddr *from)
{
    struct grpc_connection *conn = mem_zero(1, sizeof(*conn));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    uint64_t now = clock_monotonic_ns();
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    conn->server = server;
    conn->fd = fd;
    conn->events = event.events;
    conn->opened_ns = conn->heard_ns = conn->idle_ns = now;
    conn->max_age_ns = max_age(server, fd, now);
    ring_init(&conn->streams);
    ring_init(&conn->flush);
    ring_add(&server->all, &conn->all);
    grpc_flood_init(&conn->flood, now);
    budget_force(&server->connections, grpc_connection_charge(server));
    budget_force(server->options.budget, grpc_connection_charge(server));
    conn->slot = slots_add(server->slots, fd, from);
    server->count++;
    if (!grpc_io_open(conn) || !grpc_session_open(conn) ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        conn->failed = true;
    if (conn->failed)
        grpc_connection_close(conn);
}

void grpc_connection_count(struct grpc_connection *conn, int streams)
{
    bool was_idle = conn->stream_count == 0;

    conn->stream_count += (uint32_t)streams;
    if (conn->state == GC_CLOSED)
        return;
    if (conn->stream_count == 0) {
        conn->idle_ns = clock_monotonic_ns();
        slot_idle(conn->slot);
    } else if (was_idle) {
        slot_head(conn->slot); /* it has sent a request */
    }
}

/* ---- end ---- */

void grpc_connection_close(struct grpc_connection *conn)
{
    struct grpc_server *server = conn->server;
    struct grpc_stream *stream;

    grpc_io_close(conn);
    slot_drain(conn->slot); /* closing does not reset what was sent */
    slots_remove(server->slots, conn->slot);
    close(conn->fd);
    conn->state = GC_CLOSED;
    server->count--;
    budget_give(&server->connections, grpc_connection_charge(server));
    budget_give(server->options.budget, grpc_connection_charge(server));
    /* The library does not tell of the streams that end with it. */
    nghttp2_session_del(conn->session);
    conn->session = NULL;
    ring_each_safe(stream, &conn->streams, struct grpc_stream, of_connection)
        if (!stream->gone)
            grpc_stream_gone(stream);
    free(conn->unsent);
    conn->unsent = NULL;
    grpc_connection_reap(conn);
}

void grpc_connection_reap(struct grpc_connection *conn)
{
    if (conn->state != GC_CLOSED || conn->stream_count > 0)
        return;
    ring_remove(&conn->all);
    ring_remove(&conn->flush);
    free(conn);
}

void grpc_connection_refuse(struct grpc_connection *conn, const char *why)
{
    if (conn->failed)
        return;
    conn->failed = true;
    stats_add(STATS_GRPC_FLOODS, 1);
    log_debug(conn->server->options.name, "connection closed",
              log_text("reason", why));
    (void)nghttp2_session_terminate_session(conn->session,
                                            NGHTTP2_ENHANCE_YOUR_CALM);
}

/* ---- out ---- */

/* False: an error of the socket. */
static bool send_some(struct grpc_connection *conn, const char *bytes,
                      size_t len, size_t *sent)
{
    *sent = 0;
    while (*sent < len) {
        size_t n;
        enum grpc_io what = grpc_io_write(conn, bytes + *sent, len - *sent, &n);

        if (what != GRPC_IO_OK)
            return what == GRPC_IO_WAIT;
        *sent += n;
    }
    return true;
}

static bool send_unsent(struct grpc_connection *conn)
{
    size_t sent;

    if (conn->unsent_len == 0)
        return true;
    if (!send_some(conn, conn->unsent + conn->unsent_at, conn->unsent_len,
                   &sent))
        return false;
    conn->unsent_at += sent;
    conn->unsent_len -= sent;
    if (conn->unsent_len == 0) {
        free(conn->unsent);
        conn->unsent = NULL;
    }
    return true;
}

/* Moves what the library has into the buffer; its length, or -1. */
static ssize_t collect(struct grpc_connection *conn, char *buffer)
{
    size_t len = 0;

    while (len < GRPC_MAX_UNSENT) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(conn->session, &bytes);

        if (n < 0)
            return -1;
        if (n == 0)
            break;
        memcpy(buffer + len, bytes, (size_t)n);
        len += (size_t)n;
    }
    return (ssize_t)len;
}

/* False: the connection is over. */
static bool send_all(struct grpc_connection *conn)
{
    char *buffer = conn->server->write_buffer;

    if (!send_unsent(conn))
        return false;
    while (conn->unsent_len == 0) {
        ssize_t len = collect(conn, buffer);
        size_t sent;

        if (len <= 0)
            return len == 0;
        if (!send_some(conn, buffer, (size_t)len, &sent))
            return false;
        if (sent == (size_t)len)
            continue;
        conn->unsent_at = 0;
        conn->unsent_len = (size_t)len - sent;
        conn->unsent = mem_copy(buffer + sent, conn->unsent_len);
    }
    return true;
}

static bool is_over(const struct grpc_connection *conn)
{
    if (conn->unsent_len > 0)
        return false;
    return conn->failed ||
           (conn->state == GC_GOING && conn->stream_count == 0) ||
           (!nghttp2_session_want_read(conn->session) &&
            !nghttp2_session_want_write(conn->session));
}

static void set_events(struct grpc_connection *conn, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = conn};

    if (events == conn->events)
        return;
    conn->events = events;
    (void)epoll_ctl(conn->server->epoll, EPOLL_CTL_MOD, conn->fd, &event);
}

void grpc_connection_flush(struct grpc_connection *conn)
{
    if (conn->state == GC_CLOSED) {
        grpc_connection_reap(conn);
        return;
    }
    /* Until its preface is complete it may be an HTTP/1 client. */
    if (conn->greeted == NGHTTP2_CLIENT_MAGIC_LEN || conn->failed)
        if (!send_all(conn) || is_over(conn)) {
            grpc_connection_close(conn);
            return;
        }
    /* A peer that does not read is not read either. */
    set_events(conn, conn->unsent_len > 0 ? EPOLLOUT : EPOLLIN);
}

/* ---- in ---- */

static void answer_http1(struct grpc_connection *conn)
{
    const char *text = conn->server->options.http1_text;
    char answer[512];
    int len = snprintf(answer, sizeof(answer),
                       "HTTP/1.1 400 Bad Request\r\n"
                       "Content-Type: text/plain\r\n"
                       "Content-Length: %zu\r\n"
                       "Connection: close\r\n\r\n%s\n",
                       strlen(text) + 1, text);
    size_t sent;

    (void)send_some(conn, answer, (size_t)len, &sent);
    if (!conn->tls)
        (void)shutdown(conn->fd, SHUT_WR);
}

/* Whether the bytes continue the preface of HTTP/2. */
static bool greet(struct grpc_connection *conn, const char *bytes, size_t len)
{
    size_t lacks = NGHTTP2_CLIENT_MAGIC_LEN - conn->greeted;

    if (lacks > len)
        lacks = len;
    if (memcmp(bytes, &NGHTTP2_CLIENT_MAGIC[conn->greeted], lacks) != 0)
        return false;
    conn->greeted += (unsigned)lacks;
    return true;
}

/* False: the connection is over. */
static bool take(struct grpc_connection *conn, const char *bytes, size_t len)
{
    conn->heard_ns = clock_monotonic_ns();
    if (conn->greeted < NGHTTP2_CLIENT_MAGIC_LEN && !greet(conn, bytes, len)) {
        /* A letter: HTTP/1. Else TLS, or no known protocol. */
        if (bytes[0] >= 'A' && bytes[0] <= 'Z')
            answer_http1(conn);
        return false;
    }
    grpc_flood_receive(&conn->flood, len);
    if (nghttp2_session_mem_recv(conn->session, (const uint8_t *)bytes, len) <
        0)
        conn->failed = true;
    if (grpc_flood_is_waste(&conn->flood))
        grpc_connection_refuse(conn, "too many bytes that are in no message");
    return !conn->failed;
}

/* False: the connection is over. */
static bool read_some(struct grpc_connection *conn)
{
    char *buffer = conn->server->read_buffer;
    size_t budget = (size_t)GRPC_READ * GRPC_READS, len;

    do {
        enum grpc_io what = grpc_io_read(conn, buffer, GRPC_READ, &len);

        if (what != GRPC_IO_OK)
            return what == GRPC_IO_WAIT;
        if (!take(conn, buffer, len)) {
            if (conn->failed) /* the peer is told why */
                (void)send_all(conn);
            return false;
        }
        budget -= len < budget ? len : budget;
        /* What TLS has decrypted already wakes nobody. */
    } while (grpc_io_has_more(conn) ||
             (budget > 0 && (conn->tls || len == GRPC_READ)));
    return true;
}

/* Whether the handshake, if there is one, has succeeded. */
static bool is_secured(struct grpc_connection *conn, bool *over)
{
    enum grpc_io what = grpc_io_handshake(conn);

    *over = what == GRPC_IO_OVER;
    if (what == GRPC_IO_READ || what == GRPC_IO_WRITE)
        set_events(conn, what == GRPC_IO_WRITE ? EPOLLOUT : EPOLLIN);
    return what == GRPC_IO_OK;
}

void grpc_connection_ready(struct grpc_connection *conn, uint32_t events)
{
    bool over;

    if (!is_secured(conn, &over)) {
        if (over)
            grpc_connection_close(conn);
        return;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !read_some(conn)) {
        grpc_connection_close(conn);
        return;
    }
    grpc_connection_flush(conn);
}
