/*
 * Samples of traces and of their log records in both engines: the same hash
 * decides in both.
 */
#include "../same_kit.h"
#include "attr_hash.h"
#include "ch_read_sample.h"

enum { BATCHES = 20, SPANS = 80, TRACES = 200, MINUTES = 60 };

#define BASE UINT64_C(1700000000000000000)

static uint32_t rounds(uint32_t many)
{
    return getenv("NIGHTLY") ? 20 * many : many;
}

static uint64_t random_time(void)
{
    return BASE + test_random(MINUTES * 60) * NS_PER_S + test_random(3);
}

static void add_spans(struct same *same)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

    batch->count = SPANS;
    batch->spans =
        arena_zero(&batch->arena, batch->count, sizeof(*batch->spans));
    for (uint32_t i = 0; i < batch->count; i++) {
        struct span *span = &batch->spans[i];

        random_span(&batch->arena, span, TRACES);
        span->start_ns = random_time();
        span->end_ns = span->start_ns + test_random(100000);
    }
    same_add(same, batch);
}

static void add_logs(struct same *same)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->count = SPANS;
    batch->logs = arena_zero(&batch->arena, batch->count, sizeof(*batch->logs));
    for (uint32_t i = 0; i < batch->count; i++) {
        random_log(&batch->arena, &batch->logs[i]);
        batch->logs[i].time_ns = random_time();
        if (test_random(3))
            random_id(batch->logs[i].trace_id, 16, TRACES);
    }
    same_add(same, batch);
}

/* ---- what is visited, in any order ---- */

struct visited {
    uint64_t sum, count;
    bool attrs;
};

static void visit_span(void *arg, const struct span *span)
{
    struct visited *v = arg;
    uint64_t hash = hash_bytes(span->trace_id, 16, span->resource_id);

    hash = hash_bytes(span->span_id, 8, hash);
    hash = hash_bytes(span->parent_span_id, 8, hash);
    hash = hash_bytes(span->name.ptr, span->name.len, hash);
    hash = hash_bytes(span->endpoint.ptr, span->endpoint.len, hash);
    hash = hash_mix(hash, span->start_ns);
    hash = hash_mix(hash, span->end_ns);
    hash = hash_mix(hash, span->kind * 10U + span->status * 2U + span->failed);
    if (v->attrs)
        hash = hash_mix(hash, attrs_hash(&span->attrs));
    v->sum += hash;
    v->count++;
}

static void visit_log(void *arg, const struct log_record *log)
{
    struct visited *v = arg;
    uint64_t hash = hash_bytes(log->trace_id, 16, log->resource_id);

    hash = hash_bytes(log->span_id, 8, hash);
    hash = hash_mix(hash, log->time_ns + log->level);
    v->sum += hash_mix(hash, attr_value_hash(&log->body));
    v->count++;
}

static uint32_t random_ranges(struct sample_range ranges[6])
{
    static const uint32_t keeps[] = {0, 100, 10000, 30000, SAMPLE_ALL};
    uint32_t count = 1 + test_random(6);
    uint64_t at = BASE - NS_PER_MIN;

    for (uint32_t i = 0; i < count; i++) {
        at += test_random(10) * NS_PER_MIN;
        ranges[i].start_ns = at;
        at += test_random(20) * NS_PER_MIN + test_random(3);
        ranges[i].end_ns = at;
        ranges[i].keep = keeps[test_random(5)];
    }
    return count;
}

static bool ask(struct same *same, const struct sample_query *q)
{
    struct visited want = {.attrs = q->attrs}, got = want;
    bool good;

    same_begin(same);
    CHECK_EQ(reader_sample_spans(same->reader, q, visit_span, &want), OK);
    if (!CHECK_EQ(ch_sample_spans(&same->ch, q, visit_span, &got), OK))
        printf("# %s\n", same->ch.error.text);
    good = CHECK_EQ(got.count, want.count) && CHECK_EQ(got.sum, want.sum);
    want = got = (struct visited){.count = 0};
    CHECK_EQ(reader_sample_logs(same->reader, q, visit_log, &want), OK);
    if (!CHECK_EQ(ch_sample_logs(&same->ch, q, visit_log, &got), OK))
        printf("# %s\n", same->ch.error.text);
    same_end(same);
    return CHECK_EQ(got.count, want.count) && CHECK_EQ(got.sum, want.sum) &&
           good;
}

TEST(random_samples)
{
    struct same *same = same_open();
    struct sample_range ranges[6];
    struct arena arena;
    bool good = same;

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; good && i < BATCHES; i++) {
        same->moved = i > BATCHES / 2;
        add_spans(same);
        add_logs(same);
        if (test_random(8) == 0)
            same_write(same);
    }
    if (good)
        same_write(same);
    for (uint32_t i = 0; good && i < rounds(30); i++) {
        struct bitmap *set;
        struct sample_query q = {
            .ranges = ranges,
            .attrs = test_random(2),
            .kinds = test_random(2) ? 0 : (uint8_t)(1 + test_random(63))};

        arena_reset(&arena);
        set = bitmap_new(&arena, SAME_RESOURCES);
        for (uint32_t id = 0; id < SAME_RESOURCES; id++)
            if (test_random(3))
                bitmap_add(set, id);
        q.resources = set;
        q.range_count = random_ranges(ranges);
        good = ask(same, &q);
    }
    arena_release(&arena);
    same_close(same);
}
