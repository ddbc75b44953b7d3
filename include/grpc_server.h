/*
 * grpc_server - a gRPC server for unary methods, over HTTP/2.
 *
 * A request passes these stages:
 *     head     path, content type, grpc-timeout; who asks (access.h), and
 *              whether the method's action is allowed; `admit` of the service,
 *              before the message is read. Until then a stream may send 64 KiB.
 *     message  prefix and bytes; the sender gets credit for bytes that are
 *              charged to the budget already
 *     handle   the service answers at once, or later from another thread
 *     answer   message and trailers; a refusal is one HEADERS frame, then a
 *              reset without error if the message was not read to its end
 *
 * A request that is admitted with ERR_BUSY or ERR_FULL, or has no memory, waits
 * up to GRPC_WAIT_MS, at most half of its grpc-timeout. Connections have the
 * slots of http_slots.h; limits against attacks: grpc/grpc_flood.h.
 *
 * Purpose:   HTTP/2 with libnghttp2, framing and status of gRPC; what the
 *            messages mean is the service's.
 * Ownership: the server owns requests; `user` and what it refers to belong to
 *            the service, until `release`.
 * Threads:   one I/O thread for each server. It calls all callbacks. Between
 *            handle(), if that returns GRPC_PENDING, and grpc_respond() a
 *            request belongs to the service.
 * Errors:    a failed start is logged. The service never sees a connection
 *            fail.
 */
#ifndef GRPC_SERVER_H
#define GRPC_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "access.h"
#include "budget.h"
#include "buf.h"
#include "http_server.h"
#include "slice.h"
#include "status.h"
#include "tenants.h"

enum {
    GRPC_WAIT_MS = 2000,      /* for room, before a refusal */
    GRPC_MESSAGE_TEXT = 1024, /* bytes of grpc-message, encoded */
};

struct grpc_server;

struct grpc_method {
    const char *path; /* "/package.Service/Method" */
    /* What a subject must be allowed, in any scope; ACTION_NONE: denied,
     * ACTION_OPEN: nothing, and it is answered on reserved slots. */
    enum action action;
    size_t max_message; /* 0: that of the server */
    const void *user;
};

struct grpc_response {
    enum status status;
    struct buf message;    /* if OK; owned */
    struct buf details;    /* google.rpc.Status, if not OK; owned */
    const char *text;      /* grpc-message; NULL: that of the status */
    const char *encodings; /* grpc-accept-encoding; NULL: none */
};

struct grpc_request {
    const struct grpc_method *method; /* NULL: unknown (refuse) */
    struct subject *subject;          /* who asks; NULL before that is known */
    struct tenant *tenant;            /* NULL: none */
    struct slice encoding;            /* grpc-encoding; ptr NULL: absent */
    struct http_address from;
    bool compressed; /* the flag of the message */
    uint64_t length; /* of the message, as its prefix says */

    char *body; /* room bytes, charged to the budget of the server; a service
                   that takes them sets all three to 0 */
    size_t len, room;

    struct grpc_response response;
    void *user; /* of the service */
};

enum grpc_next { GRPC_DONE, GRPC_PENDING };

struct grpc_service {
    /* OK: the message is read. With ERR_BUSY and ERR_FULL the request waits
     * first; after that, and with all other errors, it is refused. */
    enum status (*admit)(void *arg, struct grpc_request *request,
                         const char **why);
    /* The message is complete. Fills in the response and returns GRPC_DONE, or
     * passes the request on and returns GRPC_PENDING. */
    enum grpc_next (*handle)(void *arg, struct grpc_request *request);
    /* Fills in an error response. */
    void (*refuse)(void *arg, struct grpc_request *request, enum status status,
                   const char *why);
    /* The request is over. */
    void (*release)(void *arg, struct grpc_request *request);
    void *arg;
};

struct grpc_options {
    const char *name;   /* of the module, for the log */
    const char *listen; /* HOST:PORT; port 0 picks one */
    const struct grpc_method *methods;
    size_t method_count;
    struct grpc_service service;

    struct access *access;   /* NULL: no credential is required */
    struct tenants *tenants; /* NULL: not counted */
    struct tls *tls;         /* NULL: plain */
    uint32_t max_connections;
    unsigned files_eighths; /* share of RLIMIT_NOFILE for these connections */
    uint64_t idle_timeout_ns;
    uint64_t max_age_ns; /* of a connection; 0: any */
    size_t max_message;
    struct budget *budget;     /* connections and messages */
    size_t message_share;      /* of it, for unfinished messages */
    struct budget *messages;   /* as bodies of http_options */
    const char *allowed_hosts; /* as http_options */
    const char *http1_text;    /* answer to an HTTP/1 request */
};

/* ERR_IO, ERR_IN_USE, ERR_INVALID, ERR_NOT_FOUND: cannot listen (logged). The
 * strings and tables of options stay the caller's and must outlive the server.
 */
MUST_CHECK enum status grpc_start(struct grpc_server **server,
                                  const struct grpc_options *options);
uint16_t grpc_port(const struct grpc_server *server);

/* Closes the listener and tells every peer to use another connection (GOAWAY);
 * returns when the requests under way are answered, after two seconds at most.
 * NULL is fine. */
void grpc_drain(struct grpc_server *server);
/* No request may be with the service. NULL is fine. */
void grpc_stop(struct grpc_server *server);

/* Any thread, once after GRPC_PENDING: the response is filled in. The request
 * may have been freed when this returns. */
void grpc_respond(struct grpc_request *request);

#endif
