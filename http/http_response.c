/*
 * Answers: headers, compression, ETag, and their memory.
 *
 * An answer holds its memory until it is sent or its deadline passes. Answers
 * have a share of the budget, and large ones may use only a part of it, so that
 * small answers always have room. When the share is used up, the connection
 * with the slowest reader, of the address that holds most, is closed.
 */
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "hash.h"
#include "http_int.h"
#include "mem.h"

enum {
    LEVEL = 3, /* of compression */
    SMALL_ANSWER = 64 * 1024,
    ROOM_TRIES = 20, /* ten milliseconds each */
    ECHO_MOST = 1024
};

/* ---- before it is sent; any thread ---- */

static bool is_read(const struct server_request *sr)
{
    return strcmp(sr->method, "GET") == 0 || strcmp(sr->method, "HEAD") == 0;
}

static void set_etag(struct server_request *sr)
{
    const struct buf *body = &sr->request.answer.body;
    struct slice rest = sr->head.if_none_match, one;

    snprintf(sr->etag, sizeof(sr->etag), "W/\"%016llx\"",
             (unsigned long long)hash_bytes(body->ptr, body->len, 0));
    while (http_list_next(&rest, &one)) {
        struct slice own = slice_of(sr->etag);

        if (!slice_starts(one, SLICE("W/")))
            own = slice_from(own, 2);
        if (slice_equal(one, own) || slice_equal(one, SLICE("*")))
            sr->not_modified = true;
    }
}

/* The compressed bytes take the place of the others; if there is no memory for
 * both, or little to gain, it stays as it is. */
static void pack(struct server_request *sr)
{
    struct buf *body = &sr->request.answer.body;
    struct budget *budget = sr->server->options.budget;
    size_t room = body->len - body->len / 8, len = 0;
    struct libdeflate_compressor *packer;

    if (!budget_take(budget, room))
        return;
    packer = libdeflate_alloc_compressor(LEVEL);
    char *bytes = mem_alloc(room);
    if (packer)
        len =
            libdeflate_gzip_compress(packer, body->ptr, body->len, bytes, room);
    libdeflate_free_compressor(packer);
    budget_give(budget, room);
    if (len == 0) {
        free(bytes);
        return;
    }
    free(body->ptr);
    body->ptr = mem_resize(bytes, len, 1);
    body->len = body->room = len;
    sr->packed = true;
}

static bool take_share(struct http_server *server, size_t room)
{
    struct budget *answers = &server->answers;
    size_t spare = room > SMALL_ANSWER ? answers->limit / 4 : 0;

    if (budget_used(answers) + room + spare > answers->limit ||
        !budget_take(answers, room))
        return false;
    if (budget_take(server->options.budget, room))
        return true;
    budget_give(answers, room);
    return false;
}

static void refuse_answer(struct server_request *sr)
{
    struct http_server *server = sr->server;

    buf_release(&sr->request.answer.body);
    sr->etag[0] = '\0';
    sr->packed = sr->not_modified = false;
    server->options.service.refuse(
        server->options.service.arg, &sr->request, ERR_BUSY,
        "too many answers are waiting to be sent; retry");
}

static void charge(struct server_request *sr)
{
    struct http_server *server = sr->server;
    const struct http_route *route = sr->request.route;
    size_t room = sr->request.answer.body.room;

    if (server->options.answer_share == 0 || room == 0)
        return;
    if (route && route->flags & HTTP_RESERVED) { /* small, and always sent */
        budget_force(&server->answers, room);
        budget_force(server->options.budget, room);
        sr->answer_charged = room;
        return;
    }
    for (int tries = 0; tries < ROOM_TRIES; tries++) {
        if (take_share(server, room)) {
            sr->answer_charged = room;
            return;
        }
        /* It frees its memory soon, but not at once. */
        if (room <= SMALL_ANSWER || !slots_end_slowest_reader(server->slots))
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10 * (long)NS_PER_MS}, NULL);
    }
    refuse_answer(sr);
}

void http_prepare(struct server_request *sr)
{
    const struct http_response *answer = &sr->request.answer;
    const struct http_route *route = sr->request.route;
    bool large = answer->body.len >= HTTP_PACKED_MIN;

    if (answer->code == MHD_HTTP_OK && is_read(sr) &&
        (large || (route && route->flags & HTTP_FILE)))
        set_etag(sr);
    if (sr->not_modified)
        buf_release(&sr->request.answer.body);
    else if (answer->code == MHD_HTTP_OK && large &&
             http_accepts_gzip(sr->head.accept_encoding))
        pack(sr);
    charge(sr);
}

/* ---- I/O thread ---- */

static void add(struct MHD_Response *response, const char *name,
                const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

/* What a preflight asks for is allowed: the origin is trusted. But it is sent
 * back only if it is a list of names. */
static const char *allowed_headers(const struct server_request *sr)
{
    struct slice asked = sr->head.request_headers;

    if (asked.len == 0 || asked.len > ECHO_MOST)
        return "Content-Type, Content-Encoding, Authorization, "
               "x-openchoreo-direct";
    for (size_t i = 0; i < asked.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789-_., ",
                    asked.ptr[i]))
            return "Content-Type, Content-Encoding";
    return asked.ptr;
}

static void add_cors(struct MHD_Response *response,
                     const struct server_request *sr)
{
    const char *origins = sr->server->options.cors_origins;

    if (!origins || !origins[0])
        return;
    add(response, "Vary",
        sr->preflight ? "Origin, Access-Control-Request-Headers" : "Origin");
    if (sr->origin != HTTP_LISTED)
        return;
    add(response, "Access-Control-Allow-Origin", sr->head.origin.ptr);
    add(response, "Access-Control-Allow-Credentials", "true");
    if (!sr->preflight) {
        add(response, "Access-Control-Expose-Headers", "ETag, Retry-After");
        return;
    }
    add(response, "Access-Control-Allow-Methods", sr->server->methods);
    add(response, "Access-Control-Allow-Headers", allowed_headers(sr));
    if (sr->head.request_private.ptr)
        add(response, "Access-Control-Allow-Private-Network", "true");
    add(response, "Access-Control-Max-Age", "7200");
}

static void add_headers(struct MHD_Response *response,
                        const struct server_request *sr, int code)
{
    const struct http_response *answer = &sr->request.answer;
    char seconds[16];

    if (answer->content_type && code != MHD_HTTP_NOT_MODIFIED &&
        code != MHD_HTTP_NO_CONTENT)
        add(response, "Content-Type", answer->content_type);
    add(response, "Cache-Control",
        sr->etag[0] ? "private, no-cache" : "no-store");
    add(response, "X-Content-Type-Options", "nosniff");
    if (sr->etag[0])
        add(response, "ETag", sr->etag);
    if (sr->packed)
        add(response, "Content-Encoding", "gzip");
    if (sr->packed || sr->etag[0])
        add(response, "Vary", "Accept-Encoding");
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED || (sr->preflight && sr->allow[0]))
        add(response, "Allow", sr->allow);
    if (code == MHD_HTTP_SERVICE_UNAVAILABLE ||
        code == MHD_HTTP_TOO_MANY_REQUESTS) {
        snprintf(seconds, sizeof(seconds), "%u",
                 answer->retry_after ? answer->retry_after : 1);
        add(response, "Retry-After", seconds);
    }
    if (sr->close || atomic_load(&sr->server->stopping))
        add(response, "Connection", "close");
    add_cors(response, sr);
}

static int code_of(const struct server_request *sr)
{
    if (sr->preflight)
        return MHD_HTTP_NO_CONTENT;
    if (sr->not_modified)
        return MHD_HTTP_NOT_MODIFIED;
    return sr->request.answer.code;
}

enum MHD_Result http_send(struct server_request *sr)
{
    int code = code_of(sr);
    size_t len = 0;
    char *bytes = buf_detach(&sr->request.answer.body, &len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    add_headers(response, sr, code);
    slot_sending(sr->server->slots, sr->conn->slot, len);
    result = MHD_queue_response(sr->connection, (unsigned)code, response);
    MHD_destroy_response(response);
    return result;
}
