/*
 * A request from its head to its handling: authentication and admission, waits
 * for room, the prefix and the bytes of its one message.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "grpc_int.h"
#include "mem.h"
#include "stats.h"

/* ---- start and end ---- */

struct grpc_stream *grpc_stream_new(struct grpc_connection *conn, int32_t id)
{
    struct grpc_stream *stream = mem_zero(1, sizeof(*stream));

    stream->conn = conn;
    stream->id = id;
    stream->request.from = slot_address(conn->slot);
    stream->started_ns = clock_monotonic_ns();
    stream->credit = GRPC_FIRST_WINDOW;
    stream->type = GRPC_TYPE_OTHER;
    ring_init(&stream->waiting);
    ring_add(&conn->streams, &stream->of_connection);
    grpc_connection_count(conn, 1);
    stream->charged =
        budget_take(conn->server->options.budget, GRPC_STREAM_CHARGE);
    return stream;
}

static void stop_waiting(struct grpc_stream *stream)
{
    if (stream->state != GS_WAITING)
        return;
    ring_remove(&stream->waiting);
    stream->waited_ns += clock_monotonic_ns() - stream->wait_start_ns;
    stream->state = GS_MESSAGE;
}

static void free_stream(struct grpc_stream *stream)
{
    struct grpc_connection *conn = stream->conn;
    const struct grpc_service *service = &conn->server->options.service;

    stop_waiting(stream);
    service->release(service->arg, &stream->request);
    grpc_body_drop(stream);
    buf_release(&stream->request.response.message);
    buf_release(&stream->request.response.details);
    if (stream->charged)
        budget_give(conn->server->options.budget, GRPC_STREAM_CHARGE);
    free((void *)(uintptr_t)stream->authorization.ptr);
    free((void *)(uintptr_t)stream->user_agent.ptr);
    subject_free(stream->request.subject);
    ring_remove(&stream->of_connection);
    free(stream);
    grpc_connection_count(conn, -1);
}

void grpc_stream_gone(struct grpc_stream *stream)
{
    stream->gone = true;
    if (stream->state != GS_HANDLED)
        free_stream(stream);
}

/* ---- the head ---- */

static const struct grpc_method *find_method(const struct grpc_server *server,
                                             struct slice path)
{
    for (size_t i = 0; i < server->options.method_count; i++)
        if (slice_equal(path, slice_of(server->options.methods[i].path)))
            return &server->options.methods[i];
    return NULL;
}

static void check_authority(struct grpc_stream *stream, struct slice host)
{
    const struct grpc_server *server = stream->conn->server;
    const char *list = server->options.allowed_hosts;

    if (!server->on_loopback && (!list || !*list))
        return;
    if (!http_host_allowed(list, host))
        stream->misdirected = true;
}

static void keep_encoding(struct grpc_stream *stream, struct slice value)
{
    size_t len = value.len < sizeof(stream->encoding)
                     ? value.len
                     : sizeof(stream->encoding);

    /* No name that is known has so many bytes: a part of it is unknown, too. */
    slice_copy(stream->encoding, (struct slice){value.ptr, len});
    stream->request.encoding = (struct slice){stream->encoding, len};
}

/* A second one makes both invalid. */
static void keep_authorization(struct grpc_stream *stream, struct slice value)
{
    if (stream->authorization.ptr)
        value.len = 0;
    free((void *)(uintptr_t)stream->authorization.ptr);
    stream->authorization =
        (struct slice){mem_copy(value.ptr, value.len), value.len};
}

static void take_header(struct grpc_stream *stream, struct slice name,
                        struct slice value)
{
    uint64_t timeout;

    if (slice_equal(name, SLICE(":path"))) {
        stream->request.method = find_method(stream->conn->server, value);
    } else if (slice_equal(name, SLICE(":method"))) {
        if (!slice_equal(value, SLICE("POST")))
            stream->http_status = 405;
    } else if (slice_equal(name, SLICE(":authority")) ||
               slice_equal(name, SLICE("host"))) {
        check_authority(stream, value);
    } else if (slice_equal(name, SLICE("content-type"))) {
        stream->type = grpc_type_of(value);
    } else if (slice_equal(name, SLICE("grpc-encoding"))) {
        keep_encoding(stream, value);
    } else if (slice_equal(name, SLICE("authorization"))) {
        keep_authorization(stream, value);
    } else if (slice_equal(name, SLICE("user-agent"))) {
        grpc_audit_keep(stream, value);
    } else if (slice_equal(name, SLICE("grpc-timeout"))) {
        if (grpc_parse_timeout(value, &timeout) &&
            timeout < UINT64_MAX - stream->started_ns)
            stream->deadline_ns = stream->started_ns + timeout;
    }
}

bool grpc_stream_header(struct grpc_stream *stream, struct slice name,
                        struct slice value)
{
    stream->head_bytes += name.len + value.len + 32;
    if (stream->head_bytes > GRPC_MAX_HEAD)
        return false;
    take_header(stream, name, value);
    return true;
}

/* ---- refusals ---- */

void grpc_stream_refuse(struct grpc_stream *stream, enum status status,
                        const char *why)
{
    const struct grpc_service *service = &stream->conn->server->options.service;

    stop_waiting(stream);
    grpc_body_drop(stream);
    grpc_audit(stream, status, why);
    service->refuse(service->arg, &stream->request, status, why);
    grpc_answer(stream);
}

/* Before a request with this status is refused: a sender that is not told yet
 * need not send again, and some never do. */
static void wait_or_refuse(struct grpc_stream *stream, enum status status,
                           const char *why)
{
    struct grpc_server *server = stream->conn->server;
    uint64_t now = clock_monotonic_ns();

    if (stream->wait_until_ns == 0) {
        uint64_t most = GRPC_WAIT_MS * NS_PER_MS;

        if (stream->deadline_ns > now && (stream->deadline_ns - now) / 2 < most)
            most = (stream->deadline_ns - now) / 2;
        stream->wait_until_ns = now + most;
        stats_add(STATS_HTTP_WAITS, 1);
    }
    if (now >= stream->wait_until_ns || stream->conn->state == GC_GOING) {
        grpc_stream_refuse(stream, status, why);
        return;
    }
    if (stream->state != GS_WAITING)
        stream->wait_start_ns = now;
    stream->state = GS_WAITING;
    ring_remove(&stream->waiting);
    ring_add(&server->waiting, &stream->waiting);
}

/* ---- admission ---- */

/* Its subject; with a method that is open to all, nobody is one. */
static enum status identify(struct grpc_stream *stream)
{
    struct grpc_request *request = &stream->request;
    struct credential credential = {.authorization = stream->authorization,
                                    .address = request->from.bytes};
    enum status status;

    if (request->method && request->method->action == ACTION_OPEN) {
        request->subject = subject_nobody();
        return OK;
    }
    status =
        grpc_io_peer(stream->conn, &credential.certificate, &stream->reason);
    return status == OK ? access_identify(stream->conn->server->options.access,
                                          &credential, &request->subject,
                                          &stream->reason)
                        : status;
}

/* What the connection holds counts for the tenant from now on. */
static enum status join_tenant(struct grpc_stream *stream, const char **why)
{
    struct grpc_request *request = &stream->request;
    struct tenants *tenants = stream->conn->server->options.tenants;

    if (request->method->action == ACTION_OPEN)
        return OK;
    if (tenants)
        request->tenant =
            tenants_of(tenants, request->subject, request->method->action);
    if (slot_authorized(stream->conn->slot, request->tenant))
        return OK;
    *why = "the namespace has too many connections; retry later";
    return ERR_BUSY;
}

static bool is_allowed(const struct grpc_stream *stream)
{
    const struct grpc_request *request = &stream->request;

    return request->method->action == ACTION_OPEN ||
           grants_have(request->subject->grants, request->method->action);
}

/* Who asks, and whether it may: before the message is read. Without a
 * valid credential nobody learns which methods there are. */
static enum status authorize(struct grpc_stream *stream, const char **why,
                             char refusal[ACCESS_REFUSAL_MAX])
{
    struct grpc_request *request = &stream->request;
    bool is_open = request->method && request->method->action == ACTION_OPEN;
    enum status status;

    *why = "too many connections; retry later";
    if (!is_open && slot_is_reserved(stream->conn->slot))
        return ERR_BUSY;
    *why = NULL;
    status = request->subject ? OK : identify(stream);
    if (status != OK)
        return status;
    *why = "unknown method";
    if (!request->method)
        return ERR_NOT_SERVED;
    if (is_allowed(stream))
        return join_tenant(stream, why);
    access_refusal(refusal, request->subject, request->method->action, NULL);
    *why = refusal;
    return ERR_FORBIDDEN;
}

static enum status check(struct grpc_stream *stream, const char **why,
                         char refusal[ACCESS_REFUSAL_MAX])
{
    const struct grpc_service *service = &stream->conn->server->options.service;
    enum status status = authorize(stream, why, refusal);

    return status == OK ? service->admit(service->arg, &stream->request, why)
                        : status;
}

/* There is no room for its message, or none for more of it. */
static void wait_for_room(struct grpc_stream *stream)
{
    char why[TENANT_TEXT];
    enum status status = grpc_body_refusal(stream, why);

    wait_or_refuse(stream, status, why);
    tenant_count(stream->request.tenant, TENANT_MEMORY,
                 status == ERR_LIMITED && stream->state == GS_ANSWERED);
}

static void refuse_no_room(struct grpc_stream *stream)
{
    char why[TENANT_TEXT];
    enum status status = grpc_body_refusal(stream, why);

    tenant_count(stream->request.tenant, TENANT_MEMORY, status == ERR_LIMITED);
    grpc_stream_refuse(stream, status, why);
}

static void handle(struct grpc_stream *stream)
{
    const struct grpc_service *service = &stream->conn->server->options.service;

    if (stream->deadline_ns && clock_monotonic_ns() >= stream->deadline_ns) {
        grpc_stream_refuse(stream, ERR_DEADLINE, NULL);
        return;
    }
    grpc_body_done(stream);
    stream->state = GS_HANDLED;
    stream->conn->pending++;
    if (service->handle(service->arg, &stream->request) == GRPC_DONE)
        grpc_stream_respond(stream);
}

static bool is_complete(const struct grpc_stream *stream)
{
    return stream->ended && stream->prefix_len == GRPC_PREFIX &&
           stream->request.len == stream->request.length;
}

/* Again after a wait. */
static void admit(struct grpc_stream *stream)
{
    char refusal[ACCESS_REFUSAL_MAX];
    const char *why;
    enum status status = check(stream, &why, refusal);

    if (slot_is_reserved(stream->conn->slot) && status == ERR_BUSY) {
        grpc_stream_refuse(stream, status, why); /* it stays reserved */
    } else if (status == ERR_BUSY || status == ERR_FULL) {
        wait_or_refuse(stream, status, why);
    } else if (status != OK) {
        grpc_stream_refuse(stream, status, why);
    } else if (!grpc_body_fits(stream) || !grpc_body_extend(stream)) {
        wait_for_room(stream);
    } else {
        stop_waiting(stream);
        stream->state = GS_MESSAGE;
        if (is_complete(stream))
            handle(stream);
    }
}

void grpc_stream_retry(struct grpc_stream *stream)
{
    admit(stream);
}

void grpc_stream_head_end(struct grpc_stream *stream)
{
    slot_busy(stream->conn->slot); /* it was within a head, perhaps */
    if (stream->type == GRPC_TYPE_OTHER && !stream->http_status)
        stream->http_status = 415;
    if (stream->http_status)
        grpc_answer(stream);
    else if (stream->misdirected)
        grpc_stream_refuse(stream, ERR_MISDIRECTED,
                           "the name in :authority is not one of this server "
                           "(--allowed-hosts)");
    else if (stream->type == GRPC_TYPE_CODEC)
        grpc_stream_refuse(stream, ERR_UNSUPPORTED, "the codec must be proto");
    else if (!stream->charged)
        grpc_stream_refuse(stream, ERR_BUSY, GRPC_NO_MEMORY);
    else
        admit(stream);
}

/* ---- the message ---- */

static size_t max_message(const struct grpc_stream *stream)
{
    const struct grpc_method *method = stream->request.method;

    return method && method->max_message
               ? method->max_message
               : stream->conn->server->options.max_message;
}

/* The prefix is complete. */
static bool check_prefix(struct grpc_stream *stream)
{
    struct grpc_request *request = &stream->request;
    struct slice encoding = request->encoding;
    bool plain = encoding.len == 0 || slice_equal(encoding, SLICE("identity"));
    char why[128];

    request->compressed = stream->prefix[0] == 1;
    request->length = grpc_load_length(stream->prefix + 1);
    if (stream->prefix[0] > 1) {
        grpc_stream_refuse(
            stream, ERR_FRAMING,
            "the compressed flag of the message is neither 0 nor 1");
    } else if (request->compressed && plain) {
        grpc_stream_refuse(stream, ERR_FRAMING,
                           "compressed message without grpc-encoding");
    } else if (request->length > max_message(stream)) {
        (void)snprintf(why, sizeof(why),
                       "the message has %llu bytes, more than the limit of "
                       "%zu; send smaller batches",
                       (unsigned long long)request->length,
                       max_message(stream));
        grpc_stream_refuse(stream, ERR_TOO_BIG, why);
    }
    return stream->state != GS_ANSWERED;
}

static struct slice take_prefix(struct grpc_stream *stream, struct slice bytes)
{
    size_t lacks = GRPC_PREFIX - stream->prefix_len;

    if (lacks > bytes.len)
        lacks = bytes.len;
    memcpy(stream->prefix + stream->prefix_len, bytes.ptr, lacks);
    stream->prefix_len += (unsigned)lacks;
    return slice_from(bytes, lacks);
}

void grpc_stream_data(struct grpc_stream *stream, struct slice bytes)
{
    struct grpc_request *request = &stream->request;

    if (stream->state == GS_ANSWERED)
        return;
    grpc_flood_use(&stream->conn->flood, bytes.len);
    if (stream->prefix_len < GRPC_PREFIX) {
        bytes = take_prefix(stream, bytes);
        if (stream->prefix_len < GRPC_PREFIX || !check_prefix(stream))
            return;
    }
    if (bytes.len > request->length - request->len)
        grpc_stream_refuse(stream, ERR_FRAMING,
                           "more bytes than the prefix of the message says");
    else if (!grpc_body_add(stream, bytes))
        refuse_no_room(stream);
    else if (stream->state == GS_MESSAGE && !grpc_body_extend(stream))
        wait_for_room(stream);
}

void grpc_stream_end(struct grpc_stream *stream)
{
    stream->ended = true;
    if (stream->state != GS_MESSAGE && stream->state != GS_WAITING)
        return;
    if (!is_complete(stream))
        grpc_stream_refuse(stream, ERR_FRAMING,
                           "fewer bytes than the prefix of the message says");
    else if (stream->state == GS_MESSAGE)
        handle(stream);
}

void grpc_stream_respond(struct grpc_stream *stream)
{
    struct grpc_connection *conn = stream->conn;

    conn->pending--;
    stream->state = GS_ANSWERED;
    if (!stream->gone)
        grpc_answer(stream);
    else
        free_stream(stream);
}
