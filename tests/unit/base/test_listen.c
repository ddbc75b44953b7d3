#include "listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

TEST(listens_where_it_says)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint16_t port = 0;
    int fd = -1, client = socket(AF_INET, SOCK_STREAM, 0);

    if (!CHECK_EQ(listen_open("127.0.0.1:0", &fd, &port), OK))
        return;
    CHECK(port > 0);
    to.sin_port = htons(port);
    CHECK_EQ(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
    close(client);
    close(fd);
}

TEST(a_taken_port_is_in_use)
{
    char taken[32];
    uint16_t port = 0, other = 77;
    int fd = -1, second = -1;

    CHECK_EQ(listen_open("127.0.0.1:0", &fd, &port), OK);
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", port);
    CHECK_EQ(listen_open(taken, &second, &other), ERR_IN_USE);
    CHECK_EQ(errno, EADDRINUSE);
    CHECK_EQ(second, -1);
    CHECK_EQ(other, 77);
    close(fd);
    CHECK_EQ(listen_open(taken, &second, &other), OK); /* at once again */
    CHECK_EQ(other, port);
    close(second);
}

TEST(ipv6_and_names)
{
    uint16_t port;
    int fd = -1;

    if (listen_open("[::1]:0", &fd, &port) == OK) /* not every machine has it */
        close(fd);
    CHECK_EQ(listen_open("localhost:0", &fd, &port), OK);
    close(fd);
}

TEST(nonsense_is_invalid)
{
    static const char *const bad[] = {
        "",          "127.0.0.1",    ":4318",         "127.0.0.1:",
        "host:port", "127.0.0.1:1x", "host:65536",    "host:-1",
        "::1:4318",  "[::1]",        "[127.0.0.1]:1", "[]:1",
        "[::1:1",    "host: 1",      "h:000000",
    };
    uint16_t port;
    int fd;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (!CHECK_EQ(listen_open(bad[i], &fd, &port), ERR_INVALID))
            printf("# %s\n", bad[i]);
}

TEST(tells_loopback_from_the_rest)
{
    CHECK(listen_is_loopback("127.0.0.1:4318"));
    CHECK(listen_is_loopback("127.8.7.6:0"));
    CHECK(listen_is_loopback("[::1]:4318"));
    CHECK(listen_is_loopback("localhost:4318"));
    CHECK(!listen_is_loopback("0.0.0.0:4318"));
    CHECK(!listen_is_loopback("[::]:4318"));
    CHECK(!listen_is_loopback("192.0.2.1:4318"));
    CHECK(!listen_is_loopback("nonsense"));
}
