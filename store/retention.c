/*
 * Retention removes what is too old: a block when its newest record is older
 * than its signal's retention, a chunk of points when its hour is. When the
 * database is larger than allowed, it removes whatever is oldest, of any kind,
 * until it fits. Metrics and derived series share the retention of metrics,
 * events that of logs.
 *
 * Free pages are reused by later writes; when many are free, or the file is
 * larger than allowed, they are returned to the file system, some hundred at a
 * time, and at the end a checkpoint makes the file shorter.
 *
 * The oldest time after that is the bound of embedded_oldest_ns(). A block's
 * newest record is hardly newer than its arrival and its other records came
 * with it, or some hours before (block_compaction.c), so the oldest of these
 * times is about when the oldest record came, whatever times the records in the
 * block may have.
 *
 * A step does a bounded amount, so that commits never wait long for it.
 */
#include <string.h>

#include "block_table.h"
#include "clock.h"
#include "log.h"
#include "stats.h"
#include "store_int.h"

enum { STEP_DELETES = 8, STEP_CHUNKS = 64, FREE_PAGES = 64 };

/* A wall clock that is this much ahead of the expected time is not trusted for
 * this long. */
#define JUMP_NS  NS_PER_MIN
#define DOUBT_NS NS_PER_HOUR

/* This long after the last commit the process may have been stopped, or the
 * clock may be wrong: that is treated as a jump, too. */
#define STOPPED_NS NS_PER_HOUR

/* The oldest block or chunk of one kind; chunks are the last kind. */
struct oldest_piece {
    uint64_t id, max_ns, count, bytes;
    bool found;
};

enum { KIND_CHUNKS = KIND_COUNT, OLDEST_COUNT };

static enum status find_block(struct db *db, int kind, struct oldest_piece *o)
{
    struct db_stmt s = db_query(db, SQL_BLOCK_OLDEST, db_int((uint64_t)kind));
    if (stmt_row(&s))
        *o = (struct oldest_piece){stmt_int(&s, 0), stmt_int(&s, 1),
                                   stmt_int(&s, 2), stmt_int(&s, 3), true};
    return stmt_end(&s);
}

static uint64_t hour_end(uint64_t hour)
{
    return (hour + 1) * NS_PER_HOUR - 1;
}

static enum status find_chunk(struct db *db, struct oldest_piece *o)
{
    struct db_stmt s = db_query(db, SQL_CHUNK_OLDEST, db_int(1));
    if (stmt_row(&s))
        *o = (struct oldest_piece){stmt_int(&s, 0), hour_end(stmt_int(&s, 1)),
                                   stmt_int(&s, 3), stmt_int(&s, 4), true};
    return stmt_end(&s);
}

static enum status find_oldest(struct db *db,
                               struct oldest_piece oldest[OLDEST_COUNT])
{
    enum status status = OK;

    for (int kind = 0; kind < OLDEST_COUNT && status == OK; kind++) {
        oldest[kind].found = false;
        status = kind == KIND_CHUNKS ? find_chunk(db, &oldest[kind])
                                     : find_block(db, kind, &oldest[kind]);
    }
    return status;
}

static enum status delete_block(struct db *db, int kind,
                                const struct oldest_piece *o)
{
    stats_add(STATS_EXPIRED_BLOCKS, 1);
    return block_remove(db, (enum block_kind)kind, o->id, o->count, o->bytes);
}

/* Deletes the oldest chunks, but none of an hour that ends after `until_ns`. */
static enum status delete_chunks(struct db *db, uint64_t until_ns)
{
    struct {
        uint64_t id, stream, count, bytes;
    } found[STEP_CHUNKS];
    uint32_t count = 0;
    struct db_stmt s = db_query(db, SQL_CHUNK_OLDEST, db_int(STEP_CHUNKS));
    while (stmt_row(&s) && count < STEP_CHUNKS) {
        if (hour_end(stmt_int(&s, 1)) > until_ns)
            break;
        found[count].id = stmt_int(&s, 0);
        found[count].stream = stmt_int(&s, 2);
        found[count].count = stmt_int(&s, 3);
        found[count++].bytes = stmt_int(&s, 4);
    }

    enum status status = stmt_end(&s);
    for (uint32_t i = 0; i < count && status == OK; i++) {
        status = chunk_remove(db, found[i].id);
        if (status == OK)
            status =
                totals_add(db, (enum stream)found[i].stream, -1,
                           -(int64_t)found[i].count, -(int64_t)found[i].bytes);
        stats_add(STATS_EXPIRED_BLOCKS, 1);
    }
    return status;
}

static enum signal signal_of(int kind)
{
    if (kind == KIND_SPANS)
        return SIGNAL_SPANS;
    return kind == KIND_CHUNKS ? SIGNAL_METRICS : SIGNAL_LOGS;
}

/* The kind to delete from, or -1 if nothing has to go. */
static int choose(const struct store *store,
                  const struct oldest_piece oldest[OLDEST_COUNT], uint64_t now,
                  bool too_big)
{
    int first = -1;

    for (int kind = 0; kind < OLDEST_COUNT; kind++) {
        uint64_t keep = store->options.retention_ns[signal_of(kind)];

        if (!oldest[kind].found)
            continue;
        if (keep > 0 && keep < now && oldest[kind].max_ns < now - keep)
            return kind;
        if (first < 0 || oldest[kind].max_ns < oldest[first].max_ns)
            first = kind;
    }
    return too_big ? first : -1;
}

struct page_counts {
    uint64_t count, unused, size;
};

static enum status read_pages(struct db *db, struct page_counts *p)
{
    struct db_stmt s = db_query_all(db, SQL_PAGES);

    if (stmt_row(&s))
        *p = (struct page_counts){stmt_int(&s, 0), stmt_int(&s, 1),
                                  stmt_int(&s, 2)};
    return stmt_end(&s);
}

static bool too_big(const struct store *store, const struct page_counts *p)
{
    return store->options.retention_bytes > 0 &&
           (p->count - p->unused) * p->size > store->options.retention_bytes;
}

static void note_oldest(struct store *store,
                        const struct oldest_piece oldest[OLDEST_COUNT],
                        uint64_t now)
{
    for (int kind = 0; kind < OLDEST_COUNT; kind++)
        if (oldest[kind].found && oldest[kind].max_ns < now)
            now = oldest[kind].max_ns;
    pthread_mutex_lock(&store->commits.lock);
    store->progress.oldest_ns = now;
    pthread_mutex_unlock(&store->commits.lock);
}

/*
 * The time by which age is measured. Deleted records do not come back when a
 * clock that jumped ahead is corrected, so such a jump is trusted only after it
 * has lasted; until then time continues from the last trusted time. That is
 * saved with each commit, so a restart does not make a jump trusted.
 */
static uint64_t trusted_now(struct trusted_clock *clock)
{
    uint64_t wall = clock_wall_ns(), at = clock_monotonic_ns();
    uint64_t expected = clock->wall_ns + (at - clock->monotonic_ns);

    if (clock->monotonic_ns > 0 && wall > expected + JUMP_NS &&
        at - clock->monotonic_ns < DOUBT_NS)
        return expected;
    *clock = (struct trusted_clock){wall, at};
    return wall;
}

uint64_t embedded_retention(const struct store *store, enum signal signal)
{
    return store->options.retention_ns[signal];
}

static uint64_t shortest_retention(const struct store *store)
{
    uint64_t shortest = 0;

    for (int signal = 0; signal < SIGNAL_COUNT; signal++) {
        uint64_t keep = store->options.retention_ns[signal];

        if (keep > 0 && (shortest == 0 || keep < shortest))
            shortest = keep;
    }
    return shortest;
}

enum status retention_load_clock(struct store *store, uint64_t wall_ns)
{
    struct trusted_clock *clock = &store->writer.clock;
    struct db_stmt s =
        db_query(store->writer.db, SQL_STATE_LOAD, db_int(STATE_CLOCK));
    uint64_t last_ns = 0;

    if (stmt_row(&s) && stmt_bytes(&s, 0).len == sizeof(last_ns))
        memcpy(&last_ns, stmt_bytes(&s, 0).ptr, sizeof(last_ns));
    *clock = (struct trusted_clock){wall_ns, clock_monotonic_ns()};
    if (last_ns > 0 && wall_ns > last_ns && wall_ns - last_ns > STOPPED_NS) {
        clock->wall_ns = last_ns;
        if (shortest_retention(store) > 0)
            log_warn(
                "store",
                "the clock is far ahead of the last commit: deletion by age "
                "is paused for an hour",
                log_uint("hours", (wall_ns - last_ns) / NS_PER_HOUR));
    }
    return stmt_end(&s);
}

enum status retention_save_clock(struct store *store)
{
    uint64_t now = trusted_now(&store->writer.clock);
    struct slice bytes = {(const char *)&now, sizeof(now)};

    return db_exec(store->writer.db, SQL_STATE_SAVE, db_int(STATE_CLOCK),
                   db_bytes(bytes));
}

static enum status delete_some(struct store *store, struct page_counts *pages,
                               bool *more)
{
    struct db *db = store->writer.db;
    struct oldest_piece oldest[OLDEST_COUNT] = {{.found = false}};
    uint64_t now = trusted_now(&store->writer.clock);
    enum status status = find_oldest(db, oldest);

    /* Before anything is deleted: that may yet be rolled back. */
    if (status == OK)
        note_oldest(store, oldest, now);

    int kind = choose(store, oldest, now, too_big(store, pages));

    if (status != OK || kind < 0)
        return status;
    status = db_run(db, SQL_BEGIN_WRITE);
    for (int i = 0; i < STEP_DELETES && kind >= 0 && status == OK; i++) {
        status = kind == KIND_CHUNKS ? delete_chunks(db, oldest[kind].max_ns)
                                     : delete_block(db, kind, &oldest[kind]);
        if (status == OK)
            status = read_pages(db, pages);
        if (status == OK)
            status = find_oldest(db, oldest);
        kind = choose(store, oldest, now, too_big(store, pages));
    }
    if (status == OK)
        status = db_run(db, SQL_COMMIT);
    if (kind >= 0)
        *more = true;
    return status;
}

static enum status vacuum_some(struct store *store,
                               const struct page_counts *pages, bool *more)
{
    enum status status = OK;

    uint64_t most = store->options.retention_bytes;
    bool large = most > 0 && pages->count * pages->size > most && !*more;

    if (pages->unused >= FREE_PAGES || (large && pages->unused > 0)) {
        status = db_run(store->writer.db, SQL_VACUUM);
        store->writer.vacuumed = true;
        *more = true;
    } else if (store->writer.vacuumed) {
        status = db_run(store->writer.db, SQL_CHECKPOINT);
        store->writer.vacuumed = false;
    }
    return status;
}

enum status retention_step(struct store *store, bool *more)
{
    struct page_counts pages = {0};
    enum status status = read_pages(store->writer.db, &pages);

    if (status == OK)
        status = delete_some(store, &pages, more);
    if (status == OK)
        status = read_pages(store->writer.db, &pages);
    stats_set(STATS_STORE_DB_BYTES, pages.count * pages.size);
    return status == OK ? vacuum_some(store, &pages, more) : status;
}
