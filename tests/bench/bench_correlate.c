/*
 * What correlation costs a record: batches of 500 as the shop sends them, into
 * a store that throws them away. Prints nanoseconds per record, registry and
 * catalogue included; making the batches is not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "correlate.h"

enum { PER_BATCH = 500, BATCHES = 400, COMPONENTS = 12 };

static const char *const components[COMPONENTS] = {
    "frontend", "cart",  "checkout", "payment", "shipping", "email",
    "currency", "stock", "search",   "ads",     "reviews",  "accounts"};

/* ---- a store that keeps nothing ---- */

void store_append(struct store *store, struct batch *batch)
{
    (void)store;
    batch_free(batch);
}

bool store_derived_flush_due(struct store *store, uint64_t last_lsn)
{
    (void)store;
    return last_lsn % 1000 == 0;
}

uint64_t store_watermark(struct store *store, enum stream stream)
{
    (void)store;
    (void)stream;
    return 0;
}

uint64_t store_oldest_ns(struct store *store)
{
    (void)store;
    return 0;
}

enum status store_health(struct store *store)
{
    (void)store;
    return OK;
}

void store_save_identity(struct store *store, const struct identity *identity)
{
    (void)store;
    (void)identity;
}

void store_save_resource(struct store *store, uint32_t id, uint32_t identity,
                         uint64_t hash, const struct resource *resource)
{
    (void)store;
    (void)id;
    (void)identity;
    (void)hash;
    (void)resource;
}

void store_save_resource_identity(struct store *store, uint32_t id,
                                  uint32_t identity)
{
    (void)store;
    (void)id;
    (void)identity;
}

void store_save_text(struct store *store, const char *name, struct slice text)
{
    (void)store;
    (void)name;
    (void)text;
}

enum status store_load_text(struct store *store, const char *name,
                            struct arena *arena, struct slice *text)
{
    (void)store;
    (void)name;
    (void)arena;
    *text = (struct slice){NULL, 0};
    return OK;
}

enum status store_load(struct store *store, store_identity_visit *identity,
                       store_resource_visit *resource, void *arg)
{
    (void)store;
    (void)identity;
    (void)resource;
    (void)arg;
    return OK;
}

enum status store_load_derived_state(struct store *store, struct arena *arena,
                                     struct slice *state)
{
    (void)store;
    (void)arena;
    *state = (struct slice){NULL, 0};
    return OK;
}

enum status store_load_requests(struct store *store, store_request_visit *visit,
                                void *arg)
{
    (void)store;
    (void)visit;
    (void)arg;
    return OK;
}

void store_set_open_series(struct store *store, struct open_series source)
{
    (void)store;
    (void)source;
}

enum status store_sync(struct store *store)
{
    (void)store;
    return OK;
}

/* ---- batches ---- */

static void put(struct attrs *attrs, struct attr *at, const char *key,
                const char *value)
{
    at[attrs->count++] = (struct attr){.key = key,
                                       .str = value,
                                       .len = (uint32_t)strlen(value),
                                       .key_len = (uint16_t)strlen(key),
                                       .type = VALUE_STRING};
}

static void put_int(struct attrs *attrs, struct attr *at, const char *key,
                    int64_t value)
{
    at[attrs->count++] = (struct attr){.key = key,
                                       .i = value,
                                       .key_len = (uint16_t)strlen(key),
                                       .type = VALUE_INT};
}

static struct batch *make_batch(enum signal signal, uint64_t lsn)
{
    struct batch *batch = batch_new(signal, NULL, 0, NULL);

    batch->lsn = lsn;
    batch->received_ns = clock_wall_ns();
    batch->resources =
        arena_zero(&batch->arena, COMPONENTS, sizeof(struct resource));
    batch->resource_count = COMPONENTS;
    for (int i = 0; i < COMPONENTS; i++) {
        struct attr *at = arena_zero(&batch->arena, 16, sizeof(*at));
        struct attrs *attrs = &batch->resources[i].attrs;

        attrs->at = at;
        put(attrs, at, "service.name", components[i]);
        put(attrs, at, "service.version", "1.4.2");
        put(attrs, at, "k8s.namespace.name", "dp-acme-shop-production-1a2b");
        put(attrs, at, "k8s.pod.name", components[i]);
        put(attrs, at, "k8s.pod.uid", components[i]);
        put(attrs, at, "k8s.node.name", "node-1");
        put(attrs, at, "k8s.pod.label.openchoreo.dev/namespace", "acme");
        put(attrs, at, "k8s.pod.label.openchoreo.dev/project", "shop");
        put(attrs, at, "k8s.pod.label.openchoreo.dev/component", components[i]);
        put(attrs, at, "k8s.pod.label.openchoreo.dev/environment",
            "production");
        put(attrs, at, "telemetry.sdk.language", "go");
        put(attrs, at, "telemetry.sdk.name", "opentelemetry");
    }
    return batch;
}

static void number_id(uint8_t *id, size_t len, uint64_t number)
{
    number = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
    memset(id, 7, len);
    memcpy(id, &number, 8);
}

/* Five spans a trace: SERVER, CLIENT, its SERVER in the next component,
 * INTERNAL, a database call. */
static void fill_span(struct batch *batch, uint32_t i, uint64_t trace)
{
    static const enum span_kind kinds[] = {
        SPAN_CLIENT, SPAN_INTERNAL, SPAN_SERVER, SPAN_CLIENT, SPAN_SERVER};
    static const uint64_t parents[] = {2, 3, 4, 5, 0};
    static const char *const routes[] = {"/cart/{id}", "/cart", "/checkout",
                                         "/products/{id}"};
    uint32_t role = i % 5, to = (uint32_t)trace % COMPONENTS;
    struct span *span = &batch->spans[i];
    struct attr *at = arena_zero(&batch->arena, 10, sizeof(*at));

    span->resource = &batch->resources[(to + (role >= 3)) % COMPONENTS];
    span->kind = (uint8_t)kinds[role];
    number_id(span->trace_id, 16, trace);
    number_id(span->span_id, 8, trace * 8 + role + 1);
    if (parents[role])
        number_id(span->parent_span_id, 8, trace * 8 + parents[role]);
    span->start_ns = batch->received_ns;
    span->end_ns = span->start_ns + (1 + (trace * 7919 + role) % 1000) * 10000;
    span->name = SLICE("GET /cart/{id}");
    span->attrs.at = at;
    put(&span->attrs, at, "http.request.method", "GET");
    put(&span->attrs, at, "url.scheme", "http");
    put(&span->attrs, at, "server.address", components[to]);
    put_int(&span->attrs, at, "server.port", 8080);
    put_int(&span->attrs, at, "http.response.status_code",
            trace % 50 ? 200 : 503);
    put(&span->attrs, at, "user_agent.original", "Mozilla/5.0");
    put(&span->attrs, at, "network.protocol.version", "1.1");
    if (kinds[role] == SPAN_SERVER)
        put(&span->attrs, at, "http.route", routes[trace % 4]);
    if (role == 0)
        put(&span->attrs, at, "db.system.name", "postgresql");
}

static struct batch *span_batch(uint64_t lsn)
{
    struct batch *batch = make_batch(SIGNAL_SPANS, lsn);

    batch->count = PER_BATCH;
    batch->spans = arena_zero(&batch->arena, PER_BATCH, sizeof(struct span));
    for (uint32_t i = 0; i < PER_BATCH; i++)
        fill_span(batch, i, lsn * PER_BATCH + i / 5);
    return batch;
}

static struct batch *log_batch(uint64_t lsn)
{
    static const char *const levels[] = {"INFO", "INFO", "INFO", "WARN",
                                         "ERROR"};
    struct batch *batch = make_batch(SIGNAL_LOGS, lsn);

    batch->count = PER_BATCH;
    batch->logs =
        arena_zero(&batch->arena, PER_BATCH, sizeof(struct log_record));
    for (uint32_t i = 0; i < PER_BATCH; i++) {
        struct log_record *log = &batch->logs[i];
        struct attr *at = arena_zero(&batch->arena, 4, sizeof(*at));
        char text[200];
        int len = snprintf(
            text, sizeof(text),
            "level=%s msg=\"request %u of kind %s done\" user=%u "
            "path=/cart/%u duration=%u.%ums status=200 bytes=%u peer=10.0.0.%u",
            levels[i % 5], i, components[i % 7], i * 31, i * 17, i % 100,
            i % 10, i * 11, i % 255);
        struct slice body =
            arena_copy(&batch->arena, (struct slice){text, (size_t)len});

        log->resource = &batch->resources[i * COMPONENTS / PER_BATCH];
        log->time_ns = log->observed_ns = batch->received_ns;
        number_id(log->trace_id, 16, i);
        number_id(log->span_id, 8, i);
        log->severity = i % 2 ? 9 : 0;
        log->body = (struct attr){
            .str = body.ptr, .len = (uint32_t)body.len, .type = VALUE_STRING};
        log->attrs.at = at;
        put(&log->attrs, at, "log.iostream", "stdout");
        put(&log->attrs, at, "code.function.name", "handle");
        put(&log->attrs, at, "thread.name", "worker-1");
    }
    return batch;
}

static struct batch *point_batch(uint64_t lsn)
{
    struct batch *batch = make_batch(SIGNAL_METRICS, lsn);
    struct metric *metrics =
        arena_zero(&batch->arena, COMPONENTS, sizeof(*metrics));

    batch->count = PER_BATCH;
    batch->points = arena_zero(&batch->arena, PER_BATCH, sizeof(struct point));
    for (uint32_t i = 0; i < COMPONENTS; i++)
        metrics[i].resource = &batch->resources[i];
    for (uint32_t i = 0; i < PER_BATCH; i++) {
        struct point *point = &batch->points[i];
        struct attr *at = arena_zero(&batch->arena, 4, sizeof(*at));

        point->metric = &metrics[i * COMPONENTS / PER_BATCH];
        point->time_ns = batch->received_ns;
        point->attrs.at = at;
        put(&point->attrs, at, "http.request.method", "GET");
        put(&point->attrs, at, "http.route", "/cart");
        put(&point->attrs, at, "url.scheme", "http");
    }
    return batch;
}

int main(void)
{
    static const char *const names[] = {"span", "log record", "point"};
    static struct batch *(*const make[])(uint64_t) = {span_batch, log_batch,
                                                      point_batch};
    struct correlator_options options = {.max_operations = 200,
                                         .max_series = 32768,
                                         .max_unpaired_spans = 65536,
                                         .edge_wait_ns = 60 * NS_PER_S,
                                         .max_templates = 500,
                                         .queue = 8};
    struct registry_options registry_options = {.max_resources = 1000,
                                                .max_identities = 1000};
    int there;
    struct store *store = (struct store *)(void *)&there;
    struct catalog *catalog = catalog_new();
    struct correlator *correlator;
    struct registry *registry;
    uint64_t lsn = 0;

    if (registry_open(&registry, &registry_options, store) != OK ||
        correlator_open(&correlator, &options, store, registry, catalog) != OK)
        return 1;
    for (int signal = 0; signal < SIGNAL_COUNT; signal++) {
        uint64_t spent = 0;

        for (int i = 0; i < BATCHES; i++) {
            struct batch *batch = make[signal](++lsn);
            uint64_t start = clock_monotonic_ns();

            batch_ref(batch); /* freeing is not what is measured */
            correlator_take(correlator, batch);
            spent += clock_monotonic_ns() - start;
            batch_free(batch);
        }
        printf("%-12s %4.0f ns\n", names[signal],
               (double)spent / (BATCHES * PER_BATCH));
    }
    correlator_close(correlator);
    registry_close(registry);
    catalog_free(catalog);
    return 0;
}
