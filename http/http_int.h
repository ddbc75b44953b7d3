/*
 * http_int - internals of the HTTP server, for its files that call
 * libmicrohttpd. A request passes them in this order:
 *
 *   http_server.c    connection accepted
 *   http_request.c   request line; later body and end
 *   http_check.c     head, Host, Origin, route; http_params.c: query string
 *   http_access.c    who asks, and whether it may
 *   http_wait.c      waits for memory, if there is none
 *   http_body.c      body
 *   http_response.c  response; http_stream.c: one that is sent in pieces
 */
#ifndef HTTP_INT_H
#define HTTP_INT_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http_head.h"
#include "http_origin.h"
#include "http_server.h"
#include "http_slots.h"
#include "queue.h"

enum {
    HTTP_POOL = 16 * 1024,       /* of the library, per connection */
    HTTP_IDLE_CHARGE = 6 * 1024, /* of it, before the first request */
    HTTP_STREAM_PIECE = 64 * 1024,
};

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon;
    uint16_t port;
    bool on_loopback;
    bool on_file;     /* a socket in the file system, for one user */
    bool gaps_known;  /* http_gaps.h */
    char methods[64]; /* of all routes, for preflights */
    int quiesced_fd;  /* not listening any more; -1 before */
    uint32_t max;     /* connections that the library may hold */
    struct http_slots *slots;
    /* Shares of options.budget; what is charged to one is charged to both. */
    struct budget connections, bodies, responses;
    atomic_uint busy; /* requests that have arrived and are not answered */
    atomic_bool stopping;

    pthread_mutex_t wait_lock;
    struct server_request *waiting; /* for memory, the oldest first */
    struct server_request **waiting_end;
    struct http_handshakes *handshakes; /* NULL: plain HTTP */
    struct queue *wake; /* wakes the timer thread; closed: it ends */
    pthread_t timer;
    bool timer_started;
};

struct gnutls_session_int;

/* A connection, as long as the library has it. */
struct http_connection {
    struct http_slot *slot;
    size_t charged;          /* to the budget; of that, */
    size_t shared;           /* to the share of connections */
    struct tls_session *tls; /* NULL: plain HTTP; else: */
    struct http_server *server;
    struct MHD_Connection *connection;
    int fd;
    bool waits, watched; /* http_handshake.c */
    struct http_connection *before, *next;
};

enum server_request_state {
    SR_NEW,
    SR_HEAD_WAIT, /* suspended, before the body */
    SR_BODY,
    SR_BODY_WAIT, /* suspended, a piece of the body not taken */
    SR_HANDLED,   /* the service has it, or had */
};

/* A request with all that the server knows of it. */
struct server_request {
    struct http_request request; /* first: the service has a pointer to it */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_connection *conn;
    struct http_head head;
    enum server_request_state state;
    const char *method;
    enum http_origin origin;
    struct http_param *params;
    const char *raw_target;   /* the library's: compared, never read */
    const char *bad_params;   /* what is wrong with the parameters, or NULL */
    char *refusal;            /* text of a 403, or NULL */
    const char *reason;       /* of a refusal, static, for the audit; or NULL */
    struct http_about *about; /* for the audit; NULL: the head says all */

    uint64_t wait_until_ns;      /* monotonic; 0: it has not waited */
    struct server_request *next; /* that waits */

    size_t body_charged, response_charged;
    size_t held_charged; /* to the share of responses only */
    size_t piece_sent;   /* of the body that is sent in pieces */
    size_t body_room;    /* in memory; what is not charged is not written to */
    uint64_t discarded;  /* bytes of the body */

    bool may_wait; /* although it was not ERR_BUSY */
    bool refused;  /* the response is decided, the rest of the body discarded */
    bool unwelcome; /* no right to do this, or no credential */
    bool preflight;
    bool watched;
    bool busy;  /* counted in server->busy */
    bool close; /* the connection, after the response */
    bool compressed, not_modified;
    bool stored;              /* the body is that of the file, as it is kept */
    atomic_bool disconnected; /* the client, while watched */
    char allow[48];
    char etag[24]; /* "": none */

    size_t target_len;
    char target[]; /* as it was sent, then decoded in place */
};

#define HTTP_NO_MEMORY "not enough memory for the request now; retry later"

/* ---- http_check.c ---- */

/* OK (also for a preflight), or the status to refuse the request with. */
MUST_CHECK enum status http_check(struct server_request *sr,
                                  const char *version, const char **why);

/* ---- http_access.c ---- */

/* OK: the request has a subject that may do what the route does, as far as the
 * head says. With ERR_BUSY it can be called again. */
MUST_CHECK enum status http_authorize(struct server_request *sr,
                                      const char **why);
/* The scope that path or parameters name. NULL, or what is wrong. */
const char *http_scope_of(const struct http_request *request,
                          union scope_names *scope);

/* ---- http_audit.c ---- */

/* Must not be done without a line in the audit. */
bool http_needs_audit(const struct server_request *sr);
void http_audit(const struct server_request *sr, int code);

/* ---- http_handshake.c ---- */

MUST_CHECK enum status http_handshakes_start(struct http_server *server);
/* Resumes what waits; no more will wait. */
void http_handshakes_stop(struct http_server *server);
void http_handshakes_free(struct http_server *server);
void http_handshake_open(struct http_connection *conn,
                         struct gnutls_session_int *session);

/* ---- http_tls.c ---- */

/* Memory of a new connection. */
size_t http_idle_charge(const struct http_server *server);
void http_tls_open(struct http_server *server, struct http_connection *conn,
                   struct MHD_Connection *connection);
void http_tls_close(struct http_connection *conn);
/* The client's name in its certificate; empty: none. */
MUST_CHECK enum status http_tls_peer(struct server_request *sr,
                                     struct slice *name, const char **why);

/* ---- http_request.c: callbacks of the library ---- */

void *http_request_line(void *arg, const char *target,
                        struct MHD_Connection *connection);
enum MHD_Result http_request_step(void *arg, struct MHD_Connection *connection,
                                  const char *path, const char *method,
                                  const char *version, const char *bytes,
                                  size_t *len, void **state);
void http_request_over(void *arg, struct MHD_Connection *connection,
                       void **state, enum MHD_RequestTerminationCode why);
/* Drops the body; the response will say why. */
void http_refuse(struct server_request *sr, enum status status,
                 const char *why);

/* ---- http_params.c ---- */

/* Decodes the query string in place. NULL, or what is wrong. */
const char *http_parse_params(struct server_request *sr, char *query);

/* ---- http_body.c ---- */

/* Bytes that a body may have. */
size_t http_body_limit(const struct server_request *sr);
/* ERR_TOO_BIG, ERR_BUSY, or ERR_LIMITED (the tenant has its share, and
 * sr->refusal says so): nothing was added. Above three quarters of the share of
 * bodies, the slowest of whoever holds most is refused for others. */
MUST_CHECK enum status http_body_add(struct server_request *sr,
                                     struct slice piece);
/* Whether a body that begins now has room: OK, ERR_BUSY or ERR_LIMITED. For its
 * first piece, others are refused: slow ones, and those of whoever holds most.
 */
MUST_CHECK enum status http_body_fits(struct server_request *sr);
/* Refuses the slowest unfinished body of the address that holds most;
 * only_slow: if it is slower than SLOT_MIN_RATE. False: there is none. */
bool http_body_evict(struct http_server *server, bool only_slow);
/* The slowest of the tenant (or address) of this request. */
bool http_body_evict_own(struct server_request *sr);
void http_body_drop(struct server_request *sr);
/* The body is complete: it no longer counts as unfinished. */
void http_body_done(struct server_request *sr);

/* ---- http_wait.c ---- */

/* Suspends the connection until there is memory or the time is over; false: it
 * has waited already. */
bool http_wait(struct server_request *sr);
MUST_CHECK enum status http_timer_start(struct http_server *server);
void http_timer_stop(struct http_server *server); /* resumes what waits */

/* ---- http_response.c ---- */

/* Compresses the response and charges it. Any thread. */
void http_prepare(struct server_request *sr);
/* I/O thread. */
enum MHD_Result http_send(struct server_request *sr);

/* ---- http_stream.c ---- */

/* The response of a body that is produced in pieces; NULL: no memory. */
struct MHD_Response *http_stream(struct server_request *sr);

#endif
