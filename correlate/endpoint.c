/*
 * The endpoint is decided first, then the operation is looked up within it.
 * Most spans of a component have the same endpoint as the one before, which is
 * cached in struct component, so the common case is one lookup.
 */
#include "endpoint.h"

#include "hash.h"
#include "url.h"

/* The declared endpoint, found by port, by route or by path. */
static struct slice declared_name(const struct catalog_component *declared,
                                  const struct semconv *semconv)
{
    uint16_t port = semconv_port(semconv, SEM_SERVER_PORT, SEM_NET_HOST_PORT);
    struct slice route = semconv_text(semconv, SEM_HTTP_ROUTE);
    struct slice path = {NULL, 0};
    const struct catalog_endpoint *endpoint =
        catalog_match_endpoint(declared, port, route);

    if (!endpoint)
        path = url_split(semconv_text(semconv, SEM_URL_PATH)).path;
    if (!endpoint && path.len == 0)
        path = url_split(semconv_text(semconv, SEM_URL_FULL)).path;
    if (!endpoint && path.len > 0)
        endpoint = catalog_match_endpoint(declared, 0, path);
    return endpoint ? endpoint->name : (struct slice){NULL, 0};
}

/* The stamped, declared or inferred endpoint. */
static struct counted_name *find_endpoint(struct cardinality_limit *limit,
                                          struct component *component,
                                          const struct semconv *semconv,
                                          struct slice stamped,
                                          enum protocol protocol)
{
    struct counted_name *group;
    struct slice name = stamped;

    if (name.len == 0 && component->declared)
        name = declared_name(component->declared, semconv);
    if (name.len == 0)
        name = protocol_name(protocol);
    group = component_group(component, limit, CARDINALITY_ENDPOINTS);
    if (!component->endpoint || !slice_equal(component->endpoint->text, name))
        component->endpoint =
            cardinality_get(limit, group, name, ENDPOINT_MAX_COUNT);
    return component->endpoint;
}

void endpoint_find(struct cardinality_limit *limit, uint32_t max_operations,
                   struct component *component, const struct semconv *semconv,
                   struct slice stamped, struct tags *tags)
{
    bool serves = semconv->span->kind == SPAN_SERVER ||
                  semconv->span->kind == SPAN_CONSUMER;
    char text[OPERATION_MAX_TEXT];
    struct counted_name *group;

    tags->protocol = span_protocol(semconv);
    tags->endpoint = serves ? find_endpoint(limit, component, semconv, stamped,
                                            tags->protocol)
                            : NULL;
    group = serves ? tags->endpoint
                   : component_group(component, limit, CARDINALITY_CALLS);
    tags->operation = cardinality_get(
        limit, group, operation_text(semconv, tags->protocol, text),
        max_operations);
}
