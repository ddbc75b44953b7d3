/*
 * The list of batches is a chain of runs of fixed size. The last run's next
 * is written when the run is full, before the count grows, and a reader goes
 * on to the next run only if its count says that there is more: so it never
 * looks at what is being written.
 */
#include "head.h"

#include <assert.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"

struct section *section_new(enum stream stream, uint64_t serial)
{
    struct section *section = mem_zero(1, sizeof(*section));

    atomic_init(&section->refs, 1);
    section->stream = stream;
    section->serial = serial;
    section->opened_ns = clock_monotonic_ns();
    section->received_ns = UINT64_MAX;
    section->last_run = &section->first_run;
    return section;
}

struct section *section_ref(struct section *section)
{
    atomic_fetch_add_explicit(&section->refs, 1, memory_order_relaxed);
    return section;
}

static void free_batches(struct section *section)
{
    struct section_view all = {section, section->batch_count};
    struct section_walk walk = section_walk(&all);

    for (uint32_t i = 0; i < section->batch_count; i++) {
        if (walk.at == RUN_BATCHES) {
            walk.run = walk.run->next;
            walk.at = 0;
        }
        batch_free(walk.run->at[walk.at++]);
    }
}

void section_free(struct section *section)
{
    if (!section ||
        atomic_fetch_sub_explicit(&section->refs, 1, memory_order_acq_rel) > 1)
        return;
    free_batches(section);
    for (struct batch_run *run = section->first_run.next; run;) {
        struct batch_run *next = run->next;

        free(run);
        run = next;
    }
    block_rows_free(section->rows);
    free(section);
}

void section_add(struct section *section, struct batch *batch)
{
    uint32_t at = section->batch_count % RUN_BATCHES;

    assert(!section->closed);
    if (at == 0 && section->batch_count > 0) {
        section->last_run->next = mem_zero(1, sizeof(struct batch_run));
        section->last_run = section->last_run->next;
    }
    section->last_run->at[at] = batch;
    if (section->batch_count++ == 0 || batch->lsn < section->first_lsn)
        section->first_lsn = batch->lsn;
    if (batch->lsn > section->last_lsn)
        section->last_lsn = batch->lsn;
    if (batch->received_ns < section->received_ns && !batch->derived)
        section->received_ns = batch->received_ns;
    section->records += batch->count;
    section->bytes += batch_size(batch);
}

struct section_walk section_walk(const struct section_view *view)
{
    return (struct section_walk){&view->section->first_run, 0,
                                 view->batch_count};
}

const struct batch *section_next(struct section_walk *walk)
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
