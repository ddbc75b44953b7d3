/*
 * Traces in both engines: the spans of one, page by page from either end, with
 * and without all members, of some resources only, sent twice; one span; the
 * spans of many traces.
 */
#include "../same_kit.h"

enum { BATCHES = 12, SPANS = 60, TRACES = 20 };

static uint32_t rounds(uint32_t many)
{
    const char *times = getenv("ROUNDS"); /* in percent */

    if (times)
        return many * (uint32_t)atoi(times) / 100;
    return getenv("NIGHTLY") ? 20 * many : many;
}

/* Span ids come once, but for spans that are sent twice as they are: which of
 * several that are alike is found is open. */
static void add_spans(struct same *same, uint32_t number)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
    uint32_t unique = SPANS - 10;

    batch->count = SPANS;
    batch->spans =
        arena_zero(&batch->arena, batch->count, sizeof(*batch->spans));
    for (uint32_t i = 0; i < batch->count; i++) {
        struct span *span = &batch->spans[i];

        if (i >= unique) {
            *span = batch->spans[test_random(unique)];
            continue;
        }
        random_span(&batch->arena, span, TRACES);
        span->span_id[1] = (uint8_t)(number + 1);
        span->span_id[2] = (uint8_t)i;
        if (test_random(3) == 0) /* times of many; over a month */
            span->start_ns = 1700000000000000000 + test_random(3) * NS_PER_DAY;
        span->end_ns = span->start_ns + test_random(100000);
    }
    same_add(same, batch);
}

static struct same *open_with_spans(void)
{
    struct same *same = same_open();

    if (!same)
        return NULL;
    for (uint32_t i = 0; i < BATCHES; i++) {
        same->moved = i > BATCHES / 2;
        add_spans(same, i);
        if (test_random(4) == 0)
            same_write(same);
        if (test_random(4) == 0)
            store_flush(same->store);
    }
    same->moved = true;
    same_write(same);
    return same;
}

static struct bitmap *random_resources(struct arena *arena)
{
    struct bitmap *set = bitmap_new(arena, SAME_RESOURCES);

    for (uint32_t i = 0; i < SAME_RESOURCES; i += 7)
        if (test_random(2))
            bitmap_add(set, i);
    return set;
}

/* ---- one trace ---- */

struct spans_answer {
    struct span *spans;
    uint32_t count;
    uint64_t total;
};

static bool equal_spans(const struct span_query *q,
                        const struct spans_answer *a,
                        const struct spans_answer *b)
{
    /* The embedded store counts one that was sent twice twice, if it is not on
     * the page. */
    if (!CHECK_EQ(b->count, a->count) || !CHECK(b->total <= a->total) ||
        !CHECK(b->total == a->total || a->total > a->count))
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!CHECK(same_span(&a->spans[i], &b->spans[i], q->whole)))
            return false;
    return true;
}

static bool ask_both(struct same *same, const struct span_query *q,
                     struct arena *arena, struct spans_answer out[2])
{
    CHECK_EQ(reader_query_spans(same->reader, q, arena, &out[0].spans,
                                &out[0].count, &out[0].total),
             OK);
    if (!CHECK_EQ(ch_query_spans(&same->ch, q, arena, &out[1].spans,
                                 &out[1].count, &out[1].total),
                  OK))
        printf("# %s\n", same->ch.error.text);
    return equal_spans(q, &out[0], &out[1]);
}

/* All pages of a trace; its positions are the same in both engines. */
static bool read_pages(struct same *same, struct span_query *q,
                       struct arena *arena)
{
    struct spans_answer out[2];
    struct list_position last;
    bool equal;

    do {
        memset(out, 0, sizeof(out));
        same_begin(same);
        equal = ask_both(same, q, arena, out);
        same_end(same);
        if (!equal || out[0].count == 0)
            break;
        const struct span *span = &out[1].spans[out[1].count - 1];

        last = (struct list_position){.time_ns = span->start_ns, .key_len = 8};
        memcpy(last.key, span->span_id, 8);
        if (q->ascending)
            q->range.after = &last;
        else
            q->range.before = &last;
    } while (true);
    return equal;
}

TEST(pages_of_a_trace)
{
    struct same *same = open_with_spans();
    uint8_t trace_id[16];
    struct arena arena;
    bool equal = true;

    if (!same)
        return;
    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < rounds(30) && equal; i++) {
        struct span_query q = {.trace_id = trace_id,
                               .whole = test_random(3),
                               .ascending = test_random(2),
                               .limit = 1 + test_random(40)};

        arena_reset(&arena);
        random_id(trace_id, 16, TRACES + 1);
        if (test_random(3) == 0)
            q.resources = random_resources(&arena);
        if (test_random(3) == 0)
            q.visible = random_resources(&arena);
        equal = read_pages(same, &q, &arena);
    }
    arena_release(&arena);
    same_close(same);
}

/* More than one request reads at once. */
TEST(large_trace)
{
    struct same *same = same_open();
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
    uint8_t trace_id[16] = {7};
    struct arena arena;

    if (!same)
        return;
    batch->count = 1300;
    batch->spans =
        arena_zero(&batch->arena, batch->count, sizeof(*batch->spans));
    for (uint32_t i = 0; i < batch->count; i++) {
        random_span(&batch->arena, &batch->spans[i], 3);
        memcpy(batch->spans[i].trace_id, trace_id, 16);
        batch->spans[i].span_id[1] = (uint8_t)i;
        batch->spans[i].span_id[2] = (uint8_t)(i >> 8);
    }
    same_add(same, batch);
    same_write(same);
    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < 4; i++) {
        struct span_query q = {.trace_id = trace_id,
                               .whole = i > 1,
                               .ascending = i & 1,
                               .limit = 450 + test_random(1000)};

        arena_reset(&arena);
        if (i == 3)
            q.visible = random_resources(&arena);
        CHECK(read_pages(same, &q, &arena));
    }
    arena_release(&arena);
    same_close(same);
}

/* ---- one span ---- */

static bool find_both(struct same *same, const struct span *wanted,
                      const struct bitmap *visible, struct arena *arena)
{
    struct span found[2];
    enum status a = reader_find_span(same->reader, wanted->trace_id,
                                     wanted->span_id, visible, arena,
                                     &found[0]),
                b = ch_find_span(&same->ch, wanted->trace_id, wanted->span_id,
                                 visible, arena, &found[1]);

    return CHECK_EQ(b, a) &&
           (a != OK || CHECK(same_span(&found[0], &found[1], true)));
}

TEST(one_span)
{
    struct same *same = open_with_spans();
    struct arena arena;
    bool equal = true;

    if (!same)
        return;
    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < rounds(20) && equal; i++) {
        struct spans_answer all[2] = {{0}, {0}};
        uint8_t trace_id[16];
        const struct span_query q = {
            .trace_id = trace_id, .ascending = true, .limit = 1000};

        arena_reset(&arena);
        random_id(trace_id, 16, TRACES);
        same_begin(same);
        equal = ask_both(same, &q, &arena, all);
        if (equal && all[0].count > 0) {
            struct span one = all[0].spans[test_random(all[0].count)];

            one.span_id[4] = test_random(5) == 0; /* there is none */
            equal = find_both(same, &one,
                              test_random(2) ? random_resources(&arena) : NULL,
                              &arena);
        }
        same_end(same);
    }
    arena_release(&arena);
    same_close(same);
}

/* ---- many traces ---- */

struct sums {
    uint32_t spans[TRACES];
    uint64_t hash[TRACES]; /* of ids and times, in any order */
};

static enum status add_span(void *arg, uint32_t trace, const struct span *span)
{
    struct sums *sums = arg;

    sums->spans[trace]++;
    sums->hash[trace] +=
        hash_mix(hash_bytes(span->span_id, 8, span->kind), span->start_ns) +
        hash_bytes(span->name.ptr, span->name.len, span->end_ns);
    return OK;
}

TEST(many_traces)
{
    struct same *same = open_with_spans();
    uint8_t ids[TRACES][16];
    struct arena arena;

    if (!same)
        return;
    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < rounds(8); i++) {
        struct traces_query q = {.trace_ids = ids};
        struct sums sums[2] = {{{0}, {0}}, {{0}, {0}}};

        arena_reset(&arena);
        for (uint32_t k = 0; k < TRACES; k++)
            if (test_random(2)) {
                memset(ids[q.count], 0, 16);
                ids[q.count][0] = (uint8_t)(1 + k);
                ids[q.count++][15] = (uint8_t)test_random(3);
            }
        if (test_random(2))
            q.visible = random_resources(&arena);
        same_begin(same);
        CHECK_EQ(reader_visit_traces(same->reader, &q, add_span, &sums[0]), OK);
        CHECK_EQ(ch_visit_traces(&same->ch, &q, add_span, &sums[1]), OK);
        same_end(same);
        CHECK(memcmp(&sums[0], &sums[1], sizeof(sums[0])) == 0);
    }
    arena_release(&arena);
    same_close(same);
}
