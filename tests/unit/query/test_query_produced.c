/*
 * Answers that are made while the client reads: the memory that they stand on
 * comes back when the client has read them, and when it leaves.
 */
#include "fake_query.h"
#include "prometheus.h"
#include "tcp_client.h"

enum { SERIES = 12, MANY = 100, STEPS = 11000, MEMORY = 8 << 20 };
/* One answer holds SERIES * STEPS values: 1 MiB of what there is. */
#define FEW "a%20%40%201787299220"
/* All of them are more than there is memory for. */
#define ALL   "b%20%40%201787299220"
#define THIRD "b%7Bi%3D~%22...[0-2]%22%7D%20%40%201787299220"
#define MOST  "b%7Bi%3D~%22...[0-6]%22%7D%20%40%201787299220"

static struct bed bed;
static struct query *query;
static struct point points[SERIES + MANY];
static struct metric few = {.name = SLICE_INIT("a"), .type = METRIC_GAUGE},
                     many = {.name = SLICE_INIT("b"), .type = METRIC_GAUGE};
static struct attr attrs[SERIES + MANY];
static char text[8 << 20];

static void begin(void)
{
    static const struct query_surface *const surfaces[] = {&prometheus_surface,
                                                           NULL};
    static char names[SERIES + MANY][12];
    uint32_t resource;

    bed_init(&bed);
    resource = bed_resource(&bed, "shop", "cart");
    for (int i = 0; i < SERIES + MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "%04d", i);
        attrs[i] = bed_attr("i", names[i]);
        points[i] = (struct point){.metric = i < SERIES ? &few : &many,
                                   .attrs = {&attrs[i], 1, 0},
                                   .resource_id = resource,
                                   .time_ns = UINT64_C(1787299210) * NS_PER_S,
                                   .d = i};
    }
    bed.store->points = points;
    bed.store->point_count = SERIES + MANY;
    bed.options.surfaces = surfaces;
    bed.options.listen = "127.0.0.1:0";
    bed.options.workers = 2;
    bed.options.max_waiting = 8;
    bed.options.max_connections = 64;
    bed.options.max_reply = 1 << 20;
    bed.options.memory = MEMORY;
    CHECK_EQ(query_start(&query, &bed.options), OK);
}

static void end(void)
{
    query_stop(query);
    bed_release(&bed);
}

static int ask(const char *method, const char *expression)
{
    int fd = tcp_dial_with(query_port(query), 16 * 1024);

    tcp_say(fd, method);
    tcp_say(fd, " /prometheus/api/v1/query_range?step=1&start=1787299200"
                "&end=1787310199&query=");
    tcp_say(fd, expression);
    tcp_say(fd, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return fd;
}

static size_t read_all(int fd)
{
    return tcp_read_all(fd, text, sizeof(text));
}

static int status_of(const char *expression)
{
    read_all(ask("GET", expression));
    return atoi(text + strlen("HTTP/1.1 "));
}

static bool is_whole(size_t len)
{
    static const char last[] = "]}}\r\n0\r\n\r\n";

    return len > SERIES * STEPS * 16 && strstr(text, "HTTP/1.1 200") == text &&
           strcmp(text + len - strlen(last), last) == 0;
}

/* Far more of them than there is memory for. */
TEST(a_client_that_leaves_gives_the_memory_back)
{
    char some[200];

    begin();
    CHECK(is_whole(read_all(ask("GET", FEW))));
    for (int i = 0; i < 3 * MEMORY / (SERIES * STEPS * 8); i++) {
        int fd = ask("GET", FEW);

        CHECK(recv(fd, some, sizeof(some), 0) > 0);
        if (!CHECK(strncmp(some, "HTTP/1.1 200", 12) == 0))
            i = MEMORY;
        close(fd);
        test_pause_us(5000);
    }
    CHECK(is_whole(read_all(ask("GET", FEW))));
    end();
}

TEST(answers_that_were_read_give_the_memory_back)
{
    begin();
    for (int i = 0; i < 2 * MEMORY / (SERIES * STEPS * 8); i++)
        if (!CHECK(is_whole(read_all(ask("GET", FEW)))))
            i = MEMORY;
    end();
}

TEST(head_makes_nothing_and_holds_nothing)
{
    begin();
    for (int i = 0; i < 2 * MEMORY / (SERIES * STEPS * 8); i++) {
        CHECK(read_all(ask("HEAD", FEW)) < 1000);
        if (!CHECK(strstr(text, "HTTP/1.1 200") == text &&
                   strstr(text, "\r\n\r\n") + 4 == text + strlen(text)))
            i = MEMORY;
    }
    CHECK(is_whole(read_all(ask("GET", FEW))));
    end();
}

/* ---- a query that lacks memory ---- */

TEST(alone_it_is_too_large_and_beside_others_it_may_come_again)
{
    char some[200];
    int fd;

    begin();
    CHECK_EQ(status_of(MOST), 200);
    CHECK_EQ(status_of(ALL), 422);
    CHECK(strstr(text, "\"errorType\":\"execution\"") &&
          strstr(text, "memory") && !strstr(text, "Retry-After"));
    fd = ask("GET", THIRD);
    CHECK(recv(fd, some, sizeof(some), 0) > 0); /* and reads no more */
    CHECK_EQ(status_of(MOST), 503);
    CHECK(strstr(text, "\"errorType\":\"unavailable\"") &&
          strstr(text, "Retry-After"));
    close(fd);
    WAIT_FOR(status_of(MOST) == 200);
    CHECK_EQ(status_of(MOST), 200);
    end();
}
