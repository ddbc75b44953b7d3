/*
 * A request to another route; see inner_request.h. The checks are those that
 * the HTTP server makes before a handler runs (http/http_access.c).
 */
#include "inner_request.h"

#include <assert.h>
#include <string.h>

const struct route *inner_request_route(const char *method, const char *path)
{
    size_t count;
    const struct http_route *routes = query_routes(NULL, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].path, path) == 0 &&
            strcmp(routes[i].method, method) == 0)
            return routes[i].user;
    return NULL;
}

static struct scope_filter scope_of(const struct query_request *inner)
{
    const struct slice *parts = inner->parts;

    switch (inner->route->scope) {
    case SCOPE_PATH:
        return (struct scope_filter){.namespace = parts[0],
                                     .project = parts[1],
                                     .component = parts[2],
                                     .environment =
                                         query_param(inner, "environment")};
    case SCOPE_PATH_SPACE:
        return (struct scope_filter){.namespace = parts[0],
                                     .environment = parts[1]};
    case SCOPE_QUERY:
    case SCOPE_NARROWED:
        return (struct scope_filter){
            .namespace = query_param(inner, "namespace"),
            .project = query_param(inner, "project"),
            .component = query_param(inner, "component"),
            .environment = query_param(inner, "environment")};
    default:
        return (struct scope_filter){.unassigned = false};
    }
}

/* The handler compares the scope: here, whether there is any that may be. */
static enum status may_have(struct query_request *inner)
{
    enum action action = inner->route->action;
    char text[ACCESS_REFUSAL_MAX];

    if (grants_have(inner->viewer.grants, action) ||
        access_is_decided(inner->services->access, inner->subject, action))
        return OK;
    access_refusal(text, inner->subject, action, NULL);
    return query_fail(inner, ERR_FORBIDDEN, NULL, "%s", text);
}

static enum status check_access(struct query_request *inner)
{
    const struct route *route = inner->route;
    struct scope_filter scope = scope_of(inner);

    if (route->action == ACTION_OPEN || route->action == ACTION_ANY)
        return OK;
    switch (route->scope) {
    case SCOPE_BODY:
    case SCOPE_OBJECT:
    case SCOPE_RECORDS:
        return may_have(inner);
    case SCOPE_NARROWED:
        if (registry_may_ask(inner->services->registry, &scope, &inner->viewer,
                             true))
            return OK;
        break;
    default:
        break;
    }
    return params_may_ask(inner, &scope);
}

/* An answer in pieces, as a whole. */
static void produce_all(struct query_request *inner)
{
    while (inner->produce && inner->out.status == OK)
        if (!inner->produce(inner->produce_arg, &inner->out))
            inner->produce = NULL;
    if (inner->out.status != OK)
        query_fail(inner, ERR_TOO_BIG, NULL,
                   "the answer is larger than %zu bytes; narrow the scope or "
                   "the time range",
                   inner->out.cap);
}

/* A decision may have replaced, and freed, the one that the request began
 * with. */
static const struct subject *asking_subject(const struct query_request *outer)
{
    return outer->asker ? *outer->asker : outer->subject;
}

void inner_request_run(struct query_request *outer,
                       const struct inner_request *asked,
                       struct query_request *inner)
{
    query_request_init(inner, outer->services, outer->arena, outer->out.cap);
    inner->route = inner_request_route(asked->method, asked->path);
    assert(inner->route);
    inner->write_error =
        query_error_writer(inner->route, slice_of(asked->path));
    inner->http = outer->http;
    inner->asker = outer->asker;
    inner->waiter = outer->waiter;
    memcpy(inner->parts, asked->parts, sizeof(inner->parts));
    inner->params = asked->params;
    inner->param_count = asked->param_count;
    inner->content_type = SLICE("application/json");
    inner->accept = SLICE("application/json");
    inner->raw_body = asked->body;
    query_request_subject(inner, asking_subject(outer));
    if (check_access(inner) == OK) {
        query_request_run(inner, outer->reader);
        produce_all(inner);
    }
    outer->waits = outer->waits || inner->waits;
    query_request_subject(outer, asking_subject(outer));
}

void inner_request_release(struct query_request *inner)
{
    buf_release(&inner->out);
}
