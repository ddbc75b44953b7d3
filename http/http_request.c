/*
 * A request from its request line to its end: the callbacks of libmicrohttpd,
 * which calls http_request_step() several times for each request, on the I/O
 * thread:
 *
 *   begin   the head has arrived: it is checked (http_check.c), and a refusal
 *           is decided before the body is read
 *   admit   the subject may do this (http_access.c), the service and the budget
 *           accept it; else it waits, suspended, and this is called again
 *   body    a piece of the body: added to the request, or discarded
 *   end     the whole request has arrived: the service answers, or suspends it
 *           and answers later; then this is called again, and sends
 *
 * A call without bytes may be the end of the body or the repeated first call of
 * a request that was suspended: so the state is kept, and sizes do not count.
 *
 * Refusing. A response queued before the body was read makes the library close
 * the connection, and a client that is still sending mostly sees a reset in
 * place of the response; it would never learn "too large" or "retry after". So
 * a body of bounded length is read and discarded, which costs no memory. Only
 * when the client waits for "100 Continue", announces more than the bound, or
 * its head cannot be trusted, is the response sent at once.
 */
#include <stdlib.h>

#include "http_int.h"
#include "mem.h"

enum { DISCARD_MIN = 64 << 20, DISCARD_UNKNOWN = 1 << 20 };

static struct http_connection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection,
                                   MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

void *http_request_line(void *arg, const char *target,
                        struct MHD_Connection *connection)
{
    struct http_server *server = arg;
    size_t len = strlen(target);
    struct server_request *sr = mem_zero(1, sizeof(*sr) + len + 1);

    sr->server = server;
    sr->connection = connection;
    sr->conn = connection_of(connection);
    sr->target_len = len;
    sr->raw_target = target;
    memcpy(sr->target, target, len);
    slot_head(sr->conn->slot);
    return sr;
}

void http_refuse(struct server_request *sr, enum status status, const char *why)
{
    const struct http_service *service = &sr->server->options.service;

    http_body_drop(sr);
    sr->refused = true;
    sr->unwelcome = status == ERR_UNAUTHENTICATED || status == ERR_FORBIDDEN;
    sr->reason = why == sr->refusal ? NULL : why;
    buf_release(&sr->request.response.body);
    service->refuse(service->arg, &sr->request, status, why);
}

/* Bytes of a body that are read and discarded at most. Clients do not look for
 * a response before they have sent all, so it is more than a small limit. */
static uint64_t discard_limit(const struct server_request *sr)
{
    const struct subject *subject = sr->request.subject;
    bool unknown = access_is_required(sr->server->options.access) &&
                   (!subject || subject->kind == SUBJECT_NOBODY);

    /* Who has no right to send gets less: what SDKs send in one request. */
    if (sr->unwelcome || unknown)
        return DISCARD_UNKNOWN;
    uint64_t twice = 2 * http_body_limit(sr);

    return twice > DISCARD_MIN ? twice : DISCARD_MIN;
}

/* Sends a refusal after the rest of the request was read, or at once. */
static enum MHD_Result after_refusal(struct server_request *sr)
{
    const struct http_head *head = &sr->head;

    sr->state = SR_BODY;
    if (!head->error && !head->expect.ptr &&
        head->length <= discard_limit(sr)) {
        slot_body(sr->conn->slot, head->length);
        return MHD_YES;
    }
    sr->close = true;
    return http_send(sr);
}

/* ---- room ---- */

/* Charges the connection in full. When three quarters of the share are used
 * (the rest is for new ones), it may still send this one request, charged to
 * the whole budget, and is closed after it. */
static bool charge_connection(struct server_request *sr)
{
    struct http_server *server = sr->server;
    struct http_connection *conn = sr->conn;
    size_t more = HTTP_POOL - HTTP_IDLE_CHARGE;

    if (conn->charged > http_idle_charge(server))
        return true;
    if (budget_used(&server->connections) < server->connections.limit / 4 * 3 &&
        budget_take_both(&server->connections, server->options.budget, more)) {
        conn->shared += more;
    } else {
        sr->close = true;
        if (!budget_take(server->options.budget, more))
            return false;
    }
    conn->charged += more;
    return true;
}

static const char *why_no_room(const struct server_request *sr,
                               enum status status)
{
    return status == ERR_LIMITED   ? sr->refusal
           : status == ERR_TOO_BIG ? "the body is larger than the limit"
                                   : HTTP_NO_MEMORY;
}

static enum status has_room(struct server_request *sr, const char **why)
{
    const struct http_service *service = &sr->server->options.service;
    bool has_body = sr->request.length > 0 || sr->head.transfer_encoding.ptr;
    enum status status = http_authorize(sr, why);

    sr->may_wait = false;
    if (status != OK)
        return status;
    if (sr->request.length > http_body_limit(sr)) {
        *why = "the body is larger than the limit";
        return ERR_TOO_BIG;
    }
    if (service->admit)
        status = service->admit(service->arg, &sr->request, why);
    if (status != OK || sr->request.route->flags & HTTP_RESERVED)
        return status;
    if (has_body)
        status = http_body_fits(sr);
    *why = why_no_room(sr, status);
    sr->may_wait = status == ERR_LIMITED;
    if (status != OK)
        return status;
    *why = HTTP_NO_MEMORY;
    return charge_connection(sr) ? OK : ERR_BUSY;
}

static enum MHD_Result admit(struct server_request *sr)
{
    const char *why = NULL;
    enum status status = has_room(sr, &why);

    if ((status == ERR_BUSY || status == ERR_FULL || sr->may_wait) &&
        http_wait(sr)) {
        sr->state = SR_HEAD_WAIT;
        return MHD_YES;
    }
    sr->state = SR_BODY;
    if (status != OK) {
        tenant_count(sr->request.tenant, TENANT_MEMORY, sr->may_wait);
        http_refuse(sr, status, why);
        return after_refusal(sr);
    }
    slot_body(sr->conn->slot, sr->request.length);
    return MHD_YES;
}

static enum MHD_Result begin(struct server_request *sr, const char *method,
                             const char *version)
{
    const char *why = NULL;
    enum status status;

    sr->method = method;
    status = http_check(sr, version, &why);
    if (status != OK) {
        http_refuse(sr, status, why);
        return after_refusal(sr);
    }
    if (sr->preflight) {
        sr->refused = true; /* a body, if there is one, is not read */
        return after_refusal(sr);
    }
    return admit(sr);
}

/* ---- the body ---- */

/* Adds a piece. While there is no memory, unfinished bodies are refused: those
 * that are slow, or any; this one may be among them. */
static enum status add_evicting(struct server_request *sr, struct slice piece,
                                bool only_slow)
{
    enum status status = http_body_add(sr, piece);

    while (!sr->refused &&
           ((status == ERR_BUSY && http_body_evict(sr->server, only_slow)) ||
            (status == ERR_LIMITED && !only_slow && http_body_evict_own(sr))))
        if (!sr->refused)
            status = http_body_add(sr, piece);
    return status;
}

/* False: it waits. */
static bool take(struct server_request *sr, struct slice piece)
{
    enum status status = add_evicting(sr, piece, true);

    if ((status == ERR_BUSY || status == ERR_LIMITED) && !sr->refused) {
        if (http_wait(sr))
            return false;
        status = add_evicting(sr, piece, false);
    }
    if (status != OK && !sr->refused) {
        tenant_count(sr->request.tenant, TENANT_MEMORY, status == ERR_LIMITED);
        http_refuse(sr, status, why_no_room(sr, status));
    }
    return true;
}

static enum MHD_Result body(struct server_request *sr, const char *bytes,
                            size_t *len)
{
    struct slice piece = {bytes, *len};

    sr->state = SR_BODY;
    if (!sr->refused && !take(sr, piece)) {
        sr->state = SR_BODY_WAIT;
        return MHD_YES;
    }
    *len = 0; /* all of it was used */
    slot_progress(sr->conn->slot, piece.len);
    if (!sr->refused)
        return MHD_YES;
    sr->discarded += piece.len;
    /* The library takes no response in the middle of a body. */
    return sr->discarded <= discard_limit(sr) ? MHD_YES : MHD_NO;
}

static enum MHD_Result end(struct server_request *sr)
{
    struct http_server *server = sr->server;
    const struct http_service *service = &server->options.service;

    if (!sr->busy) {
        sr->busy = true;
        atomic_fetch_add(&server->busy, 1);
    }
    if (sr->refused || sr->state == SR_HANDLED)
        return http_send(sr);
    http_body_done(sr);
    sr->state = SR_HANDLED;
    slot_busy(sr->conn->slot);
    if (service->handle(service->arg, &sr->request) == HTTP_PENDING)
        return MHD_YES;
    http_prepare(sr);
    return http_send(sr);
}

/* ---- what the service calls ---- */

void http_suspend(struct http_request *request)
{
    struct server_request *sr = (struct server_request *)(void *)request;

    MHD_suspend_connection(sr->connection);
}

void http_resume(struct http_request *request)
{
    struct server_request *sr = (struct server_request *)(void *)request;

    if (sr->watched)
        slot_watch_disconnect(sr->conn->slot, NULL);
    http_prepare(sr);
    MHD_resume_connection(sr->connection);
}

const atomic_bool *http_watch_disconnect(struct http_request *request)
{
    struct server_request *sr = (struct server_request *)(void *)request;

    sr->watched = true;
    slot_watch_disconnect(sr->conn->slot, &sr->disconnected);
    return &sr->disconnected;
}

bool http_is_disconnected(const struct http_request *request)
{
    const struct server_request *sr =
        (const struct server_request *)(const void *)request;

    return slot_is_disconnected(sr->conn->slot);
}

/* ---- what the library calls ---- */

enum MHD_Result http_request_step(void *arg, struct MHD_Connection *connection,
                                  const char *path, const char *method,
                                  const char *version, const char *bytes,
                                  size_t *len, void **state)
{
    struct server_request *sr = *state;

    (void)arg;
    (void)connection;
    (void)path;
    if (sr->state == SR_NEW)
        return begin(sr, method, version);
    if (sr->state == SR_HEAD_WAIT)
        return admit(sr);
    if (*len > 0)
        return body(sr, bytes, len);
    return end(sr);
}

void http_request_over(void *arg, struct MHD_Connection *connection,
                       void **state, enum MHD_RequestTerminationCode why)
{
    struct http_server *server = arg;
    const struct http_service *service = &server->options.service;
    struct server_request *sr = *state;

    (void)connection;
    (void)why;
    if (!sr)
        return;
    *state = NULL;
    if (service->release)
        service->release(service->arg, &sr->request);
    http_body_drop(sr);
    slot_idle(sr->conn->slot);
    buf_release(&sr->request.response.body);
    budget_give(&server->responses, sr->response_charged + sr->held_charged);
    budget_give(server->options.budget, sr->response_charged);
    if (sr->busy)
        atomic_fetch_sub(&server->busy, 1);
    subject_free(sr->request.subject);
    free(sr->refusal);
    free(sr->about);
    free(sr->params);
    free(sr);
}
