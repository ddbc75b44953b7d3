/* All that a store holds comes piece by piece, once, and stays in its piece. */
#include "store_pieces.h"

#include "bitmap.h"
#include "clock.h"
#include "store_help.h"

#define START (UINT64_C(480000) * NS_PER_HOUR)

struct seen {
    uint32_t spans, logs, events, points, histograms, derived;
    uint64_t span_names, bodies;
};

static enum status see_spans(void *arg, struct span *spans, uint32_t count)
{
    struct seen *seen = arg;

    for (uint32_t i = 0; i < count; i++)
        seen->span_names += slice_equal(spans[i].name, slice_of("work"));
    seen->spans += count;
    return OK;
}

static enum status see_logs(void *arg, struct log_record *logs, uint32_t count)
{
    struct seen *seen = arg;

    for (uint32_t i = 0; i < count; i++) {
        seen->events += logs[i].is_event;
        seen->bodies += attr_text(&logs[i].body).len;
    }
    seen->logs += count;
    return OK;
}

static void see_point(void *arg, const struct point *point)
{
    struct seen *seen = arg;

    seen->points++;
    seen->histograms += point->metric->type == METRIC_HISTOGRAM;
    seen->derived += slice_starts(point->metric->name, slice_of("callboard."));
}

static struct batch *spans_of(uint64_t lsn, uint32_t count)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

    batch->lsn = lsn;
    batch->count = count;
    batch->spans = arena_zero(&batch->arena, count, sizeof(struct span));
    for (uint32_t i = 0; i < count; i++) {
        struct span *span = &batch->spans[i];

        span->trace_id[0] = (uint8_t)(1 + i);
        span->trace_id[1] = (uint8_t)lsn;
        span->span_id[0] = 1;
        span->name = slice_of("work");
        span->start_ns = START + i;
        span->end_ns = START + i + 1;
    }
    return batch;
}

static struct batch *logs_of(uint64_t lsn, uint32_t count)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->lsn = lsn;
    batch->count = count;
    batch->logs = arena_zero(&batch->arena, count, sizeof(struct log_record));
    for (uint32_t i = 0; i < count; i++)
        batch->logs[i] =
            (struct log_record){.time_ns = START + i,
                                .body = attr_string("", slice_of("said")),
                                .is_event = i % 2 == 0};
    return batch;
}

static void fill(const char *dir)
{
    struct store_options options = options_in(dir);
    struct store *store;

    CHECK_EQ(store_open(&store, &options), OK);
    store_append(store, spans_of(1, 100));
    store_append(store, logs_of(2, 50));
    /* over the end of an hour */
    store_append(store,
                 points_batch(3, false, "m", 0,
                              START + NS_PER_HOUR - 5 * NS_PER_S, 10, 1));
    store_append(store, histograms_batch(4, false, 1, START, 10, 1));
    store_append(store, points_batch(5, true, "callboard.x", 2,
                                     START + NS_PER_HOUR, 10, 1));
    store_close(store);
}

static struct seen visit(const char *dir, struct store_piece pieces[16],
                         uint32_t *count)
{
    struct store_options options = options_in(dir);
    struct seen seen = {0};
    const struct piece_visitor visitor = {
        .spans = see_spans, .logs = see_logs, .point = see_point, .arg = &seen};
    struct store_piece *listed;
    struct reader *reader;
    struct store *store;
    struct arena arena;

    options.cold = true;
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_list_pieces(reader, &arena, &listed, count), OK);
    if (CHECK(*count > 0 && *count <= 16)) {
        struct bitmap *all = bitmap_new(&arena, 64);

        for (uint32_t i = 0; i < 64; i++)
            bitmap_add(all, i);
        for (uint32_t i = 0; i < *count; i++) {
            pieces[i] = listed[i];
            CHECK_EQ(reader_visit_piece(reader, &listed[i], all, &visitor), OK);
        }
    }
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    arena_release(&arena);
    return seen;
}

TEST(all_comes_once)
{
    struct store_piece first[16], again[16];
    uint32_t count = 0, count_again = 0;
    struct seen seen;
    char dir[64];

    temp_make(dir);
    fill(dir);
    seen = visit(dir, first, &count);
    CHECK_EQ(seen.spans, 100);
    CHECK_EQ(seen.span_names, 100);
    CHECK_EQ(seen.logs, 50);
    CHECK_EQ(seen.events, 25);
    CHECK_EQ(seen.bodies, 200);
    CHECK_EQ(seen.points, 30);
    CHECK_EQ(seen.histograms, 10);
    CHECK_EQ(seen.derived, 10);
    CHECK_EQ(count, 5); /* spans, logs, events, two hours */
    visit(dir, again, &count_again);
    if (CHECK_EQ(count_again, count))
        for (uint32_t i = 0; i < count; i++) {
            CHECK_EQ(again[i].kind, first[i].kind);
            CHECK_EQ(again[i].id, first[i].id);
        }
    temp_remove(dir);
}
