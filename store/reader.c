/*
 * A view is fixed in this order:
 *
 *   1  under the lock: references to all memtables, and how many batches each
 *      has; the oldest generation of pending_writes
 *   2  BEGIN, and the table of streams is read, which fixes the snapshot of
 *      the database
 *   3  memtables whose serial number the snapshot says is committed are left
 *      out
 *
 * Records appended before are seen exactly once: their memtable was in the
 * list at 1, or had left it because it was committed, and then 2 shows it. If
 * it was in the list and was committed between 1 and 2, then 3 leaves it out.
 */
#include "reader.h"

#include <assert.h>
#include <stdlib.h>

#include "array.h"
#include "mem.h"
#include "stats.h"

enum { SCRATCH_CAP = 96 << 20, WORK_CAP = 64 << 20 };

/* After a query that took this much the writer gives freed memory back. */
enum { TRIM_FROM = 2 << 20 };

enum status reader_open(struct reader **out, struct store *store)
{
    struct reader *reader = mem_zero(1, sizeof(*reader));
    enum status status = db_open(&reader->db, store->path, false);

    reader->store = store;
    arena_init(&reader->scratch, &store->queries, SCRATCH_CAP);
    arena_init(&reader->work, &store->queries, WORK_CAP);
    if (status != OK) {
        reader_close(reader);
        return status;
    }
    *out = reader;
    return OK;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    if (reader->active)
        reader_end(reader);
    db_close(reader->db);
    arena_release(&reader->scratch);
    arena_release(&reader->work);
    free(reader->held);
    free(reader);
}

void reader_set_cancel(struct reader *reader, const atomic_bool *cancelled)
{
    reader->cancelled = cancelled;
}

enum status reader_cancelled(const struct reader *reader)
{
    return reader->cancelled &&
                   atomic_load_explicit(reader->cancelled, memory_order_relaxed)
               ? ERR_CANCELLED
               : OK;
}

enum status reader_status(const struct reader *reader, enum status status)
{
    const struct budget *queries = &reader->store->queries;
    size_t own = arena_size(&reader->scratch) + arena_size(&reader->work);
    size_t used = budget_used(queries);

    return status == ERR_BUSY && used < own + queries->limit / 4 ? ERR_TOO_BIG
                                                                 : status;
}

static void hold(struct reader *reader, struct memtable *memtable)
{
    struct memtable **held =
        array_append(&reader->held, reader->held_count, &reader->held_room);

    *held = memtable_ref(memtable);
    reader->held_count++;
}

static void take_heads(struct reader *reader)
{
    struct store *store = reader->store;

    pthread_mutex_lock(&store->lock);
    for (int i = 0; i < STREAM_COUNT; i++) {
        struct memtables_view *head = &reader->heads[i];

        head->count = 0;
        for (struct memtable *s = store->streams[i].first; s; s = s->next) {
            assert(head->count < MEMTABLES_MAX);
            hold(reader, s);
            head->at[head->count++] = (struct memtable_view){s, s->batch_count};
        }
    }
    struct pending_writes *before = reader->pending_writes;
    reader->pending_writes = pending_writes_ref(store->pending_writes);
    pthread_mutex_unlock(&store->lock);
    pending_writes_free(before);
}

static void leave_out_committed(struct memtables_view *head, uint64_t sealed)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < head->count; i++)
        if (head->at[i].memtable->serial > sealed)
            head->at[kept++] = head->at[i];
    head->count = kept;
}

static enum status take_view(struct reader *reader)
{
    enum status status = db_run(reader->db, SQL_BEGIN_READ);

    if (status != OK)
        return status;
    reader->in_view = true;

    struct db_stmt s = stmt_start(reader->db, SQL_STREAMS);
    while (stmt_row(&s)) {
        uint64_t id = stmt_get_int(&s, 0);

        if (id >= STREAM_COUNT)
            continue;
        reader->sealed[id] = stmt_get_int(&s, 2);
        leave_out_committed(&reader->heads[id], reader->sealed[id]);
    }
    return stmt_end(&s);
}

static void end_view(struct reader *reader)
{
    /* A transaction that only read has nothing to lose if this fails. */
    if (reader->in_view && db_run(reader->db, SQL_COMMIT) != OK &&
        db_run(reader->db, SQL_ROLLBACK) != OK)
        stats_add(STATS_STORE_ERRORS, 1);
    reader->in_view = false;
}

enum status reader_begin(struct reader *reader)
{
    assert(!reader->active);
    reader->active = true;
    take_heads(reader);

    enum status status = take_view(reader);
    if (status != OK)
        reader_end(reader);
    return status;
}

enum status reader_refresh(struct reader *reader)
{
    end_view(reader);
    take_heads(reader);
    return take_view(reader);
}

void reader_end(struct reader *reader)
{
    if (!reader->active)
        return;
    end_view(reader);
    store_note_damage(reader->store, reader->db);
    for (uint32_t i = 0; i < reader->held_count; i++)
        memtable_free(reader->held[i]);
    reader->held_count = 0;
    pending_writes_free(reader->pending_writes);
    reader->pending_writes = NULL;
    if (arena_size(&reader->scratch) + arena_size(&reader->work) > TRIM_FROM)
        atomic_store(&reader->store->trim, true);
    arena_release(&reader->scratch);
    arena_release(&reader->work);
    arena_init(&reader->scratch, &reader->store->queries, SCRATCH_CAP);
    arena_init(&reader->work, &reader->store->queries, WORK_CAP);
    reader->active = false;
}

enum status reader_resource(struct reader *reader, uint32_t id,
                            struct arena *arena, struct resource *resource)
{
    pthread_mutex_lock(&reader->store->lock);
    const struct pending_write *save =
        pending_writes_find_resource(reader->pending_writes, id);
    pthread_mutex_unlock(&reader->store->lock);
    if (save)
        return resource_read(save->texts[0], save->bytes, id, arena, resource);

    struct db_stmt s = stmt_start(reader->db, SQL_RESOURCE_FIND);
    enum status status = ERR_NOT_FOUND;
    stmt_int(&s, id);
    if (stmt_row(&s))
        status = resource_read(stmt_get_bytes(&s, 0), stmt_get_bytes(&s, 1), id,
                               arena, resource);
    enum status end = stmt_end(&s);
    return end != OK ? end : status;
}

enum status reader_sizes(struct reader *reader, struct store_sizes *sizes)
{
    struct store_sizes found = {0};
    struct db_stmt s = stmt_start(reader->db, SQL_STREAMS);

    while (stmt_row(&s)) {
        uint64_t id = stmt_get_int(&s, 0);

        if (id >= STREAM_COUNT)
            continue;
        found.blocks[id] = stmt_get_int(&s, 3);
        found.records[id] = stmt_get_int(&s, 4);
        found.bytes[id] = stmt_get_int(&s, 5);
    }
    enum status status = stmt_end(&s);
    if (status != OK)
        return status;

    s = stmt_start(reader->db, SQL_PAGES);
    if (stmt_row(&s))
        found.file_bytes = stmt_get_int(&s, 0) * stmt_get_int(&s, 2);
    status = stmt_end(&s);
    if (status == OK)
        *sizes = found;
    return status;
}
