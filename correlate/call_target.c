/*
 * Every edge is one entry of the table of derived points, on the component the
 * series hangs on. Names of peers that senders make up (hosts, databases,
 * queues) are limit per component; a peer that does not fit is {other}.
 */
#include "call_target.h"

#include "derived.h"
#include "hash.h"
#include "systems.h"
#include "url.h"

static uint64_t name_hash(const struct limited_name *name)
{
    return name ? name->hash : 0;
}

static struct slice name_text(const struct limited_name *name)
{
    return name ? name->text : (struct slice){NULL, 0};
}

static void count(const struct edges_options *options,
                  const struct call_span *call, struct derived_labels *labels,
                  uint32_t *hint)
{
    uint32_t none = UINT32_MAX;
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
    series = derived_get(options->derived, labels, call->start_ns,
                         hint ? hint : &none);
    if (series)
        derived_add_duration(options->derived, series, call->duration_ns,
                             call->failed, call->client_error, call->weight);
}

static void count_component(const struct edges_options *options,
                            const struct call_span *call,
                            enum derived_family family,
                            const struct component *peer,
                            const struct limited_name *peer_endpoint)
{
    struct derived_labels labels = {
        .family = (uint8_t)family,
        .kind = PEER_COMPONENT,
        .peer = peer->identity,
        .hash = name_hash(peer_endpoint),
        .text = {[TEXT_NAME] = name_text(peer_endpoint)}};

    count(options, call, &labels, NULL);
}

/* Database, queue, host: system and host belong to the name. */
static void count_named(const struct edges_options *options,
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
    count(options, call, &labels, &target->name->hint);
}

void call_target_count(const struct edges_options *options,
                       const struct call_span *caller,
                       const struct call_target *target, bool back)
{
    enum derived_family out =
        back ? DERIVED_FAMILY_OUT_RETRACTED : DERIVED_FAMILY_OUT;
    struct call_span calling = *caller;

    if (target->kind == PEER_NONE)
        return;
    if (target->kind != PEER_COMPONENT) {
        count_named(options, caller, out, target);
        return;
    }
    if (caller->component == target->callee.component)
        return;
    calling.protocol = target->callee.protocol; /* the callee knows it better */
    count_component(options, &calling, out, target->callee.component,
                    target->callee.endpoint);
    count_component(options, &target->callee,
                    back ? DERIVED_FAMILY_IN_RETRACTED : DERIVED_FAMILY_IN,
                    calling.component, calling.endpoint);
}

void call_target_retract_request(const struct edges_options *options,
                                 const struct call_span *served,
                                 const struct limited_name *operation)
{
    uint32_t none = UINT32_MAX;
    struct derived_labels labels = {.family = DERIVED_FAMILY_REQUESTS_RETRACTED,
                                    .kind = SPAN_SERVER,
                                    .identity = served->component->identity,
                                    .resource = served->component->resource};
    struct derived_series *series;

    if (!operation || !served->endpoint)
        return;
    labels.text[TEXT_ENDPOINT] = served->endpoint->text;
    labels.text[TEXT_NAME] = operation->text;
    labels.hash =
        hash_mix(operation->hash, DERIVED_FAMILY_REQUESTS_RETRACTED << 8);
    series = derived_get(options->derived, &labels, served->start_ns, &none);
    if (series)
        derived_add_duration(options->derived, series, served->duration_ns,
                             served->failed, served->client_error,
                             served->weight);
}

struct call_target call_target_met(const struct call_span *caller,
                                   const struct call_span *callee)
{
    struct call_target target = {.callee = *callee, .kind = PEER_COMPONENT};

    if (callee->protocol == PROTOCOL_NONE)
        target.callee.protocol = caller->protocol;
    return target;
}

/* The endpoint of a component without spans: the one declared at this port. */
static struct limited_name *declared_endpoint(
    const struct edges_options *options, struct component *component,
    uint16_t port)
{
    const struct catalog_endpoint *endpoint = NULL;
    struct limited_name *group;

    if (component->declared && port)
        endpoint = catalog_match_endpoint(component->declared, port,
                                          (struct slice){NULL, 0});
    if (!endpoint)
        return NULL;
    group = cardinality_group(options->limit, component->identity,
                              CARDINALITY_ENDPOINTS);
    return group ? cardinality_find(
                       options->limit, group,
                       hash_bytes(endpoint->name.ptr, endpoint->name.len, 0))
                 : NULL;
}

struct call_target call_target_of_host(const struct edges_options *options,
                                       const struct call_span *caller)
{
    struct call_target external = {
        .name = caller->host, .kind = caller->host ? PEER_EXTERNAL : PEER_NONE};
    struct call_span called = *caller;
    uint32_t found = IDENTITY_NONE;

    if (caller->host && !caller->host->is_other)
        found = registry_find_host(
            options->registry, caller->component->identity, caller->host->text);
    if (found == IDENTITY_NONE)
        return external;
    called.component = components_get(options->components, found);
    called.endpoint =
        declared_endpoint(options, called.component, caller->port);
    return call_target_met(caller, &called);
}

/* The name of a peer among those of its component. */
static struct limited_name *peer_name(const struct edges_options *options,
                                      const struct component *component,
                                      uint64_t salt, struct slice text)
{
    struct limited_name *group = cardinality_group(
        options->limit, component->identity, CARDINALITY_PEERS);
    uint64_t hash = hash_bytes(text.ptr, text.len, salt);
    struct limited_name *name;

    if (!group)
        return NULL;
    name = cardinality_find(options->limit, group, hash);
    return name ? name
                : cardinality_add(options->limit, group, hash, text,
                                  options->max_peers);
}

/* Whom a CLIENT says it calls. */
static struct slice host_of(const struct semconv *semconv)
{
    static const enum semconv_field fields[] = {
        SEM_PEER_SERVICE, SEM_SERVER_ADDRESS, SEM_NET_PEER_NAME, SEM_HTTP_HOST};
    struct slice host = {NULL, 0};

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        host = semconv_text(semconv, fields[i]);
        if (host.len > 0)
            return url_host(host);
    }
    host = url_split(semconv_text(semconv, SEM_URL_FULL)).authority;
    if (host.len > 0)
        return url_host(host);
    return semconv_text(semconv, SEM_PEER_ADDRESS);
}

static void fill_host(const struct edges_options *options,
                      struct call_span *caller, const struct semconv *semconv)
{
    struct slice host = host_of(semconv);
    int64_t port = semconv_number(semconv, SEM_SERVER_PORT);

    if (port <= 0)
        port = semconv_number(semconv, SEM_NET_PEER_PORT);
    caller->port = port > 0 && port < 65536 ? (uint16_t)port : 0;
    if (host.len > 0)
        caller->host = peer_name(options, caller->component, 0, host);
}

static void set_named(const struct edges_options *options,
                      const struct call_span *call, struct slice name,
                      struct call_target *target)
{
    uint64_t salt =
        hash_bytes(target->system.ptr, target->system.len, target->kind);

    salt = hash_bytes(target->host.ptr, target->host.len, salt);
    target->name = peer_name(options, call->component, salt, name);
    if (!target->name)
        target->kind = PEER_NONE;
}

/* Redis numbers its databases: "0" names nothing. */
static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

static void set_database(const struct edges_options *options,
                         const struct call_span *call,
                         const struct semconv *semconv,
                         struct call_target *target)
{
    struct slice name = semconv_text(semconv, SEM_DB_NAMESPACE);

    target->kind = PEER_DATABASE;
    target->system = systems_database(semconv);
    target->host = semconv_text(semconv, SEM_SERVER_ADDRESS);
    if (target->host.len == 0)
        target->host = host_of(semconv);
    if (is_number(name))
        name = target->host.len ? target->host : target->system;
    if (name.len > 0)
        set_named(options, call, name, target);
    else
        target->kind = PEER_NONE;
}

static void set_queue(const struct edges_options *options,
                      const struct call_span *call,
                      const struct semconv *semconv, struct call_target *target)
{
    struct slice name = systems_destination(semconv);

    target->kind = PEER_QUEUE;
    target->system = systems_queue(semconv);
    if (name.len == 0)
        name = target->system;
    if (name.len > 0)
        set_named(options, call, name, target);
    else
        target->kind = PEER_NONE;
}

void call_target_count_queue(const struct edges_options *options,
                             const struct call_span *call,
                             const struct semconv *semconv)
{
    struct call_target queue = {.name = NULL};

    set_queue(options, call, semconv, &queue);
    if (queue.kind != PEER_NONE)
        count_named(options, call, DERIVED_FAMILY_IN, &queue);
}

bool call_target_read(const struct edges_options *options,
                      struct call_span *caller, const struct span *span,
                      const struct semconv *semconv, struct call_target *target)
{
    struct slice operation = semconv_text(semconv, SEM_MSG_OPERATION);

    *target = (struct call_target){.name = NULL, .kind = PEER_NONE};
    if (caller->protocol == PROTOCOL_DB) {
        set_database(options, caller, semconv, target);
        return false;
    }
    if (span->kind == SPAN_PRODUCER) {
        /* What is created is sent by a span of its own. */
        if (!slice_equal(operation, SLICE("create")))
            set_queue(options, caller, semconv, target);
        return true;
    }
    if (caller->protocol == PROTOCOL_MESSAGING) {
        if (systems_sends(span, semconv))
            set_queue(options, caller, semconv, target);
        return target->kind == PEER_QUEUE;
    }
    fill_host(options, caller, semconv);
    return true;
}

static struct slice keep_text(const struct edges_options *options,
                              struct limited_name *group, struct slice text)
{
    struct limited_name *name =
        group && text.len > 0
            ? cardinality_get(options->limit, group, text, UINT32_MAX)
            : NULL;

    return name_text(name);
}

void call_target_retain(const struct edges_options *options,
                        const struct call_span *caller,
                        struct call_target *target)
{
    struct limited_name *group;

    if (target->kind != PEER_DATABASE && target->kind != PEER_QUEUE)
        return;
    if (target->name->is_other) { /* they are not shown, and not bounded */
        target->system = target->host = (struct slice){NULL, 0};
        return;
    }
    group = cardinality_group(options->limit, caller->component->identity,
                              CARDINALITY_TEXTS);
    target->system = keep_text(options, group, target->system);
    target->host = keep_text(options, group, target->host);
}

bool url_is_address(struct slice host)
{
    if (memchr(host.ptr, ':', host.len))
        return true;
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] != '.' && (unsigned char)(host.ptr[i] - '0') > 9)
            return false;
    return true;
}

static bool ends_with(struct slice s, struct slice tail)
{
    return s.len >= tail.len &&
           slice_equal(slice_from(s, s.len - tail.len), tail);
}

bool url_is_public_host(struct slice host)
{
    return host.len > 0 && memchr(host.ptr, '.', host.len) &&
           !url_is_address(host) && !ends_with(host, SLICE(".svc")) &&
           !ends_with(host, SLICE(".local")) &&
           !ends_with(host, SLICE(".internal"));
}

static bool declared_external(const struct call_span *callee)
{
    const struct catalog_component *declared = callee->component->declared;

    for (uint32_t i = 0; declared && i < declared->endpoint_count; i++)
        if (callee->endpoint &&
            slice_equal(declared->endpoints[i].name, callee->endpoint->text))
            return declared->endpoints[i].visibility & VISIBLE_EXTERNAL;
    return false;
}

void call_target_count_gateway(const struct edges_options *options,
                               const struct call_span *callee,
                               const struct semconv *semconv)
{
    struct derived_labels labels = {.family = DERIVED_FAMILY_IN,
                                    .kind = PEER_GATEWAY};
    struct slice host = semconv_text(semconv, SEM_SERVER_ADDRESS);
    bool internet;

    if (host.len == 0)
        host = semconv_text(semconv, SEM_HTTP_HOST);
    if (host.len == 0)
        host = semconv_text(semconv, SEM_NET_HOST_NAME);
    internet = declared_external(callee) || url_is_public_host(url_host(host));
    labels.hash = internet;
    labels.text[TEXT_NAME] = internet ? SLICE("internet") : SLICE("intranet");
    count(options, callee, &labels,
          callee->endpoint ? &callee->endpoint->hint : NULL);
}
