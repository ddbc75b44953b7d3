/*
 * http_server - one HTTP/1 server for every port: OTLP/HTTP and the query API.
 *
 * Purpose: it owns libmicrohttpd. A port is a listener, a table of routes and
 *   callbacks of a service; all else is the same for every port:
 *     head     refused with 400 if RFC 9112 calls it dangerous; Host, Origin
 *              and Sec-Fetch-Site; CORS preflights; route, query parameters
 *     access   who asks (access.h), and whether the route's action is allowed
 *     admit    `admit` of the service, before the body is read
 *     body     grows as it arrives, charged to the budget
 *     handle   the service answers at once, or later from another thread
 *     respond  headers, compression, ETag; sent within a time limit. A file in
 *              memory is sent as it is kept
 *   A connection has a slot, each address a share of the slots, and /health a
 *   reserve (http_slots.h). Unfinished bodies have a share of the budget,
 *   and so have responses that wait to be sent. A request without memory waits
 *   up to HTTP_WAIT_MS before it is refused with 503 and Retry-After.
 * Ownership: the server owns requests; `user` and what it refers to belong to
 *   the service, until `release`.
 * Threads: one I/O thread for each server. It calls all callbacks, except that
 *   `refuse` may also run on the thread that calls http_resume(). Between
 *   http_suspend() and http_resume() a request belongs to the service.
 * Errors: the service never sees a connection fail; http_is_disconnected()
 *   says whether the client has closed it.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access.h"
#include "budget.h"
#include "buf.h"
#include "slice.h"
#include "status.h"
#include "tenants.h"

enum {
    HTTP_MAX_PARTS = 4,       /* {} in the pattern of a path */
    HTTP_MAX_PARAMS = 64,     /* more: 400 */
    HTTP_MAX_PARAM = 4096,    /* bytes of a name or value; more: 400 */
    HTTP_WAIT_MS = 2000,      /* for memory, before a refusal */
    HTTP_COMPRESS_MIN = 8192, /* responses of this size are compressed */
};

struct http_server;
struct tls;

/* Flags of a route. */
enum {
    HTTP_RESERVED = 1, /* answered even when all ordinary slots are in use */
    HTTP_REPEATED = 2, /* parameters may be repeated, and longer than
                          HTTP_MAX_PARAM: what fits into a head */
};

struct http_header {
    const char *name, *value;
};

/* A file in memory, as gzip writes it. It is sent without a copy, and inflated
 * for clients that do not take gzip. The response has an ETag, and is 304 if
 * the client has it. */
struct http_file {
    const char *content_type;
    const char *begin, *end;
    const char *cache_control;         /* NULL: "private, no-cache" */
    const struct http_header *headers; /* others, the last one without a name;
                                          NULL: none */
};

struct http_route {
    const char *method; /* GET serves HEAD too */
    const char *path;   /* {} takes any segment that is not empty */
    enum action
        action; /* what a subject must be allowed; ACTION_NONE: denied */
    enum scope_from scope; /* where: what its grants must cover */
    unsigned flags;
    size_t max_body; /* 0: that of the server */
    const void *user;
};

struct http_param {
    struct slice name, value;
};

/* Appends the next piece of a body, of any length above 0; false: it was the
 * last one. */
typedef bool http_produce(void *arg, struct buf *out);

struct http_response {
    int code;
    const char *content_type;
    struct buf body; /* owned */
    size_t untagged; /* bytes at its end that are not in its ETag: they differ
                        each time, and say nothing of what was asked for */
    const struct http_file *file; /* in place of the body; NULL: none */
    /* Not NULL: `body` is the first piece only. Each further one is produced
     * when the client has read those before: on the I/O thread, so it takes
     * less than a millisecond; a client that does not read gets no piece, and
     * is closed by its deadline. What the pieces are made of is the service's
     * until `release`, `held` bytes of it. */
    http_produce *produce;
    void *produce_arg;
    size_t held;
    const char *allow;    /* for 405 */
    const char *location; /* for a redirect, relative to the request's path */
    unsigned retry_after; /* seconds; 0: 1 with 429 and 503 */
};

/* The peer: an IPv6 address, IPv4 as ::ffff:a.b.c.d. */
struct http_address {
    uint8_t bytes[16];
};

/* A key for a tenant among those of addresses. */
struct http_address http_tenant_key(const struct tenant *tenant);

struct http_request {
    const struct http_route *route; /* NULL if there is none (refuse) */
    struct slice path; /* as sent, if there is no route; else not of use */
    struct slice content_type, content_encoding; /* ptr NULL: absent */
    struct slice authorization, accept;
    /* What the Model Context Protocol repeats of the body: version, method,
     * and the name of what is asked for. */
    struct slice mcp_version, mcp_method, mcp_name;
    /* Who asks; constant until the request is over. Not NULL once it was
     * admitted; in `refuse` it may be. */
    struct subject *subject;
    struct slice parts[HTTP_MAX_PARTS]; /* of the path, percent-decoded */
    const struct http_param *params;    /* of the query string, decoded */
    uint32_t param_count;
    struct http_address from;
    struct tenant *tenant; /* of the subject; NULL: tenants are not counted */
    /* By whom memory, turns and workers are shared out: its tenant if that is a
     * namespace, else the address. */
    struct http_address holder;
    uint64_t length; /* Content-Length; 0 if there is none */

    char *body; /* room bytes, charged to the budget of the server; a service
                   that takes them sets all three to 0 */
    size_t len, room;

    struct http_response response;
    /* By the service, for the audit: what was asked for in the body, in place
     * of the action of the route (0: that), and whether it was refused although
     * the code is no error. */
    enum action asked;
    bool denied;
    void *user; /* of the service */
};

enum http_next { HTTP_DONE, HTTP_PENDING };

struct http_service {
    /* Asked when no grant of the subject covers the scope by its texts: whether
     * one does by what they stand for. NULL: no. */
    bool (*covers)(void *arg, const struct http_request *request,
                   const union scope_names *scope);
    /* OK: the body is read. With ERR_BUSY and ERR_FULL the request waits first;
     * after that, and with all other errors, it is refused. NULL: all are OK.
     */
    enum status (*admit)(void *arg, struct http_request *request,
                         const char **why);
    /* The whole request has arrived. Fills in the response (code, type, body)
     * and returns HTTP_DONE; or calls http_suspend(), passes the request on,
     * and returns HTTP_PENDING. */
    enum http_next (*handle)(void *arg, struct http_request *request);
    /* Fills in an error response: code, type and body. With
     * ERR_UNAUTHENTICATED, `why` is a word (access.h: access_identify). */
    void (*refuse)(void *arg, struct http_request *request, enum status status,
                   const char *why);
    /* The request is over. NULL: nothing to do. */
    void (*release)(void *arg, struct http_request *request);
    void *arg;
};

struct http_options {
    const char *name;   /* of the module, for the log */
    const char *listen; /* HOST:PORT; port 0 picks one */
    const struct http_route *routes;
    size_t route_count;
    struct http_service service;
    struct access *access;   /* NULL: no credential is required */
    struct tenants *tenants; /* NULL: not counted */

    uint32_t max_connections;
    unsigned files_eighths; /* share of RLIMIT_NOFILE for these connections */
    uint64_t idle_timeout_ns;
    size_t max_body;
    struct budget *budget; /* connections, bodies, responses */
    size_t body_share;     /* of it, for unfinished bodies */
    struct budget
        *bodies; /* unfinished ones of other servers, too; NULL: none */
    size_t response_share; /* of it, for responses that wait to be sent; 0: they
                              are small and not charged */
    const char
        *cors_origins; /* comma list of exact origins; "" or NULL: none */
    const char *allowed_hosts; /* comma list; beside loopback names. NULL or "":
                                  any Host, unless it listens on loopback */
    bool deny_cross_origin; /* a foreign Origin is refused for GET too (OTLP) */

    const char *challenge; /* WWW-Authenticate of 401; NULL: Bearer */

    struct tls *tls; /* NULL: plain HTTP */
};

/* ERR_IO, ERR_IN_USE, ERR_INVALID, ERR_NOT_FOUND: cannot listen (logged). The
 * strings and tables of options stay the caller's and must outlive the server.
 */
MUST_CHECK enum status http_start(struct http_server **server,
                                  const struct http_options *options);
uint16_t http_port(const struct http_server *server);

/* Accepts no more connections; requests are still answered. NULL is fine. */
void http_quiesce(struct http_server *server);
/* No request may be suspended by the service. Waits up to two seconds until
 * responses are sent. NULL is fine. */
void http_stop(struct http_server *server);

/* I/O thread, in handle(): from now on the request belongs to the service. */
void http_suspend(struct http_request *request);
/* The response is filled in. Compresses it, so call it on a thread that may
 * take time. The request may have been freed when this returns. */
void http_resume(struct http_request *request);
/* What the request is about, for the audit: of its body and its object (scope
 * NULL: that which was set before). Copied; in handle(), or while suspended. */
void http_set_about(struct http_request *request,
                    const union scope_names *scope, struct slice name);
/* Any thread, while suspended: the client has closed the connection. */
bool http_is_disconnected(const struct http_request *request);
/* After http_suspend(): a flag that is set when that happens, until
 * http_resume(). */
const atomic_bool *http_watch_disconnect(struct http_request *request);

/* ---- hosts (http_origin.c) ---- */

/* Whether Host (port ignored) is localhost, a loopback address or in the comma
 * list. */
bool http_host_allowed(const char *list, struct slice host);

/* ---- routes (http_route.c) ---- */

struct http_match {
    const struct http_route *route;     /* NULL: no such path or method */
    struct slice parts[HTTP_MAX_PARTS]; /* still escaped */
    char allow[48]; /* the methods that the path has; "": no such path */
};

/* path: as in the request line, without the query string. */
bool http_route_find(const struct http_route *routes, size_t count,
                     struct slice method, struct slice path,
                     struct http_match *match);

/* Undoes percent escapes in place, and + for a blank if `plus`; a broken
 * escape stays as it is. The new length. */
size_t http_unescape(char *text, size_t len, bool plus);

/* ---- parameters (http_params.c) ---- */

/* The most that a text like a=1&b=2 has. */
uint32_t http_count_params(struct slice text);
/* Takes such a text apart and decodes it in place: at most so many; how many.
 */
uint32_t http_split_params(char *text, size_t len, struct http_param *to);

#endif
