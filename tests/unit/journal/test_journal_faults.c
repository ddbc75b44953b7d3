/* Every call on the disk goes wrong once. */
#include "journal_kit.h"

/* ---- faults ---- */

enum fault { FAULT_FAIL, FAULT_SHORT, FAULT_TORN, FAULT_POWER, FAULT_COUNT };

struct pre_image { /* of a write that is not synced */
    int fd;
    off_t at;
    size_t len;
    char *was;
};

/* The n-th call of any kind goes wrong. FAIL: -1. SHORT: a write stops half
 * way and says so. TORN: half way, and -1. POWER: it and all later ones fail,
 * and of what was written since the last sync any sector may be lost. */
static struct {
    pthread_mutex_t lock;
    enum fault fault;
    unsigned at, calls;
    struct pre_image unsynced[256];
    size_t unsynced_count;
} faulty = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void lose_power(void)
{
    for (size_t i = faulty.unsynced_count; i-- > 0;) {
        struct pre_image *image = &faulty.unsynced[i];

        (void)fcntl(image->fd, F_SETFL, 0); /* off with O_DIRECT */
        for (size_t at = 0; at < image->len; at += 512)
            if (test_random(2))
                CHECK(pwrite(image->fd, image->was + at, 512,
                             image->at + (off_t)at) == 512);
        free(image->was);
    }
    faulty.unsynced_count = 0;
}

/* True if this call is to go wrong. */
static bool goes_wrong(void)
{
    unsigned call = ++faulty.calls;

    if (faulty.fault != FAULT_POWER)
        return call == faulty.at;
    if (call == faulty.at)
        lose_power();
    return call >= faulty.at;
}

#define FAULTY(call)                        \
    do {                                    \
        bool wrong_;                        \
        pthread_mutex_lock(&faulty.lock);   \
        wrong_ = goes_wrong();              \
        pthread_mutex_unlock(&faulty.lock); \
        if (wrong_) {                       \
            errno = EIO;                    \
            return -1;                      \
        }                                   \
        return journal_io_system.call;      \
    } while (0)

static int faulty_open(const char *path, int flags, mode_t mode)
{
    FAULTY(open(path, flags, mode));
}
static ssize_t faulty_pread(int fd, void *bytes, size_t len, off_t at)
{
    FAULTY(pread(fd, bytes, len, at));
}
static int faulty_sync_dir(int fd)
{
    FAULTY(sync_dir(fd));
}
static int faulty_allocate(int fd, off_t size)
{
    FAULTY(allocate(fd, size));
}
static int faulty_truncate(int fd, off_t size)
{
    FAULTY(truncate(fd, size));
}
static int faulty_rename(const char *from, const char *to)
{
    FAULTY(rename(from, to));
}
static int faulty_unlink(const char *path)
{
    FAULTY(unlink(path));
}

static int faulty_sync(int fd)
{
    bool wrong;

    pthread_mutex_lock(&faulty.lock);
    wrong = goes_wrong();
    for (size_t i = 0; !wrong && i < faulty.unsynced_count; i++)
        free(faulty.unsynced[i].was);
    if (!wrong)
        faulty.unsynced_count = 0;
    pthread_mutex_unlock(&faulty.lock);
    if (!wrong)
        return journal_io_system.sync(fd);
    errno = EIO;
    return -1;
}

static void keep_pre_image(int fd, size_t len, off_t at)
{
    struct pre_image *image = &faulty.unsynced[faulty.unsynced_count++];
    void *was = NULL;

    CHECK(faulty.unsynced_count < 256 && len % 512 == 0);
    CHECK_EQ(posix_memalign(&was, 4096, len), 0);
    memset(was, 0, len);
    CHECK(pread(fd, was, len, at) >= 0);
    *image = (struct pre_image){fd, at, len, was};
}

static ssize_t faulty_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    ssize_t n;

    pthread_mutex_lock(&faulty.lock);
    if (faulty.fault == FAULT_POWER && len % 512 == 0 &&
        faulty.calls + 1 < faulty.at)
        keep_pre_image(fd, len, at);
    if (!goes_wrong()) {
        n = journal_io_system.pwrite(fd, bytes, len, at);
    } else {
        n = -1;
        if (faulty.fault == FAULT_SHORT || faulty.fault == FAULT_TORN)
            n = journal_io_system.pwrite(fd, bytes, len / 2 / 512 * 512, at);
        if (faulty.fault != FAULT_SHORT)
            n = -1;
        errno = EIO;
    }
    pthread_mutex_unlock(&faulty.lock);
    return n;
}

static const struct journal_io faulty_io = {
    .open = faulty_open,
    .pread = faulty_pread,
    .pwrite = faulty_pwrite,
    .sync = faulty_sync,
    .sync_dir = faulty_sync_dir,
    .allocate = faulty_allocate,
    .truncate = faulty_truncate,
    .rename = faulty_rename,
    .unlink = faulty_unlink,
    .retry_ns = NS_PER_MS / 10,
};

enum { SCRIPT = 48, SCRIPT_CUT = 20, SCRIPT_END = 52 };

struct script_run {
    bool ok[SCRIPT_END];
    uint64_t lsn[SCRIPT_END]; /* of those that are ok: others may have none */
    uint64_t cut;
};

static void put_next(struct script_run *run, struct journal *journal,
                     uint32_t number, uint32_t size)
{
    run->ok[number] = put(journal, number, size) == OK;
    run->lsn[number] = journal_last_lsn(journal);
}

/* 16 entries there before; then 32 more, with a cut on the way. False if the
 * journal did not come up. */
static bool run_script(struct script_run *run)
{
    struct journal *journal = open_journal(&faulty_io);
    struct sink sink;

    if (!journal)
        return false;
    seen = (struct seen){0};
    if (journal_start(journal, seen_sink(&seen)) != OK) {
        journal_close(journal);
        return false;
    }
    sink = journal_sink(journal);
    for (uint32_t i = 16; i < SCRIPT; i++) {
        put_next(run, journal, i, i % 5 * 900);
        if (i == 30) {
            uint64_t last =
                journal_last_lsn(journal); /* some may have failed */

            run->cut = last < SCRIPT_CUT ? last : SCRIPT_CUT;
            journal_truncate(journal, run->cut);
        }
    }
    if (faulty.fault != FAULT_POWER) { /* it works on */
        bool works = false;

        for (uint32_t i = SCRIPT; i < SCRIPT_END && !works; i++) {
            WAIT_FOR(sink.ready(sink.arg) == OK);
            put_next(run, journal, i, 100);
            works = run->ok[i];
        }
        CHECK(works);
    }
    journal_close(journal);
    return true;
}

/* Every entry that was OK and is not cut came back, once; others may have. */
static void compare(const struct script_run *run)
{
    uint32_t count[SCRIPT_END] = {0};

    for (uint32_t i = 0; i < again.count; i++)
        if (CHECK(again.number[i] < SCRIPT_END))
            count[again.number[i]]++;
    for (uint32_t i = 0; i < SCRIPT_END; i++) {
        CHECK(count[i] <= 1);
        CHECK(!run->ok[i] || run->lsn[i] <= run->cut || count[i] == 1);
    }
}

static void run_all_faults(enum fault fault)
{
    unsigned runs = 1; /* then as many as a run without a fault has calls */

    begin();
    for (unsigned n = 0; n <= runs; n++) {
        struct script_run run = {0};

        empty_dir(dir);
        write_entries(16, 500);
        for (uint32_t i = 0; i < 16; i++) {
            run.ok[i] = true;
            run.lsn[i] = i + 1;
        }
        faulty.fault = fault;
        faulty.at = n ? n : UINT32_MAX;
        faulty.calls = 0;
        run_script(&run);
        if (n == 0)
            runs = faulty.calls;
        for (; faulty.unsynced_count > 0; faulty.unsynced_count--)
            free(faulty.unsynced[faulty.unsynced_count - 1].was);
        reread(0);
        compare(&run);
        reread(0);
        compare(&run);
    }
    CHECK(runs > 60);
    end();
}

TEST(any_call_may_fail)
{
    run_all_faults(FAULT_FAIL);
}

TEST(any_write_may_be_short)
{
    run_all_faults(FAULT_SHORT);
}

TEST(any_write_may_be_torn)
{
    run_all_faults(FAULT_TORN);
}

TEST(power_may_fail_at_any_call)
{
    run_all_faults(FAULT_POWER);
}

/* A disk that stays full: logged once, refused before reading, and back by
 * itself when there is room, without a request that asks. */
TEST(recovers_by_itself)
{
    struct journal *journal;
    struct sink sink;
    uint64_t errors = stats_get(STATS_JOURNAL_ERRORS);

    begin();
    faulty.fault = FAULT_POWER;
    faulty.at = UINT32_MAX;
    faulty.calls = 0;
    journal = open_journal(&faulty_io);
    sink = journal_sink(journal);
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    CHECK_EQ(put(journal, 0, 10), OK);
    pthread_mutex_lock(&faulty.lock);
    faulty.at = 0;
    pthread_mutex_unlock(&faulty.lock);
    CHECK_EQ(put(journal, 1, 10), ERR_IO);
    WAIT_FOR(sink.ready(sink.arg) != OK);
    CHECK_EQ(sink.ready(sink.arg), ERR_IO);
    CHECK_EQ(put(journal, 2, 10), ERR_IO);
    CHECK_EQ(stats_get(STATS_JOURNAL_ERRORS), errors + 1);
    pthread_mutex_lock(&faulty.lock);
    faulty.at = UINT32_MAX;
    pthread_mutex_unlock(&faulty.lock);
    WAIT_FOR(sink.ready(sink.arg) == OK);
    CHECK_EQ(sink.ready(sink.arg), OK);
    CHECK_EQ(put(journal, 3, 10), OK);
    journal_close(journal);
    for (; faulty.unsynced_count > 0; faulty.unsynced_count--)
        free(faulty.unsynced[faulty.unsynced_count - 1].was);
    reread(0);
    CHECK_EQ(again.number[0], 0);
    CHECK_EQ(again.number[again.count - 1], 3);
    end();
}
