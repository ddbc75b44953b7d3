/*
 * tls - certificates of a port, and names in the certificates of its clients.
 *
 * The pair of certificate and key is read again when its files change. If it
 * cannot be used, the old one stays in use, with a note. A pair is freed a
 * minute after it was replaced, so a handshake must end before that:
 * its port ends it after TLS_HANDSHAKE_S.
 *
 * Purpose:   TLS of libmicrohttpd and of other ports, with GnuTLS.
 * Ownership: a struct tls belongs to whoever opened it, and must outlive its
 *            sessions. A struct tls_session belongs to the connection.
 * Threads:   sessions: any, each by one thread at a time. tls_reload: one.
 * Errors:    opening fails if a file cannot be used, and logs why. Later errors
 *            are logged once and noted.
 */
#ifndef TLS_H
#define TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "slice.h"
#include "status.h"

enum {
    TLS_HANDSHAKE_S = 10,
    TLS_CHARGE = 35 * 1024, /* memory of a session */
    TLS_NAME_MAX = 255,     /* of a client, in its certificate */
};

/* TLS 1.2 and 1.3. */
extern const char tls_priorities[];

struct tls;

struct tls_options {
    const char *name;      /* of the port, for the log */
    const char *cert;      /* file: PEM, the port's own first */
    const char *key;       /* file: PEM */
    const char *client_ca; /* file: PEM, with CRLs if any; NULL or "": clients
                              are not asked for a certificate */
    bool clients_required; /* a handshake without a certificate fails */
    bool http2;            /* ALPN: h2 and nothing else; else http/1.1 */
};

MUST_CHECK enum status tls_open(struct tls **tls,
                                const struct tls_options *options);
void tls_close(struct tls *tls); /* NULL is fine */
/* Clients are asked for a certificate; NULL: no. */
bool tls_asks_clients(const struct tls *tls);

/* Looks at the files, about once a second; `now`: reads them even if they have
 * not changed. */
void tls_reload(struct tls *tls, bool now);
/* For /health: why what is used is not what the files say, or has expired.
 * False: all is well. */
bool tls_note(struct tls *tls, struct buf *out);
/* When the certificate in use expires; seconds since 1970. */
int64_t tls_expires_s(struct tls *tls);

/* ---- a connection ---- */

struct tls_session {
    struct tls *tls;
    /* Called once, when the handshake has succeeded; NULL: nothing to call. */
    void (*secured)(void *arg);
    void *arg;
    bool is_secured, is_refused; /* refused: for its certificate, counted */

    /* Of the client's certificate; see tls_session_peer(). */
    bool verified;
    uint32_t trust;      /* generation of the trust list it was verified with */
    const char *refused; /* why that list does not trust it; NULL: it does */
    int64_t expires_s;
    size_t name_len;
    char name[TLS_NAME_MAX + 1];
};

/* For the session of a port; one with its own credentials sets
 * tls_retrieve() in them instead. */
gnutls_certificate_credentials_t tls_credentials(struct tls *tls);
gnutls_certificate_retrieve_function3 tls_retrieve;

/* Of a new session, before the handshake: ALPN and what is asked
 * of the client. `session` keeps a pointer to `own` (gnutls_db_set_ptr). */
void tls_session_init(struct tls_session *own, struct tls *tls,
                      gnutls_session_t session);
/* After the handshake, for each request: the name of the client, of its
 * verified certificate: the first URI SAN, else the first DNS SAN, else the CN.
 * Empty: it has none. ERR_UNAUTHENTICATED: it has expired, or the trusted
 * authorities have changed. */
MUST_CHECK enum status tls_session_peer(struct tls_session *own,
                                        gnutls_session_t session,
                                        struct slice *name, const char **why);

#endif
