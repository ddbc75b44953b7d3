/*
 * Export requests over HTTP: Content-Type, Content-Encoding and the form of an
 * answer. The HTTP server (http_server.h) does the rest, export_request.c what
 * does not depend on HTTP.
 *
 * A complete request is decoded on the I/O thread, suspended and submitted.
 * When its batch is done, on the correlator's thread, it is resumed with its
 * answer. A client that disconnects meanwhile is noticed only after that, so
 * the request lives until answer_later() was called.
 *
 * Stop: no new connection, every new request is refused; requests that are with
 * the sink are answered, because journal and correlator still run; then the
 * server closes.
 */
#include "otlp_http.h"

#include <stdlib.h>
#include <strings.h>

#include "export_request.h"
#include "http_server.h"
#include "mem.h"
#include "stats.h"

enum { ANSWER_MAX = 16 * 1024 };

struct otlp_http {
    struct export_intake intake;
    struct http_server *server;
};

/* `user` of an HTTP request. */
struct http_export {
    struct export_request request;
    struct http_request *http;
};

static const enum signal signals[] = {SIGNAL_SPANS, SIGNAL_LOGS,
                                      SIGNAL_METRICS};
static const struct http_route routes[] = {
    {"POST", "/v1/traces", ACTION_WRITE, SCOPE_RECORDS, 0, 0, &signals[0]},
    {"POST", "/v1/logs", ACTION_WRITE, SCOPE_RECORDS, 0, 0, &signals[1]},
    {"POST", "/v1/metrics", ACTION_WRITE, SCOPE_RECORDS, 0, 0, &signals[2]},
};

/* ---- the answer ---- */

static void answer(struct http_export *export)
{
    struct http_response *answer = &export->http->response;

    answer->code = status_http(export->request.status);
    answer->retry_after = export->request.retry_after;
    /* Without a charset: clients compare the whole value. */
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
    struct slice token = slice_trim(slice_split(&value, ';'), " \t");

    return token.len == strlen(name) &&
           (token.len == 0 || strncasecmp(token.ptr, name, token.len) == 0);
}

static bool find_encoding(struct slice type, enum batch_encoding *encoding)
{
    bool protobuf = token_is(type, "application/x-protobuf");

    /* An unknown type is answered in JSON. */
    *encoding = protobuf ? BATCH_PROTOBUF : BATCH_JSON;
    return protobuf || token_is(type, "application/json");
}

static bool find_format(struct slice coding, enum inflate_format *format)
{
    static const struct {
        const char *name;
        enum inflate_format format;
    } rows[] = {
        {"", INFLATE_NONE},     {"identity", INFLATE_NONE},
        {"none", INFLATE_NONE}, {"gzip", INFLATE_GZIP},
        {"zstd", INFLATE_ZSTD}, {"x-gzip", INFLATE_GZIP},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (token_is(coding, rows[i].name)) {
            *format = rows[i].format;
            return true;
        }
    return false;
}

/* Made on first use: by admit or by refuse. */
static struct http_export *export_of(struct otlp_http *otlp,
                                     struct http_request *http, bool *known)
{
    struct http_export *export = http->user;

    *known = true;
    if (export)
        return export;
    http->user = export = mem_zero(1, sizeof(*export));
    export->http = http;
    export->request.intake = &otlp->intake;
    *known = find_encoding(http->content_type, &export->request.encoding);
    return export;
}

static enum status admit(void *arg, struct http_request *http,
                         const char **reason)
{
    static const enum stats_id counters[SIGNAL_COUNT] = {
        STATS_REQUESTS_SPANS, STATS_REQUESTS_LOGS, STATS_REQUESTS_METRICS};
    bool is_new = !http->user, known;
    struct http_export *export = export_of(arg, http, &known);
    struct export_request *request = &export->request;

    if (is_new) { /* not when it is admitted after a wait */
        request->signal = *(const enum signal *)http->route->user;
        request->tenant = http->tenant;
        stats_add(counters[request->signal], 1);
    }
    *reason = "Content-Type must be application/x-protobuf or application/json";
    if (!known)
        return ERR_UNSUPPORTED;
    *reason = "Content-Encoding must be gzip, zstd or identity";
    if (!find_format(http->content_encoding, &request->format))
        return ERR_UNSUPPORTED;
    return export_ready(request, reason);
}

/* ---- the body ---- */

static enum http_next handle(void *arg, struct http_request *http)
{
    struct http_export *export = http->user;
    struct export_request *request = &export->request;

    (void)arg;
    request->subject = http->subject;
    request->address = http->from.bytes;
    export_take_body(request, &http->body, &http->len, &http->room);
    if (!export_decode(request)) {
        answer(export);
        return HTTP_DONE;
    }
    http_suspend(http);
    export_submit(request, answer_later, export);
    return HTTP_PENDING;
}

static void refuse(void *arg, struct http_request *http, enum status status,
                   const char *reason)
{
    bool known;
    struct http_export *export = export_of(arg, http, &known);

    if (status == ERR_UNAUTHENTICATED) /* a word of the Observer API */
        reason = status_text(status);
    if (!reason && status == ERR_NOT_FOUND)
        reason = "POST /v1/traces, /v1/logs or /v1/metrics";
    if (!reason && status == ERR_METHOD)
        reason = "method not allowed; allowed: POST";
    export_refuse(&export->request, status, slice_of(reason ? reason : ""));
    answer(export);
}

static void release(void *arg, struct http_request *http)
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

enum status otlp_http_start(struct otlp_http **out,
                            const struct otlp_http_options *options)
{
    struct otlp_http *otlp = mem_zero(1, sizeof(*otlp));
    struct http_options http = {
        .name = "ingest",
        .listen = options->listen,
        .routes = routes,
        .route_count = sizeof(routes) / sizeof(routes[0]),
        .service = {.admit = admit,
                    .handle = handle,
                    .refuse = refuse,
                    .release = release,
                    .arg = otlp},
        .access = options->access,
        .tenants = options->receiver.tenants,
        .max_connections = options->max_connections,
        .files_eighths = RECEIVER_FILES_EIGHTHS,
        .idle_timeout_ns = options->idle_timeout_ns,
        .max_body = options->receiver.max_body,
        .budget = options->receiver.budget,
        .body_share = receiver_body_share(&options->receiver),
        .bodies = options->receiver.bodies,
        .cors_origins = options->cors_origins,
        .allowed_hosts = options->allowed_hosts,
        .tls = options->tls,
        .deny_cross_origin = true,
    };
    enum status status;

    otlp->intake.options = options->receiver;
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

void otlp_http_stop(struct otlp_http *otlp)
{
    if (!otlp)
        return;
    http_quiesce(otlp->server);
    export_stop(&otlp->intake);
    http_stop(otlp->server);
    free(otlp);
}
