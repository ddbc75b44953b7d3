#include "memtables.h"

#include "block.h"
#include "clock.h"
#include "stats.h"

void memtables_init(struct memtables *memtables, struct commit_state *commits,
                    const struct store_options *options)
{
    *memtables = (struct memtables){.commits = commits,
                                    .options = options,
                                    .derived_ns = clock_monotonic_ns()};
    for (int i = 0; i < STREAM_COUNT; i++)
        memtables->streams[i].next_serial = 1;
}

void memtables_release(struct memtables *memtables)
{
    for (int i = 0; i < STREAM_COUNT; i++)
        for (struct memtable *m = memtables->streams[i].first; m;) {
            struct memtable *next = m->next;

            memtable_free(m);
            m = next;
        }
    memtables_free_rows(memtables);
}

struct memtable *memtables_open(struct memtables *memtables, enum stream stream)
{
    struct stream_memtables *list = &memtables->streams[stream];

    if (list->last && !list->last->closed)
        return list->last;
    struct memtable *memtable = memtable_new(stream, list->next_serial++);
    if (list->last)
        list->last->next = memtable;
    else
        list->first = memtable;
    list->last = memtable;
    /* The writer notes when this one will be old enough. */
    pthread_cond_signal(&memtables->commits->work);
    return memtable;
}

void memtables_close(struct memtables *memtables, enum stream stream)
{
    struct stream_memtables *list = &memtables->streams[stream];

    if (!list->last || list->last->closed)
        return;
    if (list->appending) {
        list->close_wanted = true;
        return;
    }
    /* Nothing waits for the others to be committed: this one takes what is
     * still appended. */
    if (memtables->commits->shutting_down && list->closed >= MEMTABLES_WAITING)
        return;
    list->last->closed = true;
    list->last->order = memtables->next_order++;
    list->closed++;
    pthread_cond_signal(&memtables->commits->work);
}

void memtables_close_all(struct memtables *memtables)
{
    for (int i = 0; i < STREAM_COUNT; i++)
        memtables_close(memtables, (enum stream)i);
}

void memtables_drop(struct memtables *memtables, struct memtable *memtable)
{
    struct stream_memtables *list = &memtables->streams[memtable->stream];

    list->first = memtable->next;
    if (!list->first)
        list->last = NULL;
    list->closed--;
    if (memtable->last_lsn > list->watermark)
        list->watermark = memtable->last_lsn;
    memtables->bytes -= memtable->bytes;
    stats_set(STATS_MEMTABLE_BYTES, memtables->bytes);
}

struct span_rows *memtables_take_rows(struct memtables *memtables)
{
    return memtables->spare_count > 0
               ? memtables->spare_rows[--memtables->spare_count]
               : span_rows_new();
}

void memtables_return_rows(struct memtables *memtables,
                           struct memtable *memtable)
{
    struct span_rows *rows = memtable->rows;

    memtable->rows = NULL;
    if (!rows)
        return;
    span_rows_reset(rows);
    pthread_mutex_lock(&memtables->commits->lock);
    if (memtables->spare_count <= MEMTABLES_WAITING) {
        memtables->spare_rows[memtables->spare_count++] = rows;
        rows = NULL;
    }
    pthread_mutex_unlock(&memtables->commits->lock);
    span_rows_free(rows);
}

void memtables_free_rows(struct memtables *memtables)
{
    while (memtables->spare_count > 0)
        span_rows_free(memtables->spare_rows[--memtables->spare_count]);
}

uint64_t memtables_durable_lsn(const struct memtables *memtables,
                               bool after_closed)
{
    uint64_t lsn = memtables->last_lsn;

    for (int i = 0; i < STREAM_DERIVED; i++) {
        const struct memtable *first = memtables->streams[i].first;

        while (after_closed && first && first->closed)
            first = first->next;
        if (first && first->first_lsn <= lsn)
            lsn = first->first_lsn > 0 ? first->first_lsn - 1 : 0;
    }
    return lsn;
}
