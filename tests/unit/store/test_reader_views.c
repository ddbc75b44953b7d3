/* A view is of one moment while all goes on. */
#include <pthread.h>
#include <stdatomic.h>

#include "block.h"
#include "clock.h"
#include "reader.h"
#include "store_help.h"

#define BASE UINT64_C(1700000000000000000)

enum { ROUNDS = 400, PER_BATCH = 20 };

struct race {
    struct store *store;
    atomic_uint appended; /* batches of each kind */
    atomic_uint flushed;  /* of those, derived batches appended */
    pthread_mutex_t lock; /* of the points still open */
    uint64_t open_value, flushes;
    atomic_bool over;
};

static struct batch *numbered_logs(uint64_t lsn)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->lsn = lsn;
    batch->count = PER_BATCH;
    batch->logs = arena_zero(&batch->arena, PER_BATCH, sizeof(*batch->logs));
    for (uint32_t i = 0; i < PER_BATCH; i++)
        batch->logs[i].time_ns = BASE + (lsn - 1) * PER_BATCH + i;
    return batch;
}

/* Counts one per batch, and flushes now and then, the way a correlator does:
 * appended first, cleared after that. */
static void *append_all(void *arg)
{
    struct race *race = arg;

    for (uint64_t lsn = 1; lsn <= ROUNDS; lsn++) {
        store_append(race->store, numbered_logs(lsn));
        pthread_mutex_lock(&race->lock);
        race->open_value++;
        pthread_mutex_unlock(&race->lock);
        atomic_fetch_add(&race->appended, 1);
        test_pause_us(100);
        if (lsn % 3)
            continue;
        /* Its lsn says nothing: a flush inside a batch has that of the last. */
        store_append(race->store, points_batch(lsn / 9, true, "n", 1, BASE, 1,
                                               (int64_t)race->open_value));
        pthread_mutex_lock(&race->lock);
        race->open_value = 0;
        race->flushes++;
        pthread_mutex_unlock(&race->lock);
    }
    atomic_store(&race->over, true);
    return NULL;
}

static uint64_t visit_open(void *source, const struct series_query *query,
                           struct arena *arena, point_visit *visit, void *arg)
{
    static const struct metric metric = {.name = {"n", 1}, .type = METRIC_SUM};
    struct race *race = source;
    struct point *point = arena_zero(arena, 1, sizeof(*point));

    (void)query;
    pthread_mutex_lock(&race->lock);
    if (CHECK(point)) {
        *point = (struct point){.metric = &metric,
                                .resource_id = 1,
                                .time_ns = BASE,
                                .is_int = true,
                                .i = (int64_t)race->open_value};
        visit(arg, point);
    }
    uint64_t flushes = race->flushes;
    pthread_mutex_unlock(&race->lock);
    test_pause_us(test_random(500)); /* for the next flush to come between */
    return flushes;
}

static void add_value(void *arg, const struct point *point)
{
    *(uint64_t *)arg += (uint64_t)point->i;
}

/* All that was appended before, once, and nothing twice. */
static bool look(struct race *race, struct reader *reader)
{
    struct log_query q = {
        .end_ns = UINT64_MAX, .limit = UINT32_MAX, .ascending = true};
    struct arena arena;
    struct log_record *logs;
    uint32_t count = 0;
    uint64_t total = 0, value = 0;
    bool good = true;

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *set = bitmap_new(&arena, 4);
    struct series_query series = {.end_ns = UINT64_MAX, .resources = set};
    bitmap_add(set, 1);
    unsigned before = atomic_load(&race->appended);
    if (!CHECK_EQ(reader_begin(reader), OK))
        return false;
    good &= CHECK_EQ(
        reader_query_logs(reader, &q, &arena, &logs, &count, &total), OK);
    unsigned after = atomic_load(&race->appended);
    good &= CHECK(total >= before * PER_BATCH) &&
            CHECK(total <= (after + 1) * PER_BATCH) && CHECK(total == count);
    for (uint32_t i = 0; i < count && good; i++)
        good &= CHECK_EQ(logs[i].time_ns, BASE + i);
    test_pause_us(test_random(500));
    good &=
        CHECK_EQ(reader_query_series(reader, &series, add_value, &value), OK);
    after = atomic_load(&race->appended);
    good &= CHECK(value >= before) && CHECK(value <= after + 1);
    reader_end(reader);
    arena_release(&arena);
    return good;
}

TEST(every_record_is_seen_exactly_once_at_any_moment)
{
    char dir[64];
    struct race race = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct reader *reader = NULL;
    pthread_t thread;

    temp_make(dir);
    struct store_options options = options_in(dir);
    options.block_logs = 300;
    options.memtable_age_ns = 5 * NS_PER_MS;
    CHECK_EQ(store_open(&race.store, &options), OK);
    store_set_open_series(race.store, (struct open_series){visit_open, &race});
    CHECK_EQ(reader_open(&reader, race.store), OK);
    CHECK_EQ(pthread_create(&thread, NULL, append_all, &race), 0);
    while (!atomic_load(&race.over) && look(&race, reader))
        ;
    pthread_join(thread, NULL);
    look(&race, reader);
    reader_close(reader);
    store_close(race.store);
    temp_remove(dir);
}

TEST(a_resource_is_found_before_and_after_its_commit)
{
    char dir[64];
    struct store *store = NULL;
    struct reader *reader = NULL;
    struct arena arena;

    temp_make(dir);
    arena_init(&arena, NULL, SIZE_MAX);
    struct store_options options = options_in(dir);
    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    for (int round = 0; round < 50; round++) {
        uint32_t id = (uint32_t)round;
        struct attr attr = {
            .key = "n", .key_len = 1, .type = VALUE_INT, .i = round};
        struct resource saved = {.attrs = {&attr, 1, 0}}, found;

        metadata_save_resource(store_metadata(store), id, 0, 0, &saved);
        CHECK_EQ(reader_begin(reader), OK);
        if (round % 2) /* committed after the view was fixed */
            CHECK_EQ(metadata_sync(store_metadata(store)), OK);
        if (CHECK_EQ(reader_resource(reader, id, &arena, &found), OK))
            CHECK_EQ(found.attrs.at[0].i, round);
        CHECK_EQ(reader_resource(reader, 1000, &arena, &found), ERR_NOT_FOUND);
        reader_end(reader);
    }
    reader_close(reader);
    store_close(store);
    arena_release(&arena);
    temp_remove(dir);
}

/* ---- a client that has gone ---- */

TEST(a_cancelled_query_ends_between_blocks)
{
    char dir[64];
    struct store *store;
    struct reader *reader;
    atomic_bool cancelled = true;
    struct arena arena;
    struct log_query q = {.end_ns = UINT64_MAX, .limit = 10};
    struct log_record *logs;
    uint32_t count;
    uint64_t total;

    temp_make(dir);
    struct store_options options = options_in(dir);
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->lsn = 1;
    batch->count = 1;
    batch->logs = arena_zero(&batch->arena, 1, sizeof(*batch->logs));
    batch->logs[0].time_ns = 1;
    CHECK_EQ(store_open(&store, &options), OK);
    store_append(store, batch);
    store_close(store);
    CHECK_EQ(store_open(&store, &options), OK); /* it is in a block now */
    CHECK_EQ(reader_open(&reader, store), OK);
    arena_init(&arena, NULL, SIZE_MAX);
    reader_set_cancel(reader, &cancelled);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &logs, &count, &total),
             ERR_CANCELLED);
    atomic_store(&cancelled, false);
    reader_set_deadline(reader, clock_monotonic_ns() - 1);
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &logs, &count, &total),
             ERR_DEADLINE);
    reader_set_deadline(reader, clock_monotonic_ns() + NS_PER_HOUR);
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &logs, &count, &total), OK);
    CHECK_EQ(count, 1);
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    arena_release(&arena);
    temp_remove(dir);
}

/* ---- a query that needs more memory than there is ---- */

TEST(a_query_is_busy_only_when_waiting_helps)
{
    enum { LOGS = 900, MEMORY = 256 << 10 };
    char dir[64];
    struct store *store;
    struct reader *reader;
    struct arena arena;
    struct log_query q = {.end_ns = UINT64_MAX, .limit = LOGS};
    struct log_record *logs;
    uint32_t count;
    uint64_t total;
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
    static char body[600];

    temp_make(dir);
    struct store_options options = options_in(dir);
    batch->lsn = 1;
    batch->count = LOGS;
    batch->logs = arena_zero(&batch->arena, LOGS, sizeof(*batch->logs));
    for (uint32_t i = 0; i < LOGS; i++) {
        for (size_t k = 0; k < sizeof(body); k++)
            body[k] = (char)('a' + test_random(26)); /* does not pack */
        struct slice text =
            arena_copy(&batch->arena, (struct slice){body, sizeof(body)});

        batch->logs[i].time_ns = i + 1;
        batch->logs[i].body = (struct attr){.key = "",
                                            .type = VALUE_STRING,
                                            .str = text.ptr,
                                            .len = (uint32_t)text.len};
    }
    CHECK_EQ(store_open(&store, &options), OK);
    store_append(store, batch);
    store_close(store);
    options.query_bytes = MEMORY;
    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &logs, &count, &total),
             ERR_TOO_BIG); /* alone, and still too much */
    reader_end(reader);
    CHECK(budget_take(&store->readers.memory, MEMORY - 1000)); /* others */
    CHECK_EQ(reader_begin(reader), OK);
    q.limit = 1;
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &logs, &count, &total),
             ERR_BUSY);
    reader_end(reader);
    budget_give(&store->readers.memory, MEMORY - 1000);
    reader_close(reader);
    store_close(store);
    arena_release(&arena);
    temp_remove(dir);
}
