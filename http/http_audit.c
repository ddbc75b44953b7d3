/*
 * Lines of the audit for requests: every refusal, every change, and reads if
 * they are wanted. In: a request and its code. Out: audit_write().
 */
#include <stdlib.h>

#include "audit.h"
#include "http_int.h"
#include "mem.h"

struct http_about {
    union scope_names scope;
    struct slice name;
};

static bool is_get(const struct server_request *sr)
{
    return strcmp(sr->method, "GET") == 0 || strcmp(sr->method, "HEAD") == 0;
}

/* Of a request that is answered, and not about telemetry. */
static enum action action_of(const struct server_request *sr)
{
    const struct http_route *route = sr->request.route;

    if (!route || route->action == ACTION_OPEN || route->action == ACTION_WRITE)
        return ACTION_NONE;
    return route->action;
}

static bool is_change(const struct server_request *sr)
{
    switch (action_of(sr)) {
    case ACTION_INCIDENTS_UPDATE:
    case ACTION_RCA_UPDATE:
    case ACTION_CATALOG_UPDATE:
    case ACTION_RULES_UPDATE:
        return true;
    case ACTION_ACCESS_ADMIN:
        return !is_get(sr);
    default:
        return false;
    }
}

bool http_needs_audit(const struct server_request *sr)
{
    return is_change(sr) && (action_of(sr) == ACTION_CATALOG_UPDATE ||
                             action_of(sr) == ACTION_ACCESS_ADMIN);
}

/* As it was sent, without the query string: of a route its pattern with the
 * parts that were found. */
static struct slice print_path(const struct server_request *sr,
                               struct buf *path)
{
    const struct http_request *request = &sr->request;
    struct slice target = {sr->target, sr->target_len};
    int part = 0;

    if (!request->route)
        return slice_split(&target, '?');
    for (const char *c = request->route->path; *c; c++) {
        if (c[0] == '{' && c[1] == '}' && part < HTTP_MAX_PARTS) {
            buf_add(path, request->parts[part++]);
            c++;
        } else {
            buf_byte(path, *c);
        }
    }
    return buf_slice(path);
}

static const char *reason_of(const struct server_request *sr, int code)
{
    if (sr->reason && code >= MHD_HTTP_BAD_REQUEST)
        return sr->reason;
    return code == MHD_HTTP_FORBIDDEN || sr->request.denied
               ? "the grants do not cover it"
               : NULL;
}

/* Scope and name, each by what is known: the service has seen the body and the
 * object, the path names the object. */
static void describe(const struct server_request *sr, struct audit_event *event)
{
    const struct http_request *request = &sr->request;
    const struct http_about *about = sr->about;

    if (about)
        event->scope = about->scope;
    else
        (void)http_scope_of(request, &event->scope);
    if (about && about->name.len > 0)
        event->name = about->name;
    else if (request->route && request->route->scope == SCOPE_OBJECT)
        event->name = request->parts[0];
}

static void write_event(const struct server_request *sr, int code,
                        enum audit_category category, enum audit_result result)
{
    const struct http_request *request = &sr->request;
    enum action asked = request->asked;
    struct buf path;

    if (!asked && request->route)
        asked = request->route->action;
    struct audit_event event = {
        .action = request->route ? action_text(asked) : NULL,
        .category = category,
        .result = result,
        .subject = request->subject,
        .method = slice_of(sr->method),
        .address = request->from.bytes,
        .user_agent = sr->head.user_agent,
        .request_id = sr->head.request_id,
        .reason = reason_of(sr, code),
        .status = code,
    };

    buf_init(&path, AUDIT_TEXT_MAX * 2);
    event.path = print_path(sr, &path);
    describe(sr, &event);
    audit_write(&event);
    buf_release(&path);
}

void http_audit(const struct server_request *sr, int code)
{
    if (!audit_is_on() || sr->preflight)
        return;
    if (sr->head.error)
        write_event(sr, code, AUDIT_AUTHORIZATION, AUDIT_DENIED);
    else if (code == MHD_HTTP_UNAUTHORIZED)
        write_event(sr, code, AUDIT_AUTHORIZATION, AUDIT_UNAUTHENTICATED);
    else if (code == MHD_HTTP_FORBIDDEN ||
             code == MHD_HTTP_MISDIRECTED_REQUEST || sr->request.denied)
        write_event(sr, code, AUDIT_AUTHORIZATION, AUDIT_DENIED);
    else if (is_change(sr) ||
             (audit_has_reads() && action_of(sr) != ACTION_NONE))
        write_event(sr, code, is_change(sr) ? AUDIT_MANAGEMENT : AUDIT_ACCESS,
                    code < MHD_HTTP_BAD_REQUEST ? AUDIT_SUCCESS
                                                : AUDIT_FAILURE);
}

/* ---- what the service knows ---- */

static struct slice keep(char **to, struct slice text)
{
    struct slice kept = {*to, 0};

    text = slice_truncate(text, AUDIT_TEXT_MAX);
    slice_copy(*to, text);
    *to += text.len;
    kept.len = text.len;
    return kept;
}

void http_set_about(struct http_request *request,
                    const union scope_names *scope, struct slice name)
{
    struct server_request *sr = (struct server_request *)(void *)request;
    struct http_about *about;
    char *to;

    if (!audit_is_on())
        return;
    about = mem_zero(1, sizeof(*about) +
                            (size_t)(IDENTITY_NAMES + 1) * AUDIT_TEXT_MAX);
    to = (char *)(about + 1);
    if (!scope && sr->about)
        scope = &sr->about->scope;
    for (int i = 0; i < IDENTITY_NAMES && scope; i++)
        about->scope.name[i] = keep(&to, scope->name[i]);
    about->name = keep(&to, name);
    free(sr->about);
    sr->about = about;
}
