/*
 * What is too old goes, block by block: a block when its newest record is
 * older than its signal's retention, a chunk of points when its hour is. When
 * the database is larger than allowed, whatever is oldest goes, of any kind,
 * until it fits. Metrics and derived series share the retention of metrics,
 * events that of logs.
 *
 * Freed pages are used again by what is written next; when many are free, or
 * the file is larger than allowed, they are given back to the file system, some
 * hundred at a time, and at the end the log is written back and cut, which is
 * when the file gets shorter.
 *
 * What is oldest after that is noted for store_oldest_ns(). A block's newest
 * record is hardly newer than its arrival and its other records came with it,
 * or some hours before (block_compaction.c), so the oldest of these times is
 * about when the oldest record came, whatever times the records in the block
 * may have.
 *
 * A step does a bounded amount, so that sealing never waits long for it.
 */
#include <string.h>

#include "clock.h"
#include "log.h"
#include "series.h"
#include "stats.h"
#include "store_int.h"

enum { STEP_DELETES = 8, STEP_CHUNKS = 64, FREE_PAGES = 64 };

/* A wall clock that is so much ahead of where it should be is not believed for
 * so long. */
#define JUMP_NS  NS_PER_MIN
#define DOUBT_NS NS_PER_HOUR

/* So long after the last commit it may have stood still, or the clock may be
 * wrong: that is a jump, too. */
#define STOPPED_NS NS_PER_HOUR

/* The oldest piece of one kind; chunks stand behind the kinds of blocks. */
struct oldest_piece {
    uint64_t id, max_ns, count, bytes;
    bool found;
};

enum { KIND_CHUNKS = KIND_COUNT, OLDEST_COUNT };

static enum status find_block(struct db *db, int kind, struct oldest_piece *o)
{
    struct db_stmt s = stmt_start(db, SQL_BLOCK_OLDEST);

    stmt_int(&s, (uint64_t)kind);
    if (stmt_row(&s))
        *o = (struct oldest_piece){stmt_get_int(&s, 0), stmt_get_int(&s, 1),
                                   stmt_get_int(&s, 2), stmt_get_int(&s, 3),
                                   true};
    return stmt_end(&s);
}

static uint64_t hour_end(uint64_t hour)
{
    return (hour + 1) * NS_PER_HOUR - 1;
}

static enum status find_chunk(struct db *db, struct oldest_piece *o)
{
    struct db_stmt s = stmt_start(db, SQL_CHUNK_OLDEST);

    stmt_int(&s, 1);
    if (stmt_row(&s))
        *o = (struct oldest_piece){
            stmt_get_int(&s, 0), hour_end(stmt_get_int(&s, 1)),
            stmt_get_int(&s, 3), stmt_get_int(&s, 4), true};
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

static enum status delete_by_id(struct db *db, enum db_sql sql, uint64_t id)
{
    struct db_stmt s = stmt_start(db, sql);

    stmt_int(&s, id);
    return stmt_run(&s);
}

enum status block_remove(struct db *db, enum stream stream, uint64_t id,
                         uint64_t count, uint64_t bytes)
{
    enum status status = delete_by_id(db, SQL_BLOCK_DELETE, id);

    if (status == OK)
        status = delete_by_id(db, SQL_SUMMARY_DELETE, id);
    if (status == OK)
        status = delete_by_id(db, SQL_DATA_DELETE, id);
    return status == OK
               ? totals_add(db, stream, -1, -(int64_t)count, -(int64_t)bytes)
               : status;
}

static enum status delete_block(struct db *db, int kind,
                                const struct oldest_piece *o)
{
    stats_add(STATS_EXPIRED_BLOCKS, 1);
    return block_remove(db, kind == KIND_SPANS ? STREAM_SPANS : STREAM_LOGS,
                        o->id, o->count, o->bytes);
}

/* The oldest chunks, but none of an hour that ends after `until_ns`. */
static enum status delete_chunks(struct db *db, uint64_t until_ns)
{
    struct {
        uint64_t id, stream, count, bytes;
    } found[STEP_CHUNKS];
    uint32_t count = 0;
    struct db_stmt s = stmt_start(db, SQL_CHUNK_OLDEST);

    stmt_int(&s, STEP_CHUNKS);
    while (stmt_row(&s) && count < STEP_CHUNKS) {
        if (hour_end(stmt_get_int(&s, 1)) > until_ns)
            break;
        found[count].id = stmt_get_int(&s, 0);
        found[count].stream = stmt_get_int(&s, 2);
        found[count].count = stmt_get_int(&s, 3);
        found[count++].bytes = stmt_get_int(&s, 4);
    }

    enum status status = stmt_end(&s);
    for (uint32_t i = 0; i < count && status == OK; i++) {
        status = delete_by_id(db, SQL_CHUNK_DELETE, found[i].id);
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
    struct db_stmt s = stmt_start(db, SQL_PAGES);

    if (stmt_row(&s))
        *p = (struct page_counts){stmt_get_int(&s, 0), stmt_get_int(&s, 1),
                                  stmt_get_int(&s, 2)};
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
    pthread_mutex_lock(&store->lock);
    store->oldest_ns = now;
    pthread_mutex_unlock(&store->lock);
}

/*
 * The time by which age is told. What was deleted does not come back when a
 * clock that was put forward is put right, so such a jump counts only once it
 * has lasted; until then time goes on from where it made sense. That is kept
 * with each commit, so a restart does not make a jump believed.
 */
static uint64_t trusted_now(struct store *store)
{
    uint64_t wall = clock_wall_ns(), at = clock_monotonic_ns();
    uint64_t expected = store->trusted_ns + (at - store->trusted_at);

    if (store->trusted_at > 0 && wall > expected + JUMP_NS &&
        at - store->trusted_at < DOUBT_NS)
        return expected;
    store->trusted_ns = wall;
    store->trusted_at = at;
    return wall;
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
    struct db_stmt s = stmt_start(store->db, SQL_STATE_LOAD);
    uint64_t last_ns = 0;

    stmt_int(&s, STATE_CLOCK);
    if (stmt_row(&s)) {
        struct slice bytes = stmt_get_bytes(&s, 0);

        if (bytes.len == sizeof(last_ns))
            memcpy(&last_ns, bytes.ptr, sizeof(last_ns));
    }
    store->trusted_at = clock_monotonic_ns();
    store->trusted_ns = wall_ns;
    if (last_ns > 0 && wall_ns > last_ns && wall_ns - last_ns > STOPPED_NS) {
        store->trusted_ns = last_ns;
        if (shortest_retention(store) > 0)
            log_warn("store",
                     "the clock is far ahead of the last commit: nothing is "
                     "deleted for its age for an hour",
                     log_uint("hours", ((wall_ns - last_ns) / NS_PER_HOUR)));
    }
    return stmt_end(&s);
}

enum status retention_save_clock(struct store *store)
{
    struct db_stmt s = stmt_start(store->db, SQL_STATE_SAVE);
    uint64_t now = trusted_now(store);

    stmt_int(&s, STATE_CLOCK);
    stmt_bytes(&s, (struct slice){(const char *)&now, sizeof(now)});
    return stmt_run(&s);
}

static enum status delete_some(struct store *store, struct page_counts *pages,
                               bool *more)
{
    struct db *db = store->db;
    struct oldest_piece oldest[OLDEST_COUNT] = {{.found = false}};
    uint64_t now = trusted_now(store);
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
        status = db_run(store->db, SQL_VACUUM);
        store->vacuumed = true;
        *more = true;
    } else if (store->vacuumed) {
        status = db_run(store->db, SQL_CHECKPOINT);
        store->vacuumed = false;
    }
    return status;
}

enum status retention_step(struct store *store, bool *more)
{
    struct page_counts pages = {0};
    enum status status = read_pages(store->db, &pages);

    if (status == OK)
        status = delete_some(store, &pages, more);
    if (status == OK)
        status = read_pages(store->db, &pages);
    stats_set(STATS_STORE_DB_BYTES, pages.count * pages.size);
    return status == OK ? vacuum_some(store, &pages, more) : status;
}
