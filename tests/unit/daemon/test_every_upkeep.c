/*
 * Maintenance of a database: retention, merging of chunks and of blocks. Each
 * disk call fails once, in every way, as in test_every_fault.c. Afterwards
 * every record within the retention is there once, and no older record is there
 * twice.
 *
 * SEED=n repeats a run.
 */
#define _GNU_SOURCE /* fallocate */
#include "block_encoder.h"
#include "fault_crash.h"
#include "fault_work.h"

static char kept[64]; /* a folder with many small blocks */

/* Every batch in a block, or chunks, of its own, and all of it long ago. */
static void make_kept(void)
{
    struct instance instance;
    char path[128];
    sqlite3 *db = NULL;

    log_set_level(LOG_ERROR);
    disk_mount();
    disk_set(DISK_GOOD, 0);
    temp_make(kept);
    CHECK_EQ(instance_open(&instance, kept, &disk_journal), OK);
    for (uint32_t k = 0; k < BATCHES; k++) {
        CHECK(instance_send_until_taken(&instance, k));
        CHECK(instance_flush(&instance));
    }
    CHECK(instance_close(&instance));
    snprintf(path, sizeof(path), "%s/callboard.db", kept);
    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(sqlite3_exec(db, "UPDATE chunk SET written = 0", NULL, NULL, NULL),
             SQLITE_OK);
    sqlite3_close(db);
}

/* ---- the upkeep, without the store's thread ---- */

enum { ROUNDS = 200 };

static enum status step(struct store *store, bool *more)
{
    store->writer.chunks_due_ns = store->writer.blocks_due_ns =
        0; /* look now */
    enum status status = retention_step(store, more);

    if (status == OK)
        status = chunk_compaction_step(store, more);
    if (status == OK)
        status = block_compaction_step(store, more);
    if (status != OK && db_run(store->writer.db, SQL_ROLLBACK) != OK)
        *more = true; /* it was rolled back already */
    return status;
}

/* Logs are too old, the rest is kept. */
static bool keep_up(const char *dir)
{
    struct store store = {.options = {.block_spans = 1000,
                                      .block_logs = 1000,
                                      .retention_ns = {[SIGNAL_LOGS] = 1}}};
    char path[128];
    enum status status = ERR_IO;
    bool more = true;

    snprintf(path, sizeof(path), "%s/callboard.db", dir);
    for (int i = 0; i < ROUNDS && status != OK; i++)
        status = db_open(&store.writer.db, path, true);
    if (!CHECK_EQ(status, OK))
        return false;
    budget_init(&store.readers.memory, 128 << 20);
    pthread_mutex_init(&store.commits.lock, NULL);
    store.writer.encoder = block_encoder_new();
    for (int i = 0; i < ROUNDS && (more || status != OK); i++) {
        more = false;
        status = step(&store, &more);
    }
    block_encoder_free(store.writer.encoder);
    pthread_mutex_destroy(&store.commits.lock);
    db_close(store.writer.db);
    return CHECK_EQ(status, OK) && CHECK(!more);
}

/* ---- what is left ---- */

struct left {
    struct found found;
    uint64_t blocks, chunks, logs;
};

static bool read_left(const char *dir, struct left *left)
{
    struct instance instance;
    struct reader *reader = NULL;
    struct store_sizes sizes = {.bytes = {0}};

    *left = (struct left){.logs = 0};
    if (!CHECK_EQ(instance_open(&instance, dir, &journal_io_system), OK))
        return false;
    bool good = CHECK_EQ(instance_read(&instance, &left->found), OK) &&
                CHECK_EQ(reader_open(&reader, instance.store), OK) &&
                CHECK_EQ(reader_begin(reader), OK) &&
                CHECK_EQ(reader_sizes(reader, &sizes), OK);
    if (reader) {
        reader_end(reader);
        reader_close(reader);
    }
    left->blocks = sizes.blocks[STREAM_SPANS] + sizes.blocks[STREAM_LOGS];
    left->chunks = sizes.blocks[STREAM_METRICS];
    for (uint32_t n = 0; n < NUMBERS; n++)
        if (n / RECORDS % SIGNAL_COUNT == SIGNAL_LOGS)
            left->logs += left->found.times[n];
    good &= CHECK_EQ(sizes.records[STREAM_LOGS], left->logs);
    return CHECK(instance_close(&instance)) && good &&
           CHECK_EQ(moved_aside(dir), 0);
}

static bool as_it_must(const struct left *left)
{
    const uint64_t each = BATCHES / SIGNAL_COUNT * RECORDS;
    const struct found *found = &left->found;
    bool good = CHECK_EQ(found->odd, 0);

    for (uint32_t n = 0; n < BATCHES * RECORDS && good; n++)
        good = n / RECORDS % SIGNAL_COUNT == SIGNAL_LOGS
                   ? CHECK(found->times[n] <= 1)
                   : CHECK_EQ(found->times[n], 1);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        good &= CHECK_EQ(found->counted[i], each);
    return good;
}

/* ---- runs ---- */

static bool keep_up_with_fault(unsigned n, const struct work *work)
{
    struct left left;

    copy_folder(kept, work->dir);
    disk_set((enum disk_mode)work->kind, n);
    bool good = keep_up(work->dir);
    disk_set(DISK_GOOD, 0);
    return good && read_left(work->dir, &left) && as_it_must(&left) &&
           CHECK_EQ(left.logs, 0) && CHECK(left.blocks <= 2);
}

TEST(any_call_of_the_upkeep_may_fail)
{
    static const enum disk_mode modes[] = {DISK_FAIL, DISK_SHORT, DISK_OUTAGE};
    char dir[64];
    struct left before, after;

    make_kept();
    CHECK(read_left(kept, &before) && as_it_must(&before));
    CHECK_EQ(before.blocks, BATCHES / SIGNAL_COUNT * 2);
    temp_make(dir);
    copy_folder(kept, dir);
    disk_set(DISK_GOOD, 0);
    CHECK(keep_up(dir));
    unsigned calls = disk.calls;
    CHECK(read_left(dir, &after) && as_it_must(&after));
    CHECK(after.logs == 0 && after.blocks <= 2);
    CHECK(after.chunks < before.chunks && calls > 100);
    printf("# %u calls\n", calls);
    for (int i = 0; i < 3; i++)
        in_workers(keep_up_with_fault, (struct work){.kind = (int)modes[i]},
                   calls);
    temp_remove(dir);
    temp_remove(kept);
}

static unsigned begun; /* operations that made the folder */

static bool end_after(unsigned n, const struct work *work)
{
    struct left left;

    leave(work->dir, begun + n, work->power);
    return read_left(work->dir, &left) && as_it_must(&left);
}

TEST(it_may_end_at_any_call_of_the_upkeep)
{
    char dir[64];

    make_kept();
    temp_make(dir);
    copy_folder(kept, dir);
    disk_set(DISK_RECORD, 0);
    disk_note_folder(dir);
    begun = disk.op_count;
    CHECK(keep_up(dir));
    disk_set(DISK_GOOD, 0);
    printf("# %u operations\n", disk.op_count - begun);
    CHECK(disk.op_count > begun + 20);
    for (int power = 0; power < 2; power++)
        in_workers(end_after, (struct work){.power = power},
                   disk.op_count - begun);
    while (disk.op_count > 0)
        free(disk.ops[--disk.op_count].bytes);
    temp_remove(dir);
    temp_remove(kept);
}
