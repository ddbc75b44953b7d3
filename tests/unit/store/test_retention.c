#include <sqlite3.h>
#include <sys/stat.h>

#include "block_encoder.h"
#include "clock.h"
#include "db.h"
#include "log.h"
#include "series.h"
#include "store_help.h"
#include "store_int.h"

/* Maintenance is called by hand on a database whose store is closed: a store
 * of its own with nothing in it but the connection and the options. */
struct by_hand {
    char dir[64], path[128];
    struct store store;
};

static void fill(struct by_hand *h, struct batch **batches, uint32_t count)
{
    struct store *store = NULL;

    *h = (struct by_hand){.dir = ""};
    temp_make(h->dir);
    snprintf(h->path, sizeof(h->path), "%s/callboard.db", h->dir);
    struct store_options options = options_in(h->dir);
    options.block_logs = 200;
    CHECK_EQ(store_open(&store, &options), OK);
    for (uint32_t i = 0; i < count; i++)
        store_append(store, batches[i]);
    store_close(store);
    CHECK_EQ(db_open(&h->store.writer.db, h->path, true), OK);
    h->store.writer.encoder = block_encoder_new();
}

static void clean(struct by_hand *h)
{
    db_close(h->store.writer.db);
    block_encoder_free(h->store.writer.encoder);
    temp_remove(h->dir);
}

static void retain(struct by_hand *h)
{
    bool more = true;

    for (int i = 0; i < 10000 && more; i++) {
        more = false;
        CHECK_EQ(retention_step(&h->store, &more), OK);
    }
    CHECK(!more);
}

/* With what does not pack well, so that sizes mean something. */
static struct batch *logs_batch(uint64_t lsn, uint64_t time_ns)
{
    enum { COUNT = 200, LEN = 400 };
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->lsn = lsn;
    batch->count = COUNT;
    batch->logs = arena_zero(&batch->arena, COUNT, sizeof(*batch->logs));
    for (uint32_t i = 0; i < COUNT; i++) {
        char *text = arena_alloc(&batch->arena, LEN);

        for (int j = 0; j < LEN; j++)
            text[j] = (char)('!' + test_random(90));
        batch->logs[i].time_ns = time_ns + i;
        batch->logs[i].body =
            (struct attr){.type = VALUE_STRING, .str = text, .len = LEN};
    }
    return batch;
}

static uint64_t file_size(const char *path)
{
    struct stat st;

    CHECK_EQ(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

struct seen {
    uint64_t logs, points, value;
    struct store_sizes sizes;
};

static void count_point(void *arg, const struct point *point)
{
    struct seen *seen = arg;

    seen->points++;
    seen->value += (uint64_t)point->i;
}

static struct seen look(struct by_hand *h)
{
    struct store_options options = options_in(h->dir);
    struct log_query logs = {.end_ns = UINT64_MAX};
    struct store *store = NULL;
    struct reader *reader = NULL;
    struct arena arena;
    struct log_record *page;
    uint32_t count;
    struct seen seen = {0};

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *set = bitmap_new(&arena, 100);
    for (uint32_t i = 0; i < 100; i++)
        bitmap_add(set, i);
    struct series_query series = {.end_ns = UINT64_MAX, .resources = set};
    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(
        reader_query_logs(reader, &logs, &arena, &page, &count, &seen.logs),
        OK);
    CHECK_EQ(reader_query_series(reader, &series, count_point, &seen), OK);
    CHECK_EQ(reader_sizes(reader, &seen.sizes), OK);
    CHECK_EQ(seen.sizes.records[STREAM_LOGS], seen.logs);
    CHECK_EQ(seen.sizes.records[STREAM_METRICS] +
                 seen.sizes.records[STREAM_DERIVED],
             seen.points);
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    arena_release(&arena);
    return seen;
}

TEST(what_is_too_old_goes_and_the_space_comes_back)
{
    struct batch *batches[42];
    struct by_hand h;
    uint64_t now = clock_wall_ns(), old = now - 3 * NS_PER_DAY;

    for (uint64_t i = 0; i < 40; i++)
        batches[i] = logs_batch(i + 1, i < 30 ? old : now - NS_PER_HOUR);
    batches[40] = points_batch(41, false, "cpu", 1, old, 100, 1);
    batches[41] = points_batch(42, false, "cpu", 1, now, 10, 1);
    fill(&h, batches, 42);
    uint64_t before = file_size(h.path);
    h.store.options.retention_ns[SIGNAL_LOGS] = NS_PER_DAY;
    h.store.options.retention_ns[SIGNAL_METRICS] = NS_PER_DAY;
    retain(&h);
    CHECK(file_size(h.path) < before / 2);
    struct seen seen = look(&h);
    CHECK_EQ(seen.logs, 10 * 200);
    CHECK_EQ(seen.points, 10);
    clean(&h);
}

/* As if the clock had been a week behind a minute ago. */
TEST(a_clock_that_is_put_forward_deletes_nothing_for_an_hour)
{
    struct batch *batches[2];
    struct by_hand h;
    uint64_t now = clock_wall_ns();

    batches[0] = logs_batch(1, now - 2 * NS_PER_DAY);
    batches[1] = logs_batch(2, now - NS_PER_HOUR);
    fill(&h, batches, 2);
    h.store.options.retention_ns[SIGNAL_LOGS] = NS_PER_DAY;
    h.store.writer.clock.wall_ns = now - 7 * NS_PER_DAY;
    h.store.writer.clock.monotonic_ns = clock_monotonic_ns() - NS_PER_MIN;
    retain(&h);
    CHECK_EQ(look(&h).logs, 2 * 200);
    h.store.writer.clock.monotonic_ns -= NS_PER_HOUR;
    retain(&h);
    CHECK_EQ(look(&h).logs, 200);
    retain(&h);
    CHECK(h.store.writer.clock.wall_ns >= now);
    clean(&h);
}

/* After a restart, the last commit has the last known wall clock time. */
TEST(a_clock_that_jumped_over_a_restart_deletes_nothing_for_an_hour)
{
    const uint64_t day = NS_PER_DAY, now = clock_wall_ns();
    struct batch *batches[] = {logs_batch(1, now)};
    struct by_hand h;
    uint64_t at;

    log_set_level(LOG_ERROR);
    fill(&h, batches, 1);
    h.store.options.retention_ns[SIGNAL_LOGS] = 7 * day;
    for (int days = 0; days < 30; days += 29) {
        CHECK_EQ(retention_load_clock(&h.store, now + (uint64_t)days * day),
                 OK);
        CHECK(h.store.writer.clock.wall_ns >= now &&
              h.store.writer.clock.wall_ns < now + day / 24);
        at = h.store.writer.clock.monotonic_ns;
        CHECK(at > 0 && at <= clock_monotonic_ns());
    }
    /* In doubt it is not the wrong clock that is kept. */
    h.store.writer.clock.wall_ns = now - 29 * day;
    CHECK_EQ(retention_save_clock(&h.store), OK);
    CHECK_EQ(retention_load_clock(&h.store, now), OK);
    CHECK(h.store.writer.clock.wall_ns < now - 28 * day);
    /* After a short stop, or with a clock that was put back, it is the clock.
     */
    CHECK_EQ(retention_load_clock(&h.store, now - 29 * day + NS_PER_MIN), OK);
    CHECK_EQ(h.store.writer.clock.wall_ns, now - 29 * day + NS_PER_MIN);
    CHECK_EQ(retention_load_clock(&h.store, now - 100 * day), OK);
    CHECK_EQ(h.store.writer.clock.wall_ns, now - 100 * day);
    clean(&h);
}

TEST(a_full_database_loses_the_oldest)
{
    struct batch *batches[40];
    struct by_hand h;
    uint64_t now = clock_wall_ns();

    for (uint64_t i = 0; i < 40; i++)
        batches[i] = logs_batch(i + 1, now - (40 - i) * NS_PER_HOUR);
    fill(&h, batches, 40);
    uint64_t before = file_size(h.path);
    h.store.options.retention_bytes = before / 2;
    retain(&h);
    CHECK(file_size(h.path) <= before / 2 + (64 + 8) * 16384);
    struct seen seen = look(&h);
    CHECK(seen.logs >= 12 * 200 && seen.logs < 22 * 200);

    /* What is left came no earlier than the store says, who notes it when it
     * looks the next time. */
    retain(&h);
    uint64_t oldest = now - seen.logs / 200 * NS_PER_HOUR;
    CHECK(embedded_oldest_ns(&h.store) >= oldest);
    CHECK(embedded_oldest_ns(&h.store) < oldest + NS_PER_S);
    clean(&h);
}

TEST(nothing_goes_without_a_bound)
{
    struct batch *batches[2] = {logs_batch(1, NS_PER_DAY),
                                points_batch(2, false, "cpu", 1, 9, 3, 1)};
    struct by_hand h;

    fill(&h, batches, 2);
    retain(&h);
    struct seen seen = look(&h);
    CHECK_EQ(seen.logs, 200);
    CHECK_EQ(seen.points, 3);
    clean(&h);
}

static void exec(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void merge(struct by_hand *h)
{
    bool more = true;

    while (more) {
        more = false;
        h->store.writer.chunks_due_ns = 0;
        CHECK_EQ(chunk_compaction_step(&h->store, &more), OK);
    }
}

TEST(many_small_chunks_become_one_and_derived_points_add_up)
{
    struct batch *batches[40];
    struct by_hand h;
    uint64_t time = UINT64_C(1700000000000000000);

    /* The same ten points of a series in each batch, on two resources. */
    for (uint32_t i = 0; i < 40; i++)
        batches[i] = points_batch(i + 1, true, "n", i % 2, time, 10, 3);
    fill(&h, batches, 40);
    struct seen seen = look(&h);
    CHECK_EQ(seen.points, 400);
    CHECK_EQ(seen.value, 1200);
    CHECK_EQ(seen.sizes.blocks[STREAM_DERIVED], 40);

    merge(&h);
    seen = look(&h);
    CHECK_EQ(seen.points, 20);
    CHECK_EQ(seen.value, 1200);
    CHECK_EQ(seen.sizes.blocks[STREAM_DERIVED], 2);
    clean(&h);
}

TEST(received_points_are_merged_but_never_added_up)
{
    struct batch *batches[3];
    struct by_hand h;
    uint64_t time = UINT64_C(1700000000000000000);

    for (uint32_t i = 0; i < 3; i++)
        batches[i] = points_batch(i + 1, false, "cpu", 1, time, 10, 3);
    fill(&h, batches, 1);
    for (uint32_t i = 1; i < 3; i++) { /* each in a chunk of its own */
        struct store_options options = options_in(h.dir);
        struct store *store = NULL;

        CHECK_EQ(store_open(&store, &options), OK);
        store_append(store, batches[i]);
        store_close(store);
    }
    struct seen seen = look(&h);
    CHECK_EQ(seen.sizes.blocks[STREAM_METRICS], 3);
    merge(&h); /* too few, and the hour has been written to just now */
    seen = look(&h);
    CHECK_EQ(seen.sizes.blocks[STREAM_METRICS], 3);
    exec(h.path, "UPDATE chunk SET written = 0");
    merge(&h);
    seen = look(&h);
    CHECK_EQ(seen.sizes.blocks[STREAM_METRICS], 1);
    CHECK_EQ(seen.points, 30);
    CHECK_EQ(seen.value, 90);
    clean(&h);
}

TEST(a_damaged_chunk_or_block_is_passed_over)
{
    struct batch *batches[4];
    struct by_hand h;

    for (uint32_t i = 0; i < 2; i++)
        batches[i] = points_batch(i + 1, true, "n", i, NS_PER_DAY, 10, 3);
    for (uint32_t i = 2; i < 4; i++)
        batches[i] = logs_batch(i + 1, NS_PER_DAY);
    fill(&h, batches, 4);
    exec(h.path, "UPDATE chunk SET data = substr(data, 1, 20) WHERE id = 1;"
                 "UPDATE block_data SET data = 'nothing' WHERE id = 1;");
    struct store_options options = options_in(h.dir);
    struct log_query q = {.end_ns = UINT64_MAX, .limit = 1000};
    struct store *store = NULL;
    struct reader *reader = NULL;
    struct log_record *page;
    struct seen seen = {0};
    struct arena arena;
    uint32_t count;
    uint64_t total;

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *set = bitmap_new(&arena, 100);
    bitmap_add(set, 0);
    bitmap_add(set, 1);
    struct series_query series = {.end_ns = UINT64_MAX, .resources = set};
    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &page, &count, &total), OK);
    CHECK_EQ(count, 200);
    CHECK_EQ(reader_query_series(reader, &series, count_point, &seen), OK);
    CHECK_EQ(seen.points, 10);
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    arena_release(&arena);
    clean(&h);
}
