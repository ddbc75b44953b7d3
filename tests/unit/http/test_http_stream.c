/* Bodies that are produced in pieces as the client reads them. */
#include "http_server_kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 64 * 1024, PIECES = 500, HELD = 300 * 1024 };

static atomic_int produced, released;
static int last_piece, fails_at;
static size_t held;
static char text[PIECE * (PIECES + 2)];

/* Piece n is made of the same letter. */
static void add_piece(struct buf *out, int n)
{
    char *to = buf_room(out, PIECE);

    if (!CHECK(to))
        return;
    memset(to, 'a' + n % 26, PIECE);
    buf_grown(out, PIECE);
}

static bool produce(void *arg, struct buf *out)
{
    (void)arg;
    int n = atomic_fetch_add(&produced, 1);

    if (n == fails_at)
        out->status = ERR_TOO_BIG;
    else
        add_piece(out, n);
    return n + 1 < last_piece;
}

/* As a worker does. */
static void *resume(void *request)
{
    http_resume(request);
    return NULL;
}

static enum http_next handle(void *arg, struct http_request *request)
{
    struct http_response *response = &request->response;
    pthread_t thread;

    (void)arg;
    atomic_store(&produced, 1);
    response->code = 200;
    response->content_type = "text/plain";
    buf_init(&response->body, 2 * PIECE);
    add_piece(&response->body, 0);
    response->produce = produce;
    response->held = held;
    http_suspend(request);
    CHECK_EQ(pthread_create(&thread, NULL, resume, request), 0);
    pthread_detach(thread);
    return HTTP_PENDING;
}

static void release(void *arg, struct http_request *request)
{
    (void)arg;
    (void)request;
    atomic_fetch_add(&released, 1);
}

static void begin(void)
{
    static const struct http_route routes[] = {
        {"GET", "/pieces", ACTION_ANY, SCOPE_NONE, 0, 0, NULL}};

    atomic_store(&released, 0);
    last_piece = PIECES;
    fails_at = -1;
    held = HELD;
    server_begin(routes, 1,
                 (struct http_service){.handle = handle,
                                       .refuse = server_refuse,
                                       .release = release});
}

/* It takes little before it reads. */
static int open_client(const char *request)
{
    int fd = tcp_dial_with(http_port(server), 32 * 1024);

    tcp_say(fd, request);
    return fd;
}

static size_t read_all(int fd)
{
    return tcp_read_all(fd, text, sizeof(text));
}

#define GET   "GET /pieces HTTP/1.1\r\nHost: localhost\r\n"
#define CLOSE "Connection: close\r\n\r\n"

/* Letters of each piece of a body, chunks taken apart; the end of it, or NULL
 * if it ends before the last chunk. */
static const char *check_chunks(const char *body, size_t *bytes)
{
    *bytes = 0;
    for (;;) {
        char *at;
        size_t size = strtoul(body, &at, 16);

        if (strncmp(at, "\r\n", 2) != 0)
            return NULL;
        at += 2;
        if (size == 0)
            return strncmp(at, "\r\n", 2) == 0 ? at + 2 : NULL;
        for (size_t i = 0; i < size; i++)
            if (at[i] != 'a' + (int)((*bytes + i) / PIECE) % 26)
                return NULL;
        *bytes += size;
        body = at + size + 2;
    }
}

TEST(a_body_arrives_whole_in_chunks)
{
    size_t bytes;

    begin();
    read_all(open_client(GET CLOSE));
    CHECK(strstr(text, "HTTP/1.1 200 OK"));
    CHECK(strstr(text, "Transfer-Encoding: chunked"));
    CHECK(!strstr(text, "Content-Length"));
    CHECK(!strstr(text, "ETag"));
    CHECK(check_chunks(strstr(text, "\r\n\r\n") + 4, &bytes));
    CHECK_EQ(bytes, PIECE * PIECES);
    CHECK_EQ(atomic_load(&produced), PIECES);
    server_end();
    CHECK_EQ(atomic_load(&released), 1);
}

TEST(the_connection_is_kept)
{
    const char *second;
    size_t bytes;

    begin();
    last_piece = 3;
    read_all(open_client(GET "\r\n" GET CLOSE));
    second = check_chunks(strstr(text, "\r\n\r\n") + 4, &bytes);
    CHECK_EQ(bytes, 3 * PIECE);
    if (CHECK(second)) {
        CHECK(strstr(second, "HTTP/1.1 200 OK") == second);
        CHECK(check_chunks(strstr(second, "\r\n\r\n") + 4, &bytes));
        CHECK_EQ(bytes, 3 * PIECE);
    }
    server_end();
}

TEST(head_and_old_clients)
{
    size_t len;

    begin();
    last_piece = 3;
    len = read_all(open_client("HEAD /pieces HTTP/1.1\r\n"
                               "Host: localhost\r\n" CLOSE));
    CHECK(strstr(text, "HTTP/1.1 200 OK"));
    CHECK(strstr(text, "\r\n\r\n") + 4 == text + len); /* no body */
    /* Nor anything that would be in front of the next answer. */
    len = read_all(open_client("HEAD /pieces HTTP/1.1\r\n"
                               "Host: localhost\r\n\r\n"));
    CHECK(strstr(text, "\r\n\r\n") + 4 == text + len);
    len = read_all(open_client("GET /pieces HTTP/1.0\r\n\r\n"));
    CHECK(!strstr(text, "chunked"));
    CHECK_EQ(text + len - (strstr(text, "\r\n\r\n") + 4), 3 * PIECE);
    server_end();
}

/* What it has not read is not made. */
TEST(a_client_that_does_not_read_gets_no_pieces)
{
    char some[1000];
    int fd, before;

    begin();
    fd = open_client(GET CLOSE);
    CHECK(recv(fd, some, sizeof(some), 0) > 0);
    do {
        before = atomic_load(&produced);
        test_pause_us(200 * 1000);
    } while (atomic_load(&produced) != before);
    CHECK(before < PIECES / 2);
    CHECK(budget_used(&budget) > 0);
    CHECK_EQ(atomic_load(&released), 0);
    close(fd); /* and leaves */
    WAIT_FOR(atomic_load(&released) == 1);
    CHECK(atomic_load(&produced) < PIECES);
    server_end();
}

/* No last chunk: the client knows that something is missing. */
TEST(a_failure_within_it_ends_the_connection)
{
    size_t bytes;

    begin();
    fails_at = 5;
    read_all(open_client(GET "\r\n"));
    CHECK(!check_chunks(strstr(text, "\r\n\r\n") + 4, &bytes));
    CHECK(bytes <= 5 * PIECE);
    server_end();
    CHECK_EQ(atomic_load(&released), 1);
}

/* What the service holds uses up the share of responses, until the slowest
 * reader is closed for the next one. A single one may be larger. */
TEST(what_is_held_counts)
{
    int fd;
    char some[1000];

    begin();
    held = 3 << 20;
    read_all(open_client(GET CLOSE));
    CHECK(strstr(text, "200 OK"));
    WAIT_FOR(atomic_load(&released) == 1);
    held = 500 * 1024;
    fd = open_client(GET CLOSE);
    CHECK(recv(fd, some, sizeof(some), 0) > 0);
    read_all(open_client(GET CLOSE));
    CHECK(strstr(text, "503 Service Unavailable"));
    test_pause_us(1100 * 1000);
    read_all(open_client(GET CLOSE));
    CHECK(strstr(text, "200 OK"));
    WAIT_FOR(atomic_load(&released) == 4);
    close(fd);
    server_end();
}
