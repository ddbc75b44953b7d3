/*
 * Log records in the order of arrival, each exactly once: the real store with
 * small memtables, flushed, merged, closed and killed at any point; a client
 * that loses answers and comes back with the cursor that it has.
 *
 * A batch is a function of its number, so that it can be made again, as the
 * journal would replay it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "clock.h"
#include "hash.h"
#include "stats.h"
#include "store_help.h"

enum { LIVES = 14, BATCHES = 900, MOST = 12, RESOURCES = 5 };

#define BASE UINT64_C(1700000000000000000)

/* What outlives a process: the journal, and the client. */
struct outside {
    uint64_t last_lsn; /* in the journal */
    struct log_tail cursor;
    uint64_t last_arrival;
    uint32_t answers, disorder;
    uint64_t merged; /* blocks */
    uint8_t seen[BATCHES + 1][MOST];
};

static uint32_t draw(uint64_t thing, uint32_t salt, uint32_t bound)
{
    return (uint32_t)(hash_mix(thing + 1, salt + 1) >> 33) % bound;
}

/* Times are up to an hour late; the text is the place. */
static struct batch *make_batch(uint64_t lsn)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->lsn = lsn;
    batch->count = 1 + draw(lsn, 0, MOST);
    batch->logs = arena_zero(&batch->arena, batch->count, sizeof(*batch->logs));
    for (uint32_t i = 0; i < batch->count; i++)
        batch->logs[i] = (struct log_record){
            .time_ns =
                BASE + lsn * NS_PER_S - draw(lsn, 100 + i, 3600) * NS_PER_S,
            .resource_id = draw(lsn, 200 + i, RESOURCES),
            .level = (uint8_t)draw(lsn, 300 + i, LEVEL_COUNT),
            .is_event = draw(lsn, 400 + i, 9) == 0,
            .body = {
                .type = VALUE_INT, .i = (int64_t)(lsn * MOST + i), .key = ""}};
    return batch;
}

static bool is_wanted(uint64_t lsn, uint32_t i)
{
    return i < 1 + draw(lsn, 0, MOST) && draw(lsn, 200 + i, RESOURCES) < 3 &&
           draw(lsn, 400 + i, 9) != 0;
}

static uint64_t wanted_bits = 7;
static const struct bitmap wanted = {&wanted_bits, RESOURCES, 3};

/* One request. lost: the client does not get the answer. */
static bool ask(struct reader *reader, struct outside *o, uint32_t limit,
                bool lost)
{
    const struct log_query q = {.end_ns = UINT64_MAX,
                                .resources = &wanted,
                                .tail = &o->cursor,
                                .limit = limit};
    struct log_tail now, cursor = o->cursor;
    struct log_record *logs;
    struct arena arena;
    uint32_t count;
    uint64_t total;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_log_tail(reader, &now), OK);
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &logs, &count, &total), OK);
    CHECK(count <= limit && total >= count);
    for (uint32_t i = 0; i < count && !lost; i++) {
        o->disorder += logs[i].arrival <= o->last_arrival;
        o->last_arrival = logs[i].arrival;
        o->seen[logs[i].body.i / MOST][logs[i].body.i % MOST]++;
    }
    if (total > count)
        cursor.arrival = logs[count - 1].arrival;
    else
        cursor = now;
    if (!lost)
        o->cursor = cursor;
    o->answers += !lost && count > 0;
    reader_end(reader);
    arena_release(&arena);
    return total > count;
}

static void live(struct outside *o, const char *dir, uint32_t number)
{
    struct store_options options = options_in(dir);
    uint32_t steps = 20 + test_random(120);
    uint64_t merged = stats_get(STATS_BLOCKS_MERGED);
    bool merges = number % 4 == 3;
    struct store *store;
    struct reader *reader;

    /* Blocks of other lives are small for this one, which merges them. */
    options.block_logs = merges ? 1000 : 40;
    options.query_bytes = 64 << 20;
    CHECK_EQ(store_open(&store, &options), OK);
    for (uint64_t lsn = store_watermark(store, STREAM_LOGS) + 1;
         lsn <= o->last_lsn; lsn++)
        store_append(store, make_batch(lsn));
    CHECK_EQ(reader_open(&reader, store), OK);
    for (uint32_t i = 0; i < steps && o->last_lsn < BATCHES; i++) {
        uint32_t what = test_random(10);

        if (merges && i == steps / 2)
            WAIT_FOR(stats_get(STATS_BLOCKS_MERGED) > merged);
        if (what < 6)
            store_append(store, make_batch(++o->last_lsn));
        else if (what == 6)
            store_flush(store);
        else if (what == 7 && test_random(4) == 0)
            test_pause_us(30000);
        else
            (void)!ask(reader, o, 1 + test_random(30), test_random(4) == 0);
    }
    o->merged += stats_get(STATS_BLOCKS_MERGED) - merged;
    if (number % 3 != 0)
        _exit(0); /* as by kill -9 */
    reader_close(reader);
    store_close(store);
    _exit(0);
}

static void check_seen(const struct outside *o)
{
    uint32_t lost = 0, twice = 0, others = 0, right = 0;

    for (uint64_t lsn = 1; lsn <= BATCHES; lsn++)
        for (uint32_t i = 0; i < MOST; i++) {
            bool sent = lsn <= o->last_lsn && is_wanted(lsn, i);

            lost += sent && o->seen[lsn][i] == 0;
            twice += sent && o->seen[lsn][i] > 1;
            others += !sent && o->seen[lsn][i] > 0;
            right += sent && o->seen[lsn][i] == 1;
        }
    CHECK_EQ(lost, 0);
    CHECK_EQ(twice, 0);
    CHECK_EQ(others, 0);
    CHECK_EQ(o->disorder, 0);
    CHECK(right > 1000 && o->answers > 50);
}

TEST(each_record_once_over_flushes_kills_and_lost_answers)
{
    struct outside *o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct store_options options;
    struct reader *reader;
    struct store *store;
    char dir[64];

    if (!CHECK(o != MAP_FAILED))
        return;
    temp_make(dir);
    for (uint32_t i = 0; i < LIVES; i++) {
        uint32_t skip = test_random(1000); /* children draw other numbers */
        pid_t child = fork();
        int state = 1;

        if (child == 0) {
            while (skip-- > 0)
                (void)test_random64();
            live(o, dir, i);
        }
        CHECK(child > 0 && waitpid(child, &state, 0) == child);
        CHECK_EQ(state, 0);
    }
    options = options_in(dir);
    CHECK_EQ(store_open(&store, &options), OK);
    for (uint64_t lsn = store_watermark(store, STREAM_LOGS) + 1;
         lsn <= o->last_lsn; lsn++)
        store_append(store, make_batch(lsn));
    CHECK_EQ(reader_open(&reader, store), OK);
    while (ask(reader, o, 25, false))
        ;
    check_seen(o);
    CHECK(o->merged > 0);
    printf("# %" PRIu64 " blocks were merged\n", o->merged);
    reader_close(reader);
    store_close(store);
    temp_remove(dir);
    munmap(o, sizeof(*o));
}

/* All since a time: only blocks that have such records are opened. */
TEST(from_the_beginning_in_the_order_of_arrival)
{
    struct log_tail first = {.arrival = 0};
    struct log_query q = {.start_ns = BASE + 100 * NS_PER_S,
                          .end_ns = UINT64_MAX,
                          .resources = &wanted,
                          .tail = &first,
                          .limit = 100000};
    struct store_options options;
    struct log_record *logs;
    struct reader *reader;
    struct store *store;
    struct arena arena;
    uint32_t count, expected = 0;
    uint64_t total;
    char dir[64];

    temp_make(dir);
    options = options_in(dir);
    options.block_logs = 40;
    options.query_bytes = 64 << 20;
    CHECK_EQ(store_open(&store, &options), OK);
    for (uint64_t lsn = 1; lsn <= 300; lsn++) {
        struct batch *batch = make_batch(lsn);

        for (uint32_t i = 0; i < batch->count; i++)
            expected +=
                is_wanted(lsn, i) && batch->logs[i].time_ns >= q.start_ns;
        store_append(store, batch);
    }
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &logs, &count, &total), OK);
    CHECK_EQ(count, expected);
    CHECK_EQ(total, expected);
    for (uint32_t i = 1; i < count; i++)
        CHECK(logs[i].arrival > logs[i - 1].arrival);
    arena_release(&arena);
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    temp_remove(dir);
}

/* ---- counts over time ---- */

TEST(counts_agree_with_the_records_in_memory_and_in_blocks)
{
    static const uint64_t steps[] = {NS_PER_S, 7 * NS_PER_S, 600 * NS_PER_S,
                                     10000 * NS_PER_S};

    for (int blocks = 0; blocks < 2; blocks++) {
        struct store_options options;
        struct reader *reader;
        struct store *store;
        char dir[64];

        temp_make(dir);
        options = options_in(dir);
        options.query_bytes = 64 << 20;
        options.block_logs = blocks ? 60 : 100000;
        CHECK_EQ(store_open(&store, &options), OK);
        for (uint64_t lsn = 1; lsn <= 300; lsn++)
            store_append(store, make_batch(lsn));
        if (blocks)
            store_flush(store);
        CHECK_EQ(reader_open(&reader, store), OK);
        for (int k = 0; k < 8; k++) {
            const struct log_query q = {
                .start_ns = BASE - 2000 * NS_PER_S,
                .end_ns = BASE + 100 * NS_PER_S,
                .resources = &wanted,
                .levels = k >= 4 ? 1u << LEVEL_ERROR | 1u << LEVEL_INFO : 0};
            const struct log_counts counts = {
                q.start_ns, steps[k % 4], 2100,
                calloc(2100, sizeof(*counts.counts))};
            uint64_t wrong = 0;

            CHECK_EQ(reader_begin(reader), OK);
            CHECK_EQ(reader_count_logs(reader, &q, &counts), OK);
            reader_end(reader);
            for (uint64_t lsn = 1; lsn <= 300; lsn++) {
                struct batch *batch = make_batch(lsn);

                for (uint32_t i = 0; i < batch->count; i++) {
                    const struct log_record *log = &batch->logs[i];

                    if (is_wanted(lsn, i) && log->time_ns >= q.start_ns &&
                        log->time_ns < q.end_ns &&
                        (q.levels == 0 || q.levels >> log->level & 1))
                        counts.counts[(log->time_ns - q.start_ns) /
                                      steps[k % 4]][log->level]--;
                }
                batch_free(batch);
            }
            for (uint32_t i = 0; i < 2100; i++)
                for (int level = 0; level < LEVEL_COUNT; level++)
                    wrong += counts.counts[i][level] != 0;
            CHECK_EQ(wrong, 0);
            free(counts.counts);
        }
        reader_close(reader);
        store_close(store);
        temp_remove(dir);
    }
}
