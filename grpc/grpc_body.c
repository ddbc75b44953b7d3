/*
 * The message of a request while it arrives: memory that is charged to the
 * budget, and credit for the peer (bytes that its flow-control window allows).
 *
 * A message is charged for what it holds, never for what its prefix says: room
 * grows fourfold, by a mebibyte at most. The peer gets credit
 * for room that is charged; the first 64 KiB it has from HTTP/2 itself.
 * Unfinished messages have a share of the budget, whose last sixteenth is for
 * small ones.
 */
#include <stdio.h>
#include <stdlib.h>

#include "grpc_int.h"
#include "mem.h"

enum {
    FIRST_ROOM = 1024,
    FIRST_PIECE = 16 * 1024,
    SMALL_MESSAGE = 64 * 1024,
    AT_ONCE = 512 * 1024, /* allocated as a whole, though charged in parts */
};

/* The tenant of the request may hold so much more, besides one whole message;
 * *most: what it may hold in all. */
static bool tenant_has(const struct grpc_stream *stream, size_t more,
                       uint64_t *most)
{
    struct tenant *tenant = stream->request.tenant;
    size_t held;

    if (!tenant_is_namespace(tenant))
        return true;
    *most = tenant_limit(tenant, LIMIT_INGEST_MEMORY,
                         stream->conn->server->messages.limit / 4);
    held = budget_used(tenant_memory(tenant, TENANT_INGEST));
    return held == stream->body_charged || held + more <= *most;
}

enum status grpc_body_refusal(const struct grpc_stream *stream,
                              char why[TENANT_TEXT])
{
    struct tenant_refusal refusal;
    uint64_t most = 0;

    if (tenant_has(stream, FIRST_PIECE, &most)) {
        (void)snprintf(why, TENANT_TEXT, "%s", GRPC_NO_MEMORY);
        return ERR_BUSY;
    }
    (void)tenant_over_limit(stream->request.tenant, LIMIT_INGEST_MEMORY, most,
                            1, &refusal);
    memcpy(why, refusal.text, sizeof(refusal.text));
    return ERR_LIMITED;
}

/* The slot knows whose memory it is. */
static void hold(struct grpc_stream *stream, size_t charged)
{
    struct grpc_connection *conn = stream->conn;

    if (charged == stream->body_charged)
        return;
    conn->body_bytes += charged - stream->body_charged;
    stream->body_charged = charged;
    if (conn->state != GC_CLOSED)
        slot_hold(conn->slot, conn->body_bytes, NULL);
}

bool grpc_body_fits(const struct grpc_stream *stream)
{
    const struct grpc_server *server = stream->conn->server;
    const struct grpc_request *request = &stream->request;
    const struct budget *budget = server->options.budget;
    size_t more = FIRST_PIECE;
    uint64_t most;

    if (stream->prefix_len == GRPC_PREFIX)
        more = (size_t)request->length - request->room;
    return tenant_has(stream, FIRST_PIECE, &most) &&
           budget_has(&server->messages, more, 0) &&
           budget_used(budget) + more <= budget->limit;
}

static bool charge(struct grpc_stream *stream, size_t room)
{
    struct grpc_server *server = stream->conn->server;
    size_t more = room - stream->request.room, limit = server->messages.limit;
    uint64_t most;

    if (!stream->request.subject) /* it waits for a key to be known by */
        limit /= 8;
    if (!tenant_has(stream, more, &most) ||
        budget_used(&server->messages) + more > limit ||
        !budget_has(&server->messages, more, room > SMALL_MESSAGE ? 1 : 0) ||
        !budget_take_both(&server->messages, server->options.budget, more))
        return false;
    hold(stream, stream->body_charged + more);
    return true;
}

/* For a request that waits: what comes in its first window is kept, of all of
 * them as much as a sixteenth of the share. */
static bool force(struct grpc_stream *stream, size_t room)
{
    struct grpc_server *server = stream->conn->server;
    size_t more = room - stream->request.room, limit = server->messages.limit;

    if (stream->state != GS_WAITING || !stream->request.subject ||
        budget_used(&server->messages) + more > limit + limit / 16)
        return false;
    budget_force(&server->messages, more);
    budget_force(server->options.budget, more);
    hold(stream, stream->body_charged + more);
    return true;
}

static void allocate(struct grpc_stream *stream, size_t room)
{
    struct grpc_request *request = &stream->request;

    if (room > stream->body_room) {
        stream->body_room = room;
        if (room >= FIRST_PIECE && request->length <= AT_ONCE)
            stream->body_room = (size_t)request->length;
        request->body = mem_resize(request->body, stream->body_room, 1);
    }
    request->room = room;
}

/* Room that a message with `len` bytes of it gets. */
static size_t room_for(const struct grpc_stream *stream, size_t len)
{
    size_t room = len < FIRST_ROOM / 4 ? FIRST_ROOM : len * 4;

    if (room > len + GRPC_WINDOW)
        room = len + GRPC_WINDOW;
    return room < stream->request.length ? room
                                         : (size_t)stream->request.length;
}

bool grpc_body_add(struct grpc_stream *stream, struct slice bytes)
{
    struct grpc_request *request = &stream->request;
    size_t need = request->len + bytes.len;

    if (need > request->room) {
        size_t room = room_for(stream, need);

        if (!charge(stream, room)) {
            room = need;
            if (!charge(stream, room) && !force(stream, room))
                return false;
        }
        allocate(stream, room);
    }
    slice_copy(request->body + request->len, bytes);
    request->len = need;
    return true;
}

bool grpc_body_extend(struct grpc_stream *stream)
{
    struct grpc_request *request = &stream->request;
    size_t room;
    uint64_t most, used;

    if (stream->prefix_len < GRPC_PREFIX || request->len == request->length)
        return true;
    room = room_for(stream, request->len);
    if (request->room < request->length &&
        request->room - request->len < (room - request->len) / 2 &&
        room > request->room && charge(stream, room))
        allocate(stream, room);
    most = GRPC_PREFIX + request->room + stream->padding;
    used = GRPC_PREFIX + request->len + stream->padding;
    if (most > stream->credit &&
        nghttp2_submit_window_update(stream->conn->session, NGHTTP2_FLAG_NONE,
                                     stream->id,
                                     (int32_t)(most - stream->credit)) == 0)
        stream->credit = most;
    return stream->credit > used;
}

void grpc_body_done(struct grpc_stream *stream)
{
    budget_give(&stream->conn->server->messages, stream->body_charged);
    hold(stream, 0);
}

void grpc_body_drop(struct grpc_stream *stream)
{
    struct grpc_request *request = &stream->request;

    grpc_body_done(stream);
    budget_give(stream->conn->server->options.budget, request->room);
    free(request->body);
    request->body = NULL;
    request->len = request->room = stream->body_room = 0;
}
