/*
 * What time does: requests that wait for room try again, slow messages are
 * refused, connections that are idle, silent or old are closed, and all of them
 * when the server stops.
 *
 * GOAWAY is sent twice: with the highest id first, and when what the peer had
 * sent until it knew has arrived, with the id of the last request that is
 * answered. So no request is lost.
 */
#include <stdlib.h>

#include "clock.h"
#include "grpc_int.h"

#define RETRY_NS     (25 * NS_PER_MS)
#define NOTICE_NS    (150 * NS_PER_MS)
#define PING_NS      (20 * NS_PER_S)
#define LAST_NS      (30 * NS_PER_S) /* for open requests of an old connection */
#define TAKE_NS      (SLOT_HEAD_S * NS_PER_S) /* to take an answer in */
#define LOOK_NS      NS_PER_S
#define IDLE_TICK_MS 250

/* ---- requests ---- */

static void flush_later(struct ring *list, struct grpc_connection *conn)
{
    ring_remove(&conn->flush);
    ring_add(list, &conn->flush);
}

static void flush_all(struct ring *list)
{
    while (!ring_is_empty(list)) {
        struct grpc_connection *conn =
            CONTAINER_OF(list->next, struct grpc_connection, flush);

        ring_remove(&conn->flush);
        grpc_connection_flush(conn);
    }
}

/* Each once; one that has to wait on goes to the end. */
static void retry_waiting(struct grpc_server *server)
{
    struct ring list, *last = server->waiting.prev;
    bool more = !ring_is_empty(&server->waiting);

    ring_init(&list);
    while (more) {
        struct ring *first = server->waiting.next;
        struct grpc_stream *stream =
            CONTAINER_OF(first, struct grpc_stream, waiting);

        more = first != last;
        flush_later(&list, stream->conn);
        grpc_stream_retry(stream);
    }
    flush_all(&list);
}

/* Bytes per second at which a message must arrive after the first seconds. */
static bool is_too_slow(const struct grpc_stream *stream, uint64_t now)
{
    uint64_t pace = stream->request.length / 30 + 1;
    uint64_t passed = now - stream->started_ns - stream->waited_ns;

    if (stream->state != GS_MESSAGE || passed < SLOT_BODY_S * NS_PER_S)
        return false;
    if (pace > SLOT_MIN_RATE)
        pace = SLOT_MIN_RATE;
    return (passed - SLOT_BODY_S * NS_PER_S) / NS_PER_S * pace >
           stream->request.len;
}

static void refuse_slow(struct grpc_connection *conn, uint64_t now)
{
    struct grpc_stream *stream;

    ring_each_safe(stream, &conn->streams, struct grpc_stream, of_connection)
        if (!stream->gone && is_too_slow(stream, now))
            grpc_stream_refuse(stream, ERR_DEADLINE,
                               "the message arrives too slowly");
}

/* An answer that the peer does not take, by a window of 0 or by not reading,
 * would keep its stream open for ever, and the slot with it. */
static bool is_stuck(const struct grpc_connection *conn, uint64_t now)
{
    const struct grpc_stream *stream;

    if (conn->failed && conn->unsent_len > 0)
        return true;
    ring_each(stream, &conn->streams, struct grpc_stream, of_connection)
        if (!stream->gone && stream->state == GS_ANSWERED &&
            now > stream->answered_ns + TAKE_NS)
            return true;
    return false;
}

/* ---- connections ---- */

static void enter(struct grpc_connection *conn,
                  enum grpc_connection_state state, uint64_t now)
{
    conn->state = state;
    conn->state_ns = now;
    if (state == GC_NOTICED)
        (void)nghttp2_submit_shutdown_notice(conn->session);
    else
        (void)nghttp2_submit_goaway(
            conn->session, NGHTTP2_FLAG_NONE,
            nghttp2_session_get_last_proc_stream_id(conn->session),
            NGHTTP2_NO_ERROR, NULL, 0);
}

static bool is_finished(const struct grpc_connection *conn, uint64_t now)
{
    const struct grpc_options *options = &conn->server->options;

    return (conn->stream_count == 0 &&
            now - conn->idle_ns >= options->idle_timeout_ns) ||
           (options->max_age_ns > 0 &&
            now - conn->opened_ns >= conn->max_age_ns);
}

/* A peer that is gone without a word is found by a PING that has no answer. */
static void check_silence(struct grpc_connection *conn, uint64_t now)
{
    uint64_t silent = now - conn->heard_ns;
    uint64_t pause = conn->server->options.idle_timeout_ns / 2;

    if (conn->pinged && silent >= pause + PING_NS)
        conn->failed = true;
    if (!conn->pinged && silent >= pause) {
        conn->pinged = true;
        (void)nghttp2_submit_ping(conn->session, NGHTTP2_FLAG_NONE, NULL);
    }
}

static void look_at(struct grpc_connection *conn, uint64_t now)
{
    bool draining = conn->server->drain_ns > 0;

    if (conn->greeted < NGHTTP2_CLIENT_MAGIC_LEN) {
        conn->failed =
            draining || now - conn->opened_ns > SLOT_HEAD_S * NS_PER_S;
        return;
    }
    if (conn->state == GC_OPEN && (draining || is_finished(conn, now)))
        enter(conn, GC_NOTICED, now);
    else if (conn->state == GC_NOTICED && now - conn->state_ns >= NOTICE_NS)
        enter(conn, GC_GOING, now);
    else if (conn->state == GC_GOING && now - conn->state_ns >= LAST_NS)
        conn->failed = true;
    refuse_slow(conn, now);
    check_silence(conn, now);
}

static void look_at_all(struct grpc_server *server, uint64_t now)
{
    struct grpc_connection *conn;
    bool idle = true;

    ring_each_safe(conn, &server->all, struct grpc_connection, all) {
        if (conn->state == GC_CLOSED)
            continue;
        look_at(conn, now);
        if (is_stuck(conn, now))
            grpc_connection_close(conn);
        else
            grpc_connection_flush(conn);
    }
    ring_each(conn, &server->all, struct grpc_connection, all)
        idle = idle && conn->state == GC_CLOSED;
    if (server->drain_ns > 0 && idle)
        atomic_store(&server->idle, true);
}

int grpc_tick(struct grpc_server *server)
{
    uint64_t now = clock_monotonic_ns();
    bool draining = server->drain_ns > 0;
    uint64_t pause = draining ? RETRY_NS : LOOK_NS;

    retry_waiting(server);
    if (now - server->tick_ns >= pause) {
        server->tick_ns = now;
        (void)slots_check_deadlines(server->slots);
        look_at_all(server, now);
    }
    return draining || !ring_is_empty(&server->waiting)
               ? (int)(RETRY_NS / NS_PER_MS)
               : IDLE_TICK_MS;
}

void grpc_take_responses(struct grpc_server *server)
{
    struct grpc_stream *stream, *next;
    struct ring list;

    pthread_mutex_lock(&server->lock);
    stream = server->responded;
    server->responded = NULL;
    server->responded_end = &server->responded;
    pthread_mutex_unlock(&server->lock);
    ring_init(&list);
    for (; stream; stream = next) {
        struct grpc_connection *conn = stream->conn;

        next = stream->next;
        flush_later(&list, conn);
        grpc_stream_respond(stream);
    }
    flush_all(&list);
}
