/*
 * The bytes of a connection on its socket, plain or through TLS (tls.h). With
 * TLS the handshake comes first: nothing else is read until it is over, and the
 * connection has SLOT_HEAD_S for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "grpc_int.h"
#include "mem.h"
#include "stats.h"
#include "tls.h"

/* ---- TLS ---- */

struct grpc_tls {
    struct tls_session own;
    gnutls_session_t session;
    bool blocked; /* a record waits to be written */
};

static void secured(void *arg)
{
    struct grpc_connection *conn = arg;

    slot_secured(conn->slot);
}

bool grpc_io_open(struct grpc_connection *conn)
{
    struct tls *tls = conn->server->options.tls;
    struct grpc_tls *io;

    if (!tls)
        return true;
    conn->tls = io = mem_zero(1, sizeof(*io));
    io->own.secured = secured;
    io->own.arg = conn;
    slot_handshake(conn->slot);
    if (gnutls_init(&io->session, GNUTLS_SERVER | GNUTLS_NONBLOCK |
                                      GNUTLS_NO_SIGNAL) != GNUTLS_E_SUCCESS)
        return false;
    if (gnutls_priority_set_direct(io->session, tls_priorities, NULL) !=
            GNUTLS_E_SUCCESS ||
        gnutls_credentials_set(io->session, GNUTLS_CRD_CERTIFICATE,
                               tls_credentials(tls)) != GNUTLS_E_SUCCESS)
        return false;
    tls_session_init(&io->own, tls, io->session);
    gnutls_transport_set_int(io->session, conn->fd);
    return true;
}

void grpc_io_close(struct grpc_connection *conn)
{
    struct grpc_tls *io = conn->tls;

    if (!io)
        return;
    if (io->own.is_secured)
        (void)gnutls_bye(io->session, GNUTLS_SHUT_WR);
    else if (!io->own.is_refused)
        stats_add(STATS_TLS_HANDSHAKES_FAILED, 1);
    if (io->session)
        gnutls_deinit(io->session);
    free(io);
    conn->tls = NULL;
}

enum grpc_io grpc_io_handshake(struct grpc_connection *conn)
{
    struct grpc_tls *io = conn->tls;
    int error;

    if (!io || io->own.is_secured)
        return GRPC_IO_OK;
    do
        error = gnutls_handshake(io->session);
    while (error == GNUTLS_E_INTERRUPTED);
    if (error == GNUTLS_E_SUCCESS)
        return GRPC_IO_OK;
    if (gnutls_error_is_fatal(error))
        return GRPC_IO_OVER;
    return gnutls_record_get_direction(io->session) ? GRPC_IO_WRITE
                                                    : GRPC_IO_READ;
}

enum status grpc_io_peer(struct grpc_connection *conn, struct slice *name,
                         const char **why)
{
    struct grpc_tls *io = conn->tls;

    *name = (struct slice){NULL, 0};
    return io ? tls_session_peer(&io->own, io->session, name, why) : OK;
}

static enum grpc_io outcome(ssize_t n, size_t *done)
{
    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
        return GRPC_IO_WAIT;
    if (n <= 0)
        return GRPC_IO_OVER;
    *done = (size_t)n;
    return GRPC_IO_OK;
}

/* ---- bytes ---- */

enum grpc_io grpc_io_read(struct grpc_connection *conn, char *bytes,
                          size_t room, size_t *len)
{
    struct grpc_tls *io = conn->tls;
    ssize_t n;

    *len = 0;
    if (io)
        return outcome(gnutls_record_recv(io->session, bytes, room), len);
    do
        n = recv(conn->fd, bytes, room, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return GRPC_IO_WAIT;
    if (n <= 0)
        return GRPC_IO_OVER;
    *len = (size_t)n;
    return GRPC_IO_OK;
}

bool grpc_io_has_more(const struct grpc_connection *conn)
{
    return conn->tls && gnutls_record_check_pending(conn->tls->session) > 0;
}

/* A record that could not be written has been taken: its length is told once it
 * is written. */
static enum grpc_io write_tls(struct grpc_tls *io, const char *bytes,
                              size_t len, size_t *sent)
{
    enum grpc_io what =
        outcome(io->blocked ? gnutls_record_send(io->session, NULL, 0)
                            : gnutls_record_send(io->session, bytes, len),
                sent);

    io->blocked = what == GRPC_IO_WAIT;
    return what;
}

enum grpc_io grpc_io_write(struct grpc_connection *conn, const char *bytes,
                           size_t len, size_t *sent)
{
    ssize_t n;

    *sent = 0;
    if (conn->tls)
        return write_tls(conn->tls, bytes, len, sent);
    do
        n = send(conn->fd, bytes, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? GRPC_IO_WAIT
                                                       : GRPC_IO_OVER;
    *sent = (size_t)n;
    return GRPC_IO_OK;
}
