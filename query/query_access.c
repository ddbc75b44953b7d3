/*
 * API tokens: GET, POST and DELETE of /api/v1/access/tokens, rotation; who
 * asks: GET /api/v1/access/me and /api/v1/session; and whose tokens are taken.
 * What they do is in tokens.h; the document is JSON of jansson on both sides,
 * so it has no table.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "query_request.h"
#include "tls.h"

static enum status answer(struct query_request *request, json_t *reply)
{
    char *text = json_dumps(reply, JSON_COMPACT | JSON_REAL_PRECISION(15));

    json_decref(reply);
    if (!text)
        return ERR_INTERNAL;
    buf_add(&request->out, slice_of(text));
    free(text);
    return OK;
}

static enum status refuse(struct query_request *request, enum status status,
                          const char *error)
{
    if (status == ERR_FORBIDDEN)
        return query_fail(request, status, "", "%s", error);
    return query_fail(request, status, NULL, "%s", error);
}

/* A server without tokens has none to administer. */
static bool has_tokens(struct query_request *request)
{
    if (request->services->tokens)
        return true;
    query_fail(request, ERR_NOT_SERVED, NULL,
               "this server keeps no API tokens");
    return false;
}

static enum status list_tokens(struct query_request *request)
{
    if (!has_tokens(request))
        return ERR_NOT_SERVED;
    json_t *reply = json_object();

    json_object_set_new(
        reply, "tokens",
        tokens_list(request->services->tokens, request->subject));
    return answer(request, reply);
}

/* The scope that the token was to have, and its id. */
static void tell_audit(struct query_request *request, const json_t *token)
{
    const union scope_names scope = {
        {json_text_of(json_object_get(request->body, "namespace")),
         json_text_of(json_object_get(request->body, "project")),
         json_text_of(json_object_get(request->body, "component")),
         json_text_of(json_object_get(request->body, "environment"))}};

    query_request_about(request, &scope,
                        json_text_of(json_object_get(token, "id")));
}

static enum status create_token(struct query_request *request)
{
    char error[TOKENS_ERROR] = "";
    enum status status;
    json_t *reply;

    if (!has_tokens(request))
        return ERR_NOT_SERVED;
    status = tokens_create(request->services->tokens, request->subject,
                           request->body, &reply, error);
    tell_audit(request, status == OK ? reply : NULL);
    return status == OK ? answer(request, reply)
                        : refuse(request, status, error);
}

static enum status rotate_token(struct query_request *request)
{
    const json_t *overlap = json_object_get(request->body, "overlap");
    uint64_t overlap_ns = NS_PER_DAY;
    char error[TOKENS_ERROR] = "";
    enum status status;
    json_t *reply;

    if (overlap && !json_is_null(overlap) &&
        !clock_parse_duration_days(json_text_of(overlap), &overlap_ns))
        return query_invalid(request, "overlap must be a duration such as 24h");
    if (!has_tokens(request))
        return ERR_NOT_SERVED;
    status = tokens_rotate(request->services->tokens, request->subject,
                           request->parts[0], overlap_ns, &reply, error);
    return status == OK ? answer(request, reply)
                        : refuse(request, status, error);
}

static enum status revoke_token(struct query_request *request)
{
    char error[TOKENS_ERROR] = "";
    enum status status;
    json_t *reply;

    if (!has_tokens(request))
        return ERR_NOT_SERVED;
    status = tokens_revoke(request->services->tokens, request->subject,
                           request->parts[0], error);
    if (status != OK)
        return refuse(request, status, error);
    reply = json_object();
    json_object_set_new(
        reply, "id",
        json_stringn(request->parts[0].ptr, request->parts[0].len));
    json_object_set_new(reply, "revoked", json_true());
    return answer(request, reply);
}

static void set_text(json_t *object, const char *name, struct slice text)
{
    if (text.len > 0)
        json_object_set_new(object, name, json_stringn(text.ptr, text.len));
}

/* Of the subject: kind, name, grants. */
static json_t *subject_json(const struct subject *subject)
{
    static const char *const kinds[] = {[SUBJECT_EVERYONE] = "everyone",
                                        [SUBJECT_NOBODY] = "nobody",
                                        [SUBJECT_TOKEN] = "token",
                                        [SUBJECT_JWT] = "jwt",
                                        [SUBJECT_CERTIFICATE] = "certificate"};
    json_t *reply = json_object();
    char text[CLOCK_TEXT];

    json_object_set_new(reply, "kind", json_string(kinds[subject->kind]));
    set_text(reply, "name", subject->name);
    set_text(reply, "id", subject->id);
    set_text(reply, "issuer", subject->issuer);
    json_object_set_new(reply, "grants", tokens_grants_json(subject->grants));
    if (subject->expires_ns)
        set_text(reply, "expires",
                 (struct slice){
                     text, clock_format_rfc3339(text, subject->expires_ns)});
    return reply;
}

static enum status get_me(struct query_request *request)
{
    return answer(request, subject_json(request->subject));
}

/* ---- what a page has to know before it asks for anything ---- */

enum { POLL_S = 5, TAIL_POLL_S = 2 };

/* Kinds of credentials that are taken; nothing of whose they are. */
static json_t *credential_kinds(const struct query_options *services)
{
    json_t *kinds = json_array();

    if (!access_is_required(services->access))
        return kinds;
    if (services->tokens)
        json_array_append_new(kinds, json_string("token"));
    if (access_takes_jwt(services->access))
        json_array_append_new(kinds, json_string("jwt"));
    if (access_takes_certificates(services->access) &&
        tls_asks_clients(services->tls))
        json_array_append_new(kinds, json_string("certificate"));
    return kinds;
}

static json_t *thresholds_json(const struct health_thresholds *thresholds)
{
    json_t *reply = json_object();

    for (uint32_t i = 0; i < health_thresholds_table.count; i++) {
        const struct reply_member *m = &health_thresholds_table.members[i];
        const void *at = (const char *)thresholds + m->offset;

        json_object_set_new(reply, m->name, json_real(*(const double *)at));
    }
    return reply;
}

static enum status get_session(struct query_request *request)
{
    const struct query_options *services = request->services;
    const struct subject *subject = request->subject;
    json_t *reply = json_object();

    json_object_set_new(reply, "accessControl",
                        json_boolean(access_is_required(services->access)));
    json_object_set_new(reply, "signedIn",
                        json_boolean(subject->kind != SUBJECT_NOBODY));
    json_object_set_new(reply, "credentials", credential_kinds(services));
    if (subject->kind != SUBJECT_NOBODY)
        json_object_set_new(reply, "subject", subject_json(subject));
    json_object_set_new(reply, "health", thresholds_json(&services->health));
    json_object_set_new(reply, "pollSeconds", json_integer(POLL_S));
    json_object_set_new(reply, "tailPollSeconds", json_integer(TAIL_POLL_S));
    return answer(request, reply);
}

#define METADATA "/.well-known/oauth-protected-resource"

/* Of this port, for clients; empty: none. */
static struct slice base_url(const struct query_options *services)
{
    struct slice url = slice_of(services->base_url ? services->base_url : "");

    while (url.len > 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    return url;
}

/* Who signs the tokens that this server takes (RFC 9728). The clients that ask
 * are agents, so the resource is where they go on to: /mcp. */
static bool write_metadata(const struct query_options *services,
                           struct buf *out)
{
    struct slice url = base_url(services);
    struct buf resource;
    bool written;

    if (url.len == 0)
        return false;
    buf_init(&resource, url.len + 16);
    buf_add(&resource, url);
    buf_add(&resource, SLICE("/mcp"));
    written = access_metadata(services->access, buf_slice(&resource), out);
    buf_release(&resource);
    return written;
}

static enum status get_metadata(struct query_request *request)
{
    if (!write_metadata(request->services, &request->out))
        return query_fail(request, ERR_NOT_FOUND, NULL, "no such path");
    return OK;
}

const char *query_challenge(const struct query_options *services,
                            char text[QUERY_CHALLENGE])
{
    struct slice url = base_url(services);
    struct buf metadata;
    bool served;

    buf_init(&metadata, 64 * 1024);
    served = write_metadata(services, &metadata);
    buf_release(&metadata);
    if (!served || snprintf(text, QUERY_CHALLENGE,
                            "Bearer resource_metadata=\"%.*s" METADATA
                            "\", scope=\"openid profile email\"",
                            SLICE_ARGS(url)) >= QUERY_CHALLENGE)
        return NULL;
    return text;
}

const struct route routes_access[] = {
    {"GET", METADATA, ACTION_OPEN, SCOPE_NONE, get_metadata, NULL, ON_IO, 0,
     NULL},
    {"GET", METADATA "/mcp", ACTION_OPEN, SCOPE_NONE, get_metadata, NULL, ON_IO,
     0, NULL},
    {"GET", "/api/v1/access/tokens", ACTION_ACCESS_ADMIN, SCOPE_NARROWED,
     list_tokens, NULL, NO_READER, 0, NULL},
    {"POST", "/api/v1/access/tokens", ACTION_ACCESS_ADMIN, SCOPE_BODY,
     create_token, NULL, TAKES_JSON | NO_READER, 0, NULL},
    {"POST", "/api/v1/access/tokens/{}/rotate", ACTION_ACCESS_ADMIN,
     SCOPE_OBJECT, rotate_token, NULL, TAKES_JSON | NO_READER, 0, NULL},
    {"DELETE", "/api/v1/access/tokens/{}", ACTION_ACCESS_ADMIN, SCOPE_OBJECT,
     revoke_token, NULL, NO_READER, 0, NULL},
    {"GET", "/api/v1/access/me", ACTION_ANY, SCOPE_NONE, get_me, NULL,
     NO_READER, 0, NULL},
    {"GET", "/api/v1/session", ACTION_OPEN, SCOPE_NONE, get_session, NULL,
     ON_IO, 0, NULL},
    {0},
};
