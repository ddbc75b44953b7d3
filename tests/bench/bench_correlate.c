/*
 * What correlation costs a record: batches of 500 as the shop sends them, into
 * a store that throws them away. Prints nanoseconds per record, registry and
 * catalogue included; making the batches is not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "correlate.h"
#include "shop_batches.h"

enum { PER_BATCH = 500, RECORDS = 200000 };

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

struct metadata *store_metadata(struct store *store)
{
    return (struct metadata *)store;
}

void metadata_save_identity(struct metadata *store,
                            const struct identity *identity)
{
    (void)store;
    (void)identity;
}

void metadata_save_resource(struct metadata *store, uint32_t id,
                            uint32_t identity, uint64_t hash,
                            const struct resource *resource)
{
    (void)store;
    (void)id;
    (void)identity;
    (void)hash;
    (void)resource;
}

void metadata_save_resource_identity(struct metadata *store, uint32_t id,
                                     uint32_t identity)
{
    (void)store;
    (void)id;
    (void)identity;
}

void metadata_save_value(struct metadata *store, const char *name,
                         struct slice text)
{
    (void)store;
    (void)name;
    (void)text;
}

enum status metadata_load_value(struct metadata *store, const char *name,
                                struct arena *arena, struct slice *text)
{
    (void)store;
    (void)name;
    (void)arena;
    *text = (struct slice){NULL, 0};
    return OK;
}

enum status metadata_load(struct metadata *store,
                          metadata_identity_visit *identity,
                          metadata_resource_visit *resource, void *arg)
{
    (void)store;
    (void)identity;
    (void)resource;
    (void)arg;
    return OK;
}

enum status metadata_load_derived_state(struct metadata *store,
                                        struct arena *arena,
                                        struct slice *state)
{
    (void)store;
    (void)arena;
    *state = (struct slice){NULL, 0};
    return OK;
}

enum status metadata_load_requests(struct metadata *store,
                                   metadata_request_visit *visit, void *arg)
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

enum status metadata_sync(struct metadata *store)
{
    (void)store;
    return OK;
}

int main(void)
{
    static const char *const names[] = {"span", "log record", "point"};
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
        struct shop_batches made =
            shop_batches_make((enum signal)signal, RECORDS, PER_BATCH, false);
        uint64_t spent = 0;

        for (size_t i = 0; i < made.count; i++) {
            struct batch *batch = made.at[i];
            uint64_t start = clock_monotonic_ns();

            batch->lsn = ++lsn;
            batch_ref(batch); /* freeing is not what is measured */
            correlator_take(correlator, batch);
            spent += clock_monotonic_ns() - start;
        }
        printf("%-12s %4.0f ns\n", names[signal],
               (double)spent / (double)made.records);
        shop_batches_free(&made);
    }
    correlator_close(correlator);
    registry_close(registry);
    catalog_free(catalog);
    return 0;
}
