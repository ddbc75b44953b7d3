/*
 * Bodies while they arrive. In: pieces. Out: request->body, in memory that is
 * charged to the budget.
 *
 * A body is charged for what it holds, never for what its head announced: room
 * grows fourfold, so a client has to send a quarter of the memory it uses.
 * Unfinished bodies have a share of the budget, whose last sixteenth is for
 * small ones: a small request has room beside large ones.
 */
#include <stdio.h>
#include <stdlib.h>

#include "http_int.h"
#include "mem.h"

enum {
    FIRST_ROOM = 1024,
    FIRST_PIECE = 16 * 1024,
    SMALL_BODY = 64 * 1024,
    AT_ONCE = 512 * 1024,
    DOUBLE_FROM = 4 << 20
};

size_t http_body_limit(const struct server_request *sr)
{
    const struct http_route *route = sr->request.route;

    return route && route->max_body ? route->max_body
                                    : sr->server->options.max_body;
}

/* Whether the share has room for `more` bytes of a body of `room` bytes. */
static bool share_has(const struct http_server *server, size_t room,
                      size_t more)
{
    return budget_has(&server->bodies, more, room > SMALL_BODY ? 1 : 0);
}

static bool evict(struct server_request *slowest)
{
    if (slowest)
        http_refuse(slowest, ERR_BUSY, HTTP_NO_MEMORY);
    return slowest != NULL;
}

/* The tenant of a request may hold so much more, besides one whole body. Not
 * OK: it is told so. */
static enum status tenant_has(struct server_request *sr, size_t more)
{
    struct http_server *server = sr->server;
    struct tenant *tenant = sr->request.tenant;
    struct tenant_refusal refusal;
    uint64_t most;
    size_t held;

    if (!tenant_is_namespace(tenant))
        return OK;
    most = tenant_limit(tenant, LIMIT_INGEST_MEMORY, server->bodies.limit / 4);
    held = budget_used(tenant_memory(tenant, TENANT_INGEST));
    if (held == sr->request.room || held + more <= most)
        return OK;
    if (!sr->refusal)
        sr->refusal = mem_alloc(ACCESS_REFUSAL_MAX);
    (void)tenant_over_limit(tenant, LIMIT_INGEST_MEMORY, most, 1, &refusal);
    snprintf(sr->refusal, ACCESS_REFUSAL_MAX, "%s", refusal.text);
    return ERR_LIMITED;
}

/* Beside what others hold now: what they announced does not count. */
static bool body_fits(const struct http_server *server, size_t more)
{
    const struct budget *budget = server->options.budget;

    return share_has(server, more, more) &&
           budget_used(budget) + more < budget->limit;
}

enum status http_body_fits(struct server_request *sr)
{
    uint64_t length = sr->request.length; /* <= max_body */
    size_t whole = length > 0 ? (size_t)length : FIRST_PIECE;
    size_t first = whole < FIRST_PIECE ? whole : FIRST_PIECE;

    if (tenant_has(sr, first) != OK)
        return ERR_LIMITED;
    while (!body_fits(sr->server, first))
        if (!evict(slots_slowest_of_greedy(sr->conn->slot)) &&
            !http_body_evict(sr->server, true))
            return ERR_BUSY;
    return body_fits(sr->server, whole) ? OK : ERR_BUSY;
}

/* Room for at least `need` bytes, which is at most the limit. */
static size_t next_room(const struct server_request *sr, size_t need)
{
    const struct http_request *request = &sr->request;
    size_t max = http_body_limit(sr);
    size_t room = request->room ? request->room * 4 : FIRST_ROOM;

    if (request->room >= DOUBLE_FROM)
        room = request->room * 2;
    if (request->length > 0 && request->length < max)
        max = (size_t)request->length;
    if (room > max)
        room = max;
    return room < need ? need : room;
}

/* Allocates the room; after the first piece, all of a body that is not large,
 * which avoids copies. Pages that are not written to cost nothing. */
static void allocate(struct server_request *sr, size_t room)
{
    struct http_request *request = &sr->request;
    size_t whole = http_body_limit(sr);

    if (request->length < whole)
        whole = (size_t)request->length;
    if (room <= sr->body_room)
        return;
    if (room >= FIRST_PIECE && room < whole && whole <= AT_ONCE)
        room = whole;
    request->body = mem_resize(request->body, room, 1);
    sr->body_room = room;
}

static enum status grow(struct server_request *sr, size_t need)
{
    struct http_server *server = sr->server;
    struct http_request *request = &sr->request;
    size_t room = next_room(sr, need);
    size_t more = room - request->room;

    if (tenant_has(sr, more) != OK)
        return ERR_LIMITED;
    if (budget_used(&server->bodies) + more > server->bodies.limit / 4 * 3)
        (void)evict(slots_slowest_of_greedy(sr->conn->slot));
    if (!share_has(server, room, more) ||
        !budget_take_both(&server->bodies, server->options.budget, more))
        return ERR_BUSY;
    allocate(sr, room);
    request->room = room;
    sr->body_charged = room;
    slot_hold(sr->conn->slot, room, sr);
    return OK;
}

enum status http_body_add(struct server_request *sr, struct slice piece)
{
    struct http_request *request = &sr->request;

    if (piece.len > http_body_limit(sr) - request->len)
        return ERR_TOO_BIG;
    if (piece.len > request->room - request->len) {
        enum status status = grow(sr, request->len + piece.len);

        if (status != OK)
            return status;
    }
    slice_copy(request->body + request->len, piece);
    request->len += piece.len;
    return OK;
}

void http_body_done(struct server_request *sr)
{
    if (sr->body_charged == 0)
        return;
    budget_give(&sr->server->bodies, sr->body_charged);
    sr->body_charged = 0;
    slot_hold(sr->conn->slot, 0, NULL);
}

void http_body_drop(struct server_request *sr)
{
    struct http_request *request = &sr->request;

    http_body_done(sr);
    budget_give(sr->server->options.budget, request->room);
    free(request->body);
    request->body = NULL;
    request->len = request->room = sr->body_room = 0;
}

bool http_body_evict(struct http_server *server, bool only_slow)
{
    return evict(slots_slowest_body(server->slots, only_slow));
}

bool http_body_evict_own(struct server_request *sr)
{
    return evict(slots_slowest_of_own(sr->conn->slot));
}
