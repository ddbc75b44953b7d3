/*
 * TLS of a connection. In: a new connection of a port with credentials (tls.h).
 * Out: a connection that counts as idle once its handshake is over, and until
 * then has SLOT_HEAD_S; and for each request the name of the client, if it has
 * a certificate.
 */
#include <stdlib.h>

#include "http_int.h"
#include "mem.h"
#include "stats.h"
#include "tls.h"

size_t http_idle_charge(const struct http_server *server)
{
    return HTTP_IDLE_CHARGE + (server->options.tls ? TLS_CHARGE : 0);
}

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection,
                                   MHD_CONNECTION_INFO_GNUTLS_SESSION)
        ->tls_session;
}

static void secured(void *arg)
{
    struct http_connection *conn = arg;

    slot_secured(conn->slot);
}

void http_tls_open(struct http_server *server, struct http_connection *conn,
                   struct MHD_Connection *connection)
{
    if (!server->options.tls)
        return;
    conn->tls = mem_zero(1, sizeof(*conn->tls));
    conn->tls->secured = secured;
    conn->tls->arg = conn;
    conn->server = server;
    conn->connection = connection;
    conn->fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
            ->connect_fd;
    slot_handshake(conn->slot);
    tls_session_init(conn->tls, server->options.tls, session_of(connection));
    http_handshake_open(conn, session_of(connection));
}

void http_tls_close(struct http_connection *conn)
{
    if (conn->tls && !conn->tls->is_secured && !conn->tls->is_refused)
        stats_add(STATS_TLS_HANDSHAKES_FAILED, 1);
    free(conn->tls);
}

enum status http_tls_peer(struct server_request *sr, struct slice *name,
                          const char **why)
{
    *name = (struct slice){NULL, 0};
    return sr->conn->tls
               ? tls_session_peer(sr->conn->tls, session_of(sr->connection),
                                  name, why)
               : OK;
}
