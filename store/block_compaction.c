/*
 * Where little is sent, every memtable leaves a block of a few records, and a
 * query soon has thousands to open. Blocks of one kind that are next to each
 * other in time are merged,
 *
 *   at least GROUP_MIN of them, into one that has at least GROWTH times the
 *   records of the largest, at most as many as a full memtable, spans no more
 *   than RANGE_NS and has no more than BYTES (or a part of the retention:
 *   retention removes whole blocks)
 *
 * so a record is rewritten only into a block GROWTH times the size of the one
 * it was in: at most log4(16384) = 7 times. One transaction removes the small
 * ones and adds the large one; a reader's view has either.
 *
 * At first all blocks are examined in order of time, then only those near what
 * was added since, WINDOW at a time. What cannot be read, or takes too much
 * memory, stays as it is.
 */
#include "block_encoder.h"
#include "block_table.h"
#include "record_list.h"
#include "store_int.h"

#include <stdlib.h>

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
    uint64_t id, serial, count, min_ns, max_ns, bytes;
};

struct compact {
    struct store *store;
    enum block_kind kind;
    uint64_t most, most_bytes, range_ns; /* of a block that is made */
    uint32_t found;
    struct small_block at[WINDOW]; /* by time */
};

/* ---- what may be merged ---- */

static enum status find_blocks(struct compact *c, uint64_t from_ns)
{
    struct db_stmt s =
        db_query(c->store->writer.db, SQL_COMPACT_FIND, db_int(c->kind),
                 db_int(db_time(from_ns)), db_int(WINDOW));

    c->found = 0;
    while (c->found < WINDOW && stmt_row(&s))
        c->at[c->found++] = (struct small_block){
            stmt_int(&s, 0), stmt_int(&s, 1), stmt_int(&s, 2),
            stmt_int(&s, 3), stmt_int(&s, 4), stmt_int(&s, 5)};
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
    struct db_stmt s =
        db_query(c->store->writer.db, SQL_DATA_GET, db_int(b->id));
    enum status status = ERR_CORRUPT;
    uint32_t before = rows->count;

    if (stmt_row(&s))
        status = record_list_add(rows, c->kind, b->id, stmt_bytes(&s, 0));
    if (status == OK && rows->count - before != b->count)
        status = ERR_CORRUPT;
    return stmt_end_with(&s, status);
}

static enum status replace(struct compact *c, const struct small_block *group,
                           uint32_t count, const struct record_list *rows)
{
    struct store_writer *writer = &c->store->writer;
    uint64_t serial = 0;
    enum status status = db_run(writer->db, SQL_BEGIN_WRITE);

    for (uint32_t i = 0; i < count; i++)
        if (group[i].serial > serial)
            serial = group[i].serial;
    /* First, so that its number is a new one: numbers of blocks only grow. */
    if (status == OK)
        status = block_encoder_rewrite(writer->encoder, writer->db, c->kind,
                                       serial, rows->at, rows->count);
    for (uint32_t i = 0; i < count && status == OK; i++)
        status = block_remove(writer->db, c->kind, group[i].id, group[i].count,
                              group[i].bytes);
    if (status == OK)
        status = db_run(writer->db, SQL_COMMIT);
    if (status == OK)
        stats_add(STATS_BLOCKS_MERGED, count);
    return status;
}

/* Decoded blocks are charged like those of readers, up to a quarter of their
 * budget, because encoding takes as much again: a group that needs more is too
 * big. */
static void init_memory(struct store *store, struct arena *memory)
{
    struct budget *budget = &store->readers.memory;
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

/* Notes from where on there are blocks that were not examined. */
static enum status find_new(struct store_writer *writer)
{
    struct db_stmt s =
        db_query(writer->db, SQL_COMPACT_NEW, db_int(writer->blocks_id));

    while (stmt_row(&s)) {
        uint64_t kind = stmt_int(&s, 0), from = stmt_int(&s, 1);

        from = from > RANGE_NS ? from - RANGE_NS : 0;
        if (kind < KIND_COUNT && from < writer->blocks_from_ns[kind])
            writer->blocks_from_ns[kind] = from;
        if (stmt_int(&s, 2) > writer->blocks_id)
            writer->blocks_id = stmt_int(&s, 2);
    }
    writer->blocks_due_ns = clock_monotonic_ns() + LOOK_AGAIN_NS;
    return stmt_end(&s);
}

static uint64_t part_of(uint64_t retention, uint64_t most)
{
    uint64_t part = retention / RETENTION_PART;

    return retention > 0 && part < most ? part : most;
}

enum status block_compaction_step(struct store *store, bool *more)
{
    const struct store_options *o = &store->options;
    struct store_writer *writer = &store->writer;
    enum status status = OK;
    int kind = 0;

    /* It can wait, and queries need the memory now. */
    if (budget_used(&store->readers.memory) > store->readers.memory.limit / 8)
        return OK;
    if (clock_monotonic_ns() >= writer->blocks_due_ns)
        status = find_new(writer);
    while (kind < KIND_COUNT && writer->blocks_from_ns[kind] == UINT64_MAX)
        kind++;
    if (status != OK || kind == KIND_COUNT)
        return status;

    bool spans = kind == KIND_SPANS;
    uint64_t keep = o->retention_ns[spans ? SIGNAL_SPANS : SIGNAL_LOGS];
    struct compact *c = mem_alloc(sizeof(*c));
    c->store = store;
    c->kind = (enum block_kind)kind;
    c->most = spans ? o->block_spans : o->block_logs;
    c->most_bytes = part_of(o->retention_bytes, BYTES);
    c->range_ns = part_of(keep, RANGE_NS);
    status = step(c, &writer->blocks_from_ns[kind]);
    free(c);
    if (status == OK)
        *more = true; /* else not at once: the disk may be full for long */
    return status;
}
