/*
 * The routes of the query API, as the HTTP server takes them: the tables of
 * the handler files, one after another.
 */
#include <assert.h>
#include <pthread.h>

#include "query_request.h"

enum { MAX_ROUTES = 128 };

static const struct route *const tables[] = {
    routes_logs,     routes_events,       routes_traces, routes_metrics,
    routes_topology, routes_components,   routes_admin,  routes_cause,
    routes_rca,      routes_dead_letters, routes_access, routes_tenants,
    routes_unserved,
};

/* The rows of all tables, as the HTTP server takes them. */
static struct http_route flat[MAX_ROUTES];
static size_t flat_count;

static void flatten(void)
{
    flat[flat_count++] = (struct http_route){.method = "GET",
                                             .path = "/openapi.yaml",
                                             .action = ACTION_ANY,
                                             .flags = HTTP_FILE,
                                             .user = &query_openapi};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct route *route = tables[i]; route->path; route++) {
            assert(flat_count < MAX_ROUTES);
            flat[flat_count++] = (struct http_route){
                .method = route->method,
                .path = route->path,
                .action = route->action,
                .scope = route->scope,
                .flags = route->flags & ON_IO ? HTTP_RESERVED : 0,
                .max_body = route->max_body,
                .user = route,
            };
        }
}

const struct http_route *query_routes(size_t *count)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, flatten);
    *count = flat_count;
    return flat;
}
