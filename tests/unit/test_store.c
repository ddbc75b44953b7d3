#include "store_help.h"

#include "clock.h"
#include "stats.h"

static struct store *open_in(const char *dir)
{
    struct store_options options = options_in(dir);
    struct store *store = NULL;

    CHECK_EQ(store_open(&store, &options), OK);
    return store;
}

struct loaded {
    uint32_t identities, resources;
    uint32_t tag[8];
    bool good;
};

static void see_identity(void *arg, const struct identity *identity)
{
    struct loaded *l = arg;

    l->identities++;
    l->good &= slice_equal(identity->component, SLICE("cart")) &&
               identity->rule == RULE_STAMPED && identity->id == 4;
}

static void see_resource(void *arg, uint32_t id, uint32_t identity,
                         uint64_t hash, const struct resource *resource)
{
    struct loaded *l = arg;
    const struct attr *a = attrs_find(&resource->attrs, SLICE("service.name"));

    l->resources++;
    l->tag[id] = identity;
    l->good &= a && slice_equal(attr_text(a), SLICE("cart")) &&
               hash == UINT64_C(0xfedcba9876543210) + id;
}

static void save_some(struct store *store)
{
    struct identity identity = {.id = 4,
                                .rule = RULE_STAMPED,
                                .component = SLICE("cart"),
                                .namespace = SLICE("default")};
    struct attr attr = {.key = "service.name",
                        .key_len = 12,
                        .type = VALUE_STRING,
                        .str = "cart",
                        .len = 4};
    struct resource resource = {.attrs = {&attr, 1, 0}};

    store_save_identity(store, &identity);
    for (uint32_t id = 0; id < 3; id++)
        store_save_resource(store, id, 4, UINT64_C(0xfedcba9876543210) + id,
                            &resource);
    store_save_resource_identity(store, 2, 9);
    store_save_text(store, "catalog", SLICE("first"));
    store_save_text(store, "catalog", SLICE("sec\0nd"));
}

TEST(what_was_saved_is_loaded)
{
    char dir[64];
    struct arena arena;
    struct slice text = {NULL, 0};
    struct loaded loaded = {.good = true};

    temp_make(dir);
    arena_init(&arena, NULL, SIZE_MAX);
    struct store *store = open_in(dir);
    save_some(store);
    CHECK_EQ(store_sync(store), OK);
    store_close(store);

    store = open_in(dir);
    CHECK_EQ(store_load(store, see_identity, see_resource, &loaded), OK);
    CHECK(loaded.good);
    CHECK_EQ(loaded.identities, 1);
    CHECK_EQ(loaded.resources, 3);
    CHECK_EQ(loaded.tag[1], 4);
    CHECK_EQ(loaded.tag[2], 9);
    CHECK_EQ(store_load_text(store, "catalog", &arena, &text), OK);
    CHECK(slice_equal(text, SLICE("sec\0nd")));
    CHECK_EQ(store_load_text(store, "other", &arena, &text), OK);
    CHECK_EQ(text.len, 0);
    store_close(store);
    arena_release(&arena);
    temp_remove(dir);
}

TEST(watermarks_follow_commits_and_survive)
{
    char dir[64];

    temp_make(dir);
    struct store *store = open_in(dir);
    for (uint64_t lsn = 1; lsn <= 10; lsn++)
        store_append(store, points_batch(lsn, false, "cpu", 1,
                                         lsn * UINT64_C(60000000000), 5, 1));
    CHECK_EQ(store_watermark(store, STREAM_METRICS), 0);
    CHECK(store_wants_derived(store, 10) == false);
    store_append(store, points_batch(8, true, "n", 2, 60, 1, 1));
    store_close(store);

    store = open_in(dir);
    CHECK_EQ(store_watermark(store, STREAM_METRICS), 10);
    CHECK_EQ(store_watermark(store, STREAM_DERIVED), 8);
    CHECK_EQ(store_watermark(store, STREAM_SPANS), 0);
    store_close(store);
    temp_remove(dir);
}

TEST(a_damaged_database_is_moved_aside)
{
    char dir[64], path[128];

    temp_make(dir);
    snprintf(path, sizeof(path), "%s/callboard.db", dir);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 50000; i++)
        fputc("not a database"[i % 14], f);
    fclose(f);
    struct store *store = open_in(dir);
    CHECK(store != NULL);
    save_some(store);
    CHECK_EQ(store_sync(store), OK);
    store_close(store);
    snprintf(path, sizeof(path), "ls %s/*.damaged-* >/dev/null", dir);
    CHECK_EQ(system(path), 0);
    temp_remove(dir);
}

TEST(age_alone_seals)
{
    char dir[64];
    struct store *store = NULL;

    temp_make(dir);
    struct store_options options = options_in(dir);
    options.head_age_ns = 30 * NS_PER_MS;
    CHECK_EQ(store_open(&store, &options), OK);
    store_append(store, points_batch(3, false, "cpu", 1, 60, 5, 1));
    for (int i = 0; i < 200 && store_watermark(store, STREAM_METRICS) < 3; i++)
        usleep(10000);
    CHECK_EQ(store_watermark(store, STREAM_METRICS), 3);
    CHECK(store_wants_derived(store, 3));
    CHECK_EQ(store_health(store), OK);
    store_close(store);
    temp_remove(dir);
}
