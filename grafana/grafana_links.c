/*
 * Data links to the dashboards of dashboards/. In: names. Out: URLs.
 */
#include "grafana_query.h"

/* What may not be in a query string is %XX. */
static struct slice encode(struct arena *arena, struct slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *to = arena_alloc(arena, 3 * text.len + 1);
    size_t len = 0;

    for (size_t i = 0; to && i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
            c == '~') {
            to[len++] = (char)c;
            continue;
        }
        to[len++] = '%';
        to[len++] = hex[c >> 4];
        to[len++] = hex[c & 15];
    }
    return (struct slice){to, len};
}

static struct slice add_variable(struct arena *arena, struct slice url,
                                 const char *name, struct slice value)
{
    struct slice encoded = encode(arena, value);

    return value.len == 0
               ? url
               : arena_format(arena, "%.*s&var-%s=%.*s", SLICE_ARGS(url), name,
                              SLICE_ARGS(encoded));
}

/* ${__url_time_range} and ${datasource:queryparam}: the range and the data
 * source of the dashboard that one comes from. */
static struct slice dashboard(const struct grafana_query *q, const char *uid,
                              const struct identity *id)
{
    struct arena *arena = q->request->arena;
    struct slice url = arena_format(arena, "/d/%s?" LINK_FROM_DASHBOARD, uid);

    url = add_variable(arena, url, "namespace", id->namespace);
    url = add_variable(arena, url, "project", id->project);
    url = add_variable(arena, url, "environment", id->environment);
    return add_variable(arena, url, "component", id->component);
}

struct slice link_component(const struct grafana_query *q,
                            const struct identity *identity)
{
    return dashboard(q, "callboard-component", identity);
}

struct slice link_endpoint(const struct grafana_query *q,
                           const struct identity *identity,
                           struct slice endpoint)
{
    if (endpoint.len == 0)
        return link_component(q, identity);
    return add_variable(q->request->arena,
                        dashboard(q, "callboard-endpoint", identity),
                        "endpoint", endpoint);
}
