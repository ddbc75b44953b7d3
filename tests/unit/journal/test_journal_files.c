/*
 * What a start finds in the files of a journal: torn, damaged, missing and
 * foreign ones, and those of an earlier version.
 */
#include "journal_kit.h"

#include <libdeflate.h>

#include "journal_segment.h"

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

/* The files as they are; to be put back. */
struct image {
    char path[512];
    char *bytes;
    off_t size;
};

static struct image take_image(void)
{
    struct image image = {.size = 0};
    struct stat st;
    int fd;

    CHECK_EQ(files(".log", image.path), 1);
    fd = open(image.path, O_RDONLY);
    CHECK_EQ(fstat(fd, &st), 0);
    image.size = st.st_size;
    image.bytes = mem_alloc((size_t)st.st_size);
    CHECK_EQ(read(fd, image.bytes, (size_t)st.st_size), st.st_size);
    close(fd);
    return image;
}

static void put_image(const struct image *image, off_t size)
{
    int fd;

    empty_dir(dir);
    fd = open(image->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(write(fd, image->bytes, (size_t)size), size);
    close(fd);
}

TEST(torn_tail_at_every_length)
{
    enum { ENTRY = ENTRY_HEAD + 104 };
    struct image image;

    begin();
    write_entries(5, 100);
    image = take_image();
    CHECK_EQ(image.size, SEGMENT_HEAD + 5 * ENTRY);
    for (off_t size = image.size; size >= 0; size--)
        for (int zeros = 0; zeros < 2; zeros++) {
            uint32_t whole = size < SEGMENT_HEAD
                                 ? 0
                                 : (uint32_t)(size - SEGMENT_HEAD) / ENTRY;

            put_image(&image, size);
            if (zeros)
                CHECK_EQ(truncate(image.path, 8192), 0);
            reread(0);
            CHECK_EQ(again.count, whole);
            if (size > 0 && size < (zeros ? 28 : SEGMENT_HEAD)) {
                CHECK_EQ(files(".damaged", NULL), 1); /* half a head */
                continue;
            }
            reread(0); /* it was cut off, and stays so */
            CHECK_EQ(again.count, whole);
            CHECK_EQ(files(".damaged", NULL), 0);
        }
    free(image.bytes);
    end();
}

/* A damaged entry, and more behind it. */
static void append_bytes(const char *path, size_t len)
{
    char bytes[1000];
    FILE *file = fopen(path, "ab");

    memset(bytes, 0x5a, sizeof(bytes));
    memcpy(bytes, (char[]){64, 0, 0, 0}, 4);
    CHECK(file != NULL && fwrite(bytes, len, 1, file) == 1);
    CHECK(file != NULL && fclose(file) == 0);
}

TEST(damage_costs_the_entry_it_is_in)
{
    enum { ENTRY = ENTRY_HEAD + 1004 };
    uint64_t lost = stats_get(STATS_LOST_ENTRIES);
    struct journal *journal;
    char path[512];
    struct stat size;

    begin();
    write_entries(60, 1000); /* 4 files, 15 entries each */
    files(".log", path);
    change_byte(path, SEGMENT_HEAD + 3 * ENTRY + 500, 1);
    change_byte(path, SEGMENT_HEAD + 7 * ENTRY + 500, 1);
    change_byte(path, SEGMENT_HEAD + 8 * ENTRY + 1, 1); /* and its length */
    for (int i = 0; i < 2; i++) {                       /* it stays so */
        reread(0);
        CHECK_EQ(again.count, 60 - 3);
        CHECK_EQ(again.number[3], 4);
        CHECK_EQ(again.number[6], 9);
        CHECK_EQ(files(".damaged", path), 1);
        CHECK_EQ(stat(path, &size), 0);
        CHECK_EQ(size.st_size, 3 * ENTRY);
    }
    CHECK_EQ(stats_get(STATS_LOST_ENTRIES) - lost, 4); /* twice two places */
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_recovered(journal).damaged_after, 3);
    journal_close(journal);
    /* The truncated bytes are only in the copy; later starts leave it there. */
    files(".log", path);
    append_bytes(path, 400);
    for (int i = 0; i < 2; i++) {
        reread(0);
        files(".damaged", path);
        CHECK_EQ(stat(path, &size), 0);
        CHECK_EQ(size.st_size, 3 * ENTRY + 400);
    }
    end();
}

TEST(damage_in_the_last_segment_is_not_taken_for_a_torn_tail)
{
    enum { ENTRY = ENTRY_HEAD + 1004 };
    struct journal *journal;
    char path[512];

    begin();
    write_entries(10, 1000);
    files(".log", path);
    for (int i = 7; i < 10; i++)
        change_byte(path, SEGMENT_HEAD + i * ENTRY + 500, 1);
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

/* Bytes of a head cost nothing, all others the entry that they are in. */
TEST(any_changed_byte_costs_one_entry_at_most)
{
    enum { COUNT = 4, ENTRY = ENTRY_HEAD + 4 + 9 };
    struct image image;

    begin();
    log_set_level((enum log_level) - 1);
    write_entries(COUNT, 9);
    image = take_image();
    for (off_t n = 0; n < 2 * image.size; n++) {
        off_t at = n / 2;
        uint32_t in = (uint32_t)(at - SEGMENT_HEAD) / ENTRY;
        uint32_t lost = at >= SEGMENT_HEAD, number = 0;

        put_image(&image, image.size);
        change_byte(image.path, at, (char)(n % 2 ? 255 : 1 << at % 8));
        reread(0);
        if (!CHECK_EQ(again.count, COUNT - lost))
            break;
        for (uint32_t i = 0; i < again.count; i++, number++) {
            number += lost && number == in;
            CHECK_EQ(again.number[i], number);
        }
    }
    free(image.bytes);
    log_set_level(LOG_ERROR);
    end();
}

/* ---- bodies that look like entries ---- */

static void put_number(char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (char)(value >> (8 * i) & 0xff);
}

/* An entry as a sender could make it that knows everything but the id. */
static void forge(char *at, size_t len, uint64_t lsn, uint64_t id)
{
    memset(at, 0, len);
    put_number(at, len, 4);
    put_number(at + 8, lsn, 8);
    put_number(at + 28, id, 8);
    memcpy(at + ENTRY_HEAD, "FORGED", 6);
    put_number(at + 4, libdeflate_crc32(0, at + 8, len - 8), 4);
}

static enum status no_forged(void *arg, struct batch *batch)
{
    uint32_t *count = arg;

    CHECK(batch->body_len < 6 || memcmp(batch->body, "FORGED", 6) != 0);
    ++*count;
    batch_free(batch);
    return OK;
}

static void write_forged(void)
{
    enum { FAKE = ENTRY_HEAD + 20 };
    struct journal *journal = open_journal(&journal_io_system);
    struct sink sink = {drop_submit, seen_ready, &seen, NULL};

    CHECK_EQ(journal_start(journal, sink), OK);
    sink = journal_sink(journal);
    for (uint64_t lsn = 1; lsn <= 3; lsn++) {
        struct outcome outcome = {-1};
        char *body = mem_zero(3, FAKE);
        struct batch *batch = batch_new(SIGNAL_LOGS, body, 3 * FAKE, NULL);

        for (uint64_t i = 0; i < 3; i++) /* every lsn that it could have */
            forge(body + i * FAKE, FAKE, lsn + i,
                  i == 2 ? journal_id(journal) ^ 1 : 0);
        batch->done = outcome_set;
        batch->done_arg = &outcome;
        sink.submit(sink.arg, batch);
        CHECK_EQ(wait_for(&outcome), OK);
    }
    journal_close(journal);
}

TEST(bytes_of_a_body_are_never_taken_for_an_entry)
{
    struct image image;

    begin();
    log_set_level((enum log_level) - 1);
    write_forged();
    image = take_image();
    for (off_t at = SEGMENT_HEAD; at < image.size; at++)
        for (int by = 1; by < 256; by *= 4) {
            struct journal *journal;
            uint32_t count = 0;

            put_image(&image, image.size);
            change_byte(image.path, at, (char)by);
            journal = open_journal(&journal_io_system);
            CHECK_EQ(journal_replay(journal, 0, no_forged, &count), OK);
            CHECK_EQ(count, 2);
            journal_close(journal);
        }
    free(image.bytes);
    log_set_level(LOG_ERROR);
    end();
}

/* ---- lost entries ---- */

/* Some lsns belong to entries that were lost or never written: they are not
 * reused, and are not counted as entries even if the segment after them is
 * empty. */
TEST(lsns_that_no_entry_has_are_not_taken_for_entries)
{
    char path[512];

    begin();
    write_entries(2, 100);
    CHECK_EQ(files(".log", path), 1);
    append_bytes(path, 400);
    for (int start = 0; start < 4; start++) {
        struct journal *journal = open_journal(&journal_io_system);

        if (!CHECK(journal != NULL))
            return;
        CHECK_EQ(journal_recovered(journal).last_lsn, 2);
        CHECK(journal_last_lsn(journal) > 2);
        CHECK_EQ(journal_last_written_lsn(journal), 2);
        CHECK_EQ(journal_recovered(journal).after, start < 3 ? 0 : 2);
        CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
        if (start == 2)
            journal_truncate(journal, 2);
        journal_close(journal);
    }
    end();
}

TEST(a_missing_file_is_noticed)
{
    struct journal_recovered found;
    struct journal *journal;
    char path[512];

    begin();
    write_entries(60, 1000); /* 4 files, 15 entries each */
    journal = open_journal(&journal_io_system);
    found = journal_recovered(journal);
    CHECK(found.any && found.id != 0 && found.id == journal_id(journal));
    CHECK(found.after == 0 && found.last_lsn == 60);
    CHECK_EQ(found.damaged_after, UINT64_MAX);
    journal_close(journal);
    CHECK_EQ(files(".log", path), 4);
    CHECK_EQ(unlink(path), 0); /* the first: the store has to compare */
    journal = open_journal(&journal_io_system);
    found = journal_recovered(journal);
    CHECK(found.after == 15 && found.damaged_after == UINT64_MAX);
    journal_close(journal);
    snprintf(path, sizeof(path), "%s/journal-%016x.log", dir, 31);
    CHECK_EQ(unlink(path), 0);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_recovered(journal).damaged_after, 30);
    journal_close(journal);
    end();
}

TEST(a_journal_of_another_database_is_set_aside)
{
    struct journal *journal;
    uint64_t id;

    begin();
    write_entries(20, 1000);
    journal = open_journal(&journal_io_system);
    id = journal_id(journal);
    CHECK_EQ(journal_set_id(journal, id), OK);
    CHECK_EQ(journal_last_lsn(journal), 20);
    CHECK_EQ(journal_set_id(journal, id ^ 1), OK);
    CHECK(journal_last_lsn(journal) == 0 && journal_bytes(journal) == 0);
    CHECK(files(".log", NULL) == 0 && files(".foreign", NULL) == 2);
    replay(journal, 0, &again);
    CHECK_EQ(again.count, 0);
    journal_skip_lsns(journal, 700);
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    CHECK_EQ(put(journal, 5, 10), OK);
    journal_close(journal);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_id(journal), id ^ 1);
    CHECK_EQ(journal_recovered(journal).after, 700);
    /* One more, whose files have the same names, does not take their place. */
    CHECK_EQ(journal_set_id(journal, id ^ 2), OK);
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    journal_close(journal);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_set_id(journal, id ^ 4), OK);
    CHECK_EQ(files(".foreign", NULL), 3);
    CHECK_EQ(files(".foreign.2", NULL), 1);
    journal_close(journal);
    end();
}

/* ---- files of version 2 ---- */

TEST(a_journal_of_version_2_is_read)
{
    static const char hex[] =
        "43424a4f55524e4c0200000000000000070000000000000000000000"
        "00000000"
        "1e00000009d8b3d907000000000000000000000000000000010100007b7d";
    char bytes[64], path[512];
    uint32_t count = 0;
    struct journal *journal;
    int fd;

    begin();
    for (size_t i = 0; i < (sizeof(hex) - 1) / 2; i++) {
        unsigned byte;

        CHECK_EQ(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (char)byte;
    }
    put_number(bytes + 24, libdeflate_crc32(0, bytes, 24), 4);
    snprintf(path, sizeof(path), "%s/journal-%016x.log", dir, 7);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK_EQ(write(fd, bytes, 62), 62);
    close(fd);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_replay(journal, 0, no_forged, &count), OK);
    CHECK_EQ(count, 1);
    CHECK_EQ(journal_bytes(journal), 30);
    CHECK(journal_recovered(journal).id == 0 && journal_id(journal) != 0);
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    CHECK_EQ(put(journal, 9, 10), OK);
    journal_close(journal);
    journal = open_journal(&journal_io_system);
    count = 0;
    CHECK_EQ(journal_replay(journal, 0, no_forged, &count), OK);
    CHECK_EQ(count, 2);
    journal_close(journal);
    end();
}

/* ---- a file of version 3 ---- */

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char bytes[4096];
    size_t len;

    if (!CHECK(in && out))
        return;
    while ((len = fread(bytes, 1, sizeof(bytes), in)) > 0)
        CHECK_EQ(fwrite(bytes, 1, len, out), len);
    fclose(in);
    fclose(out);
}

static enum status check_version_3(void *arg, struct batch *batch)
{
    uint32_t number = number_of(batch);

    CHECK(batch->writer == NULL);
    CHECK_EQ(number, *(uint32_t *)arg);
    if (CHECK((batch->source != NULL) == (number % 2)) && batch->source) {
        CHECK(slice_equal(batch->source->topic, SLICE("otlp_logs")));
        CHECK_EQ(batch->source->offset, 40 + number);
    }
    ++*(uint32_t *)arg;
    batch_free(batch);
    return OK;
}

/* Written by the last build before writers, with the same numbered entries. */
TEST(a_journal_of_version_3_is_read)
{
    uint32_t count = 0;
    struct journal *journal;
    char path[512];

    begin();
    snprintf(path, sizeof(path), "%s/journal-%016x.log", dir, 1);
    copy_file("tests/golden/journals/version-3.log", path);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_replay(journal, 0, check_version_3, &count), OK);
    CHECK_EQ(count, 5);
    CHECK_EQ(journal_recovered(journal).damaged_after, UINT64_MAX);
    seen = (struct seen){0};
    CHECK_EQ(journal_start(journal, seen_sink(&seen)), OK);
    CHECK_EQ(put(journal, 5, 10), OK);
    journal_close(journal);
    reread(0);
    CHECK_EQ(again.count, 6);
    end();
}

/* ---- writers ---- */

static struct writer *writer_of_number(uint32_t number)
{
    static char name[WRITER_MAX_NAME];
    const struct writer_scope any = {.name = {{NULL, 0}}};
    static struct writer_scope scopes[10];

    if (number % 4 == 0)
        return NULL;
    if (number % 4 == 1)
        return writer_new(SLICE("acme"), true, &any, 1);
    memset(name, 'a' + (int)(number % 26), sizeof(name));
    for (int i = 0; i < 10; i++)
        scopes[i].name[0] = (struct slice){name, sizeof(name)};
    return writer_new((struct slice){name, number}, false, scopes, number % 10);
}

static enum status check_writer(void *arg, struct batch *batch)
{
    struct writer *writer = writer_of_number(number_of(batch));

    CHECK(slice_equal(writer_bytes(batch->writer), writer_bytes(writer)));
    CHECK(slice_equal(writer_tenant(batch->writer), writer_tenant(writer)));
    CHECK(!writer || batch->writer->override == writer->override);
    ++*(uint32_t *)arg;
    writer_free(writer);
    batch_free(batch);
    return OK;
}

TEST(the_writer_goes_with_the_entry)
{
    const struct source_offset source = {.topic = SLICE("t"), .epoch = 1};
    struct journal *journal;
    struct sink sink;
    uint32_t count = 0;

    begin();
    journal = open_journal(&journal_io_system);
    sink = journal_sink(journal);
    CHECK_EQ(journal_start(journal, (struct sink){.submit = drop_submit,
                                                  .ready = seen_ready,
                                                  .arg = &seen}),
             OK);
    for (uint32_t i = 0; i < 60; i++) {
        struct batch *batch = numbered(i, i);
        struct outcome outcome = {-1};

        batch->writer = writer_of_number(i);
        if (i % 3 == 0)
            batch_set_source_offset(batch, &source);
        batch->done = outcome_set;
        batch->done_arg = &outcome;
        sink.submit(sink.arg, batch);
        WAIT_FOR(atomic_load(&outcome.status) >= 0);
        CHECK_EQ(outcome.status, OK);
    }
    journal_close(journal);
    journal = open_journal(&journal_io_system);
    CHECK_EQ(journal_replay(journal, 0, check_writer, &count), OK);
    CHECK_EQ(count, 60);
    journal_close(journal);
    end();
}

/* The head of a newer one: its first 32 bytes stay as they are. */
static void set_version(const char *path, unsigned version)
{
    char head[32];
    int fd = open(path, O_RDWR);

    CHECK_EQ(pread(fd, head, 32, 0), 32);
    put_number(head + 8, version, 4);
    put_number(head + 24, libdeflate_crc32(0, head, 24), 4);
    CHECK_EQ(pwrite(fd, head, 32, 0), 32);
    close(fd);
}

TEST(newer_version_is_left_alone)
{
    struct journal_options options = {.dir = dir, .max_bytes = MAX};
    struct journal *journal = NULL;
    char path[512];

    begin();
    write_entries(3, 100);
    files(".log", path);
    set_version(path, SEGMENT_VERSION + 1);
    CHECK_EQ(journal_open(&journal, &options), ERR_UNSUPPORTED);
    set_version(path, SEGMENT_VERSION);
    reread(0);
    CHECK_EQ(again.count, 3);
    end();
}
