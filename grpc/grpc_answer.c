/*
 * Answers: HEADERS, one message and trailers; or, for a refusal, one HEADERS
 * frame with status and text ("trailers-only"). If the message of a refused
 * request was not read to its end, a reset without error follows the answer
 * (grpc_session.c); CANCEL would hide the status from Java's clients.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "grpc_int.h"
#include "mem.h"

#define HEADER(name, value)                                              \
    (nghttp2_nv)                                                         \
    {                                                                    \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value),     \
            sizeof(name) - 1, sizeof(value) - 1,                         \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE \
    }

/* With a value that is copied. */
static nghttp2_nv header(const char *name, struct slice value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name,
                        (uint8_t *)(uintptr_t)value.ptr, strlen(name),
                        value.len, NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

static void submit(struct grpc_stream *stream, const nghttp2_nv *headers,
                   size_t count, const nghttp2_data_provider *message)
{
    struct grpc_connection *conn = stream->conn;
    uint64_t sent = GRPC_PREFIX + stream->request.len + stream->padding;

    stream->state = GS_ANSWERED;
    stream->answered_ns = clock_monotonic_ns();
    grpc_flood_answer(&conn->flood, stream->ended || sent > stream->credit
                                        ? 0
                                        : stream->credit - sent);
    if (nghttp2_submit_response(conn->session, stream->id, headers, count,
                                message) != 0)
        conn->failed = true; /* no memory */
}

/* ---- OK ---- */

/* The bytes of the answer from stream->sent on: prefix and message. */
static ssize_t read_message(nghttp2_session *session, int32_t id, uint8_t *out,
                            size_t room, uint32_t *flags,
                            nghttp2_data_source *source, void *arg)
{
    const nghttp2_nv trailer = HEADER("grpc-status", "0");
    struct grpc_stream *stream = source->ptr;
    struct slice message = buf_slice(&stream->request.response.message);
    const char prefix[GRPC_PREFIX] = {
        0, (char)(message.len >> 24), (char)(message.len >> 16),
        (char)(message.len >> 8), (char)message.len};
    size_t len = 0;

    (void)arg;
    while (len < room && stream->sent < GRPC_PREFIX)
        out[len++] = (uint8_t)prefix[stream->sent++];
    if (stream->sent >= GRPC_PREFIX) {
        struct slice rest = slice_from(message, stream->sent - GRPC_PREFIX);

        if (rest.len > room - len)
            rest.len = room - len;
        slice_copy((char *)out + len, rest);
        len += rest.len;
        stream->sent += rest.len;
    }
    if (stream->sent == GRPC_PREFIX + message.len) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(session, id, &trailer, 1) != 0)
            return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return (ssize_t)len;
}

static void answer_message(struct grpc_stream *stream)
{
    const nghttp2_nv headers[] = {HEADER(":status", "200"),
                                  HEADER("content-type", "application/grpc")};
    nghttp2_data_provider message = {.source.ptr = stream,
                                     .read_callback = read_message};

    submit(stream, headers, 2, &message);
}

/* ---- refusals ---- */

static void answer_status(struct grpc_stream *stream)
{
    struct grpc_response *response = &stream->request.response;
    struct slice details = buf_slice(&response->details);
    const char *text =
        response->text ? response->text : status_text(response->status);
    char code[12], encoded[GRPC_MESSAGE_TEXT];
    char *base64 = mem_alloc((details.len + 2) / 3 * 4 + 1);
    nghttp2_nv headers[6] = {HEADER(":status", "200"),
                             HEADER("content-type", "application/grpc")};
    size_t count = 2, len;

    len = (size_t)snprintf(code, sizeof(code), "%d",
                           status_grpc(response->status));
    headers[count++] = header("grpc-status", (struct slice){code, len});
    len = grpc_percent_encode(encoded, sizeof(encoded), slice_of(text));
    headers[count++] = header("grpc-message", (struct slice){encoded, len});
    if (details.len > 0)
        headers[count++] =
            header("grpc-status-details-bin",
                   (struct slice){base64, grpc_base64(base64, details)});
    if (response->encodings)
        headers[count++] =
            header("grpc-accept-encoding", slice_of(response->encodings));
    submit(stream, headers, count, NULL);
    free(base64);
}

static void answer_http(struct grpc_stream *stream)
{
    char code[12];
    size_t len =
        (size_t)snprintf(code, sizeof(code), "%d", stream->http_status);
    const nghttp2_nv status = header(":status", (struct slice){code, len});

    submit(stream, &status, 1, NULL);
}

void grpc_answer(struct grpc_stream *stream)
{
    if (stream->http_status)
        answer_http(stream);
    else if (stream->request.response.status == OK)
        answer_message(stream);
    else
        answer_status(stream);
}
