/*
 * Every memtable leaves a chunk for each resource that had points, so an hour
 * of a resource is soon dozens of small chunks. They are merged in two rounds:
 *
 *   fresh (merged 0)   as soon as MERGE_FRESH of one stream, resource and
 *                      hour are there, they become one (merged 1)
 *   hour over          and nothing written to it for SETTLE_S: all chunks of
 *                      it become one (final 1)
 *
 * so every point is written three times at most, and a reader of a day opens
 * about one chunk an hour. Delta points of derived series that are equal in
 * series and time are added up on the way; received points never are.
 *
 * What would take too much memory in one piece stays as it is, marked final.
 */
#include <stdlib.h>

#include "block_encoder.h"
#include "block_table.h"
#include "clock.h"
#include "record_copy.h"
#include "stats.h"
#include "store_int.h"

enum {
    MERGE_FRESH = 16,
    MERGE_GROUPS = 32, /* of one step */
    MERGE_POINTS = 64 * 1024,
    MERGE_MEMORY = 24 << 20,
    MERGE_CHUNKS = 1024,
    SETTLE_S = 600,
};

/* When nothing was found, the next look is that much later. */
#define LOOK_AGAIN_NS (5 * NS_PER_S)

struct chunk_group {
    uint64_t hour, resource, stream;
};

struct chunk_merge {
    struct db *db;
    struct chunk_group group;
    bool whole; /* the hour is over */
    uint64_t now_s;
    struct arena memory, scratch;
    const struct point **points;
    uint32_t count, stored; /* points kept, points as the rows say */
    uint64_t ids[MERGE_CHUNKS];
    uint32_t chunks, written;
    int64_t bytes; /* by which the chunks grow */
    const struct point *last, *last_copy;
};

/* Points of a series come together, so their metric and attributes are copied
 * once: when they are not those of the point before. */
static void take_point(void *arg, const struct point *point)
{
    struct chunk_merge *m = arg;
    struct point *copy;

    if (m->count == MERGE_POINTS) {
        m->memory.status = ERR_TOO_BIG;
        return;
    }
    if (m->last_copy && m->last->metric == point->metric &&
        m->last->attrs.at == point->attrs.at) {
        copy = copy_point_value(&m->memory, point);
        if (copy) {
            copy->metric = m->last_copy->metric;
            copy->attrs = m->last_copy->attrs;
        }
    } else {
        struct point *key = arena_alloc(&m->memory, sizeof(*key));

        copy = copy_point(&m->memory, point);
        if (key)
            *key = *point;
        m->last = key;
        m->last_copy = key ? copy : NULL;
    }
    if (copy)
        m->points[m->count++] = copy;
}

static enum status read_chunks(struct chunk_merge *m)
{
    const struct series_query all = {.start_ns = 0, .end_ns = UINT64_MAX};
    struct db_stmt s = db_query(m->db, SQL_MERGE_READ, db_int(m->group.hour),
                                db_int(m->group.resource),
                                db_int(m->group.stream), db_int(m->whole));
    enum status status = OK;

    while (status == OK && stmt_row(&s)) {
        const struct chunk_bytes chunk = {.bytes = stmt_bytes(&s, 4),
                                          .tails = stmt_bytes(&s, 2)};

        if (m->chunks == MERGE_CHUNKS)
            status = ERR_TOO_BIG;
        m->ids[m->chunks++ % MERGE_CHUNKS] = stmt_int(&s, 0);
        m->stored += (uint32_t)stmt_int(&s, 1);
        m->bytes -= (int64_t)(chunk.bytes.len + chunk.tails.len);
        m->last_copy = NULL;
        if (status == OK)
            status = series_read(&chunk, (uint32_t)m->group.resource, &all,
                                 &m->scratch, take_point, m);
        arena_reset(&m->scratch);
        if (status == OK)
            status = arena_status(&m->memory);
    }
    return stmt_end_with(&s, status);
}

static enum status write_chunk(void *arg, const struct chunk *chunk)
{
    struct chunk_merge *m = arg;
    const struct chunk_state state = {.stream = (enum stream)m->group.stream,
                                      .merged = true,
                                      .final = m->whole,
                                      .now_s = m->now_s};

    m->written += chunk->count;
    m->bytes += (int64_t)(chunk->bytes.len + chunk->tails.len);
    return chunk_insert(m->db, &state, chunk);
}

static enum status mark_final(const struct chunk_merge *m)
{
    return db_exec(m->db, SQL_CHUNK_FINAL, db_int(m->group.hour),
                   db_int(m->group.resource), db_int(m->group.stream));
}

static enum status replace(struct chunk_merge *m, struct series_writer *writer)
{
    enum status status = OK;

    for (uint32_t i = 0; i < m->chunks && status == OK; i++)
        status = chunk_remove(m->db, m->ids[i]);
    if (status == OK)
        status =
            series_write(writer, m->points, m->count,
                         m->group.stream == STREAM_DERIVED, write_chunk, m);
    if (status == OK)
        status = totals_add(m->db, (enum stream)m->group.stream,
                            1 - (int64_t)m->chunks,
                            (int64_t)m->written - (int64_t)m->stored, m->bytes);
    return status;
}

static enum status merge_group(struct chunk_merge *m,
                               struct series_writer *writer)
{
    enum status status;

    m->count = m->stored = m->chunks = m->written = 0;
    m->bytes = 0;
    arena_init(&m->memory, NULL, MERGE_MEMORY);
    arena_init(&m->scratch, NULL, MERGE_MEMORY);
    status = read_chunks(m);
    if (status == ERR_CORRUPT)
        stats_add(STATS_STORE_CORRUPT, 1);
    if (status == ERR_IO || status == ERR_INTERNAL)
        ; /* of the database: not the group's fault */
    else if (status != OK || m->chunks < 2)
        status = mark_final(m);
    else
        status = replace(m, writer);
    arena_release(&m->memory);
    arena_release(&m->scratch);
    return status;
}

/* What may be merged now; how many groups. */
static enum status find_groups(struct chunk_merge *m, uint64_t now_ns,
                               struct chunk_group groups[MERGE_GROUPS],
                               uint32_t *count)
{
    struct db_stmt s = db_query(
        m->db, SQL_MERGE_FIND, db_int(series_hour(now_ns)),
        db_int(m->now_s - SETTLE_S), db_int(MERGE_FRESH), db_int(MERGE_GROUPS));
    *count = 0;
    while (stmt_row(&s) && *count < MERGE_GROUPS)
        groups[(*count)++] = (struct chunk_group){
            stmt_int(&s, 0), stmt_int(&s, 1), stmt_int(&s, 2)};
    return stmt_end(&s);
}

enum status chunk_compaction_step(struct store *store, bool *more)
{
    struct store_writer *store_writer = &store->writer;
    uint64_t now = clock_wall_ns();
    struct chunk_group groups[MERGE_GROUPS];
    uint32_t count = 0;

    if (clock_monotonic_ns() < store_writer->chunks_due_ns)
        return OK;

    struct chunk_merge *m = malloc(sizeof(*m));
    if (!m)
        return ERR_BUSY;
    *m = (struct chunk_merge){.db = store_writer->db, .now_s = now / NS_PER_S};
    enum status status = find_groups(m, now, groups, &count);
    if (status == OK && count > 0) {
        m->points = malloc(MERGE_POINTS * sizeof(*m->points));
        status = m->points ? db_run(m->db, SQL_BEGIN_WRITE) : ERR_BUSY;
        for (uint32_t i = 0; i < count && status == OK; i++) {
            m->group = groups[i];
            m->whole = groups[i].hour < series_hour(now);
            status =
                merge_group(m, block_encoder_series(store_writer->encoder));
        }
        if (status == OK)
            status = db_run(m->db, SQL_COMMIT);
    }
    if (status == OK && count == MERGE_GROUPS)
        *more = true;
    else
        store_writer->chunks_due_ns = clock_monotonic_ns() + LOOK_AGAIN_NS;
    free(m->points);
    free(m);
    return status;
}
