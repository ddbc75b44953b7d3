/* The same request again, through the real journal, store and correlator. */
#include "recent_refusals.h"
#include "recent_requests.h"

#include <errno.h>

#include "fault_kit.h"

static struct request_hash hash_no(uint64_t n)
{
    return (struct request_hash){n * UINT64_C(0x9e3779b97f4a7c15), n + 1};
}

TEST(the_newest_are_known)
{
    struct recent_requests repeats = {.count = 0};
    uint64_t many = 3 * RECENT_REQUESTS_MAX + 17;

    for (uint64_t n = 1; n <= many; n++) {
        uint64_t gone = n > RECENT_REQUESTS_MAX ? n - RECENT_REQUESTS_MAX : 0;

        CHECK(!recent_requests_has(&repeats, hash_no(n), UINT64_MAX));
        recent_requests_add(&repeats, hash_no(n), n);
        if (n % 1000 != 0)
            continue;
        CHECK(recent_requests_has(&repeats, hash_no(gone + 1), gone + 2));
        CHECK(!recent_requests_has(&repeats, hash_no(gone + 1), gone + 1));
        CHECK(recent_requests_has(&repeats, hash_no(n), n + 1));
        if (gone > 0)
            CHECK(!recent_requests_has(&repeats, hash_no(gone), UINT64_MAX));
    }
    recent_requests_release(&repeats);
}

static struct batch *refused(uint64_t n, const char *why)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->hash = hash_no(n);
    batch->foreign = (uint32_t)strlen(why);
    batch->foreign_why = slice_of(why);
    return batch;
}

static void check_again(const struct recent_refusals *refusals, uint64_t n,
                        uint32_t foreign, const char *why)
{
    struct batch *batch = refused(n, "");

    recent_refusals_repeat(refusals, batch);
    CHECK_EQ(batch->foreign, foreign);
    CHECK_TEXT(batch->foreign_why, why);
    batch_free(batch);
}

TEST(the_newest_refusals_are_known)
{
    struct recent_refusals refusals = {.count = 0};
    uint64_t many = 2 * RECENT_REFUSALS_MAX + 7;
    char text[RECENT_REFUSALS_TEXT + 50], cut[RECENT_REFUSALS_TEXT + 1];
    struct batch *batch;

    check_again(&refusals, 1, 0, "");
    for (uint64_t n = 1; n <= many; n++) {
        batch = refused(n, n % 2 ? "odd" : "even");
        recent_refusals_add(&refusals, batch);
        batch_free(batch);
        check_again(&refusals, n, n % 2 ? 3 : 4, n % 2 ? "odd" : "even");
        check_again(&refusals, n + 1, 0, "");
    }
    check_again(&refusals, many - RECENT_REFUSALS_MAX, 0, "");
    check_again(&refusals, many - RECENT_REFUSALS_MAX + 1, 4, "even");
    snprintf(text, sizeof(text), "%0*d", (int)sizeof(text) - 1, 0);
    snprintf(cut, sizeof(cut), "%0*d", (int)sizeof(cut) - 1, 0);
    batch = refused(1, text);
    recent_refusals_add(&refusals, batch);
    batch_free(batch);
    check_again(&refusals, 1, sizeof(text) - 1, cut);
    recent_refusals_release(&refusals);
}

/* Few hashes, so that chains are long; against a list of what was added. */
TEST(agrees_with_a_plain_list)
{
    enum { N = 9000, DISTINCT = 700 };
    static uint32_t list[N];
    struct recent_requests repeats = {.count = 0};

    for (uint32_t n = 0; n < N; n++) {
        uint32_t ask = test_random(DISTINCT), before = test_random(n + 2);
        bool found = false;

        for (uint32_t i = 0; i < n && i < before; i++)
            found |= list[i] == ask;
        if (!CHECK_EQ(recent_requests_has(&repeats, hash_no(ask), before),
                      found))
            break;
        list[n] = test_random(DISTINCT);
        recent_requests_add(&repeats, hash_no(list[n]), n);
    }
    recent_requests_release(&repeats);
}

/* ---- the table of the store ---- */

struct list {
    uint64_t count, first, last;
    bool in_order;
};

static void add_to_list(void *arg, struct request_hash hash, uint64_t lsn)
{
    struct list *list = arg;

    if (list->count++ == 0)
        list->first = lsn;
    else
        list->in_order &= lsn == list->last + 1;
    list->last = lsn;
    list->in_order &= hash.a == hash_no(lsn).a && hash.b == hash_no(lsn).b;
}

static struct list list_of(struct store *store)
{
    struct list list = {.in_order = true};

    CHECK_EQ(metadata_load_requests(store_metadata(store), add_to_list, &list),
             OK);
    return list;
}

static void append_empty(struct store *store, uint64_t lsn)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->lsn = lsn;
    batch->count = 1;
    batch->logs = arena_zero(&batch->arena, 1, sizeof(*batch->logs));
    batch->resources = arena_zero(&batch->arena, 1, sizeof(*batch->resources));
    batch->logs[0].resource = batch->resources;
    batch->logs[0].time_ns = BASE + lsn;
    batch->hash = hash_no(lsn);
    store_append(store, batch);
}

TEST(the_table_goes_on_where_it_was_and_has_a_bound)
{
    enum { STEP = 7777, MANY = 10 * STEP };
    struct store *store = NULL;
    struct list list;
    char dir[64];
    uint64_t lsn = 0;

    temp_make(dir);
    struct store_options options = options_in(dir);
    options.block_logs = 300;
    while (lsn < MANY) {
        CHECK_EQ(store_open(&store, &options), OK);
        list = list_of(store);
        CHECK(list.in_order && list.last == lsn);
        CHECK(list.count == lsn || (list.count > RECENT_REQUESTS_MAX - 256 &&
                                    list.count <= RECENT_REQUESTS_MAX));
        for (int i = 0; i < STEP; i++)
            append_empty(store, ++lsn);
        store_close(store);
    }
    temp_remove(dir);
}

/* ---- through all of it ---- */

static uint32_t times_of(struct instance *instance, uint32_t k)
{
    struct found found;

    CHECK_EQ(instance_read(instance, &found), OK);
    CHECK_EQ(found.odd, 0);
    for (uint32_t i = 1; i < RECORDS; i++)
        CHECK_EQ(found.times[k * RECORDS + i], found.times[k * RECORDS]);
    return found.times[k * RECORDS];
}

TEST(each_signal_is_stored_and_counted_once)
{
    struct account account = {.taken = {0}};
    struct instance instance;
    struct found found;
    uint64_t repeated = stats_get(STATS_DUPLICATE_REQUESTS);
    char dir[64];

    temp_make(dir);
    CHECK_EQ(instance_open(&instance, dir, &journal_io_system), OK);
    for (int epoch = 0; epoch < 3; epoch++) {
        for (uint32_t k = 0; k < 6; k++) {
            CHECK_EQ(instance_send(&instance, k), OK);
            account.taken[k]++;
        }
        CHECK_EQ(instance_read(&instance, &found), OK);
        CHECK(agrees(&found, &account));
        if (epoch == 1)
            CHECK(instance_flush(&instance));
    }
    CHECK_EQ(stats_get(STATS_DUPLICATE_REQUESTS) - repeated, 12);
    CHECK(instance_close(&instance));
    temp_remove(dir);
}

/* A message of Kafka is passed, though its records are there already. */
TEST(a_copy_from_kafka_leaves_its_offset)
{
    const struct source_offset source = {
        .topic = SLICE("otlp_logs"), .partition = 1, .offset = 41, .epoch = 1};
    struct instance instance;
    atomic_int told = -1;
    uint64_t next = 0;
    char dir[64];

    temp_make(dir);
    CHECK_EQ(instance_open(&instance, dir, &journal_io_system), OK);
    CHECK_EQ(instance_send(&instance, 1), OK);
    struct sink sink = journal_sink(instance.journal);
    struct batch *batch = kit_batch(1, &instance.budget);
    batch_set_source_offset(batch, &source);
    batch->done = kit_done;
    batch->done_arg = &told;
    sink.submit(sink.arg, batch);
    WAIT_FOR(atomic_load(&told) >= 0);
    CHECK_EQ(atomic_load(&told), OK);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(times_of(&instance, 1), 1);
        CHECK(metadata_next_offset(store_metadata(instance.store), source.topic,
                                   1, &next));
        CHECK_EQ(next, 42);
        CHECK(instance_close(&instance));
        CHECK_EQ(instance_open(&instance, dir, &journal_io_system), OK);
    }
    CHECK(instance_close(&instance));
    temp_remove(dir);
}

/* The journal has dropped them by then. */
TEST(known_after_a_clean_stop)
{
    struct instance instance;
    char dir[64];

    temp_make(dir);
    for (int epoch = 0; epoch < 3; epoch++) {
        CHECK_EQ(instance_open(&instance, dir, &journal_io_system), OK);
        for (uint32_t k = 0; k < BATCHES; k++)
            CHECK_EQ(instance_send(&instance, k), OK);
        for (uint32_t k = 0; k < BATCHES; k++)
            CHECK_EQ(times_of(&instance, k), 1);
        CHECK(instance_close(&instance));
    }
    temp_remove(dir);
}

/* ---- the first is refused ---- */

static atomic_bool broken;

static ssize_t pwrite_or_not(int fd, const void *bytes, size_t len, off_t at)
{
    if (!atomic_load(&broken))
        return journal_io_system.pwrite(fd, bytes, len, at);
    errno = EIO;
    return -1;
}

TEST(a_request_that_was_refused_is_not_known)
{
    struct journal_io io = journal_io_system;
    struct instance instance;
    char dir[64];

    log_set_level(LOG_ERROR);
    io.pwrite = pwrite_or_not;
    io.retry_ns = NS_PER_MS;
    temp_make(dir);
    CHECK_EQ(instance_open(&instance, dir, &io), OK);
    atomic_store(&broken, true);
    CHECK(instance_send(&instance, 3) != OK);
    atomic_store(&broken, false);
    CHECK(instance_send_until_taken(&instance, 3));
    CHECK_EQ(times_of(&instance, 3), 1);
    CHECK_EQ(instance_send(&instance, 3), OK);
    CHECK_EQ(times_of(&instance, 3), 1);
    CHECK(instance_close(&instance));
    temp_remove(dir);
}

/* ---- while the first is being synced ---- */

static atomic_int syncing, may_sync;

static int slow_sync(int fd)
{
    atomic_fetch_add(&syncing, 1);
    while (!atomic_load(&may_sync))
        test_pause_us(100);
    return journal_io_system.sync(fd);
}

TEST(a_copy_waits_for_what_is_being_synced)
{
    struct journal_io io = journal_io_system;
    atomic_int told[8];
    struct instance instance;
    char dir[64];

    atomic_store(&may_sync, 1);
    io.sync = slow_sync;
    temp_make(dir);
    CHECK_EQ(instance_open(&instance, dir, &io), OK);
    atomic_store(&may_sync, 0);
    atomic_store(&syncing, 0);
    for (int i = 0; i < 8; i++) {
        struct sink sink = journal_sink(instance.journal);
        struct batch *batch = kit_batch(4, &instance.budget);

        atomic_init(&told[i], -1);
        batch->done = kit_done;
        batch->done_arg = &told[i];
        sink.submit(sink.arg, batch);
        while (atomic_load(&syncing) == 0)
            test_pause_us(100);
    }
    test_pause_us(20000);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(atomic_load(&told[i]), -1); /* nothing is durable yet */
    atomic_store(&may_sync, 1);
    for (int i = 0; i < 8; i++) {
        WAIT_FOR(atomic_load(&told[i]) >= 0);
        CHECK_EQ(atomic_load(&told[i]), OK);
    }
    CHECK_EQ(times_of(&instance, 4), 1);
    CHECK(instance_close(&instance));
    temp_remove(dir);
}
