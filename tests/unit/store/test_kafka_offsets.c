/*
 * Kafka offsets and dead letters, from the journal to their tables and back.
 * A crash is simulated by opening a copy of the data directory.
 */
#include "kafka_offsets.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>

#include "clock.h"
#include "dead_letter.h"
#include "journal_io.h"
#include "log.h"
#include "mem.h"
#include "otlp.h"
#include "stats.h"
#include "store_help.h"

static struct batch *from(uint64_t offset, uint32_t partition, uint64_t epoch)
{
    struct source_offset source = {.topic = SLICE("otlp_spans"),
                                   .partition = partition,
                                   .offset = offset,
                                   .time_ms = 1700000000000 + offset,
                                   .epoch = epoch};
    struct batch *batch = batch_new(SIGNAL_LOGS, mem_copy("body", 4), 4, NULL);

    batch_set_source_offset(batch, &source);
    return batch;
}

/* ---- batches ---- */

struct ends {
    struct journal *journal;
    struct store *store;
    atomic_uint ok, refused;
    bool append;
};

static void done(void *arg, enum status status)
{
    struct ends *ends = arg;

    atomic_fetch_add(status == OK ? &ends->ok : &ends->refused, 1);
}

/* Stands for the correlator: gives each a record, as far as the body says. */
static void take(void *arg, struct batch *batch)
{
    struct ends *ends = arg;

    batch_done(batch, OK);
    if (!ends->append) {
        batch_free(batch);
        return;
    }
    if (batch->encoding != BATCH_DEAD_LETTER && batch->body_len > 0) {
        batch->logs = arena_zero(&batch->arena, 1, sizeof(*batch->logs));
        batch->logs[0].time_ns = batch->lsn;
        batch->count = 1;
    }
    store_append(ends->store, batch);
}

static enum status replay(void *arg, struct batch *batch)
{
    struct ends *ends = arg;

    if (batch->lsn > store_watermark(ends->store, STREAM_LOGS))
        take(ends, batch);
    else
        batch_free(batch);
    return OK;
}

static void ends_open(struct ends *ends, const char *dir,
                      const struct journal_io *io, bool start)
{
    struct journal_options journal = {
        .dir = dir, .max_bytes = 64 << 20, .segment_bytes = 16 << 10};
    struct store_options store = options_in(dir);

    *ends = (struct ends){.append = true};
    CHECK_EQ(journal_open_io(&ends->journal, &journal, io), OK);
    store.journal = ends->journal;
    CHECK_EQ(store_open(&ends->store, &store), OK);
    CHECK_EQ(journal_replay(ends->journal, 0, replay, ends), OK);
    if (start)
        CHECK_EQ(journal_start(ends->journal,
                               (struct sink){.submit = take, .arg = ends}),
                 OK);
}

static void ends_close(struct ends *ends)
{
    journal_stop(ends->journal);
    store_close(ends->store);
    journal_close(ends->journal);
}

static void submit(struct ends *ends, struct batch *batch)
{
    struct sink sink = journal_sink(ends->journal);

    batch->done = done;
    batch->done_arg = ends;
    sink.submit(sink.arg, batch);
}

static void wait_for(struct ends *ends, unsigned count)
{
    WAIT_FOR(atomic_load(&ends->ok) + atomic_load(&ends->refused) >= count);
    CHECK_EQ(atomic_load(&ends->ok) + atomic_load(&ends->refused), count);
}

static uint64_t next_of(const struct ends *ends, uint32_t partition)
{
    uint64_t next = UINT64_MAX;

    (void)metadata_next_offset(store_metadata(ends->store), SLICE("otlp_spans"),
                               partition, &next);
    return next;
}

static void copy_dir(const char *from_dir, char to[64])
{
    char command[200];

    temp_make(to);
    snprintf(command, sizeof(command), "cp '%s'/* '%s'/", from_dir, to);
    CHECK_EQ(system(command), 0);
}

/* ---- the journal ---- */

static uint32_t replayed;

static enum status check_replayed(void *arg, struct batch *batch)
{
    const struct source_offset *source = batch->source;

    (void)arg;
    if (batch->lsn % 3 == 0) {
        CHECK(source == NULL);
    } else if (CHECK(source != NULL)) {
        CHECK(slice_equal(source->topic, SLICE("otlp_spans")));
        CHECK_EQ(source->partition, batch->lsn % 7);
        CHECK_EQ(source->offset, batch->lsn << 33);
        CHECK_EQ(source->time_ms, 1700000000000 + source->offset);
    }
    CHECK(slice_equal((struct slice){batch->body, batch->body_len},
                      SLICE("body")));
    replayed++;
    batch_free(batch);
    return OK;
}

TEST(the_journal_stores_source_offsets)
{
    char dir[64];
    struct ends ends;
    struct journal_options options = {.dir = dir, .max_bytes = 1 << 20};

    temp_make(dir);
    ends_open(&ends, dir, &journal_io_system, true);
    ends.append = false;
    for (uint64_t lsn = 1; lsn <= 300; lsn++) {
        struct batch *batch = from(lsn << 33, (uint32_t)(lsn % 7), 1);

        if (lsn % 3 == 0) {
            free(batch->source);
            batch->source = NULL;
        }
        submit(&ends, batch);
    }
    wait_for(&ends, 300);
    ends_close(&ends);
    replayed = 0;
    CHECK_EQ(journal_open(&ends.journal, &options), OK);
    CHECK_EQ(journal_replay(ends.journal, 0, check_replayed, NULL), OK);
    CHECK_EQ(replayed, 300);
    journal_close(ends.journal);
    temp_remove(dir);
}

static atomic_int syncs_left; /* until one fails */

static int failing_sync(int fd)
{
    if (atomic_fetch_sub(&syncs_left, 1) != 1)
        return journal_io_system.sync(fd);
    errno = EIO;
    return -1;
}

TEST(nothing_overtakes_a_batch_that_was_not_written)
{
    char dir[64];
    struct ends ends;
    struct journal_io io = journal_io_system;

    io.sync = failing_sync;
    log_set_level((enum log_level) - 1);
    atomic_store(&syncs_left, 2); /* one for the segment, one for the group */
    temp_make(dir);
    ends_open(&ends, dir, &io, false);
    /* More than one group, all there before the first is written. */
    for (uint64_t i = 0; i < 300; i++)
        submit(&ends, from(i, 0, 1));
    CHECK_EQ(journal_start(ends.journal,
                           (struct sink){.submit = take, .arg = &ends}),
             OK);
    wait_for(&ends, 300);
    CHECK_EQ(atomic_load(&ends.refused), 300);
    CHECK_EQ(next_of(&ends, 0), UINT64_MAX);
    submit(&ends, from(7, 0, 1)); /* still of that epoch */
    wait_for(&ends, 301);
    CHECK_EQ(atomic_load(&ends.ok), 0);
    for (uint64_t i = 0; i < 300; i++)
        submit(&ends, from(i, 0, 2));
    wait_for(&ends, 601);
    CHECK_EQ(atomic_load(&ends.ok), 300);
    WAIT_FOR(next_of(&ends, 0) == 300);
    CHECK_EQ(next_of(&ends, 0), 300);
    ends_close(&ends);
    log_set_level(LOG_INFO);
    temp_remove(dir);
}

/* ---- journal and store ---- */

static void crash(const char *dir, uint64_t next0, uint64_t next1)
{
    char copy[64];
    struct ends ends;

    copy_dir(dir, copy);
    ends_open(&ends, copy, &journal_io_system, true);
    CHECK_EQ(next_of(&ends, 0), next0);
    CHECK_EQ(next_of(&ends, 1), next1);
    ends_close(&ends);
    ends_open(&ends, copy, &journal_io_system, false);
    CHECK_EQ(next_of(&ends, 0), next0);
    CHECK_EQ(next_of(&ends, 1), next1);
    ends_close(&ends);
    temp_remove(copy);
}

/* Derived batches allow the journal to be truncated. */
static void flush(struct ends *ends)
{
    uint64_t lsn = journal_last_lsn(ends->journal);

    store_append(ends->store, points_batch(lsn, true, "n", 2, 60, 1, 1));
}

TEST(offsets_are_restored_after_a_crash_at_any_time)
{
    char dir[64];
    struct ends ends;

    log_set_level(LOG_ERROR);
    temp_make(dir);
    ends_open(&ends, dir, &journal_io_system, true);
    for (uint64_t i = 0; i < 900; i++)
        submit(&ends, from(i, i % 2 ? 1 : 0, 1));
    wait_for(&ends, 900);
    crash(dir, 899, 900); /* in the journal only */
    for (uint64_t i = 900; i < 1100; i++)
        submit(&ends, from(i, 0, 1));
    wait_for(&ends, 1100); /* a memtable is full: closed */
    flush(&ends);
    CHECK_EQ(metadata_sync(store_metadata(ends.store)), OK);
    WAIT_FOR(journal_bytes(ends.journal) <= 16 << 10);
    crash(dir, 1100, 900); /* partition 1 is in the table only */
    ends_close(&ends);

    ends_open(&ends, dir, &journal_io_system, true);
    CHECK_EQ(next_of(&ends, 0), 1100);
    submit(&ends, from(3, 0, 1)); /* made anew: begins again */
    wait_for(&ends, 1);
    WAIT_FOR(next_of(&ends, 0) == 4);
    crash(dir, 4, 900);
    ends_close(&ends);
    log_set_level(LOG_INFO);
    temp_remove(dir);
}

TEST(the_journal_is_truncated_after_the_offset_is_committed)
{
    struct kafka_offsets *offsets = kafka_offsets_new();
    struct kafka_offsets_commit commit;
    struct batch *batch = from(5, 3, 1);

    CHECK_EQ(kafka_offsets_pending_lsn(offsets), UINT64_MAX);
    batch->lsn = 10;
    kafka_offsets_note(offsets, batch);
    CHECK_EQ(kafka_offsets_pending_lsn(offsets), 10);
    kafka_offsets_begin(offsets, &commit);
    batch->lsn = 11;
    batch->source->offset = 6;
    kafka_offsets_note(offsets, batch); /* while the commit is under way */
    CHECK_EQ(kafka_offsets_pending_lsn(offsets), 10);
    kafka_offsets_end(offsets, &commit, false);
    CHECK_EQ(kafka_offsets_pending_lsn(offsets), 10);
    kafka_offsets_begin(offsets, &commit);
    batch->lsn = 12;
    batch->source->offset = 7;
    kafka_offsets_note(offsets, batch);
    kafka_offsets_end(offsets, &commit, true);
    CHECK_EQ(kafka_offsets_pending_lsn(offsets), 12);
    kafka_offsets_begin(offsets, &commit);
    CHECK_EQ(commit.row_count, 1);
    kafka_offsets_end(offsets, &commit, true);
    CHECK_EQ(kafka_offsets_pending_lsn(offsets), UINT64_MAX);
    kafka_offsets_begin(offsets, &commit);
    CHECK_EQ(commit.row_count, 0);
    kafka_offsets_end(offsets, &commit, true);
    batch_free(batch);
    kafka_offsets_free(offsets);
}

/* ---- dead letters ---- */

static struct batch *dead_letter_batch(uint64_t offset, size_t len)
{
    struct dead_letter text = {SLICE("no such thing"), {NULL, len}, len};
    struct batch *place = from(offset, 2, 1);
    struct batch *batch;
    char *bytes = mem_zero(len + 1, 1);

    text.bytes.ptr = bytes;
    batch = dead_letter_new(SIGNAL_SPANS, &text, NULL);
    batch_set_source_offset(batch, place->source);
    batch_free(place);
    free(bytes);
    return batch;
}

TEST(dead_letters_are_truncated_at_their_limits)
{
    struct batch *batch = dead_letter_batch(1, 100000);
    struct dead_letter read = dead_letter_read(batch);

    CHECK_EQ(read.bytes.len, DEAD_LETTER_MAX_BYTES);
    CHECK_EQ(read.size, 100000);
    CHECK(slice_equal(read.reason, SLICE("no such thing")));
    for (batch->body_len = 0; batch->body_len < 30; batch->body_len++)
        CHECK(dead_letter_read(batch).bytes.len <= batch->body_len);
    batch_free(batch);
}

static struct dead_letter_row *ask(const struct ends *ends, struct arena *arena,
                                   struct dead_letter_query query,
                                   uint32_t *count, uint64_t *total)
{
    struct reader *reader = NULL;
    struct dead_letter_row *rows = NULL;

    *count = 0;
    CHECK_EQ(reader_open(&reader, ends->store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(
        reader_query_dead_letters(reader, &query, arena, &rows, count, total),
        OK);
    reader_end(reader);
    reader_close(reader);
    return rows;
}

static uint64_t wait_total(const struct ends *ends, uint64_t want)
{
    struct arena arena;
    uint64_t total = 0;
    uint32_t count;

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < 1000 && total != want; i++) {
        test_pause_us(2000);
        ask(ends, &arena,
            (struct dead_letter_query){.partition = -1, .limit = 1}, &count,
            &total);
    }
    arena_release(&arena);
    return total;
}

TEST(dead_letters_are_stored_once)
{
    char dir[64], copy[64];
    struct ends ends;
    struct arena arena;
    struct dead_letter_row *rows;
    uint32_t count;
    uint64_t total;

    log_set_level(LOG_ERROR);
    temp_make(dir);
    arena_init(&arena, NULL, SIZE_MAX);
    ends_open(&ends, dir, &journal_io_system, true);
    for (uint64_t i = 0; i < 400; i++)
        submit(&ends, i % 4 ? dead_letter_batch(i, i) : from(i, 2, 1));
    wait_for(&ends, 400);
    CHECK_EQ(wait_total(&ends, 300), 300);
    copy_dir(dir, copy);
    rows = ask(&ends, &arena,
               (struct dead_letter_query){SLICE("otlp_spans"), 2, 0, 1000, 50},
               &count, &total);
    CHECK_EQ(count, 50);
    CHECK_EQ(rows[0].offset, 399);
    CHECK_EQ(rows[0].size, 399);
    CHECK_EQ(rows[0].bytes.len, 399);
    CHECK(slice_equal(rows[0].reason, SLICE("no such thing")));
    rows = ask(&ends, &arena,
               (struct dead_letter_query){
                   .partition = -1, .before = rows[49].id, .limit = 1000},
               &count, &total);
    CHECK_EQ(count, 250);
    CHECK_EQ(rows[249].offset, 1);
    ask(&ends, &arena, (struct dead_letter_query){SLICE("other"), -1, 0, 0, 5},
        &count, &total);
    CHECK_EQ(count, 0);
    CHECK_EQ(total, 0);
    ends_close(&ends);

    ends_open(&ends, copy, &journal_io_system, false); /* replays them */
    CHECK_EQ(wait_total(&ends, 300), 300);
    CHECK_EQ(next_of(&ends, 2), 400);
    ends_close(&ends);
    arena_release(&arena);
    log_set_level(LOG_INFO);
    temp_remove(dir);
    temp_remove(copy);
}

TEST(only_the_newest_dead_letters_remain)
{
    char dir[64];
    struct ends ends;
    uint64_t lsn = 0;

    temp_make(dir);
    ends_open(&ends, dir, &journal_io_system, false);
    while (lsn < 10300) {
        struct batch *batch = dead_letter_batch(lsn, 10);

        batch->lsn = ++lsn;
        store_append(ends.store, batch);
    }
    CHECK_EQ(wait_total(&ends, 10000), 10000);
    for (int i = 0; i < 1100; i++) {
        struct batch *batch = dead_letter_batch(lsn, 100000);

        batch->lsn = ++lsn;
        store_append(ends.store, batch);
    }
    CHECK_EQ(wait_total(&ends, 1024), 1024); /* 64 MiB of 64 KiB each */
    ends_close(&ends);
    temp_remove(dir);
}

/* ---- a database of an older version ---- */

/* The correlator's state was a text before version 3. */
static void check_state(const struct ends *ends)
{
    struct arena arena;
    struct slice state, text;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(metadata_load_derived_state(store_metadata(ends->store), &arena,
                                         &state),
             OK);
    CHECK(slice_equal(state, SLICE("what waits")));
    CHECK_EQ(metadata_load_value(store_metadata(ends->store), "derived.state",
                                 &arena, &text),
             OK);
    CHECK_EQ(text.len, 0);
    arena_release(&arena);
}

static void older_database(const char *sql)
{
    char dir[64], path[96];
    struct ends ends;
    sqlite3 *db = NULL;
    uint64_t repairs = stats_get(STATS_STORE_REPAIRS);

    temp_make(dir);
    ends_open(&ends, dir, &journal_io_system, false);
    ends_close(&ends);
    snprintf(path, sizeof(path), "%s/callboard.db", dir);
    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db,
                          "DROP INDEX block_newest; DROP INDEX block_oldest;"
                          "CREATE INDEX block_time ON block (kind, max_ns);"
                          "DROP TABLE state; DROP TABLE recent_request;"
                          "DROP TABLE report; DROP TABLE catalog;"
                          "DROP TABLE chunk_tail;"
                          "ALTER TABLE named_value RENAME TO text;"
                          "INSERT INTO text VALUES ('derived.state',"
                          " CAST('what waits' AS BLOB));",
                          NULL, NULL, NULL),
             SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    ends_open(&ends, dir, &journal_io_system, true);
    submit(&ends, dead_letter_batch(9, 9));
    wait_for(&ends, 1);
    CHECK_EQ(wait_total(&ends, 1), 1);
    CHECK_EQ(next_of(&ends, 2), 10);
    check_state(&ends);
    CHECK_EQ(stats_get(STATS_STORE_REPAIRS), repairs);
    ends_close(&ends);
    temp_remove(dir);
}

TEST(an_older_database_gets_the_tables)
{
    older_database("DROP TABLE kafka_offset; DROP TABLE dead_letter;"
                   "PRAGMA user_version = 1");
    older_database("PRAGMA user_version = 2");
}
