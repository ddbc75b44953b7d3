/*
 * Requests to a server that fails in every way: refused, silent, slow, cut off,
 * cancelled, away and back. What a real ClickHouse answers: tests/clickhouse/.
 */
#include "ch_client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "ch_url.h"
#include "clock.h"
#include "test.h"

/* ---- a server with one answer ---- */

struct server {
    int fd;
    unsigned port;
    _Atomic(const char *) answer; /* to each request; NULL: silence */
    pthread_t thread;
    atomic_int requests;
    char head[8192]; /* of the last request, with some of its body */
};

static void serve_one(struct server *server, int fd)
{
    size_t len = 0;
    ssize_t n;

    while (len < sizeof(server->head) - 1 &&
           (n = read(fd, server->head + len, sizeof(server->head) - 1 - len)) >
               0) {
        len += (size_t)n;
        server->head[len] = '\0';
        if (strstr(server->head, "\r\n\r\n") && strstr(server->head, "SELECT"))
            break;
    }
    atomic_fetch_add(&server->requests, 1);
    const char *answer = server->answer;
    if (answer)
        CHECK(write(fd, answer, strlen(answer)) > 0);
    else
        while (read(fd, server->head, sizeof(server->head)) > 0)
            ; /* until the client goes */
}

static void *serve_main(void *arg)
{
    struct server *server = arg;
    int fd;

    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        serve_one(server, fd);
        close(fd);
    }
    return NULL;
}

static void server_start(struct server *server, const char *answer)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    *server = (struct server){.answer = answer};
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(server->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    CHECK_EQ(listen(server->fd, 16), 0);
    CHECK_EQ(getsockname(server->fd, (struct sockaddr *)&at, &len), 0);
    server->port = ntohs(at.sin_port);
    CHECK_EQ(pthread_create(&server->thread, NULL, serve_main, server), 0);
}

static void server_stop(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
}

/* ---- a client ---- */

static struct ch_client *client_of(unsigned port)
{
    char url[128];
    const char *why = "";
    struct ch_options options = {.url = url};
    struct ch_client *client;

    (void)snprintf(url, sizeof(url), "http://me:s%%40fe@127.0.0.1:%u/base",
                   port);
    if (!CHECK(ch_client_open(&client, &options, &why) == OK))
        exit(1);
    return client;
}

static enum status take(void *arg, struct slice bytes)
{
    buf_add(arg, bytes);
    return OK;
}

static enum status ask(struct ch_client *client, uint64_t limit_ns,
                       const atomic_bool *cancelled, struct buf *answer,
                       struct ch_error *error)
{
    const struct ch_request request = {
        .sql = SLICE("SELECT 1"),
        .deadline_ns = clock_monotonic_ns() + limit_ns,
        .cancelled = cancelled,
        .take = take,
        .arg = answer,
    };

    buf_init(answer, 1 << 20);
    return ch_run(client, &request, error);
}

#define LONG_NS (60 * NS_PER_S)

static void check_answer(const char *answer, enum status status, bool retry,
                         const char *words)
{
    struct server server;
    struct ch_error error;
    struct ch_client *client;
    struct buf got;

    server_start(&server, answer);
    client = client_of(server.port);
    CHECK_EQ(ask(client, answer ? LONG_NS : NS_PER_S / 5, NULL, &got, &error),
             status);
    CHECK_EQ(error.retry, retry);
    if (!CHECK(strstr(error.text, words) != NULL))
        printf("# %s\n", error.text);
    CHECK(!strstr(error.text, "fe@"));
    buf_release(&got);
    ch_client_close(client);
    server_stop(&server);
}

TEST(an_answer_and_its_request)
{
    struct server server;
    struct ch_error error;
    struct ch_client *client;
    struct buf got;

    server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
    client = client_of(server.port);
    CHECK_EQ(ask(client, LONG_NS, NULL, &got, &error), OK);
    CHECK_TEXT(buf_slice(&got), "yes");
    CHECK_EQ(error.status, OK);
    ch_client_close(client);
    server_stop(&server);
    CHECK(strstr(server.head, "X-ClickHouse-User: me\r\n") != NULL);
    CHECK(strstr(server.head, "X-ClickHouse-Key: s@fe\r\n") != NULL);
    CHECK(strstr(server.head, "database=base&") != NULL);
    CHECK(strstr(server.head, "readonly=2") != NULL);
    CHECK(strstr(server.head, "Expect") == NULL);
    buf_release(&got);
}

TEST(answers_that_are_cut_off)
{
    check_answer("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nyes", ERR_IO,
                 true, "retry later");
    check_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n"
                 "yes\r\n",
                 ERR_IO, true, "retry later");
    check_answer("HTTP/1.1 20", ERR_IO, true, "retry later");
    check_answer("HTTP/1.1 500 x\r\nX-ClickHouse-Exception-Code: 243\r\n"
                 "Content-Length: 300\r\n\r\nCode: 243. DB::Exc",
                 ERR_IO, true, "disk is full");
}

TEST(silence_ends_at_the_deadline)
{
    check_answer(NULL, ERR_DEADLINE, true, "in time");
}

TEST(something_else_than_clickhouse)
{
    check_answer("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                 "Content-Length: 0\r\n\r\n",
                 ERR_IO, true, "failed");
}

struct asking {
    struct ch_client *client;
    atomic_bool cancelled;
    struct ch_error error;
};

static void *ask_main(void *arg)
{
    struct asking *asking = arg;
    struct buf got;

    CHECK_EQ(
        ask(asking->client, LONG_NS, &asking->cancelled, &got, &asking->error),
        ERR_CANCELLED);
    buf_release(&got);
    return NULL;
}

TEST(a_flag_ends_a_request)
{
    struct server server;
    struct asking asking = {.client = NULL};
    pthread_t thread;

    server_start(&server, NULL);
    asking.client = client_of(server.port);
    CHECK_EQ(pthread_create(&thread, NULL, ask_main, &asking), 0);
    WAIT_FOR(atomic_load(&server.requests) == 1);
    atomic_store(&asking.cancelled, true);
    pthread_join(thread, NULL);
    CHECK_EQ(asking.error.status, ERR_CANCELLED);
    ch_client_close(asking.client);
    server_stop(&server);
}

TEST(away_and_back)
{
    struct server server;
    struct ch_error error;
    struct ch_client *client;
    struct buf got;

    server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client = client_of(server.port);
    CHECK_EQ(ask(client, LONG_NS, NULL, &got, &error), OK);
    ch_client_health(client, &error);
    CHECK_EQ(error.status, OK);
    server_stop(&server);
    CHECK_EQ(ask(client, LONG_NS, NULL, &got, &error), ERR_IO);
    CHECK(error.retry && strstr(error.reason, "cannot be reached"));
    ch_client_health(client, &error);
    CHECK_EQ(error.status, ERR_IO);
    ch_client_close(client);
}

TEST(a_full_disk_is_known_while_questions_are_answered)
{
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct server server;
    struct ch_error error;
    struct ch_request write = {.sql = SLICE("INSERT SELECT"),
                               .writes = true,
                               .deadline_ns = clock_monotonic_ns() + LONG_NS};
    struct buf got;

    server_start(&server, "HTTP/1.1 500 Error\r\nX-ClickHouse-Exception-Code: "
                          "243\r\nContent-Length: 0\r\n\r\n");
    struct ch_client *client = client_of(server.port);
    CHECK_EQ(ch_run(client, &write, &error), ERR_IO);
    server.answer = good;
    CHECK_EQ(ask(client, LONG_NS, NULL, &got, &error), OK);
    ch_client_health(client, &error);
    CHECK_EQ(error.status, ERR_IO);
    CHECK(error.reason && strstr(error.reason, "disk is full"));
    CHECK_EQ(ch_run(client, &write, &error), OK);
    ch_client_health(client, &error);
    CHECK_EQ(error.status, OK);
    ch_client_close(client);
    server_stop(&server);
}

TEST(a_deadline_that_has_passed_asks_nobody)
{
    struct server server;
    struct ch_error error;
    struct ch_client *client;
    const struct ch_request late = {.sql = SLICE("SELECT 1"), .deadline_ns = 1};

    server_start(&server, "HTTP/1.1 200 OK\r\n\r\n");
    client = client_of(server.port);
    CHECK_EQ(ch_run(client, &late, &error), ERR_DEADLINE);
    CHECK_EQ(atomic_load(&server.requests), 0);
    ch_client_close(client);
    server_stop(&server);
}

/* ---- URLs ---- */

static void check_url(const char *text, const char *base, const char *user,
                      const char *password, const char *place)
{
    struct ch_url url;
    const char *why = "";

    if (!CHECK(ch_url_parse(&url, text, &why))) {
        printf("# %s: %s\n", text, why);
        return;
    }
    CHECK_TEXT(slice_of(url.base), base);
    CHECK_TEXT(slice_of(url.user), user);
    CHECK_TEXT(slice_of(url.password), password);
    CHECK_TEXT(slice_of(url.place), place);
    ch_url_release(&url);
}

TEST(urls)
{
    check_url("http://host/db", "http://host:8123/", "", "", "host:8123/db");
    check_url("https://a:b%3a%40@h:1/d%20b", "https://h:1/", "a", "b:@",
              "h:1/d b");
    check_url("https://u@[::1]/db", "https://[::1]:8443/", "u", "",
              "[::1]:8443/db");
    check_url("http://u:p:q@h:99999/x", "http://h:99999/", "u", "p:q",
              "h:99999/x");
}

TEST(bad_urls)
{
    static const char *const bad[] = {
        "",
        "host/db",
        "ftp://host/db",
        "http://host",
        "http://host/",
        "http:///db",
        "http://host/db/",
        "http://host/db?x=1",
        "http://host/db#x",
        "http://host:/db",
        "http://host:x/db",
        "http://host:123456/db",
        "http://ho st/db",
        "http://[::1/db",
        "http://[host]/db",
        "http://u:%4@host/db",
        "http://u:%0a@host/db",
        "http://u:p%zz@host/db",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct ch_url url;
        const char *why = NULL;

        if (!CHECK(!ch_url_parse(&url, bad[i], &why)))
            printf("# %s\n", bad[i]);
        CHECK(why != NULL);
    }
}
