/*
 * A connection of the gRPC server, fed with bytes of a client: all of them at
 * once, or in pieces whose length is the first byte. A preface is put in front.
 * The service echoes half of the messages at once, the other half later.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grpc_int.h"
#include "log.h"
#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct grpc_request *later[GRPC_MAX_STREAMS * 4];
static unsigned later_count, calls;

static enum status admit(void *arg, struct grpc_request *request,
                         const char **why)
{
    (void)arg;
    (void)request;
    *why = NULL;
    return ++calls % 7 == 3 ? ERR_BUSY : OK;
}

static enum grpc_next handle(void *arg, struct grpc_request *request)
{
    (void)arg;
    buf_init(&request->response.message, 1 << 20);
    buf_add(&request->response.message,
            (struct slice){request->body, request->len});
    if (++calls % 2 == 0 || later_count == GRPC_MAX_STREAMS * 4)
        return GRPC_DONE;
    later[later_count++] = request;
    return GRPC_PENDING;
}

static void refuse(void *arg, struct grpc_request *request, enum status status,
                   const char *why)
{
    (void)arg;
    (void)why;
    request->response.status = status;
}

static void release(void *arg, struct grpc_request *request)
{
    (void)arg;
    (void)request;
}

static const struct grpc_method methods[] = {
    {"/a.B/C", ACTION_WRITE, 0, NULL}, {"/a.B/Open", ACTION_OPEN, 64, NULL}};

static void respond(struct grpc_server *server)
{
    for (unsigned i = 0; i < later_count; i++)
        grpc_respond(later[i]);
    later_count = 0;
    grpc_take_responses(server);
}

static bool is_open(const struct grpc_server *server)
{
    return server->count > 0;
}

/* Reads what the server wrote, so that it goes on. */
static void feed(struct grpc_server *server, struct grpc_connection *conn,
                 int fd, struct slice bytes, size_t piece)
{
    char answer[16384];

    while (bytes.len > 0 && is_open(server)) {
        struct slice one = {bytes.ptr, bytes.len < piece ? bytes.len : piece};

        if (send(fd, one.ptr, one.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            return;
        bytes = slice_from(bytes, one.len);
        grpc_connection_ready(conn, EPOLLIN);
        while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
            ;
        if (piece % 2 == 0)
            respond(server);
        (void)grpc_tick(server);
    }
}

static void run(struct grpc_server *server, struct slice bytes, size_t piece)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        return;
    grpc_connection_open(server, fds[0], NULL);
    if (is_open(server)) {
        struct grpc_connection *conn =
            CONTAINER_OF(server->all.next, struct grpc_connection, all);

        feed(server, conn, fds[1], SLICE(NGHTTP2_CLIENT_MAGIC), 24);
        feed(server, conn, fds[1], bytes, piece);
        if (is_open(server))
            grpc_connection_close(conn);
    }
    respond(server);
    assert(ring_is_empty(&server->all));
    close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct budget budget;
    struct grpc_options options = {
        .name = "fuzz",
        .listen = "127.0.0.1:0",
        .methods = methods,
        .method_count = 2,
        .service = {.admit = admit,
                    .handle = handle,
                    .refuse = refuse,
                    .release = release},
        .max_connections = 8,
        .files_eighths = 1,
        .idle_timeout_ns = UINT64_C(30000000000),
        .max_message = 1 << 20,
        .budget = &budget,
        .message_share = 1 << 20,
        .http1_text = "no",
    };
    struct grpc_server *server;

    if (size == 0)
        return 0;
    log_set_level(LOG_ERROR);
    budget_init(&budget, 4 << 20);
    calls = later_count = 0;
    server = grpc_new(&options);
    if (server && grpc_session_prepare(server) == OK) {
        server->epoll = epoll_create1(EPOLL_CLOEXEC);
        run(server, (struct slice){(const char *)data + 1, size - 1},
            data[0] ? data[0] : size);
    }
    grpc_free(server);
    assert(budget_used(&budget) == 0);
    return 0;
}
