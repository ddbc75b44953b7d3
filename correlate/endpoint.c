/*
 * The endpoint is settled first, then the operation is looked up within it.
 * Most spans of a component go to the endpoint of the one before, which is
 * kept at hand, so the common case is one lookup.
 */
#include "endpoint.h"

#include "hash.h"
#include "systems.h"
#include "url.h"

static const char *const inferred[] = {
    [PROTOCOL_NONE] = "",
    [PROTOCOL_HTTP] = "http",
    [PROTOCOL_GRPC] = "grpc",
    [PROTOCOL_DB] = "db",
    [PROTOCOL_MESSAGING] = "messaging",
};

enum protocol endpoint_protocol(const struct span *span,
                                const struct semconv *semconv)
{
    /* HTTP and RPC are only the way that a call of a database or a queue goes;
     * what a SERVER serves is that. */
    if (span->kind != SPAN_SERVER) {
        enum protocol system = systems_protocol(span, semconv);

        if (system != PROTOCOL_NONE)
            return system;
    }
    if (semconv->at[SEM_HTTP_METHOD] || semconv->at[SEM_HTTP_ROUTE] ||
        semconv->at[SEM_HTTP_STATUS])
        return semconv->at[SEM_RPC_SYSTEM] || semconv->at[SEM_RPC_STATUS]
                   ? PROTOCOL_GRPC
                   : PROTOCOL_HTTP;
    if (semconv->at[SEM_RPC_SYSTEM] || semconv->at[SEM_RPC_SERVICE])
        return PROTOCOL_GRPC;
    if (semconv->at[SEM_DB_SYSTEM])
        return PROTOCOL_DB;
    if (semconv->at[SEM_MSG_SYSTEM] || span->kind == SPAN_PRODUCER ||
        span->kind == SPAN_CONSUMER)
        return PROTOCOL_MESSAGING;
    return semconv_is_http(semconv) ? PROTOCOL_HTTP : PROTOCOL_NONE;
}

static uint16_t port_of(const struct semconv *semconv)
{
    int64_t port = semconv_number(semconv, SEM_SERVER_PORT);

    if (port <= 0)
        port = semconv_number(semconv, SEM_NET_HOST_PORT);
    return port > 0 && port < 65536 ? (uint16_t)port : 0;
}

/* The declared endpoint: by port, by route, by path. */
static struct slice declared_name(const struct catalog_component *declared,
                                  const struct semconv *semconv)
{
    uint16_t port = port_of(semconv);
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

static struct limited_name *endpoint_name(struct cardinality_limit *limit,
                                          struct component *component,
                                          struct slice text)
{
    struct limited_name *group;

    if (component->endpoint &&
        component->endpoint_epoch == cardinality_epoch(limit) &&
        slice_equal(component->endpoint->text, text))
        return component->endpoint;
    group =
        cardinality_group(limit, component->identity, CARDINALITY_ENDPOINTS);
    if (!group)
        return NULL;
    component->endpoint =
        cardinality_get(limit, group, text, ENDPOINT_MAX_COUNT);
    component->endpoint_epoch = cardinality_epoch(limit);
    return component->endpoint;
}

void endpoint_served(struct cardinality_limit *limit, uint32_t max_operations,
                     struct component *component, const struct span *span,
                     const struct semconv *semconv, struct slice stamped,
                     struct tags *tags)
{
    char text[OPERATION_MAX_TEXT];
    struct slice name = stamped;

    tags->protocol = endpoint_protocol(span, semconv);
    tags->operation = NULL;
    if (name.len == 0 && component->declared)
        name = declared_name(component->declared, semconv);
    if (name.len == 0)
        name = slice_of(inferred[tags->protocol]);
    tags->endpoint = endpoint_name(limit, component, name);
    if (tags->endpoint)
        tags->operation =
            cardinality_get(limit, tags->endpoint,
                            operation_text(span, semconv, tags->protocol, text),
                            max_operations);
}

void endpoint_called(struct cardinality_limit *limit, uint32_t max_operations,
                     const struct component *component, const struct span *span,
                     const struct semconv *semconv, struct tags *tags)
{
    char text[OPERATION_MAX_TEXT];
    struct limited_name *group =
        cardinality_group(limit, component->identity, CARDINALITY_CALLS);

    tags->protocol = endpoint_protocol(span, semconv);
    tags->endpoint = NULL;
    tags->operation =
        group ? cardinality_get(
                    limit, group,
                    operation_text(span, semconv, tags->protocol, text),
                    max_operations)
              : NULL;
}
