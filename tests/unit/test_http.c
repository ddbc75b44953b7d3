#define _GNU_SOURCE /* memmem */
#include "ingest.h"

#include <libdeflate.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "stats.h"
#include "test.h"

/* ---- what stands behind the receiver ---- */

enum mode {
    AT_ONCE, /* done within submit */
    LATER,   /* done by another thread, a little later */
    HELD     /* done when release() is called */
};

static struct {
    pthread_mutex_t lock;
    enum mode mode;
    enum status ready, done;
    struct batch *held;
    unsigned batches, records;
    size_t body_len;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void finish(struct batch *batch)
{
    batch_done(batch, fake.done);
    batch_free(batch);
}

static void *finish_later(void *batch)
{
    usleep(2000);
    finish(batch);
    return NULL;
}

static void fake_submit(void *arg, struct batch *batch)
{
    pthread_t thread;
    bool held = false;

    (void)arg;
    pthread_mutex_lock(&fake.lock);
    fake.batches++;
    fake.records += batch->count;
    fake.body_len = batch->body_len;
    if (fake.mode == HELD) {
        batch->next = fake.held;
        fake.held = batch;
        held = true;
    }
    pthread_mutex_unlock(&fake.lock);
    if (held)
        return;
    if (fake.mode == LATER) {
        CHECK_EQ(pthread_create(&thread, NULL, finish_later, batch), 0);
        pthread_detach(thread);
    } else {
        finish(batch);
    }
}

static enum status fake_ready(void *arg)
{
    (void)arg;
    return fake.ready;
}

static unsigned submitted(void)
{
    unsigned batches;

    pthread_mutex_lock(&fake.lock);
    batches = fake.batches;
    pthread_mutex_unlock(&fake.lock);
    return batches;
}

static void release(void)
{
    struct batch *held;

    pthread_mutex_lock(&fake.lock);
    held = fake.held;
    fake.held = NULL;
    pthread_mutex_unlock(&fake.lock);
    while (held) {
        struct batch *next = held->next;

        finish(held);
        held = next;
    }
}

/* ---- a receiver per test ---- */

static struct budget budget;
static struct ingest *ingest;
static uint64_t oldest;

static uint64_t oldest_ns(void *arg, enum signal signal, uint64_t received_ns)
{
    (void)received_ns;
    (void)arg;
    (void)signal;
    return oldest;
}

static void begin_with(size_t max_body, size_t memory)
{
    struct ingest_options options = {
        .otlp_http = "127.0.0.1:0",
        .max_body = max_body,
        .max_connections = 2000,
        .threads = 1,
        .idle_timeout_ns = 30 * NS_PER_S,
        .oldest_ns = oldest_ns,
        .budget = &budget,
        .sink = {fake_submit, fake_ready, NULL},
    };

    log_set_level(LOG_ERROR);
    budget_init(&budget, memory);
    fake.mode = AT_ONCE;
    fake.ready = fake.done = OK;
    fake.batches = fake.records = 0;
    oldest = 0;
    ingest = NULL;
    CHECK_EQ(ingest_start(&ingest, &options), OK);
}

static void begin(void)
{
    begin_with(1 << 20, 128 << 20);
}

/* All that was charged is given back. */
static void end(void)
{
    ingest_stop(ingest);
    CHECK_EQ(budget_used(&budget), 0);
}

/* ---- a client ---- */

struct reply {
    int status; /* 0: none came */
    char head[1024];
    char body[8192];
    size_t len;
};

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(ingest_port(ingest))};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    return fd;
}

static bool put(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool put_text(int fd, const char *text)
{
    return put(fd, text, strlen(text));
}

/* The value of a header of the reply; "" if it has none. */
static const char *reply_header(const struct reply *reply, const char *name)
{
    static _Thread_local char value[256];
    const char *line = reply->head;

    value[0] = '\0';
    while ((line = strstr(line, "\r\n")) != NULL) {
        line += 2;
        if (strncasecmp(line, name, strlen(name)) == 0 &&
            line[strlen(name)] == ':') {
            const char *from = line + strlen(name) + 2;
            size_t len = strcspn(from, "\r");

            snprintf(value, sizeof(value), "%.*s", (int)len, from);
        }
    }
    return value;
}

static struct reply get(int fd)
{
    struct reply reply = {0};
    size_t len = 0, want;
    char byte;

    while (len < sizeof(reply.head) - 1 && recv(fd, &byte, 1, 0) == 1) {
        reply.head[len++] = byte;
        if (len >= 4 && memcmp(reply.head + len - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    if (sscanf(reply.head, "HTTP/1.1 %d", &reply.status) != 1)
        return reply;
    want = strtoul(reply_header(&reply, "Content-Length"), NULL, 10);
    CHECK(want < 4096);
    while (reply.len < want) {
        ssize_t n = recv(fd, reply.body + reply.len, want - reply.len, 0);

        if (n <= 0)
            break;
        reply.len += (size_t)n;
    }
    CHECK_EQ(reply.len, want);
    return reply;
}

static void put_head(int fd, const char *path, size_t len, const char *more)
{
    char head[512];

    snprintf(head, sizeof(head),
             "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n",
             path, len, more);
    (void)put_text(fd, head);
}

#define PROTOBUF "Content-Type: application/x-protobuf\r\n"
#define JSON     "Content-Type: application/json\r\n"

static struct reply post_on(int fd, const char *path, const char *more,
                            struct slice body)
{
    put_head(fd, path, body.len, more);
    (void)put(fd, body.ptr, body.len);
    return get(fd);
}

static struct reply post(const char *path, const char *more, struct slice body)
{
    int fd = dial();
    struct reply reply = post_on(fd, path, more, body);

    close(fd);
    return reply;
}

/* ---- bodies ---- */

static void add_field(struct buf *out, unsigned field, struct slice bytes)
{
    buf_varint(out, field << 3 | 2);
    buf_varint(out, bytes.len);
    buf_add(out, bytes);
}

static void add_message(struct buf *out, unsigned field, struct buf *message)
{
    add_field(out, field, buf_slice(message));
    buf_release(message);
}

static void add_span(struct buf *out, bool good, struct slice name)
{
    struct buf span;
    uint64_t now = clock_wall_ns();

    buf_init(&span, SIZE_MAX);
    add_field(&span, 1, SLICE("0123456789abcdef"));
    add_field(&span, 2, good ? SLICE("01234567") : SLICE("0123"));
    add_field(&span, 5, name);
    buf_varint(&span, 7 << 3 | 1);
    buf_u64(&span, now - NS_PER_S);
    buf_varint(&span, 8 << 3 | 1);
    buf_u64(&span, now);
    add_message(out, 2, &span);
}

/* An export request of so many spans, of which the first `bad` are invalid.
 * To be freed. */
static struct slice spans(unsigned count, unsigned bad, size_t name_len)
{
    char *name = mem_zero(1, name_len + 1);
    struct buf scope, resource, request;
    struct slice bytes;

    memset(name, 'n', name_len);
    buf_init(&scope, SIZE_MAX);
    buf_init(&resource, SIZE_MAX);
    buf_init(&request, SIZE_MAX);
    for (unsigned i = 0; i < count; i++)
        add_span(&scope, i >= bad, (struct slice){name, name_len});
    add_message(&resource, 2, &scope);
    add_message(&request, 1, &resource);
    bytes.ptr = buf_detach(&request, &bytes.len);
    free(name);
    return bytes;
}

static void drop(struct slice s)
{
    free((void *)(uintptr_t)s.ptr);
}

static struct slice gzip(struct slice in)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(1);
    size_t room = libdeflate_gzip_compress_bound(c, in.len);
    char *out = mem_alloc(room);
    size_t len = libdeflate_gzip_compress(c, in.ptr, in.len, out, room);

    libdeflate_free_compressor(c);
    return (struct slice){out, len};
}

static struct slice zstd(struct slice in)
{
    size_t room = ZSTD_compressBound(in.len);
    char *out = mem_alloc(room);
    size_t len = ZSTD_compress(out, room, in.ptr, in.len, 1);

    return (struct slice){out, len};
}

static bool mentions(const struct reply *reply, const char *text)
{
    return memmem(reply->body, reply->len, text, strlen(text)) != NULL;
}

/* ---- the table of answers ---- */

TEST(accepted_in_every_coding)
{
    struct slice plain = spans(100, 0, 10);
    struct slice packed[] = {plain, gzip(plain), zstd(plain), plain, plain};
    const char *codings[] = {
        "", "Content-Encoding: gzip\r\n", "content-encoding: ZSTD\r\n",
        "Content-Encoding: identity\r\n", "Content-Encoding: none\r\n"};

    for (int mode = AT_ONCE; mode <= LATER; mode++) {
        begin();
        fake.mode = (enum mode)mode;
        for (unsigned i = 0; i < 5; i++) {
            char more[128];
            struct reply reply;

            snprintf(more, sizeof(more), "%s%s", PROTOBUF, codings[i]);
            reply = post("/v1/traces", more, packed[i]);
            CHECK_EQ(reply.status, 200);
            CHECK_EQ(reply.len, 0);
            CHECK_TEXT(slice_of(reply_header(&reply, "Content-Type")),
                       "application/x-protobuf");
            CHECK_EQ(submitted(), i + 1);
            CHECK_EQ(fake.body_len, plain.len);
        }
        CHECK_EQ(fake.records, 500);
        end();
    }
    drop(packed[1]), drop(packed[2]), drop(plain);
}

TEST(counters_tell)
{
    struct slice plain = spans(10, 3, 10), packed = gzip(plain);
    uint64_t requests = stats_get(STATS_REQUESTS_SPANS);
    uint64_t accepted = stats_get(STATS_ACCEPTED_SPANS);
    uint64_t rejected = stats_get(STATS_REJECTED_SPANS);
    uint64_t received = stats_get(STATS_RECEIVED_BYTES);
    uint64_t decoded = stats_get(STATS_DECODED_BYTES);

    begin();
    CHECK_EQ(post("/v1/traces", PROTOBUF "Content-Encoding: gzip\r\n", packed)
                 .status,
             200);
    CHECK_EQ(stats_get(STATS_REQUESTS_SPANS) - requests, 1);
    CHECK_EQ(stats_get(STATS_ACCEPTED_SPANS) - accepted, 7);
    CHECK_EQ(stats_get(STATS_REJECTED_SPANS) - rejected, 3);
    CHECK_EQ(stats_get(STATS_RECEIVED_BYTES) - received, packed.len);
    CHECK_EQ(stats_get(STATS_DECODED_BYTES) - decoded, plain.len);
    end();
    drop(plain), drop(packed);
}

TEST(partial_success)
{
    struct slice some = spans(10, 3, 4), none = spans(4, 4, 4);
    struct reply reply;

    begin();
    reply = post("/v1/traces", PROTOBUF, some);
    CHECK_EQ(reply.status, 200);
    CHECK(mentions(&reply, "3 of 10 spans: span_id"));
    CHECK_EQ(fake.records, 7);
    reply = post("/v1/traces", PROTOBUF, none); /* not worth a journal entry */
    CHECK_EQ(reply.status, 200);
    CHECK(mentions(&reply, "4 of 4 spans: span_id"));
    CHECK_EQ(submitted(), 1);
    oldest = clock_wall_ns() + NS_PER_MIN;
    drop(some);
    some = spans(2, 0, 4);
    reply = post("/v1/traces", PROTOBUF, some);
    CHECK_EQ(reply.status, 200);
    CHECK(mentions(&reply, "2 of 2 spans: older"));
    end();
    drop(some), drop(none);
}

TEST(nothing_in_it_is_success)
{
    struct reply reply;

    begin();
    reply = post("/v1/traces", PROTOBUF, SLICE(""));
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(reply.len, 0);
    reply = post("/v1/logs", PROTOBUF, SLICE(""));
    CHECK_EQ(reply.status, 200);
    reply = post("/v1/metrics", PROTOBUF, SLICE("\x0a\x00"));
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(submitted(), 0);
    end();
}

struct refusal {
    const char *path, *more;
    int status, code; /* HTTP, google.rpc */
};

TEST(refusals)
{
    static const struct refusal refusals[] = {
        {"/v1/traces", PROTOBUF, 400, 3},
        {"/v1/traces", PROTOBUF "Content-Encoding: gzip\r\n", 400, 3},
        {"/v1/traces", PROTOBUF "Content-Encoding: zstd\r\n", 400, 3},
        {"/v1/traces", PROTOBUF "Content-Encoding: br\r\n", 415, 12},
        {"/v1/traces", PROTOBUF "Content-Encoding: gzip, gzip\r\n", 415, 12},
        {"/v1/traces", "Content-Type: text/plain\r\n", 415, 12},
        {"/v1/traces", "", 415, 12},
        {"/v1/traces", "Content-Type: application/x-protobuffer\r\n", 415, 12},
        {"/v1development/profiles", PROTOBUF, 404, 5},
        {"/v1/traces/", PROTOBUF, 404, 5},
        {"/", JSON, 404, 5},
    };

    begin();
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        const struct refusal *want = &refusals[i];
        bool protobuf = strstr(want->more, "x-protobuf\r\n") != NULL;
        struct reply reply = post(want->path, want->more, SLICE("\x0a\x05xyz"));
        char code[32];

        CHECK_EQ(reply.status, want->status);
        CHECK_TEXT(slice_of(reply_header(&reply, "Content-Type")),
                   protobuf ? "application/x-protobuf" : "application/json");
        CHECK(reply.len > 2 && reply.len < 4096);
        snprintf(code, sizeof(code), "\"code\":%d", want->code);
        if (protobuf)
            CHECK(reply.body[0] == 8 && reply.body[1] == want->code);
        else
            CHECK(mentions(&reply, code));
        CHECK_TEXT(slice_of(reply_header(&reply, "Retry-After")), "");
    }
    CHECK_EQ(submitted(), 0);
    end();
}

TEST(media_type_is_compared_alone)
{
    struct slice body = spans(1, 0, 4);

    begin();
    CHECK_EQ(post("/v1/traces",
                  "content-type: Application/X-Protobuf ; charset=utf-8\r\n",
                  body)
                 .status,
             200);
    end();
    drop(body);
}

TEST(only_post)
{
    static const char *const methods[] = {"GET", "PUT", "DELETE", "HEAD"};

    begin();
    for (size_t i = 0; i < 4; i++) {
        char head[128];
        struct reply reply;
        int fd = dial();

        snprintf(head, sizeof(head),
                 "%s /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n", methods[i]);
        (void)put_text(fd, head);
        if (strcmp(methods[i], "HEAD") == 0) {
            char start[13] = "";

            CHECK(recv(fd, start, 12, MSG_WAITALL) == 12);
            CHECK(strcmp(start, "HTTP/1.1 405") == 0);
        } else {
            reply = get(fd);
            CHECK_EQ(reply.status, 405);
            CHECK_TEXT(slice_of(reply_header(&reply, "Allow")), "POST");
        }
        close(fd);
    }
    end();
}

TEST(json)
{
    static const char good[] =
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":["
        "{\"timeUnixNano\":\"1700000000000000000\","
        "\"body\":{\"stringValue\":\"hello\"}}]}]}]}";
    uint64_t fixed = stats_get(STATS_FIXED_TIMES);
    struct reply reply;

    begin();
    reply = post("/v1/logs", JSON, SLICE(good));
    CHECK_EQ(reply.status, 200);
    CHECK_TEXT(((struct slice){reply.body, reply.len}), "{}");
    CHECK_TEXT(slice_of(reply_header(&reply, "Content-Type")),
               "application/json");
    CHECK_EQ(fake.records, 1);
    CHECK_EQ(stats_get(STATS_FIXED_TIMES), fixed);
    reply = post("/v1/logs", JSON, SLICE("{\"resourceLogs\":[7]}"));
    CHECK_EQ(reply.status, 400);
    CHECK(mentions(&reply, "\"code\":3"));
    reply = post("/v1/logs", JSON,
                 SLICE("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":["
                       "{}]}]}]}"));
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(stats_get(STATS_FIXED_TIMES), fixed + 1);
    end();
}

/* ---- size ---- */

TEST(too_large)
{
    struct slice big = spans(1, 0, 3 << 20); /* the limit is 1 MiB */
    struct slice packed = gzip(big), twice = zstd(big);
    struct slice fits = spans(1, 0, (1 << 20) - 200);
    struct reply reply;

    begin();
    reply = post("/v1/traces", PROTOBUF "Content-Encoding: gzip\r\n", packed);
    CHECK_EQ(reply.status, 413);
    CHECK(reply.body[0] == 8 && reply.body[1] == 8);
    reply = post("/v1/traces", PROTOBUF "Content-Encoding: zstd\r\n", twice);
    CHECK_EQ(reply.status, 413);
    reply = post("/v1/traces", PROTOBUF, (struct slice){big.ptr, 2 << 20});
    CHECK_EQ(reply.status, 413); /* read on, so that the client sees it */
    CHECK(budget.peak <= (1 << 20) + 2 * 64 * 1024);
    reply = post("/v1/traces", PROTOBUF, fits);
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(submitted(), 1);
    end();
    drop(big), drop(packed), drop(twice), drop(fits);
}

TEST(length_without_end_is_refused_at_once)
{
    struct reply reply;
    int fd;

    begin();
    fd = dial();
    put_head(fd, "/v1/traces", SIZE_MAX / 4, PROTOBUF);
    reply = get(fd); /* not a byte of the body was sent */
    CHECK_EQ(reply.status, 413);
    close(fd);
    end();
}

static bool put_chunk(int fd, const char *bytes, size_t len)
{
    char head[32];

    snprintf(head, sizeof(head), "%zx\r\n", len);
    return put_text(fd, head) && put(fd, bytes, len) && put_text(fd, "\r\n");
}

TEST(chunked)
{
    struct slice body = spans(300, 0, 100);
    struct reply reply;
    int fd;

    begin();
    fd = dial();
    for (int round = 0; round < 3; round++) {
        (void)put_text(fd, "POST /v1/traces HTTP/1.1\r\nHost: x\r\n" PROTOBUF
                           "Transfer-Encoding: chunked\r\n\r\n");
        for (size_t at = 0; at < body.len; at += 1000)
            (void)put_chunk(fd, body.ptr + at,
                            body.len - at < 1000 ? body.len - at : 1000);
        (void)put_text(fd, "0\r\n\r\n");
        reply = get(fd);
        CHECK_EQ(reply.status, 200);
        CHECK_EQ(fake.body_len, body.len);
    }
    CHECK_EQ(submitted(), 3);
    close(fd);
    end();
    drop(body);
}

/* 65 MiB in chunks, against the real limit: 413, and no more than the limit
 * was ever held. Then one that never ends: cut off. */
TEST(chunked_beyond_the_limit)
{
    char *chunk = mem_zero(1, 1 << 20);
    struct reply reply;
    bool sent = true;
    int fd;

    begin_with(64 << 20, 128 << 20);
    fd = dial();
    (void)put_text(fd, "POST /v1/traces HTTP/1.1\r\nHost: x\r\n" PROTOBUF
                       "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 65; i++)
        CHECK(put_chunk(fd, chunk, 1 << 20));
    (void)put_text(fd, "0\r\n\r\n");
    reply = get(fd);
    CHECK_EQ(reply.status, 413);
    CHECK(budget.peak <= (64 << 20) + 2 * 64 * 1024);
    close(fd);
    end();

    begin();
    fd = dial();
    (void)put_text(fd, "POST /v1/traces HTTP/1.1\r\nHost: x\r\n" PROTOBUF
                       "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 50 && sent; i++)
        sent = put_chunk(fd, chunk, 1 << 20);
    CHECK(!sent);
    close(fd);
    end();
    free(chunk);
}

TEST(no_memory_is_busy)
{
    struct slice body = spans(1, 0, 700000);
    struct slice small = spans(1, 0, 10);
    struct reply reply;

    begin_with(1 << 20, 1 << 20);
    CHECK(budget_take(&budget, 600000));
    reply = post("/v1/traces", PROTOBUF, body); /* told by its length */
    CHECK_EQ(reply.status, 503);
    CHECK_TEXT(slice_of(reply_header(&reply, "Retry-After")), "1");
    CHECK_EQ(post("/v1/traces", PROTOBUF, small).status, 200);
    budget_give(&budget, 600000);
    CHECK_EQ(post("/v1/traces", PROTOBUF, small).status, 200);
    end();
    drop(body), drop(small);
}

/* ---- trouble behind ---- */

TEST(not_ready)
{
    static const struct {
        enum status status;
        enum stats_id counter;
    } rows[] = {{ERR_BUSY, STATS_REFUSED_BUSY},
                {ERR_IO, STATS_REFUSED_STORAGE},
                {ERR_STOPPING, STATS_REFUSED_BUSY}};
    struct slice body = spans(500, 0, 100);
    struct reply reply;
    int fd;

    begin();
    fd = dial();
    for (size_t i = 0; i < 2; i++) { /* the connection stays */
        uint64_t before = stats_get(rows[i].counter);

        fake.ready = rows[i].status;
        reply = post_on(fd, "/v1/traces", PROTOBUF, body);
        CHECK_EQ(reply.status, 503);
        CHECK_EQ(reply.body[1], 14);
        CHECK_TEXT(slice_of(reply_header(&reply, "Retry-After")), "1");
        CHECK_EQ(stats_get(rows[i].counter) - before, 1);
    }
    fake.ready = OK;
    CHECK_EQ(post_on(fd, "/v1/traces", PROTOBUF, body).status, 200);
    CHECK_EQ(submitted(), 1);
    close(fd);
    end();
    drop(body);
}

TEST(not_done)
{
    static const enum status failures[] = {ERR_IO, ERR_BUSY, ERR_STOPPING};
    struct slice body = spans(5, 0, 10);
    uint64_t accepted = stats_get(STATS_ACCEPTED_SPANS);

    begin();
    for (int mode = AT_ONCE; mode <= LATER; mode++)
        for (size_t i = 0; i < 3; i++) {
            struct reply reply;

            fake.mode = (enum mode)mode;
            fake.done = failures[i];
            reply = post("/v1/traces", PROTOBUF, body);
            CHECK_EQ(reply.status, 503);
            CHECK_TEXT(slice_of(reply_header(&reply, "Retry-After")), "1");
        }
    CHECK_EQ(stats_get(STATS_ACCEPTED_SPANS), accepted);
    end();
    drop(body);
}

/* ---- ways of sending ---- */

#define EXPECT "Expect: 100-continue\r\n"

TEST(expect_continue)
{
    struct slice body = spans(5, 0, 10);
    struct reply reply;
    int fd;

    begin();
    fd = dial();
    put_head(fd, "/v1/traces", body.len, PROTOBUF EXPECT);
    reply = get(fd);
    CHECK_EQ(reply.status, 100);
    (void)put(fd, body.ptr, body.len);
    CHECK_EQ(get(fd).status, 200);
    close(fd);
    fd = dial();
    fake.ready = ERR_BUSY;
    put_head(fd, "/v1/traces", body.len, PROTOBUF EXPECT);
    CHECK_EQ(get(fd).status, 503); /* instead of 100 */
    close(fd);
    fake.ready = OK;
    fd = dial();
    put_head(fd, "/v1/traces", 2 << 20, PROTOBUF EXPECT);
    CHECK_EQ(get(fd).status, 413);
    close(fd);
    end();
    drop(body);
}

TEST(pipelined)
{
    struct slice body = spans(5, 0, 10);
    int fd;

    for (int mode = AT_ONCE; mode <= LATER; mode++) {
        begin();
        fake.mode = (enum mode)mode;
        fd = dial();
        for (int i = 0; i < 50; i++) {
            put_head(fd, i % 10 == 9 ? "/nowhere" : "/v1/traces", body.len,
                     PROTOBUF);
            (void)put(fd, body.ptr, body.len);
        }
        for (int i = 0; i < 50; i++)
            CHECK_EQ(get(fd).status, i % 10 == 9 ? 404 : 200);
        CHECK_EQ(submitted(), 45);
        close(fd);
        end();
    }
    drop(body);
}

TEST(slow_sender)
{
    struct slice body = spans(2, 0, 5);
    int fd;

    begin();
    fd = dial();
    put_head(fd, "/v1/traces", body.len, PROTOBUF);
    for (size_t i = 0; i < body.len; i++) {
        (void)put(fd, body.ptr + i, 1);
        usleep(200);
    }
    CHECK_EQ(get(fd).status, 200);
    close(fd);
    end();
    drop(body);
}

TEST(gone_half_way)
{
    struct slice body = spans(1000, 0, 100);

    begin();
    for (size_t part = 0; part < body.len; part += body.len / 20) {
        int fd = dial();

        put_head(fd, "/v1/traces", body.len, PROTOBUF);
        (void)put(fd, body.ptr, part);
        close(fd);
    }
    CHECK_EQ(post("/v1/traces", PROTOBUF, body).status, 200);
    CHECK_EQ(submitted(), 1);
    end();
    drop(body);
}

TEST(gone_while_it_is_stored)
{
    struct slice body = spans(5, 0, 10);

    begin();
    fake.mode = HELD;
    for (unsigned i = 0; i < 20; i++) {
        int fd = dial();
        struct linger reset = {.l_onoff = 1};

        put_head(fd, "/v1/traces", body.len, PROTOBUF);
        (void)put(fd, body.ptr, body.len);
        for (int j = 0; j < 5000 && submitted() <= i; j++)
            usleep(200);
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    CHECK_EQ(submitted(), 20);
    usleep(10000);
    release();
    fake.mode = AT_ONCE;
    CHECK_EQ(post("/v1/traces", PROTOBUF, body).status, 200);
    end();
    drop(body);
}

static void *stop_thread(void *arg)
{
    ingest_stop(arg);
    return NULL;
}

/* What is with the sink is waited for and answered; what comes meanwhile is
 * told to come again. */
TEST(stop_answers_what_is_under_way)
{
    struct slice body = spans(5, 0, 10);
    int fd[10], idle;
    pthread_t thread;
    struct reply reply;

    begin();
    fake.mode = HELD;
    idle = dial();
    put_head(idle, "/v1/traces", 0, PROTOBUF);
    CHECK_EQ(get(idle).status, 200);
    for (int i = 0; i < 10; i++) {
        fd[i] = dial();
        put_head(fd[i], "/v1/traces", body.len, PROTOBUF);
        (void)put(fd[i], body.ptr, body.len);
    }
    for (int j = 0; j < 5000 && submitted() < 10; j++)
        usleep(200);
    CHECK_EQ(pthread_create(&thread, NULL, stop_thread, ingest), 0);
    usleep(20000);
    reply = post_on(idle, "/v1/traces", PROTOBUF, body);
    CHECK_EQ(reply.status, 503);
    close(idle);
    release();
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(get(fd[i]).status, 200);
        close(fd[i]);
    }
    pthread_join(thread, NULL);
    CHECK_EQ(budget_used(&budget), 0);
    drop(body);
}

TEST(many_idle_connections)
{
    enum { MANY = 1000 };
    struct slice body = spans(5, 0, 10);
    struct rlimit limit;
    int fd[MANY];

    begin();
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur > 2 * MANY + 100) {
        for (int i = 0; i < MANY; i++)
            fd[i] = dial();
        CHECK_EQ(post("/v1/traces", PROTOBUF, body).status, 200);
        CHECK(budget_used(&budget) < MANY * 8 * 1024);
        for (int i = 0; i < MANY; i += 10)
            CHECK_EQ(post_on(fd[i], "/v1/traces", PROTOBUF, body).status, 200);
        for (int i = 0; i < MANY; i++)
            close(fd[i]);
    }
    end();
    drop(body);
}

/* Connections that are kept cannot take all memory: those beyond their half are
 * served, but closed after it. */
TEST(connections_have_a_share)
{
    enum { MANY = 100 };
    struct slice body = spans(5, 0, 10);
    int fd[MANY], kept = 0, closed = 0;

    begin_with(1 << 20, 2 << 20);
    for (int i = 0; i < MANY; i++) {
        struct reply reply;

        fd[i] = dial();
        reply = post_on(fd[i], "/v1/traces", PROTOBUF, body);
        CHECK_EQ(reply.status, 200);
        if (strcmp(reply_header(&reply, "Connection"), "close") == 0)
            closed++;
        else
            kept++;
    }
    CHECK(kept >= 40 && kept <= 64);
    CHECK_EQ(closed, MANY - kept);
    CHECK(budget_used(&budget) <= 1 << 20);
    CHECK(budget.peak <= 3 << 19);
    for (int i = 0; i < MANY; i++)
        close(fd[i]);
    end();
    drop(body);
}

static void *client(void *arg)
{
    struct slice *body = arg;
    int fd = dial();
    uintptr_t good = 0;

    for (int i = 0; i < 50; i++)
        good += post_on(fd, "/v1/traces", PROTOBUF, *body).status == 200;
    close(fd);
    return (void *)good;
}

TEST(clients_at_once)
{
    struct slice body = spans(20, 0, 10);
    pthread_t threads[8];

    begin();
    fake.mode = LATER;
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, client, &body), 0);
    for (int i = 0; i < 8; i++) {
        void *good;

        pthread_join(threads[i], &good);
        CHECK_EQ((uintptr_t)good, 50);
    }
    CHECK_EQ(submitted(), 400);
    CHECK_EQ(fake.records, 8000);
    end();
    drop(body);
}

TEST(address_in_use_is_an_error)
{
    struct ingest_options options = {.idle_timeout_ns = NS_PER_S,
                                     .max_connections = 10,
                                     .budget = &budget,
                                     .sink = {fake_submit, fake_ready, NULL}};
    struct ingest *second = NULL;
    char taken[32];

    begin();
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", ingest_port(ingest));
    options.otlp_http = taken;
    CHECK_EQ(ingest_start(&second, &options), ERR_IO);
    CHECK(second == NULL);
    end();
}
