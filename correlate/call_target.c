/*
 * Every edge is one entry of the derived table, on the component that the
 * series belongs to. Names of targets that senders choose (hosts, databases,
 * queues) have a limit per component; a target above it is {other}.
 */
#include "call_target.h"

#include "derived.h"
#include "hash.h"
#include "url.h"

static uint64_t name_hash(const struct counted_name *name)
{
    return name ? name->hash : 0;
}

static struct slice name_text(const struct counted_name *name)
{
    return name ? name->text : (struct slice){NULL, 0};
}

/* ---- counting ---- */

static void count_edge(const struct call_context *context,
                       const struct call_span *call,
                       struct derived_labels *labels, uint32_t *hint)
{
    struct derived_series *series;

    labels->protocol = call->protocol;
    labels->identity = call->component->identity;
    labels->resource = call->component->resource;
    labels->text[TEXT_ENDPOINT] = name_text(call->endpoint);
    labels->hash = hash_mix(labels->hash, name_hash(call->endpoint));
    labels->hash = hash_mix(labels->hash, (uint64_t)labels->peer << 24 |
                                              (uint64_t)labels->family << 16 |
                                              (uint64_t)labels->kind << 8 |
                                              labels->protocol);
    series = derived_get(context->derived, labels, call->start_ns, hint);
    derived_add_duration(context->derived, series, call->duration_ns,
                         call->failed, call->client_error, call->weight);
}

static void count_component(const struct call_context *context,
                            const struct call_span *call,
                            enum derived_family family,
                            const struct component *peer,
                            const struct counted_name *peer_endpoint)
{
    struct derived_labels labels = {
        .family = (uint8_t)family,
        .kind = PEER_COMPONENT,
        .peer = peer->identity,
        .hash = name_hash(peer_endpoint),
        .text = {[TEXT_NAME] = name_text(peer_endpoint)}};

    count_edge(context, call, &labels, NULL);
}

/* A database, a queue or a host. */
static void count_named(const struct call_context *context,
                        const struct call_span *call,
                        enum derived_family family,
                        const struct call_target *target)
{
    struct derived_labels labels = {.family = (uint8_t)family,
                                    .kind = target->kind,
                                    .hash = target->name->hash,
                                    .text = {[TEXT_NAME] = target->name->text}};

    if (!target->name->is_other) {
        labels.text[TEXT_SYSTEM] =
            slice_truncate(target->system, CARDINALITY_MAX_TEXT);
        labels.text[TEXT_HOST] =
            slice_truncate(target->host, CARDINALITY_MAX_TEXT);
    }
    count_edge(context, call, &labels, &target->name->hint);
}

void call_target_count(const struct call_context *context,
                       const struct call_span *caller,
                       const struct call_target *target, bool retract)
{
    enum derived_family out =
        retract ? DERIVED_FAMILY_OUT_RETRACTED : DERIVED_FAMILY_OUT;
    enum derived_family in =
        retract ? DERIVED_FAMILY_IN_RETRACTED : DERIVED_FAMILY_IN;
    struct call_span calling = *caller;

    if (target->kind == PEER_NONE)
        return;
    if (target->kind != PEER_COMPONENT) {
        count_named(context, caller, out, target);
        return;
    }
    if (caller->component == target->callee.component)
        return;
    calling.protocol = target->callee.protocol; /* more precise */
    count_component(context, &calling, out, target->callee.component,
                    target->callee.endpoint);
    count_component(context, &target->callee, in, calling.component,
                    calling.endpoint);
}

struct derived_series *request_series(struct derived_table *derived,
                                      enum derived_family family,
                                      const struct component *component,
                                      enum span_kind kind,
                                      const struct counted_name *endpoint,
                                      struct counted_name *operation,
                                      uint64_t time_ns)
{
    struct derived_labels labels = {
        .family = (uint8_t)family,
        .kind = (uint8_t)kind,
        .identity = component->identity,
        .resource = component->resource,
        .hash = hash_mix(operation->hash, (uint64_t)family << 8 | kind),
        .text = {
            [TEXT_ENDPOINT] = endpoint->text, [TEXT_NAME] = operation->text}};

    return derived_get(derived, &labels, time_ns,
                       family == DERIVED_FAMILY_REQUESTS ? &operation->hint
                                                         : NULL);
}

/* ---- components ---- */

struct call_target call_target_met(const struct call_span *caller,
                                   const struct call_span *callee)
{
    struct call_target target = {.callee = *callee, .kind = PEER_COMPONENT};

    if (callee->protocol == PROTOCOL_NONE)
        target.callee.protocol = caller->protocol;
    return target;
}

/* The endpoint of a component that sends no spans: the one declared at this
 * port. */
static struct counted_name *declared_endpoint(
    const struct call_context *context, struct component *component,
    uint16_t port)
{
    const struct catalog_endpoint *endpoint = NULL;
    struct counted_name *group;

    if (component->declared && port)
        endpoint = catalog_match_endpoint(component->declared, port,
                                          (struct slice){NULL, 0});
    if (!endpoint)
        return NULL;
    group = component_group(component, context->limit, CARDINALITY_ENDPOINTS);
    return cardinality_find(
        context->limit, group,
        hash_bytes(endpoint->name.ptr, endpoint->name.len, 0));
}

struct call_target call_target_of_host(const struct call_context *context,
                                       const struct call_span *caller)
{
    struct call_target external = {
        .name = caller->host, .kind = caller->host ? PEER_EXTERNAL : PEER_NONE};
    struct call_span callee = *caller;
    uint32_t found = IDENTITY_NONE;

    if (caller->host && !caller->host->is_other)
        found = registry_find_host(
            context->registry, caller->component->identity, caller->host->text);
    if (found == IDENTITY_NONE)
        return external;
    callee.component = components_get(context->components, found);
    callee.endpoint =
        declared_endpoint(context, callee.component, caller->port);
    return call_target_met(caller, &callee);
}

/* ---- databases, queues, hosts ---- */

/* The name of a target among those of the component. */
static struct counted_name *target_name(const struct call_context *context,
                                        struct component *component,
                                        uint64_t salt, struct slice text)
{
    struct counted_name *group =
        component_group(component, context->limit, CARDINALITY_PEERS);
    uint64_t hash = hash_bytes(text.ptr, text.len, salt);
    struct counted_name *name = cardinality_find(context->limit, group, hash);

    return name ? name
                : cardinality_add(context->limit, group, hash, text,
                                  context->max_targets);
}

/* The host that a CLIENT calls. */
static struct slice called_host(const struct semconv *semconv)
{
    static const enum semconv_field fields[] = {
        SEM_PEER_SERVICE, SEM_SERVER_ADDRESS, SEM_NET_PEER_NAME, SEM_HTTP_HOST};
    struct slice host =
        semconv_first(semconv, fields, sizeof(fields) / sizeof(*fields));

    if (host.len == 0)
        host = url_split(semconv_text(semconv, SEM_URL_FULL)).authority;
    return host.len > 0 ? url_host(host)
                        : semconv_text(semconv, SEM_PEER_ADDRESS);
}

/* Sets a database or a queue; PEER_NONE without a name. System and host are
 * part of the identity of a name. */
static void set_named(const struct call_context *context,
                      const struct call_span *call, enum peer_kind kind,
                      struct slice name, struct call_target *target)
{
    uint64_t salt = hash_bytes(target->system.ptr, target->system.len, kind);

    salt = hash_bytes(target->host.ptr, target->host.len, salt);
    if (name.len > 0)
        target->name = target_name(context, call->component, salt, name);
    if (target->name)
        target->kind = (uint8_t)kind;
}

/* Redis numbers its databases: "0" is no name. */
static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

static void set_database(const struct call_context *context,
                         const struct call_span *call,
                         const struct semconv *semconv,
                         struct call_target *target)
{
    struct slice name = semconv_text(semconv, SEM_DB_NAMESPACE);

    target->system = systems_database(semconv);
    target->host = semconv_text(semconv, SEM_SERVER_ADDRESS);
    if (target->host.len == 0)
        target->host = called_host(semconv);
    if (is_number(name))
        name = target->host.len ? target->host : target->system;
    set_named(context, call, PEER_DATABASE, name, target);
}

static void set_queue(const struct call_context *context,
                      const struct call_span *call,
                      const struct semconv *semconv, struct call_target *target)
{
    struct slice name = systems_destination(semconv);

    target->system = systems_queue(semconv);
    set_named(context, call, PEER_QUEUE, name.len ? name : target->system,
              target);
}

bool call_target_read(const struct call_context *context,
                      struct call_span *caller, const struct semconv *semconv,
                      struct call_target *target)
{
    struct slice host;

    *target = (struct call_target){.name = NULL, .kind = PEER_NONE};
    if (caller->protocol == PROTOCOL_DB) {
        set_database(context, caller, semconv, target);
        return false;
    }
    if (semconv->span->kind == SPAN_PRODUCER) {
        /* A created message is sent by a span of its own. */
        if (!slice_equal(semconv_text(semconv, SEM_MSG_OPERATION),
                         SLICE("create")))
            set_queue(context, caller, semconv, target);
        return true;
    }
    if (caller->protocol == PROTOCOL_MESSAGING) {
        if (systems_sends(semconv))
            set_queue(context, caller, semconv, target);
        return target->kind == PEER_QUEUE;
    }
    host = called_host(semconv);
    caller->port = semconv_port(semconv, SEM_SERVER_PORT, SEM_NET_PEER_PORT);
    if (host.len > 0)
        caller->host = target_name(context, caller->component, 0, host);
    return true;
}

void call_target_count_queue(const struct call_context *context,
                             const struct call_span *consumer,
                             const struct semconv *semconv)
{
    struct call_target queue = {.name = NULL, .kind = PEER_NONE};

    set_queue(context, consumer, semconv, &queue);
    if (queue.kind != PEER_NONE)
        count_named(context, consumer, DERIVED_FAMILY_IN, &queue);
}

static struct slice retain_text(const struct call_context *context,
                                struct counted_name *group, struct slice text)
{
    return text.len > 0 ? name_text(cardinality_get(context->limit, group, text,
                                                    UINT32_MAX))
                        : text;
}

void call_target_retain(const struct call_context *context,
                        const struct call_span *caller,
                        struct call_target *target)
{
    struct counted_name *group;

    if (target->kind != PEER_DATABASE && target->kind != PEER_QUEUE)
        return;
    if (target->name->is_other) { /* not shown, and not limited in number */
        target->system = target->host = (struct slice){NULL, 0};
        return;
    }
    group =
        component_group(caller->component, context->limit, CARDINALITY_TEXTS);
    target->system = retain_text(context, group, target->system);
    target->host = retain_text(context, group, target->host);
}

/* ---- requests from outside ---- */

static bool declared_external(const struct call_span *callee)
{
    const struct catalog_component *declared = callee->component->declared;

    for (uint32_t i = 0; declared && i < declared->endpoint_count; i++)
        if (callee->endpoint &&
            slice_equal(declared->endpoints[i].name, callee->endpoint->text))
            return declared->endpoints[i].visibility & VISIBLE_EXTERNAL;
    return false;
}

void call_target_count_gateway(const struct call_context *context,
                               const struct call_span *callee,
                               const struct semconv *semconv)
{
    static const enum semconv_field fields[] = {
        SEM_SERVER_ADDRESS, SEM_HTTP_HOST, SEM_NET_HOST_NAME};
    struct derived_labels labels = {.family = DERIVED_FAMILY_IN,
                                    .kind = PEER_GATEWAY};
    struct slice host =
        semconv_first(semconv, fields, sizeof(fields) / sizeof(*fields));
    bool internet =
        declared_external(callee) || url_is_public_host(url_host(host));

    labels.hash = internet;
    labels.text[TEXT_NAME] = internet ? SLICE("internet") : SLICE("intranet");
    count_edge(context, callee, &labels,
               callee->endpoint ? &callee->endpoint->hint : NULL);
}
