/*
 * Trees of traces: shapes that senders really send and that they should not;
 * self times and critical paths against slow and simple versions of both.
 */
#include <stdlib.h>

#include "clock.h"
#include "test.h"
#include "trace_tree.h"

struct bench {
    struct arena arena;
    struct query_request request;
    struct trace_tree tree;
    struct trace_span *spans;
    uint32_t count;
};

static void bench_open(struct bench *b, uint32_t room)
{
    *b = (struct bench){.count = 0};
    arena_init(&b->arena, NULL, SIZE_MAX);
    b->request.arena = &b->arena;
    b->spans = arena_zero(&b->arena, room, sizeof(*b->spans));
}

static void bench_close(struct bench *b)
{
    arena_release(&b->arena);
}

/* id 0: none. */
static struct trace_span *add(struct bench *b, uint32_t id, uint32_t parent,
                              uint64_t start_ns, uint64_t end_ns)
{
    struct trace_span *span = &b->spans[b->count++];

    *span = (struct trace_span){.start_ns = start_ns,
                                .end_ns = end_ns,
                                .kind = SPAN_INTERNAL,
                                .name = SLICE("n")};
    memcpy(span->span_id, &id, sizeof(id));
    memcpy(span->parent_span_id, &parent, sizeof(parent));
    return span;
}

static int by_start(const void *left, const void *right)
{
    const struct trace_span *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return memcmp(a->span_id, b->span_id, 8);
}

static void build(struct bench *b)
{
    qsort(b->spans, b->count, sizeof(*b->spans), by_start);
    b->tree = (struct trace_tree){.request = &b->request};
    CHECK_EQ(trace_tree_build(&b->tree, b->spans, b->count), OK);
    CHECK_EQ(trace_tree_time(&b->tree), OK);
}

static const struct trace_node *node(const struct bench *b, uint32_t id)
{
    for (uint32_t i = 0; i < b->tree.count; i++)
        if (memcmp(b->tree.nodes[i].span->span_id, &id, sizeof(id)) == 0)
            return &b->tree.nodes[i];
    CHECK(false);
    return &b->tree.nodes[0];
}

static uint32_t parent_id(const struct bench *b, uint32_t id)
{
    const struct trace_node *n = node(b, id);
    uint32_t parent = 0;

    if (n->parent != TRACE_NONE)
        memcpy(&parent, b->tree.nodes[n->parent].span->span_id, sizeof(parent));
    return parent;
}

static uint64_t critical_sum(const struct bench *b)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < b->tree.count; i++)
        sum += b->tree.nodes[i].critical_ns;
    return sum;
}

/* ---- shapes ---- */

TEST(a_walk_has_parents_before_children_and_children_by_start)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 0, 0, 100);
    add(&b, 3, 1, 50, 90);
    add(&b, 2, 1, 10, 40);
    add(&b, 4, 2, 20, 30);
    build(&b);
    CHECK_EQ(b.tree.count, 4);
    CHECK(node(&b, 1) == &b.tree.nodes[0]);
    CHECK(node(&b, 2) == &b.tree.nodes[1]);
    CHECK(node(&b, 4) == &b.tree.nodes[2]);
    CHECK(node(&b, 3) == &b.tree.nodes[3]);
    CHECK_EQ(node(&b, 1)->below, 3);
    CHECK_EQ(node(&b, 1)->children, 2);
    CHECK_EQ(node(&b, 4)->depth, 2);
    CHECK_EQ(b.tree.roots, 1);
    CHECK_EQ(node(&b, 1)->self_ns, 30);
    CHECK_EQ(node(&b, 2)->self_ns, 20);
    bench_close(&b);
}

TEST(self_time_counts_parallel_children_once)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 0, 0, 100);
    add(&b, 2, 1, 10, 60);
    add(&b, 3, 1, 20, 50);  /* inside of the other */
    add(&b, 4, 1, 40, 80);  /* overlaps both */
    add(&b, 5, 1, 90, 120); /* ends after its parent */
    build(&b);
    CHECK_EQ(node(&b, 1)->self_ns, 20); /* 0 to 10, 80 to 90 */
    CHECK_EQ(critical_sum(&b), 100);
    CHECK_EQ(node(&b, 5)->critical_ns, 10);
    CHECK_EQ(node(&b, 4)->critical_ns, 40);
    CHECK(!(node(&b, 2)->flags & NODE_CRITICAL));
    CHECK_EQ(node(&b, 1)->critical_ns, 50); /* 80 to 90, 0 to 40 */
    bench_close(&b);
}

TEST(what_is_not_waited_for_is_not_on_the_path)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 0, 0, 100)->kind = SPAN_SERVER;
    add(&b, 2, 1, 10, 20)->kind = SPAN_PRODUCER;
    add(&b, 3, 2, 15, 400)->kind = SPAN_CONSUMER;
    add(&b, 4, 1, 150, 200); /* begins after its parent has ended */
    build(&b);
    CHECK(node(&b, 3)->flags & NODE_ASYNC);
    CHECK(node(&b, 4)->flags & NODE_ASYNC);
    CHECK(!(node(&b, 2)->flags & NODE_ASYNC));
    CHECK_EQ(node(&b, 2)->self_ns, 10);
    CHECK_EQ(node(&b, 1)->self_ns, 90);
    CHECK_EQ(node(&b, 3)->critical_ns, 0);
    CHECK_EQ(critical_sum(&b), 100);
    CHECK_EQ(b.tree.end_ns, 400);
    bench_close(&b);
}

TEST(missing_parents_have_one_node_each)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 0, 50, 100);
    add(&b, 2, 77, 10, 40);
    add(&b, 3, 77, 60, 200);
    add(&b, 4, 88, 5, 6);
    build(&b);
    CHECK_EQ(b.tree.count, 6);
    CHECK_EQ(b.tree.missing, 2);
    CHECK_EQ(b.tree.roots, 3);
    CHECK(node(&b, 77)->flags & NODE_MISSING);
    CHECK(node(&b, 2)->flags & NODE_ORPHAN);
    CHECK_EQ(parent_id(&b, 2), 77);
    CHECK_EQ(parent_id(&b, 3), 77);
    CHECK_EQ(node(&b, 77)->start_ns, 10);
    CHECK_EQ(node(&b, 77)->end_ns, 200);
    CHECK_EQ(node(&b, 77)->self_ns, 0);
    CHECK(&b.tree.nodes[b.tree.main] == node(&b, 1)); /* it has no parent */
    CHECK_EQ(critical_sum(&b), 50);
    bench_close(&b);
}

TEST(cycles_of_parents_are_cut_at_their_earliest_span)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 1, 5, 10); /* its own parent */
    add(&b, 2, 4, 30, 40);
    add(&b, 3, 2, 20, 25);
    add(&b, 4, 3, 50, 60);
    add(&b, 5, 4, 70, 80); /* below the cycle */
    build(&b);
    CHECK_EQ(b.tree.count, 5);
    CHECK_EQ(b.tree.cycles, 2);
    CHECK_EQ(b.tree.roots, 2);
    CHECK(node(&b, 1)->flags & NODE_CYCLE);
    CHECK(node(&b, 3)->flags & NODE_CYCLE);
    CHECK_EQ(parent_id(&b, 3), 0);
    CHECK_EQ(parent_id(&b, 4), 3);
    CHECK_EQ(parent_id(&b, 2), 4);
    CHECK_EQ(parent_id(&b, 5), 4);
    bench_close(&b);
}

TEST(an_id_that_occurs_twice)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 0, 0, 100);
    add(&b, 2, 1, 10, 90)->kind = SPAN_CLIENT;
    add(&b, 2, 1, 20, 80)->kind = SPAN_SERVER; /* as Zipkin's */
    add(&b, 3, 2, 30, 40);
    add(&b, 3, 2, 50, 60); /* just so */
    build(&b);
    CHECK_EQ(b.tree.count, 5);
    CHECK_EQ(b.tree.duplicates, 2);
    CHECK_EQ(b.tree.nodes[2].span->kind, SPAN_SERVER);
    CHECK_EQ(b.tree.nodes[2].parent, 1);
    CHECK_EQ(b.tree.roots, 1);
    CHECK_EQ(critical_sum(&b), 100);
    bench_close(&b);
}

TEST(spans_without_duration)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 0, 7, 7);
    add(&b, 2, 1, 7, 7);
    add(&b, 3, 2, 7, 7);
    build(&b);
    CHECK_EQ(b.tree.count, 3);
    CHECK_EQ(critical_sum(&b), 0);
    CHECK_EQ(node(&b, 1)->self_ns, 0);
    bench_close(&b);
}

/* ---- clocks ---- */

TEST(a_clock_that_is_ahead_or_behind_is_found)
{
    struct bench b;

    for (int behind = 0; behind < 2; behind++) {
        uint64_t shift = behind ? (uint64_t)-500 : 500;

        bench_open(&b, 8);
        add(&b, 1, 0, 1000, 1100);
        add(&b, 2, 1, 1010, 1090)->kind = SPAN_CLIENT;
        add(&b, 3, 2, 1020 + shift, 1080 + shift)->kind = SPAN_SERVER;
        add(&b, 4, 3, 1030 + shift, 1050 + shift);
        for (uint32_t i = 2; i < 4; i++)
            b.spans[i].resource_id = 9;
        build(&b);
        CHECK_EQ(b.tree.skewed, 1);
        CHECK(node(&b, 3)->flags & NODE_SKEWED);
        CHECK_EQ(node(&b, 3)->offset_ns, behind ? -500 : 500);
        CHECK_EQ(node(&b, 4)->offset_ns, behind ? -500 : 500);
        CHECK_EQ(node(&b, 3)->start_ns, 1020);
        CHECK_EQ(node(&b, 3)->span->start_ns, 1020 + shift); /* as sent */
        CHECK_EQ(node(&b, 2)->self_ns, 20);
        CHECK_EQ(node(&b, 4)->critical_ns, 20);
        CHECK_EQ(critical_sum(&b), 100);
        bench_close(&b);
    }
}

TEST(what_is_possible_is_no_skew)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 0, 1000, 1100)->kind = SPAN_CLIENT;
    b.spans[0].resource_id = 1;
    add(&b, 2, 1, 1050, 1400)->kind = SPAN_SERVER; /* the client gave up */
    add(&b, 3, 2, 1380, 1500); /* of another host, goes on after its parent */
    b.spans[2].resource_id = 2;
    add(&b, 4, 1, 990, 1020); /* of the same host: not a matter of clocks */
    b.spans[3].resource_id = 1;
    build(&b);
    CHECK_EQ(b.tree.skewed, 0);
    CHECK_EQ(node(&b, 2)->offset_ns, 0);
    CHECK_EQ(node(&b, 1)->self_ns, 30);
    bench_close(&b);
}

/* ---- against slow versions ---- */

/* Children in a row, without overlap. */
static void add_row(struct bench *b, uint32_t *next, uint32_t parent,
                    uint64_t start_ns, uint64_t end_ns, int depth)
{
    uint64_t at = start_ns;

    while (depth < 6 && *next < 400 && test_random(4) > 0) {
        uint64_t from = at + test_random((uint32_t)(1 + (end_ns - at) / 4));
        uint64_t to = from + test_random((uint32_t)(1 + (end_ns - from) / 2));
        uint32_t id = (*next)++;

        add(b, id, parent, from, to);
        add_row(b, next, id, from, to, depth + 1);
        at = to;
    }
}

TEST(self_times_of_a_sequential_trace_add_up_to_its_duration)
{
    for (int round = 0; round < 300; round++) {
        uint32_t next = 2;
        uint64_t sum = 0;
        struct bench b;

        bench_open(&b, 500);
        add(&b, 1, 0, 0, 100000);
        add_row(&b, &next, 1, 0, 100000, 0);
        build(&b);
        for (uint32_t i = 0; i < b.tree.count; i++) {
            sum += b.tree.nodes[i].self_ns;
            CHECK_EQ(b.tree.nodes[i].critical_ns, b.tree.nodes[i].self_ns);
        }
        CHECK_EQ(sum, 100000);
        CHECK_EQ(critical_sum(&b), 100000);
        bench_close(&b);
    }
}

/* Nanosecond by nanosecond. */
static uint64_t slow_self(const struct trace_tree *tree, uint32_t at)
{
    const struct trace_node *n = &tree->nodes[at];
    uint64_t self = 0;

    for (uint64_t t = n->start_ns; t < n->end_ns; t++) {
        bool busy = false;

        for (uint32_t i = 0; i < tree->count; i++)
            busy |= tree->nodes[i].parent == at &&
                    !(tree->nodes[i].flags & NODE_ASYNC) &&
                    tree->nodes[i].start_ns <= t && t < tree->nodes[i].end_ns;
        self += !busy;
    }
    return self;
}

/* Its definition, as a recursion. */
static void slow_path(const struct trace_tree *tree, uint32_t at,
                      uint64_t start_ns, uint64_t end_ns, uint64_t *critical)
{
    uint64_t until = end_ns;

    for (;;) {
        uint32_t last = TRACE_NONE;
        uint64_t last_start = 0, last_end = 0;

        for (uint32_t i = 0; i < tree->count; i++) {
            const struct trace_node *c = &tree->nodes[i];
            uint64_t from = c->start_ns > start_ns ? c->start_ns : start_ns;
            uint64_t to = c->end_ns < end_ns ? c->end_ns : end_ns;

            if (c->parent != at || c->flags & NODE_ASYNC || from >= to ||
                to > until)
                continue;
            if (last == TRACE_NONE || to > last_end ||
                (to == last_end && from < last_start)) {
                last = i;
                last_start = from;
                last_end = to;
            }
        }
        if (last == TRACE_NONE)
            break;
        critical[at] += until - last_end;
        slow_path(tree, last, last_start, last_end, critical);
        until = last_start;
    }
    critical[at] += until - start_ns;
}

TEST(any_tree_agrees_with_the_slow_versions)
{
    for (int round = 0; round < 400; round++) {
        uint32_t count = 2 + test_random(25);
        uint64_t critical[64] = {0};
        struct bench b;

        bench_open(&b, 64);
        add(&b, 1, 0, 100, 200);
        for (uint32_t id = 2; id <= count; id++) {
            uint64_t start = 80 + test_random(120);
            struct trace_span *span = add(&b, id, 1 + test_random(id + 1),
                                          start, start + test_random(100));

            span->kind = (uint8_t)test_random(6);
            span->resource_id = test_random(2);
        }
        build(&b);
        CHECK_EQ(critical_sum(&b), b.tree.nodes[b.tree.main].end_ns -
                                       b.tree.nodes[b.tree.main].start_ns);
        slow_path(&b.tree, b.tree.main, b.tree.nodes[b.tree.main].start_ns,
                  b.tree.nodes[b.tree.main].end_ns, critical);
        for (uint32_t i = 0; i < b.tree.count; i++) {
            CHECK_EQ(b.tree.nodes[i].critical_ns, critical[i]);
            if (!(b.tree.nodes[i].flags & NODE_MISSING))
                CHECK_EQ(b.tree.nodes[i].self_ns, slow_self(&b.tree, i));
        }
        bench_close(&b);
    }
}

/* ---- large ones ---- */

static void check_large(struct bench *b, uint32_t depth)
{
    uint64_t begin = clock_monotonic_ns();
    uint32_t deepest = 0, shown;

    build(b);
    for (uint32_t i = 0; i < b->tree.count; i++)
        if (b->tree.nodes[i].depth > deepest)
            deepest = b->tree.nodes[i].depth;
    CHECK_EQ(deepest, depth);
    CHECK_EQ(b->tree.count, TRACE_SPANS_MAX);
    CHECK_EQ(critical_sum(b), 2 * TRACE_SPANS_MAX);
    CHECK_EQ(trace_select(&b->tree, TRACE_NONE, 1000, &shown), OK);
    CHECK(shown <= 1000);
    CHECK(clock_monotonic_ns() - begin < 20 * NS_PER_S);
}

TEST(as_deep_and_as_wide_as_it_may_be)
{
    struct bench b;

    bench_open(&b, TRACE_SPANS_MAX);
    for (uint32_t i = 0; i < TRACE_SPANS_MAX; i++)
        add(&b, i + 1, i, i, 2 * TRACE_SPANS_MAX - i);
    check_large(&b, TRACE_SPANS_MAX - 1);
    bench_close(&b);

    bench_open(&b, TRACE_SPANS_MAX);
    add(&b, 1, 0, 0, 2 * TRACE_SPANS_MAX);
    for (uint32_t i = 1; i < TRACE_SPANS_MAX; i++)
        add(&b, i + 1, 1, 2 * i, 2 * i + 1);
    check_large(&b, 1);
    bench_close(&b);
}

/* ---- what is shown ---- */

TEST(what_matters_is_shown_first_with_all_above_it)
{
    struct bench b;
    uint32_t shown, seen = 0, omitted = 0;

    bench_open(&b, 2000);
    add(&b, 1, 0, 0, 100000);
    for (uint32_t i = 2; i < 1500; i++)
        add(&b, i, i / 2, 10 + i, 30000 + i);
    b.spans[1400].status = SPAN_ERROR;
    build(&b);
    for (uint32_t i = 0; i < b.tree.count; i++)
        if (b.tree.nodes[i].flags & NODE_FAILED)
            b.tree.nodes[i].flags |= NODE_ORIGIN;
    CHECK_EQ(trace_select(&b.tree, TRACE_NONE, 40, &shown), OK);
    CHECK(shown > 20 && shown <= 40);
    for (uint32_t i = 0; i < b.tree.count; i++) {
        const struct trace_node *n = &b.tree.nodes[i];

        if (n->flags & NODE_FAILED)
            CHECK(n->flags & NODE_SHOWN);
        if (!(n->flags & NODE_SHOWN))
            continue;
        seen++;
        omitted += n->omitted;
        CHECK(n->parent == TRACE_NONE ||
              b.tree.nodes[n->parent].flags & NODE_SHOWN);
    }
    CHECK_EQ(seen, shown);
    CHECK_EQ(seen + omitted, b.tree.count);
    bench_close(&b);
}
