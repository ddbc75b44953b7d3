/*
 * query_request - one request of the query API, as its handler sees it.
 *
 * Purpose: query.c owns sockets, threads and limits; query_request_run()
 *   checks the body, opens a view on the store and calls the handler of the
 *   route, which writes its answer and returns OK, or returns query_fail(...).
 * Ownership: what a handler allocates is in request->arena, freed after the
 *   answer. Texts of the request are borrowed until then.
 * Threads: a request belongs to one thread at a time.
 * Errors: a handler checks the pointers it gets, and need not look at the
 *   arena or the answer's buffer in between: when either is full, the answer
 *   is replaced by an error after the handler has returned.
 *
 *   static enum status query_things(struct query_request *request)
 *   {
 *       struct things_reply reply;
 *       struct scope_filter scope;
 *       uint64_t start_ns, end_ns;
 *       enum status s = params_scope(request, 0, &scope);
 *
 *       if (s == OK)
 *           s = params_range(request, &start_ns, &end_ns);
 *       if (s != OK)
 *           return s;
 *       ... reader_query_x(request->reader, ..., request->arena, ...)
 *       if (s != OK)
 *           return query_fail_read(request, s);
 *       reply_write(&request->json, &things_table, &reply);
 *       return OK;
 *   }
 */
#ifndef QUERY_REQUEST_H
#define QUERY_REQUEST_H

#include <jansson.h>

#include "arena.h"
#include "buf.h"
#include "http_server.h"
#include "jsonw.h"
#include "map.h"
#include "params.h"
#include "query.h"
#include "reply_table.h"

enum {
    QUERY_MAX_BODY = 1024 * 1024,
    QUERY_MAX_VALUES = 16 * 1024, /* values in one JSON body */
    QUERY_MAX_FORM = 1024,        /* parameters in a form */
    QUERY_PIECE = 64 * 1024,      /* of an answer that is sent in pieces */
    QUERY_WHOLE = 256 * 1024,     /* up to this size it is sent as a whole */
};

struct query_request;

/* Writes the body of an error answer in the shape that the clients of a route
 * read; http_status is set, `out` is empty. It may change content_type_out. */
typedef void error_writer(struct query_request *request, enum status status,
                          const char *message);

struct query_request {
    const struct query_options *services;
    const struct subject *subject; /* who asks; NULL in a refusal */
    const struct route *route;     /* NULL: no such path or method */
    error_writer *write_error;     /* NULL: title, errorCode, message */
    struct viewer viewer; /* who asks, with the action of the route: what he may
                             not see is as if it were not there */
    struct slice parts[HTTP_MAX_PARTS]; /* the {..} of the path, decoded */
    const struct http_param *params;    /* of the query string, decoded */
    uint32_t param_count;
    struct http_request *http; /* for http_set_about(); NULL in a refusal */
    struct slice content_type, accept; /* of the head; ptr NULL: absent */
    struct slice raw_body;
    json_t *body;                  /* an object, or NULL */
    struct reader *reader;         /* between reader_begin and reader_end */
    const struct bitmap *selected; /* by the last params_select() */
    struct arena *arena;           /* freed after the answer */
    uint64_t now_ns, started_ns;   /* wall clock; monotonic */

    struct buf out;  /* the answer */
    size_t untagged; /* bytes at its end that say how long it took */
    struct jsonw json;
    /* Of an answer that may be larger than max_reply; a handler sets both, and
     * writes nothing itself. Appends a piece of about QUERY_PIECE bytes; false:
     * it was the last one. It may run on the I/O thread, after the handler has
     * returned: what it reads is in the arena, and the reader is not used. */
    http_produce *produce;
    void *produce_arg;
    enum status failed;           /* the error that is answered, or OK */
    int http_status;              /* 200 unless changed */
    const char *content_type_out; /* application/json unless changed */
    struct reply_cache {
        struct cached_value *at;
        struct map index;
        uint32_t count, room;
    } cache;           /* of reply_resource() and the like */
    const char *allow; /* for 405: the methods there are; "" or NULL: none */
    const struct http_file *file; /* the answer, in place of `out`; or NULL */
    const char *location;         /* of a redirect, or NULL */

    /* Of the HTTP request, replaced when the authorization service grants more;
     * NULL: it is not asked. */
    struct subject **asker;
    struct access_waiter *waiter;
    bool waits; /* for a decision: the handler runs again when it is there */
    struct query_wait
        *wait; /* for log records (query_wait.h); NULL: not here */
};

typedef enum status route_handler(struct query_request *request);

enum {
    TAKES_JSON = 1, /* a JSON object, in request->body */
    TAKES_RAW = 2,  /* a JSON document, not parsed, in request->raw_body */
    NO_READER = 4,  /* and it is not run again when it lacked memory */
    ON_IO = 8, /* quick, answered even when all workers are busy; NO_READER */
    RCA_REPORTS = 16, /* needs services->rca. Errors repeat `message` as
                         `detail` and `error`: clients of the RCA agent read one
                         of the three */
    TAKES_FORM = 32,  /* parameters may be repeated, long, and in the body, too:
                         application/x-www-form-urlencoded. They are in
                         request->params, those of the body first */
    ASKS_ROUTES = 64, /* other ones (inner_request.h), which have the reader */
    SENDS_FILE = 128, /* in memory, on the I/O thread; unlike ON_IO not when all
                         connections are in use; NO_READER */
};

struct route {
    const char *method;
    const char *path;   /* "/api/v1alpha1/traces/{}/spans/query" */
    enum action action; /* as in struct http_route */
    enum scope_from
        scope; /* the handler compares SCOPE_BODY and SCOPE_OBJECT */
    route_handler *handler;
    const char *area; /* of OBS-V1-<area>-nn; NULL: plain errors */
    int flags;
    size_t max_body;                 /* 0: QUERY_MAX_BODY */
    const struct reply_table *reply; /* of 200; NULL: not written from one */
};

/* Routes of another module. The API of another tool: its paths have the first
 * segment in common, and its errors their own shape. */
struct query_surface {
    const struct route *const *tables; /* each ended by {0}; NULL at the end */
    error_writer *write_error;         /* NULL: title, errorCode, message */
};

/* ---- query_routes.c ---- */

/* The routes of this module and then those of the surfaces (NULL at the end, or
 * NULL); the user of a row is its struct route. The first call decides which
 * there are. */
const struct http_route *query_routes(
    const struct query_surface *const *surfaces, size_t *count);

/* Of the surface that has this route or, if that is NULL, whose paths begin
 * like this one; NULL: title, errorCode, message. */
error_writer *query_error_writer(const struct route *route, struct slice path);

/* Whether the grants of the subject cover a scope whose texts may be uids. */
bool query_route_covers(struct registry *registry,
                        const struct http_request *http,
                        const union scope_names *scope);

/* ---- query_fail.c ---- */

extern const struct reply_table error_table;

/*
 * Replaces the answer by an error: {"title", "errorCode", "message"}. Returns
 * status, so that a handler can return query_fail(...). error_code NULL: the
 * one that the contract has for this status in the route's area.
 */
enum status query_fail(struct query_request *request, enum status status,
                       const char *error_code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with ERR_INVALID: "limit must be an integer from 1 to 1000". The
 * first error of a request is the one that is answered. */
enum status query_invalid(struct query_request *request, const char *format,
                          ...) __attribute__((format(printf, 2, 3)));
/* 401; word: MISSING_TOKEN ... as in access.h, in the member that OpenChoreo's
 * clients read. Nothing else tells what is wrong with the credential. */
void query_refuse_credential(struct query_request *request, const char *word);
/* What a list of an answer may take of the memory, so that others have room. */
size_t query_memory_share(const struct query_request *request);

/* Of a query that memory was refused (ERR_BUSY): ERR_TOO_BIG if the others use
 * little, so that it would be no better later. */
enum status query_memory_status(const struct query_request *request,
                                enum status status);
/* Says what the status, or the reader, says. */
enum status query_fail_status(struct query_request *request,
                              enum status status);
/* After a reader_... function that failed: code -05 of the area. */
enum status query_fail_read(struct query_request *request, enum status status);

/* ---- query_request.c ---- */

/* Values in a JSON text, counted roughly from above: at most QUERY_MAX_VALUES
 * are parsed, or the tree would take up to fifty times the text ("[],[],[]").
 */
size_t query_count_values(struct slice text);

/* Milliseconds since the request started, for tookMs. */
int64_t query_took_ms(const struct query_request *request);

/* Sets up a request; the route, its parts and the parameters come next,
 * query_request_run() last. */
void query_request_init(struct query_request *request,
                        const struct query_options *services,
                        struct arena *arena, size_t max_reply);

/* After the route: who asks, and as what its viewer sees. */
void query_request_subject(struct query_request *request,
                           const struct subject *subject);

/* What it is about, for the audit. */
void query_request_about(struct query_request *request,
                         const union scope_names *scope, struct slice name);

/* There is no such path, or not with this method (request->allow). */
void query_refuse_route(struct query_request *request);

/* Runs the handler, or says why not; afterwards out holds the answer whatever
 * happened. reader may be NULL for routes that need none. */
void query_request_run(struct query_request *request, struct reader *reader);

/* ---- reply.c ---- */

/* What is known of a resource; of one that may not be seen, nothing. */
struct resource_info {
    struct identity identity; /* empty texts if there is none */
    struct resource resource; /* no attributes if it is not known */
};

/* Looked up once per request. NULL if the arena is full. */
const struct resource_info *reply_resource(struct query_request *request,
                                           uint32_t resource_id);
/* The identity of a resource, or the one with the number that an attribute has
 * (DERIVED_PEER_ID); empty texts if it is not known, and the pointer
 * &identity_hidden if it may not be seen. NULL: the attribute is no number, or
 * the arena is full. */
extern const struct identity identity_hidden;

const struct identity *reply_resource_identity(struct query_request *request,
                                               uint32_t resource_id);
const struct identity *reply_peer_identity(struct query_request *request,
                                           const struct attr *id);

/* OpenChoreo's members of an identity (componentName ...); uids only if they
 * are valid UUIDs. Of struct identity. */
extern const struct reply_table identity_table;

/* The text of an attribute of the record, else of its resource, else empty. */
struct slice reply_attr(const struct attrs *attrs,
                        const struct resource_info *resource, const char *key);

/* Normal or Warning, of a Kubernetes or change event. */
struct slice reply_event_type(const struct log_record *log);

/* A log body or an attribute as text: strings as they are, the rest as JSON.
 * In the arena, unless it is the value's own text. */
struct slice reply_value_text(struct query_request *request,
                              const struct attr *value);

/* ---- query_access.c ---- */

enum { QUERY_CHALLENGE = 2048 };

/* WWW-Authenticate of a 401: where the metadata are. NULL: there are none. */
const char *query_challenge(const struct query_options *services,
                            char text[QUERY_CHALLENGE]);

/* ---- query_web.c ---- */

/* Our page was built, and is served. */
bool query_has_page(const struct query_options *services);
/* It is, and the request is that of a browser which opens an address. */
bool query_prefers_page(const struct query_request *request);
enum status query_redirect(struct query_request *request, const char *location);

/* ---- query_unserved.c ---- */

/* The handler of known routes that are answered with 501. */
enum status query_not_served(struct query_request *request);

/* ---- tables of the handler files, each ended by {0} ---- */
extern const struct route routes_logs[], routes_traces[], routes_metrics[],
    routes_topology[], routes_components[], routes_admin[], routes_cause[],
    routes_rca[], routes_dead_letters[], routes_unserved[], routes_events[],
    routes_access[], routes_tenants[], routes_web[], routes_openapi[],
    routes_status[];

#endif
