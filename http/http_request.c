/*
 * libmicrohttpd does the HTTP; its thread calls http_request_step() several
 * times for each request:
 *
 *   begin   the head is here: checked, and refused before the body is read
 *   admit   the service and the budget take it; else it waits, suspended, and
 *           this is called again
 *   body    a piece of the body: added to the request, or thrown away
 *   end     all of it is here: the service answers, or suspends it and answers
 *           later; then this is called again, and sends
 *
 * A call without bytes may be the end of the body or the repeated first call of
 * a request that was suspended: so the state is kept, and sizes do not count.
 *
 * Refusing. An answer queued before the body was read makes the library close
 * the connection, and a client that is still sending mostly sees a reset in
 * place of our answer; it would never learn "too large" or "retry after". So a
 * body of bounded length is read and thrown away, which costs no memory; only
 * when the client waits for "100 Continue", would send without end, or its head
 * cannot be trusted, is the answer at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "http_int.h"
#include "http_seam.h"
#include "mem.h"
#include "stats.h"

enum { THROWN_AWAY_LEAST = 64 << 20 };

static struct http_connection *link_of(struct MHD_Connection *connection)
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
    sr->conn = link_of(connection);
    sr->target_len = len;
    sr->raw_target = target;
    memcpy(sr->target, target, len);
    slot_head(server->slots, sr->conn->slot);
    return sr;
}

void http_refuse(struct server_request *sr, enum status status, const char *why)
{
    const struct http_service *service = &sr->server->options.service;

    http_body_drop(sr);
    sr->refused = true;
    buf_release(&sr->request.answer.body);
    service->refuse(service->arg, &sr->request, status, why);
}

static uint64_t max_body(const struct server_request *sr)
{
    const struct http_route *route = sr->request.route;

    return route && route->max_body ? route->max_body
                                    : sr->server->options.max_body;
}

/* Most of a body that is read only to be thrown away. Clients do not look for
 * an answer before all is sent, so it is more than a small limit needs. */
static uint64_t most_thrown_away(const struct server_request *sr)
{
    uint64_t twice = 2 * max_body(sr);

    return twice > THROWN_AWAY_LEAST ? twice : THROWN_AWAY_LEAST;
}

/* Sends a refusal when the rest of the request was read, or at once. */
static enum MHD_Result after_refusal(struct server_request *sr)
{
    const struct http_head *head = &sr->head;

    sr->state = SR_BODY;
    if (!head->fault && !head->expect.ptr &&
        head->length <= most_thrown_away(sr)) {
        slot_body(sr->server->slots, sr->conn->slot, head->length);
        return MHD_YES;
    }
    sr->close = true;
    return http_send(sr);
}

/* ---- the head ---- */

struct fields {
    struct http_head *head;
    struct http_seam seam;
};

static enum MHD_Result add_field(void *arg, enum MHD_ValueKind kind,
                                 const char *name, size_t name_len,
                                 const char *value, size_t value_len)
{
    struct fields *fields = arg;

    (void)kind;
    http_head_add(fields->head, (struct slice){name, name_len},
                  (struct slice){value, value_len});
    http_seam_field(&fields->seam, (struct slice){name, name_len},
                    (struct slice){value, value_len});
    return MHD_YES;
}

static void read_head(struct server_request *sr, const char *version)
{
    struct http_head *head = &sr->head;
    struct http_request *request = &sr->request;
    struct slice method = slice_of(sr->method);
    struct fields fields = {.head = head};

    http_head_init(head, method, (struct slice){sr->target, sr->target_len},
                   slice_of(version));
    http_seam_line(&fields.seam, method,
                   (struct slice){sr->raw_target, sr->target_len},
                   slice_of(version));
    (void)MHD_get_connection_values_n(sr->connection, MHD_HEADER_KIND,
                                      add_field, &fields);
    if (sr->server->knows_library && http_seam_is_broken(&fields.seam))
        http_head_fault(head, "the head has a NUL byte or a folded line");
    (void)http_head_check(head);
    request->content_type = head->content_type;
    request->content_encoding = head->content_encoding;
    request->authorization = head->authorization;
    request->length = head->length;
    request->from = slot_address(sr->conn->slot);
}

/* Path and parameters; NULL, or what is wrong. */
static const char *find_route(struct server_request *sr)
{
    const struct http_options *options = &sr->server->options;
    struct http_request *request = &sr->request;
    char *query = memchr(sr->target, '?', sr->target_len);
    size_t len = query ? (size_t)(query - sr->target) : sr->target_len;
    struct http_match match;

    (void)http_route_find(options->routes, options->route_count,
                          slice_of(sr->method), (struct slice){sr->target, len},
                          &match);
    request->route = match.route;
    memcpy(sr->allow, match.allow, sizeof(match.allow));
    request->answer.allow = sr->allow;
    for (int i = 0; i < HTTP_MAX_PARTS && match.parts[i].ptr; i++) {
        char *part = sr->target + (match.parts[i].ptr - sr->target);

        request->parts[i] = (struct slice){
            part, http_unescape(part, match.parts[i].len, false)};
    }
    return query ? http_parse_params(sr, query + 1) : NULL;
}

/* Is this host ours? Where strangers cannot connect, a page with a name of its
 * own for our address can. */
static bool host_is_ours(const struct server_request *sr)
{
    const struct http_options *options = &sr->server->options;
    const char *hosts = options->allowed_hosts;
    struct slice host = sr->head.host;

    if (!sr->server->on_loopback && (!hosts || !hosts[0]))
        return true;
    return !host.ptr || http_host_allowed(hosts, host);
}

static bool page_may_ask(struct server_request *sr)
{
    const struct http_options *options = &sr->server->options;
    bool reads =
        strcmp(sr->method, "GET") == 0 || strcmp(sr->method, "HEAD") == 0;

    sr->origin = http_origin_of(options->cors_origins, &sr->head);
    switch (sr->origin) {
    case HTTP_LISTED:
        return true;
    case HTTP_OPAQUE:
        return false;
    case HTTP_FOREIGN:
        return reads && !options->deny_foreign;
    case HTTP_NO_PAGE:
        break;
    }
    return reads || !http_is_cross_site(&sr->head);
}

/* The methods of a path, for the answer to OPTIONS. */
static bool is_preflight(struct server_request *sr)
{
    size_t len = strlen(sr->allow);
    bool gets = strstr(sr->allow, "GET") != NULL;

    if (strcmp(sr->method, "OPTIONS") != 0)
        return false;
    snprintf(sr->allow + len, sizeof(sr->allow) - len, "%s%s%s",
             len ? ", " : "", gets ? "HEAD, " : "", "OPTIONS");
    sr->preflight = true;
    return true;
}

/* OK, or the status to refuse with. */
static enum status check(struct server_request *sr, const char **why)
{
    const struct http_service *service = &sr->server->options.service;
    const char *wrong_params;

    if (sr->head.fault) {
        stats_add(STATS_HTTP_HEADS_REFUSED, 1);
        *why = sr->head.fault;
        return ERR_INVALID;
    }
    wrong_params = find_route(sr);
    if (!host_is_ours(sr)) {
        stats_add(STATS_HTTP_HOSTS_REFUSED, 1);
        *why = "Host is not allowed; add it to --allowed-hosts";
        return ERR_MISDIRECTED;
    }
    if (!page_may_ask(sr)) {
        stats_add(STATS_HTTP_ORIGINS_REFUSED, 1);
        *why = "Origin is not allowed; add it to --cors-origins";
        return ERR_FORBIDDEN;
    }
    if (is_preflight(sr))
        return OK;
    if (!sr->request.route) {
        *why = NULL;
        return sr->allow[0] ? ERR_METHOD : ERR_NOT_FOUND;
    }
    if (slot_is_reserved(sr->conn->slot)) {
        sr->close = true;
        *why = "too many connections; retry later";
        if (!(sr->request.route->flags & HTTP_RESERVED))
            return ERR_BUSY;
    }
    *why = wrong_params;
    if (wrong_params)
        return ERR_INVALID;
    return service->authorize
               ? service->authorize(service->arg, &sr->request, why)
               : OK;
}

/* ---- room ---- */

static bool charge(struct http_server *server, struct http_connection *conn,
                   size_t bytes)
{
    size_t more = bytes - conn->charged;

    if (!budget_take(&server->connections, more))
        return false;
    if (!budget_take(server->options.budget, more)) {
        budget_give(&server->connections, more);
        return false;
    }
    conn->charged += more;
    conn->shared += more;
    return true;
}

/* Charges the connection in full. When three quarters of the share are used up
 * (the rest is for new ones), it may still make this one request, at the
 * expense of all, and is closed after it. */
static bool charge_connection(struct server_request *sr)
{
    struct http_server *server = sr->server;
    struct http_connection *conn = sr->conn;

    if (conn->charged >= HTTP_POOL)
        return true;
    if (budget_used(&server->connections) < server->connections.limit / 4 * 3 &&
        charge(server, conn, HTTP_POOL))
        return true;
    sr->close = true;
    if (!budget_take(server->options.budget, HTTP_POOL - conn->charged))
        return false;
    conn->charged = HTTP_POOL;
    return true;
}

static enum status has_room(struct server_request *sr, const char **why)
{
    const struct http_service *service = &sr->server->options.service;
    bool has_body = sr->request.length > 0 || sr->head.transfer_encoding.ptr;
    enum status status = OK;

    if (sr->request.length > max_body(sr)) {
        *why = "the body is larger than the limit";
        return ERR_TOO_BIG;
    }
    if (service->admit)
        status = service->admit(service->arg, &sr->request, why);
    if (status != OK || sr->request.route->flags & HTTP_RESERVED)
        return status;
    *why = "no memory for the request now; send it again";
    if (has_body && !http_body_fits(sr))
        return ERR_BUSY;
    return charge_connection(sr) ? OK : ERR_BUSY;
}

static enum MHD_Result admit(struct server_request *sr)
{
    const char *why = NULL;
    enum status status = has_room(sr, &why);

    if ((status == ERR_BUSY || status == ERR_FULL) && http_wait(sr)) {
        sr->state = SR_HEAD_WAIT;
        return MHD_YES;
    }
    sr->state = SR_BODY;
    if (status != OK) {
        http_refuse(sr, status, why);
        return after_refusal(sr);
    }
    slot_body(sr->server->slots, sr->conn->slot, sr->request.length);
    return MHD_YES;
}

static enum MHD_Result begin(struct server_request *sr, const char *method,
                             const char *version)
{
    const char *why = NULL;
    enum status status;

    sr->method = method;
    read_head(sr, version);
    status = check(sr, &why);
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

/* False: it waits. */
static bool take(struct server_request *sr, struct slice piece)
{
    enum status status = http_body_add(sr, piece);

    while (status == ERR_BUSY && http_body_make_room(sr->server, true) &&
           !sr->refused)
        status = http_body_add(sr, piece);
    if (status == ERR_BUSY && !sr->refused && http_wait(sr))
        return false;
    while (status == ERR_BUSY && !sr->refused &&
           http_body_make_room(sr->server, false))
        if (!sr->refused)
            status = http_body_add(sr, piece);
    if (status != OK && !sr->refused)
        http_refuse(sr, status,
                    status == ERR_TOO_BIG
                        ? "the body is larger than the limit"
                        : "no memory for the body now; send it again");
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
    *len = 0; /* all of it is dealt with */
    slot_progress(sr->server->slots, sr->conn->slot, piece.len);
    if (!sr->refused)
        return MHD_YES;
    sr->thrown_away += piece.len;
    /* The library takes no answer in the middle of a body. */
    return sr->thrown_away <= most_thrown_away(sr) ? MHD_YES : MHD_NO;
}

/* Serves a route with HTTP_FILE. */
static void answer_file(struct server_request *sr)
{
    const struct http_file *file = sr->request.route->user;
    size_t len = (size_t)(file->end - file->begin);
    struct http_response *answer = &sr->request.answer;

    buf_init(&answer->body, len);
    buf_add(&answer->body, (struct slice){file->begin, len});
    answer->code = MHD_HTTP_OK;
    answer->content_type = file->content_type;
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
    slot_busy(server->slots, sr->conn->slot);
    if (sr->request.route->flags & HTTP_FILE)
        answer_file(sr);
    else if (service->handle(service->arg, &sr->request) == HTTP_LATER)
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
        slot_watch(sr->server->slots, sr->conn->slot, NULL);
    http_prepare(sr);
    MHD_resume_connection(sr->connection);
}

const atomic_bool *http_watch(struct http_request *request)
{
    struct server_request *sr = (struct server_request *)(void *)request;

    sr->watched = true;
    slot_watch(sr->server->slots, sr->conn->slot, &sr->gone);
    return &sr->gone;
}

bool http_is_gone(const struct http_request *request)
{
    const struct server_request *sr =
        (const struct server_request *)(const void *)request;

    return slot_is_gone(sr->conn->slot);
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
    slot_idle(server->slots, sr->conn->slot);
    buf_release(&sr->request.answer.body);
    budget_give(&server->answers, sr->answer_charged);
    budget_give(server->options.budget, sr->answer_charged);
    if (sr->busy)
        atomic_fetch_sub(&server->busy, 1);
    free(sr->pairs);
    free(sr);
}
