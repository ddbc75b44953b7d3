/*
 * Small blocks are written straight into a database, and merged with the
 * writer's own step, without its thread: so every step can be counted, made to
 * fail, or be the last one of a process.
 */
#include <sqlite3.h>
#include <sys/wait.h>

#include "block_encoder.h"
#include "clock.h"
#include "random_records.h"
#include "same_attrs.h"
#include "stats.h"
#include "store_help.h"
#include "store_int.h"

enum { PER_BLOCK = 10, LOG_BLOCKS = 90, SPAN_BLOCKS = 40, TRACES = 30 };

static const uint64_t start_ns = UINT64_C(1700000000000000000);

/* A store whose thread is the test. */
struct bench {
    char dir[64], path[128];
    struct store store;
    struct arena memory;
    struct log_record *logs;
    struct span *spans;
};

static void bench_open(struct bench *b)
{
    b->store =
        (struct store){.options = {.block_spans = 16384, .block_logs = 16384}};
    budget_init(&b->store.readers.memory, 128 << 20);
    CHECK_EQ(db_open(&b->store.writer.db, b->path, true), OK);
    b->store.writer.encoder = block_encoder_new();
}

static void bench_close(struct bench *b)
{
    block_encoder_free(b->store.writer.encoder);
    db_close(b->store.writer.db);
}

static void write_block(struct bench *b, enum block_kind kind, uint64_t serial,
                        const void **rows, uint32_t count)
{
    CHECK_EQ(db_run(b->store.writer.db, SQL_BEGIN_WRITE), OK);
    CHECK_EQ(block_encoder_rewrite(b->store.writer.encoder, b->store.writer.db,
                                   kind, serial, rows, count),
             OK);
    CHECK_EQ(db_run(b->store.writer.db, SQL_COMMIT), OK);
}

/* One block of each, a second after the last; every time is there once. */
static void write_logs(struct bench *b, uint32_t from, enum block_kind kind)
{
    const void *rows[PER_BLOCK];

    for (uint32_t i = 0; i < PER_BLOCK; i++) {
        struct log_record *log = &b->logs[from + i];

        random_log(&b->memory, log);
        log->time_ns = start_ns + (from + i) * (NS_PER_S / PER_BLOCK);
        log->is_event = kind == KIND_EVENTS;
        rows[i] = log;
    }
    write_block(b, kind, from, rows, PER_BLOCK);
}

static void write_spans(struct bench *b, uint32_t from)
{
    const void *rows[PER_BLOCK];

    for (uint32_t i = 0; i < PER_BLOCK; i++) {
        struct span *span = &b->spans[from + i];

        random_span(&b->memory, span, TRACES);
        memset(span->trace_id, 0, 16);
        span->trace_id[0] = (uint8_t)(1 + test_random(TRACES));
        memcpy(span->span_id, &(uint64_t){from + i + 1}, 8);
        span->start_ns = start_ns + (from + i) * (NS_PER_S / PER_BLOCK);
        span->end_ns = span->start_ns + 5;
        rows[i] = span;
    }
    write_block(b, KIND_SPANS, from, rows, PER_BLOCK);
}

static void bench_make(struct bench *b)
{
    temp_make(b->dir);
    snprintf(b->path, sizeof(b->path), "%s/callboard.db", b->dir);
    arena_init(&b->memory, NULL, SIZE_MAX);
    b->logs = arena_zero(&b->memory, (size_t)LOG_BLOCKS * PER_BLOCK,
                         sizeof(*b->logs));
    b->spans = arena_zero(&b->memory, (size_t)SPAN_BLOCKS * PER_BLOCK,
                          sizeof(*b->spans));
    bench_open(b);
    for (uint32_t i = 0; i < LOG_BLOCKS; i++)
        write_logs(b, i * PER_BLOCK, i % 3 == 0 ? KIND_EVENTS : KIND_LOGS);
    for (uint32_t i = 0; i < SPAN_BLOCKS; i++)
        write_spans(b, i * PER_BLOCK);
}

static void bench_remove(struct bench *b)
{
    bench_close(b);
    arena_release(&b->memory);
    temp_remove(b->dir);
}

static uint64_t number(struct bench *b, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    uint64_t value = 0;

    CHECK_EQ(
        sqlite3_prepare_v2(db_handle(b->store.writer.db), sql, -1, &stmt, NULL),
        SQLITE_OK);
    if (CHECK_EQ(sqlite3_step(stmt), SQLITE_ROW))
        value = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static uint64_t blocks(struct bench *b)
{
    uint64_t count = number(b, "SELECT count(*) FROM block");

    CHECK_EQ(number(b, "SELECT sum(blocks) FROM stream"), count);
    CHECK_EQ(number(b, "SELECT count(*) FROM block_data"), count);
    CHECK_EQ(number(b, "SELECT count(*) FROM block_summary"), count);
    CHECK_EQ(number(b, "SELECT sum(records) FROM stream"),
             number(b, "SELECT sum(count) FROM block"));
    CHECK_EQ(number(b, "SELECT sum(bytes) FROM stream"),
             number(b, "SELECT sum(bytes) FROM block"));
    return count;
}

static enum status compact_all(struct bench *b)
{
    enum status status = OK;
    bool more = true;

    b->store.writer.blocks_due_ns = 0; /* do not wait for the next look */
    while (status == OK && more) {
        more = false;
        status = block_compaction_step(&b->store, &more);
    }
    return status;
}

static bool same_log(const struct log_record *a, const struct log_record *b)
{
    return a->time_ns == b->time_ns && a->observed_ns == b->observed_ns &&
           memcmp(a->trace_id, b->trace_id, 16) == 0 &&
           same_value(&a->body, &b->body) && same_attrs(&a->attrs, &b->attrs) &&
           slice_equal(a->severity_text, b->severity_text) &&
           slice_equal(a->event_name, b->event_name) && a->flags == b->flags &&
           a->resource_id == b->resource_id && same_scope(a->scope, b->scope) &&
           a->severity == b->severity && a->level == b->level &&
           a->is_event == b->is_event;
}

static bool same_span(const struct span *a, const struct span *b)
{
    return memcmp(a->span_id, b->span_id, 8) == 0 &&
           memcmp(a->parent_span_id, b->parent_span_id, 8) == 0 &&
           a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
           slice_equal(a->name, b->name) &&
           slice_equal(a->endpoint, b->endpoint) &&
           slice_equal(a->operation, b->operation) &&
           same_attrs(&a->attrs, &b->attrs) &&
           a->event_count == b->event_count && a->link_count == b->link_count &&
           a->resource_id == b->resource_id && same_scope(a->scope, b->scope) &&
           a->kind == b->kind && a->status == b->status;
}

/* Of one kind, all that was written and nothing else. */
static uint32_t check_logs(struct bench *b, struct reader *reader, bool events)
{
    struct log_query q = {.end_ns = UINT64_MAX,
                          .limit = UINT32_MAX,
                          .ascending = true,
                          .events = events};
    struct log_record *logs = NULL;
    uint32_t count = 0;
    uint64_t total = 0;
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &logs, &count, &total), OK);
    CHECK_EQ(total, count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = (logs[i].time_ns - start_ns) / (NS_PER_S / PER_BLOCK);

        CHECK(i == 0 || logs[i].time_ns > logs[i - 1].time_ns);
        if (!CHECK(at < (uint64_t)LOG_BLOCKS * PER_BLOCK &&
                   same_log(&logs[i], &b->logs[at])))
            break;
    }
    arena_release(&arena);
    return count;
}

static uint32_t check_spans(struct bench *b, struct reader *reader)
{
    uint32_t seen = 0;

    for (uint8_t id = 1; id <= TRACES; id++) {
        struct span *spans = NULL;
        uint32_t count = 0;
        struct arena arena;

        arena_init(&arena, NULL, SIZE_MAX);
        CHECK_EQ(query_trace(reader, (uint8_t[16]){id}, true, &arena, &spans,
                             &count),
                 OK);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t at =
                (spans[i].start_ns - start_ns) / (NS_PER_S / PER_BLOCK);

            if (!CHECK(at < (uint64_t)SPAN_BLOCKS * PER_BLOCK &&
                       same_span(&spans[i], &b->spans[at])))
                break;
        }
        seen += count;
        arena_release(&arena);
    }
    return seen;
}

/* Through a store of its own, as a query sees it. */
static void check_all(struct bench *b)
{
    struct store_options options = options_in(b->dir);
    struct store *store = NULL;
    struct reader *reader = NULL;

    options.block_spans = options.block_logs = 4; /* merges nothing itself */
    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(check_logs(b, reader, false) + check_logs(b, reader, true),
             LOG_BLOCKS * PER_BLOCK);
    CHECK_EQ(check_spans(b, reader), SPAN_BLOCKS * PER_BLOCK);
    reader_close(reader);
    store_close(store);
}

TEST(many_small_blocks_become_few_and_nothing_else_changes)
{
    struct bench b;

    bench_make(&b);
    CHECK_EQ(blocks(&b), LOG_BLOCKS + SPAN_BLOCKS);
    check_all(&b);
    CHECK_EQ(compact_all(&b), OK);
    CHECK_EQ(blocks(&b), 3); /* one of each kind */
    check_all(&b);
    CHECK_EQ(compact_all(&b), OK);
    CHECK_EQ(blocks(&b), 3);
    bench_remove(&b);
}

/* As they come: a block, and whatever may be merged then. */
TEST(a_record_is_rewritten_a_few_times_at_most)
{
    enum { COUNT = 3000 };
    struct bench b;
    struct log_record log = {.body = {.type = VALUE_STRING, .key = ""}};
    const void *row = &log;
    uint64_t most = 0;

    temp_make(b.dir);
    snprintf(b.path, sizeof(b.path), "%s/callboard.db", b.dir);
    arena_init(&b.memory, NULL, SIZE_MAX);
    bench_open(&b);
    CHECK_EQ(sqlite3_exec(db_handle(b.store.writer.db),
                          "CREATE TEMP TABLE written (count);"
                          "CREATE TEMP TRIGGER each AFTER INSERT ON main.block"
                          " BEGIN INSERT INTO written VALUES (new.count); END",
                          NULL, NULL, NULL),
             SQLITE_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        log.time_ns = start_ns + i * NS_PER_S;
        row = &log;
        write_block(&b, KIND_LOGS, i, &row, 1);
        CHECK_EQ(compact_all(&b), OK);
        uint64_t now = number(&b, "SELECT blocks FROM stream WHERE id = 1");
        most = now > most ? now : most;
    }
    /* log4(3000) is 5.8, and once when it came. */
    uint64_t written = number(&b, "SELECT sum(count) FROM written");
    CHECK(written <= UINT64_C(7) * COUNT);
    CHECK(written >= UINT64_C(3) * COUNT);
    CHECK(most < 24);
    CHECK_EQ(number(&b, "SELECT sum(count) FROM block"), COUNT);
    printf("# %.2f times written, at most %llu blocks\n",
           (double)written / COUNT, (unsigned long long)most);
    bench_remove(&b);
}

TEST(what_is_far_apart_or_large_stays)
{
    struct bench b;

    bench_make(&b);
    b.store.options.block_logs = PER_BLOCK * 4 - 1; /* too large for a merge */
    b.store.options.block_spans = PER_BLOCK * 8;
    CHECK_EQ(compact_all(&b), OK);
    CHECK_EQ(number(&b, "SELECT count(*) FROM block WHERE kind > 0"),
             LOG_BLOCKS);
    CHECK_EQ(number(&b, "SELECT count(*) FROM block WHERE kind = 0"),
             SPAN_BLOCKS / 8);
    bench_close(&b);
    bench_open(&b);
    /* Eight blocks are eight seconds, of events three times that. */
    b.store.options.retention_ns[SIGNAL_LOGS] = 16 * 9 * NS_PER_S;
    CHECK_EQ(compact_all(&b), OK);
    CHECK_EQ(number(&b, "SELECT count(*) FROM block WHERE kind = 2"),
             LOG_BLOCKS / 3);
    CHECK(number(&b, "SELECT max(max_ns - min_ns) FROM block WHERE kind > 0") <=
          9 * NS_PER_S);
    check_all(&b);
    bench_remove(&b);

    bench_make(&b);
    uint64_t most = number(&b, "SELECT 6 * max(bytes) FROM block");
    b.store.options.retention_bytes = 16 * most;
    CHECK_EQ(compact_all(&b), OK);
    CHECK(number(&b, "SELECT max(bytes) FROM block") <= most);
    CHECK(number(&b, "SELECT max(count) FROM block") > PER_BLOCK);
    bench_remove(&b);
}

static void merge_around(const char *data)
{
    struct bench b;
    char sql[256];

    snprintf(sql, sizeof(sql),
             "UPDATE block_data SET data = %s WHERE id = (SELECT id FROM block"
             " WHERE kind = 0 ORDER BY max_ns LIMIT 1 OFFSET 20)",
             data);
    bench_make(&b);
    CHECK_EQ(sqlite3_exec(db_handle(b.store.writer.db), sql, NULL, NULL, NULL),
             SQLITE_OK);
    CHECK_EQ(compact_all(&b), OK);
    CHECK_EQ(number(&b, "SELECT count(*) FROM block WHERE kind = 0"), 3);
    CHECK_EQ(number(&b, "SELECT sum(count) FROM block"),
             (LOG_BLOCKS + SPAN_BLOCKS) * PER_BLOCK);
    bench_remove(&b);
}

TEST(a_damaged_block_stays_and_the_others_are_merged)
{
    merge_around("zeroblob(99)");
}

TEST(a_block_of_another_kind_stays_and_the_others_are_merged)
{
    merge_around("(SELECT d.data FROM block_data d JOIN block b ON d.id = b.id"
                 " WHERE b.kind = 1 LIMIT 1)");
}

/* ---- trouble at any step ---- */

static int steps_left;
static bool steps_kill;

/* SQLite asks now and then whether to go on. */
static int interrupt(void *arg)
{
    (void)arg;
    if (--steps_left > 0)
        return 0;
    if (steps_kill)
        _exit(0);
    return 1;
}

static enum status compact_with(struct bench *b, int steps, bool kill)
{
    steps_left = steps;
    steps_kill = kill;
    sqlite3_progress_handler(db_handle(b->store.writer.db), 3, interrupt, NULL);
    enum status status = compact_all(b);
    sqlite3_progress_handler(db_handle(b->store.writer.db), 0, NULL, NULL);
    if (status != OK && db_run(b->store.writer.db, SQL_ROLLBACK) != OK)
        CHECK(blocks(b) > 0); /* it failed before it began to write */
    return status;
}

TEST(a_failure_at_any_step_changes_nothing)
{
    struct bench b;
    int failures = 0;

    bench_make(&b);
    for (int steps = 1;; steps += 7) {
        uint64_t before = blocks(&b);

        if (compact_with(&b, steps, false) == OK)
            break;
        failures++;
        CHECK(blocks(&b) <= before);
        CHECK_EQ(number(&b, "SELECT sum(count) FROM block"),
                 (LOG_BLOCKS + SPAN_BLOCKS) * PER_BLOCK);
    }
    CHECK(failures > 20);
    CHECK_EQ(blocks(&b), 3);
    check_all(&b);
    bench_remove(&b);
}

TEST(an_end_at_any_step_leaves_all_there)
{
    struct bench b;
    int ends = 0, code = 0;

    bench_make(&b);
    bench_close(&b);
    for (int steps = 3; ends < 200; steps += 60 + (int)test_random(40)) {
        pid_t child = fork();

        if (child == 0) {
            bench_open(&b);
            _exit(compact_with(&b, steps, true) == OK ? 3 : 4);
        }
        CHECK_EQ(waitpid(child, &code, 0), child);
        check_all(&b);
        if (!WIFEXITED(code) || WEXITSTATUS(code) != 0)
            break;
        ends++;
    }
    CHECK(ends > 2 && WIFEXITED(code));
    CHECK_EQ(WEXITSTATUS(code), 3);
    bench_open(&b);
    CHECK_EQ(blocks(&b), 3);
    bench_remove(&b);
}
