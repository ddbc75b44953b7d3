/*
 * Requests over gRPC that find no room: they wait up to GRPC_WAIT_MS before
 * they are refused. Room is a full queue, or the memory for incomplete bodies
 * that the HTTP port shares.
 */
#define _GNU_SOURCE
#include "otlp_grpc.h"

#include <nghttp2/nghttp2.h>

#include "grpc_server.h"
#include "http_kit.h"

#define PATH "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

static struct otlp_grpc *grpc;
static struct budget all_bodies;

static void begin_both(size_t max_body, size_t memory, size_t limit)
{
    struct otlp_grpc_options options = {
        .listen = "127.0.0.1:0",
        .max_connections = 100,
        .idle_timeout_ns = 30 * NS_PER_S,
        .receiver = {.max_body = max_body,
                     .budget = &budget,
                     .bodies = &all_bodies,
                     .sink = {.submit = fake_submit, .ready = fake_ready}},
    };

    budget_init(&all_bodies, limit);
    bodies = &all_bodies;
    begin_with(max_body, memory);
    grpc = NULL;
    CHECK_EQ(otlp_grpc_start(&grpc, &options), OK);
}

static void end_both(void)
{
    otlp_grpc_stop(grpc);
    end();
    CHECK_EQ(budget_used(&all_bodies), 0);
    bodies = NULL;
}

/* ---- a client with one request ---- */

struct call {
    nghttp2_session *session;
    int fd;
    struct slice unsent;
    bool stall; /* the last byte is not sent */
    bool closed;
    char status[16], details[1024];
    uint64_t started_ns, took_ns;
};

static ssize_t on_send(nghttp2_session *session, const uint8_t *bytes,
                       size_t len, int flags, void *arg)
{
    struct call *call = arg;

    (void)session;
    (void)flags;
    return put(call->fd, bytes, len) ? (ssize_t)len
                                     : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t len, uint8_t flags, void *arg)
{
    struct call *call = arg;
    struct slice key = {(const char *)name, name_len};

    (void)session;
    (void)frame;
    (void)flags;
    if (slice_equal(key, SLICE("grpc-status")))
        snprintf(call->status, sizeof(call->status), "%.*s", (int)len, value);
    if (slice_equal(key, SLICE("grpc-status-details-bin")))
        snprintf(call->details, sizeof(call->details), "%.*s", (int)len, value);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code,
                    void *arg)
{
    struct call *call = arg;

    (void)session;
    (void)id;
    (void)code;
    call->closed = true;
    call->took_ns = clock_monotonic_ns() - call->started_ns;
    return 0;
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *out,
                       size_t room, uint32_t *flags,
                       nghttp2_data_source *source, void *arg)
{
    struct call *call = arg;
    size_t left = call->unsent.len - (call->stall ? 1 : 0);
    size_t len = left < room ? left : room;

    (void)session;
    (void)id;
    (void)source;
    if (len == 0 && call->stall)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(out, call->unsent.ptr, len);
    call->unsent = slice_from(call->unsent, len);
    if (call->unsent.len == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static int connect_to_grpc(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(otlp_grpc_port(grpc))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

#define FIELD(name, value)                                            \
    {                                                                 \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value),  \
            sizeof(name) - 1, sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE \
    }

/* `message`: with its prefix. */
static void call_start(struct call *call, struct slice message, bool stall)
{
    const nghttp2_nv head[] = {
        FIELD(":method", "POST"), FIELD(":scheme", "http"),
        FIELD(":path", PATH),     FIELD(":authority", "localhost"),
        FIELD("te", "trailers"),  FIELD("content-type", "application/grpc"),
    };
    nghttp2_data_provider body = {.read_callback = on_read};
    nghttp2_session_callbacks *callbacks;

    *call = (struct call){.fd = connect_to_grpc(),
                          .unsent = message,
                          .stall = stall,
                          .started_ns = clock_monotonic_ns()};
    CHECK_EQ(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    CHECK_EQ(nghttp2_session_client_new(&call->session, callbacks, call), 0);
    nghttp2_session_callbacks_del(callbacks);
    CHECK_EQ(nghttp2_submit_settings(call->session, NGHTTP2_FLAG_NONE, NULL, 0),
             0);
    CHECK_EQ(nghttp2_submit_request(call->session, NULL, head,
                                    sizeof(head) / sizeof(*head), &body, NULL),
             1);
    CHECK_EQ(nghttp2_session_send(call->session), 0);
}

/* Until it is answered, or the time is over. */
static void call_run(struct call *call, unsigned ms)
{
    uint64_t until = clock_monotonic_ns() + ms * NS_PER_MS;

    while (!call->closed && clock_monotonic_ns() < until) {
        struct pollfd ready = {.fd = call->fd, .events = POLLIN};
        uint8_t bytes[4096];
        ssize_t n;

        if (poll(&ready, 1, 10) <= 0)
            continue;
        n = recv(call->fd, bytes, sizeof(bytes), 0);
        if (n <= 0)
            break;
        CHECK_EQ(nghttp2_session_mem_recv(call->session, bytes, (size_t)n), n);
        CHECK_EQ(nghttp2_session_send(call->session), 0);
    }
}

static void call_end(struct call *call)
{
    nghttp2_session_del(call->session);
    close(call->fd);
}

static struct slice framed(struct slice message)
{
    char *bytes = mem_alloc(message.len + 5);

    bytes[0] = 0;
    for (int i = 0; i < 4; i++)
        bytes[1 + i] = (char)(message.len >> (24 - 8 * i));
    memcpy(bytes + 5, message.ptr, message.len);
    return (struct slice){bytes, message.len + 5};
}

/* google.rpc.Status 14 with a RetryInfo. Base64 has three alignments; the
 * details come after a message whose length is not fixed. */
static bool has_retry_info(const struct call *call)
{
    static const char *const parts[] = {"UmV0cnlJbmZv", "JldHJ5SW5mb",
                                        "SZXRyeUluZm"};

    for (size_t i = 0; i < 3; i++)
        if (strstr(call->details, parts[i]))
            return strncmp(call->details, "CA4", 3) == 0;
    return false;
}

/* ---- a full queue ---- */

static void refused_after_the_wait(enum status why)
{
    struct slice body = spans(1, 0, 4), message = framed(body);
    uint64_t waits = stats_get(STATS_HTTP_WAITS);
    struct call call;

    begin_both(1 << 20, 16 << 20, 16 << 20);
    fake.ready = why;
    call_start(&call, message, false);
    call_run(&call, GRPC_WAIT_MS / 2);
    CHECK(!call.closed);
    CHECK_TEXT(slice_of(call.status), "");
    call_run(&call, 5000);
    CHECK(call.closed);
    CHECK_TEXT(slice_of(call.status), "14");
    CHECK(has_retry_info(&call));
    CHECK(call.took_ns >= GRPC_WAIT_MS * NS_PER_MS);
    CHECK_EQ(stats_get(STATS_HTTP_WAITS) - waits, 1);
    CHECK_EQ(submitted(), 0);
    call_end(&call);
    end_both();
    drop(body), drop(message);
}

TEST(a_full_queue_refuses_after_the_wait)
{
    refused_after_the_wait(ERR_BUSY);
    refused_after_the_wait(ERR_FULL);
}

TEST(room_within_the_wait_serves)
{
    struct slice body = spans(1, 0, 4), message = framed(body);
    struct call call;

    begin_both(1 << 20, 16 << 20, 16 << 20);
    fake.ready = ERR_BUSY;
    call_start(&call, message, false);
    call_run(&call, 300);
    CHECK(!call.closed);
    CHECK_EQ(submitted(), 0);
    fake.ready = OK;
    call_run(&call, 5000);
    CHECK_TEXT(slice_of(call.status), "0");
    CHECK(call.took_ns < GRPC_WAIT_MS * NS_PER_MS);
    CHECK_EQ(submitted(), 1);
    call_end(&call);
    end_both();
    drop(body), drop(message);
}

/* ---- memory of both ports ---- */

static void until_used(size_t least)
{
    for (int i = 0; i < 5000 && budget_used(&all_bodies) < least; i++)
        test_pause_us(1000);
    CHECK(budget_used(&all_bodies) >= least);
}

/* One fills what both may hold: the other waits, and is served when that is
 * given back. */
TEST(http_fills_the_memory_of_both)
{
    struct slice large = spans(1, 0, 700000), message = framed(large);
    struct call call;
    int fd;

    begin_both(1 << 20, 16 << 20, 1 << 20);
    fd = dial();
    put_head(fd, "/v1/traces", large.len, PROTOBUF);
    CHECK(put(fd, large.ptr, large.len - 1));
    until_used(large.len);
    call_start(&call, message, false);
    call_run(&call, 300);
    CHECK(!call.closed);
    CHECK(budget_used(&all_bodies) <= 1 << 20);
    CHECK(put(fd, large.ptr + large.len - 1, 1));
    CHECK_EQ(get(fd).status, 200);
    call_run(&call, 5000);
    CHECK_TEXT(slice_of(call.status), "0");
    CHECK_EQ(submitted(), 2);
    close(fd);
    call_end(&call);
    end_both();
    drop(large), drop(message);
}

TEST(grpc_fills_the_memory_of_both)
{
    struct slice large = spans(1, 0, 700000), message = framed(large);
    struct slice small = spans(1, 0, 10);
    struct call call;
    struct reply reply;

    begin_both(1 << 20, 16 << 20, 1 << 20);
    call_start(&call, message, true);
    for (int i = 0; i < 100 && call.unsent.len > 1; i++)
        call_run(&call, 20);
    until_used(large.len);
    reply = post("/v1/traces", PROTOBUF, large);
    CHECK_EQ(reply.status, 503);
    CHECK_TEXT(slice_of(reply_header(&reply, "Retry-After")), "1");
    CHECK_EQ(post("/v1/traces", PROTOBUF, small).status, 200);
    call.stall = false;
    CHECK_EQ(nghttp2_session_resume_data(call.session, 1), 0);
    CHECK_EQ(nghttp2_session_send(call.session), 0);
    call_run(&call, 5000);
    CHECK_TEXT(slice_of(call.status), "0");
    CHECK_EQ(post("/v1/traces", PROTOBUF, large).status, 200);
    CHECK_EQ(submitted(), 3);
    call_end(&call);
    end_both();
    drop(large), drop(small), drop(message);
}
