/*
 * Export requests over gRPC: methods, grpc-encoding and the form of an answer.
 * The gRPC server (grpc_server.h) does the rest, export_request.c what does not
 * depend on gRPC.
 *
 * A complete message is decoded on the I/O thread and submitted. When its batch
 * is done, on the correlator's thread, the answer goes back to the I/O thread.
 *
 * Stop: peers are told to use another connection while requests are still
 * taken; then as over HTTP.
 */
#include "otlp_grpc.h"

#include <stdlib.h>

#include "export_request.h"
#include "grpc_health.h"
#include "grpc_server.h"
#include "mem.h"
#include "stats.h"

enum { ANSWER_MAX = 16 * 1024, HEALTH_MAX = 4096 };

#define ENCODINGS "identity,gzip,zstd"

struct otlp_grpc {
    struct export_intake intake;
    struct grpc_server *server;
};

/* `user` of a gRPC request. */
struct grpc_export {
    struct export_request request;
    struct grpc_request *grpc;
    bool health;
};

/* `user` of a method. */
struct grpc_target {
    enum signal signal;
    bool health;
};

static const struct grpc_target traces = {SIGNAL_SPANS, false},
                                logs = {SIGNAL_LOGS, false},
                                metrics = {SIGNAL_METRICS, false},
                                health = {0, true};

#define COLLECTOR "/opentelemetry.proto.collector."
static const struct grpc_method methods[] = {
    {COLLECTOR GRPC_TRACE_SERVICE "/Export", ACTION_WRITE, 0, &traces},
    {COLLECTOR GRPC_LOGS_SERVICE "/Export", ACTION_WRITE, 0, &logs},
    {COLLECTOR GRPC_METRICS_SERVICE "/Export", ACTION_WRITE, 0, &metrics},
    {"/grpc.health.v1.Health/Check", ACTION_OPEN, HEALTH_MAX, &health},
};

/* ---- the answer ---- */

static void answer(struct grpc_export *export)
{
    struct export_request *request = &export->request;
    struct grpc_response *response = &export->grpc->response;

    response->status = request->status;
    response->text = request->message[0] ? request->message : NULL;
    if (request->status == ERR_UNSUPPORTED)
        response->encodings = ENCODINGS;
    buf_init(&response->message, ANSWER_MAX);
    buf_init(&response->details, ANSWER_MAX);
    export_write_response(request, request->status == OK ? &response->message
                                                         : &response->details);
}

static void answer_later(void *arg)
{
    struct grpc_export *export = arg;

    answer(export);
    grpc_respond(export->grpc);
}

/* ---- the head ---- */

static bool find_format(struct slice encoding, enum inflate_format *format)
{
    static const struct {
        struct slice name;
        enum inflate_format format;
    } rows[] = {{SLICE_INIT(""), INFLATE_NONE},
                {SLICE_INIT("identity"), INFLATE_NONE},
                {SLICE_INIT("gzip"), INFLATE_GZIP},
                {SLICE_INIT("zstd"), INFLATE_ZSTD}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (slice_equal(encoding, rows[i].name)) {
            *format = rows[i].format;
            return true;
        }
    return false;
}

/* Made on first use: by admit or by refuse. */
static struct grpc_export *export_of(struct otlp_grpc *otlp,
                                     struct grpc_request *grpc)
{
    static const enum stats_id counters[SIGNAL_COUNT] = {
        STATS_GRPC_REQUESTS_SPANS, STATS_GRPC_REQUESTS_LOGS,
        STATS_GRPC_REQUESTS_METRICS};
    struct grpc_export *export = grpc->user;
    const struct grpc_target *target;

    if (export)
        return export;
    grpc->user = export = mem_zero(1, sizeof(*export));
    export->grpc = grpc;
    export->request.intake = &otlp->intake;
    export->request.encoding = BATCH_PROTOBUF;
    if (!grpc->method)
        return export;
    target = grpc->method->user;
    export->health = target->health;
    export->request.signal = target->signal;
    if (!export->health)
        stats_add(counters[target->signal], 1);
    return export;
}

static enum status admit(void *arg, struct grpc_request *grpc, const char **why)
{
    struct grpc_export *export = export_of(arg, grpc);

    export->request.tenant = grpc->tenant;

    *why = "grpc-encoding must be " ENCODINGS;
    if (!find_format(grpc->encoding, &export->request.format))
        return ERR_UNSUPPORTED;
    *why = NULL;
    return export->health ? OK : export_ready(&export->request, why);
}

/* ---- the message ---- */

static enum grpc_next check_health(struct otlp_grpc *otlp,
                                   struct grpc_request *grpc,
                                   enum inflate_format format)
{
    struct budget *budget = otlp->intake.options.budget;
    bool serving = !atomic_load(&otlp->intake.stopping);
    struct grpc_response *response = &grpc->response;
    char *body = grpc->body;
    size_t len = grpc->len;

    buf_init(&response->message, ANSWER_MAX);
    response->status =
        grpc->compressed
            ? inflate_body(format, (struct slice){grpc->body, grpc->len},
                           HEALTH_MAX, budget, &body, &len)
            : OK;
    if (response->status != OK)
        return GRPC_DONE;
    response->status = grpc_health_check((struct slice){body, len}, serving,
                                         &response->message);
    if (body != grpc->body) {
        budget_give(budget, len);
        free(body);
    }
    return GRPC_DONE;
}

static enum grpc_next handle(void *arg, struct grpc_request *grpc)
{
    struct grpc_export *export = grpc->user;
    struct export_request *request = &export->request;

    if (export->health)
        return check_health(arg, grpc, request->format);
    if (!grpc->compressed) /* a sender may compress only what is large */
        request->format = INFLATE_NONE;
    request->subject = grpc->subject;
    request->address = grpc->from.bytes;
    export_take_body(request, &grpc->body, &grpc->len, &grpc->room);
    if (!export_decode(request)) {
        answer(export);
        return GRPC_DONE;
    }
    export_submit(request, answer_later, export);
    return GRPC_PENDING;
}

static void refuse(void *arg, struct grpc_request *grpc, enum status status,
                   const char *why)
{
    struct grpc_export *export = export_of(arg, grpc);

    export_refuse(&export->request, status, slice_of(why ? why : ""));
    answer(export);
}

static void release(void *arg, struct grpc_request *grpc)
{
    struct grpc_export *export = grpc->user;

    (void)arg;
    if (!export)
        return;
    export_release(&export->request);
    free(export);
    grpc->user = NULL;
}

/* ---- start and stop ---- */

enum status otlp_grpc_start(struct otlp_grpc **out,
                            const struct otlp_grpc_options *options)
{
    struct otlp_grpc *otlp = mem_zero(1, sizeof(*otlp));
    struct grpc_options grpc = {
        .name = "grpc",
        .listen = options->listen,
        .methods = methods,
        .method_count = sizeof(methods) / sizeof(methods[0]),
        .service = {.admit = admit,
                    .handle = handle,
                    .refuse = refuse,
                    .release = release,
                    .arg = otlp},
        .access = options->access,
        .tenants = options->receiver.tenants,
        .tls = options->tls,
        .max_connections = options->max_connections,
        .files_eighths = RECEIVER_FILES_EIGHTHS,
        .idle_timeout_ns = options->idle_timeout_ns,
        .max_age_ns = options->max_age_ns,
        .max_message = options->receiver.max_body,
        .budget = options->receiver.budget,
        .message_share = receiver_body_share(&options->receiver),
        .messages = options->receiver.bodies,
        .allowed_hosts = options->allowed_hosts,
        .http1_text = "this is OTLP/gRPC (HTTP/2); OTLP/HTTP has another "
                      "port, by default 4318",
    };
    enum status status;

    otlp->intake.options = options->receiver;
    status = grpc_start(&otlp->server, &grpc);
    if (status != OK) {
        free(otlp);
        return status;
    }
    *out = otlp;
    return OK;
}

uint16_t otlp_grpc_port(const struct otlp_grpc *otlp)
{
    return grpc_port(otlp->server);
}

void otlp_grpc_stop(struct otlp_grpc *otlp)
{
    if (!otlp)
        return;
    grpc_drain(otlp->server);
    export_stop(&otlp->intake);
    grpc_stop(otlp->server);
    free(otlp);
}
