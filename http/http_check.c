/*
 * The first checks of a request, before its body is read: head, Host, Origin;
 * its route and query parameters are looked up. In: a head. Out: OK, or the
 * status to refuse it with. Next: http_access.c.
 */
#include <stdio.h>

#include "http_gaps.h"
#include "http_int.h"
#include "stats.h"

struct head_reader {
    struct http_head *head;
    struct http_gaps gaps;
};

static enum MHD_Result add_field(void *arg, enum MHD_ValueKind kind,
                                 const char *name, size_t name_len,
                                 const char *value, size_t value_len)
{
    struct head_reader *reader = arg;

    (void)kind;
    http_head_add(reader->head, (struct slice){name, name_len},
                  (struct slice){value, value_len});
    http_gaps_field(&reader->gaps, (struct slice){name, name_len},
                    (struct slice){value, value_len});
    return MHD_YES;
}

static void read_head(struct server_request *sr, const char *version)
{
    struct http_head *head = &sr->head;
    struct http_request *request = &sr->request;
    struct slice method = slice_of(sr->method);
    struct head_reader reader = {.head = head};

    http_head_init(head, method, (struct slice){sr->target, sr->target_len},
                   slice_of(version));
    http_gaps_line(&reader.gaps, method,
                   (struct slice){sr->raw_target, sr->target_len},
                   slice_of(version));
    (void)MHD_get_connection_values_n(sr->connection, MHD_HEADER_KIND,
                                      add_field, &reader);
    if (sr->server->gaps_known && http_gaps_found(&reader.gaps))
        http_head_error(head, "the head has a NUL byte or a folded line");
    (void)http_head_check(head);
    request->content_type = head->content_type;
    request->content_encoding = head->content_encoding;
    request->authorization = head->authorization;
    request->accept = head->accept;
    /* Blanks around a value are no part of it. The library leaves those at its
     * end; what it reads itself, such as lengths, is compared as it is. */
    request->mcp_version = slice_trim(head->mcp_version, HTTP_BLANKS);
    request->mcp_method = slice_trim(head->mcp_method, HTTP_BLANKS);
    request->mcp_name = slice_trim(head->mcp_name, HTTP_BLANKS);
    request->length = head->length;
    request->from = request->holder = slot_address(sr->conn->slot);
}

/* Path and parameters; NULL, or what is wrong. */
static const char *find_route(struct server_request *sr)
{
    const struct http_options *options = &sr->server->options;
    struct http_request *request = &sr->request;
    char *query = memchr(sr->target, '?', sr->target_len);
    size_t len = query ? (size_t)(query - sr->target) : sr->target_len;
    struct http_match match;

    (void)http_route_find(options->routes, options->route_count,
                          slice_of(sr->method), (struct slice){sr->target, len},
                          &match);
    request->route = match.route;
    request->path = (struct slice){sr->target, len};
    memcpy(sr->allow, match.allow, sizeof(match.allow));
    request->response.allow = sr->allow;
    for (int i = 0; i < HTTP_MAX_PARTS && match.parts[i].ptr; i++) {
        char *part = sr->target + (match.parts[i].ptr - sr->target);

        request->parts[i] = (struct slice){
            part, http_unescape(part, match.parts[i].len, false)};
    }
    return query ? http_parse_params(sr, query + 1) : NULL;
}

/* DNS rebinding: a web page can reach a server on loopback by a host name of
 * its own that resolves to 127.0.0.1. */
static bool host_is_allowed(const struct server_request *sr)
{
    const char *hosts = sr->server->options.allowed_hosts;
    struct slice host = sr->head.host;

    if (!sr->server->on_loopback && (!hosts || !hosts[0]))
        return true;
    return !host.ptr || http_host_allowed(hosts, host);
}

static bool origin_is_allowed(struct server_request *sr)
{
    const struct http_options *options = &sr->server->options;
    bool is_get =
        strcmp(sr->method, "GET") == 0 || strcmp(sr->method, "HEAD") == 0;

    sr->origin = http_origin_of(options->cors_origins, &sr->head);
    switch (sr->origin) {
    case HTTP_ORIGIN_LISTED:
        return true;
    case HTTP_ORIGIN_OPAQUE:
        return false;
    case HTTP_ORIGIN_OTHER:
        return is_get && !options->deny_cross_origin;
    case HTTP_ORIGIN_NONE:
        break;
    }
    return is_get || !http_is_cross_site(&sr->head);
}

/* With OPTIONS; `allow` gets the methods of the path. */
static bool is_preflight(struct server_request *sr)
{
    size_t len = strlen(sr->allow);
    bool gets = strstr(sr->allow, "GET") != NULL;

    if (strcmp(sr->method, "OPTIONS") != 0)
        return false;
    snprintf(sr->allow + len, sizeof(sr->allow) - len, "%s%s%s",
             len ? ", " : "", gets ? "HEAD, " : "", "OPTIONS");
    sr->preflight = true;
    return true;
}

/* Host and Origin. */
static enum status check_source(struct server_request *sr, const char **why)
{
    if (!host_is_allowed(sr)) {
        stats_add(STATS_HTTP_HOSTS_REFUSED, 1);
        *why = "Host is not allowed; add it to --allowed-hosts";
        return ERR_MISDIRECTED;
    }
    if (!origin_is_allowed(sr)) {
        stats_add(STATS_HTTP_ORIGINS_REFUSED, 1);
        *why = "Origin is not allowed; add it to --cors-origins";
        return ERR_FORBIDDEN;
    }
    return OK;
}

/* A connection beyond the ordinary ones may ask for reserved routes only. */
static enum status check_slot(struct server_request *sr, const char **why)
{
    const struct http_route *route = sr->request.route;

    if (!slot_is_reserved(sr->conn->slot))
        return OK;
    sr->close = true;
    if (route && route->flags & HTTP_RESERVED)
        return OK;
    *why = "too many connections; retry later";
    return ERR_BUSY;
}

enum status http_check(struct server_request *sr, const char *version,
                       const char **why)
{
    enum status status;

    read_head(sr, version);
    if (sr->head.error) {
        stats_add(STATS_HTTP_HEADS_REFUSED, 1);
        *why = sr->head.error;
        return ERR_INVALID;
    }
    sr->bad_params = find_route(sr);
    status = check_source(sr, why);
    if (status != OK || is_preflight(sr))
        return status;
    return check_slot(sr, why);
}
