/*
 * Our answers: Export<Signal>ServiceResponse and google.rpc.Status.
 *
 * protobuf-c packs them and jsonw writes them. A message is kept short, because
 * clients read only the first 64 KiB of an answer, and ASCII, because a client
 * that cannot parse an answer counts the data as lost, though it is stored.
 */
#include <inttypes.h>
#include <stdio.h>

#include "jsonw.h"
#include "otlp.h"
#include "otlp.pb-c.h"

enum { MAX_MESSAGE = 2048 };

/* As a C string: protobuf-c wants one. */
static void copy_message(char *text, struct slice message)
{
    size_t len = message.len < MAX_MESSAGE ? message.len : MAX_MESSAGE;

    for (size_t i = 0; i < len; i++)
        text[i] = message.ptr[i] >= ' ' && message.ptr[i] <= '~'
                      ? message.ptr[i]
                      : '?';
    text[len] = '\0';
}

static void pack(struct buf *out, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    char *room = len > 0 ? buf_room(out, len) : NULL;

    if (room)
        buf_grown(out, protobuf_c_message_pack(message, (uint8_t *)room));
}

void otlp_write_response(struct buf *out, enum signal signal,
                         enum batch_encoding encoding, uint64_t rejected,
                         struct slice message)
{
    static const char *const names[SIGNAL_COUNT] = {
        "rejectedSpans", "rejectedLogRecords", "rejectedDataPoints"};
    bool partial = rejected > 0 || message.len > 0;
    char text[MAX_MESSAGE + 1], count[24];
    struct jsonw w;

    copy_message(text, message);
    if (encoding == BATCH_PROTOBUF) {
        Otlp__PartialSuccess part = OTLP__PARTIAL_SUCCESS__INIT;
        Otlp__ExportResponse response = OTLP__EXPORT_RESPONSE__INIT;

        part.has_rejected = rejected > 0;
        part.rejected = (int64_t)rejected;
        part.error_message = text;
        response.partial_success = partial ? &part : NULL;
        pack(out, &response.base);
        return;
    }
    jsonw_init(&w, out);
    jsonw_open(&w, '{');
    if (partial) {
        jsonw_name(&w, "partialSuccess");
        jsonw_open(&w, '{');
        if (rejected > 0) { /* proto3 JSON: 64-bit numbers are strings */
            snprintf(count, sizeof(count), "%" PRIu64, rejected);
            jsonw_name(&w, names[signal]);
            jsonw_cstr(&w, count);
        }
        jsonw_member_text(&w, "errorMessage", slice_of(text));
        jsonw_close(&w, '}');
    }
    jsonw_close(&w, '}');
}

#define RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo"

static void pack_status(struct buf *out, int code, char *text,
                        unsigned retry_after)
{
    Otlp__RpcStatus reply = OTLP__RPC_STATUS__INIT;
    Otlp__RpcAny any = OTLP__RPC_ANY__INIT, *details[] = {&any};
    Otlp__RpcRetryInfo info = OTLP__RPC_RETRY_INFO__INIT;
    Otlp__RpcDuration delay = OTLP__RPC_DURATION__INIT;
    struct buf packed;

    buf_init(&packed, 64);
    reply.has_code = 1;
    reply.code = code;
    reply.message = text;
    if (retry_after > 0) {
        delay.has_seconds = 1;
        delay.seconds = retry_after;
        info.retry_delay = &delay;
        pack(&packed, &info.base);
        any.type_url = (char *)(uintptr_t)RETRY_INFO;
        any.has_value = 1;
        any.value.data = (uint8_t *)packed.ptr;
        any.value.len = packed.len;
        reply.details = details;
        reply.n_details = 1;
    }
    pack(out, &reply.base);
    buf_release(&packed);
}

void otlp_write_status(struct buf *out, enum batch_encoding encoding,
                       enum status status, struct slice message,
                       unsigned retry_after)
{
    char text[MAX_MESSAGE + 1], delay[16];
    struct jsonw w;

    copy_message(text, message);
    if (encoding == BATCH_PROTOBUF) {
        pack_status(out, status_grpc(status), text, retry_after);
        return;
    }
    jsonw_init(&w, out);
    jsonw_open(&w, '{');
    jsonw_member_int(&w, "code", status_grpc(status));
    jsonw_member_text(&w, "message", slice_of(text));
    jsonw_name(&w, "details");
    jsonw_open(&w, '[');
    if (retry_after > 0) {
        snprintf(delay, sizeof(delay), "%us", retry_after);
        jsonw_open(&w, '{');
        jsonw_member_text(&w, "@type", SLICE(RETRY_INFO));
        jsonw_member_text(&w, "retryDelay", slice_of(delay));
        jsonw_close(&w, '}');
    }
    jsonw_close(&w, ']');
    jsonw_close(&w, '}');
}
