/*
 * route - one question being answered, as its handler sees it.
 *
 * query.c owns sockets, threads and limits; it finds the route, parses a JSON
 * body if the route takes one, opens a view on the store and calls the
 * handler, which writes its answer with call->json and returns OK, or returns
 * call_fail(...).
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <jansson.h>

#include "arena.h"
#include "buf.h"
#include "jsonw.h"
#include "query.h"

enum { CALL_MAX_PARTS = 4, CALL_MAX_BODY = 1024 * 1024 };

struct call {
    const struct query_options *services;
    const struct route *route;
    struct slice parts[CALL_MAX_PARTS]; /* the {..} of the path, decoded */
    json_t *body;                       /* an object, or NULL */
    struct slice raw_body;
    struct reader *reader; /* between reader_begin and reader_end */
    struct arena *arena;   /* freed after the answer */
    uint64_t now_ns, started_ns; /* wall clock; monotonic */

    struct buf out; /* the answer */
    struct jsonw json;
    int http_status;          /* 200 unless changed */
    const char *content_type; /* application/json unless changed */

    void *http; /* for call_param */
};

typedef enum status route_handler(struct call *call);

enum { TAKES_JSON = 1, TAKES_RAW = 2, NO_READER = 4 };

struct route {
    const char *method;
    const char *path; /* "/api/v1alpha1/traces/{}/spans/query" */
    route_handler *handler;
    const char *area; /* of OBS-V1-<area>-nn; NULL: plain errors */
    int flags;
};

/* Query parameter, decoded, in the arena; empty ptr NULL if absent. */
struct slice call_param(struct call *call, const char *name);

/*
 * The answer becomes the error shape of contracts/openchoreo.md 2.9:
 * {"title", "errorCode", "message"}; returns status so that a handler can say
 * return call_fail(call, ERR_INVALID, "", "limit: must be 1 to 1000").
 */
enum status call_fail(struct call *call, enum status status,
                      const char *error_code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Milliseconds since the call started, for tookMs. */
int64_t call_took_ms(const struct call *call);

/* ---- params.c: members that many requests share. On failure they have
 * answered with call_fail already. ---- */

/* searchScope: see contracts/openchoreo.md 2.3. */
MUST_CHECK enum status params_scope(struct call *call, bool allow_workflow,
                                    struct scope_filter *scope);
/* startTime, endTime: RFC 3339, at most 30 days apart. */
MUST_CHECK enum status params_range(struct call *call, uint64_t *start_ns,
                                    uint64_t *end_ns);
/* limit (1..1000; default 100; 0 is the default if zero_is_default) and
 * sortOrder. */
MUST_CHECK enum status params_page(struct call *call, bool zero_is_default,
                                   uint32_t *limit, bool *ascending);
/* step: Go duration > 0; default 5m; at most 11,000 steps in the range. */
MUST_CHECK enum status params_step(struct call *call, uint64_t start_ns,
                                   uint64_t end_ns, uint64_t *step_ns);

/* ---- reply.c ---- */

/* Identity members in OpenChoreo's spelling (componentName, ... and uids where
 * they are known and valid UUIDs) into the object that is open. */
void reply_identity(struct call *call, uint32_t resource_id);

/* ---- tables of the handler files ---- */
extern const struct route routes_logs[], routes_traces[], routes_metrics[],
    routes_topology[], routes_components[], routes_admin[];

#endif
