/*
 * What tenants cost a record: log records of 1,000 namespaces with 100
 * resources each, one resource in a batch, in CPU time. Once as a collector
 * that may write anything, and once by each namespace's own sender, whose
 * labels are compared and whose resources and pods have keys of its own.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "correlate.h"
#include "memory_store.h"

enum { TENANTS = 1000, RESOURCES = 100, RECORDS = 50, ROUNDS = 3, ATTRS = 12 };

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct attr text(struct arena *arena, const char *key,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static struct attr text(struct arena *arena, const char *key,
                        const char *format, ...)
{
    char value[64];
    struct slice copy;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    copy = arena_copy(arena, slice_of(value));
    return (struct attr){.key = key,
                         .key_len = (uint16_t)strlen(key),
                         .type = VALUE_STRING,
                         .str = copy.ptr,
                         .len = (uint32_t)copy.len};
}

static struct attrs resource_attrs(struct arena *arena, int t, int r)
{
    struct attr *at = arena_zero(arena, ATTRS, sizeof(*at));

    at[0] = text(arena, "openchoreo.dev/namespace", "tenant-%d", t);
    at[1] = text(arena, "openchoreo.dev/project", "project-%d-%d", t, r / 20);
    at[2] =
        text(arena, "openchoreo.dev/component", "component-%d-%d", t, r / 4);
    at[3] = text(arena, "openchoreo.dev/environment", "production");
    at[4] = text(arena, "service.name", "service-%d-%d", t, r / 4);
    at[5] = text(arena, "k8s.pod.uid", "9c1f0000-%d-%d", t, r);
    at[6] = text(arena, "k8s.pod.name", "pod-%d-%d", t, r);
    at[7] = text(arena, "k8s.namespace.name", "dp-%d", t);
    at[8] = text(arena, "k8s.node.name", "node-%d", t % 50);
    at[9] = text(arena, "telemetry.sdk.language", "go");
    at[10] = text(arena, "telemetry.sdk.version", "1.31.0");
    at[11] = text(arena, "container.id", "c0ffee-%d-%d", t, r);
    return (struct attrs){at, ATTRS, 0};
}

static struct batch *make_batch(int tenant, int number)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
    struct arena *arena = &batch->arena;
    struct attr *own = arena_zero(arena, 4, sizeof(*own));

    batch->received_ns = UINT64_C(1700000000) * NS_PER_S;
    batch->resource_count = 1;
    batch->resources = arena_zero(arena, 1, sizeof(*batch->resources));
    batch->resources[0] = (struct resource){
        .attrs = resource_attrs(arena, tenant, number), .id = RESOURCE_NONE};
    own[0] = text(arena, "code.function.name", "handle%d", number);
    own[1] = text(arena, "log.iostream", "stdout");
    own[2] = text(arena, "thread.name", "worker-%d", number % 8);
    own[3] = text(arena, "user.id", "%d", number);
    batch->count = RECORDS;
    batch->logs = arena_zero(arena, RECORDS, sizeof(*batch->logs));
    for (uint32_t i = 0; i < RECORDS; i++)
        batch->logs[i] = (struct log_record){
            .resource = batch->resources,
            .resource_id = RESOURCE_NONE,
            .time_ns = batch->received_ns,
            .attrs = {own, 4, 0},
            .severity = 9,
            .body = text(arena, "", "order %d of %d is paid", tenant, number)};
    return batch;
}

static struct writer *writer_of(int tenant)
{
    char name[32];
    struct writer_scope scope = {.name = {{name, 0}}};

    snprintf(name, sizeof(name), "tenant-%d", tenant);
    scope.name[0].len = strlen(name);
    return writer_new(scope.name[0], false, &scope, 1);
}

/* Nanoseconds of CPU time per record, first when all resources are new. */
static void measure(bool tenants)
{
    struct correlator_options options = {.max_operations = 200,
                                         .max_series = 32768,
                                         .max_unpaired_spans = 65536,
                                         .edge_wait_ns = 60 * NS_PER_S,
                                         .max_templates = 500,
                                         .queue = 8};
    struct registry_options registry_options = {.max_resources = 200000,
                                                .max_identities = 100000};
    struct store *store = memory_store_new();
    struct catalog *catalog = catalog_new();
    struct correlator *correlator;
    struct registry *registry;
    uint64_t lsn = 0;

    store->drop_batches = store->drop_metadata = true;
    store->flush_every = 1000;
    if (registry_open(&registry, &registry_options, store) != OK ||
        correlator_open(&correlator, &options, store, registry, catalog) != OK)
        exit(1);
    printf("%-10s", tenants ? "senders" : "collector");
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t spent = 0;

        for (int i = 0; i < TENANTS * RESOURCES; i++) {
            int tenant = i % TENANTS;
            struct batch *batch = make_batch(tenant, i / TENANTS);
            uint64_t start;

            batch->writer = tenants ? writer_of(tenant) : NULL;
            batch->lsn = ++lsn;
            batch_ref(batch);
            start = cpu_ns();
            correlator_take(correlator, batch);
            spent += cpu_ns() - start;
            batch_free(batch);
        }
        printf(" %6.1f ns", (double)spent / TENANTS / RESOURCES / RECORDS);
    }
    printf("\n");
    correlator_close(correlator);
    registry_close(registry);
    catalog_free(catalog);
    memory_store_free(store);
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        measure(false);
        measure(true);
    }
    return 0;
}
