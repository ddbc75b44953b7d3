/*
 * What correlation costs a record: batches of 500 as the shop sends them, into
 * a store that throws them away. Prints nanoseconds per record, registry and
 * catalogue included; making the batches is not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "correlate.h"
#include "memory_store.h"
#include "shop_batches.h"

enum { PER_BATCH = 500, RECORDS = 200000 };

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
    struct store *store = memory_store_new();
    struct catalog *catalog = catalog_new();
    struct correlator *correlator;
    struct registry *registry;
    uint64_t lsn = 0;

    store->drop_batches = store->drop_metadata = true;
    store->flush_every = 1000;
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
    memory_store_free(store);
    return 0;
}
