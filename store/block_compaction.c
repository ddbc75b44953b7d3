/*
 * Where little is sent, every seal leaves a block of a few records, and a
 * question soon has thousands to open. Blocks of one kind that are next to each
 * other in time are merged,
 *
 *   at least GROUP_MIN of them, into one that has at least GROWTH times the
 *   records of the largest, at most as many as a seal puts into one, and that
 *   spans no more than RANGE_NS, has no more than BYTES (or a part of the
 *   retention: a block goes as a whole)
 *
 * so a record is rewritten only into a block GROWTH times the size of the one
 * it was in: at most log4(16384) = 7 times. One transaction takes the small
 * ones away and adds the large one; a reader's view has either.
 *
 * At first all blocks are looked at in order of time, then only those near
 * what was added since, WINDOW at a time. What cannot be read, or takes too
 * much memory, stays as it is.
 */
#include "block_compaction.h"

#include <stdlib.h>

#include "array.h"
#include "block.h"
#include "clock.h"
#include "mem.h"
#include "stats.h"

enum {
    WINDOW = 512,
    GROUP_MIN = 4,
    GROWTH = 4,
    MEMORY = 24 << 20,
    BYTES = 4 << 20
};

#define RANGE_NS       (6 * NS_PER_HOUR)
#define LOOK_AGAIN_NS  (5 * NS_PER_S)
#define RETENTION_PART 16

struct small_block {
    uint64_t id, section, count, min_ns, max_ns, bytes;
};

struct compact {
    struct store *store;
    enum block_kind kind;
    uint64_t most, most_bytes, range_ns; /* of a block that is made */
    uint32_t found;
    struct small_block at[WINDOW]; /* by time */
};

/* ---- records of blocks ---- */

void record_list_release(struct record_list *rows)
{
    arena_release(&rows->memory);
    free(rows->at);
    rows->at = NULL;
    rows->count = rows->room = 0;
}

static const void *read_row(struct block *block, enum block_kind kind,
                            uint32_t row, struct arena *memory,
                            enum status *status)
{
    if (kind == KIND_SPANS) {
        struct span *span = arena_zero(memory, 1, sizeof(*span));

        *status = span ? block_read_span(block, row, true, span)
                       : arena_status(memory);
        return span;
    }
    struct log_record *log = arena_zero(memory, 1, sizeof(*log));

    *status = log ? block_read_log(block, row, log) : arena_status(memory);
    return log;
}

enum status record_list_add(struct record_list *rows, enum block_kind kind,
                            uint64_t id, struct slice bytes)
{
    struct slice kept = arena_copy(&rows->memory, bytes);
    struct block *block = NULL;
    enum status status = arena_status(&rows->memory);

    if (status == OK)
        status = block_open(&block, kept, &rows->memory);
    if (status != OK)
        return status;
    block_set_first_arrival(block, log_arrival(id, 0));

    uint32_t count = block_count(block);
    array_reserve(&rows->at, rows->count + count, &rows->room);
    for (uint32_t i = 0; i < count && status == OK; i++)
        rows->at[rows->count + i] =
            read_row(block, kind, i, &rows->memory, &status);
    if (status == OK)
        status = arena_status(&rows->memory);
    if (status == OK)
        rows->count += count;
    return status;
}

/* ---- what may be merged ---- */

static enum status find_blocks(struct compact *c, uint64_t from_ns)
{
    struct db_stmt s = stmt_start(c->store->db, SQL_COMPACT_FIND);

    stmt_int(&s, c->kind);
    stmt_int(&s, db_time(from_ns));
    stmt_int(&s, WINDOW);
    c->found = 0;
    while (c->found < WINDOW && stmt_row(&s))
        c->at[c->found++] = (struct small_block){
            stmt_get_int(&s, 0), stmt_get_int(&s, 1), stmt_get_int(&s, 2),
            stmt_get_int(&s, 3), stmt_get_int(&s, 4), stmt_get_int(&s, 5)};
    return stmt_end(&s);
}

/* The longest group that begins here, of at most `room`; 0: none. Without gaps:
 * what goes by age or size goes in order of time. */
static uint32_t group_at(const struct compact *c, uint32_t first, uint32_t room)
{
    uint64_t sum = 0, largest = 0, bytes = 0, min_ns = UINT64_MAX;
    uint32_t best = 0;

    for (uint32_t n = 0; n < room && first + n < c->found; n++) {
        const struct small_block *b = &c->at[first + n];

        if (b->min_ns < min_ns)
            min_ns = b->min_ns;
        if (b->count > largest)
            largest = b->count;
        sum += b->count;
        bytes += b->bytes;
        if (sum > c->most || bytes > c->most_bytes ||
            b->max_ns - min_ns > c->range_ns)
            break;
        if (n + 1 >= GROUP_MIN && sum >= GROWTH * largest)
            best = n + 1;
    }
    return best;
}

/* ---- merging ---- */

static enum status read_block(struct compact *c, const struct small_block *b,
                              struct record_list *rows)
{
    struct db_stmt s = stmt_start(c->store->db, SQL_DATA_GET);
    enum status status = ERR_CORRUPT;
    uint32_t before = rows->count;

    stmt_int(&s, b->id);
    if (stmt_row(&s))
        status = record_list_add(rows, c->kind, b->id, stmt_get_bytes(&s, 0));
    if (status == OK && rows->count - before != b->count)
        status = ERR_CORRUPT;

    enum status end = stmt_end(&s);
    return end != OK ? end : status;
}

static enum status replace(struct compact *c, const struct small_block *group,
                           uint32_t count, const struct record_list *rows)
{
    enum stream stream = c->kind == KIND_SPANS ? STREAM_SPANS : STREAM_LOGS;
    struct db *db = c->store->db;
    uint64_t section = 0;
    enum status status = db_run(db, SQL_BEGIN_WRITE);

    for (uint32_t i = 0; i < count; i++)
        if (group[i].section > section)
            section = group[i].section;
    /* First, so that its number is a new one: numbers of blocks grow. */
    if (status == OK)
        status = block_encoder_rewrite(c->store->encoder, db, c->kind, section,
                                       rows->at, rows->count);
    for (uint32_t i = 0; i < count && status == OK; i++)
        status = block_remove(db, stream, group[i].id, group[i].count,
                              group[i].bytes);
    if (status == OK)
        status = db_run(db, SQL_COMMIT);
    if (status == OK)
        stats_add(STATS_BLOCKS_MERGED, count);
    return status;
}

/* It unpacks blocks as readers do, so it is charged like them, for at most a
 * quarter of what there is, for coding takes as much again: a group that needs
 * more is too big. */
static void init_memory(struct store *store, struct arena *memory)
{
    struct budget *budget = &store->queries;
    size_t most = budget->limit / 4 < MEMORY ? budget->limit / 4 : MEMORY;

    arena_init(memory, budget, most);
}

/* Merges what it can of a group; *from_ns moves beyond what it cannot. */
static enum status merge_group(struct compact *c, uint32_t first,
                               uint32_t count, uint64_t *from_ns)
{
    struct record_list rows = {.at = NULL};
    enum status status = OK;
    uint32_t n = 0;

    init_memory(c->store, &rows.memory);
    for (; n < count && status == OK; n++)
        status = read_block(c, &c->at[first + n], &rows);
    if (status == ERR_CORRUPT || status == ERR_UNSUPPORTED ||
        status == ERR_INVALID || status == ERR_TOO_BIG) {
        *from_ns = c->at[first + --n].max_ns + 1;
        n = group_at(c, first, n);
        rows.count = 0;
        for (uint32_t i = 0; i < n; i++)
            rows.count += (uint32_t)c->at[first + i].count;
        status = OK;
    }
    if (status == OK && n > 0)
        status = replace(c, &c->at[first], n, &rows);
    record_list_release(&rows);
    return status;
}

/* One window of one kind; UINT64_MAX in *from_ns: there is no more. */
static enum status step(struct compact *c, uint64_t *from_ns)
{
    enum status status = find_blocks(c, *from_ns);
    uint32_t first = 0, count = 0;

    while (status == OK && first < c->found &&
           (count = group_at(c, first, WINDOW)) == 0)
        first++;
    if (status != OK || count > 0)
        return status == OK ? merge_group(c, first, count, from_ns) : status;
    if (c->found < WINDOW)
        *from_ns = UINT64_MAX;
    else /* the second half again: a group may go on behind the window */
        *from_ns =
            c->at[WINDOW / 2].max_ns + (c->at[WINDOW / 2].max_ns == *from_ns);
    return status;
}

/* From where on there are blocks that were not looked at. */
static enum status find_new(struct store *store)
{
    struct db_stmt s = stmt_start(store->db, SQL_COMPACT_NEW);

    stmt_int(&s, store->compact_id);
    while (stmt_row(&s)) {
        uint64_t kind = stmt_get_int(&s, 0), from = stmt_get_int(&s, 1);

        from = from > RANGE_NS ? from - RANGE_NS : 0;
        if (kind < KIND_COUNT && from < store->compact_from[kind])
            store->compact_from[kind] = from;
        if (stmt_get_int(&s, 2) > store->compact_id)
            store->compact_id = stmt_get_int(&s, 2);
    }
    store->compact_ns = clock_monotonic_ns() + LOOK_AGAIN_NS;
    return stmt_end(&s);
}

enum status compact_step(struct store *store, bool *more)
{
    const struct store_options *o = &store->options;
    enum status status = OK;
    int kind = 0;

    /* There is time, and those who ask need the memory now. */
    if (budget_used(&store->queries) > store->queries.limit / 8)
        return OK;
    if (clock_monotonic_ns() >= store->compact_ns)
        status = find_new(store);
    while (kind < KIND_COUNT && store->compact_from[kind] == UINT64_MAX)
        kind++;
    if (status != OK || kind == KIND_COUNT)
        return status;

    bool spans = kind == KIND_SPANS;
    uint64_t keep = o->retention_ns[spans ? SIGNAL_SPANS : SIGNAL_LOGS];
    struct compact *c = mem_alloc(sizeof(*c));
    c->store = store;
    c->kind = (enum block_kind)kind;
    c->most = spans ? o->block_spans : o->block_logs;
    c->most_bytes =
        o->retention_bytes > 0 && o->retention_bytes / RETENTION_PART < BYTES
            ? o->retention_bytes / RETENTION_PART
            : BYTES;
    c->range_ns = keep > 0 && keep / RETENTION_PART < RANGE_NS
                      ? keep / RETENTION_PART
                      : RANGE_NS;
    status = step(c, &store->compact_from[kind]);
    free(c);
    if (status == OK)
        *more = true; /* else not at once: the disk may be full for long */
    return status;
}
