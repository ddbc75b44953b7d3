/*
 * Export requests over HTTP: what Content-Type and Content-Encoding mean, and
 * what an answer looks like. The HTTP server (http_server.h) does the rest.
 *
 * A request that has been read is decoded on the I/O thread, suspended and
 * submitted. When that is done, on the correlator's thread, it is resumed with
 * its answer. A client that goes away meanwhile is noticed only after that: so
 * the request lives until batch_is_done() was called.
 */
#include "otlp_http.h"

#include <stdlib.h>
#include <strings.h>

#include "http_server.h"
#include "mem.h"
#include "stats.h"

enum { ANSWER_MAX = 16 * 1024 };

struct otlp_http {
    struct otlp_intake *intake;
    struct http_server *server;
};

/* What `user` of an HTTP request is. */
struct http_export {
    struct export_request request;
    struct http_request *http;
};

static const enum signal signals[] = {SIGNAL_SPANS, SIGNAL_LOGS,
                                      SIGNAL_METRICS};
static const struct http_route routes[] = {
    {"POST", "/v1/traces", 0, 0, &signals[0]},
    {"POST", "/v1/logs", 0, 0, &signals[1]},
    {"POST", "/v1/metrics", 0, 0, &signals[2]},
};

/* ---- answering ---- */

static void answer(struct http_export *export)
{
    struct http_response *answer = &export->http->answer;

    answer->code = status_http(export->request.status);
    /* Bare, without a charset: clients compare it as a string. */
    answer->content_type = export->request.encoding == BATCH_JSON
                               ? "application/json"
                               : "application/x-protobuf";
    buf_init(&answer->body, ANSWER_MAX);
    export_write_response(&export->request, &answer->body);
}

static void answer_later(void *arg)
{
    struct http_export *export = arg;

    answer(export);
    http_resume(export->http);
}

/* ---- the head ---- */

/* The part before ";", without blanks, equals name, ASCII case ignored. */
static bool token_is(struct slice value, const char *name)
{
    const char *end = value.len ? memchr(value.ptr, ';', value.len) : NULL;
    size_t len = end ? (size_t)(end - value.ptr) : value.len;

    while (len > 0 && (value.ptr[len - 1] == ' ' || value.ptr[len - 1] == '\t'))
        len--;
    return len == strlen(name) &&
           (len == 0 || strncasecmp(value.ptr, name, len) == 0);
}

static bool find_encoding(struct slice type, enum batch_encoding *encoding)
{
    *encoding = BATCH_JSON; /* of the answer, if it is neither */
    if (token_is(type, "application/x-protobuf"))
        *encoding = BATCH_PROTOBUF;
    else if (!token_is(type, "application/json"))
        return false;
    return true;
}

static bool find_format(struct slice coding, enum inflate_format *format)
{
    *format = INFLATE_NONE;
    if (token_is(coding, "") || token_is(coding, "identity") ||
        token_is(coding, "none"))
        return true;
    *format = INFLATE_GZIP;
    if (token_is(coding, "gzip") || token_is(coding, "x-gzip"))
        return true;
    *format = INFLATE_ZSTD;
    return token_is(coding, "zstd");
}

/* Made when it is asked for first: by admit or by refuse. */
static struct http_export *export_of(struct otlp_http *otlp,
                                     struct http_request *http, bool *known)
{
    struct http_export *export = http->user;

    *known = true;
    if (export)
        return export;
    http->user = export = mem_zero(1, sizeof(*export));
    export->http = http;
    export->request.intake = otlp->intake;
    *known = find_encoding(http->content_type, &export->request.encoding);
    return export;
}

static enum status admit(void *arg, struct http_request *http, const char **why)
{
    static const enum stats_id counters[SIGNAL_COUNT] = {
        STATS_REQUESTS_SPANS, STATS_REQUESTS_LOGS, STATS_REQUESTS_METRICS};
    bool is_new = !http->user, known;
    struct http_export *export = export_of(arg, http, &known);
    struct export_request *request = &export->request;

    if (is_new) { /* and not again after a wait */
        request->signal = *(const enum signal *)http->route->user;
        stats_add(counters[request->signal], 1);
    }
    *why = "Content-Type must be application/x-protobuf or application/json";
    if (!known)
        return ERR_UNSUPPORTED;
    *why = "Content-Encoding must be gzip, zstd or identity";
    if (!find_format(http->content_encoding, &request->format))
        return ERR_UNSUPPORTED;
    *why = NULL;
    return export_ready(request);
}

/* ---- the rest ---- */

static enum http_next handle(void *arg, struct http_request *http)
{
    struct http_export *export = http->user;
    struct export_request *request = &export->request;

    (void)arg;
    request->body = http->body;
    request->len = http->len;
    request->room = http->room;
    http->body = NULL;
    http->len = http->room = 0;
    if (!export_decode(request)) {
        answer(export);
        return HTTP_ANSWER;
    }
    request->answer = answer_later;
    request->arg = export;
    http_suspend(http);
    export_submit(request); /* may be answered when this returns */
    return HTTP_LATER;
}

static void refuse(void *arg, struct http_request *http, enum status status,
                   const char *why)
{
    bool known;
    struct http_export *export = export_of(arg, http, &known);

    if (!why && status == ERR_NOT_FOUND)
        why = "POST /v1/traces, /v1/logs or /v1/metrics";
    if (!why && status == ERR_METHOD)
        why = "POST is the only method here";
    export_refuse(&export->request, status, slice_of(why ? why : ""));
    answer(export);
}

static void release_export(void *arg, struct http_request *http)
{
    struct http_export *export = http->user;

    (void)arg;
    if (!export)
        return;
    export_release(&export->request);
    free(export);
    http->user = NULL;
}

/* ---- start and stop ---- */

/* Half of the budget (the other half is for decoding complete bodies); but one
 * body of the largest size always fits (see http_body.c for the sixteenth). */
static size_t body_share(const struct ingest_options *options)
{
    size_t half = options->budget->limit / 2;
    size_t one = options->max_body + options->max_body / 15 + 1;

    return half > one ? half : one;
}

enum status otlp_http_start(struct otlp_http **out, struct otlp_intake *intake)
{
    const struct ingest_options *options = &intake->options;
    struct otlp_http *otlp = mem_zero(1, sizeof(*otlp));
    struct http_options http = {
        .name = "ingest",
        .listen = options->otlp_http,
        .routes = routes,
        .route_count = sizeof(routes) / sizeof(routes[0]),
        .service = {.admit = admit,
                    .handle = handle,
                    .refuse = refuse,
                    .release = release_export,
                    .arg = otlp},
        .max_connections = options->max_connections,
        .files_eighths = 6,
        .idle_timeout_ns = options->idle_timeout_ns,
        .max_body = options->max_body,
        .budget = options->budget,
        .body_share = body_share(options),
        .cors_origins = options->cors_origins,
        .allowed_hosts = options->allowed_hosts,
        .deny_foreign = true,
    };
    enum status status;

    otlp->intake = intake;
    status = http_start(&otlp->server, &http);
    if (status != OK) {
        free(otlp);
        return status;
    }
    *out = otlp;
    return OK;
}

uint16_t otlp_http_port(const struct otlp_http *otlp)
{
    return http_port(otlp->server);
}

void otlp_http_quiesce(struct otlp_http *otlp)
{
    if (otlp)
        http_quiesce(otlp->server);
}

void otlp_http_stop(struct otlp_http *otlp)
{
    if (!otlp)
        return;
    http_stop(otlp->server);
    free(otlp);
}
