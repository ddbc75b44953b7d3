/* The correlator of a partition: who continues from its state makes the same.
 */
#include "partition_kit.h"

struct instance {
    struct registry *registry;
    struct catalog *catalog;
    struct correlator *correlator;
    struct store_resources resources;
    struct sums *sums;
};

static void add_output(void *arg, struct batch *batch)
{
    struct instance *instance = arg;

    if (batch->derived)
        sums_add_derived(instance->sums, instance->registry, batch);
    else
        sums_add(instance->sums, "spans", batch->count);
    batch_free(batch);
}

static void open_correlator(struct instance *instance)
{
    struct correlator_options options = kit_options;

    options.append = add_output;
    options.append_arg = instance;
    options.resources = &instance->resources;
    CHECK_EQ(correlator_open(&instance->correlator, &options, kit_the_store(),
                             instance->registry, instance->catalog),
             OK);
}

static void open_instance(struct instance *instance, struct sums *sums)
{
    struct registry_options registry = {.max_resources = 1000,
                                        .max_identities = 1000};

    *instance = (struct instance){.catalog = catalog_new(), .sums = sums};
    CHECK_EQ(registry_open(&instance->registry, &registry, kit_the_store()),
             OK);
    instance->resources =
        (struct store_resources){.arg = instance->registry,
                                 .identity_anchor = partition_anchor,
                                 .find_identity = partition_find_identity};
    open_correlator(instance);
}

static void close_instance(struct instance *instance)
{
    correlator_close(instance->correlator);
    registry_close(instance->registry);
    catalog_free(instance->catalog);
}

/* Another instance learned the resources in another order. */
static void know_resources(struct instance *instance)
{
    uint32_t first = test_random(RANDOM_COMPONENTS);

    for (uint32_t i = 0; i < 2 * RANDOM_COMPONENTS; i++) {
        struct random_span span = {.component = (first + i) % RANDOM_COMPONENTS,
                                   .trace = i / RANDOM_COMPONENTS};
        struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

        batch->resources =
            arena_zero(&batch->arena, 1, sizeof(struct resource));
        batch->spans = arena_zero(&batch->arena, 1, sizeof(struct span));
        random_span_put(batch, &span);
        registry_resolve(instance->registry, &batch->resources[0], KIT_TIME);
        batch_free(batch);
    }
}

/* All messages; with `moves`, the state is taken over now and then by another
 * correlator, of the same or of another registry. */
static void run_messages(const struct random_spans *spans, uint32_t seed,
                         bool moves, struct sums *sums)
{
    struct instance instance;
    uint64_t offset = 0;

    open_instance(&instance, sums);
    for (uint32_t at = 0; at < spans->count; offset++) {
        correlator_take(
            instance.correlator,
            random_message(spans, &at, 1 + (seed + at) % 9, offset));
        if (moves && test_random(20) == 0) {
            struct buf state;

            buf_init(&state, 64 << 20);
            correlator_flush(instance.correlator);
            correlator_save(instance.correlator, &state);
            CHECK_EQ(state.status, OK);
            if (test_random(2)) {
                close_instance(&instance);
                open_instance(&instance, sums);
                know_resources(&instance);
            } else {
                correlator_close(instance.correlator);
                open_correlator(&instance);
            }
            CHECK_EQ(correlator_restore(instance.correlator, buf_slice(&state)),
                     OK);
            buf_release(&state);
        }
    }
    correlator_expire(instance.correlator, KIT_TIME + NS_PER_HOUR);
    correlator_flush(instance.correlator);
    close_instance(&instance);
}

TEST(continues_from_the_state)
{
    for (int i = 0; i < 10; i++) {
        struct random_spans spans = random_spans_new(60, 300);
        struct sums *first = sums_new(), *second = sums_new();
        uint32_t seed = test_random(100);

        kit_reset();
        run_messages(&spans, seed, false, first);
        kit_reset();
        run_messages(&spans, seed, true, second);
        CHECK(first->count > 10);
        CHECK(sums_equal(first, second));
        sums_free(first);
        sums_free(second);
        free(spans.at);
        kit_reset();
    }
}

/* A request that is sent again after another instance took over. */
TEST(knows_requests_that_are_sent_again)
{
    struct random_spans spans = random_spans_new(1, 1);
    struct sums *sums = sums_new();
    struct instance instance;
    struct buf state;

    kit_reset();
    buf_init(&state, 64 << 20);
    open_instance(&instance, sums);
    for (uint64_t offset = 0; offset < 2; offset++) {
        uint32_t at = 0;
        struct batch *batch = random_message(&spans, &at, 1, offset);

        batch->hash = (struct request_hash){7, 8};
        correlator_take(instance.correlator, batch);
        if (offset == 0)
            correlator_save(instance.correlator, &state);
        correlator_close(instance.correlator);
        open_correlator(&instance);
        CHECK_EQ(correlator_restore(instance.correlator, buf_slice(&state)),
                 OK);
    }
    CHECK_EQ(sums_find(sums, "spans")->value, 1);
    close_instance(&instance);
    buf_release(&state);
    sums_free(sums);
    free(spans.at);
}

/* State that was damaged is refused or read in part, never more. */
TEST(damaged_state)
{
    struct random_spans spans = random_spans_new(40, 20);
    struct sums *sums = sums_new();
    struct instance instance;
    struct buf state;
    uint64_t offset = 0;

    kit_reset();
    buf_init(&state, 64 << 20);
    open_instance(&instance, sums);
    for (uint32_t at = 0; at < spans.count; offset++)
        correlator_take(instance.correlator,
                        random_message(&spans, &at, 8, offset));
    correlator_save(instance.correlator, &state);
    for (int i = 0; i < 300; i++) {
        struct slice cut = buf_slice(&state);
        uint32_t changed = test_random(
            (uint32_t)state.len < 4096 ? (uint32_t)state.len : 4096);
        char was = state.ptr[changed];

        if (i % 3 == 0)
            cut.len = test_random((uint32_t)cut.len);
        else
            state.ptr[changed] = (char)test_random(256);
        correlator_close(instance.correlator);
        open_correlator(&instance);
        (void)(correlator_restore(instance.correlator, cut) == OK);
        correlator_expire(instance.correlator, KIT_TIME + NS_PER_HOUR);
        state.ptr[changed] = was;
    }
    close_instance(&instance);
    buf_release(&state);
    sums_free(sums);
    free(spans.at);
}

/* ---- versions ---- */

static uint32_t reported;

static void count_report(void *arg, struct batch *batch)
{
    (void)arg;
    reported++;
    CHECK(slice_equal(batch->logs[0].event_name, SLICE(DERIVED_CHANGE)));
    batch_free(batch);
}

static void run_version(struct correlator *correlator, const char *version,
                        uint64_t offset)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
    char resource[128];

    snprintf(resource, sizeof(resource),
             "service.name=c,service.namespace=shop,service.version=%s",
             version);
    batch->lsn = offset + 1;
    batch->received_ns = KIT_TIME;
    batch->resources = arena_zero(&batch->arena, 1, sizeof(struct resource));
    batch->spans = arena_zero(&batch->arena, 1, sizeof(struct span));
    kit_span(batch, resource, SPAN_SERVER, 1, 1, 0, "");
    correlator_take(correlator, batch);
}

/* Two partitions of an instance see a new version; it is reported once. */
TEST(partitions_share_what_they_know_of_versions)
{
    struct sums *sums = sums_new();
    struct instance instance;
    struct correlator_options options = kit_options;
    struct correlator_changes *changes = NULL;
    struct correlator *two[2];

    kit_reset();
    open_instance(&instance, sums);
    CHECK_EQ(correlator_changes_open(&changes, kit_the_store(),
                                     instance.registry, count_report, NULL),
             OK);
    options.append = add_output;
    options.append_arg = &instance;
    options.resources = &instance.resources;
    options.changes = changes;
    for (int i = 0; i < 2; i++)
        CHECK_EQ(correlator_open(&two[i], &options, kit_the_store(),
                                 instance.registry, instance.catalog),
                 OK);
    reported = 0;
    run_version(two[0], "1", 0);
    run_version(two[1], "1", 0);
    CHECK_EQ(reported, 0);
    run_version(two[1], "2", 1);
    run_version(two[0], "2", 1);
    CHECK_EQ(reported, 1);
    correlator_close(two[0]);
    correlator_close(two[1]);
    correlator_changes_close(changes);
    close_instance(&instance);
    sums_free(sums);
    kit_reset();
}
