/*
 * Lists of traces in both engines: random spans and random queries with every
 * filter, in both orders and between positions. Pages must be equal, and the
 * totals as far as they are promised.
 */
#include "../same_kit.h"

enum { BATCHES = 40, SPANS = 60, TRACES = 25, MINUTES = 180 };

#define BASE UINT64_C(1700000000000000000)

static uint32_t rounds(uint32_t many)
{
    return getenv("NIGHTLY") ? 20 * many : many;
}

/* ---- records ---- */

static uint64_t begin_of(const uint8_t trace_id[16])
{
    return BASE +
           (trace_id[0] * 7U + trace_id[15] * 50U) % MINUTES * NS_PER_MIN;
}

/* A trace has one root at most: of several the embedded store shows that of the
 * block whose part of the trace starts first. */
static bool has_root[256][3];

/* Some last long, but none for more than an hour: the embedded store searches
 * so far. */
static void change_span(struct span *span)
{
    bool *root = &has_root[span->trace_id[0]][span->trace_id[15]];

    if (*root)
        random_id(span->parent_span_id, 8, 40);
    *root |= id_is_zero(span->parent_span_id, 8);
    span->start_ns = begin_of(span->trace_id) + test_random(180) * NS_PER_S +
                     test_random(1000000);
    span->end_ns = span->start_ns + test_random(2000) * NS_PER_MS;
    if (test_random(40) == 0)
        span->end_ns += test_random(50) * NS_PER_MIN;
    if (test_random(4))
        span->status = SPAN_UNSET;
}

static void add_spans(struct same *same)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

    batch->count = 1 + test_random(SPANS);
    batch->spans =
        arena_zero(&batch->arena, batch->count, sizeof(*batch->spans));
    for (uint32_t i = 0; i < batch->count; i++) {
        random_span(&batch->arena, &batch->spans[i], TRACES);
        change_span(&batch->spans[i]);
    }
    same_add(same, batch);
}

static struct same *open_with_spans(void)
{
    struct same *same = same_open();

    if (!same)
        return NULL;
    memset(has_root, 0, sizeof(has_root));
    for (uint32_t i = 0; i < BATCHES; i++) {
        same->moved = i > BATCHES / 2;
        add_spans(same);
        if (test_random(8) == 0)
            same_write(same);
        if (test_random(8) == 0)
            store_flush(same->store);
    }
    same->moved = true;
    same_write(same);
    return same;
}

/* ---- queries ---- */

struct random_query {
    struct trace_query q;
    struct attr_match attrs[2];
    struct list_position after, before;
};

static uint64_t random_time(void)
{
    return BASE + test_random(MINUTES * 60) * NS_PER_S;
}

static struct bitmap *random_set(struct arena *arena, uint32_t of)
{
    struct bitmap *set = bitmap_new(arena, SAME_RESOURCES);

    for (uint32_t i = 0; i < SAME_RESOURCES; i++)
        if (test_random(4) < of)
            bitmap_add(set, i);
    return set;
}

static void random_position(struct list_position *place)
{
    *place = (struct list_position){.time_ns = random_time()};
    if (test_random(2)) {
        place->key_len = 16;
        random_id(place->key, 16, TRACES);
        place->time_ns = begin_of(place->key) + test_random(20) * NS_PER_S;
    }
}

static void random_filters(struct random_query *r, struct arena *arena)
{
    struct trace_query *q = &r->q;

    q->attrs = r->attrs;
    if (test_random(4) == 0)
        q->attr_count = 1 + test_random(2);
    for (uint32_t i = 0; i < q->attr_count; i++)
        random_wish(arena, &r->attrs[i]);
    if (test_random(4) == 0)
        q->min_duration_ns = test_random(300) * NS_PER_S;
    if (test_random(4) == 0)
        q->max_duration_ns = test_random(600) * NS_PER_S + 1;
    if (test_random(4) == 0)
        q->endpoint = random_word(arena, "ep", 4);
    if (test_random(4) == 0)
        q->operation = random_word(arena, "op", 6);
    q->errors_only = test_random(5) == 0;
}

static void random_query(struct random_query *r, struct arena *arena)
{
    struct trace_query *q = &r->q;

    *r = (struct random_query){.q = {.end_ns = UINT64_MAX}};
    if (test_random(2))
        q->start_ns = random_time();
    if (test_random(2))
        q->end_ns = q->start_ns > 0
                        ? q->start_ns + test_random(MINUTES * 60) * NS_PER_S
                        : random_time();
    if (test_random(4)) {
        q->resources = random_set(arena, 1 + test_random(3));
        if (test_random(2)) {
            struct bitmap *visible = random_set(arena, 2);

            for (uint32_t i = 0; i < SAME_RESOURCES; i++)
                if (bitmap_has(q->resources, i) && !bitmap_has(visible, i))
                    bitmap_add(visible, i);
            q->visible = visible;
        }
    }
    random_filters(r, arena);
    q->ascending = test_random(2);
    q->limit = test_random(5) ? test_random(30) : test_random(200);
    random_position(&r->after);
    random_position(&r->before);
    q->range.after = test_random(4) ? NULL : &r->after;
    q->range.before = test_random(4) ? NULL : &r->before;
}

/* ---- comparing ---- */

static bool same_trace(const struct trace_summary *a,
                       const struct trace_summary *b)
{
    return memcmp(a->trace_id, b->trace_id, 16) == 0 &&
           memcmp(a->root_span_id, b->root_span_id, 8) == 0 &&
           slice_equal(a->root_name, b->root_name) &&
           a->root_resource_id == b->root_resource_id &&
           a->root_kind == b->root_kind && a->span_count == b->span_count &&
           a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
           a->has_errors == b->has_errors;
}

static void show(const struct trace_query *q)
{
    printf("# [%llu, %llu) resources %d visible %d attrs %u min %llu max %llu "
           "errors %d '%.*s' '%.*s' ascending %d limit %u after %llu/%d before "
           "%llu/%d\n",
           (unsigned long long)q->start_ns, (unsigned long long)q->end_ns,
           q->resources ? (int)q->resources->count : -1,
           q->visible ? (int)q->visible->count : -1, q->attr_count,
           (unsigned long long)q->min_duration_ns,
           (unsigned long long)q->max_duration_ns, q->errors_only,
           SLICE_ARGS(q->endpoint), SLICE_ARGS(q->operation), q->ascending,
           q->limit,
           q->range.after ? (unsigned long long)q->range.after->time_ns : 0,
           q->range.after ? q->range.after->key_len : -1,
           q->range.before ? (unsigned long long)q->range.before->time_ns : 0,
           q->range.before ? q->range.before->key_len : -1);
    for (uint32_t i = 0; i < q->attr_count; i++)
        printf("#   %.*s = '%.*s'\n", SLICE_ARGS(q->attrs[i].key),
               SLICE_ARGS(q->attrs[i].value));
}

static bool ask(struct same *same, struct trace_query *q, struct arena *arena)
{
    struct count_limit counting = {.most = test_random(40),
                                   .patient = test_random(2)};
    struct trace_summary *want, *got;
    uint32_t want_count = 0, count = 0;
    uint64_t all = 0, total = 0;
    bool good;

    same_begin(same);
    CHECK_EQ(
        reader_query_traces(same->reader, q, arena, &want, &want_count, &all),
        OK);
    q->counting = test_random(2) ? &counting : NULL;
    if (!CHECK_EQ(ch_query_traces(&same->ch, q, arena, &got, &count, &total),
                  OK))
        printf("# %s\n", same->ch.error.text);
    good = CHECK_EQ(count, want_count);
    for (uint32_t i = 0; i < count && good; i++)
        good = CHECK(same_trace(&got[i], &want[i]));
    if (!q->counting || !counting.stopped)
        good &= CHECK_EQ(total, all);
    else if (counting.patient) /* else the time decides */
        good &= CHECK(total <= all && (total == all || total >= counting.most));
    else
        good &= CHECK(total <= all);
    same_end(same);
    return good;
}

TEST(random_queries_of_traces)
{
    struct same *same = open_with_spans();
    struct arena arena;
    bool good = same;

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; good && i < rounds(12); i++) {
        struct random_query r;

        arena_reset(&arena);
        random_query(&r, &arena);
        good = ask(same, &r.q, &arena);
        if (!good)
            show(&r.q);
    }
    arena_release(&arena);
    same_close(same);
}

/* ---- spread over the time ---- */

static int by_id(const void *left, const void *right)
{
    const struct trace_summary *a = left, *b = right;

    return memcmp(a->trace_id, b->trace_id, 16);
}

/* With room for all, all are taken. */
static bool ask_spread(struct same *same, const struct trace_query *q,
                       struct arena *arena)
{
    struct spread_traces want, got;
    bool good;

    same_begin(same);
    CHECK_EQ(reader_spread_traces(same->reader, q, arena, &want), OK);
    if (!CHECK_EQ(ch_spread_traces(&same->ch, q, arena, &got), OK))
        printf("# %s\n", same->ch.error.text);
    same_end(same);
    good = CHECK_EQ(got.count, want.count) && CHECK_EQ(got.more, want.more) &&
           CHECK(!got.partial);
    for (uint32_t i = 1; i < got.count; i++)
        CHECK(got.traces[i - 1].start_ns >= got.traces[i].start_ns);
    if (good && got.count > 0) {
        qsort(got.traces, got.count, sizeof(*got.traces), by_id);
        qsort(want.traces, want.count, sizeof(*want.traces), by_id);
    }
    for (uint32_t i = 0; i < got.count && good; i++)
        good = CHECK(same_trace(&got.traces[i], &want.traces[i]));
    return good;
}

TEST(traces_from_all_over_a_time)
{
    struct same *same = open_with_spans();
    struct arena arena;
    bool good = same;

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; good && i < rounds(8); i++) {
        struct random_query r;

        arena_reset(&arena);
        random_query(&r, &arena);
        r.q.range.after = r.q.range.before = NULL;
        r.q.ascending = false;
        r.q.limit = 1000;
        good = ask_spread(same, &r.q, &arena);
        if (!good)
            show(&r.q);
    }
    arena_release(&arena);
    same_close(same);
}
