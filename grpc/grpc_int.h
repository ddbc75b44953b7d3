/*
 * grpc_int - internals of the gRPC server, for its files that call libnghttp2.
 * A request passes them in this order:
 *
 *   grpc_server.c      connection accepted
 *   grpc_connection.c  bytes read; grpc_io.c: TLS
 *   grpc_session.c     frames: callbacks of the library
 *   grpc_stream.c      head, waits, message
 *   grpc_body.c        memory and credit of the message
 *   grpc_answer.c      answer; grpc_audit.c: who was refused
 *   grpc_connection.c  bytes written
 *   grpc_tick.c        deadlines, waiting requests, GOAWAY
 *
 * Threads  all of it belongs to the I/O thread, unless a member says otherwise.
 *          The library is called by that thread only.
 */
#ifndef GRPC_INT_H
#define GRPC_INT_H

#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <stdatomic.h>

#include "grpc_flood.h"
#include "grpc_server.h"
#include "grpc_text.h"
#include "http_slots.h"
#include "ring.h"

enum {
    GRPC_PREFIX = 5,
    GRPC_MAX_STREAMS = 100,
    GRPC_MAX_HEAD = 16 * 1024,         /* names, values and 32 for each */
    GRPC_FIRST_WINDOW = 64 * 1024 - 1, /* of HTTP/2; before the admission */
    GRPC_WINDOW = 1 << 20,             /* most credit of a stream */
    GRPC_CONNECTION_WINDOW = 2 << 20,
    GRPC_READ = 256 * 1024,
    GRPC_READS = 4, /* of one connection before others get theirs */
    GRPC_MAX_UNSENT = 64 * 1024,
    GRPC_CONNECTION_CHARGE = 20 * 1024,
    GRPC_STREAM_CHARGE = 1024,
};

#define GRPC_NO_MEMORY "not enough memory for the request now; retry later"

struct grpc_server {
    struct grpc_options options;
    uint16_t port;
    bool on_loopback;
    int listener, epoll, event; /* -1: closed */
    bool accepting;             /* the listener is in the epoll set */
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *library_options;
    uint32_t sockets; /* connections that may be open */
    uint32_t count;
    struct http_slots *slots;
    /* Shares of options.budget; what is charged to one is charged to both. */
    struct budget connections, messages;
    struct ring all;     /* connections */
    struct ring waiting; /* streams that wait for room, oldest first */
    uint64_t tick_ns;    /* of the last look at deadlines */
    uint64_t drain_ns;   /* when the first GOAWAY was sent; 0: not yet */
    char *read_buffer;   /* GRPC_READ bytes */
    char *write_buffer;  /* GRPC_MAX_UNSENT and a frame */

    pthread_t thread;
    bool started;
    pthread_mutex_t lock;          /* of the next two */
    struct grpc_stream *responded; /* by the service's threads */
    struct grpc_stream **responded_end;
    atomic_bool draining, stopping;
    atomic_bool idle; /* while draining: nothing is under way */
};

enum grpc_connection_state {
    GC_OPEN,
    GC_NOTICED, /* GOAWAY with the highest id was sent: more may arrive */
    GC_GOING,   /* GOAWAY with the last id: no more is taken */
    GC_CLOSED,  /* no socket; streams of it are with the service */
};

struct grpc_connection {
    struct ring all, flush;
    struct grpc_server *server;
    nghttp2_session *session;
    struct http_slot *slot;
    struct grpc_tls *tls; /* NULL: plain */
    int fd;
    uint32_t events; /* of epoll */
    enum grpc_connection_state state;
    bool failed;      /* to be closed after the callbacks */
    bool pinged;      /* by us, and no answer yet */
    unsigned greeted; /* bytes of the client's preface that were read */
    struct ring streams;
    uint32_t stream_count; /* open or with the service */
    uint32_t pending;      /* of those, with the service */
    size_t body_bytes;     /* of its streams */
    uint64_t opened_ns, max_age_ns;
    uint64_t heard_ns, idle_ns; /* last byte; since when it has no stream */
    uint64_t state_ns;          /* since when it is in the state */
    struct grpc_flood flood;
    char *unsent; /* bytes that the socket did not take */
    size_t unsent_len, unsent_at;
};

enum grpc_stream_state {
    GS_HEAD,
    GS_WAITING, /* for room; a member of server->waiting */
    GS_MESSAGE,
    GS_HANDLED,  /* with the service */
    GS_ANSWERED, /* submitted to the library, or not to be answered */
};

/* A request with all that the server knows of it. */
struct grpc_stream {
    struct grpc_request request; /* first: the service has a pointer to it */
    struct ring of_connection, waiting;
    struct grpc_connection *conn;
    struct grpc_stream *next; /* in server->responded */
    int32_t id;
    enum grpc_stream_state state;
    bool gone;       /* the library has forgotten it */
    bool ended;      /* its end was received */
    bool charged;    /* GRPC_STREAM_CHARGE */
    int http_status; /* not gRPC: answered with that; 0: it is */
    bool misdirected;
    size_t head_bytes;
    struct slice authorization; /* owned; ptr NULL: absent */
    struct slice user_agent;    /* the same; only with an audit */
    const char *reason;         /* of a refused credential, static */
    char encoding[16];
    enum grpc_type type;
    uint64_t started_ns, deadline_ns;  /* monotonic; 0: none */
    uint64_t wait_until_ns;            /* 0: has not waited */
    uint64_t answered_ns;              /* since when it is GS_ANSWERED */
    uint64_t wait_start_ns, waited_ns; /* time that was ours, not the peer's */

    uint8_t prefix[GRPC_PREFIX];
    unsigned prefix_len;
    size_t body_charged; /* to server->messages, too */
    size_t body_room;    /* allocated */
    uint64_t credit;     /* bytes of DATA that the peer may send in all */
    uint64_t padding;

    size_t sent; /* of the answer's DATA */
};

/* ---- grpc_server.c ---- */

/* Without listener and thread. */
struct grpc_server *grpc_new(const struct grpc_options *options);
void grpc_free(struct grpc_server *server);
size_t grpc_connection_charge(const struct grpc_server *server);

/* ---- grpc_connection.c ---- */

void grpc_connection_open(struct grpc_server *server, int fd,
                          const struct sockaddr *from);
/* Something happened on its socket; it may be gone afterwards. */
void grpc_connection_ready(struct grpc_connection *conn, uint32_t events);
/* It has as many as it had, or one more or less: its slot has to know. */
void grpc_connection_count(struct grpc_connection *conn, int streams);
/* Sends what the library has; closes a connection that is over, and may free
 * it. */
void grpc_connection_flush(struct grpc_connection *conn);
void grpc_connection_close(struct grpc_connection *conn);
/* Frees it if it is closed and none of its streams is with the service. */
void grpc_connection_reap(struct grpc_connection *conn);
/* GOAWAY with the code for floods, then it is closed. */
void grpc_connection_refuse(struct grpc_connection *conn, const char *why);

/* ---- grpc_io.c ---- */

enum grpc_io {
    GRPC_IO_OK,
    GRPC_IO_WAIT, /* until the socket is ready again */
    GRPC_IO_READ, /* of a handshake: until it can be read; written */
    GRPC_IO_WRITE,
    GRPC_IO_OVER, /* closed, or an error */
};

struct grpc_tls;

MUST_CHECK bool grpc_io_open(struct grpc_connection *conn);
void grpc_io_close(struct grpc_connection *conn); /* before its socket */
/* Goes on with the handshake. OK: there is none, or it has succeeded. */
enum grpc_io grpc_io_handshake(struct grpc_connection *conn);
enum grpc_io grpc_io_read(struct grpc_connection *conn, char *bytes,
                          size_t room, size_t *len);
/* Bytes wait in memory, so the socket will not tell of them. */
bool grpc_io_has_more(const struct grpc_connection *conn);
enum grpc_io grpc_io_write(struct grpc_connection *conn, const char *bytes,
                           size_t len, size_t *sent);
/* The name in the client's certificate, as tls_session_peer(). */
MUST_CHECK enum status grpc_io_peer(struct grpc_connection *conn,
                                    struct slice *name, const char **why);

/* ---- grpc_session.c ---- */

MUST_CHECK enum status grpc_session_prepare(struct grpc_server *server);
MUST_CHECK bool grpc_session_open(struct grpc_connection *conn);

/* ---- grpc_stream.c ---- */

struct grpc_stream *grpc_stream_new(struct grpc_connection *conn, int32_t id);
/* False: the head is too large. */
bool grpc_stream_header(struct grpc_stream *stream, struct slice name,
                        struct slice value);
void grpc_stream_head_end(struct grpc_stream *stream);
void grpc_stream_data(struct grpc_stream *stream, struct slice bytes);
void grpc_stream_end(struct grpc_stream *stream); /* the end was received */
/* One that waits tries again. */
void grpc_stream_retry(struct grpc_stream *stream);
/* The service has filled in the response. */
void grpc_stream_respond(struct grpc_stream *stream);
void grpc_stream_refuse(struct grpc_stream *stream, enum status status,
                        const char *why);
/* The library has forgotten it. Freed, unless it is with the service. */
void grpc_stream_gone(struct grpc_stream *stream);

/* ---- grpc_body.c ---- */

/* What the message lacks has room now. */
bool grpc_body_fits(const struct grpc_stream *stream);
/* Why there is none: ERR_BUSY, or ERR_LIMITED if its tenant holds too much. */
enum status grpc_body_refusal(const struct grpc_stream *stream,
                              char why[TENANT_TEXT]);
/* Of an admitted request: gives credit for memory that could be charged. False:
 * there is none, and the peer has used up its credit. */
bool grpc_body_extend(struct grpc_stream *stream);
/* The bytes are not more than the message lacks. False: no memory for them. */
bool grpc_body_add(struct grpc_stream *stream, struct slice bytes);
void grpc_body_done(struct grpc_stream *stream); /* complete */
void grpc_body_drop(struct grpc_stream *stream);

/* ---- grpc_answer.c ---- */

/* Submits the response, or stream->http_status, to the library. */
void grpc_answer(struct grpc_stream *stream);

/* ---- grpc_audit.c ---- */

/* For the audit, if there is one. */
void grpc_audit_keep(struct grpc_stream *stream, struct slice user_agent);
/* Of a request that is refused: a line, if that is for who asks. */
void grpc_audit(const struct grpc_stream *stream, enum status status,
                const char *why);

/* ---- grpc_tick.c ---- */

/* Milliseconds until the next call is due. */
int grpc_tick(struct grpc_server *server);
/* Answers what the service has responded to. */
void grpc_take_responses(struct grpc_server *server);

#endif
