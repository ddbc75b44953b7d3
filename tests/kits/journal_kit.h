/*
 * journal_kit - a journal in a folder of its own, batches with a number in
 * their body, and a sink that notes what it was handed.
 */
#ifndef JOURNAL_KIT_H
#define JOURNAL_KIT_H

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

static inline void empty_dir(const char *path)
{
    DIR *list = opendir(path);
    struct dirent *file;

    while (list && (file = readdir(list)) != NULL)
        if (file->d_name[0] != '.')
            (void)unlinkat(dirfd(list), file->d_name, 0);
    if (list)
        closedir(list);
}

static inline void begin(void)
{
    log_set_level(LOG_ERROR);
    snprintf(dir, sizeof(dir), "/tmp/test_journal.XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
}

static inline void end(void)
{
    empty_dir(dir);
    CHECK_EQ(rmdir(dir), 0);
}

/* The files whose name ends so; the first one's path in path. */
static inline int files(const char *suffix, char path[512])
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

static inline void outcome_set(void *arg, enum status status)
{
    atomic_store(&((struct outcome *)arg)->status, (int)status);
}

static inline struct batch *numbered(uint32_t number, size_t len)
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
static inline uint32_t number_of(const struct batch *batch)
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

static inline void seen_add(struct seen *seen, const struct batch *batch)
{
    if (seen->count > 0)
        CHECK(batch->lsn > seen->lsn[seen->count - 1]);
    seen->number[seen->count] = number_of(batch);
    seen->lsn[seen->count++] = batch->lsn;
}

static inline void seen_submit(void *arg, struct batch *batch)
{
    struct seen *seen = arg;

    if (seen->slow)
        test_pause_us(2000);
    seen_add(seen, batch);
    batch_done(batch, OK);
    batch_free(batch);
}

static inline enum status seen_ready(void *arg)
{
    return ((struct seen *)arg)->ready;
}

static inline struct sink seen_sink(struct seen *seen)
{
    return (struct sink){seen_submit, seen_ready, seen, NULL};
}

static inline enum status seen_replay(void *arg, struct batch *batch)
{
    seen_add(arg, batch);
    batch_free(batch);
    return OK;
}

static inline struct journal *open_journal(const struct journal_io *io)
{
    struct journal_options options = {
        .dir = dir, .max_bytes = MAX, .segment_bytes = SEGMENT};
    struct journal *journal = NULL;

    return journal_open_io(&journal, &options, io) == OK ? journal : NULL;
}

static inline enum status wait_for(struct outcome *outcome)
{
    WAIT_FOR(atomic_load(&outcome->status) >= 0);
    return (enum status)atomic_load(&outcome->status);
}

static inline enum status put(struct journal *journal, uint32_t number,
                              size_t len)
{
    struct outcome outcome = {-1};
    struct batch *batch = numbered(number, len);
    struct sink sink = journal_sink(journal);

    batch->done = outcome_set;
    batch->done_arg = &outcome;
    sink.submit(sink.arg, batch);
    return wait_for(&outcome);
}

static inline void replay(struct journal *journal, uint64_t after,
                          struct seen *seen)
{
    *seen = (struct seen){0};
    CHECK_EQ(journal_replay(journal, after, seen_replay, seen), OK);
}

static struct seen seen, again; /* too large for the stack */

/* Reads back what is in the folder. */
static inline void reread(uint64_t after)
{
    struct journal *journal = open_journal(&journal_io_system);

    if (CHECK(journal != NULL))
        replay(journal, after, &again);
    journal_close(journal);
}

/* A journal with `count` entries of `len` bytes, numbered from 0, closed. */
static inline void write_entries(uint32_t count, size_t len)
{
    struct journal *journal = open_journal(&journal_io_system);

    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(put(journal, i, len), OK);
    journal_close(journal);
    CHECK_EQ(seen.count, count);
}

/* Acknowledges and forgets. */
static inline void drop_submit(void *arg, struct batch *batch)
{
    (void)arg;
    batch_done(batch, OK);
    batch_free(batch);
}

#endif
