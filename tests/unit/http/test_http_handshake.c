/* TLS handshakes that wait for their clients: in pieces, given up, never ended,
 * and under way when the server stops. With TSan, too. */
#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "http_server.h"
#include "http_slots.h"
#include "log.h"
#include "stats.h"
#include "test.h"
#include "tls.h"

enum { STALLED = 40, CLIENTS = 4, PIECE = 7 };

static struct http_server *server;
static struct budget budget;
static struct tls *tls;

/* ---- a pair ---- */

static void write_file(const char *path, const gnutls_datum_t *text)
{
    FILE *file = fopen(path, "wb");

    CHECK(file != NULL);
    CHECK_EQ(fchmod(fileno(file), 0600), 0);
    CHECK_EQ(fwrite(text->data, 1, text->size, file), text->size);
    fclose(file);
}

/* Signed by itself, for a day. */
static void make_pair(const char *cert_path, const char *key_path)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t cert;
    gnutls_datum_t text;
    time_t now = time(NULL);

    CHECK_EQ(gnutls_x509_privkey_init(&key), 0);
    CHECK_EQ(gnutls_x509_privkey_generate(
                 key, GNUTLS_PK_ECDSA,
                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
             0);
    CHECK_EQ(gnutls_x509_crt_init(&cert), 0);
    CHECK_EQ(gnutls_x509_crt_set_version(cert, 3), 0);
    CHECK_EQ(gnutls_x509_crt_set_serial(cert, "\1", 1), 0);
    CHECK_EQ(gnutls_x509_crt_set_dn(cert, "CN=localhost", NULL), 0);
    CHECK_EQ(gnutls_x509_crt_set_activation_time(cert, now - 60), 0);
    CHECK_EQ(gnutls_x509_crt_set_expiration_time(cert, now + 86400), 0);
    CHECK_EQ(gnutls_x509_crt_set_key(cert, key), 0);
    CHECK_EQ(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0), 0);
    CHECK_EQ(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(cert_path, &text);
    gnutls_free(text.data);
    CHECK_EQ(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(key_path, &text);
    gnutls_free(text.data);
    gnutls_x509_crt_deinit(cert);
    gnutls_x509_privkey_deinit(key);
}

/* ---- the server ---- */

static enum http_next handle(void *arg, struct http_request *request)
{
    (void)arg;
    request->response.code = 200;
    request->response.content_type = "text/plain";
    buf_init(&request->response.body, 16);
    buf_add(&request->response.body, SLICE("served"));
    return HTTP_DONE;
}

static void refuse(void *arg, struct http_request *request, enum status status,
                   const char *why)
{
    (void)arg;
    (void)why;
    request->response.code = status_http(status);
    request->response.content_type = "text/plain";
    buf_init(&request->response.body, 16);
}

static void open_tls(void)
{
    char folder[] = "/tmp/callboard-handshake-XXXXXX", cert[64], key[64];

    CHECK(mkdtemp(folder) != NULL);
    snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
    snprintf(key, sizeof(key), "%s/key.pem", folder);
    make_pair(cert, key);
    struct tls_options files = {.name = "test", .cert = cert, .key = key};

    CHECK_EQ(tls_open(&tls, &files), OK);
    unlink(cert);
    unlink(key);
    rmdir(folder);
}

static void begin(void)
{
    static const struct http_route routes[] = {
        {"GET", "/", ACTION_ANY, SCOPE_NONE, 0, 0, NULL}};
    struct http_options options = {
        .name = "test",
        .listen = "127.0.0.1:0",
        .routes = routes,
        .route_count = 1,
        .service = {.handle = handle, .refuse = refuse},
        .max_connections = 256,
        .files_eighths = 1,
        .idle_timeout_ns = 60 * NS_PER_S,
        .max_body = 1 << 20,
        .budget = &budget,
        .body_share = 2 << 20,
        .response_share = 1 << 20,
    };

    log_set_level(LOG_ERROR);
    budget_init(&budget, 64 << 20);
    open_tls();
    options.tls = tls;
    CHECK_EQ(http_start(&server, &options), OK);
}

static void end(void)
{
    uint64_t began = clock_monotonic_ns();

    http_stop(server);
    CHECK(clock_monotonic_ns() - began < 5 * NS_PER_S);
    tls_close(tls);
    CHECK_EQ(budget_used(&budget), 0);
}

/* ---- clients ---- */

static int connected(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The begin of a ClientHello. */
static int half_hello(uint16_t port, size_t len)
{
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    int fd = connected(port);

    if (fd >= 0)
        (void)!send(fd, hello, len, MSG_NOSIGNAL);
    return fd;
}

/* A few bytes at a time, so that each read of the handshake finds too few. */
static ssize_t push_slowly(gnutls_transport_ptr_t to, const void *bytes,
                           size_t len)
{
    int fd = (int)(intptr_t)to;

    for (size_t at = 0; at < len; at += PIECE) {
        size_t piece = len - at < PIECE ? len - at : PIECE;

        if (send(fd, (const char *)bytes + at, piece, MSG_NOSIGNAL) < 0)
            return -1;
        test_pause_us(1000);
    }
    return (ssize_t)len;
}

/* Whether it was served. */
static bool ask_slowly(uint16_t port)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: close\r\n\r\n";
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
    char text[1024] = "";
    size_t len = 0;
    int fd = connected(port);
    bool secured;

    CHECK(fd >= 0);
    CHECK_EQ(gnutls_certificate_allocate_credentials(&credentials), 0);
    CHECK_EQ(gnutls_init(&session, GNUTLS_CLIENT), 0);
    CHECK_EQ(gnutls_set_default_priority(session), 0);
    CHECK_EQ(
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials),
        0);
    gnutls_transport_set_int(session, fd);
    gnutls_transport_set_push_function(session, push_slowly);
    secured = gnutls_handshake(session) == 0;
    if (secured &&
        gnutls_record_send(session, request, sizeof(request) - 1) > 0) {
        ssize_t n;

        while ((n = gnutls_record_recv(session, text + len,
                                       sizeof(text) - 1 - len)) > 0)
            len += (size_t)n;
    }
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(credentials);
    close(fd);
    return secured && strstr(text, "served");
}

/* ---- the tests ---- */

TEST(a_handshake_in_pieces_succeeds)
{
    uint64_t before = stats_get(STATS_TLS_HANDSHAKES);

    begin();
    CHECK(ask_slowly(http_port(server)));
    CHECK_EQ(stats_get(STATS_TLS_HANDSHAKES), before + 1);
    end();
}

/* Of this process, ms. */
static long cpu_ms(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
           (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000;
}

TEST(a_handshake_that_never_ends_costs_nothing_and_is_ended)
{
    uint64_t failed = stats_get(STATS_TLS_HANDSHAKES_FAILED);
    uint64_t began = clock_monotonic_ns();
    int fds[STALLED];
    long used;
    char byte;

    begin();
    for (int i = 0; i < STALLED; i++)
        fds[i] = half_hello(http_port(server), (size_t)(i % 30));
    test_pause_us(500000);
    used = cpu_ms();
    test_pause_us(900000);
    CHECK(cpu_ms() - used < 400);
    CHECK(ask_slowly(http_port(server)));
    for (int i = 0; i < STALLED; i++) {
        CHECK(fds[i] >= 0);
        CHECK(recv(fds[i], &byte, 1, 0) <= 0); /* waits for its end */
        close(fds[i]);
    }
    CHECK(clock_monotonic_ns() - began > (SLOT_HEAD_S - 2) * NS_PER_S);
    CHECK(clock_monotonic_ns() - began < (SLOT_HEAD_S + 10) * NS_PER_S);
    WAIT_FOR(stats_get(STATS_TLS_HANDSHAKES_FAILED) == failed + STALLED);
    end();
}

TEST(a_stop_ends_handshakes_that_wait)
{
    int fds[STALLED];

    begin();
    for (int i = 0; i < STALLED; i++)
        fds[i] = half_hello(http_port(server), (size_t)(i % 30));
    test_pause_us(200000);
    end();
    for (int i = 0; i < STALLED; i++)
        close(fds[i]);
}

static atomic_bool over;

/* Begins, goes on or not, and leaves. */
static void *give_up(void *arg)
{
    uint16_t port = (uint16_t)(uintptr_t)arg;
    struct linger reset = {1, 0};

    for (unsigned turn = 0; !atomic_load(&over); turn++) {
        int fd = half_hello(port, turn % 30);

        if (fd < 0)
            continue;
        if (turn % 3 == 0)
            test_pause_us(2000);
        if (turn % 5 == 0)
            (void)!send(fd, "more", 4, MSG_NOSIGNAL);
        if (turn % 2 == 0)
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    return NULL;
}

TEST(clients_give_up_while_the_server_serves_and_stops)
{
    pthread_t threads[CLIENTS];
    int served = 0;

    begin();
    atomic_store(&over, false);
    for (int i = 0; i < CLIENTS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, give_up,
                                (void *)(uintptr_t)http_port(server)),
                 0);
    for (int i = 0; i < 10; i++)
        served += ask_slowly(http_port(server));
    CHECK_EQ(served, 10);
    end(); /* they go on */
    atomic_store(&over, true);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
}
