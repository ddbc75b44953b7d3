/*
 * http_int - the inside of the HTTP server, for its files that know
 * libmicrohttpd.
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
};

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon;
    uint16_t port;
    bool on_loopback;
    bool knows_library; /* http_seam.h */
    char methods[64];   /* of all routes, for preflights */
    int quiesced_fd;    /* not listening any more; -1 before */
    uint32_t most;      /* connections that the library may hold */
    struct connection_slots *slots;
    struct budget connections; /* shares of options.budget */
    struct budget bodies, answers;
    atomic_uint busy; /* requests from their last byte to their end */
    atomic_bool stopping;

    pthread_mutex_t wait_lock;
    struct server_request *waiting; /* for room, the longest first */
    struct server_request **waiting_end;
    struct queue *wake; /* of the timer thread; closed: it ends */
    pthread_t timer;
    bool timer_started;
};

/* What is kept for a connection. */
struct http_connection {
    struct connection_slot *slot;
    size_t charged; /* to the budget; of that, */
    size_t shared;  /* to the share of connections */
};

enum server_request_state {
    SR_NEW,
    SR_HEAD_WAIT, /* suspended, before the body */
    SR_BODY,
    SR_BODY_WAIT, /* suspended, a piece of the body not taken */
    SR_HANDLED,   /* the service has it, or had */
};

/* A request and its answer. */
struct server_request {
    struct http_request request; /* first: the service has a pointer to it */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_connection *conn;
    struct http_head head;
    enum server_request_state state;
    const char *method;
    enum http_origin origin;
    uint64_t wait_ns; /* monotonic, until when it may wait; 0: not yet */
    struct server_request *next; /* that waits */
    uint64_t thrown_away;
    size_t body_charged, answer_charged;
    size_t body_room; /* in memory; what is not charged yet is not touched */
    struct http_pair *pairs;
    bool refused; /* the answer is known, the rest of the body thrown away */
    bool preflight;
    bool watched;
    atomic_bool gone; /* the client, while watched */
    bool busy;        /* counted there */
    bool close;       /* the connection, after the answer */
    bool packed, not_modified;
    char allow[48];
    char etag[24];          /* "": none */
    const char *raw_target; /* the library's, not to be read */
    size_t target_len;
    char target[]; /* as it came, then decoded in place */
};

/* ---- http_request.c: what the library calls ---- */

void *http_request_line(void *arg, const char *target,
                        struct MHD_Connection *connection);
enum MHD_Result http_request_step(void *arg, struct MHD_Connection *connection,
                                  const char *path, const char *method,
                                  const char *version, const char *bytes,
                                  size_t *len, void **state);
void http_request_over(void *arg, struct MHD_Connection *connection,
                       void **state, enum MHD_RequestTerminationCode why);
void http_refuse(struct server_request *sr, enum status status,
                 const char *why);

/* ---- http_params.c ---- */

/* Cuts target into path and parameters, decoded. NULL, or what is wrong. */
const char *http_parse_params(struct server_request *sr, char *query);

/* ---- http_body.c ---- */

/* ERR_TOO_BIG, or ERR_BUSY: nothing was added. */
MUST_CHECK enum status http_body_add(struct server_request *sr,
                                     struct slice piece);
/* Whether a body that begins now finds room. For its first piece, slow ones are
 * refused. */
bool http_body_fits(struct server_request *sr);
/* Refuses the slowest unfinished body of the address that holds most, if it is
 * slower than SLOT_PACE or `only_slow` is false; false: there is none. */
bool http_body_make_room(struct http_server *server, bool only_slow);
void http_body_drop(struct server_request *sr);
/* The body is complete: it does not count as unfinished any more. */
void http_body_done(struct server_request *sr);

/* ---- http_wait.c ---- */

/* Suspends the connection until there is room or the time is over; false: it
 * has waited. */
bool http_wait(struct server_request *sr);
MUST_CHECK enum status http_timer_start(struct http_server *server);
void http_timer_stop(struct http_server *server); /* resumes who waits */

/* ---- http_response.c ---- */

/* Compresses the answer and charges it. Any thread. */
void http_prepare(struct server_request *sr);
/* I/O thread. */
enum MHD_Result http_send(struct server_request *sr);

#endif
