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
#include "clock.h"
#include "mem.h"
#include "stats.h"

enum { SCRATCH_CAP = 96 << 20, WORK_CAP = 64 << 20 };

/* After a query that took this much the writer returns freed memory. */
enum { TRIM_FROM = 2 << 20 };

static void init_arenas(struct reader *reader)
{
    struct budget *memory = &reader->store->readers.memory;

    arena_init(&reader->scratch, memory, SCRATCH_CAP);
    arena_init(&reader->work, memory, WORK_CAP);
}

enum status embedded_reader_open(struct reader **out, struct store *store)
{
    struct reader *reader = mem_zero(1, sizeof(*reader));
    enum status status = db_open(&reader->db, store->path, false);

    reader->head.ops = store->head.readers;
    reader->store = store;
    init_arenas(reader);
    if (status != OK) {
        embedded_reader_close(reader);
        return status;
    }
    *out = reader;
    return OK;
}

void embedded_reader_close(struct reader *reader)
{
    if (!reader)
        return;
    if (reader->active)
        embedded_reader_end(reader);
    db_close(reader->db);
    arena_release(&reader->scratch);
    arena_release(&reader->work);
    free(reader->held);
    free(reader);
}

enum status reader_status(const struct reader *reader, enum status status)
{
    const struct budget *queries = &reader->store->readers.memory;
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

static void take_memtables(struct reader *reader)
{
    struct store *store = reader->store;

    pthread_mutex_lock(&store->commits.lock);
    for (int i = 0; i < STREAM_COUNT; i++) {
        struct memtables_view *view = &reader->memtables[i];

        view->count = 0;
        for (struct memtable *m = store->memtables.streams[i].first; m;
             m = m->next) {
            assert(view->count < MEMTABLES_MAX);
            hold(reader, m);
            view->at[view->count++] = (struct memtable_view){m, m->batch_count};
        }
    }
    struct pending_writes *before = reader->pending_writes;
    reader->pending_writes = pending_writes_ref(store->metadata.oldest);
    pthread_mutex_unlock(&store->commits.lock);
    pending_writes_free(before);
}

static void drop_committed(struct memtables_view *view, uint64_t committed)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < view->count; i++)
        if (view->at[i].memtable->serial > committed)
            view->at[kept++] = view->at[i];
    view->count = kept;
}

static enum status take_view(struct reader *reader)
{
    enum status status = db_run(reader->db, SQL_BEGIN_READ);

    if (status != OK)
        return status;
    reader->in_view = true;

    struct db_stmt s = db_query_all(reader->db, SQL_STREAMS);
    while (stmt_row(&s)) {
        uint64_t id = stmt_int(&s, 0);

        if (id >= STREAM_COUNT)
            continue;
        reader->committed[id] = stmt_int(&s, 2);
        drop_committed(&reader->memtables[id], reader->committed[id]);
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

enum status embedded_reader_begin(struct reader *reader)
{
    assert(!reader->active);
    reader->active = true;
    take_memtables(reader);

    enum status status = take_view(reader);
    if (status != OK)
        embedded_reader_end(reader);
    return status;
}

enum status reader_refresh(struct reader *reader)
{
    end_view(reader);
    take_memtables(reader);
    return take_view(reader);
}

void embedded_reader_end(struct reader *reader)
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
        atomic_store(&reader->store->readers.freed_much, true);
    arena_release(&reader->scratch);
    arena_release(&reader->work);
    init_arenas(reader);
    reader->active = false;
}

/* ---- records in memory ---- */

struct memtables_cursor memtables_cursor(const struct reader *reader,
                                         enum stream stream)
{
    struct memtables_cursor cursor = {.view = &reader->memtables[stream]};

    if (cursor.view->count > 0)
        cursor.batches = memtable_cursor(&cursor.view->at[0]);
    return cursor;
}

const struct batch *memtables_next(struct memtables_cursor *cursor)
{
    cursor->record = 0;
    cursor->batch = NULL;
    while (cursor->at < cursor->view->count) {
        cursor->batch = memtable_next(&cursor->batches);
        if (cursor->batch)
            break;
        if (++cursor->at < cursor->view->count)
            cursor->batches = memtable_cursor(&cursor->view->at[cursor->at]);
    }
    return cursor->batch;
}

/* ---- the end of the log ---- */

/* Of the journal that the store was filled from; 0: of none. */
static enum status read_store_id(struct reader *reader, uint32_t *id)
{
    struct db_stmt s =
        db_query(reader->db, SQL_VALUE_LOAD, db_text(SLICE("journal.id")));

    *id = 0;
    if (stmt_row(&s)) {
        struct slice value = stmt_bytes(&s, 0);

        *id = (uint32_t)hash_bytes(value.ptr, value.len, 0);
    }
    return stmt_end(&s);
}

/* The store takes batches in the order of their lsn: what the reader does not
 * see has a later one. What it sees is in blocks of memtables up to the one
 * that was committed last, or in memory. */
enum status embedded_log_tail(struct reader *reader, struct log_tail *now)
{
    struct memtables_cursor cursor = memtables_cursor(reader, STREAM_LOGS);
    const struct batch *batch;
    struct db_stmt s = db_query_all(reader->db, SQL_STREAMS);
    uint64_t lsn = 0;

    while (stmt_row(&s))
        if (stmt_int(&s, 0) == STREAM_LOGS)
            lsn = stmt_int(&s, 1);
    while ((batch = memtables_next(&cursor)))
        if (batch->lsn > lsn)
            lsn = batch->lsn;
    *now = (struct log_tail){.arrival = log_arrival(lsn, UINT64_MAX),
                             .serial = reader->committed[STREAM_LOGS]};

    enum status status = stmt_end(&s);
    return status == OK ? read_store_id(reader, &now->store) : status;
}

/* ---- resources and sizes ---- */

enum status embedded_reader_resource(struct reader *reader, uint32_t id,
                                     struct arena *arena,
                                     struct resource *resource)
{
    struct slice schema_url, attrs;

    pthread_mutex_lock(&reader->store->commits.lock);
    bool pending = pending_writes_find_resource(reader->pending_writes, id,
                                                &schema_url, &attrs);
    pthread_mutex_unlock(&reader->store->commits.lock);
    if (pending)
        return resource_read(schema_url, attrs, id, arena, resource);

    struct db_stmt s = db_query(reader->db, SQL_RESOURCE_FIND, db_int(id));
    enum status status = ERR_NOT_FOUND;
    if (stmt_row(&s))
        status = resource_read(stmt_bytes(&s, 0), stmt_bytes(&s, 1), id, arena,
                               resource);
    return stmt_end_with(&s, status);
}

enum status embedded_sizes(struct reader *reader, struct store_sizes *sizes)
{
    struct db_stmt s = db_query_all(reader->db, SQL_STREAMS);

    *sizes = (struct store_sizes){.bytes = {0}};
    while (stmt_row(&s)) {
        uint64_t id = stmt_int(&s, 0);

        if (id >= STREAM_COUNT)
            continue;
        sizes->blocks[id] = stmt_int(&s, 3);
        sizes->records[id] = stmt_int(&s, 4);
        sizes->bytes[id] = stmt_int(&s, 5);
    }
    return stmt_end(&s);
}
