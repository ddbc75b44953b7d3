#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "clock.h"
#include "stats.h"
#include "store_help.h"
#include "store_int.h"

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

static void save_some(struct metadata *metadata)
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

    metadata_save_identity(metadata, &identity);
    for (uint32_t id = 0; id < 3; id++)
        metadata_save_resource(metadata, id, 4,
                               UINT64_C(0xfedcba9876543210) + id, &resource);
    metadata_save_resource_identity(metadata, 2, 9);
    metadata_save_value(metadata, "name", SLICE("first"));
    metadata_save_value(metadata, "name", SLICE("sec\0nd"));
}

static void add_report(void *arg, uint32_t slot, uint64_t number,
                       struct slice document)
{
    buf_format(arg, "%u %u ", (unsigned)slot, (unsigned)number);
    buf_add(arg, document);
    buf_byte(arg, ';');
}

/* All reports, as text. */
static void check_reports(struct metadata *metadata, const char *want)
{
    struct buf found;

    buf_init(&found, 1000);
    CHECK_EQ(metadata_load_reports(metadata, add_report, &found), OK);
    CHECK_TEXT(buf_slice(&found), want);
    buf_release(&found);
}

TEST(what_was_saved_is_loaded)
{
    char dir[64];
    struct arena arena;
    struct slice value;
    struct loaded loaded = {.good = true};

    temp_make(dir);
    arena_init(&arena, NULL, SIZE_MAX);
    struct store *store = open_in(dir);
    save_some(store_metadata(store));
    CHECK_EQ(metadata_sync(store_metadata(store)), OK);
    store_close(store);

    store = open_in(dir);
    struct metadata *metadata = store_metadata(store);
    CHECK_EQ(metadata_load(metadata, see_identity, see_resource, &loaded), OK);
    CHECK(loaded.good);
    CHECK_EQ(loaded.identities, 1);
    CHECK_EQ(loaded.resources, 3);
    CHECK_EQ(loaded.tag[1], 4);
    CHECK_EQ(loaded.tag[2], 9);
    CHECK_EQ(metadata_load_value(metadata, "name", &arena, &value), OK);
    CHECK(slice_equal(value, SLICE("sec\0nd")));
    CHECK_EQ(metadata_load_value(metadata, "other", &arena, &value), OK);
    CHECK_EQ(value.len, 0);
    store_close(store);
    arena_release(&arena);
    temp_remove(dir);
}

/* Documents are on disk when saving them returns: another connection, as after
 * a kill -9, has them. */
TEST(catalog_and_reports_are_durable_when_saving_returns)
{
    char dir[64];
    struct arena arena;
    struct slice document;

    temp_make(dir);
    arena_init(&arena, NULL, SIZE_MAX);
    struct store *store = open_in(dir);
    struct metadata *metadata = store_metadata(store);
    CHECK_EQ(metadata_load_catalog(metadata, &arena, &document), OK);
    CHECK_EQ(document.len, 0);
    CHECK_EQ(metadata_save_catalog(metadata, SLICE("{1}")), OK);
    CHECK_EQ(metadata_load_catalog(metadata, &arena, &document), OK);
    CHECK_TEXT(document, "{1}");
    CHECK_EQ(metadata_save_report(metadata, 7, 2, SLICE("{b}")), OK);
    check_reports(metadata, "7 2 {b};");
    CHECK_EQ(metadata_save_report(metadata, 0, 3, SLICE("{c}")), OK);
    CHECK_EQ(metadata_save_report(metadata, 7, 4, SLICE("{d}")), OK);
    CHECK_EQ(metadata_save_catalog(metadata, SLICE("{2}")), OK);
    check_reports(metadata, "0 3 {c};7 4 {d};");
    store_close(store);
    store = open_in(dir);
    metadata = store_metadata(store);
    check_reports(metadata, "0 3 {c};7 4 {d};");
    CHECK_EQ(metadata_load_catalog(metadata, &arena, &document), OK);
    CHECK_TEXT(document, "{2}");
    store_close(store);
    arena_release(&arena);
    temp_remove(dir);
}

/* What version 3 kept as texts. */
static void make_version_3(const char *dir)
{
    char path[100];
    struct db *db = NULL;

    snprintf(path, sizeof(path), "%s/callboard.db", dir);
    CHECK_EQ(db_open(&db, path, true), OK);
    CHECK_EQ(
        sqlite3_exec(db_handle(db),
                     "DROP TABLE report; DROP TABLE catalog;"
                     "DROP TABLE chunk_tail;"
                     "ALTER TABLE named_value RENAME TO text;"
                     "INSERT INTO text VALUES ('catalog', CAST('{c}' AS BLOB)),"
                     " ('rca.3', CAST('41' || char(10) || '{\"a\":\"\n\"}'"
                     "  AS BLOB)), ('rca.12', CAST('{old}' AS BLOB)),"
                     " ('rca.note', x'31'), ('store.id', CAST('me' AS BLOB));"
                     "PRAGMA user_version = 3",
                     NULL, NULL, NULL),
        SQLITE_OK);
    db_close(db);
}

TEST(version_3_gets_tables_for_catalog_and_reports)
{
    char dir[64];
    struct arena arena;
    struct slice value;

    temp_make(dir);
    arena_init(&arena, NULL, SIZE_MAX);
    store_close(open_in(dir));
    make_version_3(dir);
    for (int i = 0; i < 2; i++) {
        struct store *store = open_in(dir);
        struct metadata *metadata = store_metadata(store);

        check_reports(metadata, "3 41 {\"a\":\"\n\"};12 0 {old};");
        CHECK_EQ(metadata_load_catalog(metadata, &arena, &value), OK);
        CHECK_TEXT(value, "{c}");
        CHECK_EQ(metadata_load_value(metadata, "catalog", &arena, &value), OK);
        CHECK_EQ(value.len, 0);
        CHECK_EQ(metadata_load_value(metadata, "rca.note", &arena, &value), OK);
        CHECK_TEXT(value, "1");
        CHECK_EQ(metadata_load_value(metadata, "store.id", &arena, &value), OK);
        CHECK_TEXT(value, "me");
        store_close(store);
    }
    arena_release(&arena);
    temp_remove(dir);
}

TEST(what_waits_to_be_saved_has_a_bound)
{
    enum { COUNT = 600, LEN = 15000 }; /* twice what may wait */
    char dir[64];
    struct store *store = NULL;
    static char text[LEN];
    struct attr attr = {.key = "k",
                        .key_len = 1,
                        .type = VALUE_STRING,
                        .str = text,
                        .len = LEN};
    struct resource resource = {.attrs = {&attr, 1, 0}};

    temp_make(dir);
    struct store_options options = options_in(dir);
    CHECK_EQ(store_open(&store, &options), OK);
    for (uint32_t i = 0; i < COUNT; i++)
        metadata_save_resource(store_metadata(store), i, 0, i, &resource);
    store_append(store,
                 points_batch(1, false, "p", 0, UINT64_C(1) << 60, 1, 1));
    const struct metadata *metadata = &store->metadata;
    pthread_mutex_lock(&store->commits.lock);
    CHECK(metadata->saved_bytes > (uint64_t)COUNT * LEN);
    CHECK(metadata->saved_bytes - metadata->committed_bytes <=
          PENDING_MAX_BYTES);
    pthread_mutex_unlock(&store->commits.lock);
    store_close(store);
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
    CHECK(store_derived_flush_due(store, 10) == false);
    store_append(store, points_batch(8, true, "n", 2, 60, 1, 1));
    store_close(store);

    store = open_in(dir);
    CHECK_EQ(store_watermark(store, STREAM_METRICS), 10);
    CHECK_EQ(store_watermark(store, STREAM_DERIVED), 8);
    CHECK_EQ(store_watermark(store, STREAM_SPANS), 0);
    store_close(store);
    temp_remove(dir);
}

TEST(a_damaged_database_is_repaired_and_renamed)
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
    save_some(store_metadata(store));
    CHECK_EQ(metadata_sync(store_metadata(store)), OK);
    store_close(store);
    snprintf(path, sizeof(path), "ls %s/*.damaged-* >/dev/null", dir);
    CHECK_EQ(system(path), 0);
    temp_remove(dir);
}

TEST(age_alone_closes_a_memtable)
{
    char dir[64];
    struct store *store = NULL;

    temp_make(dir);
    struct store_options options = options_in(dir);
    options.memtable_age_ns = 30 * NS_PER_MS;
    CHECK_EQ(store_open(&store, &options), OK);
    store_append(store, points_batch(3, false, "cpu", 1, 60, 5, 1));
    WAIT_FOR(store_watermark(store, STREAM_METRICS) >= 3);
    CHECK_EQ(store_watermark(store, STREAM_METRICS), 3);
    CHECK(store_derived_flush_due(store, 3));
    CHECK_EQ(store_health(store), OK);
    store_close(store);
    temp_remove(dir);
}

/* ---- a disk that fails ---- */

/* The system's own file layer, but writes and syncs fail when told. */
static atomic_int fail_at; /* the n-th one from now on; 0: never */
static atomic_bool fail_always;
static sqlite3_vfs *real_vfs, faulty_vfs;

/* The layer has a few tables of methods; each is stood in for by a copy. */
enum { TABLES = 8 };
static const sqlite3_io_methods *real_io[TABLES];
static sqlite3_io_methods faulty_io[TABLES];

static const sqlite3_io_methods *real_of(sqlite3_file *file)
{
    return real_io[file->pMethods - faulty_io];
}

static bool fails(void)
{
    return atomic_load(&fail_always) ||
           (atomic_load(&fail_at) > 0 && atomic_fetch_sub(&fail_at, 1) == 1);
}

static int faulty_write(sqlite3_file *file, const void *bytes, int count,
                        sqlite3_int64 at)
{
    return fails() ? SQLITE_FULL
                   : real_of(file)->xWrite(file, bytes, count, at);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    return fails() ? SQLITE_IOERR_FSYNC : real_of(file)->xSync(file, flags);
}

static pthread_mutex_t tables_lock = PTHREAD_MUTEX_INITIALIZER;

static int faulty_open(sqlite3_vfs *vfs, sqlite3_filename name,
                       sqlite3_file *file, int flags, int *out)
{
    int code = real_vfs->xOpen(vfs, name, file, flags, out), at = 0;

    if (code != SQLITE_OK || !file->pMethods)
        return code;
    pthread_mutex_lock(&tables_lock);
    while (at < TABLES - 1 && real_io[at] && real_io[at] != file->pMethods)
        at++;
    if (!real_io[at]) {
        real_io[at] = file->pMethods;
        faulty_io[at] = *real_io[at];
        faulty_io[at].xWrite = faulty_write;
        faulty_io[at].xSync = faulty_sync;
    }
    file->pMethods = &faulty_io[at];
    pthread_mutex_unlock(&tables_lock);
    return code;
}

static void make_disk_faulty(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    faulty_vfs = *real_vfs;
    faulty_vfs.zName = "faulty";
    faulty_vfs.xOpen = faulty_open;
    CHECK_EQ(sqlite3_vfs_register(&faulty_vfs, 1), SQLITE_OK);
}

static void mend_disk(void)
{
    CHECK_EQ(sqlite3_vfs_unregister(&faulty_vfs), SQLITE_OK);
    CHECK_EQ(sqlite3_vfs_register(real_vfs, 1), SQLITE_OK);
}

static void add_value(void *arg, const struct point *point)
{
    *(uint64_t *)arg += (uint64_t)point->i;
}

static uint64_t total_value(struct store *store)
{
    struct reader *reader = NULL;
    struct arena arena;
    uint64_t value = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *set = bitmap_new(&arena, 64);
    struct series_query q = {.end_ns = UINT64_MAX, .resources = set};
    for (uint32_t i = 0; i < 64; i++)
        bitmap_add(set, i);
    if (CHECK_EQ(reader_open(&reader, store), OK)) {
        CHECK_EQ(reader_begin(reader), OK);
        CHECK_EQ(reader_query_series(reader, &q, add_value, &value), OK);
        reader_end(reader);
    }
    reader_close(reader);
    arena_release(&arena);
    return value;
}

static enum status wait_health(struct store *store, enum status want)
{
    WAIT_FOR(store_health(store) == want);
    return store_health(store);
}

TEST(a_full_disk_is_reported_queries_work_and_it_recovers)
{
    char dir[64];

    make_disk_faulty();
    temp_make(dir);
    struct store *store = open_in(dir);
    atomic_store(&fail_always, true);
    store_append(store, points_batch(1, true, "n", 1, NS_PER_HOUR, 5, 1));
    CHECK_EQ(wait_health(store, ERR_IO), ERR_IO);
    save_some(store_metadata(store));
    CHECK(metadata_sync(store_metadata(store)) != OK);
    CHECK_EQ(store_watermark(store, STREAM_DERIVED), 0);
    CHECK_EQ(total_value(store), 5);
    atomic_store(&fail_always, false);
    CHECK_EQ(wait_health(store, OK), OK);
    CHECK_EQ(metadata_sync(store_metadata(store)), OK);
    CHECK_EQ(store_watermark(store, STREAM_DERIVED), 1);
    CHECK_EQ(total_value(store), 5);
    store_close(store);
    mend_disk();
    temp_remove(dir);
}

TEST(any_write_may_fail_once_and_nothing_is_lost_or_doubled)
{
    make_disk_faulty();
    for (int n = 1; n < 24; n++) {
        char dir[64];

        temp_make(dir);
        struct store *store = open_in(dir);
        atomic_store(&fail_at, n);
        for (uint64_t lsn = 1; lsn <= 6; lsn++)
            store_append(store, points_batch(lsn, lsn % 2, "n", (uint32_t)lsn,
                                             lsn * NS_PER_HOUR, 50, 1));
        CHECK_EQ(total_value(store), 300);
        store_close(store);
        atomic_store(&fail_at, 0);
        store = open_in(dir);
        CHECK_EQ(store_watermark(store, STREAM_DERIVED), 5);
        CHECK_EQ(store_watermark(store, STREAM_METRICS), 6);
        CHECK_EQ(total_value(store), 300);
        store_close(store);
        temp_remove(dir);
    }
    mend_disk();
}

TEST(a_disk_that_stays_full_does_not_keep_the_store_from_closing)
{
    char dir[64];

    make_disk_faulty();
    temp_make(dir);
    struct store *store = open_in(dir);
    atomic_store(&fail_always, true);
    store_append(store, points_batch(1, false, "n", 1, NS_PER_HOUR, 5, 1));
    uint64_t before = clock_monotonic_ns();
    store_close(store);
    CHECK(clock_monotonic_ns() - before < 5 * NS_PER_S);
    atomic_store(&fail_always, false);
    mend_disk();
    store = open_in(dir);
    CHECK_EQ(store_watermark(store, STREAM_METRICS), 0);
    store_close(store);
    temp_remove(dir);
}

static void *append_many(void *arg)
{
    for (uint64_t lsn = 1; lsn <= 40; lsn++)
        store_append(arg, points_batch(lsn, lsn % 2, "n", (uint32_t)lsn,
                                       lsn * NS_PER_HOUR, 2000, 1));
    return NULL;
}

TEST(a_thread_that_waits_for_a_full_disk_continues_when_the_store_drains)
{
    char dir[64];
    pthread_t thread;

    make_disk_faulty();
    temp_make(dir);
    struct store *store = open_in(dir);
    atomic_store(&fail_always, true);
    CHECK_EQ(pthread_create(&thread, NULL, append_many, store), 0);
    WAIT_FOR(store_health(store) != OK);
    test_pause_us(50000); /* it is in the midst of it */
    store_begin_shutdown(store);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(total_value(store), 80000);
    atomic_store(&fail_always, false);
    CHECK_EQ(wait_health(store, OK), OK);
    store_close(store);
    store = open_in(dir);
    CHECK_EQ(store_watermark(store, STREAM_DERIVED), 39);
    CHECK_EQ(store_watermark(store, STREAM_METRICS), 40);
    CHECK_EQ(total_value(store), 80000);
    store_close(store);
    mend_disk();
    temp_remove(dir);
}

/* ---- with a journal ---- */

struct chain {
    struct store *store;
    pthread_mutex_t lock; /* one thread at a time, like a correlator */
    uint64_t lsn;
    atomic_uint taken, refused;
    uint64_t derived;
};

static void flush_if_wanted(struct chain *chain)
{
    uint64_t lsn = chain->lsn;

    if (!store_derived_flush_due(chain->store, lsn))
        return;
    chain->derived++;
    store_append(chain->store,
                 points_batch(lsn, true, "n", 1, NS_PER_HOUR + lsn, 1, 1));
}

/* In the place of a correlator: a log record or a point of each request. */
static void take(void *arg, struct batch *batch)
{
    struct chain *chain = arg;
    uint64_t lsn = batch->lsn;

    batch->done = NULL;
    pthread_mutex_lock(&chain->lock);
    batch->count = 1;
    if (batch->signal == SIGNAL_LOGS) {
        batch->logs = arena_zero(&batch->arena, 1, sizeof(*batch->logs));
        batch->logs[0].time_ns = NS_PER_HOUR + lsn;
        store_append(chain->store, batch);
    } else {
        batch_free(batch);
        batch = points_batch(lsn, false, "cpu", 1, NS_PER_HOUR + lsn, 1, 1);
        store_append(chain->store, batch);
    }
    chain->lsn = lsn;
    flush_if_wanted(chain);
    pthread_mutex_unlock(&chain->lock);
    atomic_fetch_add(&chain->taken, 1);
}

static void refused(void *arg, enum status status)
{
    struct chain *chain = arg;

    CHECK_EQ(status, ERR_BUSY);
    atomic_fetch_add(&chain->refused, 1);
}

static void tick(struct chain *chain)
{
    test_pause_us(500);
    pthread_mutex_lock(&chain->lock);
    flush_if_wanted(chain);
    pthread_mutex_unlock(&chain->lock);
}

/* Until so many requests have been taken; what is refused is sent again. */
static void submit(struct journal *journal, struct chain *chain,
                   uint32_t requests, enum signal signal)
{
    enum { BODY = 10000, AT_ONCE = 20, TRIES = 4000 };
    struct sink sink = journal_sink(journal);
    unsigned want = atomic_load(&chain->taken) + requests;
    int tries = 0;

    while (atomic_load(&chain->taken) < want && tries < TRIES) {
        unsigned left = want - atomic_load(&chain->taken);
        unsigned over = atomic_load(&chain->taken) +
                        atomic_load(&chain->refused) +
                        (left < AT_ONCE ? left : AT_ONCE);

        for (unsigned i = 0; i < AT_ONCE && i < left; i++) {
            struct batch *batch =
                batch_new(signal, calloc(1, BODY), BODY, NULL);

            batch->done = refused;
            batch->done_arg = chain;
            sink.submit(sink.arg, batch);
        }
        while (atomic_load(&chain->taken) + atomic_load(&chain->refused) <
                   over &&
               tries++ < TRIES)
            tick(chain);
    }
    CHECK_EQ(atomic_load(&chain->taken), want);
}

TEST(the_journal_is_truncated_and_requests_flushes)
{
    char dir[64];
    struct journal *journal = NULL;
    struct chain chain = {.lock = PTHREAD_MUTEX_INITIALIZER};

    temp_make(dir);
    struct journal_options jo = {.dir = dir, .max_bytes = 4 << 20};
    struct store_options options = options_in(dir);
    CHECK_EQ(journal_open(&journal, &jo), OK);
    options.journal = journal;
    options.block_logs = 1 << 20; /* only the journal requests a flush */
    options.memtable_bytes = 1 << 30;
    CHECK_EQ(store_open(&chain.store, &options), OK);
    CHECK_EQ(
        journal_start(journal, (struct sink){.submit = take, .arg = &chain}),
        OK);
    /* Twice as much as the journal holds, then a little of another kind. */
    submit(journal, &chain, 800, SIGNAL_LOGS);
    submit(journal, &chain, 20, SIGNAL_METRICS);
    CHECK(journal_bytes(journal) < jo.max_bytes);
    CHECK(store_watermark(chain.store, STREAM_LOGS) > 400);
    CHECK(chain.derived > 0 && chain.derived < 40);
    CHECK_EQ(total_value(chain.store), 20 + chain.derived);
    journal_stop(journal);
    store_close(chain.store);
    journal_close(journal);
    temp_remove(dir);
}

/* ---- kill -9 ---- */

enum { PER_BATCH = 20 };

/* Appends from the watermark on, as a replay does, until it is killed. */
static void append_for_ever(const char *dir)
{
    struct store_options options = options_in(dir);
    struct store *store = NULL;

    options.block_logs = 100;
    if (store_open(&store, &options) != OK)
        _exit(1);
    for (uint64_t lsn = store_watermark(store, STREAM_LOGS) + 1;; lsn++) {
        struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

        batch->lsn = lsn;
        batch->count = PER_BATCH;
        batch->logs =
            arena_zero(&batch->arena, PER_BATCH, sizeof(*batch->logs));
        for (uint64_t i = 0; i < PER_BATCH; i++)
            batch->logs[i].time_ns = NS_PER_HOUR + lsn * PER_BATCH + i;
        store_append(store, batch);
    }
}

/* Exactly the records of all batches up to the watermark are there. */
static void check_logs(const char *dir)
{
    struct store *store = open_in(dir);
    struct reader *reader = NULL;
    struct log_query q = {
        .end_ns = UINT64_MAX, .limit = UINT32_MAX, .ascending = true};
    struct log_record *logs = NULL;
    struct arena arena;
    uint32_t count = 0;
    uint64_t total;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_query_logs(reader, &q, &arena, &logs, &count, &total), OK);
    CHECK_EQ(count, store_watermark(store, STREAM_LOGS) * PER_BATCH);
    for (uint32_t i = 0; i < count; i++)
        if (!CHECK_EQ(logs[i].time_ns, NS_PER_HOUR + PER_BATCH + i))
            break;
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    arena_release(&arena);
}

TEST(killed_at_any_moment_the_watermark_tells_what_is_there)
{
    char dir[64];

    temp_make(dir);
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();

        if (child == 0)
            append_for_ever(dir);
        test_pause_us(5000 + test_random(40000));
        CHECK_EQ(kill(child, SIGKILL), 0);
        CHECK_EQ(waitpid(child, NULL, 0), child);
        check_logs(dir);
    }
    temp_remove(dir);
}
