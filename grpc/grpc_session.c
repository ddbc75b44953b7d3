/*
 * The callbacks of libnghttp2: from frames to streams, and what each frame
 * costs (grpc_flood.h). Within a callback nothing is sent and no session is
 * freed; a connection that is over is marked `failed`.
 */
#include <stdlib.h>

#include "clock.h"
#include "grpc_int.h"

enum { MAX_CONTINUATIONS = 4, MAX_SETTINGS = 16, MAX_ACKS = 100 };

static void charge_frames(struct grpc_connection *conn, unsigned frames,
                          uint64_t bytes)
{
    if (grpc_flood_frames(&conn->flood, frames, clock_monotonic_ns()))
        grpc_flood_use(&conn->flood, bytes);
    else
        grpc_connection_refuse(conn, "too many frames without a request");
}

/* ---- heads ---- */

static int begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
                         void *arg)
{
    struct grpc_connection *conn = arg;
    struct grpc_stream *stream;

    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    if (conn->failed)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    stream = grpc_stream_new(conn, frame->hd.stream_id);
    if (nghttp2_session_set_stream_user_data(session, stream->id, stream) != 0)
        grpc_stream_gone(stream);
    return 0;
}

static int one_header(nghttp2_session *session, const nghttp2_frame *frame,
                      const uint8_t *name, size_t name_len,
                      const uint8_t *value, size_t value_len, uint8_t flags,
                      void *arg)
{
    struct grpc_stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    (void)flags;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST || !stream)
        return 0; /* trailers of the client */
    if (grpc_stream_header(stream, (struct slice){(const char *)name, name_len},
                           (struct slice){(const char *)value, value_len}))
        return 0;
    charge_frames(arg, GRPC_FLOOD_HEAD, 0);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* ---- frames ---- */

static int frame_begins(nghttp2_session *session, const nghttp2_frame_hd *hd,
                        void *arg)
{
    struct grpc_connection *conn = arg;

    (void)session;
    /* The head may come in several frames: one deadline for all. */
    if (hd->type == NGHTTP2_HEADERS && !(hd->flags & NGHTTP2_FLAG_END_HEADERS))
        slot_head(conn->slot);
    return conn->failed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static void data_received(struct grpc_connection *conn,
                          struct grpc_stream *stream,
                          const nghttp2_frame *frame)
{
    size_t padding = frame->data.padlen;
    bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

    if (stream)
        stream->padding += padding;
    if (frame->hd.length == padding && !is_end)
        charge_frames(conn, 1, 0);
    if (stream && is_end)
        grpc_stream_end(stream);
}

static void headers_received(struct grpc_stream *stream,
                             const nghttp2_frame *frame)
{
    if (!stream)
        return;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        grpc_stream_head_end(stream);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        grpc_stream_end(stream);
}

static int frame_received(nghttp2_session *session, const nghttp2_frame *frame,
                          void *arg)
{
    struct grpc_connection *conn = arg;
    struct grpc_stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    switch (frame->hd.type) {
    case NGHTTP2_DATA:
        data_received(conn, stream, frame);
        break;
    case NGHTTP2_HEADERS:
        headers_received(stream, frame);
        break;
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
        conn->pinged = false;
        if (!(frame->hd.flags & NGHTTP2_FLAG_ACK))
            charge_frames(conn, 1, frame->hd.length + 9);
        break;
    case NGHTTP2_PRIORITY:
    case NGHTTP2_RST_STREAM:
        charge_frames(conn, 1, frame->hd.length + 9);
        break;
    default:
        break;
    }
    return 0;
}

static int data_chunk(nghttp2_session *session, uint8_t flags, int32_t id,
                      const uint8_t *bytes, size_t len, void *arg)
{
    struct grpc_stream *stream =
        nghttp2_session_get_stream_user_data(session, id);

    (void)flags;
    (void)arg;
    /* The window of the connection only bounds what is on the way. */
    (void)nghttp2_session_consume_connection(session, len);
    if (stream)
        grpc_stream_data(stream, (struct slice){(const char *)bytes, len});
    return 0;
}

static int frame_sent(nghttp2_session *session, const nghttp2_frame *frame,
                      void *arg)
{
    const struct grpc_stream *stream;

    if (frame->hd.type == NGHTTP2_RST_STREAM &&
        frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
        charge_frames(arg, 1, 0);
    if (frame->hd.type != NGHTTP2_HEADERS ||
        !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream && !stream->ended && /* submitted before, it would go first */
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id,
                                  NGHTTP2_NO_ERROR) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return 0;
}

static int stream_closed(nghttp2_session *session, int32_t id, uint32_t code,
                         void *arg)
{
    struct grpc_stream *stream =
        nghttp2_session_get_stream_user_data(session, id);

    (void)code;
    (void)arg;
    if (stream)
        grpc_stream_gone(stream);
    return 0;
}

/* ---- sessions ---- */

enum status grpc_session_prepare(struct grpc_server *server)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    if (nghttp2_session_callbacks_new(&server->callbacks) != 0 ||
        nghttp2_option_new(&server->library_options) != 0)
        return ERR_INTERNAL;
    callbacks = server->callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
                                                            begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, one_header);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks,
                                                          frame_begins);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                         frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                              data_chunk);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                           stream_closed);
    option = server->library_options;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_stream_reset_rate_limit(option, GRPC_FLOOD_BURST,
                                               GRPC_FLOOD_RATE);
    nghttp2_option_set_max_continuations(option, MAX_CONTINUATIONS);
    nghttp2_option_set_max_settings(option, MAX_SETTINGS);
    nghttp2_option_set_max_outbound_ack(option, MAX_ACKS);
    return OK;
}

bool grpc_session_open(struct grpc_connection *conn)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, GRPC_MAX_STREAMS},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_MAX_HEAD},
    };
    struct grpc_server *server = conn->server;

    if (nghttp2_session_server_new2(&conn->session, server->callbacks, conn,
                                    server->library_options) != 0)
        return false;
    return nghttp2_submit_settings(conn->session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof(settings) / sizeof(settings[0])) ==
               0 &&
           nghttp2_session_set_local_window_size(conn->session,
                                                 NGHTTP2_FLAG_NONE, 0,
                                                 GRPC_CONNECTION_WINDOW) == 0;
}
