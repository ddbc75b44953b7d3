/* tcp_client - a client of a port of this machine that says what it wants byte
 * by byte. It waits for 10 s at most. */
#ifndef TCP_CLIENT_H
#define TCP_CLIENT_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "test.h"

/* receive_buffer: bytes that it takes without reading; 0: as the system has
 * it. */
static inline int tcp_dial_with(uint16_t port, int receive_buffer)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(port)};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (receive_buffer > 0)
        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                            sizeof(receive_buffer)),
                 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static inline int tcp_dial(uint16_t port)
{
    return tcp_dial_with(port, 0);
}

static inline void tcp_say(int fd, const char *text)
{
    size_t len = strlen(text);

    CHECK_EQ(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* All bytes until the connection ends, then a zero; it is closed. */
static inline size_t tcp_read_all(int fd, char *text, size_t room)
{
    size_t len = 0;
    ssize_t n;

    while ((n = recv(fd, text + len, room - 1 - len, 0)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    close(fd);
    return len;
}

#endif
