/*
 * The routes of the query API, as the HTTP server takes them: the tables of
 * the handler files, one after another.
 */
#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "query_request.h"

enum { MAX_ROUTES = 256 };

static const struct route *const tables[] = {
    routes_logs,     routes_events,       routes_traces, routes_metrics,
    routes_topology, routes_components,   routes_admin,  routes_cause,
    routes_rca,      routes_dead_letters, routes_access, routes_tenants,
    routes_web,      routes_openapi,      routes_status, routes_unserved,
};

/* The rows of all tables, as the HTTP server takes them. */
static struct http_route flat[MAX_ROUTES];
static size_t flat_count;

static const struct query_surface *const *surfaces;

static void add_table(const struct route *route)
{
    for (; route->path; route++) {
        assert(flat_count < MAX_ROUTES);
        flat[flat_count++] = (struct http_route){
            .method = route->method,
            .path = route->path,
            .action = route->action,
            .scope = route->scope,
            .flags = (route->flags & ON_IO ? HTTP_RESERVED : 0) |
                     (route->flags & TAKES_FORM ? HTTP_REPEATED : 0),
            .max_body = route->max_body,
            .user = route,
        };
    }
}

static void flatten(void)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        add_table(tables[i]);
    for (size_t i = 0; surfaces && surfaces[i]; i++)
        for (const struct route *const *t = surfaces[i]->tables; *t; t++)
            add_table(*t);
}

const struct http_route *query_routes(const struct query_surface *const *others,
                                      size_t *count)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&lock);
    if (flat_count == 0) {
        surfaces = others;
        flatten();
    }
    pthread_mutex_unlock(&lock);
    *count = flat_count;
    return flat;
}

/* "/tempo", of all routes of that surface. */
static struct slice first_segment(const char *path)
{
    return (struct slice){path, 1 + strcspn(path + 1, "/")};
}

static bool is_of(const struct query_surface *surface,
                  const struct route *route, struct slice path)
{
    struct slice first = first_segment(surface->tables[0]->path);

    if (!route)
        return slice_starts(path, first) &&
               (path.len == first.len || path.ptr[first.len] == '/');
    for (const struct route *const *t = surface->tables; *t; t++)
        for (const struct route *r = *t; r->path; r++)
            if (r == route)
                return true;
    return false;
}

error_writer *query_error_writer(const struct route *route, struct slice path)
{
    for (size_t i = 0; surfaces && surfaces[i]; i++)
        if (surfaces[i]->write_error && is_of(surfaces[i], route, path))
            return surfaces[i]->write_error;
    return NULL;
}

bool query_route_covers(struct registry *registry,
                        const struct http_request *http,
                        const union scope_names *scope)
{
    const struct viewer viewer = {http->subject->grants, http->route->action};
    const struct scope_filter filter = {.namespace = scope->namespace,
                                        .project = scope->project,
                                        .component = scope->component,
                                        .environment = scope->environment};

    return registry_may_ask(registry, &filter, &viewer,
                            http->route->scope == SCOPE_NARROWED);
}
