/* route_find - the routes of the daemon, those of the APIs of other tools
 * included, and the route of a request that a test makes without a port: what
 * the HTTP server does with a request line. */
#ifndef ROUTE_FIND_H
#define ROUTE_FIND_H

#include "query_request.h"
#include "serve_surfaces.h"

static inline struct slice route_unescape(struct arena *arena,
                                          struct slice text)
{
    char *copy = arena_alloc(arena, text.len + 1);

    slice_copy(copy, text);
    return (struct slice){copy, http_unescape(copy, text.len, false)};
}

static inline const struct http_route *route_list(size_t *count)
{
    return query_routes(serve_surfaces, count);
}

static inline bool route_find(struct query_request *request,
                              struct slice method, struct slice path)
{
    static _Thread_local struct http_match match;
    size_t count;
    const struct http_route *routes = route_list(&count);
    bool found = http_route_find(routes, count, method, path, &match);

    request->allow = match.allow;
    request->route = found ? match.route->user : NULL;
    request->write_error = query_error_writer(request->route, path);
    for (int i = 0; i < HTTP_MAX_PARTS && match.parts[i].ptr; i++)
        request->parts[i] = route_unescape(request->arena, match.parts[i]);
    return found;
}

#endif
