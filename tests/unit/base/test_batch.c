#include "batch.h"

#include <stdlib.h>

#include "mem.h"
#include "test.h"

static int calls;
static enum status last;

static void done(void *arg, enum status status)
{
    CHECK(arg == &calls);
    calls++;
    last = status;
}

static struct batch *make(struct budget *budget, size_t len)
{
    CHECK(budget_take(budget, len));
    return batch_new(SIGNAL_LOGS, mem_alloc(len), len, budget);
}

TEST(all_memory_is_given_back_at_the_end)
{
    struct budget budget;
    struct batch *batch;

    budget_init(&budget, 1 << 20);
    batch = make(&budget, 1000);
    CHECK_EQ(batch->signal, SIGNAL_LOGS);
    CHECK_EQ(batch_size(batch), 1000);
    CHECK(arena_alloc(&batch->arena, 100));
    CHECK(batch_size(batch) > 1100);
    CHECK_EQ(batch_size(batch), budget_used(&budget));

    CHECK(batch_ref(batch) == batch);
    batch_free(batch);
    CHECK(budget_used(&budget) > 1000); /* the other one still holds it */
    batch_free(batch);
    CHECK_EQ(budget_used(&budget), 0);
    batch_free(NULL);
}

TEST(done_is_called_once)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

    batch_done(batch, OK); /* nobody to call */
    batch->done = done;
    batch->done_arg = &calls;
    batch_done(batch, ERR_IO);
    batch_done(batch, OK);
    CHECK_EQ(calls, 1);
    CHECK_EQ(last, ERR_IO);
    batch_free(batch);
}

/* What never fits is not "busy", or a client would send it for ever. */
TEST(records_larger_than_half_of_all_are_too_big)
{
    struct budget budget;
    struct batch *batch;

    budget_init(&budget, 1 << 20);
    batch = make(&budget, 1000);
    CHECK(!arena_alloc(&batch->arena, 600 << 10));
    CHECK_EQ(arena_status(&batch->arena), ERR_TOO_BIG);
    batch_free(batch);
    CHECK_EQ(budget_used(&budget), 0);
}
