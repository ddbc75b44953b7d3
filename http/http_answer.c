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

static bool is_read(const struct exchange *exchange)
{
    return strcmp(exchange->method, "GET") == 0 ||
           strcmp(exchange->method, "HEAD") == 0;
}

static void set_etag(struct exchange *exchange)
{
    const struct buf *body = &exchange->request.answer.body;
    struct slice rest = exchange->head.if_none_match, one;

    snprintf(exchange->etag, sizeof(exchange->etag), "W/\"%016llx\"",
             (unsigned long long)hash_bytes(body->ptr, body->len, 0));
    while (http_list_next(&rest, &one)) {
        struct slice own = slice_of(exchange->etag);

        if (!slice_starts(one, SLICE("W/")))
            own = slice_from(own, 2);
        if (slice_equal(one, own) || slice_equal(one, SLICE("*")))
            exchange->not_modified = true;
    }
}

/* The compressed bytes take the place of the others; if there is no memory for
 * both, or little to gain, it stays as it is. */
static void pack(struct exchange *exchange)
{
    struct buf *body = &exchange->request.answer.body;
    struct budget *budget = exchange->server->options.budget;
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
    exchange->packed = true;
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

static void refuse_answer(struct exchange *exchange)
{
    struct http_server *server = exchange->server;

    buf_release(&exchange->request.answer.body);
    exchange->etag[0] = '\0';
    exchange->packed = exchange->not_modified = false;
    server->options.service.refuse(
        server->options.service.arg, &exchange->request, ERR_BUSY,
        "too many answers are waiting to be sent; retry");
}

static void charge(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    const struct http_route *route = exchange->request.route;
    size_t room = exchange->request.answer.body.room;

    if (server->options.answer_share == 0 || room == 0)
        return;
    if (route && route->flags & HTTP_RESERVED) { /* small, and always sent */
        budget_force(&server->answers, room);
        budget_force(server->options.budget, room);
        exchange->answer_charged = room;
        return;
    }
    for (int tries = 0; tries < ROOM_TRIES; tries++) {
        if (take_share(server, room)) {
            exchange->answer_charged = room;
            return;
        }
        /* It frees its memory soon, but not at once. */
        if (room <= SMALL_ANSWER || !slots_end_slowest_reader(server->slots))
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10 * (long)NS_PER_MS}, NULL);
    }
    refuse_answer(exchange);
}

void http_prepare(struct exchange *exchange)
{
    struct http_answer *answer = &exchange->request.answer;

    if (answer->code == MHD_HTTP_OK && answer->body.len >= HTTP_PACKED_MIN) {
        if (is_read(exchange))
            set_etag(exchange);
        if (exchange->not_modified)
            buf_release(&answer->body);
        else if (http_accepts_gzip(exchange->head.accept_encoding))
            pack(exchange);
    }
    charge(exchange);
}

/* ---- I/O thread ---- */

static void add(struct MHD_Response *response, const char *name,
                const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

/* What a preflight asks for is allowed: the origin is trusted. But it is sent
 * back only if it is a list of names. */
static const char *allowed_headers(const struct exchange *exchange)
{
    struct slice asked = exchange->head.request_headers;

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
                     const struct exchange *exchange)
{
    const char *origins = exchange->server->options.cors_origins;

    if (!origins || !origins[0])
        return;
    add(response, "Vary",
        exchange->preflight ? "Origin, Access-Control-Request-Headers"
                            : "Origin");
    if (exchange->origin != HTTP_LISTED)
        return;
    add(response, "Access-Control-Allow-Origin", exchange->head.origin.ptr);
    add(response, "Access-Control-Allow-Credentials", "true");
    if (!exchange->preflight) {
        add(response, "Access-Control-Expose-Headers", "ETag, Retry-After");
        return;
    }
    add(response, "Access-Control-Allow-Methods", exchange->server->methods);
    add(response, "Access-Control-Allow-Headers", allowed_headers(exchange));
    if (exchange->head.request_private.ptr)
        add(response, "Access-Control-Allow-Private-Network", "true");
    add(response, "Access-Control-Max-Age", "7200");
}

static void add_headers(struct MHD_Response *response,
                        const struct exchange *exchange, int code)
{
    const struct http_answer *answer = &exchange->request.answer;
    char seconds[16];

    if (answer->content_type && code != MHD_HTTP_NOT_MODIFIED &&
        code != MHD_HTTP_NO_CONTENT)
        add(response, "Content-Type", answer->content_type);
    add(response, "Cache-Control",
        exchange->etag[0] ? "private, no-cache" : "no-store");
    add(response, "X-Content-Type-Options", "nosniff");
    if (exchange->etag[0])
        add(response, "ETag", exchange->etag);
    if (exchange->packed)
        add(response, "Content-Encoding", "gzip");
    if (exchange->packed || exchange->etag[0])
        add(response, "Vary", "Accept-Encoding");
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED ||
        (exchange->preflight && exchange->allow[0]))
        add(response, "Allow", exchange->allow);
    if (code == MHD_HTTP_SERVICE_UNAVAILABLE ||
        code == MHD_HTTP_TOO_MANY_REQUESTS) {
        snprintf(seconds, sizeof(seconds), "%u",
                 answer->retry_after ? answer->retry_after : 1);
        add(response, "Retry-After", seconds);
    }
    if (exchange->close || atomic_load(&exchange->server->stopping))
        add(response, "Connection", "close");
    add_cors(response, exchange);
}

static int code_of(const struct exchange *exchange)
{
    if (exchange->preflight)
        return MHD_HTTP_NO_CONTENT;
    if (exchange->not_modified)
        return MHD_HTTP_NOT_MODIFIED;
    return exchange->request.answer.code;
}

enum MHD_Result http_send(struct exchange *exchange)
{
    int code = code_of(exchange);
    size_t len = 0;
    char *bytes = buf_detach(&exchange->request.answer.body, &len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    add_headers(response, exchange, code);
    slot_sending(exchange->server->slots, exchange->link->slot, len);
    result = MHD_queue_response(exchange->connection, (unsigned)code, response);
    MHD_destroy_response(response);
    return result;
}
