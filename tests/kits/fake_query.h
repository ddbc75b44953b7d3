/*
 * fake_query - a bed for tests of query handlers: the real registry and
 * catalogue, and the store in memory (memory_store.h), which answers from what
 * the test put into it and remembers the last queries.
 *
 *   struct bed bed;
 *   bed_init(&bed);
 *   bed.store->logs = ...; bed.store->log_count = ...;
 *   json_t *answer = bed_ask(&bed, "POST", "/api/v1/logs/query", "{...}");
 *   CHECK_EQ(bed.status, 200);
 */
#ifndef FAKE_QUERY_H
#define FAKE_QUERY_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "clock.h"
#include "memory_store.h"
#include "route_find.h"
#include "test.h"

struct bed {
    struct store *store;
    struct registry *registry;
    struct catalog *catalog;
    struct query_options options;
    struct arena arena; /* of what the test makes */
    const char *content_type;
    const struct subject *subject; /* who asks */
    size_t max_reply, max_memory;
    const char *accept;
    struct http_request *http; /* with headers that the test sets; or NULL */
    uint64_t running_ns;       /* as if a query had been running for so long */

    enum status journal_health;

    int status; /* of the last answer */
    size_t len;
    char text[256 * 1024];
};

static struct bed *the_bed;

static enum status journal_state(void *arg)
{
    (void)arg;
    return the_bed->journal_health;
}

struct sink journal_sink(struct journal *journal)
{
    (void)journal;
    return (struct sink){NULL, journal_state, NULL, NULL};
}

/* ---- the bed ---- */

static inline void bed_init(struct bed *bed)
{
    static struct registry_options registry = {.max_resources = 2000,
                                               .max_identities = 2000};

    memset(bed, 0, sizeof(*bed));
    the_bed = bed;
    bed->store = memory_store_new();
    bed->catalog = catalog_new();
    registry.keys = registry_default_keys;
    CHECK_EQ(registry_open(&bed->registry, &registry, bed->store), OK);
    arena_init(&bed->arena, NULL, SIZE_MAX);
    bed->options = (struct query_options){
        .store = bed->store,
        .registry = bed->registry,
        .catalog = bed->catalog,
        .journal = (struct journal *)bed, /* never looked into */
    };
    bed->subject = subject_everyone();
    bed->content_type = "application/json; charset=utf-8";
    bed->max_reply = 64 * 1024 - 1;
    bed->max_memory = SIZE_MAX;
}

static inline void bed_release(struct bed *bed)
{
    registry_close(bed->registry);
    catalog_free(bed->catalog);
    memory_store_free(bed->store);
    arena_release(&bed->arena);
}

static inline struct attr bed_attr(const char *key, const char *value)
{
    return (struct attr){.key = key,
                         .key_len = (uint16_t)strlen(key),
                         .type = VALUE_STRING,
                         .str = value,
                         .len = (uint32_t)strlen(value)};
}

/* A resource in the namespace (else acme), environment prod, of a pod called as
 * the component; its id. */
static inline uint32_t bed_resource_in(struct bed *bed, const char *space,
                                       const char *project,
                                       const char *component)
{
    struct attr *at = arena_zero(&bed->arena, 8, sizeof(*at));
    struct resource resource = {.attrs = {at, 8, 0}, .id = RESOURCE_NONE};

    at[0] = bed_attr("openchoreo.dev/namespace", space);
    at[1] = bed_attr("openchoreo.dev/project", project);
    at[2] = bed_attr("openchoreo.dev/component", component);
    at[3] = bed_attr("openchoreo.dev/environment", "prod");
    at[4] = bed_attr("openchoreo.dev/component-uid",
                     "5b0d0000-1111-2222-3333-444455556666");
    at[5] = bed_attr("k8s.pod.name", component);
    at[6] = bed_attr("k8s.namespace.name", "dp-acme");
    at[7] = bed_attr("k8s.container.name", "main");
    registry_resolve(bed->registry, &resource, UINT64_C(1700000000) * NS_PER_S);
    return resource.id;
}

static inline uint32_t bed_resource(struct bed *bed, const char *project,
                                    const char *component)
{
    return bed_resource_in(bed, "acme", project, component);
}

/* From now on alice asks, who may do this. */
static inline void bed_allow(struct bed *bed, action_set actions,
                             const char *space, const char *project,
                             const char *component)
{
    static struct subject alice = {.name = SLICE_INIT("alice")};
    static struct grant grant;

    grant = (struct grant){actions,
                           {{slice_of(space), slice_of(project),
                             slice_of(component), SLICE("*")}}};
    alice.grants = (struct grants){&grant, 1};
    bed->subject = &alice;
}

/* The answer parsed, or NULL if it is no JSON (it is in bed->text). */
static inline json_t *bed_ask(struct bed *bed, const char *method,
                              const char *path, const char *body)
{
    struct arena arena;
    struct query_request request;
    const char *mark = strchr(path, '?');
    struct http_param params[8];
    struct reader reader = {.store = bed->store};
    json_t *answer;

    arena_init(&arena, NULL, bed->max_memory);
    query_request_init(&request, &bed->options, &arena, bed->max_reply);
    request.content_type = slice_of(bed->content_type);
    request.accept = slice_of(bed->accept ? bed->accept : "");
    request.started_ns -= bed->running_ns;
    request.http = bed->http;
    request.raw_body = slice_of(body ? body : "");
    request.params = params;
    for (const char *at = mark; at && request.param_count < 8;) {
        const char *equal = strchr(at + 1, '=');
        const char *end = strchr(equal, '&');
        size_t len = end ? (size_t)(end - equal - 1) : strlen(equal + 1);

        params[request.param_count].name =
            (struct slice){at + 1, (size_t)(equal - at - 1)};
        params[request.param_count++].value = (struct slice){equal + 1, len};
        at = end;
    }
    route_find(
        &request, slice_of(method),
        (struct slice){path, mark ? (size_t)(mark - path) : strlen(path)});
    query_request_subject(&request, bed->subject);
    query_request_run(&request, &reader);
    while (request.produce &&
           request.produce(request.produce_arg, &request.out))
        ;
    bed->status = request.http_status;
    bed->len = request.out.len;
    if (request.out.len > 0)
        memcpy(bed->text, request.out.ptr, request.out.len);
    bed->text[request.out.len] = '\0';
    answer = json_loads(bed->text, JSON_DECODE_ANY, NULL);
    buf_release(&request.out);
    arena_release(&arena);
    return answer;
}

/* Asks for something that must be refused; the message of the refusal. */
static inline const char *bed_refused(struct bed *bed, const char *path,
                                      const char *body, int status,
                                      const char *code)
{
    static char message[512];
    json_t *answer = bed_ask(bed, "POST", path, body);

    CHECK_EQ(bed->status, status);
    CHECK_TEXT(
        slice_of(json_string_value(json_object_get(answer, "errorCode"))),
        code);
    snprintf(message, sizeof(message), "%s",
             json_string_value(json_object_get(answer, "message")));
    json_decref(answer);
    return message;
}

/* "logs.0.metadata.podName" of an answer, as text; "" if it is not there. */
static inline struct slice bed_at(const json_t *answer, const char *path)
{
    static char number[64];
    char name[64];

    while (answer && *path) {
        size_t len = strcspn(path, ".");

        snprintf(name, sizeof(name), "%.*s", (int)len, path);
        answer = json_is_array(answer)
                     ? json_array_get(answer, strtoul(name, NULL, 10))
                     : json_object_get(answer, name);
        path += len + (path[len] == '.');
    }
    if (json_is_string(answer))
        return slice_of(json_string_value(answer));
    if (json_is_number(answer))
        snprintf(number, sizeof(number), "%.9g", json_number_value(answer));
    else if (json_is_array(answer))
        snprintf(number, sizeof(number), "[%zu]", json_array_size(answer));
    else
        snprintf(number, sizeof(number), "%s",
                 json_is_true(answer)     ? "true"
                 : json_is_false(answer)  ? "false"
                 : json_is_object(answer) ? "{}"
                                          : "");
    return slice_of(number);
}

#endif
