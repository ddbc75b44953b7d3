/* The port itself, through real sockets: what the threads, the queue and the
 * limits do. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fake_query.h"
#include "stats.h"
#include "tcp_client.h"

#define LOGS "/api/v1/logs/query"
#define BODY                                               \
    "{\"startTime\":\"2026-08-21T08:00:00Z\",\"endTime\":" \
    "\"2026-08-21T09:00:00Z\",\"searchScope\":{\"namespace\":\"acme\"}}"

static struct bed bed;
static struct query *query;
static struct tenants *the_tenants;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int inside;

static void wait_at_gate(void)
{
    atomic_fetch_add(&inside, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void serve(uint32_t workers, uint32_t waiting)
{
    bed_init(&bed);
    bed.options.listen = "127.0.0.1:0";
    bed.options.workers = workers;
    bed.options.max_waiting = waiting;
    bed.options.tenants = the_tenants;
    bed.options.max_connections = 64;
    bed.options.max_reply = 1 << 20;
    bed.options.memory = 8 << 20;
    bed.options.cors_origins = "http://portal.example";
    atomic_store(&inside, 0);
    CHECK_EQ(query_start(&query, &bed.options), OK);
}

static void done(void)
{
    query_stop(query);
    bed_release(&bed);
}

static int dial(void)
{
    return tcp_dial(query_port(query));
}

/* One answer, as far as Content-Length goes. */
static const char *hear(int fd)
{
    static char text[65536];
    size_t len = 0, want = sizeof(text) - 1;

    while (len < want) {
        ssize_t n = recv(fd, text + len, want - len, 0);
        char *end, *length;

        if (n <= 0)
            break;
        len += (size_t)n;
        text[len] = '\0';
        end = strstr(text, "\r\n\r\n");
        length = strstr(text, "Content-Length: ");
        if (end)
            want = (size_t)(end + 4 - text) +
                   (length ? strtoul(length + 16, NULL, 10) : 0);
    }
    text[len] = '\0';
    return text;
}

static int status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static void post(int fd, const char *path, const char *body)
{
    char text[1024];

    snprintf(
        text, sizeof(text),
        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
        "\r\nContent-Length: %zu\r\n\r\n%s",
        path, strlen(body), body);
    tcp_say(fd, text);
}

TEST(a_connection_serves_many_questions)
{
    int fd;

    serve(2, 8);
    fd = dial();
    for (int i = 0; i < 50; i++) {
        post(fd, LOGS, BODY);
        CHECK_EQ(status_of(hear(fd)), 200);
        tcp_say(fd, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        CHECK(strstr(hear(fd), "\"healthy\""));
    }
    close(fd);
    done();
}

TEST(names_with_escapes_arrive)
{
    int fd;

    serve(1, 8);
    fd = dial();
    tcp_say(fd, "GET /api/v1alpha1/traces/%78yz/spans/000000000000000%31 "
                "HTTP/1.1\r\nHost: localhost"
                "\r\n\r\n");
    CHECK(strstr(hear(fd), "traceId must be 32"));
    close(fd);
    done();
}

static int wait_for_inside(int count)
{
    WAIT_FOR(atomic_load(&inside) >= count);
    return atomic_load(&inside);
}

/* One query runs and two wait: the fourth is refused at once, and /health is
 * still answered. */
TEST(beyond_the_queue_is_503_and_health_answers)
{
    const char *answer;
    int fds[4], other;

    serve(1, 2);
    bed.store->begin = wait_at_gate;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++)
        fds[i] = dial();
    post(fds[0], LOGS, BODY);
    CHECK_EQ(wait_for_inside(1), 1);
    for (int i = 1; i < 4; i++) {
        post(fds[i], LOGS, BODY);
        test_pause_us(50000); /* in this order */
    }
    answer = hear(fds[3]);
    CHECK_EQ(status_of(answer), 503);
    CHECK(strstr(answer, "Retry-After: 1"));
    CHECK(strstr(answer, "internalServerError"));
    other = dial();
    tcp_say(other, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK_EQ(status_of(hear(other)), 200);
    close(other);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(status_of(hear(fds[i])), 200);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    done();
}

static int dial_as(const char *address)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(query_port(query)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    CHECK_EQ(inet_pton(AF_INET, address, &from.sin_addr), 1);
    CHECK_EQ(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* The first two wait at the gate. */
static void first_two_wait(void)
{
    if (atomic_fetch_add(&inside, 1) < 2) {
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
    }
}

/* One client uses both workers and all of its waiting places: another client is
 * served at once, and the first one gets 429. */
TEST(one_asker_cannot_take_all_workers)
{
    struct pollfd greedy[6];
    const char *answer;
    int other, refused;

    serve(2, 4);
    bed.store->begin = first_two_wait;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 6; i++) {
        greedy[i] = (struct pollfd){.fd = dial(), .events = POLLIN};
        post(greedy[i].fd, LOGS, BODY);
        if (i < 2)
            CHECK_EQ(wait_for_inside(i + 1), i + 1);
    }
    CHECK_EQ(poll(greedy, 6, 10000), 1);
    for (refused = 2; refused < 5 && !greedy[refused].revents;)
        refused++;
    answer = hear(greedy[refused].fd);
    CHECK_EQ(status_of(answer), 429);
    CHECK(strstr(answer, "Retry-After: 1"));
    other = dial_as("127.0.0.2");
    for (int i = 0; i < 10; i++) {
        post(other, LOGS, BODY);
        CHECK_EQ(status_of(hear(other)), 200);
    }
    close(other);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 6; i++) {
        if (i != refused)
            CHECK_EQ(status_of(hear(greedy[i].fd)), 200);
        close(greedy[i].fd);
    }
    done();
}

/* Anonymous askers stay apart by address; here one may have one query at once
 * and two that wait. */
TEST(limits_of_a_tenant)
{
    struct pollfd asker[4];
    char why[TENANT_TEXT];
    struct tenants *tenants = tenants_new();
    struct arena arena;
    uint32_t count;
    int refused;

    CHECK_EQ(tenants_set_limits(tenants,
                                SLICE("namespaces: {\"{anonymous}\": "
                                      "{queries: 1, queriesWaiting: 2}}"),
                                why, sizeof(why)),
             OK);
    the_tenants = tenants;
    serve(2, 16);
    bed.store->begin = wait_at_gate;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++) {
        asker[i] = (struct pollfd){.fd = dial(), .events = POLLIN};
        post(asker[i].fd, LOGS, BODY);
        if (i == 0)
            CHECK_EQ(wait_for_inside(1), 1);
    }
    CHECK_EQ(poll(asker, 4, 10000), 1);
    for (refused = 1; refused < 3 && !asker[refused].revents;)
        refused++;
    CHECK_EQ(status_of(hear(asker[refused].fd)), 429);
    CHECK_EQ(atomic_load(&inside), 1); /* although a worker is free */
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 4; i++) {
        if (i != refused)
            CHECK_EQ(status_of(hear(asker[i].fd)), 200);
        close(asker[i].fd);
    }
    done();
    arena_init(&arena, NULL, SIZE_MAX);
    const struct tenant_usage *usage =
        tenants_usage(tenants, 0, &arena, &count);
    CHECK_EQ(count, 1);
    CHECK_TEXT(usage->name, TENANT_ANONYMOUS);
    CHECK_EQ(usage->queries_ok, 3);
    CHECK_EQ(usage->queries_refused, 1);
    CHECK(usage->query_ns > 0);
    arena_release(&arena);
    tenants_free(tenants);
    the_tenants = NULL;
}

static atomic_int cancelled;

static void wait_for_cancel(void)
{
    atomic_fetch_add(&inside, 1);
    for (int i = 0; i < 3000; i++) {
        if (memory_cancelled && atomic_load(memory_cancelled)) {
            atomic_fetch_add(&cancelled, 1);
            return;
        }
        test_pause_us(1000);
    }
}

/* One at work whose client closes, and one that waited and never begins. */
TEST(a_closed_connection_cancels_its_query)
{
    uint64_t before = stats_get(STATS_QUERIES_499);
    int work, wait;

    serve(1, 8);
    atomic_store(&cancelled, 0);
    bed.store->begin = wait_for_cancel;
    work = dial();
    post(work, LOGS, BODY);
    CHECK_EQ(wait_for_inside(1), 1);
    wait = dial();
    post(wait, LOGS, BODY);
    test_pause_us(50000);
    close(wait);
    close(work);
    WAIT_FOR(stats_get(STATS_QUERIES_499) >= before + 2);
    CHECK_EQ(stats_get(STATS_QUERIES_499) - before, 2);
    CHECK_EQ(atomic_load(&cancelled), 1);
    CHECK_EQ(atomic_load(&inside), 1);
    done();
}

static void *stop_main(void *arg)
{
    query_stop(arg);
    return NULL;
}

/* Those under way and those waiting get their answers. */
TEST(stopping_answers_what_was_taken)
{
    pthread_t stopper;
    int fds[3];

    serve(1, 8);
    bed.store->begin = wait_at_gate;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 3; i++) {
        fds[i] = dial();
        post(fds[i], LOGS, BODY);
    }
    CHECK_EQ(wait_for_inside(1), 1);
    test_pause_us(50000);
    CHECK_EQ(pthread_create(&stopper, NULL, stop_main, query), 0);
    test_pause_us(50000);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(status_of(hear(fds[i])), 200);
        close(fds[i]);
    }
    pthread_join(stopper, NULL);
    bed_release(&bed);
}

/* A client that closes the connection while its query runs. */
TEST(clients_that_hang_up)
{
    serve(2, 64);
    for (int i = 0; i < 200; i++) {
        int fd = dial();

        post(fd, LOGS, BODY);
        if (i % 3 == 0)
            shutdown(fd, SHUT_RDWR);
        close(fd);
    }
    for (int i = 0; i < 20; i++) { /* half a request */
        int fd = dial();

        tcp_say(fd, "POST " LOGS
                    " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
                    "\r\n{\"a\"");
        close(fd);
    }
    done();
}

TEST(bodies_over_the_limit)
{
    static char chunk[65536 + 16];
    int fd;

    serve(1, 8);
    fd = dial();
    tcp_say(fd, "POST " LOGS " HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                "application/json\r\nContent-Length: 1048577\r\n\r\n");
    /* Read to its end, so that a sender that only then listens sees it. */
    memset(chunk, 'x', 65536);
    chunk[65536] = '\0';
    for (int i = 0; i < 16; i++)
        tcp_say(fd, chunk);
    tcp_say(fd, "x");
    CHECK_EQ(status_of(hear(fd)), 413);
    close(fd);
    fd = dial(); /* without a length to see beforehand */
    tcp_say(fd, "POST " LOGS " HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                "application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    memset(chunk, 'x', sizeof(chunk) - 1);
    memcpy(chunk, "10000\r\n", 7);
    memcpy(chunk + 7 + 65536, "\r\n", 3);
    for (int i = 0; i < 17; i++)
        tcp_say(fd, chunk);
    tcp_say(fd, "0\r\n\r\n");
    CHECK_EQ(status_of(hear(fd)), 413);
    close(fd);
    done();
}

TEST(a_body_that_just_fits)
{
    static char body[1 << 20];
    char head[256];
    int fd;

    serve(1, 8);
    memset(body, ' ', sizeof(body));
    memcpy(body, BODY, sizeof(BODY) - 1);
    fd = dial();
    snprintf(head, sizeof(head),
             "POST " LOGS " HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
             "application/json\r\nContent-Length: %zu\r\n\r\n",
             sizeof(body));
    tcp_say(fd, head);
    for (size_t at = 0; at < sizeof(body);) {
        ssize_t n = send(fd, body + at, sizeof(body) - at, MSG_NOSIGNAL);

        if (!CHECK(n > 0))
            break;
        at += (size_t)n;
    }
    CHECK_EQ(status_of(hear(fd)), 200);
    close(fd);
    done();
}

TEST(preflights_and_origins)
{
    const char *answer;
    int fd;

    serve(1, 8);
    fd = dial();
    tcp_say(fd, "OPTIONS " LOGS " HTTP/1.1\r\nHost: localhost\r\nOrigin: "
                "http://portal.example\r\nAccess-Control-Request-Method: POST"
                "\r\n\r\n");
    answer = hear(fd);
    CHECK_EQ(status_of(answer), 204);
    CHECK(strstr(answer, "Access-Control-Allow-Origin: http://portal.example"));
    CHECK(strstr(answer, "Access-Control-Allow-Credentials: true"));
    CHECK(strstr(answer, "x-openchoreo-direct"));
    CHECK(strstr(answer, "Vary: Origin"));
    tcp_say(
        fd,
        "GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example"
        "\r\n\r\n");
    answer = hear(fd);
    CHECK_EQ(status_of(answer), 200);
    CHECK(!strstr(answer, "Access-Control"));
    tcp_say(fd, "DELETE /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(strstr(hear(fd), "Allow: GET"));
    close(fd);
    done();
}

TEST(a_port_that_is_taken_is_an_error)
{
    struct query_options options;
    struct query *second = NULL;
    char address[32];

    serve(1, 8);
    options = bed.options;
    snprintf(address, sizeof(address), "127.0.0.1:%u", query_port(query));
    options.listen = address;
    CHECK_EQ(query_start(&second, &options), ERR_IN_USE);
    CHECK(second == NULL);
    done();
    query_stop(NULL);
}
