/* metadata.h over a ClickHouse: two instances, and what they see of each other.
 */
#include "metadata.h"

#include "clickhouse.h"
#include "clickhouse_kit.h"

static struct store *open_instance(const struct clickhouse_kit *kit)
{
    const struct clickhouse_options options = {.url = kit->url,
                                               .query_bytes = 64 << 20};
    struct store *store;

    if (!CHECK(clickhouse_open(&store, &options) == OK))
        exit(1);
    return store;
}

/* Two instances on one new database. */
struct pair {
    struct clickhouse_kit kit;
    struct store *a, *b;
    struct metadata *of_a, *of_b;
};

static void open_pair(struct pair *pair)
{
    clickhouse_kit_connect(&pair->kit);
    pair->a = open_instance(&pair->kit);
    pair->b = open_instance(&pair->kit);
    pair->of_a = store_metadata(pair->a);
    pair->of_b = store_metadata(pair->b);
}

static void close_pair(struct pair *pair)
{
    store_close(pair->a);
    store_close(pair->b);
    clickhouse_kit_close(&pair->kit);
}

static bool has_value(struct metadata *metadata, const char *name,
                      struct slice want)
{
    struct arena arena;
    struct slice got;
    bool same;

    arena_init(&arena, NULL, 64 << 20);
    same = CHECK(metadata_load_value(metadata, name, &arena, &got) == OK) &&
           slice_equal(got, want);
    arena_release(&arena);
    return same;
}

TEST(values_are_read_back)
{
    struct pair pair;
    static char large[3 << 20];

    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)test_random(256);
    open_pair(&pair);
    CHECK(has_value(pair.of_a, "none", SLICE("")));
    metadata_save_value(pair.of_a, "x", SLICE("1"));
    metadata_save_value(pair.of_a, "x", SLICE("it's \\ \0 2"));
    metadata_save_value(pair.of_a, "y", (struct slice){large, sizeof(large)});
    CHECK(has_value(pair.of_a, "x", SLICE("it's \\ \0 2")));
    CHECK_EQ(metadata_sync(pair.of_a), OK);
    CHECK(has_value(pair.of_b, "x", SLICE("it's \\ \0 2")));
    CHECK(has_value(pair.of_b, "y", (struct slice){large, sizeof(large)}));
    metadata_save_value(pair.of_b, "x", SLICE("3"));
    CHECK_EQ(metadata_sync(pair.of_b), OK);
    CHECK(has_value(pair.of_a, "x", SLICE("3")));
    close_pair(&pair);
}

TEST(what_was_not_synced_is_saved_at_the_end)
{
    struct pair pair;

    open_pair(&pair);
    metadata_save_value(pair.of_a, "x", SLICE("last"));
    store_close(pair.a);
    CHECK(has_value(pair.of_b, "x", SLICE("last")));
    pair.a = NULL;
    close_pair(&pair);
}

TEST(who_creates_first_wins)
{
    struct pair pair;
    struct arena arena;
    struct slice a, b;

    arena_init(&arena, NULL, 1 << 20);
    open_pair(&pair);
    CHECK_EQ(metadata_create_value(pair.of_a, "id", SLICE("a"), &arena, &a),
             OK);
    CHECK_EQ(metadata_create_value(pair.of_b, "id", SLICE("b"), &arena, &b),
             OK);
    CHECK_TEXT(a, "a");
    CHECK_TEXT(b, "a");
    /* As if both had seen nothing. */
    clickhouse_kit_run(&pair.kit,
                       "INSERT INTO callboard_values (Kind, Name, Version, "
                       "Value) VALUES ('value', 'id', 18446744073709551614 - "
                       "toUnixTimestamp64Micro(now64(6)), 'later')");
    CHECK(has_value(pair.of_b, "id", SLICE("a")));
    close_pair(&pair);
    arena_release(&arena);
}

static bool has_catalog(struct metadata *metadata, const char *want)
{
    struct arena arena;
    struct slice got;
    bool same;

    arena_init(&arena, NULL, 1 << 20);
    same = CHECK(metadata_load_catalog(metadata, &arena, &got) == OK) &&
           slice_equal(got, slice_of(want));
    arena_release(&arena);
    return same;
}

TEST(the_last_catalogue_wins)
{
    struct pair pair;

    open_pair(&pair);
    CHECK(has_catalog(pair.of_a, ""));
    CHECK_EQ(metadata_save_catalog(pair.of_a, SLICE("{\"a\":1}")), OK);
    CHECK(has_catalog(pair.of_b, "{\"a\":1}"));
    CHECK_EQ(metadata_save_catalog(pair.of_b, SLICE("{\"b\":1}")), OK);
    CHECK(has_catalog(pair.of_a, "{\"b\":1}"));
    clickhouse_kit_run(&pair.kit, "OPTIMIZE TABLE callboard_values FINAL");
    CHECK(has_catalog(pair.of_a, "{\"b\":1}"));
    close_pair(&pair);
}

/* ---- reports ---- */

struct list {
    struct buf text;
    uint32_t count;
};

static void take_report(void *arg, uint32_t slot, uint64_t number,
                        struct slice document)
{
    struct list *list = arg;

    CHECK(slot < 128 && number > 0);
    buf_format(&list->text, "%.*s ", SLICE_ARGS(document));
    list->count++;
}

static void check_reports(struct metadata *metadata, const char *want)
{
    struct list list = {.count = 0};

    buf_init(&list.text, 1 << 20);
    CHECK_EQ(metadata_load_reports(metadata, take_report, &list), OK);
    CHECK_TEXT(buf_slice(&list.text), want);
    buf_release(&list.text);
}

TEST(reports_of_two_instances)
{
    struct pair pair;

    open_pair(&pair);
    check_reports(pair.of_a, "");
    CHECK_EQ(metadata_save_report(pair.of_a, 0, 1, SLICE("a1")), OK);
    CHECK_EQ(metadata_save_report(pair.of_b, 0, 1, SLICE("b1")), OK);
    CHECK_EQ(metadata_save_report(pair.of_a, 1, 2, SLICE("a2")), OK);
    check_reports(pair.of_b, "a1 b1 a2 ");
    /* written again; its number stays */
    CHECK_EQ(metadata_save_report(pair.of_a, 0, 1, SLICE("a1b")), OK);
    check_reports(pair.of_b, "b1 a2 a1b ");
    /* the slot of a2 in B gets another report: a2 is gone */
    CHECK_EQ(metadata_save_report(pair.of_b, 1, 9, SLICE("b9")), OK);
    check_reports(pair.of_a, "b1 a1b b9 ");
    clickhouse_kit_run(&pair.kit, "OPTIMIZE TABLE callboard_values FINAL");
    check_reports(pair.of_a, "b1 a1b b9 ");
    close_pair(&pair);
}

/* ---- entries ---- */

static void take_entry(void *arg, struct slice name, struct slice value)
{
    struct list *list = arg;

    buf_format(&list->text, "%.*s=%.*s ", SLICE_ARGS(name), SLICE_ARGS(value));
}

static void check_entries(struct metadata *metadata, const char *want)
{
    struct list list = {.count = 0};

    buf_init(&list.text, 1 << 20);
    CHECK_EQ(metadata_load_entries(metadata, "token", take_entry, &list), OK);
    CHECK_TEXT(buf_slice(&list.text), want);
    buf_release(&list.text);
}

static void put_entry(struct metadata *metadata, const char *name,
                      const char *value)
{
    const struct metadata_entry entry = {.name = slice_of(name),
                                         .value = slice_of(value ? value : ""),
                                         .deleted = value == NULL};

    CHECK_EQ(metadata_save_entries(metadata, "token", &entry, 1), OK);
}

TEST(a_deleted_entry_stays_deleted)
{
    struct pair pair;

    open_pair(&pair);
    CHECK(metadata_has_entries(pair.of_a));
    put_entry(pair.of_a, "t1", "1");
    put_entry(pair.of_b, "t2", "2");
    check_entries(pair.of_a, "t1=1 t2=2 ");
    put_entry(pair.of_b, "t1", NULL);
    check_entries(pair.of_a, "t2=2 ");
    put_entry(pair.of_a, "t1", "used"); /* it did not know */
    check_entries(pair.of_b, "t2=2 ");
    clickhouse_kit_run(&pair.kit, "OPTIMIZE TABLE callboard_values FINAL");
    check_entries(pair.of_a, "t2=2 ");
    close_pair(&pair);
}

/* ---- the watch ---- */

struct seen {
    atomic_uint catalog, reports, tokens;
};

static void changed(void *arg, unsigned changes)
{
    struct seen *seen = arg;

    if (changes & CLICKHOUSE_CATALOG)
        atomic_fetch_add(&seen->catalog, 1);
    if (changes & CLICKHOUSE_REPORTS)
        atomic_fetch_add(&seen->reports, 1);
    if (changes & CLICKHOUSE_TOKENS)
        atomic_fetch_add(&seen->tokens, 1);
}

TEST(others_are_told_what_changed)
{
    struct pair pair;
    struct seen seen = {0};
    const struct clickhouse_watch watch = {.changed = changed, .arg = &seen};

    open_pair(&pair);
    CHECK_EQ(clickhouse_watch(pair.b, &watch), OK);
    CHECK_EQ(metadata_save_catalog(pair.of_a, SLICE("{}")), OK);
    WAIT_FOR(atomic_load(&seen.catalog) == 1);
    CHECK_EQ(metadata_save_report(pair.of_a, 0, 1, SLICE("r")), OK);
    WAIT_FOR(atomic_load(&seen.reports) == 1);
    put_entry(pair.of_a, "t", "1");
    WAIT_FOR(atomic_load(&seen.tokens) == 1);
    put_entry(pair.of_a, "t", NULL);
    WAIT_FOR(atomic_load(&seen.tokens) == 2);
    /* without a sync, by the thread */
    metadata_save_value(pair.of_b, "x", SLICE("1"));
    WAIT_FOR(clickhouse_kit_number(&pair.kit,
                                   "SELECT count() FROM callboard_values WHERE "
                                   "Name = 'x'") == 1);
    clickhouse_stop_watch(pair.b);
    close_pair(&pair);
}
