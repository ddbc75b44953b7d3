/*
 * Responses: ETag, compression, headers, and the memory they hold. A file is
 * sent as it is kept, without a copy, if the client takes gzip.
 *
 * In: code, content type and body, as the service filled them in. A response
 * holds its memory until it is sent or its deadline passes. Responses have a
 * share of the budget, and large ones may use only a part of it, so that small
 * ones always have room. When the share is used up, the connection with the
 * slowest reader, of the address that holds most, is closed.
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
    COMPRESSION_LEVEL = 3,
    SMALL_RESPONSE = 64 * 1024,
    GZIP_SIZE = 4, /* bytes at the end of gzip, little-endian: inflated size */
    ROOM_TRIES = 20, /* ten milliseconds each */
    ECHO_MAX = 1024
};

/* ---- before it is sent; any thread ---- */

static bool is_get(const struct server_request *sr)
{
    return strcmp(sr->method, "GET") == 0 || strcmp(sr->method, "HEAD") == 0;
}

static void set_etag(struct server_request *sr, struct slice bytes)
{
    struct slice rest = sr->head.if_none_match, one;

    snprintf(sr->etag, sizeof(sr->etag), "W/\"%016llx\"",
             (unsigned long long)hash_bytes(bytes.ptr, bytes.len, 0));
    while (http_list_next(&rest, &one)) {
        struct slice own = slice_of(sr->etag);

        if (!slice_starts(one, SLICE("W/")))
            own = slice_from(own, 2);
        if (slice_equal(one, own) || slice_equal(one, SLICE("*")))
            sr->not_modified = true;
    }
}

/* Replaces the body by its compressed form; if there is no memory for both, or
 * it would not become an eighth smaller, it stays as it is. */
static void compress(struct server_request *sr)
{
    struct buf *body = &sr->request.response.body;
    struct budget *budget = sr->server->options.budget;
    size_t room = body->len - body->len / 8, len = 0;
    struct libdeflate_compressor *compressor;

    if (!budget_take(budget, room))
        return;
    compressor = libdeflate_alloc_compressor(COMPRESSION_LEVEL);
    char *bytes = mem_alloc(room);
    if (compressor)
        len = libdeflate_gzip_compress(compressor, body->ptr, body->len, bytes,
                                       room);
    libdeflate_free_compressor(compressor);
    budget_give(budget, room);
    if (len == 0) {
        free(bytes);
        return;
    }
    free(body->ptr);
    body->ptr = mem_resize(bytes, len, 1);
    body->len = body->room = len;
    sr->compressed = true;
}

/* What the service holds for the response is charged by the service to the
 * budget; it uses up the share as well. One response may hold more than the
 * share: what it is made of is in memory already. */
static bool charge_share(struct server_request *sr, size_t room, size_t held)
{
    struct http_server *server = sr->server;
    struct budget *responses = &server->responses;
    size_t spare = room + held > SMALL_RESPONSE ? responses->limit / 4 : 0;

    bool only = held > 0 && budget_used(responses) == 0;

    if ((!only &&
         budget_used(responses) + room + held + spare > responses->limit) ||
        !budget_take_both(responses, server->options.budget, room))
        return false;
    budget_force(responses, held);
    sr->response_charged = room;
    sr->held_charged = held;
    return true;
}

static void refuse_response(struct server_request *sr)
{
    const struct http_service *service = &sr->server->options.service;

    buf_release(&sr->request.response.body);
    sr->request.response.produce = NULL;
    sr->request.response.file = NULL;
    sr->request.response.untagged = 0;
    sr->etag[0] = '\0';
    sr->compressed = sr->not_modified = false;
    service->refuse(service->arg, &sr->request, ERR_BUSY,
                    "too many responses are waiting to be sent; retry later");
}

static void charge(struct server_request *sr)
{
    struct http_server *server = sr->server;
    const struct http_route *route = sr->request.route;
    const struct http_response *response = &sr->request.response;
    size_t room = response->body.room;
    size_t held = response->produce ? response->held : 0;

    if (server->options.response_share == 0 || room == 0)
        return;
    if (route && route->flags & HTTP_RESERVED) { /* small, and always sent */
        budget_force(&server->responses, room);
        budget_force(server->options.budget, room);
        sr->response_charged = room;
        return;
    }
    for (int tries = 0; tries < ROOM_TRIES; tries++) {
        if (charge_share(sr, room, held))
            return;
        /* A closed connection frees its memory soon, but not at once. */
        if (room + held <= SMALL_RESPONSE ||
            !slots_close_slowest_reader(server->slots))
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10 * (long)NS_PER_MS}, NULL);
    }
    refuse_response(sr);
}

static struct slice file_bytes(const struct http_file *file)
{
    return (struct slice){file->begin, (size_t)(file->end - file->begin)};
}

/* Into the body; false: what is kept is no gzip. */
static bool inflate_file(const struct http_file *file, struct buf *body)
{
    struct slice bytes = file_bytes(file);
    struct libdeflate_decompressor *decompressor;
    size_t size = load_le(file->end - GZIP_SIZE, GZIP_SIZE);
    bool done = false;
    char *to;

    decompressor = libdeflate_alloc_decompressor();
    buf_init(body, size);
    to = buf_room(body, size);
    if (decompressor && to)
        done = libdeflate_gzip_decompress(decompressor, bytes.ptr, bytes.len,
                                          to, size, NULL) == LIBDEFLATE_SUCCESS;
    if (done)
        buf_grown(body, size);
    libdeflate_free_decompressor(decompressor);
    return done;
}

static void prepare_file(struct server_request *sr)
{
    struct http_response *response = &sr->request.response;
    const struct http_file *file = response->file;

    response->content_type = file->content_type;
    set_etag(sr, file_bytes(file));
    if (sr->not_modified)
        return;
    sr->stored = sr->compressed = http_accepts_gzip(sr->head.accept_encoding);
    if (sr->stored)
        return;
    if (inflate_file(file, &response->body))
        charge(sr);
    else
        refuse_response(sr);
}

void http_prepare(struct server_request *sr)
{
    const struct http_response *response = &sr->request.response;
    bool large = response->body.len >= HTTP_COMPRESS_MIN;

    if (response->file) {
        prepare_file(sr);
        return;
    }
    if (response->produce) {
        charge(sr);
        return;
    }
    if (response->code == MHD_HTTP_OK && is_get(sr) && large)
        set_etag(sr, (struct slice){response->body.ptr,
                                    response->body.len - response->untagged});
    if (sr->not_modified)
        buf_release(&sr->request.response.body);
    else if (response->code == MHD_HTTP_OK && large &&
             http_accepts_gzip(sr->head.accept_encoding))
        compress(sr);
    charge(sr);
}

/* ---- headers; I/O thread ---- */

static void add(struct MHD_Response *to, const char *name, const char *value)
{
    (void)MHD_add_response_header(to, name, value);
}

/* What a preflight asks for is allowed: the origin is trusted. It is echoed
 * only if it is a list of names. */
static const char *allowed_headers(const struct server_request *sr)
{
    struct slice asked = sr->head.request_headers;

    if (asked.len == 0 || asked.len > ECHO_MAX)
        return "Content-Type, Content-Encoding, Authorization, "
               "x-openchoreo-direct";
    for (size_t i = 0; i < asked.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789-_., ",
                    asked.ptr[i]))
            return "Content-Type, Content-Encoding";
    return asked.ptr;
}

static void add_cors(struct MHD_Response *to, const struct server_request *sr)
{
    const char *origins = sr->server->options.cors_origins;

    if (!origins || !origins[0])
        return;
    add(to, "Vary",
        sr->preflight ? "Origin, Access-Control-Request-Headers" : "Origin");
    if (sr->origin != HTTP_ORIGIN_LISTED)
        return;
    add(to, "Access-Control-Allow-Origin", sr->head.origin.ptr);
    add(to, "Access-Control-Allow-Credentials", "true");
    if (!sr->preflight) {
        add(to, "Access-Control-Expose-Headers", "ETag, Retry-After");
        return;
    }
    add(to, "Access-Control-Allow-Methods", sr->server->methods);
    add(to, "Access-Control-Allow-Headers", allowed_headers(sr));
    if (sr->head.request_private.ptr)
        add(to, "Access-Control-Allow-Private-Network", "true");
    add(to, "Access-Control-Max-Age", "7200");
}

/* Of the body: type, caching, encoding. */
static void add_entity(struct MHD_Response *to, const struct server_request *sr,
                       int code)
{
    const struct http_file *file = sr->request.response.file;
    const char *type = sr->request.response.content_type;
    const char *cache = sr->etag[0] ? "private, no-cache" : "no-store";

    if (type && code != MHD_HTTP_NOT_MODIFIED && code != MHD_HTTP_NO_CONTENT)
        add(to, "Content-Type", type);
    add(to, "Cache-Control",
        file && file->cache_control ? file->cache_control : cache);
    add(to, "X-Content-Type-Options", "nosniff");
    if (sr->etag[0])
        add(to, "ETag", sr->etag);
    if (sr->compressed)
        add(to, "Content-Encoding", "gzip");
    if (sr->compressed || sr->etag[0])
        add(to, "Vary", "Accept-Encoding");
    for (const struct http_header *h = file ? file->headers : NULL;
         h && h->name; h++)
        add(to, h->name, h->value);
}

static void add_headers(struct MHD_Response *to,
                        const struct server_request *sr, int code)
{
    unsigned retry_after = sr->request.response.retry_after;
    const char *challenge = sr->server->options.challenge;
    char seconds[16];

    add_entity(to, sr, code);
    if (code == MHD_HTTP_UNAUTHORIZED)
        add(to, "WWW-Authenticate", challenge ? challenge : "Bearer");
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED || (sr->preflight && sr->allow[0]))
        add(to, "Allow", sr->allow);
    if (code == MHD_HTTP_SERVICE_UNAVAILABLE ||
        code == MHD_HTTP_TOO_MANY_REQUESTS) {
        snprintf(seconds, sizeof(seconds), "%u", retry_after ? retry_after : 1);
        add(to, "Retry-After", seconds);
    }
    if (sr->request.response.location)
        add(to, "Location", sr->request.response.location);
    if (sr->close || atomic_load(&sr->server->stopping))
        add(to, "Connection", "close");
    add_cors(to, sr);
}

static int code_of(const struct server_request *sr)
{
    if (sr->preflight)
        return MHD_HTTP_NO_CONTENT;
    return sr->not_modified ? MHD_HTTP_NOT_MODIFIED : sr->request.response.code;
}

static struct MHD_Response *whole_body(struct buf *body)
{
    size_t len = 0;
    char *bytes = buf_detach(body, &len);
    struct MHD_Response *to =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);

    if (!to)
        free(bytes);
    return to;
}

/* Static bytes: the library reads them, whatever its type says. */
static struct MHD_Response *stored_body(const struct http_file *file)
{
    struct slice bytes = file_bytes(file);

    return MHD_create_response_from_buffer(
        bytes.len, (void *)(uintptr_t)bytes.ptr, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *create(struct server_request *sr)
{
    struct http_response *response = &sr->request.response;

    if (response->produce)
        return http_stream(sr);
    return sr->stored ? stored_body(response->file)
                      : whole_body(&response->body);
}

enum MHD_Result http_send(struct server_request *sr)
{
    int code = code_of(sr);
    struct http_response *response = &sr->request.response;
    size_t len = response->body.len + sr->held_charged;
    struct MHD_Response *to = create(sr);
    enum MHD_Result result;

    if (!to)
        return MHD_NO;
    http_audit(sr, code);
    add_headers(to, sr, code);
    if (sr->stored)
        len = file_bytes(response->file).len;
    slot_sending(sr->conn->slot, len);
    result = MHD_queue_response(sr->connection, (unsigned)code, to);
    MHD_destroy_response(to);
    return result;
}
