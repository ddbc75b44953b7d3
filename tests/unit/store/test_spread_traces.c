/*
 * Traces from all over a time: in blocks and in memory, more of them in some
 * hours than in others, a slow and a failed one in each hour.
 */
#include "block.h"
#include "clock.h"
#include "store_help.h"

#define BASE UINT64_C(1700000000000000000)

enum { HOURS = 24, IN_HOUR = 200, TRACES = HOURS * IN_HOUR, LIMIT = 4 * HOURS };

static struct store *store;
static struct reader *reader;
static char dir[64];
static struct arena arena;

/* The first trace of an hour is slow, the second has failed. The last hour is
 * in memory. Resource 1 has ten traces, all in the same hour. */
static void add_hour(uint32_t hour)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

    batch->lsn = hour + 1;
    batch->spans = arena_zero(&batch->arena, IN_HOUR, sizeof(*batch->spans));
    for (uint32_t i = 0; i < IN_HOUR; i++) {
        struct span *span = &batch->spans[batch->count++];
        uint32_t number = (hour * IN_HOUR + i + 1) * 2654435761u;

        *span = (struct span){.resource_id = hour == 5 && i >= 190,
                              .name = SLICE("n"),
                              .status = i == 1 ? SPAN_ERROR : SPAN_UNSET};
        memcpy(span->trace_id, &number, sizeof(number));
        span->trace_id[15] = 1;
        span->span_id[0] = 1;
        span->start_ns =
            BASE + hour * NS_PER_HOUR + (i + 1) * (NS_PER_HOUR / 202);
        span->end_ns = span->start_ns + (i == 0 ? 900 : 5) * NS_PER_MS;
    }
    store_append(store, batch);
    if (hour < HOURS - 1)
        store_flush(store);
}

static void begin(void)
{
    struct store_options options;

    temp_make(dir);
    options = options_in(dir);
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    for (uint32_t hour = 0; hour < HOURS; hour++)
        add_hour(hour);
}

static void end(void)
{
    reader_close(reader);
    store_close(store);
    temp_remove(dir);
    arena_release(&arena);
}

static struct trace_query day(uint32_t limit)
{
    return (struct trace_query){
        .start_ns = BASE, .end_ns = BASE + HOURS * NS_PER_HOUR, .limit = limit};
}

static struct spread_traces spread(const struct trace_query *query)
{
    struct spread_traces out;

    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_spread_traces(reader, query, &arena, &out), OK);
    reader_end(reader);
    CHECK(out.count <= query->limit);
    for (uint32_t i = 1; i < out.count; i++)
        CHECK(out.traces[i].start_ns <= out.traces[i - 1].start_ns);
    return out;
}

static uint64_t duration(const struct trace_summary *trace)
{
    return trace->end_ns - trace->start_ns;
}

TEST(each_hour_has_its_slowest_and_a_failed_one)
{
    struct trace_query query = day(LIMIT);
    uint32_t all[HOURS] = {0}, slow[HOURS] = {0}, failed[HOURS] = {0};
    struct spread_traces out;

    begin();
    out = spread(&query);
    CHECK_EQ(out.count, LIMIT);
    CHECK(out.more && !out.partial);
    for (uint32_t i = 0; i < out.count; i++) {
        const struct trace_summary *trace = &out.traces[i];
        uint64_t hour = (trace->start_ns - BASE) / NS_PER_HOUR;

        CHECK(hour < HOURS);
        CHECK_TEXT(trace->root_name, "n");
        all[hour]++;
        slow[hour] += duration(trace) > 800 * NS_PER_MS;
        failed[hour] += trace->has_errors;
    }
    for (uint32_t hour = 0; hour < HOURS; hour++) {
        CHECK(all[hour] >= 3 && all[hour] <= 5);
        CHECK_EQ(slow[hour], 1);
        CHECK_EQ(failed[hour], 1);
    }
    end();
}

TEST(the_same_question_has_the_same_answer)
{
    struct trace_query query = day(60);
    struct spread_traces one, two;

    begin();
    one = spread(&query);
    two = spread(&query);
    CHECK_EQ(one.count, 60);
    CHECK_EQ(two.count, 60);
    for (uint32_t i = 0; i < one.count; i++)
        CHECK(memcmp(one.traces[i].trace_id, two.traces[i].trace_id, 16) == 0);
    end();
}

/* Few traces are all shown, wherever they are. */
TEST(no_trace_is_left_out_below_the_limit)
{
    struct trace_query query = day(LIMIT);
    struct bitmap *resources;
    struct spread_traces out;

    begin();
    resources = bitmap_new(&arena, 2);
    bitmap_add(resources, 1);
    query.resources = resources;
    out = spread(&query);
    CHECK_EQ(out.count, 10);
    CHECK(!out.more);
    query.limit = 3;
    out = spread(&query);
    CHECK_EQ(out.count, 3);
    CHECK(out.more);
    end();
}

TEST(conditions_on_traces_hold)
{
    struct trace_query query = day(LIMIT);
    struct spread_traces out;

    begin();
    query.errors_only = true;
    out = spread(&query);
    CHECK_EQ(out.count, HOURS);
    for (uint32_t i = 0; i < out.count; i++)
        CHECK(out.traces[i].has_errors);
    query.errors_only = false;
    query.min_duration_ns = 100 * NS_PER_MS;
    out = spread(&query);
    CHECK_EQ(out.count, HOURS);
    query.min_duration_ns = 0;
    query.max_duration_ns = 100 * NS_PER_MS;
    out = spread(&query);
    CHECK_EQ(out.count, LIMIT);
    for (uint32_t i = 0; i < out.count; i++)
        CHECK(duration(&out.traces[i]) <= query.max_duration_ns);
    end();
}

TEST(an_empty_time_has_none)
{
    struct trace_query query = day(LIMIT);

    begin();
    query.end_ns = query.start_ns;
    CHECK_EQ(spread(&query).count, 0);
    query = day(0);
    CHECK_EQ(spread(&query).count, 0);
    end();
}
