#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "journal_io.h"
#include "log.h"
#include "mem.h"
#include "stats.h"
#include "test.h"

enum { SEGMENT = 16 * 1024, MAX = 8 * SEGMENT };

/* ---- a folder per test ---- */

static char dir[64];

static void empty_dir(const char *path)
{
    DIR *list = opendir(path);
    struct dirent *file;

    while (list && (file = readdir(list)) != NULL)
        if (file->d_name[0] != '.')
            (void)unlinkat(dirfd(list), file->d_name, 0);
    if (list)
        closedir(list);
}

static void begin(void)
{
    log_set_level(LOG_ERROR);
    snprintf(dir, sizeof(dir), "/tmp/test_journal.XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
}

static void end(void)
{
    empty_dir(dir);
    CHECK_EQ(rmdir(dir), 0);
}

/* The files whose name ends so; the first one's path in path. */
static int files(const char *suffix, char path[512])
{
    DIR *list = opendir(dir);
    struct dirent *file;
    char first[256] = "~";
    int count = 0;

    while ((file = readdir(list)) != NULL) {
        size_t len = strlen(file->d_name);

        if (len < strlen(suffix) ||
            strcmp(file->d_name + len - strlen(suffix), suffix) != 0)
            continue;
        count++;
        if (strcmp(file->d_name, first) < 0)
            snprintf(first, sizeof(first), "%s", file->d_name);
    }
    closedir(list);
    if (path)
        snprintf(path, 512, "%s/%s", dir, first);
    return count;
}

/* ---- batches with a number in their body ---- */

struct outcome {
    atomic_int status; /* -1: not done yet */
};

static void outcome_set(void *arg, enum status status)
{
    atomic_store(&((struct outcome *)arg)->status, (int)status);
}

static struct batch *numbered(uint32_t number, size_t len)
{
    char *body = mem_alloc(len + 4);
    struct batch *batch;

    for (size_t i = 0; i < len; i++)
        body[i + 4] = (char)(number * 31 + i * 7);
    memcpy(body, &number, 4);
    batch =
        batch_new((enum signal)(number % SIGNAL_COUNT), body, len + 4, NULL);
    batch->encoding = (enum batch_encoding)(number % 2);
    batch->received_ns = UINT64_C(1700000000) * NS_PER_S + number;
    return batch;
}

/* The number, having checked that all of it came back as it was. */
static uint32_t number_of(const struct batch *batch)
{
    uint32_t number = 0;
    bool same = true;

    if (!CHECK(batch->body_len >= 4))
        return 0;
    memcpy(&number, batch->body, 4);
    for (size_t i = 0; i < batch->body_len - 4; i++)
        same &= batch->body[i + 4] == (char)(number * 31 + i * 7);
    CHECK(same);
    CHECK_EQ(batch->signal, number % SIGNAL_COUNT);
    CHECK_EQ(batch->encoding, number % 2);
    CHECK_EQ(batch->received_ns, UINT64_C(1700000000) * NS_PER_S + number);
    return number;
}

/* ---- what the journal hands on, and what it replays ---- */

enum { MANY = 4096 };

struct seen {
    uint32_t count;
    uint32_t number[MANY];
    uint64_t lsn[MANY];
    enum status ready;
    bool slow;
};

static void seen_add(struct seen *seen, const struct batch *batch)
{
    if (seen->count > 0)
        CHECK(batch->lsn > seen->lsn[seen->count - 1]);
    seen->number[seen->count] = number_of(batch);
    seen->lsn[seen->count++] = batch->lsn;
}

static void seen_submit(void *arg, struct batch *batch)
{
    struct seen *seen = arg;

    if (seen->slow)
        usleep(2000);
    seen_add(seen, batch);
    batch_done(batch, OK);
    batch_free(batch);
}

static enum status seen_ready(void *arg)
{
    return ((struct seen *)arg)->ready;
}

static struct sink seen_sink(struct seen *seen)
{
    return (struct sink){seen_submit, seen_ready, seen};
}

static enum status seen_replay(void *arg, struct batch *batch)
{
    seen_add(arg, batch);
    batch_free(batch);
    return OK;
}

static struct journal *open_journal(const struct journal_io *io)
{
    struct journal_options options = {
        .dir = dir, .max_bytes = MAX, .segment_bytes = SEGMENT};
    struct journal *journal = NULL;

    return journal_open_io(&journal, &options, io) == OK ? journal : NULL;
}

static enum status wait_for(struct outcome *outcome)
{
    for (int i = 0; i < 20000 && atomic_load(&outcome->status) < 0; i++)
        usleep(i < 100 ? 20 : 500);
    return (enum status)atomic_load(&outcome->status);
}

static enum status put(struct journal *journal, uint32_t number, size_t len)
{
    struct outcome outcome = {-1};
    struct batch *batch = numbered(number, len);
    struct sink sink = journal_sink(journal);

    batch->done = outcome_set;
    batch->done_arg = &outcome;
    sink.submit(sink.arg, batch);
    return wait_for(&outcome);
}

static void replay(struct journal *journal, uint64_t after, struct seen *seen)
{
    *seen = (struct seen){0};
    CHECK_EQ(journal_replay(journal, after, seen_replay, seen), OK);
}

static struct seen seen, again; /* too large for the stack */

/* Reads back what is in the folder. */
static void reread(uint64_t after)
{
    struct journal *journal = open_journal(&journal_io_system);

    if (CHECK(journal != NULL))
        replay(journal, after, &again);
    journal_close(journal);
}

/* A journal with `count` entries of `len` bytes, numbered from 0, closed. */
static void write_entries(uint32_t count, size_t len)
{
    struct journal *journal = open_journal(&journal_io_system);

    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(put(journal, i, len), OK);
    journal_close(journal);
    CHECK_EQ(seen.count, count);
}

TEST(hands_on_in_order_and_replays_the_same)
{
    struct journal *journal;

    begin();
    write_entries(100, 700);
    CHECK(files(".log", NULL) > 3);
    reread(0);
    CHECK_EQ(again.count, 100);
    for (uint32_t i = 0; i < again.count; i++) {
        CHECK_EQ(again.number[i], i);
        CHECK_EQ(again.lsn[i], i + 1);
    }
    reread(60);
    CHECK_EQ(again.count, 40);
    CHECK_EQ(again.lsn[0], 61);

    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_last_lsn(journal), 100);
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    CHECK_EQ(put(journal, 100, 0), OK);
    CHECK_EQ(journal_last_lsn(journal), 101);
    journal_close(journal);
    reread(0);
    CHECK_EQ(again.count, 101);
    end();
}

TEST(sizes_round_every_border)
{
    static const size_t sizes[] = {0,    1,     3,       4060,    4095,
                                   4096, 4097,  SEGMENT, SEGMENT, 300000,
                                   12,   70000, 1 << 20, 2500000, 5};
    struct journal_options options = {
        .dir = dir, .max_bytes = 64 << 20, .segment_bytes = 1 << 20};
    struct journal *journal;

    begin();
    CHECK_EQ(journal_open(&journal, &options), OK);
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        CHECK_EQ(put(journal, i, sizes[i]), OK);
    journal_close(journal);
    reread(0);
    CHECK_EQ(again.count, sizeof(sizes) / sizeof(*sizes));
    for (uint32_t i = 0; i < again.count; i++)
        CHECK_EQ(again.number[i], i);
    end();
}

static void drop_submit(void *arg, struct batch *batch)
{
    (void)arg;
    batch_done(batch, OK);
    batch_free(batch);
}

static enum status count_replayed(void *arg, struct batch *batch)
{
    ++*(uint32_t *)arg;
    CHECK_EQ(batch->body_len, 0);
    batch_free(batch);
    return OK;
}

/* Of a message without records only its place is kept. */
TEST(an_entry_may_have_no_body)
{
    struct journal *journal;
    uint32_t count = 0;

    begin();
    journal = open_journal(&journal_io_system);
    CHECK_EQ(
        journal_start(journal, (struct sink){drop_submit, seen_ready, &seen}),
        OK);
    for (int i = 0; i < 3; i++) {
        struct outcome outcome = {-1};
        struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
        struct sink sink = journal_sink(journal);

        batch->done = outcome_set;
        batch->done_arg = &outcome;
        sink.submit(sink.arg, batch);
        CHECK_EQ(wait_for(&outcome), OK);
    }
    journal_close(journal);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_replay(journal, 0, count_replayed, &count), OK);
    CHECK_EQ(count, 3);
    journal_close(journal);
    CHECK_EQ(files(".damaged", NULL), 0);
    end();
}

TEST(many_share_a_sync)
{
    struct journal *journal;
    struct sink sink;
    struct outcome outcome[64];
    uint64_t syncs = stats_get(STATS_JOURNAL_SYNCS);
    uint64_t entries = stats_get(STATS_JOURNAL_ENTRIES);

    begin();
    journal = open_journal(&journal_io_system);
    sink = journal_sink(journal);
    for (uint32_t i = 0; i < 64; i++) { /* they wait for the start */
        struct batch *batch = numbered(i, 10);

        atomic_init(&outcome[i].status, -1);
        batch->done = outcome_set;
        batch->done_arg = &outcome[i];
        sink.submit(sink.arg, batch);
    }
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    for (uint32_t i = 0; i < 64; i++)
        CHECK_EQ(wait_for(&outcome[i]), OK);
    journal_close(journal);
    CHECK_EQ(stats_get(STATS_JOURNAL_ENTRIES) - entries, 64);
    CHECK_EQ(stats_get(STATS_JOURNAL_SYNCS) - syncs, 1);
    end();
}

TEST(cut_frees_files_but_never_the_last)
{
    struct journal *journal;
    uint64_t full;

    begin();
    journal = open_journal(&journal_io_system);
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    for (uint32_t i = 0; i < 60; i++)
        CHECK_EQ(put(journal, i, 1000), OK);
    CHECK_EQ(files(".log", NULL), 4);
    full = journal_bytes(journal);
    CHECK_EQ(full, 60 * (1000 + 4 + 28));
    CHECK_EQ(stats_get(STATS_JOURNAL_BYTES), full);
    journal_cut(journal, 5); /* within the first file */
    CHECK_EQ(files(".log", NULL), 4);
    journal_cut(journal, 20);
    CHECK_EQ(files(".log", NULL), 3);
    CHECK(journal_bytes(journal) < full);
    journal_cut(journal, 60);
    CHECK_EQ(files(".log", NULL), 1);
    CHECK_EQ(journal_bytes(journal), 0);
    journal_cut(journal, 3);              /* backwards is nothing */
    CHECK_EQ(put(journal, 60, 1000), OK); /* in a new file, the old one goes */
    CHECK_EQ(files(".log", NULL), 1);
    CHECK_EQ(journal_bytes(journal), 1000 + 4 + 28);
    journal_close(journal);
    reread(0);
    CHECK_EQ(again.count, 1);
    CHECK_EQ(again.lsn[0], 61);
    end();
}

/* What was read back is committed, and cut, before the rest is read. */
static struct journal *cut_meanwhile;

static enum status seen_and_cut(void *arg, struct batch *batch)
{
    journal_cut(cut_meanwhile, batch->lsn);
    return seen_replay(arg, batch);
}

TEST(cutting_while_it_is_read_back_loses_nothing)
{
    begin();
    write_entries(60, 1000);
    cut_meanwhile = open_journal(&journal_io_system);
    CHECK_EQ(files(".log", NULL), 4);
    again = (struct seen){0};
    CHECK_EQ(journal_replay(cut_meanwhile, 0, seen_and_cut, &again), OK);
    CHECK_EQ(again.count, 60);
    CHECK_EQ(files(".log", NULL), 1); /* now they may go */
    CHECK_EQ(journal_bytes(cut_meanwhile), 0);
    journal_close(cut_meanwhile);
    end();
}

TEST(lsns_go_on_when_all_is_cut)
{
    struct journal *journal;

    begin();
    write_entries(10, 100);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    journal_cut(journal, 10);
    journal_close(journal);
    CHECK_EQ(files(".log", NULL), 1);
    for (int i = 0; i < 3; i++) { /* empty files do not pile up */
        journal = open_journal(&journal_io_system);
        CHECK_EQ(journal_last_lsn(journal), 10);
        CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
        journal_close(journal);
        CHECK_EQ(files(".log", NULL), 1);
    }
    journal = open_journal(&journal_io_system);
    journal_skip(journal, 5);
    CHECK_EQ(journal_last_lsn(journal), 10);
    journal_skip(journal, 5000);
    CHECK_EQ(journal_last_lsn(journal), 5000);
    journal_close(journal);
    end();
}

TEST(full_is_busy_until_cut)
{
    struct journal *journal;
    struct sink sink;
    uint32_t i = 0;

    begin();
    journal = open_journal(&journal_io_system);
    sink = journal_sink(journal);
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    while (i < 1000 && put(journal, i, 2000) == OK)
        i++;
    CHECK(i > 50 && i * 2032 <= MAX);
    CHECK_EQ(put(journal, i, 2000), ERR_BUSY);
    while (i < 1000 && put(journal, i, 1) == OK)
        i++;
    CHECK_EQ(put(journal, i, 1), ERR_BUSY);
    CHECK(journal_bytes(journal) > MAX - 64);
    journal_cut(journal, journal_last_lsn(journal));
    CHECK_EQ(sink.ready(sink.arg), OK);
    CHECK_EQ(put(journal, i, 2 * MAX), OK); /* larger than all: alone */
    CHECK_EQ(sink.ready(sink.arg), ERR_BUSY);
    journal_cut(journal, journal_last_lsn(journal));
    seen.ready = ERR_IO; /* the next one's trouble is ours */
    CHECK_EQ(sink.ready(sink.arg), ERR_IO);
    journal_close(journal);
    end();
}

TEST(close_writes_what_was_submitted)
{
    struct journal *journal;
    struct sink sink;
    struct outcome outcome[32];

    begin();
    journal = open_journal(&journal_io_system);
    sink = journal_sink(journal);
    seen = (struct seen){.slow = true};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    for (uint32_t i = 0; i < 32; i++) {
        struct batch *batch = numbered(i, 100);

        atomic_init(&outcome[i].status, -1);
        batch->done = outcome_set;
        batch->done_arg = &outcome[i];
        sink.submit(sink.arg, batch);
    }
    journal_stop(journal);
    for (uint32_t i = 0; i < 32; i++)
        CHECK_EQ(atomic_load(&outcome[i].status), OK);
    CHECK_EQ(sink.ready(sink.arg), ERR_STOPPING);
    CHECK_EQ(put(journal, 32, 1), ERR_STOPPING);
    journal_cut(journal, 0);
    journal_stop(journal);
    journal_close(journal);
    journal_stop(NULL);
    journal_close(NULL);
    reread(0);
    CHECK_EQ(again.count, 32);

    journal = open_journal(&journal_io_system); /* never started */
    sink = journal_sink(journal);
    struct outcome last = {-1};
    struct batch *batch = numbered(1, 1);
    batch->done = outcome_set;
    batch->done_arg = &last;
    sink.submit(sink.arg, batch);
    journal_close(journal);
    CHECK_EQ(atomic_load(&last.status), ERR_STOPPING);
    end();
}

TEST(one_process_at_a_time)
{
    struct journal_options options = {.dir = dir, .max_bytes = MAX};
    struct journal *journal, *second = NULL;

    begin();
    journal = open_journal(&journal_io_system);
    log_set_level(LOG_ERROR);
    CHECK_EQ(journal_open(&second, &options), ERR_IN_USE);
    CHECK(second == NULL);
    journal_close(journal);
    CHECK_EQ(journal_open(&second, &options), OK);
    journal_close(second);
    end();
}

/* ---- what outsiders do to the files ---- */

static void change_byte(const char *path, off_t at, char by)
{
    int fd = open(path, O_RDWR);
    char byte = 0;

    CHECK(fd >= 0);
    CHECK_EQ(pread(fd, &byte, 1, at), 1);
    byte = (char)(byte ^ by);
    CHECK_EQ(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

TEST(torn_tail_at_every_length)
{
    char path[512], copy[4096];
    struct stat was;
    int fd;

    begin();
    write_entries(5, 100);
    CHECK_EQ(files(".log", path), 1);
    CHECK_EQ(stat(path, &was), 0);
    CHECK_EQ(was.st_size, 32 + 5 * 132);
    fd = open(path, O_RDONLY);
    CHECK_EQ(read(fd, copy, sizeof(copy)), was.st_size);
    close(fd);
    for (off_t size = was.st_size; size >= 0; size--)
        for (int zeros = 0; zeros < 2; zeros++) {
            uint32_t whole = size < 32 ? 0 : (uint32_t)(size - 32) / 132;

            fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
            CHECK_EQ(write(fd, copy, (size_t)size), size);
            if (zeros)
                CHECK_EQ(ftruncate(fd, 8192), 0);
            close(fd);
            if (size > 0 && size < (zeros ? 28 : 32)) { /* half a head */
                reread(0);
                CHECK_EQ(again.count, 0);
                CHECK_EQ(files(".damaged", NULL), 1);
                empty_dir(dir);
                continue;
            }
            reread(0);
            CHECK_EQ(again.count, whole);
            reread(0); /* it was cut off, and stays so */
            CHECK_EQ(again.count, whole);
            CHECK_EQ(files(".damaged", NULL), 0);
        }
    end();
}

TEST(damage_is_moved_aside)
{
    char path[512];
    struct stat size;

    begin();
    write_entries(60, 1000); /* 4 files, 15 entries each */
    files(".log", path);
    change_byte(path, 32 + 7 * 1032 + 500, 1);
    reread(0);
    CHECK_EQ(again.count, 60 - 8);
    CHECK_EQ(again.number[6], 6);
    CHECK_EQ(again.number[7], 15);
    CHECK_EQ(files(".damaged", path), 1);
    CHECK_EQ(stat(path, &size), 0);
    CHECK_EQ(size.st_size, 8 * 1032);
    reread(0);
    CHECK_EQ(again.count, 60 - 8);
    end();
}

TEST(damage_in_the_last_segment_is_not_taken_for_a_torn_tail)
{
    struct journal *journal;
    char path[512];

    begin();
    write_entries(10, 1000);
    files(".log", path);
    change_byte(path, 32 + 7 * 1032 + 500, 1);
    journal = open_journal(&journal_io_system);
    CHECK(journal_last_lsn(journal) >= 10); /* what was lost is not reused */
    replay(journal, 0, &again);
    CHECK_EQ(again.count, 7);
    CHECK_EQ(files(".damaged", NULL), 1);
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    CHECK_EQ(put(journal, 99, 10), OK);
    journal_close(journal);
    reread(0);
    CHECK_EQ(again.count, 8);
    CHECK_EQ(again.number[7], 99);
    end();
}

TEST(every_changed_byte_is_found)
{
    char path[512];

    begin();
    for (off_t at = 32; at < 32 + 3 * 32; at++) {
        empty_dir(dir);
        write_entries(3, 0); /* 32 bytes each */
        files(".log", path);
        change_byte(path, at, (char)(1 << (at % 8)));
        reread(0);
        CHECK_EQ(again.count, (at - 32) / 32);
    }
    end();
}

TEST(newer_version_is_left_alone)
{
    struct journal_options options = {.dir = dir, .max_bytes = MAX};
    struct journal *journal = NULL;
    char path[512];

    begin();
    write_entries(3, 100);
    files(".log", path);
    change_byte(path, 8, 1);
    CHECK_EQ(journal_open(&journal, &options), ERR_UNSUPPORTED);
    change_byte(path, 8, 1);
    reread(0);
    CHECK_EQ(again.count, 3);
    end();
}

TEST(kill_nine_loses_nothing_acknowledged)
{
    begin();
    for (int round = 0; round < 5; round++) {
        uint32_t acknowledged = 0, number;
        int pipes[2];
        pid_t child;

        empty_dir(dir);
        CHECK_EQ(pipe(pipes), 0);
        child = fork();
        if (child == 0) {
            struct journal *journal = open_journal(&journal_io_system);

            seen = (struct seen){0};
            if (journal_start(journal, seen_sink(&seen)) != OK)
                _exit(1);
            for (uint32_t i = 0; i < MANY; i++) {
                if (put(journal, i, 3000) != OK ||
                    write(pipes[1], &i, sizeof(i)) != sizeof(i))
                    _exit(1);
                journal_cut(journal, i); /* all but the newest */
            }
            _exit(0);
        }
        close(pipes[1]);
        for (uint32_t n = 20 + test_random(200); acknowledged < n;
             ++acknowledged)
            if (read(pipes[0], &number, sizeof(number)) != sizeof(number))
                break;
        kill(child, SIGKILL);
        while (read(pipes[0], &number, sizeof(number)) == sizeof(number))
            acknowledged++;
        waitpid(child, NULL, 0);
        close(pipes[0]);
        reread(acknowledged - 1);
        if (CHECK(again.count > 0))
            CHECK_EQ(again.number[0], acknowledged - 1);
    }
    end();
}

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
    uint64_t cut;
};

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
        run->ok[i] = put(journal, i, i % 5 * 900) == OK;
        if (i == 30) {
            run->cut = SCRIPT_CUT;
            journal_cut(journal, run->cut);
        }
    }
    if (faulty.fault != FAULT_POWER) { /* it works on */
        bool works = false;

        for (uint32_t i = SCRIPT; i < SCRIPT_END && !works; i++) {
            for (int j = 0; j < 5000 && sink.ready(sink.arg) != OK; j++)
                usleep(100);
            works = run->ok[i] = put(journal, i, 100) == OK;
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
    for (uint32_t i = run->cut ? SCRIPT_CUT : 0; i < SCRIPT_END; i++) {
        CHECK(count[i] <= 1);
        CHECK(!run->ok[i] || count[i] == 1);
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
        for (uint32_t i = 0; i < 16; i++)
            run.ok[i] = true;
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

/* A disk that stays full: said once, refused before reading, and back by
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
    for (int i = 0; i < 1000 && sink.ready(sink.arg) == OK; i++)
        usleep(100);
    CHECK_EQ(sink.ready(sink.arg), ERR_IO);
    CHECK_EQ(put(journal, 2, 10), ERR_IO);
    CHECK_EQ(stats_get(STATS_JOURNAL_ERRORS), errors + 1);
    pthread_mutex_lock(&faulty.lock);
    faulty.at = UINT32_MAX;
    pthread_mutex_unlock(&faulty.lock);
    for (int i = 0; i < 5000 && sink.ready(sink.arg) != OK; i++)
        usleep(100);
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

/* Four threads submit while the store cuts. */
static void *submitter(void *arg)
{
    static atomic_uint number;
    uint32_t ok = 0;

    for (int i = 0; i < 200; i++)
        ok += put(arg, atomic_fetch_add(&number, 1), 200) == OK;
    return (void *)(uintptr_t)ok;
}

TEST(threads)
{
    struct journal *journal;
    pthread_t threads[4];
    uintptr_t total = 0;

    begin();
    journal = open_journal(&journal_io_system);
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, submitter, journal), 0);
    for (int i = 0; i < 100; i++) {
        journal_cut(journal, journal_last_lsn(journal) / 2);
        usleep(500);
    }
    for (int i = 0; i < 4; i++) {
        void *ok;

        pthread_join(threads[i], &ok);
        total += (uintptr_t)ok;
    }
    journal_close(journal);
    CHECK(total > 0);
    CHECK_EQ(seen.count, total);
    end();
}
