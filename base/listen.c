/*
 * The text is checked before getaddrinfo(), which accepts much more than
 * HOST:PORT.
 */
#include "listen.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

#define UNIX_PREFIX "unix:"

enum { HOST_MAX = 256, PORT_TEXT = 6, BACKLOG = 1024 };

static bool valid_port(const char *text)
{
    unsigned long port = 0;
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    return len > 0 && len < PORT_TEXT && port <= UINT16_MAX;
}

/* Splits at the last colon and removes the brackets. */
static bool split(const char *host_port, char host[HOST_MAX], const char **port)
{
    const char *colon = strrchr(host_port, ':');
    size_t len = colon ? (size_t)(colon - host_port) : 0;
    bool brackets;

    if (len == 0 || len >= HOST_MAX || !valid_port(colon + 1))
        return false;
    brackets = len > 2 && host_port[0] == '[' && host_port[len - 1] == ']';
    if (brackets) {
        host_port++;
        len -= 2;
    }
    memcpy(host, host_port, len);
    host[len] = '\0';
    *port = colon + 1;
    return brackets == (strchr(host, ':') != NULL) && !strpbrk(host, "[]");
}

static enum status resolve(const char *host_port, struct addrinfo **address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char host[HOST_MAX];
    const char *port;

    if (!split(host_port, host, &port))
        return ERR_INVALID;
    return getaddrinfo(host, port, &hints, address) == 0 ? OK : ERR_NOT_FOUND;
}

static int open_socket(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;

    close(fd);
    errno = error;
    return -1;
}

static bool bound_port(int fd, uint16_t *port)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);

    if (getsockname(fd, (struct sockaddr *)&name, &len) < 0)
        return false;
    if (name.ss_family == AF_INET6)
        *port = ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
    else
        *port = ntohs(((struct sockaddr_in *)&name)->sin_port);
    return true;
}

/* The umask is that of the whole process, so the mode is set at the end, before
 * anyone can connect. */
static enum status listen_unix(const char *path, int *fd, uint16_t *port)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int opened;

    if (strlen(path) >= sizeof(address.sun_path))
        return ERR_INVALID;
    memcpy(address.sun_path, path, strlen(path));
    (void)unlink(path);
    opened = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened >= 0 &&
        bind(opened, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        chmod(path, S_IRUSR | S_IWUSR) == 0 && listen(opened, BACKLOG) == 0) {
        *fd = opened;
        *port = 0;
        return OK;
    }
    if (opened >= 0)
        close(opened);
    return ERR_IO;
}

bool listen_is_file(const char *host_port)
{
    return strncmp(host_port, UNIX_PREFIX, sizeof(UNIX_PREFIX) - 1) == 0;
}

static enum status try_listen(const char *host_port, int *fd, uint16_t *port)
{
    struct addrinfo *address = NULL;
    enum status status;
    int opened;

    if (listen_is_file(host_port))
        return listen_unix(host_port + sizeof(UNIX_PREFIX) - 1, fd, port);
    status = resolve(host_port, &address);
    if (status != OK)
        return status;
    opened = open_socket(address);
    freeaddrinfo(address);
    if (opened < 0)
        return errno == EADDRINUSE ? ERR_IN_USE : ERR_IO;
    if (!bound_port(opened, port)) {
        close(opened);
        return ERR_IO;
    }
    *fd = opened;
    return OK;
}

/* One sentence, with the text of the system error. */
static void log_failure(const char *host_port, enum status status, int error)
{
    char text[HOST_MAX + 128];
    const char *reason = strerror(error);

    if (status == ERR_INVALID && listen_is_file(host_port))
        reason = "the path is longer than 107 bytes";
    else if (status == ERR_INVALID)
        reason = "not HOST:PORT (write an IPv6 address in brackets)";
    else if (status == ERR_NOT_FOUND)
        reason = "no such host";
    snprintf(text, sizeof(text), "cannot listen on %.*s: %c%s", HOST_MAX,
             host_port, tolower((unsigned char)reason[0]), reason + 1);
    log_error("listen", text, LOG_NONE);
}

enum status listen_open(const char *host_port, int *fd, uint16_t *port)
{
    enum status status = try_listen(host_port, fd, port);
    int error = errno;

    if (status != OK)
        log_failure(host_port, status, error);
    errno = error;
    return status;
}

static bool address_is_loopback(const struct sockaddr *address)
{
    const struct sockaddr_in6 *in6;
    const struct sockaddr_in *in;

    if (address->sa_family == AF_INET6) {
        in6 = (const struct sockaddr_in6 *)(const void *)address;
        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    }
    in = (const struct sockaddr_in *)(const void *)address;
    return ntohl(in->sin_addr.s_addr) >> 24 == 127;
}

bool listen_is_loopback(const char *host_port)
{
    struct addrinfo *address = NULL;
    bool loopback;

    if (listen_is_file(host_port))
        return true;
    if (resolve(host_port, &address) != OK)
        return false;
    loopback = address_is_loopback(address->ai_addr);
    freeaddrinfo(address);
    return loopback;
}
