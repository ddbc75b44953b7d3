/* Registries of two instances with one table of resources. */
#include "ch_resources.h"

#include "clickhouse_kit.h"
#include "registry_writers_kit.h"
#include "store_resources.h"

struct sharing {
    struct bed bed;
    struct ch_resources *resources;
    struct store_resources ask;
};

static void join(struct sharing *one, struct clickhouse_kit *kit,
                 uint32_t poll_ms)
{
    struct registry_options own = options;

    one->resources = ch_resources_open(kit->client, poll_ms);
    own.log = ch_resources_log(one->resources);
    one->bed.store = memory_store_new();
    arena_init(&one->bed.arena, NULL, SIZE_MAX);
    CHECK_EQ(registry_open(&one->bed.registry, &own, one->bed.store), OK);
    one->ask = registry_resources(one->bed.registry);
}

static void part(struct sharing *one)
{
    bed_release(&one->bed);
    ch_resources_close(one->resources);
}

static uint64_t send_to(struct sharing *one, const char *text)
{
    struct resource resource = {.attrs = attrs_of(&one->bed, text),
                                .id = RESOURCE_NONE};
    struct resource_names names = {.key = 0};

    registry_resolve(one->bed.registry, &resource, NOW);
    CHECK(
        one->ask.describe(one->ask.arg, resource.id, &one->bed.arena, &names));
    return names.key;
}

static bool is_now(struct sharing *one, uint64_t key, const char *want)
{
    registry_share(one->bed.registry, NOW + NS_PER_S);
    return strcmp(who(&one->bed, one->ask.find(one->ask.arg, key)), want) == 0;
}

TEST(a_pod_stamped_on_one_instance_is_re_tagged_on_the_other)
{
    struct clickhouse_kit kit;
    struct sharing a, b;
    uint64_t key;

    clickhouse_kit_open(&kit);
    join(&a, &kit, 0);
    join(&b, &kit, 0);
    key = send_to(&a, "service.name=cart k8s.pod.uid=u1");
    WAIT_FOR(is_now(&b, key, "4 default/default/cart/default"));
    send_to(&b, "k8s.pod.uid=u1 " CART);
    WAIT_FOR(is_now(&a, key, "3 acme/shop/cart/dev"));
    WAIT_FOR(is_now(&b, key, "3 acme/shop/cart/dev"));
    part(&a);
    part(&b);
    join(&a, &kit, 0); /* from the table alone */
    CHECK(is_now(&a, key, "3 acme/shop/cart/dev"));
    part(&a);
    clickhouse_kit_close(&kit);
}

static enum status flush(struct sharing *one)
{
    struct ch_error error;

    return ch_resources_flush(one->resources, NULL, &error);
}

/* Attributes of all types, and the sender. */
TEST(a_resource_comes_as_it_was_sent)
{
    struct attr items[] = {
        {.key = "", .type = VALUE_INT, .i = -7},
        {.key = "", .type = VALUE_BOOL, .i = 1},
    };
    struct attr attrs[] = {
        {.key = "b", .key_len = 1, .type = VALUE_DOUBLE, .d = 0.1},
        {.key = "a",
         .key_len = 1,
         .type = VALUE_ARRAY,
         .items = items,
         .len = 2},
        {.key = "c",
         .key_len = 1,
         .type = VALUE_BYTES,
         .str = "\0\xff",
         .len = 2},
        {.key = "service.name",
         .key_len = 12,
         .type = VALUE_STRING,
         .str = "cart",
         .len = 4},
    };
    struct resource resource = {.attrs = {attrs, 4, 0}, .id = RESOURCE_NONE};
    struct clickhouse_kit kit;
    struct sharing a, b;
    struct resource_names here, there;
    uint32_t before;

    clickhouse_kit_open(&kit);
    join(&a, &kit, UINT32_MAX);
    join(&b, &kit, UINT32_MAX);
    as_acme(&a.bed);
    registry_resolve(a.bed.registry, &resource, NOW);
    CHECK(a.ask.describe(a.ask.arg, resource.id, &a.bed.arena, &here));
    CHECK_EQ(flush(&a), OK);
    CHECK_EQ(ch_resources_poll(b.resources), OK);
    registry_share(b.bed.registry, NOW);
    before = b.ask.find(b.ask.arg, here.key);
    CHECK(is(&b.bed, before, "4 acme/default/cart/default"));
    /* It is recognized, so its attributes have the same hash. */
    as_acme(&b.bed);
    registry_resolve(b.bed.registry, &resource, NOW);
    CHECK_EQ(resource.id, before);
    CHECK(b.ask.describe(b.ask.arg, resource.id, &b.bed.arena, &there));
    CHECK_EQ(there.key, here.key);
    CHECK_EQ(flush(&b), OK);
    CHECK_EQ(
        clickhouse_kit_number(&kit, "SELECT count() FROM callboard_resources"),
        1);
    free_writers(&a.bed);
    registry_set_writer(b.bed.registry, NULL);
    part(&a);
    part(&b);
    clickhouse_kit_close(&kit);
}

TEST(deletions_and_times_reach_the_other_instance)
{
    struct registry_deletion deletion;
    struct component_info *list;
    struct clickhouse_kit kit;
    struct sharing a, b;
    uint64_t key;
    uint32_t count;

    clickhouse_kit_open(&kit);
    join(&a, &kit, 0);
    join(&b, &kit, 0);
    key = send_to(&a, CART);
    WAIT_FOR(is_now(&b, key, "1 acme/shop/cart/dev"));
    registry_touch(a.bed.registry, a.ask.find_identity(a.ask.arg, key),
                   SIGNAL_LOGS, NOW + 5);
    registry_share(a.bed.registry, NOW + NS_PER_HOUR);
    WAIT_FOR(
        (registry_share(b.bed.registry, NOW),
         list = registry_components(b.bed.registry, &(struct scope_filter){0},
                                    &viewer_all, &b.bed.arena, &count),
         count == 1 &&
             list[0].last_seen_ns[SIGNAL_LOGS] / NS_PER_S == NOW / NS_PER_S));
    CHECK_EQ(registry_delete(b.bed.registry, SLICE("acme"),
                             NOW + 2 * NS_PER_HOUR, &deletion),
             OK);
    WAIT_FOR(is_now(&a, key, "nobody"));
    part(&a);
    join(&a, &kit, 0);
    CHECK(is_now(&a, key, "nobody"));
    CHECK(send_to(&a, CART) != key);
    part(&a);
    part(&b);
    clickhouse_kit_close(&kit);
}

/* An insertion that becomes visible after later ones. */
TEST(rows_with_an_earlier_time_are_found)
{
    struct clickhouse_kit kit;
    struct sharing a, b;
    uint64_t late, other;

    clickhouse_kit_open(&kit);
    join(&a, &kit, UINT32_MAX);
    join(&b, &kit, UINT32_MAX);
    late = send_to(&a, "service.name=late");
    CHECK_EQ(flush(&a), OK);
    clickhouse_kit_run(&kit, "CREATE TABLE aside AS callboard_resources");
    clickhouse_kit_run(&kit, "INSERT INTO aside SELECT * FROM "
                             "callboard_resources");
    clickhouse_kit_run(&kit, "TRUNCATE TABLE callboard_resources");
    other = send_to(&a, "service.name=other");
    CHECK_EQ(flush(&a), OK);
    CHECK_EQ(ch_resources_poll(b.resources), OK);
    CHECK(is_now(&b, other, "4 default/default/other/default"));
    clickhouse_kit_run(&kit, "INSERT INTO callboard_resources SELECT * FROM "
                             "aside");
    CHECK_EQ(ch_resources_poll(b.resources), OK);
    CHECK(is_now(&b, late, "4 default/default/late/default"));
    part(&a);
    part(&b);
    clickhouse_kit_close(&kit);
}
