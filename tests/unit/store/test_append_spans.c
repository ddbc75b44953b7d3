/*
 * Spans are encoded when they are appended if their memtable becomes one
 * block; batches of any size are read back complete.
 */
#include "store_help.h"

enum { LARGEST = 5000 };

static struct batch *spans_batch(uint32_t number, uint32_t count)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
    struct scope *scope = arena_zero(&batch->arena, 1, sizeof(*scope));

    scope->name = arena_copy(&batch->arena, SLICE("scope"));
    batch->lsn = number;
    batch->count = count;
    batch->spans = arena_zero(&batch->arena, count, sizeof(*batch->spans));
    for (uint32_t i = 0; i < count; i++) {
        struct span *span = &batch->spans[i];
        struct attr *attr = arena_zero(&batch->arena, 1, sizeof(*attr));

        span->trace_id[0] = (uint8_t)number;
        span->span_id[0] = (uint8_t)(i >> 8);
        span->span_id[1] = (uint8_t)i;
        span->span_id[2] = 1;
        span->start_ns = (count - i) * 1000 + 1;
        span->end_ns = span->start_ns + i;
        span->name = arena_copy(&batch->arena, SLICE("work"));
        span->scope = scope;
        *attr = (struct attr){.key = "number",
                              .key_len = 6,
                              .type = VALUE_INT,
                              .i = number * LARGEST + i};
        span->attrs = (struct attrs){attr, 1, 0};
    }
    return batch;
}

static void check_batch(struct reader *reader, uint32_t number, uint32_t count)
{
    uint8_t id[16] = {(uint8_t)number};
    struct arena arena;
    struct span *spans = NULL;
    uint32_t got = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(query_trace(reader, id, true, &arena, &spans, &got), OK);
    CHECK_EQ(got, count);
    for (uint32_t k = 0; k < got; k++) {
        uint32_t i = count - 1 - k; /* they are in order of start */

        CHECK_EQ(spans[k].attrs.count, 1);
        CHECK_EQ(spans[k].attrs.at[0].i, number * LARGEST + i);
        CHECK_EQ(spans[k].end_ns - spans[k].start_ns, i);
        CHECK(spans[k].scope &&
              slice_equal(spans[k].scope->name, SLICE("scope")));
    }
    arena_release(&arena);
}

/* Blocks have 1000 spans: memtables of one block, memtables whose last batch
 * makes them larger than a block, and one batch of many blocks. */
static const uint32_t counts[] = {400, 400, 400, 900, 700,  LARGEST,
                                  1,   998, 2,   10,  1495, 10};

static void check_all(struct store *store)
{
    struct reader *reader = NULL;

    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    for (uint32_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
        check_batch(reader, i + 1, counts[i]);
    reader_end(reader);
    reader_close(reader);
}

TEST(batches_of_any_size_come_back)
{
    char dir[64];
    struct store *store = NULL;

    temp_make(dir);
    struct store_options options = options_in(dir);
    options.memtable_bytes = 64 << 20;
    CHECK_EQ(store_open(&store, &options), OK);
    for (uint32_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
        store_append(store, spans_batch(i + 1, counts[i]));
    check_all(store);
    store_close(store);
    store = NULL;
    CHECK_EQ(store_open(&store, &options), OK);
    check_all(store);
    store_close(store);
    temp_remove(dir);
}

TEST(a_memtable_closed_for_its_age_is_complete)
{
    char dir[64];
    struct store *store = NULL;

    temp_make(dir);
    struct store_options options = options_in(dir);
    options.memtable_age_ns = 1; /* while the next batch is being encoded */
    CHECK_EQ(store_open(&store, &options), OK);
    for (uint32_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
        store_append(store, spans_batch(i + 1, counts[i]));
    check_all(store);
    store_close(store);
    temp_remove(dir);
}
