#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "clock.h"
#include "repair.h"
#include "stats.h"
#include "store_help.h"

/* A small database with every kind of page: blocks of different sizes, points
 * of two streams, resources with large attributes, a long text. */
enum {
    PAGE = 16384,
    BLOCKS = 40,
    ROWS = 20,
    RESOURCES = 60,
    CHUNKS = 30,
    TEXT = 100000
};

static struct batch *logs_batch(uint64_t lsn)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
    struct arena *arena = &batch->arena;
    size_t len = lsn % 4 == 0 ? 2000 : 300; /* some have overflow pages */

    batch->lsn = lsn;
    batch->count = ROWS;
    batch->logs = arena_zero(arena, ROWS, sizeof(struct log_record));
    for (uint32_t i = 0; i < ROWS; i++) {
        char *text = arena_alloc(arena, len);

        for (size_t at = 0; at < len; at++)
            text[at] = (char)(' ' + test_random(90));
        batch->logs[i] = (struct log_record){
            .time_ns = (lsn * ROWS + i) * NS_PER_S,
            .resource_id = (uint32_t)(lsn % RESOURCES),
            .body = {.type = VALUE_STRING, .str = text, .len = (uint32_t)len}};
    }
    return batch;
}

static void save_resources(struct store *store)
{
    char bytes[1000], name[16];
    struct attr attr = {
        .key = "k", .key_len = 1, .type = VALUE_STRING, .str = bytes};
    struct resource resource = {.attrs = {&attr, 1, 0}};

    attr.len = sizeof(bytes);
    memset(bytes, 'r', sizeof(bytes));
    for (uint32_t id = 0; id < RESOURCES; id++) {
        struct identity identity = {.id = id, .rule = 1};

        snprintf(name, sizeof(name), "c-%u", id);
        identity.component = slice_of(name);
        metadata_save_identity(store_metadata(store), &identity);
        metadata_save_resource(store_metadata(store), id, id, id, &resource);
    }
}

/* Makes it in dir; the last lsn of its streams. */
static uint64_t make_database(const char *dir)
{
    struct store_options options = options_in(dir);
    struct store *store = NULL;
    static char text[TEXT];
    uint64_t lsn = 0;

    options.block_logs = ROWS;
    CHECK_EQ(store_open(&store, &options), OK);
    memset(text, 't', TEXT);
    save_resources(store);
    metadata_save_value(store_metadata(store), "long",
                        (struct slice){text, TEXT});
    metadata_save_value(store_metadata(store), "short", SLICE("s"));
    for (int i = 0; i < BLOCKS; i++)
        store_append(store, logs_batch(++lsn));
    for (uint32_t i = 0; i < CHUNKS; i++)
        store_append(store, points_batch(++lsn, i % 2 == 0, "m", i, 0, 200, 7));
    store_close(store);
    return lsn;
}

struct file {
    unsigned char *bytes;
    size_t size;
};

static void path_of(char path[128], const char *dir, const char *name)
{
    snprintf(path, 128, "%s/%s", dir, name);
}

static struct file file_read(const char *path)
{
    struct stat st = {0};
    int fd = open(path, O_RDONLY);

    CHECK(fd >= 0 && fstat(fd, &st) == 0);
    struct file file = {malloc((size_t)st.st_size), (size_t)st.st_size};
    CHECK_EQ(read(fd, file.bytes, file.size), st.st_size);
    close(fd);
    return file;
}

static void file_write(const char *path, struct file file)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && write(fd, file.bytes, file.size) == (ssize_t)file.size);
    close(fd);
}

struct seen {
    uint32_t identities, resources, nobody; /* without attributes */
};

static void see_identity(void *arg, const struct identity *identity)
{
    struct seen *seen = arg;

    seen->identities += identity->rule == 1;
}

static void see_resource(void *arg, uint32_t id, uint32_t identity,
                         uint64_t hash, const struct resource *resource)
{
    struct seen *seen = arg;

    (void)id;
    (void)identity;
    (void)hash;
    seen->resources += resource->attrs.count == 1;
    seen->nobody += resource->attrs.count == 0;
}

static void count_points(void *arg, const struct point *point)
{
    *(uint64_t *)arg += point->i == 7;
}

/* What is still there, of everything. */
struct found {
    struct seen seen;
    uint64_t logs, points, texts, watermark;
    bool asked; /* every question had an answer */
};

static void ask(struct store *store, struct found *found)
{
    struct reader *reader = NULL;
    struct arena arena;
    struct log_query logs = {.end_ns = UINT64_MAX, .limit = BLOCKS * ROWS};
    struct log_record *records = NULL;
    uint32_t count = 0;
    uint64_t total = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *all = bitmap_new(&arena, RESOURCES);
    struct series_query series = {.resources = all, .end_ns = UINT64_MAX};
    for (uint32_t id = 0; id < RESOURCES; id++)
        bitmap_add(all, id);
    logs.resources = all;
    CHECK_EQ(reader_open(&reader, store), OK);
    found->asked = reader_begin(reader) == OK &&
                   reader_query_logs(reader, &logs, &arena, &records, &count,
                                     &total) == OK &&
                   reader_query_series(reader, &series, count_points,
                                       &found->points) == OK;
    found->logs = count;
    reader_close(reader);
    arena_release(&arena);
}

static struct found look(const char *dir)
{
    struct store_options options = options_in(dir);
    struct store *store = NULL;
    struct found found = {.asked = false};
    struct arena arena;

    if (!CHECK_EQ(store_open(&store, &options), OK))
        return found;
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(metadata_load(store_metadata(store), see_identity, see_resource,
                           &found.seen),
             OK);
    for (int i = 0; i < 2; i++) {
        struct slice text = {NULL, 0};

        CHECK_EQ(metadata_load_value(store_metadata(store),
                                     i ? "short" : "long", &arena, &text),
                 OK);
        found.texts += text.len == (i ? 1 : TEXT);
    }
    found.watermark = store_watermark(store, STREAM_LOGS);
    ask(store, &found);
    store_close(store);
    arena_release(&arena);
    return found;
}

/* The database with `count` bytes of one page altered, opened twice: what the
 * first finds while it runs, the second start repairs. */
static struct found look_twice(struct file *whole, size_t page, size_t at,
                               size_t count, unsigned char alter)
{
    char dir[64], path[128];
    unsigned char kept[PAGE], *bytes = whole->bytes + page * PAGE;

    temp_make(dir);
    path_of(path, dir, "callboard.db");
    memcpy(kept, bytes, PAGE);
    for (size_t i = at; i < at + count; i++)
        bytes[i] = alter ? bytes[i] ^ alter : 0;
    file_write(path, *whole);
    memcpy(bytes, kept, PAGE);

    struct found found = look(dir);
    found = look(dir);
    temp_remove(dir);
    return found;
}

static struct file small_database(uint64_t *lsn)
{
    char dir[64], path[128];

    temp_make(dir);
    *lsn = make_database(dir);
    path_of(path, dir, "callboard.db");
    struct file whole = file_read(path);
    temp_remove(dir);
    CHECK(whole.size / PAGE > 50);
    return whole;
}

/* One page holds so much at most: of blocks with the others on its page, of
 * resources, of texts. A page at the root of a table takes all of it, but of
 * blocks, where one table can be made from another. */
static bool little_is_lost(const struct found *f)
{
    return f->logs >= (BLOCKS - 3) * ROWS && f->points >= 5970 &&
           f->seen.identities == RESOURCES &&
           f->seen.resources >= RESOURCES - 16 && f->texts >= 1 &&
           f->watermark == BLOCKS;
}

TEST(any_page_of_zeros)
{
    uint64_t lsn, before = stats_get(STATS_STORE_REPAIRS);
    struct file whole = small_database(&lsn);
    size_t pages = whole.size / PAGE, much = 0;

    for (size_t page = 0; page < pages; page++) {
        struct found f = look_twice(&whole, page, 0, PAGE, 0);

        CHECK(f.asked);
        /* No number that a record has may be given to somebody else. */
        CHECK(f.seen.resources + f.seen.nobody > BLOCKS || f.logs == 0);
        much += !little_is_lost(&f);
    }
    CHECK(much <= 6);
    CHECK(stats_get(STATS_STORE_REPAIRS) - before > pages / 2);
    free(whole.bytes);
}

TEST(any_bit)
{
    uint64_t lsn;
    struct file whole = small_database(&lsn);
    size_t pages = whole.size / PAGE, much = 0;

    for (size_t page = 0; page < pages; page++) {
        size_t head = page == 0 ? 100 : 0; /* of the file: has its version */
        size_t at = head + test_random(page % 2 ? 64 : PAGE - 100);
        struct found f = look_twice(&whole, page, at, 1,
                                    (unsigned char)(1U << test_random(8)));

        CHECK(f.asked);
        much += !little_is_lost(&f);
    }
    CHECK(much <= 6);
    free(whole.bytes);
}

TEST(a_truncated_file_keeps_the_rows_before_its_end)
{
    char dir[64], path[128];
    uint64_t lsn;
    struct file whole = small_database(&lsn);

    temp_make(dir);
    path_of(path, dir, "callboard.db");
    file_write(path, (struct file){whole.bytes, whole.size - 5 * PAGE - 1});

    struct found found = look(dir);
    CHECK(found.asked && found.logs >= (BLOCKS - 8) * ROWS);
    found.logs = BLOCKS * ROWS;
    CHECK(little_is_lost(&found));
    temp_remove(dir);
    free(whole.bytes);
}

static bool in_dir(const char *dir, const char *pattern)
{
    char command[192];

    snprintf(command, sizeof(command), "ls %s/%s >/dev/null 2>&1", dir,
             pattern);
    return system(command) == 0;
}

/* The two states that a repair can be cut short in. */
TEST(an_interrupted_repair_is_restarted_or_completed)
{
    char dir[64], path[128];
    uint64_t lsn;
    struct file whole = small_database(&lsn);
    struct file half = {whole.bytes, whole.size / 2};

    temp_make(dir);
    path_of(path, dir, "callboard.db");
    file_write(path, whole);
    path_of(path, dir, "callboard.db.repair");
    file_write(path, half);
    struct found found = look(dir);
    CHECK(little_is_lost(&found) && found.logs == BLOCKS * ROWS);
    CHECK(!in_dir(dir, "*.repair*") && !in_dir(dir, "*.damaged-*"));

    path_of(path, dir, "callboard.db");
    CHECK_EQ(unlink(path), 0);
    path_of(path, dir, "callboard.db-wal");
    file_write(path, half);
    path_of(path, dir, "callboard.db.repair");
    file_write(path, whole);
    found = look(dir);
    CHECK(little_is_lost(&found) && found.logs == BLOCKS * ROWS);
    CHECK(!in_dir(dir, "*.repair*") && in_dir(dir, "*.damaged-*-wal"));
    temp_remove(dir);
    free(whole.bytes);
}

/* Version 3 gave these files other names. */
TEST(an_interrupted_repair_of_an_earlier_version_is_completed)
{
    char dir[64], path[128];
    uint64_t lsn;
    struct file whole = small_database(&lsn);
    struct file none = {whole.bytes, 0};

    temp_make(dir);
    path_of(path, dir, "callboard.db.salvage");
    file_write(path, whole);
    struct found found = look(dir);
    CHECK(little_is_lost(&found) && found.logs == BLOCKS * ROWS);
    CHECK(!in_dir(dir, "*.salvage*") && !in_dir(dir, "*.repair*"));

    path_of(path, dir, "callboard.db.wanted");
    file_write(path, none);
    found = look(dir);
    CHECK(little_is_lost(&found) && found.logs == BLOCKS * ROWS);
    CHECK(in_dir(dir, "*.damaged-*") && !in_dir(dir, "*.wanted"));
    temp_remove(dir);
    free(whole.bytes);
}

/* A key that is too high is out of order with all that follow. */
TEST(a_key_that_is_too_high_takes_only_its_row)
{
    enum { LEAF = 13, CELLS = 8, KEY = 127 };
    uint64_t lsn;
    struct file whole = small_database(&lsn);
    unsigned tried = 0;

    for (size_t page = 1; page < whole.size / PAGE; page++) {
        unsigned char *bytes = whole.bytes + page * PAGE;
        size_t at = (size_t)bytes[12] << 8 | bytes[13]; /* the third cell */
        char dir[64], path[128];

        if (bytes[0] != LEAF || (bytes[3] << 8 | bytes[4]) < CELLS)
            continue;
        while (bytes[at++] & 0x80) /* its length */
            ;
        if (bytes[at] >= KEY)
            continue;
        temp_make(dir);
        path_of(path, dir, "callboard.db");
        unsigned char kept = bytes[at];
        bytes[at] = KEY;
        file_write(path, whole);
        bytes[at] = kept;
        repair_schedule(path);
        struct found found = look(dir);
        CHECK(found.asked && little_is_lost(&found));
        temp_remove(dir);
        tried++;
    }
    CHECK(tried >= 3);
    free(whole.bytes);
}

/* However little memory there is, nothing that can be read is left out. */
TEST(want_of_memory_is_no_damage)
{
    enum { STEP = 16 << 10, STEPS = 200 };
    char dir[64], path[128];
    enum status status = ERR_BUSY;
    int steps = 0;

    temp_make(dir);
    make_database(dir);
    path_of(path, dir, "callboard.db");
    for (; steps < STEPS && status != OK; steps++) {
        sqlite3_hard_heap_limit64(sqlite3_memory_used() + steps * STEP + 1);
        status = repair(path);
        sqlite3_hard_heap_limit64(0);
        CHECK_EQ(in_dir(dir, "*.damaged-*"), status == OK);
        CHECK(!in_dir(dir, "*.repair"));
    }
    CHECK_EQ(status, OK);
    CHECK(steps > 5);
    struct found found = look(dir);
    CHECK(little_is_lost(&found) && found.logs == BLOCKS * ROWS);
    CHECK(found.texts == 2 && found.seen.resources == RESOURCES);
    temp_remove(dir);
}

TEST(a_database_that_cannot_be_opened_is_not_replaced)
{
    char dir[64], path[128];

    temp_make(dir);
    path_of(path, dir, "callboard.db");
    CHECK_EQ(repair(path), ERR_IO);
    CHECK(!in_dir(dir, "callboard.db*"));
    temp_remove(dir);
}

/* In the way of the old one's parts, whatever the second. */
static void block_aside(const char *dir, bool block)
{
    uint64_t now = clock_wall_ns() / NS_PER_S;
    char command[192];

    if (block)
        snprintf(command, sizeof(command),
                 "for i in $(seq %llu %llu); do"
                 " mkdir %s/callboard.db.damaged-$i-shm; done",
                 (unsigned long long)now, (unsigned long long)now + 100, dir);
    else
        snprintf(command, sizeof(command), "rmdir %s/*.damaged-*-shm", dir);
    CHECK_EQ(system(command), 0);
}

TEST(the_new_one_is_kept_if_the_old_one_is_half_aside)
{
    struct store *store = NULL;
    char dir[64], path[128];

    temp_make(dir);
    make_database(dir);
    path_of(path, dir, "callboard.db");
    repair_schedule(path);
    block_aside(dir, true);

    struct store_options options = options_in(dir);
    CHECK_EQ(store_open(&store, &options), ERR_IO);
    CHECK(in_dir(dir, "callboard.db.repair") && !in_dir(dir, "callboard.db"));
    block_aside(dir, false);
    struct found found = look(dir);
    CHECK(little_is_lost(&found) && found.logs == BLOCKS * ROWS);
    CHECK(!in_dir(dir, "*.repair") && !repair_is_pending(path));
    temp_remove(dir);
}
