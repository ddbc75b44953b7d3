/*
 * What instances share, as the daemon uses it: API tokens of two instances, and
 * what a query and /health say while something is wrong with ClickHouse.
 */
#define _GNU_SOURCE /* memmem */
#include "clickhouse.h"
#include "clickhouse_kit.h"
#include "rca_reports.h"
#include "saved_tokens.h"
#include "store.h"

static struct store *open_instance(const struct clickhouse_kit *kit)
{
    const struct clickhouse_options options = {.url = kit->url,
                                               .query_bytes = 64 << 20};
    struct store *store;

    if (!CHECK(clickhouse_open(&store, &options) == OK))
        exit(1);
    return store;
}

/* ---- tokens ---- */

static void check_tokens(struct saved_tokens *saved, const char *want)
{
    struct arena arena;
    struct slice got;

    arena_init(&arena, NULL, 1 << 20);
    CHECK_EQ(saved_tokens_load(saved, &arena, &got), OK);
    CHECK_TEXT(got, want);
    arena_release(&arena);
}

static void save_tokens(struct saved_tokens *saved, const char *document)
{
    CHECK_EQ(saved_tokens_save(saved, slice_of(document)), OK);
}

#define T1      "{\"id\":\"t1\",\"name\":\"a\"}"
#define T1_USED "{\"id\":\"t1\",\"lastUsed\":\"x\",\"name\":\"a\"}"
#define T2      "{\"id\":\"t2\",\"name\":\"b\"}"
#define T3      "{\"id\":\"t3\",\"name\":\"c\"}"

TEST(tokens_of_two_instances)
{
    struct clickhouse_kit kit;
    struct store *of_a, *of_b;
    struct saved_tokens *a, *b;

    clickhouse_kit_connect(&kit);
    of_a = open_instance(&kit);
    of_b = open_instance(&kit);
    a = saved_tokens_new(store_metadata(of_a));
    b = saved_tokens_new(store_metadata(of_b));
    check_tokens(a, "");
    save_tokens(a, "[" T1 "]");
    check_tokens(b, "[" T1 "]");
    save_tokens(a, "[" T1 "," T2 "]");
    save_tokens(b, "[" T1 "," T3 "]"); /* knows nothing of t2 */
    check_tokens(a, "[" T1 "," T2 "," T3 "]");
    save_tokens(a, "[" T2 "," T3 "]");      /* t1 is revoked */
    save_tokens(b, "[" T1_USED "," T3 "]"); /* and was used meanwhile */
    check_tokens(b, "[" T2 "," T3 "]");
    clickhouse_kit_run(&kit, "OPTIMIZE TABLE callboard_values FINAL");
    check_tokens(a, "[" T2 "," T3 "]");
    saved_tokens_free(a);
    saved_tokens_free(b);
    store_close(of_a);
    store_close(of_b);
    clickhouse_kit_close(&kit);
}

/* ---- reports ---- */

static enum status save_report(void *arg, uint32_t slot, uint64_t number,
                               struct slice document)
{
    return metadata_save_report(store_metadata(arg), slot, number, document);
}

static void load_report(void *arg, uint32_t slot, uint64_t number,
                        struct slice document)
{
    rca_reports_load(arg, slot, number, document);
}

static enum status load_reports(void *arg, struct rca_reports *into)
{
    return metadata_load_reports(store_metadata(arg), load_report, into);
}

static void put_report(struct rca_reports *rca, const char *id,
                       const char *summary)
{
    char text[512];

    snprintf(text, sizeof(text),
             "{\"reportId\":\"%s\",\"alertId\":\"a\",\"timestamp\":"
             "\"2026-01-01T00:00:00Z\",\"status\":\"completed\",\"summary\":"
             "\"%s\",\"namespace\":\"n\",\"project\":\"p\",\"environment\":"
             "\"e\",\"report\":{}}",
             id, summary);
    CHECK_EQ(rca_reports_put(rca, slice_of(text)), OK);
}

static bool sees_all(void *arg, const union scope_names *names)
{
    (void)arg, (void)names;
    return true;
}

static bool has_report(struct rca_reports *rca, const char *id,
                       const char *summary)
{
    const struct rca_scope scope = {.seen = sees_all};
    struct arena arena;
    struct slice text;
    char want[64];
    bool found;

    snprintf(want, sizeof(want), "\"summary\":\"%s\"", summary);
    arena_init(&arena, NULL, 1 << 20);
    text = rca_reports_get(rca, slice_of(id), &scope, &arena);
    found = text.len > 0 && memmem(text.ptr, text.len, want, strlen(want));
    arena_release(&arena);
    return found;
}

TEST(reports_of_two_instances_in_use)
{
    struct clickhouse_kit kit;
    struct store *of_a, *of_b;
    struct rca_reports *a, *b;

    clickhouse_kit_connect(&kit);
    of_a = open_instance(&kit);
    of_b = open_instance(&kit);
    a = rca_reports_new(save_report, of_a);
    b = rca_reports_new(save_report, of_b);
    put_report(a, "r1", "of a");
    put_report(b, "r2", "of b");
    put_report(b, "both", "of b");
    put_report(a, "both", "of a");
    CHECK_EQ(rca_reports_reload(a, load_reports, of_a), OK);
    CHECK_EQ(rca_reports_reload(b, load_reports, of_b), OK);
    CHECK(has_report(b, "r1", "of a") && has_report(b, "r2", "of b"));
    CHECK(has_report(a, "r1", "of a") && has_report(a, "r2", "of b"));
    CHECK(has_report(b, "both", "of a")); /* the later one */
    put_report(b, "r1", "again, by b");
    CHECK_EQ(rca_reports_reload(a, load_reports, of_a), OK);
    CHECK(has_report(a, "r1", "again, by b"));
    CHECK(has_report(a, "r2", "of b") && has_report(a, "both", "of a"));
    rca_reports_free(a);
    rca_reports_free(b);
    store_close(of_a);
    store_close(of_b);
    clickhouse_kit_close(&kit);
}

/* ---- something is wrong ---- */

static enum status ask_letters(struct reader *reader)
{
    const struct dead_letter_query query = {.partition = -1, .limit = 10};
    struct dead_letter_row *letters;
    struct arena arena;
    uint32_t count;
    uint64_t total;
    enum status status;

    arena_init(&arena, NULL, 1 << 20);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK(!reader_reason(reader));
    status = reader_query_dead_letters(reader, &query, &arena, &letters, &count,
                                       &total);
    CHECK(status != OK || total == 0);
    reader_end(reader);
    arena_release(&arena);
    return status;
}

TEST(queries_and_health_say_what_is_wrong)
{
    const struct clickhouse_watch watch = {.changed = NULL};
    struct clickhouse_kit kit;
    struct store *store;
    struct reader *reader;
    struct buf note;

    clickhouse_kit_connect(&kit);
    store = open_instance(&kit);
    buf_init(&note, 1000);
    CHECK_EQ(clickhouse_watch(store, &watch), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(ask_letters(reader), OK);
    CHECK(!clickhouse_note(store, &note));
    CHECK_EQ(store_health(store), OK);
    clickhouse_kit_run(&kit, "RENAME TABLE callboard_values TO gone_values, "
                             "callboard_dead_letters TO gone_letters");
    WAIT_FOR(store_health(store) == ERR_IO);
    CHECK(strstr(store_health_reason(store), "table is missing"));
    CHECK(clickhouse_note(store, &note) && note.len > 0);
    CHECK_EQ(ask_letters(reader), ERR_IO);
    CHECK(strstr(reader_reason(reader), "callboard schema apply"));
    clickhouse_kit_run(&kit, "RENAME TABLE gone_values TO callboard_values, "
                             "gone_letters TO callboard_dead_letters");
    CHECK_EQ(ask_letters(reader), OK);
    WAIT_FOR(store_health(store) == OK);
    reader_set_deadline(reader, 1);
    CHECK_EQ(reader_begin(reader), ERR_DEADLINE);
    reader_close(reader);
    buf_release(&note);
    store_close(store);
    clickhouse_kit_close(&kit);
}
