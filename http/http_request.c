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

static struct link *link_of(struct MHD_Connection *connection)
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
    struct exchange *exchange = mem_zero(1, sizeof(*exchange) + len + 1);

    exchange->server = server;
    exchange->connection = connection;
    exchange->link = link_of(connection);
    exchange->target_len = len;
    exchange->raw_target = target;
    memcpy(exchange->target, target, len);
    slot_head(server->slots, exchange->link->slot);
    return exchange;
}

void http_refuse(struct exchange *exchange, enum status status, const char *why)
{
    const struct http_service *service = &exchange->server->options.service;

    http_body_drop(exchange);
    exchange->refused = true;
    buf_release(&exchange->request.answer.body);
    service->refuse(service->arg, &exchange->request, status, why);
}

static uint64_t max_body(const struct exchange *exchange)
{
    const struct http_route *route = exchange->request.route;

    return route && route->max_body ? route->max_body
                                    : exchange->server->options.max_body;
}

/* Most of a body that is read only to be thrown away. Clients do not look for
 * an answer before all is sent, so it is more than a small limit needs. */
static uint64_t most_thrown_away(const struct exchange *exchange)
{
    uint64_t twice = 2 * max_body(exchange);

    return twice > THROWN_AWAY_LEAST ? twice : THROWN_AWAY_LEAST;
}

/* Sends a refusal when the rest of the request was read, or at once. */
static enum MHD_Result after_refusal(struct exchange *exchange)
{
    const struct http_head *head = &exchange->head;

    exchange->state = EXCHANGE_BODY;
    if (!head->fault && !head->expect.ptr &&
        head->length <= most_thrown_away(exchange)) {
        slot_body(exchange->server->slots, exchange->link->slot, head->length);
        return MHD_YES;
    }
    exchange->close = true;
    return http_send(exchange);
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

static void read_head(struct exchange *exchange, const char *version)
{
    struct http_head *head = &exchange->head;
    struct http_request *request = &exchange->request;
    struct slice method = slice_of(exchange->method);
    struct fields fields = {.head = head};

    http_head_init(head, method,
                   (struct slice){exchange->target, exchange->target_len},
                   slice_of(version));
    http_seam_line(&fields.seam, method,
                   (struct slice){exchange->raw_target, exchange->target_len},
                   slice_of(version));
    (void)MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND,
                                      add_field, &fields);
    if (exchange->server->knows_library && http_seam_is_broken(&fields.seam))
        http_head_fault(head, "the head has a NUL byte or a folded line");
    (void)http_head_check(head);
    request->content_type = head->content_type;
    request->content_encoding = head->content_encoding;
    request->authorization = head->authorization;
    request->length = head->length;
    request->from = slot_address(exchange->link->slot);
}

/* Path and parameters; NULL, or what is wrong. */
static const char *find_route(struct exchange *exchange)
{
    const struct http_options *options = &exchange->server->options;
    struct http_request *request = &exchange->request;
    char *query = memchr(exchange->target, '?', exchange->target_len);
    size_t len =
        query ? (size_t)(query - exchange->target) : exchange->target_len;
    struct http_match match;

    (void)http_route_find(options->routes, options->route_count,
                          slice_of(exchange->method),
                          (struct slice){exchange->target, len}, &match);
    request->route = match.route;
    memcpy(exchange->allow, match.allow, sizeof(match.allow));
    request->answer.allow = exchange->allow;
    for (int i = 0; i < HTTP_MAX_PARTS && match.parts[i].ptr; i++) {
        char *part = exchange->target + (match.parts[i].ptr - exchange->target);

        request->parts[i] = (struct slice){
            part, http_unescape(part, match.parts[i].len, false)};
    }
    return query ? http_parse_params(exchange, query + 1) : NULL;
}

/* Is this host ours? Where strangers cannot connect, a page with a name of its
 * own for our address can. */
static bool host_is_ours(const struct exchange *exchange)
{
    const struct http_options *options = &exchange->server->options;
    const char *hosts = options->allowed_hosts;
    struct slice host = exchange->head.host;

    if (!exchange->server->on_loopback && (!hosts || !hosts[0]))
        return true;
    return !host.ptr || http_host_allowed(hosts, host);
}

static bool page_may_ask(struct exchange *exchange)
{
    const struct http_options *options = &exchange->server->options;
    bool reads = strcmp(exchange->method, "GET") == 0 ||
                 strcmp(exchange->method, "HEAD") == 0;

    exchange->origin = http_origin_of(options->cors_origins, &exchange->head);
    switch (exchange->origin) {
    case HTTP_LISTED:
        return true;
    case HTTP_OPAQUE:
        return false;
    case HTTP_FOREIGN:
        return reads && !options->deny_foreign;
    case HTTP_NO_PAGE:
        break;
    }
    return reads || !http_is_cross_site(&exchange->head);
}

/* The methods of a path, for the answer to OPTIONS. */
static bool is_preflight(struct exchange *exchange)
{
    size_t len = strlen(exchange->allow);
    bool gets = strstr(exchange->allow, "GET") != NULL;

    if (strcmp(exchange->method, "OPTIONS") != 0)
        return false;
    snprintf(exchange->allow + len, sizeof(exchange->allow) - len, "%s%s%s",
             len ? ", " : "", gets ? "HEAD, " : "", "OPTIONS");
    exchange->preflight = true;
    return true;
}

/* OK, or the status to refuse with. */
static enum status check(struct exchange *exchange, const char **why)
{
    const struct http_service *service = &exchange->server->options.service;
    const char *wrong_params;

    if (exchange->head.fault) {
        stats_add(STATS_HTTP_HEADS_REFUSED, 1);
        *why = exchange->head.fault;
        return ERR_INVALID;
    }
    wrong_params = find_route(exchange);
    if (!host_is_ours(exchange)) {
        stats_add(STATS_HTTP_HOSTS_REFUSED, 1);
        *why = "Host is not allowed; add it to --allowed-hosts";
        return ERR_MISDIRECTED;
    }
    if (!page_may_ask(exchange)) {
        stats_add(STATS_HTTP_ORIGINS_REFUSED, 1);
        *why = "Origin is not allowed; add it to --cors-origins";
        return ERR_FORBIDDEN;
    }
    if (is_preflight(exchange))
        return OK;
    if (!exchange->request.route) {
        *why = NULL;
        return exchange->allow[0] ? ERR_METHOD : ERR_NOT_FOUND;
    }
    if (slot_is_reserved(exchange->link->slot)) {
        exchange->close = true;
        *why = "too many connections; retry later";
        if (!(exchange->request.route->flags & HTTP_RESERVED))
            return ERR_BUSY;
    }
    *why = wrong_params;
    if (wrong_params)
        return ERR_INVALID;
    return service->authorize
               ? service->authorize(service->arg, &exchange->request, why)
               : OK;
}

/* ---- room ---- */

static bool charge(struct http_server *server, struct link *link, size_t bytes)
{
    size_t more = bytes - link->charged;

    if (!budget_take(&server->connections, more))
        return false;
    if (!budget_take(server->options.budget, more)) {
        budget_give(&server->connections, more);
        return false;
    }
    link->charged += more;
    link->shared += more;
    return true;
}

/* Charges the connection in full. When three quarters of the share are used up
 * (the rest is for new ones), it may still make this one request, at the
 * expense of all, and is closed after it. */
static bool charge_connection(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct link *link = exchange->link;

    if (link->charged >= HTTP_POOL)
        return true;
    if (budget_used(&server->connections) < server->connections.limit / 4 * 3 &&
        charge(server, link, HTTP_POOL))
        return true;
    exchange->close = true;
    if (!budget_take(server->options.budget, HTTP_POOL - link->charged))
        return false;
    link->charged = HTTP_POOL;
    return true;
}

static enum status has_room(struct exchange *exchange, const char **why)
{
    const struct http_service *service = &exchange->server->options.service;
    bool has_body =
        exchange->request.length > 0 || exchange->head.transfer_encoding.ptr;
    enum status status = OK;

    if (exchange->request.length > max_body(exchange)) {
        *why = "the body is larger than the limit";
        return ERR_TOO_BIG;
    }
    if (service->admit)
        status = service->admit(service->arg, &exchange->request, why);
    if (status != OK || exchange->request.route->flags & HTTP_RESERVED)
        return status;
    *why = "no memory for the request now; send it again";
    if (has_body && !http_body_fits(exchange))
        return ERR_BUSY;
    return charge_connection(exchange) ? OK : ERR_BUSY;
}

static enum MHD_Result admit(struct exchange *exchange)
{
    const char *why = NULL;
    enum status status = has_room(exchange, &why);

    if ((status == ERR_BUSY || status == ERR_FULL) && http_wait(exchange)) {
        exchange->state = EXCHANGE_HEAD_WAIT;
        return MHD_YES;
    }
    exchange->state = EXCHANGE_BODY;
    if (status != OK) {
        http_refuse(exchange, status, why);
        return after_refusal(exchange);
    }
    slot_body(exchange->server->slots, exchange->link->slot,
              exchange->request.length);
    return MHD_YES;
}

static enum MHD_Result begin(struct exchange *exchange, const char *method,
                             const char *version)
{
    const char *why = NULL;
    enum status status;

    exchange->method = method;
    read_head(exchange, version);
    status = check(exchange, &why);
    if (status != OK) {
        http_refuse(exchange, status, why);
        return after_refusal(exchange);
    }
    if (exchange->preflight) {
        exchange->refused = true; /* a body, if there is one, is not read */
        return after_refusal(exchange);
    }
    return admit(exchange);
}

/* ---- the body ---- */

/* False: it waits. */
static bool take(struct exchange *exchange, struct slice piece)
{
    enum status status = http_body_add(exchange, piece);

    while (status == ERR_BUSY && http_body_make_room(exchange->server, true) &&
           !exchange->refused)
        status = http_body_add(exchange, piece);
    if (status == ERR_BUSY && !exchange->refused && http_wait(exchange))
        return false;
    while (status == ERR_BUSY && !exchange->refused &&
           http_body_make_room(exchange->server, false))
        if (!exchange->refused)
            status = http_body_add(exchange, piece);
    if (status != OK && !exchange->refused)
        http_refuse(exchange, status,
                    status == ERR_TOO_BIG
                        ? "the body is larger than the limit"
                        : "no memory for the body now; send it again");
    return true;
}

static enum MHD_Result body(struct exchange *exchange, const char *bytes,
                            size_t *len)
{
    struct slice piece = {bytes, *len};

    exchange->state = EXCHANGE_BODY;
    if (!exchange->refused && !take(exchange, piece)) {
        exchange->state = EXCHANGE_BODY_WAIT;
        return MHD_YES;
    }
    *len = 0; /* all of it is dealt with */
    slot_progress(exchange->server->slots, exchange->link->slot, piece.len);
    if (!exchange->refused)
        return MHD_YES;
    exchange->thrown_away += piece.len;
    /* The library takes no answer in the middle of a body. */
    return exchange->thrown_away <= most_thrown_away(exchange) ? MHD_YES
                                                               : MHD_NO;
}

static enum MHD_Result end(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    const struct http_service *service = &server->options.service;

    if (!exchange->busy) {
        exchange->busy = true;
        atomic_fetch_add(&server->busy, 1);
    }
    if (exchange->refused || exchange->state == EXCHANGE_HANDLED)
        return http_send(exchange);
    http_body_done(exchange);
    exchange->state = EXCHANGE_HANDLED;
    slot_busy(server->slots, exchange->link->slot);
    if (service->handle(service->arg, &exchange->request) == HTTP_LATER)
        return MHD_YES;
    http_prepare(exchange);
    return http_send(exchange);
}

/* ---- what the service calls ---- */

void http_suspend(struct http_request *request)
{
    struct exchange *exchange = (struct exchange *)(void *)request;

    MHD_suspend_connection(exchange->connection);
}

void http_resume(struct http_request *request)
{
    struct exchange *exchange = (struct exchange *)(void *)request;

    if (exchange->watched)
        slot_watch(exchange->server->slots, exchange->link->slot, NULL);
    http_prepare(exchange);
    MHD_resume_connection(exchange->connection);
}

const atomic_bool *http_watch(struct http_request *request)
{
    struct exchange *exchange = (struct exchange *)(void *)request;

    exchange->watched = true;
    slot_watch(exchange->server->slots, exchange->link->slot, &exchange->gone);
    return &exchange->gone;
}

bool http_is_gone(const struct http_request *request)
{
    const struct exchange *exchange =
        (const struct exchange *)(const void *)request;

    return slot_is_gone(exchange->link->slot);
}

/* ---- what the library calls ---- */

enum MHD_Result http_request_step(void *arg, struct MHD_Connection *connection,
                                  const char *path, const char *method,
                                  const char *version, const char *bytes,
                                  size_t *len, void **state)
{
    struct exchange *exchange = *state;

    (void)arg;
    (void)connection;
    (void)path;
    if (exchange->state == EXCHANGE_NEW)
        return begin(exchange, method, version);
    if (exchange->state == EXCHANGE_HEAD_WAIT)
        return admit(exchange);
    if (*len > 0)
        return body(exchange, bytes, len);
    return end(exchange);
}

void http_request_over(void *arg, struct MHD_Connection *connection,
                       void **state, enum MHD_RequestTerminationCode why)
{
    struct http_server *server = arg;
    const struct http_service *service = &server->options.service;
    struct exchange *exchange = *state;

    (void)connection;
    (void)why;
    if (!exchange)
        return;
    *state = NULL;
    if (service->release)
        service->release(service->arg, &exchange->request);
    http_body_drop(exchange);
    slot_idle(server->slots, exchange->link->slot);
    buf_release(&exchange->request.answer.body);
    budget_give(&server->answers, exchange->answer_charged);
    budget_give(server->options.budget, exchange->answer_charged);
    if (exchange->busy)
        atomic_fetch_sub(&server->busy, 1);
    free(exchange->pairs);
    free(exchange);
}
