/* Clients in all their ways: slow, many, gone half way. */
#define _GNU_SOURCE /* memmem */
#include "http_kit.h"
#include "http_server.h"

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
        test_pause_us(200);
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
        WAIT_FOR(submitted() > i);
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    CHECK_EQ(submitted(), 20);
    test_pause_us(10000);
    release();
    fake.mode = AT_ONCE;
    CHECK_EQ(post("/v1/traces", PROTOBUF, body).status, 200);
    end();
    drop(body);
}

static void *stop_thread(void *arg)
{
    otlp_http_stop(arg);
    return NULL;
}

/* A stop waits for the requests in the sink and answers them; requests that
 * arrive meanwhile get Retry-After. */
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
    WAIT_FOR(submitted() >= 10);
    CHECK_EQ(pthread_create(&thread, NULL, stop_thread, ingest), 0);
    test_pause_us(20000);
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

/* ---- waiting for room ---- */

static void *ready_soon(void *arg)
{
    (void)arg;
    test_pause_us(300000);
    fake.ready = OK;
    return NULL;
}

static void put_chunks(int fd, struct slice body)
{
    char size[32];

    for (size_t at = 0; at < body.len; at += 50000) {
        size_t len = body.len - at < 50000 ? body.len - at : 50000;

        snprintf(size, sizeof(size), "%zx\r\n", len);
        (void)put_text(fd, size);
        (void)put(fd, body.ptr + at, len);
        (void)put_text(fd, "\r\n");
    }
    (void)put_text(fd, "0\r\n\r\n");
}

/* The library calls us again with no bytes after a wait before the body: that
 * is not its end. */
TEST(a_body_arrives_whole_after_a_wait)
{
    struct slice body = spans(1, 0, 3 << 20);

    for (int way = 0; way < 4; way++) {
        uint64_t began = clock_monotonic_ns();
        pthread_t thread;
        int fd;

        begin_with(4 << 20, 64 << 20);
        fake.ready = ERR_BUSY;
        CHECK_EQ(pthread_create(&thread, NULL, ready_soon, NULL), 0);
        fd = dial();
        if (way == 2) {
            (void)put_text(
                fd, "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n" PROTOBUF
                    "Transfer-Encoding: chunked\r\n\r\n");
            put_chunks(fd, body);
        } else {
            put_head(fd, "/v1/traces", way == 3 ? 0 : body.len,
                     way == 1 ? PROTOBUF EXPECT : PROTOBUF);
            if (way == 1)
                CHECK_EQ(get(fd).status, 100);
            if (way != 3)
                (void)put(fd, body.ptr, body.len);
        }
        CHECK_EQ(get(fd).status, 200);
        CHECK(clock_monotonic_ns() - began >= 250 * NS_PER_MS);
        pthread_join(thread, NULL);
        CHECK_EQ(submitted(), way == 3 ? 0 : 1);
        if (way != 3)
            CHECK_EQ(fake.body_len, body.len);
        close(fd);
        end();
    }
    drop(body);
}

static void *give_soon(void *arg)
{
    test_pause_us(300000);
    budget_give(arg, 3 << 20);
    return NULL;
}

/* Memory that is short in the middle of a body, and comes back. */
TEST(a_body_arrives_whole_after_a_wait_in_its_middle)
{
    struct slice body = spans(1, 0, 1500000);

    for (int chunked = 0; chunked < 2; chunked++) {
        pthread_t thread;
        int fd;

        begin_with(2 << 20, 4 << 20);
        fd = dial();
        if (chunked)
            (void)put_text(
                fd, "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n" PROTOBUF
                    "Transfer-Encoding: chunked\r\n\r\n");
        else
            put_head(fd, "/v1/traces", body.len, PROTOBUF);
        test_pause_us(50000); /* it is admitted */
        CHECK(budget_take(&budget, 3 << 20));
        CHECK_EQ(pthread_create(&thread, NULL, give_soon, &budget), 0);
        if (chunked)
            put_chunks(fd, body);
        else
            (void)put(fd, body.ptr, body.len);
        CHECK_EQ(get(fd).status, 200);
        CHECK_EQ(fake.body_len, body.len);
        pthread_join(thread, NULL);
        close(fd);
        end();
    }
    drop(body);
}

/* A refusal after two seconds, and the connection can be used again. */
TEST(a_request_that_waited_too_long_gets_retry_after)
{
    struct slice body = spans(5, 0, 10);
    uint64_t began = clock_monotonic_ns(), took;
    struct reply reply;
    int fd;

    begin();
    fd = dial();
    fake.ready = ERR_FULL;
    reply = post_on(fd, "/v1/traces", PROTOBUF, body);
    took = (clock_monotonic_ns() - began) / NS_PER_MS;
    CHECK_EQ(reply.status, 503);
    CHECK_TEXT(slice_of(reply_header(&reply, "Retry-After")), "1");
    CHECK(took >= HTTP_WAIT_MS && took < 3 * HTTP_WAIT_MS);
    fake.ready = OK;
    CHECK_EQ(post_on(fd, "/v1/traces", PROTOBUF, body).status, 200);
    close(fd);
    end();
    drop(body);
}

/* Clients that go away while they wait. */
TEST(gone_while_it_waits)
{
    begin();
    fake.ready = ERR_BUSY;
    for (int i = 0; i < 20; i++) {
        int fd = dial();

        put_head(fd, "/v1/traces", 1000, PROTOBUF);
        close(fd);
    }
    test_pause_us(100000);
    end(); /* while they wait */
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
    struct otlp_http_options options = {
        .idle_timeout_ns = NS_PER_S,
        .max_connections = 10,
        .receiver = {.budget = &budget,
                     .sink = {fake_submit, fake_ready, NULL, NULL}}};
    struct otlp_http *second = NULL;
    char taken[32];

    begin();
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", otlp_http_port(ingest));
    options.listen = taken;
    CHECK_EQ(otlp_http_start(&second, &options), ERR_IN_USE);
    CHECK(second == NULL);
    end();
}
