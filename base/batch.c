/*
 * The batch is one small allocation; body and arena hold nearly all memory and
 * are charged to the budget.
 */
#include "batch.h"

#include <assert.h>
#include <stdlib.h>

#include "mem.h"

struct batch *batch_new(enum signal signal, char *body, size_t body_len,
                        struct budget *budget)
{
    struct batch *batch = mem_zero(1, sizeof(*batch));

    batch->signal = signal;
    batch->body = body;
    batch->body_len = body_len;
    batch->budget = budget;
    /* Records that would fill half of the budget are rejected permanently:
     * "retry later" would make the client send them forever. */
    arena_init(&batch->arena, budget, budget ? budget->limit / 2 : SIZE_MAX);
    atomic_init(&batch->refs, 1);
    return batch;
}

void batch_set_source_offset(struct batch *batch,
                             const struct source_offset *source)
{
    struct source_offset *copy = mem_alloc(sizeof(*copy) + source->topic.len);

    assert(source->topic.len <= SOURCE_MAX_TOPIC);
    *copy = *source;
    copy->topic.ptr = (char *)(copy + 1);
    slice_copy((char *)(copy + 1), source->topic);
    free(batch->source);
    batch->source = copy;
}

struct batch *batch_ref(struct batch *batch)
{
    atomic_fetch_add_explicit(&batch->refs, 1, memory_order_relaxed);
    return batch;
}

void batch_free(struct batch *batch)
{
    if (!batch ||
        atomic_fetch_sub_explicit(&batch->refs, 1, memory_order_acq_rel) > 1)
        return;
    arena_release(&batch->arena);
    if (batch->budget)
        budget_give(batch->budget, batch->body_len);
    free(batch->body);
    free(batch->source);
    writer_free(batch->writer);
    free(batch);
}

void batch_done(struct batch *batch, enum status status)
{
    void (*done)(void *arg, enum status status) = batch->done;

    batch->done = NULL;
    if (done)
        done(batch->done_arg, status);
}

static uint64_t time_of(const struct batch *batch, uint32_t i,
                        uint8_t *corrected)
{
    switch (batch->signal) {
    case SIGNAL_SPANS:
        *corrected = batch->spans[i].corrected;
        return batch->spans[i].start_ns;
    case SIGNAL_LOGS:
        *corrected = batch->logs[i].corrected;
        return batch->logs[i].time_ns;
    default:
        *corrected = batch->points[i].corrected;
        return batch->points[i].time_ns;
    }
}

uint32_t batch_untimed(const struct batch *batch)
{
    uint32_t untimed = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        uint8_t corrected;
        uint64_t time = time_of(batch, i, &corrected);

        untimed += (corrected & CORRECTED_TIME) && time == batch->received_ns;
    }
    return untimed;
}

size_t batch_size(const struct batch *batch)
{
    return batch->body_len + arena_size(&batch->arena);
}
