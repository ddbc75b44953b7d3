/* http_server_kit - the HTTP server with a service of the test's own. */
#ifndef HTTP_SERVER_KIT_H
#define HTTP_SERVER_KIT_H

#include "clock.h"
#include "http_server.h"
#include "log.h"
#include "tcp_client.h"
#include "test.h"

static struct http_server *server;
static struct budget budget;

/* Says the status and why. */
static inline void server_refuse(void *arg, struct http_request *request,
                                 enum status status, const char *why)
{
    (void)arg;
    request->response.code = status_http(status);
    request->response.content_type = "text/plain";
    buf_init(&request->response.body, 200);
    buf_add(&request->response.body, slice_of(why ? why : ""));
}

static inline void server_begin(const struct http_route *routes, size_t count,
                                struct http_service service)
{
    struct http_options options = {
        .name = "test",
        .listen = "127.0.0.1:0",
        .routes = routes,
        .route_count = count,
        .service = service,
        .max_connections = 16,
        .files_eighths = 1,
        .idle_timeout_ns = 10 * NS_PER_S,
        .max_body = 1 << 20,
        .budget = &budget,
        .body_share = 2 << 20,
        .response_share = 1 << 20,
    };

    log_set_level(LOG_ERROR);
    budget_init(&budget, 4 << 20);
    CHECK_EQ(http_start(&server, &options), OK);
}

static inline void server_end(void)
{
    http_stop(server);
    CHECK_EQ(budget_used(&budget), 0);
}

#endif
