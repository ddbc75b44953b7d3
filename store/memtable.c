/*
 * The list of batches is a chain of runs of fixed size. The `next` of the last
 * run is written when the run is full, before the count grows, and a reader
 * moves to the next run only if its count includes a batch of it: so it never
 * reads what is being written.
 */
#include "memtable.h"

#include <assert.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"

struct memtable *memtable_new(enum stream stream, uint64_t serial)
{
    struct memtable *memtable = mem_zero(1, sizeof(*memtable));

    atomic_init(&memtable->refs, 1);
    memtable->stream = stream;
    memtable->serial = serial;
    memtable->opened_ns = clock_monotonic_ns();
    memtable->received_ns = UINT64_MAX;
    memtable->last_run = &memtable->first_run;
    return memtable;
}

struct memtable *memtable_ref(struct memtable *memtable)
{
    atomic_fetch_add_explicit(&memtable->refs, 1, memory_order_relaxed);
    return memtable;
}

static void free_batches(struct memtable *memtable)
{
    struct memtable_view all = {memtable, memtable->batch_count};
    struct memtable_cursor cursor = memtable_cursor(&all);
    const struct batch *batch;

    while ((batch = memtable_next(&cursor)))
        batch_free((struct batch *)(uintptr_t)batch);
}

void memtable_free(struct memtable *memtable)
{
    if (!memtable ||
        atomic_fetch_sub_explicit(&memtable->refs, 1, memory_order_acq_rel) > 1)
        return;
    free_batches(memtable);
    for (struct batch_run *run = memtable->first_run.next; run;) {
        struct batch_run *next = run->next;

        free(run);
        run = next;
    }
    span_rows_free(memtable->rows);
    free(memtable);
}

void memtable_add(struct memtable *memtable, struct batch *batch)
{
    uint32_t at = memtable->batch_count % RUN_BATCHES;

    assert(!memtable->closed);
    if (at == 0 && memtable->batch_count > 0) {
        memtable->last_run->next = mem_zero(1, sizeof(struct batch_run));
        memtable->last_run = memtable->last_run->next;
    }
    memtable->last_run->at[at] = batch;
    if (memtable->batch_count++ == 0 || batch->lsn < memtable->first_lsn)
        memtable->first_lsn = batch->lsn;
    if (batch->lsn > memtable->last_lsn)
        memtable->last_lsn = batch->lsn;
    if (batch->received_ns < memtable->received_ns && !batch->derived)
        memtable->received_ns = batch->received_ns;
    memtable->records += batch->count;
    memtable->bytes += batch_size(batch);
}

struct memtable_cursor memtable_cursor(const struct memtable_view *view)
{
    return (struct memtable_cursor){&view->memtable->first_run, 0,
                                    view->batch_count};
}

const struct batch *memtable_next(struct memtable_cursor *walk)
{
    if (walk->left == 0)
        return NULL;
    if (walk->at == RUN_BATCHES) {
        walk->run = walk->run->next;
        walk->at = 0;
    }
    walk->left--;
    return walk->run->at[walk->at++];
}
