/*
 * Buckets of histograms are rows of their own, table chunk_tail: they come and
 * go with their chunks, and a repair finds them or says that they are lost.
 */
#include <fcntl.h>
#include <sqlite3.h>

#include "block_encoder.h"
#include "clock.h"
#include "db.h"
#include "log.h"
#include "repair.h"
#include "series.h"
#include "stats.h"
#include "store_help.h"
#include "store_int.h"

enum { PAGE = 16384, RESOURCES = 40, POINTS = 30 };
#define TIME (UINT64_C(1700000000) * NS_PER_S)

static char dir[64], path[128];

static void begin(void)
{
    log_set_level(LOG_ERROR);
    temp_make(dir);
    snprintf(path, sizeof(path), "%s/callboard.db", dir);
}

static void append(struct batch **batches, uint32_t count)
{
    struct store_options options = options_in(dir);
    struct store *store = NULL;

    CHECK_EQ(store_open(&store, &options), OK);
    for (uint32_t i = 0; i < count; i++)
        store_append(store, batches[i]);
    store_close(store);
}

/* A chunk with histograms for each resource, and one with numbers alone. */
static void append_histograms(uint64_t lsn)
{
    struct batch *batches[RESOURCES + 1];

    for (uint32_t i = 0; i < RESOURCES; i++)
        batches[i] = histograms_batch(lsn + i, false, i, TIME, POINTS, 7 + i);
    batches[RESOURCES] =
        points_batch(lsn + RESOURCES, false, "n", 0, TIME, POINTS, 1);
    append(batches, RESOURCES + 1);
}

static void exec(const char *sql)
{
    sqlite3 *db = NULL;

    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int64_t number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;

    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    if (CHECK_EQ(sqlite3_step(stmt), SQLITE_ROW))
        value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

#define ORPHANS                       \
    "SELECT count(*) FROM chunk_tail" \
    " WHERE id NOT IN (SELECT id FROM chunk)"
#define TAILS "SELECT count(*) FROM chunk_tail"
#define BYTES "SELECT total(bytes) FROM stream"
#define BYTES_OF_ROWS                                \
    "SELECT (SELECT total(length(data)) FROM chunk)" \
    " + (SELECT total(length(data)) FROM chunk_tail)"

struct seen {
    uint64_t points, last_bucket, counted;
};

static void see_point(void *arg, const struct point *point)
{
    struct seen *seen = arg;

    if (point->metric->type != METRIC_HISTOGRAM)
        return;
    seen->points++;
    seen->counted += point->histogram->count;
    if (point->histogram->bound_count == 2)
        seen->last_bucket += point->histogram->counts[2];
}

static void see_counts(void *arg, const struct series_counts *counts)
{
    struct seen *seen = arg;

    seen->points += counts->count;
    for (uint32_t i = 0; i < counts->count; i++)
        seen->counted += counts->counts[i];
}

static struct seen look(bool counts_only)
{
    struct store_options options = options_in(dir);
    struct store *store = NULL;
    struct reader *reader = NULL;
    struct arena arena;
    struct seen seen = {0};

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *all = bitmap_new(&arena, RESOURCES);
    struct series_query query = {.resources = all, .end_ns = UINT64_MAX};
    for (uint32_t i = 0; i < RESOURCES; i++)
        bitmap_add(all, i);
    query.counts_only = counts_only;
    query.counts = counts_only ? see_counts : NULL;
    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_query_series(reader, &query, see_point, &seen), OK);
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    arena_release(&arena);
    return seen;
}

/* 7 and more measurements in each last bucket, 5 in the others. */
enum {
    LAST = POINTS * (7 * RESOURCES + RESOURCES * (RESOURCES - 1) / 2),
    COUNTED = LAST + 5 * POINTS * RESOURCES
};

static bool all_is_there(void)
{
    struct seen seen = look(false);

    return seen.points == POINTS * RESOURCES && seen.last_bucket == LAST &&
           seen.counted == COUNTED;
}

static void clear_page(int64_t page)
{
    static const char zeros[PAGE];
    int fd = open(path, O_WRONLY);

    CHECK_EQ(pwrite(fd, zeros, PAGE, (page - 1) * PAGE), PAGE);
    close(fd);
}

/* ---- repair ---- */

/* The first page has the places of all tables. After an upgrade the newest
 * table must be where it is in an empty database. */
TEST(buckets_are_found_behind_a_lost_first_page)
{
    for (int upgraded = 0; upgraded < 2; upgraded++) {
        uint64_t before = stats_get(STATS_STORE_LOST_BUCKETS);

        begin();
        append(NULL, 0);
        if (upgraded) /* what was large then took the next pages */
            exec("DROP TABLE chunk_tail; PRAGMA user_version = 4;"
                 "INSERT INTO named_value VALUES ('x', randomblob(400000))");
        append_histograms(1);
        CHECK_EQ(number("PRAGMA user_version"), 5);
        CHECK(all_is_there());
        clear_page(1);
        CHECK(all_is_there());
        CHECK_EQ(number(TAILS), RESOURCES);
        CHECK_EQ(stats_get(STATS_STORE_LOST_BUCKETS), before);
        temp_remove(dir);
    }
}

TEST(lost_buckets_are_counted_and_counts_stay)
{
    uint64_t before = stats_get(STATS_STORE_LOST_BUCKETS),
             records = stats_get(STATS_STORE_LOST);
    struct seen seen;

    begin();
    append_histograms(1);
    clear_page(number("SELECT rootpage FROM sqlite_master"
                      " WHERE name = 'chunk_tail'"));
    look(false); /* finds the damage */
    seen = look(true);
    CHECK_EQ(seen.points, POINTS * RESOURCES);
    CHECK_EQ(seen.counted, COUNTED);
    CHECK_EQ(stats_get(STATS_STORE_LOST_BUCKETS) - before, RESOURCES);
    CHECK_EQ(stats_get(STATS_STORE_LOST), records);
    CHECK_EQ(number(BYTES), number(BYTES_OF_ROWS));
    CHECK_EQ(look(false).points, 0);
    temp_remove(dir);
}

TEST(buckets_of_lost_chunks_go)
{
    begin();
    append_histograms(1);
    exec("DELETE FROM chunk WHERE id % 2");
    CHECK(number(ORPHANS) > 0);
    repair_schedule(path);
    look(false);
    CHECK_EQ(number(ORPHANS), 0);
    CHECK(number(TAILS) > 0);
    temp_remove(dir);
}

/* ---- maintenance ---- */

/* By hand, on a database whose store is closed. */
static void maintain(enum status (*step)(struct store *, bool *),
                     uint64_t retention_ns)
{
    static struct store store;
    bool more = true;

    store = (struct store){0};
    store.options.retention_ns[SIGNAL_METRICS] = retention_ns;
    CHECK_EQ(db_open(&store.writer.db, path, true), OK);
    store.writer.encoder = block_encoder_new();
    for (int i = 0; i < 1000 && more; i++) {
        more = false;
        store.writer.chunks_due_ns = 0;
        CHECK_EQ(step(&store, &more), OK);
    }
    CHECK(!more);
    db_close(store.writer.db);
    block_encoder_free(store.writer.encoder);
}

/* Of each round some is kept, until it is old, too. */
TEST(retention_takes_buckets_with_their_chunks)
{
    enum { ROUNDS = 4, COUNT = 120 };
    struct batch *batches[COUNT];
    uint64_t now = clock_wall_ns(), lsn = 0;
    int64_t pages = 0;

    begin();
    append(NULL, 0); /* so that it exists */
    for (int round = 0; round < ROUNDS; round++) {
        exec("UPDATE chunk SET hour = hour - 100");
        for (uint32_t i = 0; i < COUNT; i++) {
            uint64_t age = i % 3 ? (50 + i) * NS_PER_HOUR : NS_PER_HOUR;

            batches[i] = histograms_batch(++lsn, i % 2, i % RESOURCES,
                                          now - age, 100, i);
        }
        append(batches, COUNT);
        CHECK(number(TAILS) > COUNT / 2);
        maintain(retention_step, NS_PER_DAY);
        CHECK_EQ(number(ORPHANS), 0);
        CHECK(number(TAILS) > 0);
        CHECK_EQ(number(TAILS), number("SELECT count(*) FROM chunk"));
        CHECK_EQ(number(BYTES), number(BYTES_OF_ROWS));
        if (round == 0)
            pages = number("PRAGMA page_count");
    }
    CHECK(number("PRAGMA page_count") <= pages + 2);
    temp_remove(dir);
}

TEST(merged_chunks_have_the_buckets_of_all)
{
    struct batch *batches[40];
    struct seen before, after;

    begin();
    for (uint32_t i = 0; i < 40; i++)
        batches[i] =
            histograms_batch(i + 1, false, 1, TIME + i * NS_PER_S, 10, i);
    for (uint32_t i = 0; i < 40; i += 10) /* in chunks of their own */
        append(&batches[i], 10);
    exec("UPDATE chunk SET written = 0");
    before = look(false);
    CHECK(number(TAILS) > 1);
    CHECK_EQ(before.points, 400);
    maintain(chunk_compaction_step, 0);
    after = look(false);
    CHECK_EQ(number(TAILS), 1);
    CHECK_EQ(number(ORPHANS), 0);
    CHECK_EQ(number(BYTES), number(BYTES_OF_ROWS));
    CHECK_EQ(after.points, before.points);
    CHECK_EQ(after.last_bucket, before.last_bucket);
    CHECK_EQ(after.counted, before.counted);
    temp_remove(dir);
}
