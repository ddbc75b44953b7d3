/*
 * http_kit - a receiver with a sink that a test controls, a client that says
 * what it wants byte by byte, and bodies. Its user defines _GNU_SOURCE first.
 */
#ifndef HTTP_KIT_H
#define HTTP_KIT_H

#include "otlp_http.h"

#include <libdeflate.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/resource.h>
#include <zstd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "stats.h"
#include "tcp_client.h"
#include "tenants.h"
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
    _Atomic enum status ready; /* tests change it under way */
    enum status done;
    struct batch *held;
    unsigned batches, records;
    size_t body_len;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void finish(struct batch *batch)
{
    batch_done(batch, fake.done);
    batch_free(batch);
}

static inline void *finish_later(void *batch)
{
    test_pause_us(2000);
    finish(batch);
    return NULL;
}

static inline void fake_submit(void *arg, struct batch *batch)
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

static inline enum status fake_ready(void *arg)
{
    (void)arg;
    return fake.ready;
}

static inline unsigned submitted(void)
{
    unsigned batches;

    pthread_mutex_lock(&fake.lock);
    batches = fake.batches;
    pthread_mutex_unlock(&fake.lock);
    return batches;
}

static inline void release(void)
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

static bool nearly_full;

static inline bool fake_nearly_full(void *arg)
{
    (void)arg;
    return nearly_full;
}

/* ---- a receiver per test ---- */

static struct budget budget;
static struct otlp_http *ingest;
static struct budget *bodies;   /* NULL: none */
static struct tenants *tenants; /* NULL: none */
static uint64_t oldest;

static inline uint64_t oldest_ns(void *arg, enum signal signal,
                                 uint64_t received_ns)
{
    (void)received_ns;
    (void)arg;
    (void)signal;
    return oldest;
}

static inline void begin_with(size_t max_body, size_t memory)
{
    struct otlp_http_options options = {
        .listen = "127.0.0.1:0",
        .max_connections = 2000,
        .idle_timeout_ns = 30 * NS_PER_S,
        .receiver = {.max_body = max_body,
                     .oldest_ns = oldest_ns,
                     .budget = &budget,
                     .bodies = bodies,
                     .tenants = tenants,
                     .sink = {.submit = fake_submit,
                              .ready = fake_ready,
                              .nearly_full = fake_nearly_full}},
    };

    log_set_level(LOG_ERROR);
    budget_init(&budget, memory);
    fake.mode = AT_ONCE;
    fake.ready = fake.done = OK;
    fake.batches = fake.records = 0;
    oldest = 0;
    ingest = NULL;
    CHECK_EQ(otlp_http_start(&ingest, &options), OK);
}

static inline void begin(void)
{
    begin_with(1 << 20, 128 << 20);
}

/* All that was charged is given back: of a batch after its answer. */
static inline void end(void)
{
    otlp_http_stop(ingest);
    for (int i = 0; i < 1000 && budget_used(&budget) > 0; i++)
        test_pause_us(1000);
    CHECK_EQ(budget_used(&budget), 0);
}

/* ---- a client ---- */

struct reply {
    int status; /* 0: none came */
    char head[1024];
    char body[8192];
    size_t len;
};

static inline int dial(void)
{
    return tcp_dial(otlp_http_port(ingest));
}

static inline bool put(int fd, const void *bytes, size_t len)
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

static inline bool put_text(int fd, const char *text)
{
    return put(fd, text, strlen(text));
}

/* The value of a header of the reply; "" if it has none. */
static inline const char *reply_header(const struct reply *reply,
                                       const char *name)
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

static inline struct reply get(int fd)
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

static inline void put_head(int fd, const char *path, size_t len,
                            const char *more)
{
    char head[512];

    snprintf(
        head, sizeof(head),
        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n%s\r\n",
        path, len, more);
    (void)put_text(fd, head);
}

#define PROTOBUF "Content-Type: application/x-protobuf\r\n"
#define JSON     "Content-Type: application/json\r\n"

static inline struct reply post_on(int fd, const char *path, const char *more,
                                   struct slice body)
{
    put_head(fd, path, body.len, more);
    (void)put(fd, body.ptr, body.len);
    return get(fd);
}

static inline struct reply post(const char *path, const char *more,
                                struct slice body)
{
    int fd = dial();
    struct reply reply = post_on(fd, path, more, body);

    close(fd);
    return reply;
}

/* ---- bodies ---- */

static inline void add_field(struct buf *out, unsigned field,
                             struct slice bytes)
{
    buf_varint(out, field << 3 | 2);
    buf_varint(out, bytes.len);
    buf_add(out, bytes);
}

static inline void add_message(struct buf *out, unsigned field,
                               struct buf *message)
{
    add_field(out, field, buf_slice(message));
    buf_release(message);
}

static inline void add_span(struct buf *out, bool good, struct slice name)
{
    struct buf span;
    uint64_t now = clock_wall_ns();

    buf_init(&span, SIZE_MAX);
    add_field(&span, 1, SLICE("0123456789abcdef"));
    add_field(&span, 2, good ? SLICE("01234567") : SLICE("0123"));
    add_field(&span, 5, name);
    buf_varint(&span, 7 << 3 | 1);
    buf_fixed(&span, now - NS_PER_S, 8);
    buf_varint(&span, 8 << 3 | 1);
    buf_fixed(&span, now, 8);
    add_message(out, 2, &span);
}

/* An export request of so many spans, of which the first `bad` are invalid.
 * To be freed. */
static inline struct slice spans(unsigned count, unsigned bad, size_t name_len)
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

static inline void drop(struct slice s)
{
    free((void *)(uintptr_t)s.ptr);
}

static inline struct slice gzip(struct slice in)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(1);
    size_t room = libdeflate_gzip_compress_bound(c, in.len);
    char *out = mem_alloc(room);
    size_t len = libdeflate_gzip_compress(c, in.ptr, in.len, out, room);

    libdeflate_free_compressor(c);
    return (struct slice){out, len};
}

static inline struct slice zstd(struct slice in)
{
    size_t room = ZSTD_compressBound(in.len);
    char *out = mem_alloc(room);
    size_t len = ZSTD_compress(out, room, in.ptr, in.len, 1);

    return (struct slice){out, len};
}

static inline bool mentions(const struct reply *reply, const char *text)
{
    return memmem(reply->body, reply->len, text, strlen(text)) != NULL;
}

#endif
