/*
 * Who asks, and whether it may: before the body is read. In: a request whose
 * head is known to be sound. Out: its subject, or the status to refuse it with.
 *
 *   credential -> subject (access.h), route, action and scope of the route
 *
 * Without a credential nobody learns the routes: 401 comes before 404 and 405.
 * What the scope of a body or an object allows is for the handler to compare.
 */
#define _GNU_SOURCE /* SO_PEERCRED */

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit.h"
#include "http_int.h"
#include "mem.h"

static const char *const scope_params[IDENTITY_NAMES] = {
    "namespace", "project", "component", "environment"};

/* NULL, or what is wrong. */
static const char *scope_of_params(const struct http_request *request,
                                   union scope_names *scope)
{
    for (uint32_t i = 0; i < request->param_count; i++)
        for (int k = 0; k < IDENTITY_NAMES; k++) {
            const struct http_param *param = &request->params[i];

            if (!slice_equal(param->name, slice_of(scope_params[k])))
                continue;
            if (scope->name[k].ptr)
                return "a parameter of the scope is given twice";
            scope->name[k] = param->value;
        }
    return NULL;
}

static void scope_of_path(const struct http_request *request,
                          union scope_names *scope)
{
    bool space = request->route->scope == SCOPE_PATH_SPACE;

    scope->namespace = request->parts[0];
    scope->project = space ? SLICE("") : request->parts[1];
    scope->component = space ? SLICE("") : request->parts[2];
    if (space)
        scope->environment = request->parts[1];
}

/* By what the texts of the scope stand for, which only the service knows. */
static bool service_covers(const struct server_request *sr,
                           const union scope_names *scope)
{
    const struct http_service *service = &sr->server->options.service;
    enum scope_from from = sr->request.route->scope;

    return service->covers &&
           (from == SCOPE_QUERY || from == SCOPE_NARROWED ||
            from == SCOPE_PATH) &&
           service->covers(service->arg, &sr->request, scope);
}

/* The head says all that there is to say of the scope, or it is compared
 * later. */
static bool is_allowed(const struct http_request *request,
                       const union scope_names *scope)
{
    const struct http_route *route = request->route;
    struct grants grants = request->subject->grants;

    switch (route->scope) {
    case SCOPE_NONE:
    case SCOPE_QUERY:
    case SCOPE_PATH:
    case SCOPE_PATH_SPACE:
        return grants_cover(grants, route->action, scope);
    case SCOPE_NARROWED:
        return grants_overlap(grants, route->action, scope);
    case SCOPE_BODY:
    case SCOPE_OBJECT:
    case SCOPE_RECORDS:
        break;
    }
    return grants_have(grants, route->action);
}

const char *http_scope_of(const struct http_request *request,
                          union scope_names *scope)
{
    const char *twice = scope_of_params(request, scope);
    const struct http_route *route = request->route;

    if (route &&
        (route->scope == SCOPE_PATH || route->scope == SCOPE_PATH_SPACE))
        scope_of_path(request, scope);
    return twice;
}

/* What the grants do not cover, the authorization service may allow: now, or,
 * where the scope is that of a body or an object, once that was read. */
static enum status ask_service(struct server_request *sr,
                               const union scope_names *scope, const char **why)
{
    struct http_request *request = &sr->request;
    struct access *access = sr->server->options.access;
    const struct http_route *route = request->route;

    if (!access_is_decided(access, request->subject, route->action))
        return ERR_FORBIDDEN;
    if (route->scope == SCOPE_BODY || route->scope == SCOPE_OBJECT)
        return OK;
    return access_decide(access, &request->subject, route->action, scope, NULL,
                         why);
}

static enum status check_action(struct server_request *sr, const char **why)
{
    struct http_request *request = &sr->request;
    const struct http_route *route = request->route;
    bool named = route->scope <= SCOPE_PATH_SPACE;
    union scope_names scope = {.namespace = {NULL, 0}};
    const char *twice = http_scope_of(request, &scope);
    enum status status;

    if (twice) {
        *why = twice;
        return ERR_INVALID;
    }
    if (route->action == ACTION_OPEN || route->action == ACTION_ANY)
        return OK;
    if (route->scope == SCOPE_NONE)
        scope = (union scope_names){.namespace = {NULL, 0}};
    if (is_allowed(request, &scope) || service_covers(sr, &scope))
        return OK;
    status = ask_service(sr, &scope, why);
    if (status != ERR_FORBIDDEN)
        return status;
    if (!sr->refusal)
        sr->refusal = mem_alloc(ACCESS_REFUSAL_MAX);
    access_refusal(sr->refusal, request->subject, route->action,
                   named ? &scope : NULL);
    *why = sr->refusal;
    return ERR_FORBIDDEN;
}

/* Who has opened the socket in the file system: the user of this process or
 * root. Its mode says so, too. */
static enum status check_user(const struct server_request *sr, const char **why)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    int fd = MHD_get_connection_info(sr->connection,
                                     MHD_CONNECTION_INFO_CONNECTION_FD)
                 ->connect_fd;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
        (peer.uid == geteuid() || peer.uid == 0))
        return OK;
    *why = "only the user of the server, and root, may use this socket";
    return ERR_FORBIDDEN;
}

/* Its subject; with a route that is open to all, nobody is one. */
static enum status identify(struct server_request *sr, const char **why)
{
    struct http_request *request = &sr->request;
    const struct http_route *route = request->route;
    struct credential credential = {.authorization = request->authorization,
                                    .address = request->from.bytes};
    struct subject *subject;
    enum status status = http_tls_peer(sr, &credential.certificate, why);

    if (status == OK && route && route->action == ACTION_OPEN &&
        access_is_required(sr->server->options.access) &&
        !credential.authorization.ptr && credential.certificate.len == 0) {
        request->subject = subject_nobody(); /* a probe: nothing is missing */
        return OK;
    }
    if (status == OK)
        status = access_identify(sr->server->options.access, &credential,
                                 &subject, why);
    if (status != OK && route && route->action == ACTION_OPEN) {
        subject = subject_nobody();
        status = OK;
    }
    if (status == OK)
        request->subject = subject;
    return status;
}

/* What the connection holds counts for the tenant from now on. */
static enum status join_tenant(struct server_request *sr, const char **why)
{
    struct http_request *request = &sr->request;
    struct tenants *tenants = sr->server->options.tenants;

    if (tenants)
        request->tenant =
            tenants_of(tenants, request->subject, request->route->action);
    if (tenant_is_namespace(request->tenant))
        request->holder = http_tenant_key(request->tenant);
    if (request->subject->kind == SUBJECT_NOBODY ||
        slot_authorized(sr->conn->slot, request->tenant))
        return OK;
    *why = "the namespace has too many connections; retry later";
    return ERR_BUSY;
}

enum status http_authorize(struct server_request *sr, const char **why)
{
    struct http_request *request = &sr->request;

    if (!request->subject) {
        enum status status = sr->server->on_file ? check_user(sr, why) : OK;

        if (status == OK)
            status = identify(sr, why);

        if (status != OK)
            return status;
    }
    *why = NULL;
    if (!request->route)
        return sr->allow[0] ? ERR_METHOD : ERR_NOT_FOUND;
    if (sr->bad_params) {
        *why = sr->bad_params;
        return ERR_INVALID;
    }
    enum status status = check_action(sr, why);

    if (status == OK && http_needs_audit(sr) && !audit_is_ready()) {
        *why = "the audit cannot be written; see /health";
        return ERR_IO;
    }
    return status == OK ? join_tenant(sr, why) : status;
}
