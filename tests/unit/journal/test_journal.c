/* Written entries are replayed, even if the files are damaged from outside. */
#include "journal_kit.h"

#include <libdeflate.h>

#include "journal_segment.h"

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
    CHECK_EQ(journal_start(journal,
                           (struct sink){drop_submit, seen_ready, &seen, NULL}),
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

TEST(truncation_deletes_files_but_never_the_last)
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
    CHECK_EQ(full, 60 * (1000 + 4 + ENTRY_HEAD));
    CHECK_EQ(stats_get(STATS_JOURNAL_BYTES), full);
    journal_truncate(journal, 5); /* within the first file */
    CHECK_EQ(files(".log", NULL), 4);
    journal_truncate(journal, 20);
    CHECK_EQ(files(".log", NULL), 3);
    CHECK(journal_bytes(journal) < full);
    journal_truncate(journal, 60);
    CHECK_EQ(files(".log", NULL), 1);
    CHECK_EQ(journal_bytes(journal), 0);
    journal_truncate(journal, 3);         /* backwards is nothing */
    CHECK_EQ(put(journal, 60, 1000), OK); /* in a new file, the old one goes */
    CHECK_EQ(files(".log", NULL), 1);
    CHECK_EQ(journal_bytes(journal), 1000 + 4 + ENTRY_HEAD);
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
    journal_truncate(cut_meanwhile, batch->lsn);
    return seen_replay(arg, batch);
}

TEST(truncation_during_replay_loses_nothing)
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

TEST(lsns_continue_after_everything_is_truncated)
{
    struct journal *journal;

    begin();
    write_entries(10, 100);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    journal_truncate(journal, 10);
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
    journal_skip_lsns(journal, 5);
    CHECK_EQ(journal_last_lsn(journal), 10);
    journal_skip_lsns(journal, 5000);
    CHECK_EQ(journal_last_lsn(journal), 5000);
    journal_close(journal);
    end();
}

/* After a clean stop there is nothing to read, and nothing to carry about. */
TEST(closing_leaves_an_empty_journal)
{
    struct journal *journal;
    struct stat st;
    char path[512];

    begin();
    journal = open_journal(&journal_io_system);
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    for (uint32_t i = 0; i < 10; i++)
        CHECK_EQ(put(journal, i, 100), OK);
    journal_stop(journal);
    journal_truncate(journal, 10); /* the store commits last of all */
    journal_close(journal);
    CHECK_EQ(files(".log", path), 1);
    CHECK_EQ(stat(path, &st), 0);
    CHECK(st.st_size > 0 && st.st_size <= 64);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_last_lsn(journal), 10);
    journal_close(journal);

    write_entries(11, 100); /* what is not cut stays */
    journal = open_journal(&journal_io_system);
    journal_truncate(journal, 20);
    journal_close(journal);
    reread(20);
    CHECK_EQ(again.count, 1);
    end();
}

TEST(a_full_journal_is_busy_until_truncated)
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
    journal_truncate(journal, journal_last_lsn(journal));
    CHECK_EQ(sink.ready(sink.arg), OK);
    CHECK_EQ(put(journal, i, 2 * MAX), OK); /* larger than all: alone */
    CHECK_EQ(sink.ready(sink.arg), ERR_BUSY);
    journal_truncate(journal, journal_last_lsn(journal));
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
    journal_truncate(journal, 0);
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
                journal_truncate(journal, i); /* all but the newest */
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
        journal_truncate(journal, journal_last_lsn(journal) / 2);
        test_pause_us(500);
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
